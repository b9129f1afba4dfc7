"""A loop: a stage that moves by itself, and keeps all its pictures, so that it asks no Python.

A ValueError refuses a loop whose pictures do not all hold the same arrays, which moves along
anything but a slider of equal steps, or which stores more than `LIMIT`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import traitlets

from helpers._frontend import bundle, styles
from helpers.explore.stage import Stage

LIMIT = 110_000  # bytes of all pictures together, which are a third more where a page holds them
SHADES = 85  # of an image: a step is under 1 dB where the whole is 80 dB
FINE = 4095  # steps of all else: a tenth of a pixel
NAMED = {"handles": [], "brush": None, "sr": None, "challenge": "", "ceiling_db": 0.0}


class Loop(Stage):
    """The front end of `loop`: a stage whose answers it holds."""

    _esm = bundle(__file__, "brush", "stage", "loop").replace("export default { render };", "", 1)
    _css = styles(__file__, "stage").replace(".earup-scene", ".earup-film")
    words = traitlets.List().tag(sync=True)
    packing = traitlets.List().tag(sync=True)
    packed = traitlets.Bytes().tag(sync=True)

    def __init__(self, compute: Callable, spec: dict, name: str, scrub):
        if not hasattr(scrub, "step") or hasattr(scrub, "base"):
            raise ValueError(f"{name}: a loop moves along a slider of equal steps, got {scrub!r}")
        super().__init__(compute, spec | NAMED, {name: scrub}, None)
        count = round((scrub.max - scrub.min) / scrub.step) + 1
        values = [type(scrub.value)(scrub.min + k * scrub.step) for k in range(count)]
        replies = [self._answer({name: value}) for value in values]
        self.words = [words["readout"] for _, words in replies]
        images = [item for panel in spec["panels"] for item in panel["items"]]
        ranges = {i["name"]: (i["low"], i["high"]) for i in images if i["kind"] == "image"}
        self.packing, self.packed = _packed([arrays for arrays, _ in replies], ranges)
        self.contents = []  # the front end takes the first picture from there too
        self.frame = b""

    def stored_text(self) -> str:
        """Return title, read-out, and how to set it moving."""
        return f"{self.spec['title']}. {self.readout} Run this cell to see it move."


def _packed(pictures: list[dict], ranges: dict) -> tuple[list, bytes]:
    """Return how arrays lie in the bytes, and the bytes: whole numbers, deflated.

    Of each array the first picture is followed by the differences to the one before, so what
    stays costs nothing. The largest whole number stands for NaN.
    """
    names = list(pictures[0])
    packing, pieces = [], []
    for name in names:
        shapes = {p[name].shape if list(p) == names else None for p in pictures}
        if len(shapes) > 1:
            raise ValueError(f"array {name!r} must have one shape in all pictures, got {shapes}")
        data = np.stack([picture[name] for picture in pictures]).astype(np.float64)
        finite = data[np.isfinite(data)]
        low, high = ranges.get(name, (finite.min(initial=0), finite.max(initial=0)))
        kind, steps = (np.uint8, SHADES) if name in ranges else (np.uint16, FINE)
        step = (high - low) / steps or 1.0
        whole = np.clip(np.round((np.nan_to_num(data) - low) / step), 0, steps).astype(kind)
        whole[np.isnan(data)] = np.iinfo(kind).max
        whole[1:] -= whole[:-1].copy()  # wraps round, and back again where it is added up
        pieces.append(whole.astype(whole.dtype.newbyteorder("<")).tobytes())
        place = {"name": name, "shape": list(data.shape[1:]), "bytes": whole.itemsize}
        packing.append(place | {"low": float(low), "step": float(step)})
    packed = zlib.compress(b"".join(pieces), 9)
    if len(packed) > LIMIT:
        raise ValueError(
            f"the pictures take {len(packed)} bytes, and {LIMIT} may be stored: take fewer steps, "
            "or images of fewer rows and columns"
        )
    return packing, packed


def loop(compute: Callable, *, title: str, alt: str, panels: list, seconds: float = 6.0, **scrub):
    """Show a short film that can be stopped and scrubbed; all its pictures are computed at once.

    It plays once by itself when it comes into view, unless the reader's system asks for less
    motion, and rests outside of it. It needs no kernel once it is there.

    Parameters
    ----------
    compute : callable
        ``compute(name=value) -> dict``, as for `stage`: ``"readout"`` and the arrays of the panels,
        each of one shape in all pictures. Images are kept in 86 shades.
    title, alt : str
        What it is; what it shows, for who cannot see it.
    panels : list
        See `helpers.explore.parts`.
    seconds : float
        How long one time through lasts [s].
    **scrub
        One slider of `helpers.explore.slider`, under the name of `compute`'s argument: one picture
        for each of its values. Its start is the picture that stands still.

    Returns
    -------
    ipywidgets.Widget
        The last line of a cell.
    """
    if len(scrub) != 1 or not seconds > 0:
        raise ValueError(
            f"a loop needs one slider and seconds > 0, got {sorted(scrub)} and seconds={seconds}"
        )
    ((name, slider),) = scrub.items()
    spec = {"title": title, "alt": alt, "panels": panels, "seconds": seconds}
    return Loop(compute, spec, name, slider)
