"""The part of the widgets that runs in the browser: plain JavaScript and CSS, put together here, without a build step.

An anywidget module cannot import a sibling file, so the shared core is put in front of each widget's own file.
"""

import base64
from pathlib import Path

_HERE = Path(__file__).parent
# what a widget needs between the core and its own file: several tracks that run in step, a brush, the microphone
_BETWEEN = {"player": ["deck"], "recorder": ["microphone", "deck"], "blind": ["deck"], "stage": ["brush"]}
_BETWEEN["talkback"] = ["microphone"]


def bundle(name: str) -> str:
    """Return the JavaScript module of a widget: the shared core, then the widget's own file.

    Parameters
    ----------
    name : str
        For example ``"player"``; the file ``player.js`` ends with ``export default { render };``.

    Returns
    -------
    str
        One module without imports.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    parts = ["core", *_BETWEEN.get(name, []), name]
    missing = [part for part in parts if not (_HERE / f"{part}.js").is_file()]
    if missing:
        there = ", ".join(sorted(path.stem for path in _HERE.glob("*.js")))
        raise ValueError(f"no file {missing[0]}.js in {_HERE.name}/; there are {there}")
    return "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in parts)


def styles(name: str = "") -> str:
    """Return the CSS shared by all widgets and, where the file exists, that of one of them.

    Parameters
    ----------
    name : str, optional
        For example ``"quiz"`` for ``style.css`` followed by ``quiz.css``.

    Returns
    -------
    str
        A style sheet; every rule starts with ``.earup``.
    """
    files = [_HERE / "style.css", _HERE / f"{name}.css"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.is_file())


class Stored:
    """Mixin for an anywidget: what a stored notebook shows in its place. Stands before ``AnyWidget`` in the bases.

    A widget needs a running kernel or stored state; the committed notebooks keep neither. Their readers see
    `stored_picture` (or, failing that, `stored_text`) instead.
    """

    _ipython_display_ = None  # ipywidgets 7 (Colab) would display itself here and pass over the bundle below
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
