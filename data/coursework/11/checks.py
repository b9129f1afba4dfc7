"""What the checks of unit 11 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve
from helpers.loudness import FREQS, equal_loudness_contour, weighting


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


def _sones(phons):
    return 2 ** ((np.asarray(phons, np.float64) - 40) / 10)


def _phon(sone):
    return 40 + 10 * np.log2(sone)


def _together(phons):
    return _phon(np.sum(_sones(phons)))


def sone_probes() -> list[Probe]:
    """Return one sound, equal sounds, and random ones between 40 and 90 phon."""
    probes = [Probe((np.array([60.0, 60]),), "two sounds of 60 phon")]
    probes.append(Probe((np.array([50.0]),), "one sound of 50 phon"))
    for seed, n in enumerate((3, 10, 30)):
        phons = np.round(np.random.default_rng(seed).uniform(40, 90, n), 1)
        probes.append(Probe((phons,), f"{n} random levels between 40 and 90 phon"))
    return probes


SONE_SLIPS = (
    ("phon added", np.sum),
    ("mean of the phon", np.mean),
    ("left in sone", lambda p: np.sum(_sones(p))),
    ("powers added", lambda p: 10 * np.log10(np.sum(10 ** (p / 10)))),
    ("amplitudes added", lambda p: 20 * np.log10(np.sum(10 ** (p / 20)))),
    ("the loudest alone", np.max),
    ("mean of the sones", lambda p: _phon(np.mean(_sones(p)))),
    ("natural logarithm", lambda p: 40 + 10 * np.log(np.sum(_sones(p)))),
    ("10 in the exponent alone", lambda p: 40 + 10 * np.log2(np.sum(2.0 ** (p - 40)))),
    ("10 in the exponent alone", lambda p: 40 + np.log2(np.sum(2.0 ** (p - 40)))),
    ("anchor forgotten", lambda p: _together(p) - 40),
    ("equal shares", lambda p: np.mean(p) + 10 * np.log2(len(p))),
    ("logarithm to base 10", lambda p: 40 + 10 * np.log10(np.sum(_sones(p)))),
    ("powers for sones", lambda p: _phon(np.sum(10 ** ((p - 40) / 10)))),
    ("10 forgotten", lambda p: 40 + np.log2(np.sum(_sones(p)))),
    ("always ten more", lambda p: np.max(p) + 10),
    ("half the sum", lambda p: np.sum(p) / 2),
)


def _peak_db(y):
    return 20 * np.log10(np.max(np.abs(y)))


def _move(y, gain_db):
    return np.asarray(y, np.float64) * 10 ** (gain_db / 20)


def _match(y, lufs, target, ceiling_db):
    return _move(y, min(target - lufs, ceiling_db - _peak_db(y)))


def match_probes() -> list[Probe]:
    """Return noise, mono and stereo, that the target limits, and such that the ceiling limits."""
    calls = (
        ((481,), -18.0, -24.0, -1.0, "target"),
        ((1000,), -41.5, -33.0, -1.0, "target"),
        ((2, 301), -29.3, -20.2, -12.0, "ceiling"),
        ((700,), -20.0, -10.0, -18.0, "ceiling"),
        ((2, 77), -15.0, -15.5, -26.0, "ceiling"),
    )
    probes = []
    for seed, (shape, lufs, target, ceiling, group) in enumerate(calls):
        rng = np.random.default_rng(seed)
        y = rng.uniform(0.02, 0.12) * rng.standard_normal(shape)
        y = y * (1.0 if len(shape) == 1 else np.array([[1.0], [0.4]]))
        way = 1 if seed == 3 else -1  # elsewhere the deepest dip lies further from 0 than any crest
        y[..., 3] = way * 1.2 * np.max(np.abs(y), axis=-1)
        say = (
            f"an array of shape {shape} at {lufs:g} LUFS with a peak of {_peak_db(y):.1f} dBFS, a "
        )
        say += f"target of {target:g} LUFS and a ceiling of {ceiling:g} dBFS"
        args = (y.astype((np.float64, np.float32)[seed % 2]), lufs, target, ceiling)
        probes.append(Probe(args, say.replace("-", "−"), group))
    return probes


def _by_channel(y, lufs, target, ceiling_db):
    peaks = 20 * np.log10(np.max(np.abs(y), axis=-1, keepdims=True))
    return _move(y, np.minimum(target - lufs, ceiling_db - peaks))


def _natural(y, lufs, target, ceiling_db):
    return y * np.exp(min(target - lufs, ceiling_db - _peak_db(y)) / 20)


MATCH_SLIPS = (
    ("ceiling ignored", lambda y, lufs, target, top: _move(y, target - lufs)),
    ("ceiling alone", lambda y, lufs, target, top: _move(y, top - _peak_db(y))),
    (
        "the larger gain",
        lambda y, lufs, target, top: _move(y, max(target - lufs, top - _peak_db(y))),
    ),
    (
        "cut off at the ceiling",
        lambda y, lufs, target, top: np.clip(
            _move(y, target - lufs), -(10 ** (top / 20)), 10 ** (top / 20)
        ),
    ),
    (
        "RMS for the peak",
        lambda y, lufs, target, top: _move(
            y, min(target - lufs, top - 10 * np.log10(np.mean(np.square(y, dtype=float))))
        ),
    ),
    ("ceiling taken for a gain", lambda y, lufs, target, top: _move(y, min(target - lufs, top))),
    (
        "factor of a power",
        lambda y, lufs, target, top: _move(y, 2 * min(target - lufs, top - _peak_db(y))),
    ),
    (
        "the wrong way round",
        lambda y, lufs, target, top: _move(y, min(lufs - target, top - _peak_db(y))),
    ),
    ("the wrong way round", lambda y, lufs, target, top: _move(y, lufs - target)),
    ("each channel by itself", _by_channel),
    (
        "the positive peak",
        lambda y, lufs, target, top: _move(y, min(target - lufs, top - 20 * np.log10(np.max(y)))),
    ),
    ("natural base", _natural),
    (
        "the gain alone",
        lambda y, lufs, target, top: np.float64(10 ** (min(target - lufs, top - _peak_db(y)) / 20)),
    ),
    ("target without measurement", lambda y, lufs, target, top: _move(y, target)),
    ("target without measurement", lambda y, lufs, target, top: _move(y, min(target, top))),
    ("peak at the target", lambda y, lufs, target, top: _move(y, target - _peak_db(y))),
    (
        "samples cut off",
        lambda y, lufs, target, top: np.clip(y, -(10 ** (top / 20)), 10 ** (top / 20)),
    ),
    ("decibels added to samples", lambda y, lufs, target, top: y + min(target - lufs, top)),
    ("decibels as a factor", lambda y, lufs, target, top: y * (top - lufs)),
    ("decibels as a factor", lambda y, lufs, target, top: y * (target - lufs)),
    (
        "peak not in decibels",
        lambda y, lufs, target, top: _move(y, min(target - lufs, top - np.max(np.abs(y)))),
    ),
    (
        "a ceiling of a power",
        lambda y, lufs, target, top: (
            y * min(10 ** ((target - lufs) / 20), 10 ** (top / 10) / np.max(np.abs(y)))
        ),
    ),
    ("both gains added", lambda y, lufs, target, top: _move(y, target - lufs + top)),
)

# ---- what a right function makes ----------------------------------------------------------------

OCTAVES = np.arange(-5, 3.51, 0.125)  # above 1 kHz: 31 Hz to 11.3 kHz


def make_up_view():
    """Return octaves above 1 kHz, and contours of 40 and 80 phon there."""
    freqs = 1000 * 2**OCTAVES
    return OCTAVES, [(*(equal_loudness_contour(phon, freqs) for phon in (40, 80)), freqs)]


def a_level_view():
    """Return octaves above 1 kHz, and one sine of amplitude 0.1 for each."""
    gains = weighting(1000 * 2**OCTAVES, curve="A")
    return OCTAVES, [(np.array([0.1]), np.array([gain])) for gain in gains]


def sone_view():
    """Return numbers of sounds of 60 phon, and a call for each."""
    numbers = np.arange(1, 21)
    return numbers, [(np.full(n, 60.0),) for n in numbers]


def match_view():
    """Return targets [LUFS] for a sound of −20 LUFS with a peak of −5 dBFS, its ceiling −1."""
    targets = np.arange(-40, -5)
    wave = 10 ** (-5 / 20) * np.sin(2 * np.pi * np.arange(400) / 20)
    return targets, [(wave, -20.0, float(target), -1.0) for target in targets]


def _peaks_db(sounds):
    return 20 * np.log10(np.max(np.abs(sounds), axis=-1) + 1e-6)


CHECKS = {
    "11.make_up": Check(
        make_up_probes,
        _make_up,
        MAKE_UP_SLIPS,
        atol=1e-3,
        shows=Curve(make_up_view, "octaves above 1 kHz, 80 phon played at 40", "gain [dB]"),
    ),
    "11.a_level": Check(
        a_level_probes,
        _a_level,
        A_LEVEL_SLIPS,
        atol=1e-3,
        shows=Curve(a_level_view, "octaves above 1 kHz, one sine of −20 dBFS", "level [dBFS]"),
    ),
    "11.sone": Check(
        sone_probes,
        _together,
        SONE_SLIPS,
        atol=1e-3,
        shows=Curve(sone_view, "number of sounds of 60 phon", "level [phon]"),
    ),
    "11.match": Check(
        match_probes,
        _match,
        MATCH_SLIPS,
        atol=1e-6,
        shows=Curve(match_view, "target of a sound of −20 LUFS [LUFS]", "peak [dBFS]", _peaks_db),
    ),
}
