"""A lead sheet as one HTML file that plays: no network, no other file.

The recording comes apart into three parts that add up to it, and the sampler plays the sheet in
three more. All six at once stay below -1 dBFS, so any of them do.
"""

from __future__ import annotations

import base64
import html
import io
import json
import string
from pathlib import Path

import numpy as np
import soundfile

from helpers.music import decompose
from helpers.music.sampler import play
from helpers.music.scores import Score
from helpers.music.sheet import SR, LeadSheet, chord_name, note_name, working_copy
from helpers.music.sonify import clicks

HERE = Path(__file__).parent
LEVEL_DB = -23.0  # RMS of the recording, and of the sheet [dBFS]
CEILING_DB = -1.0  # of the sum of the sizes of all parts
PARTS = {
    "recording": {"melody": "melody", "accompaniment": "accompaniment", "drums": "drums"},
    "sheet": {"tune": "tune", "band": "chords and bass", "clicks": "clicks on the beats"},
}


def save_sheet(sheet: LeadSheet, y: np.ndarray, *, sr: int, path="lead_sheet.html") -> Path:
    """Write a lead sheet with its recording as one page that plays in any browser.

    Parameters
    ----------
    sheet : LeadSheet
        As `lead_sheet` returns it.
    y : np.ndarray, shape (n,) or (channels, n)
        The recording it was made of.
    sr : int
        Sampling rate [Hz].
    path : path
        Where to; what stands there is replaced.

    Returns
    -------
    Path
        The file: about 0.2 MB a second.
    """
    path = Path(path)
    if path.suffix != ".html":
        raise ValueError(f"path is {path.name!r}; give the page a name that ends in .html")
    tracks = sheet_tracks(sheet, y, sr=sr)
    path.write_text(page(sheet, tracks), encoding="utf-8")
    return path


def sheet_tracks(sheet: LeadSheet, y: np.ndarray, *, sr: int) -> dict[str, np.ndarray]:
    """Return the six parts of a page, at 22 050 Hz and at the levels at which they are heard.

    Parameters
    ----------
    sheet : LeadSheet
        As `lead_sheet` returns it.
    y : np.ndarray, shape (n,) or (channels, n)
        The recording.
    sr : int
        Sampling rate [Hz].

    Returns
    -------
    dict of str to np.ndarray, each of shape (n,)
        "melody", "accompaniment" and "drums" of the recording, which add up to it; "tune", "band"
        and "clicks" of the sheet.
    """
    y = _levelled(working_copy(y, sr=sr))
    tracks = decompose.parts(y, sheet.line[1], sr=SR, cents=sheet.cents)
    tracks = {name: tracks[name] for name in PARTS["recording"]}
    score = sheet.score()
    tune = tuple(part for part in score.parts if part.name == "tune" and part.notes)
    band = tuple(part for part in score.parts if part.name != "tune")
    tracks["tune"] = _replayed(score, tune, sheet.cents, len(y))
    tracks["band"] = _replayed(score, band, sheet.cents, len(y))
    replay = tracks["tune"] + tracks["band"]
    gain = _gain(replay)
    tracks["tune"] = gain * tracks["tune"]
    tracks["band"] = gain * tracks["band"]
    tracks["clicks"] = 0.4 * clicks(sheet.beats[:-1], sr=SR, seconds=len(y) / SR)[: len(y)]
    tracks = {name: np.resize(z, len(y)) for name, z in tracks.items()}
    top = np.sum([np.abs(z) for z in tracks.values()], axis=0).max()
    down = min(1.0, 10 ** (CEILING_DB / 20) / top)
    return {name: down * z for name, z in tracks.items()}


def _replayed(score: Score, parts: tuple, cents: float, n: int) -> np.ndarray:
    """Return n samples of some parts of a score, as they add up."""
    if not parts:
        return np.zeros(n)
    some = Score(score.title, parts, score.tempo, score.length)
    z = play(some, cents=cents, level_db=None)[:n]
    return np.pad(z, (0, n - len(z)))


def _gain(y: np.ndarray) -> float:
    """Return the gain that brings a sound to its level, or its peak to -6 dBFS if that is less."""
    level = max(np.sqrt(np.mean(y**2)), 1e-9)
    return min(10 ** (LEVEL_DB / 20) / level, 10 ** (-6 / 20) / max(np.abs(y).max(), 1e-9))


def _levelled(y: np.ndarray) -> np.ndarray:
    """Return a recording at its level, its ends faded over 25 ms."""
    y = _gain(y) * y
    n = round(0.025 * SR)
    y[:n] *= np.linspace(0, 1, n)
    y[-n:] *= np.linspace(1, 0, n)
    return y


def page(sheet: LeadSheet, tracks: dict[str, np.ndarray]) -> str:
    """Return the HTML of a page with its sounds.

    Parameters
    ----------
    sheet : LeadSheet
        As `lead_sheet` returns it.
    tracks : dict
        As `sheet_tracks` returns them.

    Returns
    -------
    str
        HTML that asks nobody for anything.
    """
    seconds = len(tracks["melody"]) / SR
    bars = [[float(sheet.beats[a]), float(sheet.beats[b])] for a, b in sheet.bars()]
    table = {"bars": bars, "names": list(tracks), "seconds": seconds}
    sounds = "".join(_sound(name, tracks[name], words) for name, words in _words().items())
    recording = sum(tracks[name] for name in PARTS["recording"])
    notice = (
        f"The recording plays at {_decibels(recording)}. Whatever you mute, nothing passes "
        f"{CEILING_DB:.0f} dBFS. Keys: Space plays, Escape silences, arrows go from bar to bar."
    ).replace("-", "\u2212")
    template = string.Template((HERE / "sheet.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(sheet.title),
        style=(HERE / "sheet.css").read_text(encoding="utf-8"),
        headline=html.escape(sheet.headline().replace("-", "\u2212")),
        seconds=f"{seconds:.3f}",
        mutes="".join(_mutes(whose) for whose in PARTS),
        notice=notice,
        bars=_sections(sheet, "button"),
        sounds=sounds,
        table=json.dumps(table).replace("<", "\\u003c"),
        script=(HERE / "sheet.js").read_text(encoding="utf-8"),
    )


def picture(sheet: LeadSheet) -> str:
    """Return a sheet as HTML without sound, as a notebook shows it."""
    style = (HERE / "sheet.css").read_text(encoding="utf-8")
    head = f"<p><b>{html.escape(sheet.title)}</b><br>{html.escape(sheet.headline())}</p>"
    bars = _sections(sheet, "div")
    return f'<style>{style}</style><div class="leadsheet still">{head}{bars}</div>'


def _words() -> dict[str, str]:
    """Return what each part is, in words."""
    return {
        name: f"{words}, {whose}" for whose, parts in PARTS.items() for name, words in parts.items()
    }


def _decibels(y: np.ndarray) -> str:
    level = np.sqrt(np.mean(y**2))
    return f"{20 * np.log10(level):.1f} dBFS RMS" if level > 1e-6 else "silence"


def _sound(name: str, y: np.ndarray, words: str) -> str:
    """Return one part as a FLAC inside the page."""
    file = io.BytesIO()
    soundfile.write(file, y, SR, format="FLAC", subtype="PCM_16")
    data = base64.b64encode(file.getvalue()).decode()
    label = f"{words.capitalize()}: {_decibels(y)}".replace("-", "\u2212")
    source = f"data:audio/flac;base64,{data}"
    return (
        f'<p class="quiet"><label for="audio-{name}">{label}</label>'
        f'<audio id="audio-{name}" controls preload="none" src="{source}"></audio></p>'
    )


def _mutes(whose: str) -> str:
    """Return the buttons of the recording or of the sheet; the sheet is muted at first."""
    pressed = "true" if whose == "recording" else "false"
    buttons = "".join(
        f'<button type="button" data-part="{name}" aria-pressed="{pressed}">{words}</button>'
        for name, words in PARTS[whose].items()
    )
    legend = "Recording" if whose == "recording" else "The sheet, played by samples"
    return f"<fieldset><legend>{legend}: heard parts are filled</legend>{buttons}</fieldset>"


def _sections(sheet: LeadSheet, kind: str) -> str:
    """Return all bars under their letters; `kind` is "button" where they play."""
    bars = sheet.bars()
    rows = []
    for start, end, letter in sheet.sections:
        inside = [k for k, bar in enumerate(bars) if start <= bar[0] < end]
        if inside:
            items = "".join(f"<li>{_bar(sheet, k, kind)}</li>" for k in inside)
            rows.append(f'<h2>{html.escape(letter)}</h2><ol class="bars">{items}</ol>')
    return "".join(rows)


def _bar(sheet: LeadSheet, k: int, kind: str) -> str:
    """Return one bar: its chords over its beats, its notes as strips and by name."""
    a, b = sheet.bars()[k]
    start, end = float(sheet.beats[a]), float(sheet.beats[b])
    notes = [note for note in sheet.notes if note[0] < end - 1e-6 and note[1] > start + 1e-6]
    cells = sheet.bar_text((a, b)).split()
    chords = "".join(f"<span>{'' if cell == '.' else html.escape(cell)}</span>" for cell in cells)
    flats = sheet.flats
    names = " ".join(note_name(pitch, flats=flats) for _, _, pitch in notes)
    heard = [chord_name(label, flats=flats) for label in dict.fromkeys(sheet.chords[a:b])]
    said = f"Bar {k + 1}: {', '.join(heard)}"
    said += f"; {names}" if names else "; no tune"
    more = f' type="button" tabindex="{-1 if k else 0}"' if kind == "button" else ' role="img"'
    return (
        f'<{kind} class="bar"{more} aria-label="{html.escape(said)}">'
        f'<span class="number">{k + 1}</span><span class="chords">{chords}</span>'
        f'{_strips(sheet, notes, start, end)}<span class="tune">{names}</span></{kind}>'
    )


def _strips(sheet: LeadSheet, notes: list, start: float, end: float) -> str:
    """Return the notes of a bar as strips; the height is the pitch, one scale for the sheet."""
    pitches = [pitch for _, _, pitch in sheet.notes] or [60]
    low, high = min(pitches), max(pitches)
    step = 36 / max(high - low, 12)
    strips = ""
    for a, b, pitch in notes:
        x = 100 * (max(a, start) - start) / (end - start)
        width = 100 * (min(b, end) - start) / (end - start) - x
        top = 36 - step * (pitch - low)
        strips += (
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(width - 0.8, 0.5):.1f}" height="3"/>'
        )
    return f'<svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">{strips}</svg>'
