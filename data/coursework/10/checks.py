"""What the checks of unit 10 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

_TYPES = (np.float64, np.float32)


def _mean_square(y, axis=-1):
    return np.mean(np.asarray(y, np.float64) ** 2, axis=axis)


def _level(y):
    return 10 * np.log10(_mean_square(y))


def level_probes() -> list[Probe]:
    """Return a sine, noise with an offset (so that RMS is not the standard deviation), and
    stereo.
    """
    sine = np.sin(2 * np.pi * np.arange(441) / 9)
    probes = [Probe((sine,), "a sine of amplitude 1, 441 samples", "mono")]
    for seed, n in enumerate((481, 1000, 7, 2049)):
        rng = np.random.default_rng(seed)
        y = (rng.uniform(0.01, 0.3) * rng.standard_normal(n) + 0.1).astype(_TYPES[seed % 2])
        probes.append(Probe((y,), f"{n} samples of noise", "mono"))
    for seed, shape in enumerate(((2, 301), (5, 64), (1, 9))):
        y = (
            np.random.default_rng(seed).standard_normal(shape)
            * np.linspace(0.1, 0.5, shape[0])[:, None]
        )
        probes.append(Probe((y,), f"{shape[0]} channels, an array of shape {shape}", "stereo"))
    return probes


LEVEL_SLIPS = (
    ("10 instead of 20", lambda y: _level(y) / 2),
    ("no square root", lambda y: 2 * _level(y)),
    ("peak", lambda y: 20 * np.log10(np.max(np.abs(y), axis=-1))),
    ("mean of the absolute values", lambda y: 20 * np.log10(np.mean(np.abs(y), axis=-1))),
    ("natural logarithm", lambda y: _level(y) * np.log(10)),
    ("sum instead of mean", lambda y: 10 * np.log10(_mean_square(y) * y.shape[-1])),
    ("standard deviation", lambda y: 20 * np.log10(np.std(y, axis=-1))),
    ("no logarithm", lambda y: np.sqrt(_mean_square(y))),
    ("minus sign", lambda y: -_level(y)),
    ("both channels as one", lambda y: 10 * np.log10(np.mean(_mean_square(y)))),
    ("the first axis", lambda y: 10 * np.log10(_mean_square(y, axis=0))),
)


def _alias(freq, sr):
    return abs(freq - sr * np.round(freq / sr))


def alias_probes() -> list[Probe]:
    """Return tones below half the rate, and tones from there to five times the rate, at several
    rates.
    """
    rates = (8000, 16000, 44100, 48000, 11025)
    low, high = (
        [(0.0, 8000), (4000.0, 8000), (1000, 16000)],
        [(5000, 8000), (8000, 8000), (9000, 8000), (31000, 16000)],
    )
    for seed, sr in enumerate(rates):
        rng = np.random.default_rng(seed)
        low.append((round(rng.uniform(0, 0.5) * sr, 1), sr))
        high += [(round(rng.uniform(a, a + 0.5) * sr, 1), sr) for a in (0.5, 1.0, 1.5, 3.5, 4.0)]
    both = [(pair, "low") for pair in low] + [(pair, "high") for pair in high]
    return [Probe(pair, f"{pair[0]:g} Hz at {pair[1]} Hz", group) for pair, group in both]


ALIAS_SLIPS = (
    ("remainder without folding", lambda f, sr: f % sr),
    ("wrap at half the rate", lambda f, sr: f % (sr / 2)),
    ("distance from half the rate", lambda f, sr: abs(f - sr / 2)),
    ("one fold only", lambda f, sr: f if f <= sr / 2 else sr - f),
    ("one fold only", lambda f, sr: f if f <= sr / 2 else abs(sr - f)),
    # above half the rate these two return the same as the two before, which are therefore tried
    # first
    ("always sr - freq", lambda f, sr: sr - f),
    ("always sr - freq", lambda f, sr: abs(sr - f)),
    ("negative frequency", lambda f, sr: f - sr * np.round(f / sr)),
    ("negative frequency", lambda f, sr: (f + sr / 2) % sr - sr / 2),
    ("clipping at half the rate", lambda f, sr: min(f, sr / 2)),
)


def _round_to(y, step, low=-1.0, high=None):
    return np.clip(
        np.round(np.asarray(y, np.float64) / step) * step, low, 1 - step if high is None else high
    )


def _quantize(y, bits):
    return _round_to(y, 2.0 ** (1 - bits))


def quantize_probes() -> list[Probe]:
    """Return noise well inside the range (where clipping plays no part), then samples at and beyond
    its ends.
    """
    probes = [
        Probe(
            (np.array([0.3, -0.3, 0.06, -0.2, 0.0]), 3),
            "[0.3, −0.3, 0.06, −0.2, 0] and 3 bits",
            "inside",
        )
    ]
    for seed, (bits, n) in enumerate(((8, 481), (4, 1000), (3, 37), (12, 2049), (16, 99))):
        top = 1 - 2 * 2.0 ** (1 - bits)
        y = np.random.default_rng(seed).uniform(-top, top, n).astype(_TYPES[seed % 2])
        probes.append(Probe((y, bits), f"{n} samples of noise and {bits} bits", "inside"))
    ends = np.array([-1.0, 1.0, 0.999, -0.999, 1.3, -1.7, 0.1])
    return [
        *probes,
        *(Probe((ends, b), f"samples at ±1 and beyond, and {b} bits", "ends") for b in (2, 3, 8)),
    ]


QUANTIZE_SLIPS = (
    ("one bit too many", lambda y, bits: _round_to(y, 2.0**-bits)),
    ("one bit too few", lambda y, bits: _round_to(y, 2.0 ** (2 - bits))),
    ("gaps taken for levels", lambda y, bits: _round_to(y, 2 / (2**bits - 1), high=1.0)),
    ("floor", lambda y, bits: np.floor(y / 2.0 ** (1 - bits)) * 2.0 ** (1 - bits)),
    ("truncation", lambda y, bits: np.trunc(y / 2.0 ** (1 - bits)) * 2.0 ** (1 - bits)),
    ("whole numbers returned", lambda y, bits: np.round(y * 2.0 ** (bits - 1))),
    ("no clipping", lambda y, bits: _round_to(y, 2.0 ** (1 - bits), -np.inf, np.inf)),
    ("clipping at +1", lambda y, bits: _round_to(y, 2.0 ** (1 - bits), high=1.0)),
    (
        "the lowest level missing",
        lambda y, bits: _round_to(y, 2.0 ** (1 - bits), low=2.0 ** (1 - bits) - 1),
    ),
)


def _mu_law(y, mu=255):
    y = np.asarray(y, np.float64)
    return np.sign(y) * np.log1p(mu * np.abs(y)) / np.log1p(mu)


def mulaw_probes() -> list[Probe]:
    """Return signals without a zero at the usual mu, then other values of mu, then 0 and both
    ends.
    """
    probes = [Probe((np.array([0.01, -0.01, 0.5, -1.0]),), "[0.01, −0.01, 0.5, −1]", "usual")]
    for seed, n in enumerate((481, 1000, 37)):
        rng = np.random.default_rng(seed)
        y = (rng.choice([-1, 1], n) * rng.uniform(0.02, 1, n)).astype(_TYPES[seed % 2])
        probes.append(Probe((y,), f"{n} samples of noise", "usual"))
        probes.append(
            Probe((y,), f"{n} samples of noise and mu = {15 * 4**seed}", "mu", {"mu": 15 * 4**seed})
        )
    probes.append(
        Probe((np.array([0.0, 1.0, -1.0, 1e-6]), 100), "[0, 1, −1, 0.000001] and mu = 100", "zero")
    )
    return sorted(probes, key=lambda p: ("usual", "mu", "zero").index(p.group))


MULAW_SLIPS = (
    ("lost sign", lambda y, mu=255: np.abs(_mu_law(y, mu))),
    (
        "logarithm of a negative number",
        lambda y, mu=255: np.log(1 + mu * np.asarray(y, np.float64)) / np.log(1 + mu),
    ),
    ("no normaliser", lambda y, mu=255: _mu_law(y, mu) * np.log1p(mu)),
    ("log10 over ln", lambda y, mu=255: _mu_law(y, mu) / np.log(10)),
    ("ln over log10", lambda y, mu=255: _mu_law(y, mu) * np.log(10)),
    (
        "no 1 inside",
        lambda y, mu=255: (
            np.sign(y) * np.log(mu * np.abs(np.asarray(y, np.float64))) / np.log(1 + mu)
        ),
    ),
    ("normaliser without the 1", lambda y, mu=255: _mu_law(y, mu) * np.log(1 + mu) / np.log(mu)),
    ("mu fixed at 255", lambda y, mu=255: _mu_law(y)),
)


def _clipped(y, least=3, top=None):
    """Count the samples in rows of at least so many equal ones at the top, row by row."""
    ends = np.flatnonzero(np.diff(y) != 0) + 1
    rows = np.split(y, ends)
    if top is None:
        top = np.max(np.abs(y))
    return sum(len(row) for row in rows if len(row) >= least and abs(row[0]) >= top)


def clipped_probes() -> list[Probe]:
    """Return the example, clean crests, silences, and waves that are cut above, below and both."""
    first = np.array([0, 0.5, 0.5, 0.5, -0.5, 0.1])
    quiet = np.array([0.0, 0, 0, 0, 0.2, 0.3, 0.3, 0.1, 0.1, 0.1, -0.2, 0])
    probes = [Probe((first,), "[0, 0.5, 0.5, 0.5, −0.5, 0.1]", "rows")]
    probes.append(Probe((quiet,), "silence and one crest of two equal samples", "clean"))
    pairs = np.array([0.1, 0.6, 0.6, 0.1, -0.6, -0.6, 0, 0.6, 0.6, 0.2])
    probes.append(Probe((pairs,), "three crests of two equal samples each", "clean"))
    for seed, (low, high) in enumerate(((-0.4, 0.4), (-0.3, 0.7), (-0.8, 0.2), (-1.5, 1.5))):
        wave = np.sin(2 * np.pi * np.arange(97 + 40 * seed) / (9 + 4 * seed) + seed)
        y = np.concatenate([np.zeros(5), np.clip(wave, low, high)]).astype(_TYPES[seed % 2])
        say = f"a sine cut at {low:g} and {high:g}, {len(y)} samples".replace("-", "−")
        probes.append(Probe((y,), say, "rows" if high < 1 else "clean"))
    return probes


def _triples(y):
    top = np.abs(y) == np.max(np.abs(y))
    return np.sum((y[:-2] == y[1:-1]) & (y[1:-1] == y[2:]) & top[1:-1])


def _rows(y):
    inner = np.split(y, np.flatnonzero(np.diff(y) != 0) + 1)
    return sum(len(row) >= 3 and abs(row[0]) == np.max(np.abs(y)) for row in inner)


CLIPPED_SLIPS = (
    ("every sample at the top", lambda y: np.sum(np.abs(y) == np.max(np.abs(y)))),
    ("one side", lambda y: _clipped(np.maximum(y, 0), top=np.max(y))),
    ("one side", lambda y: np.sum(y == np.max(y))),
    ("rows counted", _rows),
    ("triples counted", _triples),
    ("two are enough", lambda y: _clipped(y, least=2)),
    ("full scale only", lambda y: np.sum(np.abs(y) >= 1)),
    ("full scale only", lambda y: _clipped(y, top=1.0)),
    ("any row", lambda y: _clipped(y, top=0.0)),
    ("a share", lambda y: _clipped(y) / len(y)),
    ("a share", lambda y: 100 * _clipped(y) / len(y)),
    ("pairs counted", lambda y: np.sum(y[1:] == y[:-1])),
    (
        "pairs counted",
        lambda y: np.sum((y[1:] == y[:-1]) & (np.abs(y[1:]) == np.max(np.abs(y)))),
    ),
    ("below alone", lambda y: np.count_nonzero(y == np.min(y))),
    ("a share of the top", lambda y: np.mean(np.abs(y) == np.max(np.abs(y)))),
    ("nearly at the top", lambda y: np.sum(np.abs(y) >= 0.99 * np.max(np.abs(y)))),
    ("the peak itself", lambda y: np.max(np.abs(y))),
)

# ---- what a right function makes ----------------------------------------------------------------


def level_view():
    """Return peaks of a sine [dBFS], and a call for each."""
    peaks = np.arange(-60, 1, 3)
    wave = np.sin(2 * np.pi * np.arange(441) / 9)
    return peaks, [(wave * 10 ** (db / 20),) for db in peaks]


def alias_view():
    """Return frequencies [kHz] up to two and a half times 8000 Hz, and a call for each."""
    freqs = np.arange(0, 20001, 100)
    return freqs / 1000, [(int(freq), 8000) for freq in freqs]


def quantize_view():
    """Return samples within full scale and beyond it, for 3 bits."""
    y = np.linspace(-1.25, 1.25, 302)  # an even number of places: none half-way between two steps
    return y, [(y, 3)]


def mulaw_view():
    """Return samples from −1 to 1."""
    y = np.linspace(-1, 1, 201)
    return y, [(y,)]


def clipped_view():
    """Return by how much a voice is recorded too hot [dB], and a call for each."""
    voice = audio.clip("arctic_slt")[0].astype(float)
    voice = voice / np.max(np.abs(voice))
    excess = np.arange(0, 13)
    return excess, [(np.clip(voice * 10 ** (db / 20), -1, 1),) for db in excess]


CHECKS = {
    "10.level": Check(
        level_probes,
        _level,
        LEVEL_SLIPS,
        atol=1e-3,
        shows=Curve(level_view, "peak of a sine [dBFS]", "level [dBFS]"),
    ),
    "10.alias": Check(
        alias_probes,
        _alias,
        ALIAS_SLIPS,
        atol=1e-3,
        shows=Curve(alias_view, "tone [kHz], 8000 samples a second", "frequency heard [Hz]"),
    ),
    "10.quantize": Check(
        quantize_probes,
        _quantize,
        QUANTIZE_SLIPS,
        atol=1e-6,
        shows=Curve(quantize_view, "sample", "sample with 3 bits"),
    ),
    "10.mulaw": Check(
        mulaw_probes,
        _mu_law,
        MULAW_SLIPS,
        atol=1e-5,
        shows=Curve(mulaw_view, "sample", "sample on the curve"),
    ),
    "10.clipped": Check(
        clipped_probes,
        _clipped,
        CLIPPED_SLIPS,
        atol=1e-6,
        shows=Curve(clipped_view, "how much too hot a voice is [dB]", "clipped samples"),
    ),
}
