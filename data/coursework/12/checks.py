"""What the checks of unit 12 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import pitch
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe

_FIRST = (np.array([100.0, 10_000.0]), np.array([200.0, 10_100.0]))


def _pairs(*, falling: bool, seed: int = 0, reach: float = 3.0) -> list[Probe]:
    """Return the two steps of the title, then arrays of random pairs; going down only where
    `falling`.
    """
    probes = [Probe(_FIRST, "low = [100, 10 000] and high = [200, 10 100]", "up")]
    for n in (7, 1, 30):
        rng = np.random.default_rng(seed + n)
        low = np.round(np.exp(rng.uniform(np.log(60), np.log(4000), n)), 1)
        high = np.round(low * 2 ** rng.uniform(0.2, reach, n), 1)
        probes.append(Probe((low, high), f"{n} pair{'s' * (n > 1)} of tones, low first", "up"))
        if falling:
            probes.append(
                Probe((high, low), f"{n} pair{'s' * (n > 1)} of tones, high first", "down")
            )
    return sorted(probes, key=lambda probe: probe.group, reverse=True)


def semitone_probes() -> list[Probe]:
    """Return pairs of tones, upwards and downwards."""
    return _pairs(falling=True)


def _semitones(low, high):
    return 12 * np.log2(np.divide(high, low))


SEMITONE_SLIPS = (
    ("difference in hertz", lambda low, high: high - low),
    ("the ratio itself", lambda low, high: high / low),
    ("a straight line through the octave", lambda low, high: 12 * (high / low - 1)),
    ("octaves", lambda low, high: _semitones(low, high) / 12),
    ("cents", lambda low, high: 100 * _semitones(low, high)),
    ("logarithm to base 10", lambda low, high: 12 * np.log10(high / low)),
    ("natural logarithm", lambda low, high: 12 * np.log(high / low)),
    ("upside down", lambda low, high: -_semitones(low, high)),
)


def distance_probes() -> list[Probe]:
    """Return pairs of tones, upwards and downwards."""
    return _pairs(falling=True, seed=100)


def _distance(low, high):
    return pitch.hz_to_mel(high) - pitch.hz_to_mel(low)


def _slaney(freqs):
    return pitch.hz_to_mel(freqs, variant="slaney")


def _fant(freqs):
    return pitch.hz_to_mel(freqs, variant="fant")


DISTANCE_SLIPS = (
    ("mel of the difference", lambda low, high: 2595 * np.log10(1 + (high - low) / 700)),
    ("the upper tone only", lambda low, high: pitch.hz_to_mel(high)),
    ("natural logarithm", lambda low, high: _distance(low, high) * np.log(10)),
    ("1127 with base 10", lambda low, high: _distance(low, high) / 2595 * 1127),
    ("the 1 missing", lambda low, high: 2595 * np.log10(high / low)),
    ("Fant's mel", lambda low, high: _fant(high) - _fant(low)),
    ("Slaney's mel", lambda low, high: _slaney(high) - _slaney(low)),
    ("hertz", lambda low, high: high - low),
    ("upside down", lambda low, high: -_distance(low, high)),
)


def ladder_probes() -> list[Probe]:
    """Return ladders of several lengths, in the bass and across the range of speech."""
    calls = [
        (100.0, 200.0, 3),
        (100.0, 8000.0, 12),
        (440.0, 880.0, 2),
        (50.0, 4000.0, 41),
        (900.0, 7000.0, 6),
    ]
    return [
        Probe(args, "low = {:g}, high = {:g} and n = {}".format(*args), "ladder") for args in calls
    ]


def _rungs(low, high, n, *, variant="htk"):
    ends = pitch.hz_to_mel([low, high], variant=variant)
    return pitch.mel_to_hz(np.linspace(*ends, n), variant=variant)


LADDER_SLIPS = (
    ("equal hertz", lambda low, high, n: np.linspace(low, high, n)),
    ("equal ratios", lambda low, high, n: np.geomspace(low, high, n)),
    ("left in mel", lambda low, high, n: np.linspace(*pitch.hz_to_mel([low, high]), n)),
    ("Slaney's mel", lambda low, high, n: _rungs(low, high, n, variant="slaney")),
    ("ends missing", lambda low, high, n: _rungs(low, high, n + 2)[1:-1]),
    ("one rung too many", lambda low, high, n: _rungs(low, high, n + 1)),
    (
        "natural exponential",
        lambda low, high, n: 700 * np.expm1(pitch.hz_to_mel(_rungs(low, high, n)) / 2595),
    ),
    ("the 1 not taken away", lambda low, high, n: _rungs(low, high, n) + 700),
)


def erb_probes() -> list[Probe]:
    """Return a pair around 1 kHz, then arrays of pairs, narrow and wide."""
    first = (np.array([950.0]), np.array([1050.0]))
    return [Probe(first, "low = [950] and high = [1050]", "up"), *_pairs(falling=False, seed=200)]


def _erbs(low, high):
    return (high - low) / pitch.erb_bandwidth(np.add(low, high) / 2)


ERB_SLIPS = (
    ("bandwidth at the lower tone", lambda low, high: (high - low) / pitch.erb_bandwidth(low)),
    ("bandwidth at the upper tone", lambda low, high: (high - low) / pitch.erb_bandwidth(high)),
    ("kilohertz", lambda low, high: (high - low) / (24.7 * (1 + 4.37 * (low + high) / 2))),
    ("the 1 missing", lambda low, high: (high - low) / (24.7 * 0.00437 * (low + high) / 2)),
    ("upside down", lambda low, high: 1 / _erbs(low, high)),
    ("the bandwidth itself", lambda low, high: pitch.erb_bandwidth((low + high) / 2)),
    ("gap in hertz", lambda low, high: high - low),
    (
        "difference in ERB-rate",
        lambda low, high: pitch.hz_to_erb_rate(high) - pitch.hz_to_erb_rate(low),
    ),
    ("wrong sign", lambda low, high: -_erbs(low, high)),
)

CHECKS = {
    "12.semitones": Check(semitone_probes, _semitones, SEMITONE_SLIPS, atol=1e-3),
    "12.distance": Check(distance_probes, _distance, DISTANCE_SLIPS, atol=0.05),
    "12.ladder": Check(ladder_probes, _rungs, LADDER_SLIPS, atol=1e-2),
    "12.erbs": Check(erb_probes, _erbs, ERB_SLIPS, atol=1e-3),
}
