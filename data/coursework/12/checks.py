"""What the checks of unit 12 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import pitch
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

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
    ("top left out", lambda low, high, n: _rungs(low, high, n + 1)[:-1]),
    ("one rung too many", lambda low, high, n: _rungs(low, high, n + 1)),
    (
        "natural exponential",
        lambda low, high, n: 700 * np.expm1(pitch.hz_to_mel(_rungs(low, high, n)) / 2595),
    ),
    ("the 1 not taken away", lambda low, high, n: _rungs(low, high, n) + 700),
)


def distance_probes() -> list[Probe]:
    """Return the pair of the page with a middle, then other pairs with middles all over them."""
    probes = [Probe((200.0, 1000.0, 3200.0), "low 200, middle 1000, high 3200")]
    rng = np.random.default_rng(12)
    for low, high in ((125.0, 2000.0), (200.0, 3200.0), (500.0, 8000.0), (60.0, 90.0)):
        middle = round(low * (high / low) ** rng.uniform(0.3, 0.8), 1)
        probes.append(Probe((low, middle, high), f"low {low:g}, middle {middle:g}, high {high:g}"))
    return probes


def _middles(low, high, *, erb=1 / 0.00437, mel=700.0):
    geometric = [np.sqrt((low + c) * (high + c)) - c for c in (0, erb, mel)]
    return np.array([*geometric, (low + high) / 2])


def _from_rulers(low, middle, high):
    return 12 * np.log2(middle / _middles(low, high))


def _slaney_third(low, middle, high):
    ends = pitch.hz_to_mel([low, high], variant="slaney")
    off = _from_rulers(low, middle, high)
    off[2] = 12 * np.log2(middle / pitch.mel_to_hz(np.mean(ends), variant="slaney"))
    return off


DISTANCE_SLIPS = (
    ("signs turned round", lambda low, mid, high: -_from_rulers(low, mid, high)),
    ("in octaves", lambda low, mid, high: _from_rulers(low, mid, high) / 12),
    ("in cents", lambda low, mid, high: 100 * _from_rulers(low, mid, high)),
    ("in hertz", lambda low, mid, high: mid - _middles(low, high)),
    ("ratios", lambda low, mid, high: mid / _middles(low, high)),
    (
        "ERB-rate and mel exchanged",
        lambda low, mid, high: _from_rulers(low, mid, high)[[0, 2, 1, 3]],
    ),
    (
        "kilohertz",
        lambda low, mid, high: 12 * np.log2(mid / _middles(low, high, erb=1 / 4.37)),
    ),
    (
        "corners missing",
        lambda low, mid, high: 12 * np.log2(mid / _middles(low, high, erb=0, mel=0)),
    ),
    (
        "mean of hertz throughout",
        lambda low, mid, high: np.full(4, 12 * np.log2(mid / ((low + high) / 2))),
    ),
    ("Slaney's mel", _slaney_third),
)


def erb_probes() -> list[Probe]:
    """Return 1000 Hz in a bank up to 8 kHz, then frequencies from the bass to the treble."""
    calls = [(1000.0, 8000.0), (100.0, 8000.0), (500.0, 11025.0), (3000.0, 8000.0), (40.0, 4000.0)]
    return [Probe(call, "freq = {:g} and fmax = {:g}".format(*call)) for call in calls]


def _bands(freq, fmax, *, below=0.5, above=0.5):
    width = pitch.erb_bandwidth(freq)
    edges = pitch.hz_to_mel(np.array([freq - below * width, freq + above * width]))
    return pitch.hz_to_mel(fmax) / (edges[1] - edges[0]) - 1


ERB_SLIPS = (
    ("steps for bands", lambda freq, fmax: _bands(freq, fmax) + 1),
    ("two too few", lambda freq, fmax: _bands(freq, fmax) - 1),
    (
        "width as if in mel",
        lambda freq, fmax: pitch.hz_to_mel(fmax) / pitch.erb_bandwidth(freq) - 1,
    ),
    (
        "mel of the width",
        lambda freq, fmax: pitch.hz_to_mel(fmax) / pitch.hz_to_mel(pitch.erb_bandwidth(freq)) - 1,
    ),
    ("edges a whole ERB away", lambda freq, fmax: _bands(freq, fmax, below=1, above=1)),
    ("upper half alone", lambda freq, fmax: _bands(freq, fmax, below=0)),
    ("from the lower edge", lambda freq, fmax: _bands(freq, fmax, below=0, above=1)),
    ("divided in hertz", lambda freq, fmax: fmax / pitch.erb_bandwidth(freq) - 1),
    ("divided in hertz", lambda freq, fmax: fmax / pitch.erb_bandwidth(freq)),
    ("upside down", lambda freq, fmax: 1 / (_bands(freq, fmax) + 1)),
    ("from the lower edge", lambda freq, fmax: _bands(freq, fmax, below=0, above=1) + 1),
    ("width as if in mel", lambda freq, fmax: pitch.hz_to_mel(fmax) / pitch.erb_bandwidth(freq)),
    (
        "corner forgotten",
        lambda freq, fmax: (
            np.log(1 + fmax / 700)
            / np.log(
                (freq + pitch.erb_bandwidth(freq) / 2) / (freq - pitch.erb_bandwidth(freq) / 2)
            )
            - 1
        ),
    ),
    ("mel of the frequency", lambda freq, fmax: pitch.hz_to_mel(fmax) / pitch.hz_to_mel(freq) - 1),
    ("the width itself", lambda freq, fmax: pitch.erb_bandwidth(freq)),
    ("ERBs on the whole ruler", lambda freq, fmax: pitch.hz_to_erb_rate(fmax)),
    ("widths from there on", lambda freq, fmax: (fmax - freq) / pitch.erb_bandwidth(freq)),
    ("multiplied", lambda freq, fmax: pitch.hz_to_mel(fmax) * pitch.erb_bandwidth(freq)),
    ("how many times the frequency", lambda freq, fmax: fmax / freq),
    (
        "ruler from there on",
        lambda freq, fmax: (
            (_bands(freq, fmax) + 1) * np.log(1 + (fmax - freq) / 700) / np.log(1 + fmax / 700) - 1
        ),
    ),
)

# ---- what a right function makes ----------------------------------------------------------------


def semitone_view():
    """Return tones from 100 to 1600 Hz, all heard against 100 Hz."""
    high = np.arange(100.0, 1601, 25)
    return high, [(np.full(high.size, 100.0), high)]


def ladder_view():
    """Return the rungs of a ladder over the range of the figures."""
    return np.arange(25), [(200.0, 6400.0, 25)]


def distance_view():
    """Return middles between 200 and 3200 Hz, one call for each."""
    middles = np.arange(300.0, 3101, 100)
    return middles, [(200.0, float(middle), 3200.0) for middle in middles]


def _above_mel(offsets):
    return offsets[:, 2]


def erb_view():
    """Return frequencies from the bass to the treble, in a bank up to 8 kHz."""
    freqs = np.linspace(50.0, 7500, 41)
    return freqs, [(float(freq), 8000.0) for freq in freqs]


CHECKS = {
    "12.semitones": Check(
        semitone_probes,
        _semitones,
        SEMITONE_SLIPS,
        atol=1e-3,
        shows=Curve(semitone_view, "higher tone [Hz], the lower at 100", "semitones"),
    ),
    "12.distance": Check(
        distance_probes,
        _from_rulers,
        DISTANCE_SLIPS,
        atol=1e-3,
        shows=Curve(
            distance_view, "middle [Hz] of 200 and 3200 Hz", "semitones above mel's", _above_mel
        ),
    ),
    "12.ladder": Check(
        ladder_probes,
        _rungs,
        LADDER_SLIPS,
        atol=1e-2,
        shows=Curve(ladder_view, "rung", "frequency [Hz]"),
    ),
    "12.erbs": Check(
        erb_probes,
        _bands,
        ERB_SLIPS,
        atol=1e-3,
        shows=Curve(erb_view, "frequency [Hz]", "bands up to 8 kHz"),
    ),
}
