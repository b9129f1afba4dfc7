"""What the page's worker calls: make a stage of its source, and have it answer."""

import importlib
import json

# helpers.explore.stage is also the name of the function that notebooks call
Stage = importlib.import_module("helpers.explore.stage").Stage

MADE = {}


def make(name: str, source: str) -> None:
    """Run what a stage needs, and keep the stage under a name."""
    last = []
    plain = Stage.__init__

    def kept(self, *args, **options):
        plain(self, *args, **options)
        last.append(self)

    Stage.__init__ = kept
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    finally:
        Stage.__init__ = plain
    MADE[name] = last[-1]


def answer(name: str, request: str) -> tuple[str, bytes]:
    """Return a stage's reply to a request, both as JSON, and the bytes of its arrays."""
    said = []
    made = MADE[name]
    made.send = lambda content, buffers=(): said.append((content, buffers))
    made._on_message(json.loads(request))
    content, buffers = said[-1]
    return json.dumps(content), bytes(buffers[0]) if buffers else b""
