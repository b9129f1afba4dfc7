"""What the checks of unit 23 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio, mel
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def triangle_probes() -> list[Probe]:
    """Return a triangle with equal sides, then lopsided ones, over bins that reach far beyond both
    edges.
    """
    probes = []
    for low, centre, high, step in (
        (100, 200, 300, 50),
        (500, 600, 900, 31.25),
        (0, 66.7, 133.3, 15.625),
    ):
        freqs = np.append(np.arange(0, 1601, step), [centre - 0.4, centre + 0.3])
        say = (
            f"bins of {step:g} Hz up to 1600 Hz and two beside the centre, "
            f"low = {low:g}, centre = {centre:g}, high = "
            f"{high:g}"
        )
        probes.append(
            Probe(
                (freqs, low, centre, high),
                say,
                "even" if centre - low == high - centre else "lopsided",
            )
        )
    return probes


def _sides(freqs, low, centre, high):
    return (freqs - low) / (centre - low), (high - freqs) / (high - centre)


def _triangle(freqs, low, centre, high):
    return np.maximum(0, np.minimum(*_sides(freqs, low, centre, high)))


def _swapped(freqs, low, centre, high):
    return np.maximum(
        0, np.minimum((freqs - low) / (high - centre), (high - freqs) / (centre - low))
    )


def _half_width(freqs, low, centre, high):
    return np.maximum(0, 1 - np.abs(freqs - centre) / ((high - low) / 2))


TRIANGLE_SLIPS = (
    ("negative outside", lambda *a: np.minimum(*_sides(*a))),
    ("a box", lambda f, low, centre, high: 1.0 * ((f > low) & (f < high))),
    ("never falls", lambda *a: np.clip(_sides(*a)[0], 0, 1)),
    ("widths swapped", _swapped),
    ("symmetric", _half_width),
    (
        "area of one",
        lambda f, low, centre, high: 2 / (high - low) * _triangle(f, low, centre, high),
    ),
    ("one side alone", lambda f, low, mid, high: np.clip(_sides(f, low, mid, high)[1], 0, 1)),
    ("one side alone", lambda f, low, mid, high: _sides(f, low, mid, high)[0]),
    (
        "the higher line",
        lambda f, low, mid, high: np.maximum(0, np.max(_sides(f, low, mid, high), axis=0)),
    ),
    (
        "multiplied lines",
        lambda f, low, mid, high: np.maximum(0, np.prod(_sides(f, low, mid, high), axis=0)),
    ),
    (
        "falling line upside down",
        lambda f, low, mid, high: np.maximum(
            0, np.minimum((f - low) / (mid - low), (f - high) / (high - mid))
        ),
    ),
    (
        "one width for both",
        lambda f, low, mid, high: np.maximum(
            0, np.minimum((f - low) / (mid - low), (high - f) / (high - low))
        ),
    ),
    ("1 Hz wide", lambda f, low, mid, high: np.maximum(0, 1 - np.abs(f - mid))),
    (
        "upper half missing",
        lambda f, low, mid, high: np.where(f < mid, np.maximum((f - low) / (mid - low), 0), 0),
    ),
)


def log_probes() -> list[Probe]:
    """Return powers with and without zeros, with several floors and references."""
    first = (np.array([[1.0, 0.1], [0.01, 10.0]]), 1e-10, 1.0)
    probes = [Probe(first, "M = [[1, 0.1], [0.01, 10]], floor = 1e-10, ref = 1")]
    for floor, ref in ((1e-10, 100.0), (1e-3, 1.0), (1e-4, 0.02)):
        M = 10 ** np.random.default_rng(6).uniform(-5, 1, (3, 5))
        M[0, 0] = 0.0
        probes.append(
            Probe(
                (M, floor, ref),
                f"15 powers, one of them 0, floor = {floor:g}, ref = {ref:g}",
                "zeros",
            )
        )
    return probes


def _log(M, floor, ref):
    return 10 * np.log10(np.maximum(M, floor) / ref)


LOG_SLIPS = (
    ("factor of an amplitude", lambda M, floor, ref: 2 * _log(M, floor, ref)),
    ("floor below the reference", lambda M, floor, ref: 10 * np.log10(np.maximum(M / ref, floor))),
    ("floor added", lambda M, floor, ref: 10 * np.log10((M + floor) / ref)),
    ("no floor", lambda M, floor, ref: 10 * np.log10(M / ref)),
    ("natural logarithm", lambda M, floor, ref: np.log(np.maximum(M, floor) / ref)),
    ("bels", lambda M, floor, ref: _log(M, floor, ref) / 10),
    ("reference forgotten", lambda M, floor, ref: _log(M, floor, 1)),
)


def normalise_probes() -> list[Probe]:
    """Return log mel spectrograms whose bands differ in mean and in spread."""
    probes = [Probe((np.array([[-50.0, -30.0], [-20.0, -26.0]]),), "two bands and two frames")]
    for bands, frames in ((4, 9), (7, 7), (20, 6)):
        rng = np.random.default_rng(bands)
        L = rng.uniform(-80, -20, (bands, 1)) + rng.uniform(
            2, 15, (bands, 1)
        ) * rng.standard_normal((bands, frames))
        probes.append(Probe((L,), f"{bands} bands and {frames} frames", "more"))
    return probes


def _scaled(L, axis, ddof=0):
    return (L - L.mean(axis=axis, keepdims=True)) / L.std(axis=axis, keepdims=True, ddof=ddof)


def _range(L):
    low, high = L.min(axis=1, keepdims=True), L.max(axis=1, keepdims=True)
    return (L - low) / (high - low)


NORMALISE_SLIPS = (
    ("over the bands", lambda L: _scaled(L, 0)),
    ("one for all", lambda L: _scaled(L, None)),
    ("mean only", lambda L: L - L.mean(axis=1, keepdims=True)),
    ("spread only", lambda L: L / L.std(axis=1, keepdims=True)),
    ("variance", lambda L: (L - L.mean(axis=1, keepdims=True)) / L.var(axis=1, keepdims=True)),
    ("between 0 and 1", _range),
    ("n minus one", lambda L: _scaled(L, 1, 1)),
)


def empty_probes() -> list[Probe]:
    """Return the edges of HTK banks with few and many bands, then edges that touch a bin or nearly
    do.
    """
    probes = []
    for n_mels, n_fft in ((20, 64), (128, 400), (128, 512), (128, 200), (40, 1024)):
        mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), n_mels + 2)
        edges = 700 * (10 ** (mels / 2595) - 1)
        probes.append(
            Probe(
                (edges, 16000, n_fft),
                f"the edges of {n_mels} HTK bands, sr = 16000, n_fft = {n_fft}",
            )
        )
    edges = np.array([0.0, 55.0, 100.3, 100.4, 199.0, 290.0, 299.0, 410.0])
    return [
        *probes,
        Probe(
            (edges, 8000, 80),
            "edges at 0, 55, 100.3, 100.4, 199, 290, 299, 410 Hz, bins 100 Hz apart",
        ),
        Probe(
            (np.array([0.0, 60, 100, 150, 200, 251, 300, 349, 360, 440]), 8000, 80),
            "edges at 0, 60, 100, 150, 200, 251, 300, 349, 360, 440 Hz, bins 100 Hz apart",
        ),
    ]


def _inside(edges, sr, n_fft):
    freqs = np.arange(n_fft // 2 + 1) * sr / n_fft
    return (freqs > edges[:-2, None]) & (freqs < edges[2:, None])


def _touching(edges, sr, n_fft):
    freqs = np.arange(n_fft // 2 + 1) * sr / n_fft
    return int(np.sum(~np.any((freqs >= edges[:-2, None]) & (freqs <= edges[2:, None]), axis=1)))


def _empty(edges, sr, n_fft):
    return int(np.sum(~_inside(edges, sr, n_fft).any(axis=1)))


EMPTY_SLIPS = (
    ("the others", lambda e, sr, n: int(np.sum(_inside(e, sr, n).any(axis=1)))),
    ("narrower than a bin", lambda e, sr, n: int(np.sum(e[2:] - e[:-2] < sr / n))),
    (
        "between neighbours",
        lambda e, sr, n: int(np.sum(np.floor(e[:-1] * n / sr) + 1 >= e[1:] * n / sr)),
    ),
    ("edges count", _touching),
    ("bins too close", lambda e, sr, n: _empty(e, sr, 2 * n)),
)

_CAUSES = {"A": 3, "B": 5, "C": 4, "D": 1, "E": 2}  # of Figure 23.5


def cause_probes() -> list[Probe]:
    """Return the five letters of the figure."""
    return [Probe((letter,), f"the letter {letter}") for letter in _CAUSES]


def _swapped(one, other):
    """Return a reading that takes two causes for each other."""
    named = {one: other, other: one}
    return lambda letter: named.get(_CAUSES[letter], _CAUSES[letter])


CAUSE_SLIPS = (
    ("scale and norm exchanged", _swapped(1, 2)),
    ("scale and exponent exchanged", _swapped(1, 3)),
    ("norm and gain exchanged", _swapped(2, 5)),
    ("norm and exponent exchanged", _swapped(2, 3)),
    ("ends and gain exchanged", _swapped(4, 5)),
    ("counted from 0", lambda letter: _CAUSES[letter] - 1),
)

# ---- what a right function makes ----------------------------------------------------------------

CORNERS = (200.0, 400.0, 900.0)  # of a lopsided filter [Hz]


def filter_view():
    """Return frequencies [Hz] on both sides of a lopsided filter, and one call for all."""
    freqs = np.arange(0.0, 1201, 10)
    return freqs, [(freqs, *CORNERS)]


def levels_view():
    """Return powers [dB re 1], half of them under a floor of −100 dB, and one call for all."""
    db = np.arange(-200.0, 21, 5)
    return db, [(10 ** (db[None] / 10), 1e-10, 1.0)]


def band_view():
    """Return times [s], and one log mel spectrogram of a voice."""
    y, sr = audio.clip("arctic_slt")
    M = mel.mel_spectrogram(y.astype(float), sr=sr, n_fft=1024, hop_length=256, n_mels=40)
    L = mel.log_compress(M, floor=1e-10)
    return np.arange(L.shape[1]) * 256 / sr, [(L,)]


def _band(pictures):
    """Return one band, the tenth, of a picture."""
    return pictures[0][9]


def bank_view():
    """Return frame lengths, and calls with the edges of 128 HTK bands up to 8 kHz."""
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 130)
    edges = 700 * (10 ** (mels / 2595) - 1)
    sizes = np.arange(128, 640, 16)
    return sizes, [(edges, 16000, int(n_fft)) for n_fft in sizes]


# "23.cause" has no view: its five numbers are names of pictures that stand above
CHECKS = {
    "23.triangle": Check(
        triangle_probes,
        _triangle,
        TRIANGLE_SLIPS,
        atol=1e-5,
        shows=Curve(filter_view, "frequency [Hz]", "weight"),
    ),
    "23.log": Check(
        log_probes,
        _log,
        LOG_SLIPS,
        atol=1e-4,
        shows=Curve(levels_view, "power that goes in [dB re 1]", "level [dB]"),
    ),
    "23.normalise": Check(
        normalise_probes,
        lambda L: _scaled(L, 1),
        NORMALISE_SLIPS,
        atol=1e-5,
        shows=Curve(band_view, "time [s], one band of a voice", "level in spreads", _band),
    ),
    "23.empty": Check(
        empty_probes,
        _empty,
        EMPTY_SLIPS,
        atol=1e-6,
        shows=Curve(bank_view, "frame length [samples]", "empty filters of 128"),
    ),
    "23.cause": Check(cause_probes, lambda letter: _CAUSES[letter], CAUSE_SLIPS, atol=1e-9),
}
