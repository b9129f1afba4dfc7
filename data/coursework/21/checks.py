"""What the checks of unit 21 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import get_window

from helpers import spectra
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def bin_probes() -> list[Probe]:
    """Return the two tones of the first figure, then others, short and long records."""
    calls = (
        ([1000, 1100], 8000, 1),
        ([1000, 1100], 8000, 100),
        ([440], 44100, 1000),
        ([100, 150, 240], 16000, 1600),
        ([697, 1209], 8000, 50),
        ([125, 250, 375], 8000, 129),
        ([60, 90], 6000, 401),
        ([1600, 1000], 8000, 1),
        ([1600, 1000, 800], 8000, 81),
        ([1000, 1100], 8000, 160),
    )
    return [
        Probe(
            (np.array(freqs), sr, shortest),
            f"freqs = {freqs}, sr = {sr} and shortest = {shortest}",
        )
        for freqs, sr, shortest in calls
    ]


def _whole(freqs, sr):
    return sr // np.gcd(sr, freqs)


def _up(shortest, step):
    return int(-(-shortest // step) * step)


def _length(freqs, sr, shortest):
    return _up(shortest, np.lcm.reduce(_whole(freqs, sr)))


BIN_SLIPS = (
    ("the first tone alone", lambda f, sr, short: _up(short, _whole(f, sr)[0])),
    ("shortest ignored", lambda f, sr, short: np.lcm.reduce(_whole(f, sr))),
    ("one period too many", lambda f, sr, short: _length(f, sr, short + 1)),
    ("the lengths multiplied", lambda f, sr, short: _up(short, np.prod(_whole(f, sr)))),
    ("the longest alone", lambda f, sr, short: _up(short, np.max(_whole(f, sr)))),
    ("a power of two", lambda f, sr, short: 2 ** math.ceil(math.log2(_length(f, sr, short)))),
    ("a power of two", lambda f, sr, short: 2 ** math.ceil(math.log2(short))),
    (
        "rounded down",
        lambda f, sr, short: short // np.lcm.reduce(_whole(f, sr)) * np.lcm.reduce(_whole(f, sr)),
    ),
    ("in seconds", lambda f, sr, short: _length(f, sr, short) / sr),
    ("whole milliseconds", lambda f, sr, short: _up(short, sr)),
    ("shortest itself", lambda f, sr, short: short),
    ("one of them is enough", lambda f, sr, short: min(_up(short, s) for s in _whole(f, sr))),
    ("sum of the frequencies", lambda f, sr, short: _up(short, _whole(np.sum(f), sr))),
    ("multiple of the frequencies", lambda f, sr, short: np.lcm.reduce(f)),
    ("common divisor alone", lambda f, sr, short: sr // np.gcd.reduce(f)),
    ("one period at least", lambda f, sr, short: max(short, sr // np.min(f) + 1)),
    ("whole milliseconds", lambda f, sr, short: sr * short),
    ("length added", lambda f, sr, short: np.lcm.reduce(_whole(f, sr)) + short),
    ("the lowest alone", lambda f, sr, short: int(sr / np.min(f))),
)


def leak_probes() -> list[Probe]:
    """Return distances on a bin, half-way and anywhere, for records of several lengths."""
    first = np.array([0.0, 0.5, 1.0, 1.5, -3.5])
    probes = [Probe((first, n), f"d = [0, 0.5, 1, 1.5, −3.5] and n = {n}") for n in (8, 32)]
    for n in (15, 64):
        d = np.append(0.0, np.round(np.random.default_rng(n).uniform(-n / 2, n / 2, 12), 2))
        probes.append(Probe((d, n), f"13 distances, 0 first, and n = {n}"))
    return probes


def _ratio(d, n):
    return np.sinc(d) / np.sinc(np.divide(d, n))


LEAK_SLIPS = (
    ("NaN on the bin", lambda d, n: np.abs(np.sin(np.pi * d) / (n * np.sin(np.pi * d / n)))),
    ("not divided by n", lambda d, n: n * np.abs(_ratio(d, n))),
    ("radians without pi", lambda d, n: np.abs(_ratio(d / np.pi, n))),
    ("plain sinc", lambda d, n: np.abs(np.sinc(d))),
    ("negative side lobes", lambda d, n: _ratio(d, n)),
    ("decibels", lambda d, n: 20 * np.log10(np.abs(_ratio(d, n)))),
    ("power", lambda d, n: _ratio(d, n) ** 2),
)


def amplitude_probes() -> list[Probe]:
    """Return sines on a bin through several windows, with a weaker sine beside them, and one
    between bins.
    """
    probes = []
    for window, n in (
        ("boxcar", 64),
        ("hann", 64),
        ("blackman", 101),
        ("flattop", 240),
        ("hamming", 75),
    ):
        rng = np.random.default_rng(n + len(window))
        amp, k, phase = (
            round(rng.uniform(0.2, 0.9), 2),
            int(rng.integers(8, 12)),
            rng.uniform(0, 2 * np.pi, 2),
        )
        turn = 2 * np.pi * np.arange(n) / n
        y = amp * np.cos(k * turn + phase[0]) + 0.3 * amp * np.cos((k + 12) * turn + phase[1])
        args = (y, spectra.window_samples(window, n=n))
        say = (
            f"a sine of amplitude {amp} in bin {k} of {n} samples, a weaker one, and the window "
            f"{window!r}"
        )
        probes.append(Probe(args, say, "no window" if window == "boxcar" else "window"))
    between = 0.4 * np.cos(2 * np.pi * 9.5 * np.arange(64) / 64 + 1)
    say = "a sine half-way between two bins of 64 samples, and the window 'hann'"
    return [*probes, Probe((between, spectra.window_samples("hann", n=64)), say, "between")]


def _tallest(y, w):
    return np.abs(np.fft.rfft(y * w)).max()


AMPLITUDE_SLIPS = (
    ("divided by n", lambda y, w: 2 * _tallest(y, w) / len(y)),
    ("half of it", lambda y, w: _tallest(y, w) / w.sum()),
    ("not scaled", _tallest),
    ("RMS", lambda y, w: np.sqrt(2) * _tallest(y, w) / w.sum()),
    ("scaled for noise", lambda y, w: 2 * _tallest(y, w) / np.sqrt(len(w) * np.sum(w**2))),
    ("peak of the samples", lambda y, w: np.abs(y).max()),
    ("sum of squares", lambda y, w: 2 * _tallest(y, w) / np.sum(w**2)),
)


def noise_probes() -> list[Probe]:
    """Return windows of several kinds and lengths, with floors that go with them."""
    probes = []
    for kind, n, floor in (
        ("hann", 1024, -52.3),
        ("boxcar", 1024, -54.1),
        ("hann", 16384, -64.4),
        ("blackmanharris", 500, -40.0),
        ("flattop", 256, -71.2),
    ):
        w = get_window(kind, n)
        probes.append(Probe((floor, w), f"a floor of −{-floor:g} dB and {n} samples of {kind}"))
    return probes


def _noise(floor_db, w, *, enbw=None, twos=4.0, factor=10):
    if enbw is None:
        enbw = len(w) * np.sum(w**2) / np.sum(w) ** 2
    return floor_db - factor * np.log10(twos * enbw / len(w))


NOISE_SLIPS = (
    ("no ENBW", lambda floor, w: _noise(floor, w, enbw=1.0)),
    ("power for amplitude squared", lambda floor, w: _noise(floor, w, twos=2)),
    ("both factors of two", lambda floor, w: _noise(floor, w, twos=1)),
    ("20 for a power", lambda floor, w: _noise(floor, w, factor=20)),
    ("the wrong way", lambda floor, w: 2 * floor - _noise(floor, w)),
    ("the floor itself", lambda floor, w: floor),
    ("n for n/2", lambda floor, w: floor + 10 * np.log10(len(w))),
    ("n for n/2", lambda floor, w: floor + 10 * np.log10(len(w) / 2)),
    ("natural logarithm", lambda floor, w: floor + np.log(10) * (_noise(floor, w) - floor)),
    ("coherent gain twice", lambda floor, w: _noise(floor, w) + 20 * np.log10(np.mean(w))),
)


def parabola_probes() -> list[Probe]:
    """Return hills that stand straight and hills that lean, at several levels."""
    hills = [
        (-1.0, 0.0, -3.0),
        (-6.0, 0.0, -6.0),
        (-31.4, -25.0, -25.3),
        (10.2, 12.0, 5.5),
        (-80.0, -74.1, -77.7),
    ]
    probes = []
    for hill in hills:
        shown = ", ".join(f"{level:g}" for level in hill).replace("-", "−")
        probes.append(Probe((np.array(hill),), f"levels = [{shown}]"))
    return probes


def _offset(levels):
    left, middle, right = levels
    return 0.5 * (left - right) / (left - 2 * middle + right)


def _gravity(levels):
    amps = 10 ** (np.asarray(levels) / 20)
    return (amps[2] - amps[0]) / amps.sum()


PARABOLA_SLIPS = (
    ("wrong way", lambda levels: -_offset(levels)),
    ("twice as far", lambda levels: 2 * _offset(levels)),
    ("half as far", lambda levels: _offset(levels) / 2),
    ("centre of gravity", _gravity),
    ("parabola through amplitudes", lambda levels: _offset(10 ** (levels / 20))),
    ("counted from the left", lambda levels: 1 + _offset(levels)),
    ("middle forgotten", lambda levels: 0.5 * (levels[0] - levels[2]) / (levels[0] + levels[2])),
)

LOWS, HIGHS = np.array([697.0, 770.0, 852.0, 941.0]), np.array([1209.0, 1336.0, 1477.0, 1633.0])


def strongest_probes() -> list[Probe]:
    """Return dialled keys, long records first; the phases are random, and the other band sounds as
    well.
    """
    probes, rng = [], np.random.default_rng(4)
    for n, group in ((400, "long"), (50, "short"), (44, "short"), (47, "short")):
        for low, high in zip(LOWS, np.roll(HIGHS, 2), strict=True):
            times, phase = np.arange(n) / 8000, rng.uniform(0, 2 * np.pi, 2)
            y = 0.5 * np.sin(2 * np.pi * low * times + phase[0]) + 0.5 * np.sin(
                2 * np.pi * high * times + phase[1]
            )
            y += 0.02 * rng.standard_normal(n)
            say = f"{n} samples at 8000 Hz that hold {low:g} and {high:g} Hz, and the four "
            probes.append(Probe((y, 8000, LOWS), say + "low frequencies", group))
            probes.append(Probe((y, 8000, HIGHS), say + "high frequencies", group))
    known, times = np.array([500.5, 610.25, 745.75]), np.arange(400) / 8000
    y = 0.5 * np.sin(2 * np.pi * 745.75 * times + 1) + 0.2 * np.sin(2 * np.pi * 2000 * times)
    say = "400 samples at 8000 Hz that hold 745.75 and 2000 Hz, and 500.5, 610.25 and 745.75 Hz"
    return [*probes, Probe((y, 8000, known), say, "short")]


def _sums(y, sr, known):
    return np.exp(2j * np.pi * np.outer(known, np.arange(len(y)) / sr)) @ y


def _strongest(y, sr, known):
    return known[np.argmax(np.abs(_sums(y, sr, known)))]


def _nearest_bin(y, sr, known):
    freqs, bins = np.fft.rfftfreq(len(y), 1 / sr), np.abs(np.fft.rfft(y))
    inside = (freqs > known.min() - 90) & (freqs < known.max() + 90)
    return known[np.argmin(np.abs(known - freqs[inside][np.argmax(bins[inside])]))]


STRONGEST_SLIPS = (
    ("nearest bin only", _nearest_bin),
    ("the place in the list", lambda y, sr, known: np.argmax(np.abs(_sums(y, sr, known)))),
    ("the weakest", lambda y, sr, known: known[np.argmin(np.abs(_sums(y, sr, known)))]),
    (
        "samples taken for seconds",
        lambda y, sr, known: known[np.argmax(np.abs(_sums(y, 1, known)))],
    ),
    ("cosines only", lambda y, sr, known: known[np.argmax(np.abs(_sums(y, sr, known).real))]),
    ("one bin of the record", lambda y, sr, known: sr / len(y) * np.argmax(np.abs(np.fft.rfft(y)))),
    ("largest signed value", lambda y, sr, known: known[np.argmax(_sums(y, sr, known))]),
)

# ---- what a right function makes ----------------------------------------------------------------


def bin_view():
    """Return shortest lengths, for two tones that fit together every 80 samples."""
    shortest = np.arange(1, 402, 8)
    return shortest, [(np.array([1000, 1100]), 8000, int(n)) for n in shortest]


def leak_view():
    """Return distances up to six bins to either side, for 64 samples."""
    d = np.linspace(-6, 6, 121)
    return d, [(d, 64)]


def amplitude_view():
    """Return places of a sine of amplitude 0.5, over three bins of 64 samples of Hann."""
    places = np.linspace(9.0, 12, 49)
    turn = 2 * np.pi * np.arange(64) / 64
    w = get_window("hann", 64)
    return places, [(0.5 * np.cos(place * turn + 1), w) for place in places]


def noise_view():
    """Return records from 64 to 65 536 samples of Hann, whose floor is at -52.3 dB each time."""
    powers = np.arange(6, 17)
    return powers, [(-52.3, get_window("hann", 2 ** int(power))) for power in powers]


def parabola_view():
    """Return places of a tone between two bins, and three levels around its tallest bin."""
    places = np.linspace(-0.49, 0.49, 49)
    n = np.arange(64)
    hills = []
    for place in places:
        y = np.exp(2j * np.pi * (20 + place) * n / 64) * get_window("hann", 64)
        hills.append((20 * np.log10(np.abs(np.fft.fft(y)[19:22])),))
    return places, hills


def strongest_view():
    """Return tones that glide over a band of the telephone, 50 samples each."""
    freqs = np.arange(650.0, 1001, 10)
    t = np.arange(50) / 8000
    return freqs, [(np.sin(2 * np.pi * freq * t + 1), 8000, LOWS) for freq in freqs]


CHECKS = {
    "21.bin": Check(
        bin_probes,
        _length,
        BIN_SLIPS,
        atol=1e-3,
        shows=Curve(bin_view, "shortest [samples], for 1000 and 1100 Hz", "length [samples]"),
    ),
    "21.leak": Check(
        leak_probes,
        lambda d, n: np.abs(_ratio(d, n)),
        LEAK_SLIPS,
        atol=1e-5,
        shows=Curve(leak_view, "distance from the tone [bins]", "amplitude"),
    ),
    "21.amplitude": Check(
        amplitude_probes,
        lambda y, w: 2 * _tallest(y, w) / w.sum(),
        AMPLITUDE_SLIPS,
        atol=1e-5,
        shows=Curve(amplitude_view, "place of a sine of 0.5 [bins], Hann", "amplitude"),
    ),
    "21.noise": Check(
        noise_probes,
        _noise,
        NOISE_SLIPS,
        atol=1e-3,
        shows=Curve(noise_view, "samples, as a power of 2; floor −52.3 dB", "level [dBFS]"),
    ),
    "21.parabola": Check(
        parabola_probes,
        _offset,
        PARABOLA_SLIPS,
        atol=1e-5,
        shows=Curve(parabola_view, "place of the tone [bins]", "offset [bins]"),
    ),
    "21.strongest": Check(
        strongest_probes,
        _strongest,
        STRONGEST_SLIPS,
        atol=1e-3,
        shows=Curve(strongest_view, "frequency of the tone [Hz]", "strongest [Hz]"),
    ),
}
