"""What the checks of unit 11 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.loudness import FREQS, equal_loudness_contour


def _make_up(quiet, loud, freqs):
    change = quiet - loud
    return change - change[freqs == 1000]


def make_up_probes() -> list[Probe]:
    """Return pairs of contours, soft and loud, with 1 kHz at any place among the frequencies."""
    probes = []
    for seed, (soft, loud, part) in enumerate(
        ((40, 80, slice(7, 21, 5)), (20, 60, slice(0, 22)), (55, 75, slice(None)))
    ):
        freqs = np.random.default_rng(seed).permutation(FREQS[part])
        pair = (equal_loudness_contour(soft, freqs), equal_loudness_contour(loud, freqs))
        probes.append(
            Probe((*pair, freqs), f"contours of {soft} and {loud} phon at {freqs.size} frequencies")
        )
    return probes


MAKE_UP_SLIPS = (
    ("the volume left in", lambda soft, loud, f: soft - loud),
    ("the wrong way round", lambda soft, loud, f: -_make_up(soft, loud, f)),
    ("one contour only", lambda soft, loud, f: soft - soft[f == 1000]),
    ("one contour only", lambda soft, loud, f: loud - loud[f == 1000]),
    ("first frequency as reference", lambda soft, loud, f: (soft - loud) - (soft - loud)[0]),
    ("mean as reference", lambda soft, loud, f: (soft - loud) - np.mean(soft - loud)),
    ("least change as reference", lambda soft, loud, f: (soft - loud) - np.max(soft - loud)),
    ("least change as reference", lambda soft, loud, f: (soft - loud) - np.min(soft - loud)),
    ("levels divided", lambda soft, loud, f: soft / loud),
    ("a factor instead of decibels", lambda soft, loud, f: 10 ** (_make_up(soft, loud, f) / 20)),
    ("a factor instead of decibels", lambda soft, loud, f: 10 ** (_make_up(soft, loud, f) / 10)),
)


def _power(amps, gains_db):
    return np.sum((amps * 10 ** (gains_db / 20)) ** 2) / 2


def _a_level(amps, gains_db):
    return 10 * np.log10(_power(amps, gains_db))


def a_level_probes() -> list[Probe]:
    """Return single sines with various gains, then sums of several."""
    probes = []
    for a, g in ((0.1, -19.1), (0.5, -3.2), (0.02, 1.2)):
        say = f"one sine of amplitude {a:g} with a gain of {g:g} dB".replace("-", "−")
        probes.append(Probe((np.array([a]), np.array([g])), say, "one"))
    for seed, n in enumerate((2, 3, 8, 21)):
        rng = np.random.default_rng(seed)
        pair = (rng.uniform(0.01, 0.3, n), rng.uniform(-40, 1.3, n))
        probes.append(Probe(pair, f"{n} sines with gains between −40 and 1.3 dB", "many"))
    return probes


def _each(amps, gains_db):
    return 20 * np.log10(amps / np.sqrt(2)) + gains_db


A_LEVEL_SLIPS = (
    ("no weighting", lambda a, g: _a_level(a, 0 * g)),
    ("gain turned round", lambda a, g: _a_level(a, -g)),
    ("gain of a power on amplitudes", lambda a, g: _a_level(a, 2 * g)),
    ("peak amplitude", lambda a, g: _a_level(a, g) + 10 * np.log10(2)),
    ("10 after a root", lambda a, g: _a_level(a, g) / 2),
    ("20 for a power", lambda a, g: 2 * _a_level(a, g)),
    ("natural logarithm", lambda a, g: _a_level(a, g) * np.log(10)),
    ("no decibels", _power),
    ("no decibels", lambda a, g: np.sqrt(_power(a, g))),
    ("amplitudes added", lambda a, g: 20 * np.log10(np.sum(a * 10 ** (g / 20)) / np.sqrt(2))),
    ("mean of the powers", lambda a, g: 10 * np.log10(_power(a, g) / a.size)),
    ("decibels averaged", lambda a, g: np.mean(_each(a, g))),
    ("decibels added", lambda a, g: np.sum(_each(a, g))),
    ("one number for each sine", _each),
)


def _sone(phon):
    return 2 ** ((np.asarray(phon, np.float64) - 40) / 10)


def sone_probes() -> list[Probe]:
    """Return loudness levels between 40 and 110 phon."""
    probes = [Probe((np.array([40.0, 50, 60, 80]),), "40, 50, 60 and 80 phon")]
    for seed, n in enumerate((1, 7, 30)):
        phon = np.random.default_rng(seed).uniform(40, 110, n)
        probes.append(Probe((phon,), f"{n} random level{'s' * (n > 1)} between 40 and 110 phon"))
    return probes


SONE_SLIPS = (
    ("ratio of powers", lambda p: 10 ** ((p - 40) / 10)),
    ("ratio of amplitudes", lambda p: 10 ** ((p - 40) / 20)),
    ("doubling every 6 phon", lambda p: 2 ** ((p - 40) / 6)),
    ("doubling every 3 phon", lambda p: 2 ** ((p - 40) / 3)),
    ("doubling every 20 phon", lambda p: 2 ** ((p - 40) / 20)),
    ("1 sone at 0 phon", lambda p: 2 ** (p / 10)),
    ("natural base", lambda p: np.exp((p - 40) / 10)),
    ("proportional", lambda p: p / 40),
    ("a step for each 10 phon", lambda p: 1 + (p - 40) / 10),
    ("a step for each 10 phon", lambda p: (p - 40) / 10),
    ("the way back", lambda p: 40 + 10 * np.log2(p)),
    ("the exponent alone turned round", lambda p: 2 ** ((40 - p) / 10)),
)


def _match(y, lufs, target):
    return np.asarray(y, np.float64) * 10 ** ((target - lufs) / 20)


def match_probes() -> list[Probe]:
    """Return mono and stereo noise that is to be turned down or up."""
    probes = []
    for seed, (shape, lufs, target) in enumerate(
        (((481,), -18.0, -24.0), ((1000,), -41.5, -23.0), ((2, 301), -9.3, -30.2))
    ):
        rng = np.random.default_rng(seed)
        y = (rng.uniform(0.02, 0.2) * rng.standard_normal(shape)).astype(
            (np.float64, np.float32)[seed % 2]
        )
        say = f"an array of shape {shape} at {lufs:g} LUFS and a target of {target:g} LUFS".replace(
            "-", "−"
        )
        probes.append(Probe((y, lufs, target), say))
    return probes


MATCH_SLIPS = (
    ("factor of a power", lambda y, lufs, target: y * 10 ** ((target - lufs) / 10)),
    ("the wrong way round", lambda y, lufs, target: y * 10 ** ((lufs - target) / 20)),
    ("target without measurement", lambda y, lufs, target: y * 10 ** (target / 20)),
    ("decibels added to samples", lambda y, lufs, target: y + (target - lufs)),
    ("decibels as a factor", lambda y, lufs, target: y * (target - lufs)),
    ("levels divided", lambda y, lufs, target: y * (target / lufs)),
    ("levels divided", lambda y, lufs, target: y * (lufs / target)),
    ("peak at the target", lambda y, lufs, target: y / np.max(np.abs(y)) * 10 ** (target / 20)),
    (
        "RMS at the target",
        lambda y, lufs, target: (
            y / np.sqrt(np.mean(np.square(y, dtype=float))) * 10 ** (target / 20)
        ),
    ),
    ("natural base", lambda y, lufs, target: y * np.exp((target - lufs) / 20)),
    ("the gain alone", lambda y, lufs, target: np.float64(10 ** ((target - lufs) / 20))),
)

CHECKS = {
    "11.make_up": Check(make_up_probes, _make_up, MAKE_UP_SLIPS, atol=1e-3),
    "11.a_level": Check(a_level_probes, _a_level, A_LEVEL_SLIPS, atol=1e-3),
    "11.sone": Check(sone_probes, _sone, SONE_SLIPS, atol=1e-3),
    "11.match": Check(match_probes, _match, MATCH_SLIPS, atol=1e-6),
}
