"""The picture that stands for a widget in a stored notebook: a white card in the course's colours,
a few kilobytes.

Drawn by PIL and not by matplotlib, which takes 0.4 s for a card of three sounds and PIL 0.03 s:
every player draws one when its cell is run.
"""

import io
import math
from itertools import pairwise

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

WIDTH = 760  # [px]
ROW = 64  # height of a row [px]
EDGE = 14  # margin [px]
LEFT = 240  # where the waveforms begin [px]
INK = "#1F2328"
TEXT = "#4A5159"
GRID = "#C9CED3"
SIGNAL = "#2B6FB6"
FINE = 2  # letters are drawn this much larger and reduced, for smooth edges


def card(
    title: str, rows: list[tuple[str, str, np.ndarray | None]], footer: str, *, seconds: float = 0.0
) -> bytes:
    """Return a PNG with a title, rows of (name, detail, y), and a line that says what to do.

    `y` of shape (n,) or (channels, n) is drawn as a waveform, all of them to one scale; None draws
    none. With `seconds`, the length of one sample [s], the last line says how long they last.
    """
    height = 2 * EDGE + 24 + ROW * len(rows) + 22
    large = Image.new("RGB", (WIDTH * FINE, height * FINE), "white")
    draw = ImageDraw.Draw(large)
    _write(draw, EDGE, EDGE, title, 15, INK)
    for i, (name, detail, y) in enumerate(rows):
        top = EDGE + 28 + ROW * i
        room = WIDTH - 2 * EDGE if y is None else LEFT - EDGE - 10
        _write(draw, EDGE, top + 12, name, 14, INK, room)
        _write(draw, EDGE, top + 32, detail, 12, TEXT, room)
    waves = [None if y is None else np.atleast_2d(y).mean(axis=0) for _, _, y in rows]
    span = max((len(y) for y in waves if y is not None), default=0)
    length = f"{span * seconds:.2f} s. " if seconds else ""
    _write(draw, EDGE, height - EDGE - 16, length + footer, 13, TEXT)
    image = large.resize((WIDTH, height), Image.Resampling.LANCZOS)
    peak = max((float(np.abs(y).max()) for y in waves if y is not None), default=0) or 1.0
    for i, y in enumerate(waves):
        if y is not None:
            _wave(ImageDraw.Draw(image), y, EDGE + 28 + ROW * i, span, peak)
    return png(image.quantize(palette=_palette(), dither=Image.Dither.NONE))


def png(image: Image.Image) -> bytes:
    """Return a small PNG with the mark by which pictures.css knows pictures of the course."""
    mark = PngInfo()
    mark.add_text("Software", "earup")
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True, pnginfo=mark)
    return out.getvalue()


def _palette() -> Image.Image:
    """Return the colours in use and five steps from each to white: few colours, a small file."""
    shades = np.linspace(0, 1, 6)[:, None]
    colours = np.concatenate(
        [ImageColor.getrgb(c) * (1 - shades) + 255 * shades for c in (INK, TEXT, SIGNAL, GRID)]
    )
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.round().astype(np.uint8).tobytes())
    return palette


def _write(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    size: int,
    colour: str,
    room: int = WIDTH - 2 * EDGE,
) -> None:
    path = mpl.get_data_path() + "/fonts/ttf/DejaVuSans.ttf"  # PIL's own font lacks − and é
    font = ImageFont.truetype(path, 0.92 * size * FINE)
    if draw.textlength(text, font=font) > room * FINE:
        while draw.textlength(text + "...", font=font) > room * FINE:
            text = text[:-1]
        text += "..."
    draw.text((x * FINE, y * FINE), text, fill=colour, font=font)


def _wave(draw: ImageDraw.ImageDraw, y: np.ndarray, top: float, span: int, peak: float) -> None:
    """Draw the lowest and highest sample of each pixel, as drawWave does in core.js."""
    middle = top + ROW // 2
    half = 0.44 * ROW
    draw.line([(LEFT, middle), (WIDTH - EDGE, middle)], fill=GRID)
    edges = np.linspace(0, span, WIDTH - EDGE - LEFT + 1).astype(int)
    # a tone of narrow periods is drawn by two whole ones, or a steady one would seem to beat
    change = np.std(np.diff(y)) / max(np.std(y), 1e-9)
    period = math.pi / math.asin(np.clip(change / 2, 1e-9, 1))
    reach = math.ceil(period) if period < 6 * edges[1] else 0
    for x, (a, b) in enumerate(pairwise(edges), start=LEFT):
        part = y[max(0, a - reach) : max(b, a + 1) + reach]
        if part.size:
            high = middle - half * part.max() / peak
            low = middle - half * part.min() / peak
            draw.line([(x, round(high)), (x, round(low))], fill=SIGNAL)
