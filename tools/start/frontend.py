"""Put what makes the pages wake up into an environment: `python -m tools.start.frontend`.

JupyterLab finds three files under the environment's own folder, and every start with that
environment uses them, by `course.py lab` or not: an extension of JupyterLab (extension/pages.js),
an extension of its server that saves no dead views (helpers/_frontend/saving.py), and settings that
ask no questions. Deleting the environment removes them.
"""

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "extension"
GATE = ROOT / "helpers" / "coursework" / "gate.js"
PICTURES = ROOT / "helpers" / "_frontend" / "pictures.css"
EXTENSION = "share/jupyter/labextensions/earup"
SERVER = "etc/jupyter/jupyter_server_config.d/earup.json"
SETTINGS = "share/jupyter/lab/settings/overrides.json"


def script() -> str:
    """Return the one script that JupyterLab loads; its parts share no name with the page."""
    needed = json.dumps((HERE / "needed.py").read_text(encoding="utf-8"))
    pictures = json.dumps(PICTURES.read_text(encoding="utf-8"))
    parts = [GATE, HERE / "pages.js"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in parts)
    return f"(() => {{\nconst NEEDED = {needed};\nconst PICTURES = {pictures};\n{text}\n}})();\n"


def _write(path: Path, text: str) -> None:
    """Write a file, unless it holds that already."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def install(prefix: Path) -> None:
    """Write the three into the environment that lies at `prefix`."""
    code = script()
    name = f"pages.{hashlib.sha256(code.encode()).hexdigest()[:12]}.js"  # browsers keep old names
    folder = prefix / EXTENSION
    for old in folder.glob("static/pages.*.js"):
        if old.name != name:
            old.unlink()
    _write(folder / "static" / name, code)
    build = {"load": f"static/{name}", "extension": "./extension"}
    package = {"name": "earup", "version": "1.0.0", "jupyterlab": {"_build": build}}
    _write(folder / "package.json", json.dumps(package, indent=1))
    server = {"ServerApp": {"jpserver_extensions": {"helpers._frontend.saving": True}}}
    _write(prefix / SERVER, json.dumps(server, indent=1))
    if not (prefix / SETTINGS).exists():  # a choice that somebody made stays
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        settings = {"@jupyterlab/apputils-extension:notification": quiet}
        _write(prefix / SETTINGS, json.dumps(settings))


if __name__ == "__main__":
    install(Path(sys.prefix))
