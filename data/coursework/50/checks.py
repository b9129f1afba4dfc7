"""What the checks of unit 50 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import music
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def _number(freqs, cents=0.0):
    """Return MIDI numbers with fractions."""
    return 69 + 12 * np.log2(np.asarray(freqs, dtype=float) / 440) - np.asarray(cents) / 100


def _class(freqs, cents=0.0):
    return np.round(_number(freqs, cents)).astype(int) % 12


def class_probes() -> list[Probe]:
    """Return names that everybody knows, octaves, all twelve, and music that is out of tune."""
    twelve = 261.626 * 2 ** (np.arange(12) / 12)
    rng = np.random.default_rng(50)
    calls = [
        (np.array([440.0, 261.626, 329.63]), 0, "A4, C4 and E4"),
        (np.array([27.5, 55.0, 110.0, 880.0, 1760.0]), 0, "five octaves of A"),
        (twelve * 2 ** (0.2 / 12), 0, "twelve semitones from C4, 20 cents too high"),
        (twelve * 2 ** (-0.35 / 12), 0, "twelve semitones from C4, 35 cents too low"),
        (np.array([445.0, 440.0, 427.0]), 30, "440 Hz and two beside it, music 30 cents too high"),
        (twelve * 2 ** (0.4 / 12), 40, "twelve semitones, 40 cents too high, and cents = 40"),
        (twelve[:5] * 2 ** (-0.45 / 12), -45, "five semitones, 45 cents too low, and cents = -45"),
        (rng.uniform(60, 3000, 20), 12, "twenty frequencies by lot and cents = 12"),
        (twelve * 2 ** (0.9475 / 12), 45, "tones just below the border of a class, and cents = 45"),
        (twelve * 2 ** (0.9525 / 12), 45, "tones just above the border of a class, and cents = 45"),
    ]
    return [Probe((freqs, cents), say) for freqs, cents, say in calls]


CLASS_SLIPS = (
    ("A is 0", lambda f, c: np.round(_number(f, c) - 69).astype(int) % 12),
    ("C is 1", lambda f, c: _class(f, c) + 1),
    ("cut off", lambda f, c: np.floor(_number(f, c)).astype(int) % 12),
    ("cut off", lambda f, c: np.floor(_number(f, c) % 12)),
    ("rounded up", lambda f, c: np.ceil(_number(f, c)).astype(int) % 12),
    ("wrong logarithm", lambda f, c: np.round(69 + 12 * np.log10(f / 440) - c / 100) % 12),
    ("wrong logarithm", lambda f, c: np.round(69 + 12 * np.log(f / 440) - c / 100) % 12),
    ("cents added", lambda f, c: _class(f, -c)),
    ("cents forgotten", lambda f, c: _class(f)),
    ("cents are semitones", lambda f, c: _class(f, 100 * c)),
    ("not folded", lambda f, c: np.round(_number(f, c))),
    ("folded first", lambda f, c: np.round(_number(f, c) % 12)),
    ("not rounded", lambda f, c: _number(f, c) % 12),
    ("seven names", lambda f, c: np.round(_number(f, c)).astype(int) % 7),
    ("the octave", lambda f, c: np.round(_number(f, c)).astype(int) // 12),
)


def _spectrum(n_fft, frames, seed):
    return np.random.default_rng(seed).exponential(1.0, (n_fft // 2 + 1, frames))


def _tone(sr, n_fft, freq):
    """Return power in the one bin that is nearest to a frequency."""
    S = np.zeros((n_fft // 2 + 1, 2))
    S[round(freq * n_fft / sr)] = [4.0, 1.0]
    return S


def chroma_probes() -> list[Probe]:
    """Return one bin with power, offsets in bin 0, and noise in frames of three sizes."""
    offset = _tone(22050, 1024, 440)
    offset[0] = 50.0
    calls = [
        (_tone(22050, 4096, 440), 22050, 4096, "power in the bin at 440 Hz and nowhere else"),
        (_tone(16000, 2048, 523.25), 16000, 2048, "power in the bin at 523 Hz and nowhere else"),
        (offset, 22050, 1024, "power at 440 Hz and an offset, which is bin 0"),
        (_spectrum(512, 3, 1), 8000, 512, "noise in 257 bins and 3 frames"),
        (_spectrum(2048, 4, 2), 22050, 2048, "noise in 1025 bins and 4 frames"),
        (_spectrum(4096, 2, 3), 16000, 4096, "noise in 2049 bins and 2 frames"),
        (_spectrum(3000, 2, 4), 22050, 3000, "noise in 1501 bins and 2 frames"),
    ]
    return [Probe((S, sr, n_fft), f"{say}, sr = {sr}") for S, sr, n_fft, say in calls]


def _classes(S, sr, n_fft):
    return _class(np.arange(1, len(S)) * sr / n_fft)


def _folded(S, sr, n_fft):
    C = np.zeros((12, S.shape[1]))
    np.add.at(C, _classes(S, sr, n_fft), S[1:])
    return C


def _last_only(S, sr, n_fft):
    C = np.zeros((12, S.shape[1]))
    C[_classes(S, sr, n_fft)] += S[1:]
    return C


def _means(S, sr, n_fft):
    count = np.bincount(_classes(S, sr, n_fft), minlength=12)
    return _folded(S, sr, n_fft) / np.maximum(count, 1)[:, None]


def _largest(S, sr, n_fft):
    C = np.zeros((12, S.shape[1]))
    np.maximum.at(C, _classes(S, sr, n_fft), S[1:])
    return C


def _with_bin_0(S, sr, n_fft):
    """NumPy makes the smallest whole number of minus infinity, and that is 4 of 12."""
    C = _folded(S, sr, n_fft)
    C[4] += S[0]
    return C


def _one_lower(S, sr, n_fft):
    """Bin k + 1 is taken for bin k; the first has no pitch and is left out."""
    C = np.zeros((12, S.shape[1]))
    np.add.at(C, _classes(S[:-1], sr, n_fft), S[2:])
    return C


def _one_lower_with_0(S, sr, n_fft):
    C = _one_lower(S, sr, n_fft)
    C[4] += S[1]
    return C


def _cut(S, sr, n_fft):
    C = np.zeros((12, S.shape[1]))
    freqs = np.arange(1, len(S)) * sr / n_fft
    np.add.at(C, np.floor(_number(freqs)).astype(int) % 12, S[1:])
    return C


def _per_frame(C):
    return C / np.maximum(C.sum(axis=0), 1e-12)


CHROMA_SLIPS = (
    ("bin 0 kept", _with_bin_0),
    ("magnitude", lambda S, sr, n: _folded(np.sqrt(S), sr, n)),
    ("squared again", lambda S, sr, n: _folded(S**2, sr, n)),
    ("a mean", _means),
    ("duplicates lost", _last_only),
    ("the largest", _largest),
    ("one bin off", _one_lower),
    ("one bin off", _one_lower_with_0),
    ("cut off", _cut),
    ("A first", lambda S, sr, n: np.roll(_folded(S, sr, n), -9, axis=0)),
    ("shares", lambda S, sr, n: _per_frame(_folded(S, sr, n))),
    ("largest is 1", lambda S, sr, n: _folded(S, sr, n) / _folded(S, sr, n).max(axis=0)),
    ("largest is 1", lambda S, sr, n: _folded(S, sr, n) / _folded(S, sr, n).max()),
    ("decibels", lambda S, sr, n: 10 * np.log10(_folded(S, sr, n) + 1e-10)),
    ("upside down", lambda S, sr, n: _folded(S, sr, n)[::-1]),
    ("turned", lambda S, sr, n: _folded(S, sr, n).T),
    ("rate forgotten", lambda S, sr, n: _folded(S, 22050, n)),
)


def share_probes() -> list[Probe]:
    """Return frames by lot, silent ones, frames without a note, and a loud wrong one."""
    rng = np.random.default_rng(51)
    probes = []
    for frames, rest, say in (
        (6, 0, "six frames with three notes each"),
        (8, 3, "eight frames, in three of which nothing is played"),
        (12, 2, "twelve frames, two of them without a note, one very loud"),
    ):
        C = rng.exponential(1.0, (12, frames))
        R = np.zeros((12, frames))
        for m in range(frames - rest):
            R[rng.choice(12, size=int(rng.integers(2, 5)), replace=False), m] = 1
        C[:, 1] *= 20
        C = C * (1 + 3 * R)
        order = rng.permutation(frames)
        probes.append(Probe((C[:, order], R[:, order]), say))
    C, R = np.zeros((12, 3)), np.zeros((12, 3))
    C[[0, 4], 0] = [3.0, 1.0]
    C[7, 1] = 2.0
    R[0, 0] = R[7, 1] = R[2, 2] = 1
    probes.append(Probe((C, R), "a frame of C and E, one of G, and one that is silent", "silence"))
    return probes


def _kept(C, R):
    some = R.any(axis=0)
    return C[:, some], R[:, some]


def _share(C, R):
    C, R = _kept(C, R)
    return float((C * R).sum() / C.sum())


def _shares(C, R):
    C, R = _kept(C, R)
    return (C * R).sum(axis=0) / C.sum(axis=0)


SHARE_SLIPS = (
    ("mean of shares", lambda C, R: _shares(C, R).mean()),
    ("mean of shares", lambda C, R: np.nanmean(_shares(C, R))),
    ("mean of shares", lambda C, R: np.nan_to_num(_shares(C, R)).mean()),
    ("mean of shares", lambda C, R: ((C * R).sum(axis=0) / C.sum(axis=0)).mean()),
    ("mean of shares", lambda C, R: np.nanmean((C * R).sum(axis=0) / C.sum(axis=0))),
    ("frames without a note", lambda C, R: (C * R).sum() / C.sum()),
    ("of cells", lambda C, R: R.mean()),
    ("of cells", lambda C, R: _kept(C, R)[1].mean()),
    ("the others", lambda C, R: 1 - _share(C, R)),
    ("the others", lambda C, R: 1 - (C * R).sum() / C.sum()),
    ("percent", lambda C, R: 100 * _share(C, R)),
    ("a sum", lambda C, R: (C * R).sum()),
    ("played over not", lambda C, R: _share(C, R) / (1 - _share(C, R))),
    ("strongest", lambda C, R: np.mean(R[C.argmax(axis=0), np.arange(C.shape[1])])),
    ("strongest", lambda C, R: _hits(*_kept(C, R))),
    ("one per frame", lambda C, R: _shares(C, R)),
    ("mean power", lambda C, R: C[R > 0].mean() / C.mean()),
    ("over all cells", lambda C, R: (C * R).sum() / C.size),
    ("amplitudes", lambda C, R: _share(np.sqrt(C), R)),
    ("amplitudes", lambda C, R: (np.sqrt(C) * R).sum() / np.sqrt(C).sum()),
)


def _hits(C, R):
    return np.mean(R[C.argmax(axis=0), np.arange(C.shape[1])])


def tuning_probes() -> list[Probe]:
    """Return peaks that agree, that lie across the border, that differ in size, and many by lot."""
    rng = np.random.default_rng(52)

    def near(cents, count, spread, seed):
        lot = np.random.default_rng(seed)
        numbers = lot.integers(45, 85, count) + (cents + lot.normal(0, spread, count)) / 100
        return 440 * 2 ** ((numbers - 69) / 12)

    across = 440 * 2 ** (np.array([0.47, 1.49, -0.48, 3.46, 4.52, 6.51]) / 12)
    one = 440 * 2 ** (np.array([0.1, 7.1, 12.1]) / 12)
    calls = [
        (one, np.ones(3), "three peaks, each 10 cents too high"),
        (near(-22, 8, 3, 1), np.ones(8), "eight peaks about 22 cents too low"),
        (across, np.ones(6), "six peaks from 46 to 52 cents beside a note"),
        (near(15, 12, 25, 2), rng.uniform(0.1, 5, 12), "twelve peaks of unequal size"),
        (near(-47, 40, 12, 3), rng.exponential(1, 40), "forty peaks around -47 cents"),
        (near(31, 60, 20, 4), rng.exponential(2, 60), "sixty peaks around 31 cents"),
    ]
    return [Probe((freqs, sizes), say) for freqs, sizes, say in calls]


def _semitones(freqs):
    return 12 * np.log2(np.asarray(freqs) / 440)


def _deviations(freqs):
    s = _semitones(freqs)
    return 100 * (s - np.round(s))


def _turn(freqs, sizes, semitones=1.0):
    arrows = sizes * np.exp(2j * np.pi * _semitones(freqs) / semitones)
    return np.angle(np.sum(arrows))


def _tuning(freqs, sizes):
    return float(100 * _turn(freqs, sizes) / (2 * np.pi))


TUNING_SLIPS = (
    ("plain mean", lambda f, a: np.sum(a * _deviations(f)) / np.sum(a)),
    ("plain mean", lambda f, a: np.mean(_deviations(f))),
    ("median", lambda f, a: np.median(_deviations(f))),
    ("strongest peak", lambda f, a: _deviations(f)[np.argmax(a)]),
    ("all alike", lambda f, a: _tuning(f, np.ones(len(f)))),
    ("power", lambda f, a: _tuning(f, a**2)),
    ("radians", _turn),
    ("degrees", lambda f, a: np.degrees(_turn(f, a))),
    ("semitones", lambda f, a: _tuning(f, a) / 100),
    ("sign", lambda f, a: -_tuning(f, a)),
    ("turn is an octave", lambda f, a: 1200 * _turn(f, a, 12) / (2 * np.pi)),
    ("turn is an octave", lambda f, a: 100 * _turn(f, a, 12) / (2 * np.pi)),
    ("0 to 100", lambda f, a: _tuning(f, a) % 100),
    ("mean of angles", lambda f, a: 100 * np.mean(_semitones(f) % 1)),
    ("mean of angles", lambda f, a: 100 * np.sum(a * (_semitones(f) % 1)) / np.sum(a)),
    ("half a turn", lambda f, a: 50 * _turn(f, a) / (2 * np.pi)),
    ("half a turn", lambda f, a: 100 * _turn(f, a) / np.pi),
    ("length", lambda f, a: np.abs(np.sum(a * np.exp(2j * np.pi * _semitones(f))))),
)


def shift_probes() -> list[Probe]:
    """Return one class moved, a chord moved, noise moved and bent, and loud ones."""
    rng = np.random.default_rng(53)
    chord = np.zeros(12)
    chord[[0, 4, 7]] = [3.0, 2.0, 2.5]
    one = np.zeros(12)
    one[2] = 1.0
    probes = [
        Probe((one, np.roll(one, 3)), "all power in D, then all in F"),
        Probe((chord, np.roll(chord, 5)), "C:maj, then F:maj"),
        Probe((chord, np.roll(chord, 0)), "C:maj twice"),
        Probe((np.roll(chord, 9), np.roll(chord, 4)), "A:maj, then E:maj"),
        Probe((chord, np.roll(chord, 11)), "C:maj, then B:maj"),
    ]
    for shift, size in ((11, 1.0), (7, 100.0), (2, 0.01), (8, 3.0), (0, 1.0), (11, 0.1)):
        a = rng.exponential(1.0, 12) ** 2
        b = size * np.roll(a, shift) * rng.uniform(0.7, 1.3, 12)
        loud = int(b.argmax())
        b[(loud + 5) % 12] = 0.9 * b[loud]
        probes.append(Probe((a, b), f"a chroma by lot, and one that is like it {shift} higher"))
    for shift in (6, 5, 7, 8):
        a = 1 + rng.exponential(1.0, 12)
        b = np.roll(a, shift) * rng.uniform(0.95, 1.05, 12)
        probes.append(Probe((a, b), f"power in all classes, and the same {shift} higher"))
    return probes


def _cosines(a, b):
    turned = np.array([np.roll(a, k) for k in range(12)])
    return turned @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def _shift(a, b):
    return int(_cosines(a, b).argmax())


SHIFT_SLIPS = (
    ("wrong way", lambda a, b: _shift(b, a)),
    ("least alike", lambda a, b: int(_cosines(a, b).argmin())),
    ("strongest class", lambda a, b: int(b.argmax() - a.argmax()) % 12),
    ("below 0", lambda a, b: int(b.argmax() - a.argmax())),
    ("below 0", lambda a, b: (_shift(a, b) + 6) % 12 - 6),
    ("no wrap", lambda a, b: (int(np.correlate(b, a, mode="full").argmax()) - 11) % 12),
    ("below 0", lambda a, b: int(np.correlate(b, a, mode="full").argmax()) - 11),
    ("one more", lambda a, b: _shift(a, b) + 1),
    ("one less", lambda a, b: (_shift(a, b) - 1) % 12),
    ("0 left out", lambda a, b: int(_cosines(a, b)[1:].argmax()) + 1),
    ("11 left out", lambda a, b: int(_cosines(a, b)[:11].argmax())),
    ("the cosine", lambda a, b: float(_cosines(a, b).max())),
    ("all cosines", _cosines),
)


PAIRS = (  # (seed, key of the second, arrangement of its instruments, cents that it is too high)
    (501, 3, ("strings", "strings", "bass"), 0.0),
    (502, 7, ("flute", "guitar", "bass"), 0.0),
    (503, 0, ("organ", "organ", "organ"), 0.0),
    (504, 10, ("trumpet", "piano", "bass"), 33.0),
    (505, 5, ("oboe", "choir", "bass"), -33.0),
    (506, 1, ("piano", "piano", "piano"), 0.0),
)


@functools.cache
def _pairs() -> tuple:
    """Return (first sound, second sound, semitones) of six pieces at 22 050 Hz."""
    found = []
    for seed, up, instruments, cents in PAIRS:
        how = {"bars": 4, "key": 0, "drums": False}
        first = music.random_song(seed, bpm=112, **how).played_on("piano", "guitar", "bass")
        second = music.random_song(seed, bpm=100 + 4 * up, **how).transposed((up + 5) % 12 - 5)
        y = music.play(first)
        z = music.play(second.played_on(*instruments), cents=cents)
        found.append((y.astype(np.float32), z.astype(np.float32), up))
    return tuple(found)


def sound_probes() -> list[Probe]:
    """Return six pieces, each by two sets of instruments and in two keys."""
    return [
        Probe((y, z, 22050), f"a piece, and the same one {up} semitones higher")
        for y, z, up in _pairs()
    ]


def semitones_up(y, z, sr):
    """Return one good answer: chroma at the tuning of each, and the best of twelve turns."""
    a, b = (
        np.sqrt(music.chroma(x, sr=sr, cents=music.estimate_tuning(x, sr=sr)).sum(axis=1))
        for x in (y, z)
    )
    return float(_shift(a, b))


def _right(got, turn=1):
    """Return how many pairs are right, each answer times `turn`, and modulo 12."""
    wants = [up for _, _, up in _pairs()]
    answers = [turn * float(np.ravel(x)[0]) for x in got]
    return sum(abs((x - up + 6) % 12 - 6) < 0.41 for x, up in zip(answers, wants, strict=True))


def _outside(got):
    """Tell whether answers are right but for whole octaves."""
    return any(not -0.01 <= float(np.ravel(x)[0]) < 11.51 for x in got) and _right(got) >= 5


def _sharp_wrong(got):
    """Tell whether both pairs that are out of tune are wrong, and all others right."""
    wants = [up for _, _, up in _pairs()]
    hits = [
        abs((float(np.ravel(x)[0]) - w + 6) % 12 - 6) < 0.41
        for x, w in zip(got, wants, strict=True)
    ]
    return not hits[3] and not hits[4] and sum(hits) == 4


SOUND_SLIPS = (
    ("always the same", lambda y, z, sr: 0.0),
    ("wrong way", lambda y, z, sr: -semitones_up(y, z, sr) % 12),
    ("octaves", lambda y, z, sr: semitones_up(y, z, sr) - 12),
    ("out of tune", lambda y, z, sr: _when_in_tune(y, z, sr)),
    ("too few", lambda y, z, sr: min(semitones_up(y, z, sr), 4.0)),
)


def _when_in_tune(y, z, sr):
    off = abs(music.estimate_tuning(z, sr=sr)) > 20
    return (semitones_up(y, z, sr) + off) % 12


SOUND_GOALS = (
    ("always the same", lambda got: len({float(np.ravel(x)[0]) for x in got}) == 1),
    ("octaves", _outside),
    ("wrong way", lambda got: _right(got) < 5 and _right(got, -1) >= 5),
    ("out of tune", _sharp_wrong),
    ("too few", lambda got: _right(got) < 5),
)


def class_view():
    """Return two octaves, step by step."""
    freqs = 220 * 2 ** (np.arange(0, 24.01, 0.25) / 12 + 0.002)
    return freqs, [(freqs, 0)]


def chroma_view():
    """Return one noise, in twelve classes."""
    return np.arange(12), [(_spectrum(2048, 1, 7), 22050, 2048)]


def tuning_view():
    """Return peaks that are higher and higher, through the border at half a semitone."""
    numbers = np.array([57.0, 62.0, 64.0, 69.0, 71.0])
    spread = np.array([-6.0, 4.0, 0.0, 8.0, -3.0])
    cents = np.arange(-45, 46, 3)
    sizes = np.array([1.0, 0.5, 2.0, 1.0, 0.3])
    return cents, [(440 * 2 ** ((numbers - 69 + (c + spread) / 100) / 12), sizes) for c in cents]


def share_view():
    """Return a note of C in E, more and more of it."""
    C = np.zeros((12, 1))
    R = np.zeros((12, 1))
    R[0] = 1
    amounts = np.arange(0, 3.1, 0.25)
    calls = []
    for amount in amounts:
        one = C.copy()
        one[0] = 1
        one[4] = amount
        calls.append((one, R))
    return amounts, calls


def shift_view():
    """Return a chord that is higher and higher."""
    chord = np.zeros(12)
    chord[[0, 4, 7]] = [3.0, 2.0, 2.5]
    return np.arange(12), [(chord, np.roll(chord, k)) for k in range(12)]


CHECKS = {
    "50.class": Check(
        class_probes,
        _class,
        CLASS_SLIPS,
        atol=1e-9,
        shows=Curve(class_view, "frequency [Hz]", "pitch class"),
    ),
    "50.chroma": Check(
        chroma_probes,
        _folded,
        CHROMA_SLIPS,
        atol=1e-6,
        shows=Curve(chroma_view, "pitch class", "power of a noise"),
    ),
    "50.share": Check(
        share_probes,
        _share,
        SHARE_SLIPS,
        atol=1e-9,
        shows=Curve(share_view, "power in a class that is not played", "share"),
    ),
    "50.tuning": Check(
        tuning_probes,
        _tuning,
        TUNING_SLIPS,
        atol=1e-6,
        shows=Curve(tuning_view, "played too high by [cents]", "tuning [cents]"),
    ),
    "50.shift": Check(
        shift_probes,
        _shift,
        SHIFT_SLIPS,
        atol=1e-9,
        shows=Curve(shift_view, "raised by [semitones]", "answer"),
    ),
    "50.sound": Check(
        sound_probes,
        semitones_up,
        SOUND_SLIPS,
        atol=1e-9,
        goals=SOUND_GOALS,
        measured=lambda got: f"{_right(got)} of {len(got)} pairs are right.",
        seconds=30.0,
    ),
}
