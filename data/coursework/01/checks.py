"""What the checks of unit 01 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio, signals
from helpers.coursework.checking import Check, Probe
from helpers.coursework.views import Curve, Sound

SR = 16000

# ---- semitones above 440 Hz ---------------------------------------------------------------------


def note_probes() -> list[Probe]:
    """Return numbers of semitones, up and down, and one between two keys of a piano."""
    probes = [Probe((n,), f"n = {n}") for n in (7, 12, 19, 3, 1, 0.5)]
    return [*probes, Probe((-5,), "n = −5")]


def _note(n):
    return 440.0 * 2.0 ** (n / 12)


NOTE_SLIPS = (
    ("no brackets", lambda n: 440 * 2.0**n / 12),
    ("whole octaves only", lambda n: 440 * 2.0 ** (n // 12)),
    ("an octave a semitone", lambda n: 440 * 2.0**n),
    ("equal steps in hertz", lambda n: 440 * (1 + n / 12)),
    ("times for power", lambda n: 440 * 2 * (n / 12)),
    ("downwards", lambda n: _note(-n)),
    ("the ratio alone", lambda n: 2.0 ** (n / 12)),
    ("ten steps to an octave", lambda n: 440 * 2.0 ** (n / 10)),
    ("hertz added", lambda n: 440 + n),
    ("times n", lambda n: 440 * n),
    ("24 steps to an octave", lambda n: 440 * 2.0 ** (n / 24)),
    ("n and 12 exchanged", lambda n: 440 * 2.0 ** (12 / n)),
)

# ---- a tune from a dictionary -------------------------------------------------------------------

STEPS = {"do": 0, "re": 2, "mi": 4, "fa": 5, "so": 7}


def tune_probes() -> list[Probe]:
    """Return tunes with repeated notes and rests, with several dictionaries and notes for do."""
    first = ["do", "re", "mi", "do", "-", "so"]
    probes = [Probe((first, STEPS, 330), "do, re, mi, do, a rest, so, with do = 330")]
    second = ["x", "z", "y", "x", "q", "z"]
    probes.append(Probe((second, {"y": 3, "x": -2, "z": 11}, 200), "x, z, y, x, q, z, do = 200"))
    third = ["so", "fa", "-", "-", "mi"]
    return [*probes, Probe((third, STEPS, 262.5), "so, fa, two rests, mi, with do = 262.5")]


def _hz(semitones, do):
    return do * 2.0 ** (np.asarray(semitones) / 12)


def _tune(names, steps, do, *, rest=0.0):
    return np.array([_hz(steps[name], do) if name in steps else rest for name in names])


def _without_rests(names, steps, do):
    return _hz([steps[name] for name in names if name in steps], do)


TUNE_SLIPS = (
    ("a rest is do", lambda names, steps, do: _hz([steps.get(name, 0) for name in names], do)),
    ("rests left out", _without_rests),
    ("do is always 440", lambda names, steps, do: _tune(names, steps, 440)),
    (
        "semitones, not hertz",
        lambda names, steps, do: np.array([steps.get(name, 0) for name in names], dtype=float),
    ),
    (
        "semitones added to hertz",
        lambda names, steps, do: np.array(
            [do + steps[name] if name in steps else 0.0 for name in names]
        ),
    ),
    (
        "places for steps",
        lambda names, steps, do: np.array(
            [_hz(place, do) if name in steps else 0.0 for place, name in enumerate(names)]
        ),
    ),
    (
        "an octave a semitone",
        lambda names, steps, do: np.array(
            [do * 2.0 ** steps[name] if name in steps else 0.0 for name in names]
        ),
    ),
    (
        "places in the dictionary",
        lambda names, steps, do: np.array(
            [_hz(list(steps).index(name), do) if name in steps else 0.0 for name in names]
        ),
    ),
    ("the dictionary, not the tune", lambda names, steps, do: _hz(list(steps.values()), do)),
    (
        "downwards",
        lambda names, steps, do: np.array(
            [_hz(-steps[name], do) if name in steps else 0.0 for name in names]
        ),
    ),
    (
        "equal steps in hertz",
        lambda names, steps, do: np.array(
            [do * (1 + steps[name] / 12) if name in steps else 0.0 for name in names]
        ),
    ),
)

# ---- a piece of a sound -------------------------------------------------------------------------


def cut_probes() -> list[Probe]:
    """Return sounds and times that fall on samples."""
    probes = []
    for n, sr, start, stop in ((20, 10, 0.5, 1.2), (24, 8, 1.0, 2.5), (70, 100, 0.14, 0.57)):
        y = np.round(np.random.default_rng(n).uniform(-0.5, 0.5, n), 2)
        say = f"{n} random samples, sr = {sr}, start = {start:g} and stop = {stop:g}"
        probes.append(Probe((y, sr, start, stop), say))
    return probes


def _span(y, sr, start, stop, *, first=0, last=0):
    return y[round(start * sr) + first : round(stop * sr) + last]


CUT_SLIPS = (
    ("seconds taken for samples", lambda y, sr, start, stop: y[int(start) : int(stop)]),
    ("one sample too many", lambda y, sr, start, stop: _span(y, sr, start, stop, last=1)),
    ("one sample too few", lambda y, sr, start, stop: _span(y, sr, start, stop, last=-1)),
    ("one sample late", lambda y, sr, start, stop: _span(y, sr, start, stop, first=1, last=1)),
    ("stop taken for a length", lambda y, sr, start, stop: _span(y, sr, start, start + stop)),
    ("stop forgotten", lambda y, sr, start, stop: _span(y, sr, start, len(y))),
    ("start forgotten", lambda y, sr, start, stop: _span(y, sr, 0, stop)),
    ("from the start, right length", lambda y, sr, start, stop: _span(y, sr, 0, stop - start)),
    ("backwards", lambda y, sr, start, stop: _span(y, sr, start, stop)[::-1]),
    (
        "start and stop as the step",
        lambda y, sr, start, stop: y[round(start * sr) :: max(1, round(stop * sr))],
    ),
    (
        "whole seconds only",
        lambda y, sr, start, stop: _span(y, sr, int(start), int(stop)),
    ),
    ("cut, not rounded", lambda y, sr, start, stop: y[int(start * sr) : int(stop * sr)]),
    (
        "the piece is what is left out",
        lambda y, sr, start, stop: np.concatenate(
            [_span(y, sr, 0, start), _span(y, sr, stop, len(y))]
        ),
    ),
)

# ---- a faded end --------------------------------------------------------------------------------


def fade_probes() -> list[Probe]:
    """Return sounds and lengths of the fade, the whole sound among them."""
    probes = [Probe((np.ones(8), 5), "eight ones and n = 5")]
    for size, n in ((12, 3), (9, 9), (30, 11)):
        y = np.round(np.random.default_rng(size).uniform(-1, 1, size), 2)
        probes.append(Probe((y, n), f"{size} random samples and n = {n}"))
    return probes


def _line(n):
    return np.linspace(1, 0, n)


def _with_end(y, end):
    out = np.array(y, dtype=float)
    out[-len(end) :] = end
    return out


def _fade(y, n):
    return _with_end(y, y[-n:] * _line(n))


def _at_the_start(y, n, line):
    out = np.array(y, dtype=float)
    out[:n] = y[:n] * line
    return out


FADE_SLIPS = (
    ("a line over the whole sound", lambda y, n: y * _line(len(y))),
    ("the start faded", lambda y, n: _at_the_start(y, n, _line(n))),
    ("a fade in", lambda y, n: _at_the_start(y, n, _line(n)[::-1])),
    ("a rising line at the end", lambda y, n: _with_end(y, y[-n:] * _line(n)[::-1])),
    ("the line, not the product", lambda y, n: _with_end(y, _line(n))),
    ("the line subtracted", lambda y, n: _with_end(y, y[-n:] - _line(n))),
    ("the line added", lambda y, n: _with_end(y, y[-n:] + _line(n))),
    ("the end set to zero", lambda y, n: _with_end(y, np.zeros(n))),
    ("the end of the sound taken from its start", lambda y, n: _with_end(y, y[:n] * _line(n))),
    ("faded twice", lambda y, n: _with_end(y, y[-n:] * _line(n) ** 2)),
    ("the end alone", lambda y, n: y[-n:] * _line(n)),
    ("not faded", lambda y, n: np.array(y)),
    ("0 is not reached", lambda y, n: _with_end(y, y[-n:] * np.linspace(1, 0, n, endpoint=False))),
    ("begins below 1", lambda y, n: _with_end(y, y[-n:] * np.linspace(1, 0, n + 1)[1:])),
)

# ---- a chord by broadcasting --------------------------------------------------------------------


def chord_probes() -> list[Probe]:
    """Return frequencies and times; never as many of the one as of the other."""
    cases = ((np.array([250.0, 500.0]), 5), (np.array([330.0, 415.5, 494.2]), 9))
    cases += ((np.array([100.0, 203.0, 307.0, 411.0]), 3),)
    probes = []
    for freqs, n in cases:
        t = np.round(np.random.default_rng(n).uniform(0.0005, 0.01, n), 5)
        probes.append(Probe((freqs, t), f"{len(freqs)} frequencies and {n} random times"))
    return probes


def _waves(freqs, t):
    return np.sin(2 * np.pi * np.outer(freqs, t))


CHORD_SLIPS = (
    ("not divided", lambda freqs, t: np.sum(_waves(freqs, t), axis=0)),
    ("summed over time", lambda freqs, t: np.mean(_waves(freqs, t), axis=1)),
    ("one number", lambda freqs, t: np.array(np.mean(_waves(freqs, t)))),
    ("the table itself", _waves),
    ("transposed table", lambda freqs, t: _waves(freqs, t).T),
    ("2 pi forgotten", lambda freqs, t: np.mean(np.sin(np.outer(freqs, t)), axis=0)),
    ("half a turn", lambda freqs, t: np.mean(np.sin(np.pi * np.outer(freqs, t)), axis=0)),
    ("frequencies added", lambda freqs, t: np.sin(2 * np.pi * np.sum(freqs) * t)),
    ("frequencies averaged", lambda freqs, t: np.sin(2 * np.pi * np.mean(freqs) * t)),
    ("multiplied", lambda freqs, t: np.prod(_waves(freqs, t), axis=0)),
    ("the first tone only", lambda freqs, t: _waves(freqs, t)[0]),
    (
        "the last tone only",
        lambda freqs, t: _waves(freqs, t)[-1],
    ),
    ("divided by the times", lambda freqs, t: np.sum(_waves(freqs, t), axis=0) / len(t)),
    ("cosines", lambda freqs, t: np.mean(np.cos(2 * np.pi * np.outer(freqs, t)), axis=0)),
    ("degrees", lambda freqs, t: np.mean(np.sin(360 * np.outer(freqs, t)), axis=0)),
    ("the highest", lambda freqs, t: np.max(_waves(freqs, t), axis=0)),
)

# ---- a place between left and right -------------------------------------------------------------


def pan_probes() -> list[Probe]:
    """Return sounds and places; none has two samples, so that axes cannot be mixed up."""
    probes = []
    for n, position in ((3, 0.25), (7, 0.8), (4, 0), (5, 1)):
        y = np.round(np.random.default_rng(n).uniform(0.1, 0.9, n) * (-1) ** np.arange(n), 2)
        probes.append(Probe((y, position), f"{n} random samples and position = {position:g}"))
    return probes


def _sides(y, left, right):
    return np.stack([left * y, right * y])


PAN_SLIPS = (
    ("sides exchanged", lambda y, position: _sides(y, position, 1 - position)),
    ("both as loud", lambda y, position: _sides(y, 1, 1)),
    ("both by the position", lambda y, position: _sides(y, position, position)),
    ("both by the rest", lambda y, position: _sides(y, 1 - position, 1 - position)),
    ("left not turned down", lambda y, position: _sides(y, 1, position)),
    ("right not turned down", lambda y, position: _sides(y, 1 - position, 1)),
    ("time first", lambda y, position: _sides(y, 1 - position, position).T),
    (
        "one after the other",
        lambda y, position: np.concatenate([(1 - position) * y, position * y]),
    ),
    ("mono", lambda y, position: (1 - position) * y + position * y),
    (
        "equal power",
        lambda y, position: _sides(y, np.cos(np.pi / 2 * position), np.sin(np.pi / 2 * position)),
    ),
    ("roots", lambda y, position: _sides(y, np.sqrt(1 - position), np.sqrt(position))),
    ("position of −1 to 1", lambda y, position: _sides(y, (1 - position) / 2, (1 + position) / 2)),
    ("squared gains", lambda y, position: _sides(y, (1 - position) ** 2, position**2)),
)

# ---- pauses found by a mask ---------------------------------------------------------------------


def pauses_probes() -> list[Probe]:
    """Return frames, some of them quiet, one just at the limit, and limits."""
    first = np.array([[0.5, -0.5, 0.5, -0.5], [0.01, 0, -0.01, 0], [0.4, 0, 0, 0]])
    first = np.concatenate(
        [
            first,
            [[0.03, -0.03, 0.03, -0.03], [0.125, 0.125, -0.125, -0.125], [0.25, 0.25, 0.25, 0.25]],
        ]
    )
    probes = [Probe((first, 0.125), "six frames of four samples and limit = 0.125")]
    for n_frames, n, limit in ((6, 5, 0.2), (9, 8, 0.35)):
        rng = np.random.default_rng(n)
        loud = rng.permutation(np.linspace(0.05, 0.8, n_frames))
        frames = loud[:, None] * rng.uniform(-1, 1, (n_frames, n))
        frames = np.round(frames * np.linspace(0.2, 1.8, n), 3)  # later samples are stronger
        say = f"{n_frames} random frames of {n} samples and limit = {limit}"
        probes.append(Probe((frames, limit), say))
    return probes


def _rms(frames):
    return np.sqrt(np.mean(np.square(frames), axis=1))


def _kept(frames, mask):
    return frames[mask].ravel()


PAUSES_SLIPS = (
    ("the pauses kept", lambda frames, limit: _kept(frames, _rms(frames) < limit)),
    ("the limit itself left out", lambda frames, limit: _kept(frames, _rms(frames) > limit)),
    (
        "peak for RMS",
        lambda frames, limit: _kept(frames, np.abs(frames).max(axis=1) >= limit),
    ),
    ("root forgotten", lambda frames, limit: _kept(frames, _rms(frames) ** 2 >= limit)),
    (
        "mean of the sizes",
        lambda frames, limit: _kept(frames, np.abs(frames).mean(axis=1) >= limit),
    ),
    ("spread for RMS", lambda frames, limit: _kept(frames, np.std(frames, axis=1) >= limit)),
    ("plain mean", lambda frames, limit: _kept(frames, frames.mean(axis=1) >= limit)),
    ("samples, not frames", lambda frames, limit: frames[np.abs(frames) >= limit]),
    ("still in frames", lambda frames, limit: frames[_rms(frames) >= limit]),
    (
        "silenced, not left out",
        lambda frames, limit: (frames * (_rms(frames) >= limit)[:, None]).ravel(),
    ),
    ("all frames", lambda frames, limit: frames.ravel()),
    (
        "one loudness for all",
        lambda frames, limit: _kept(
            frames, np.full(len(frames), np.sqrt(np.mean(frames**2)) >= limit)
        ),
    ),
    ("time and frames exchanged", lambda frames, limit: frames[_rms(frames) >= limit].T.ravel()),
    (
        "sum for mean",
        lambda frames, limit: _kept(frames, np.sqrt(np.sum(np.square(frames), axis=1)) >= limit),
    ),
    ("the largest sample", lambda frames, limit: _kept(frames, frames.max(axis=1) >= limit)),
    ("at most the limit", lambda frames, limit: _kept(frames, _rms(frames) <= limit)),
)

# ---- turned down only if too strong -------------------------------------------------------------


def safe_probes() -> list[Probe]:
    """Return sounds below, at and above the ceiling, with the default and with others."""
    cases = ((np.array([0.1, -0.5, 0.2]), None), (np.array([0.1, -0.2, 0.05]), None))
    cases += ((np.array([0.6, -0.4, 0.3, 0.9]), 0.5), (np.array([-0.8, 0.3]), 0.8))
    cases += ((np.array([0.02, -0.7, 0.31, 0.3, 0.0]), 0.35), (np.array([0.25, -0.1, 0.2]), None))
    cases += ((np.array([-0.4, 0.3, 0.1]), 0.5), (np.array([0.2, -0.1]), 0.1))
    probes = []
    for y, ceiling in cases:
        say = f"y = {y.tolist()}".replace("-", "−")
        if ceiling is None:
            probes.append(Probe((y,), f"{say} and no ceiling"))
        else:
            probes.append(Probe((y, ceiling), f"{say} and ceiling = {ceiling}"))
    return probes


def _safe(y, ceiling=0.25):
    peak = np.max(np.abs(y))
    return y * ceiling / peak if peak > ceiling else y * 1.0


SAFE_SLIPS = (
    ("always scaled", lambda y, ceiling=0.25: y * ceiling / np.max(np.abs(y))),
    ("clipped", lambda y, ceiling=0.25: np.clip(y, -ceiling, ceiling)),
    ("never scaled", lambda y, ceiling=0.25: y * 1.0),
    (
        "the largest, not the strongest",
        lambda y, ceiling=0.25: y * ceiling / np.max(y) if np.max(y) > ceiling else y * 1.0,
    ),
    (
        "times the ceiling",
        lambda y, ceiling=0.25: y * ceiling if np.max(np.abs(y)) > ceiling else y * 1.0,
    ),
    (
        "over its peak",
        lambda y, ceiling=0.25: y / np.max(np.abs(y)) if np.max(np.abs(y)) > ceiling else y * 1.0,
    ),
    (
        "the wrong way round",
        lambda y, ceiling=0.25: (
            y * ceiling / np.max(np.abs(y)) if np.max(np.abs(y)) < ceiling else y * 1.0
        ),
    ),
    (
        "peak over ceiling",
        lambda y, ceiling=0.25: (
            y * np.max(np.abs(y)) / ceiling if np.max(np.abs(y)) > ceiling else y * 1.0
        ),
    ),
    ("the ceiling is not used", lambda y, ceiling=0.25: _safe(y)),
    (
        "silence when too strong",
        lambda y, ceiling=0.25: y * 0.0 if np.max(np.abs(y)) > ceiling else y * 1.0,
    ),
    (
        "samples left out",
        lambda y, ceiling=0.25: y[np.abs(y) <= ceiling],
    ),
    (
        "zero where too strong",
        lambda y, ceiling=0.25: np.where(np.abs(y) <= ceiling, y, 0.0),
    ),
    ("clipped on one side", lambda y, ceiling=0.25: np.minimum(y, ceiling)),
    ("RMS for peak", lambda y, ceiling=0.25: y * min(1, ceiling / np.sqrt(np.mean(np.square(y))))),
    (
        "positive where too strong",
        lambda y, ceiling=0.25: np.where(np.abs(y) > ceiling, ceiling, y),
    ),
)

# ---- an echo that repeats -----------------------------------------------------------------------


def echo_probes() -> list[Probe]:
    """Return a click, then sounds, with delays that fit in several times."""
    click = np.zeros(9)
    click[0] = 1.0
    probes = [Probe((click, 3, 0.5), "a click of nine samples, delay = 3 and gain = 0.5")]
    for n, delay, gain in ((12, 2, 0.7), (20, 5, -0.6), (7, 1, 1.1)):
        y = np.round(np.random.default_rng(n).uniform(-1, 1, n), 2)
        say = f"{n} random samples, delay = {delay} and gain = {gain}".replace("-", "−")
        probes.append(Probe((y, delay, gain), say))
    return probes


def _echo(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(delay, len(y)):
        out[n] = y[n] + gain * out[n - delay]
    return out


def _one_echo(y, delay, gain):
    out = np.array(y, dtype=float)
    out[delay:] += gain * y[:-delay]
    return out


def _wrapped(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(len(y)):
        out[n] = y[n] + gain * out[n - delay]
    return out


def _averaged(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(delay, len(y)):
        out[n] = (1 - gain) * y[n] + gain * out[n - delay]
    return out


def _echo_alone(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(delay, len(y)):
        out[n] = gain * out[n - delay]
    return out


def _gain_forgotten(y, delay, gain):
    return _echo(y, delay, 1.0)


def _before(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(len(y) - delay - 1, -1, -1):
        out[n] = y[n] + gain * out[n + delay]
    return out


def _not_y(y, delay, gain):
    out = np.zeros(len(y))
    for n in range(delay, len(y)):
        out[n] = y[n] + gain * out[n - delay]
    return out


ECHO_SLIPS = (
    ("one echo only", _one_echo),
    ("begins before the delay", _wrapped),
    ("subtracted", lambda y, delay, gain: _echo(y, delay, -gain)),
    ("one sample late", lambda y, delay, gain: _echo(y, delay + 1, gain)),
    ("gain forgotten", _gain_forgotten),
    ("the echo alone", _echo_alone),
    ("y turned down too", _averaged),
    ("gain on the wrong one", lambda y, delay, gain: _weighted(y, delay, gain)),
    ("echo before the sound", _before),
    ("the first sound lost", _not_y),
    ("no echo", lambda y, delay, gain: np.array(y, dtype=float)),
    (
        "added to the sound before",
        lambda y, delay, gain: _echo(y, 1, gain),
    ),
    ("one echo, round the end", lambda y, delay, gain: y + gain * np.roll(y, delay)),
    ("one echo, squared gain", lambda y, delay, gain: _one_echo(y, delay, gain**2)),
)


def _weighted(y, delay, gain):
    out = np.array(y, dtype=float)
    for n in range(delay, len(y)):
        out[n] = gain * y[n] + out[n - delay]
    return out


# ---- tuned by halving ---------------------------------------------------------------------------


def under(goal):
    """Return a function that tells whether a frequency lies below the goal [Hz]."""

    def too_low(hz):
        return hz < goal

    return too_low


def tuned_probes() -> list[Probe]:
    """Return goals, ranges and numbers of halvings."""
    cases = ((440, 400, 500, 4), (261.6, 100, 1000, 9), (700, 200, 900, 1), (97.3, 50, 200, 6))
    return [
        Probe((under(goal), float(low), float(high), times), f"{times} times, {low} to {high} Hz")
        for goal, low, high, times in cases
    ]


def _halved(too_low, low, high, times, *, share=0.5, keep=True):
    for _ in range(times):
        middle = low + share * (high - low)
        if bool(too_low(middle)) == keep:
            low = middle
        else:
            high = middle
    return low, high


def _middle(ends):
    return (ends[0] + ends[1]) / 2


def _geometric(too_low, low, high, times):
    for _ in range(times):
        middle = np.sqrt(low * high)
        if too_low(middle):
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))


def _first_half_only(too_low, low, high, times):
    for _ in range(times):
        middle = (low + high) / 2
        if too_low(middle):
            low = middle
    return (low + high) / 2


def _second_half_only(too_low, low, high, times):
    for _ in range(times):
        middle = (low + high) / 2
        if not too_low(middle):
            high = middle
    return (low + high) / 2


TUNED_SLIPS = (
    ("the wrong half", lambda *args: _middle(_halved(*args, keep=False))),
    ("one halving too few", lambda f, a, b, times: _middle(_halved(f, a, b, times - 1))),
    ("one halving too many", lambda f, a, b, times: _middle(_halved(f, a, b, times + 1))),
    ("the lower end", lambda *args: _halved(*args)[0]),
    ("the upper end", lambda *args: _halved(*args)[1]),
    ("never halved", lambda f, a, b, times: (a + b) / 2),
    ("halves of ratios", _geometric),
    ("the upper end never moves", _first_half_only),
    ("the lower end never moves", _second_half_only),
    ("only the first step", lambda f, a, b, times: _middle(_halved(f, a, b, 1))),
    ("the width", lambda *args: np.subtract(*_halved(*args)[::-1])),
    ("half the width for the middle", lambda *args: np.subtract(*_halved(*args)[::-1]) / 2),
    ("the range as it began", lambda f, a, b, times: a),
)

# ---- read from a figure -------------------------------------------------------------------------


def read_probes() -> list[Probe]:
    """Return places of crests [ms], as people read them."""
    cases = ((2.0, 10.0, 5), (1.5, 14.0, 11), (0.25, 1.05, 3), (12.0, 52.0, 2), (1.6, 14.4, 5))
    say = "the first crest at {} ms, the last at {} ms, {} crests"
    return [Probe(case, say.format(*case)) for case in cases]


def _read(first_ms, last_ms, crests):
    return 1000 * (crests - 1) / (last_ms - first_ms)


READ_SLIPS = (
    (
        "crests taken for periods",
        lambda first_ms, last_ms, crests: 1000 * crests / (last_ms - first_ms),
    ),
    ("per millisecond", lambda *args: _read(*args) / 1000),
    ("the period [ms]", lambda *args: 1000 / _read(*args)),
    ("the period [s]", lambda *args: 1 / _read(*args)),
    ("counted from 0 ms", lambda first_ms, last_ms, crests: 1000 * (crests - 1) / last_ms),
    (
        "all crests, counted from 0 ms",
        lambda first_ms, last_ms, crests: 1000 * crests / last_ms,
    ),
    (
        "one crest too many",
        lambda first_ms, last_ms, crests: 1000 * (crests + 1) / (last_ms - first_ms),
    ),
    ("not counted at all", lambda first_ms, last_ms, crests: 1000 / (last_ms - first_ms)),
    (
        "crests and no milliseconds",
        lambda first_ms, last_ms, crests: crests / (last_ms - first_ms),
    ),
    ("negative", lambda *args: -_read(*args)),
    (
        "both ends left out",
        lambda first_ms, last_ms, crests: 1000 * (crests - 2) / (last_ms - first_ms),
    ),
    ("the period [ms], by crests", lambda first_ms, last_ms, crests: (last_ms - first_ms) / crests),
)

# ---- what a right function makes ----------------------------------------------------------------


def note_view():
    """Return semitones above 440 Hz, from an octave below to two above, and a call for each."""
    semitones = np.arange(-12, 25)
    return semitones, [(int(n),) for n in semitones]


TUNE = ["do", "re", "mi", "do"] * 2 + ["mi", "fa", "so", "-"] * 2


def _played(freqs):
    """Return one soft tone after the other, a rest for 0 Hz."""
    tones = [signals.sine(hz, sr=SR, duration=0.25, amp=0.1) for hz in freqs]
    return np.concatenate([signals.fade(y, sr=SR) for y in tones])


def _tune_heard(own, right, names, steps, do):
    return {"do alone": _played([do]), "your tune": _played(own), "the right tune": _played(right)}


def _voice(seconds=3.0):
    """Return the beginning of the sentence that unit 01 is about."""
    return audio.clip("arctic_slt")[0][: round(seconds * SR)].astype(float)


def _heard(own, right, y, *others):
    return {"as it was": y, "yours": own, "the right one": right}


def fade_view():
    """Return places in a tone of 200 samples whose last half is faded."""
    places = np.arange(200)
    return places, [(np.sin(2 * np.pi * places / 20), 100)]


def _chord_call():
    return np.array([330.0, 415.3, 494.0]), np.arange(SR) / SR


def _chord_heard(own, right, freqs, t):
    sounds = {"your chord": own, "the right chord": right}
    sounds = {name: signals.fade(0.15 * y, sr=SR) for name, y in sounds.items()}
    return {"one after the other": _played(freqs)} | sounds


def _sides_heard(own, right, y, position):
    return {"in the middle": np.stack([y, y]), "yours": own, "the right one": right}


def _pauses_heard(own, right, frames, limit):
    return {"with its pauses": frames.ravel(), "yours": own, "the right one": right}


def safe_view():
    """Return peaks of what comes in, and a call for each, with a ceiling of 0.25."""
    peaks = np.arange(0.05, 1.01, 0.05)
    wave = np.sin(2 * np.pi * np.arange(20) / 20)  # its lowest and highest samples are −1 and 1
    return peaks, [(peak * wave, 0.25) for peak in peaks]


def _peak(sounds):
    return np.max(np.abs(sounds), axis=-1)


def tuned_view():
    """Return numbers of halvings of 400 to 500 Hz, with 440 Hz as the goal."""
    times = np.arange(9)
    return times, [(under(440), 400.0, 500.0, int(n)) for n in times]


def read_view():
    """Return places of the fifth crest [ms], with the first at 1.6 ms."""
    last = np.arange(6.0, 30.1, 1.0)
    return last, [(1.6, ms, 5) for ms in last]


CHECKS = {
    "01.note": Check(
        note_probes,
        _note,
        NOTE_SLIPS,
        atol=1e-3,
        shows=Curve(note_view, "semitones above 440 Hz", "frequency [Hz]"),
    ),
    "01.tune": Check(
        tune_probes,
        _tune,
        TUNE_SLIPS,
        atol=1e-6,
        shows=Sound(lambda: (TUNE, STEPS, 330), _tune_heard, SR),
    ),
    "01.cut": Check(
        cut_probes,
        _span,
        CUT_SLIPS,
        atol=1e-9,
        shows=Sound(lambda: (_voice(), SR, 0.5, 1.5), _heard, SR),
    ),
    "01.fade": Check(
        fade_probes,
        _fade,
        FADE_SLIPS,
        atol=1e-6,
        shows=Curve(fade_view, "place in the sound, n = 100", "sample"),
    ),
    "01.chord": Check(
        chord_probes,
        lambda freqs, t: np.mean(_waves(freqs, t), axis=0),
        CHORD_SLIPS,
        atol=1e-6,
        shows=Sound(_chord_call, _chord_heard, SR),
    ),
    "01.pan": Check(
        pan_probes,
        lambda y, position: _sides(y, 1 - position, position),
        PAN_SLIPS,
        atol=1e-6,
        shows=Sound(lambda: (_voice(), 0.2), _sides_heard, SR),
    ),
    "01.pauses": Check(
        pauses_probes,
        lambda f, limit: _kept(f, _rms(f) >= limit),
        PAUSES_SLIPS,
        atol=1e-9,
        shows=Sound(lambda: (_voice().reshape(-1, 320), 0.01), _pauses_heard, SR),
    ),
    "01.safe": Check(
        safe_probes,
        _safe,
        SAFE_SLIPS,
        atol=1e-6,
        shows=Curve(safe_view, "peak of what comes in", "new peak", _peak),
    ),
    "01.echo": Check(
        echo_probes,
        _echo,
        ECHO_SLIPS,
        atol=1e-6,
        shows=Sound(lambda: (_voice(), 4000, 0.5), _heard, SR),
    ),
    "01.tuned": Check(
        tuned_probes,
        lambda *args: _middle(_halved(*args)),
        TUNED_SLIPS,
        atol=1e-6,
        shows=Curve(tuned_view, "times that 400 to 500 Hz were halved", "frequency [Hz]"),
    ),
    "01.read": Check(
        read_probes,
        _read,
        READ_SLIPS,
        atol=1e-6,
        shows=Curve(read_view, "place of the fifth crest [ms], the first at 1.6", "frequency [Hz]"),
    ),
}
