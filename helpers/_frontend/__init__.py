"""The part of the widgets that runs in the browser: plain JavaScript and CSS, put together here,
without a build step.

An anywidget module cannot import a sibling file, so the shared core is put in front of each
widget's own file.
"""

import base64
import re
from pathlib import Path

_HERE = Path(__file__).parent


def minus(text: str) -> str:
    """Return `text` with a true minus sign before each negative number.

    The hyphen stays in "16-bit", "2-3", "1e-5" and in code such as "gain_db=-6" and "y[::-1]".

    Examples
    --------
    >>> minus("-6 dB, from -1.5 to 2-3, gain_db=-6, y[::-1]")
    '−6 dB, from −1.5 to 2-3, gain_db=-6, y[::-1]'
    """
    return re.sub(r"(?<![\w.)\]=:-])-(?=\.?\d|inf\b)", "−", text)


def bundle(widget: str, *parts: str) -> str:
    """Return the JavaScript module of a widget: the shared core, then the named files in order.

    `widget` is the ``__file__`` of its Python; each part is a script beside it, and the last ends
    with ``export default { render };``.
    """
    files = [_HERE / "core.js", *(Path(widget).with_name(f"{part}.js") for part in parts)]
    for path in files:
        if not path.is_file():
            there = ", ".join(sorted(path.stem for path in path.parent.glob("*.js")))
            raise ValueError(f"no file {path.name} in {path.parent.name}/; there are {there}")
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def styles(widget: str, name: str) -> str:
    """Return the CSS shared by all widgets and, where it lies beside `widget`, that of one of them.

    Every rule starts with ``.earup``, but for that of pictures.css.
    """
    files = [_HERE / "style.css", _HERE / "pictures.css", Path(widget).with_name(f"{name}.css")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.is_file())


class Stored:
    """Mixin for an anywidget: what a stored notebook shows in its place. Stands before
    ``AnyWidget`` in the bases.

    A widget needs a running kernel or stored state; the committed notebooks keep neither. Their
    readers see `stored_picture` (or, failing that, `stored_text`) instead.
    """

    _ipython_display_ = (
        None  # ipywidgets 7 (Colab) would display itself here and pass over the bundle below
    )
    __repr__ = object.__repr__  # older anywidgets would print every trait: all samples, all answers

    def stored_text(self) -> str:
        """Return one line that says what stands here; the same on every run."""
        raise NotImplementedError

    def stored_picture(self) -> bytes | None:
        """Return a small PNG, or None for no picture."""
        return None

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict] | dict:
        shown = super()._repr_mimebundle_(**kwargs)
        data, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
        data = {**data, "text/plain": self.stored_text()}
        picture = self.stored_picture()
        if picture is not None:
            data["image/png"] = base64.b64encode(picture).decode()
            metadata = {**metadata, "image/png": {"alt": self.stored_text()}}
        return data, metadata
