"""What the checks of unit 13 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import pitch
from helpers.coursework.checking import Check, Probe
from helpers.coursework.views import Curve, Sound

# ---- 13.repeats ----------------------------------------------------------------------------------


def repeats_probes() -> list[Probe]:
    """Return sums of neighbours first, then sums with gaps, out of order, of odd harmonics."""
    sums = (
        ([600, 800, 1000], "neighbours"),
        ([900, 1200, 1500, 1800], "neighbours"),
        ([600, 1000, 1400], "gaps"),
        ([1485, 330, 605, 770], "gaps"),
        ([720, 1080, 1620, 1980], "gaps"),
        ([441, 1029, 735], "gaps"),
        ([450, 600, 1200], "gaps"),
    )
    return [Probe((np.array(f),), f"partials = {f}", group) for f, group in sums]


def _repeats(partials):
    return np.gcd.reduce(partials)


REPEATS_SLIPS = (
    ("lowest partial", lambda f: np.min(f)),
    ("first gap", lambda f: f[1] - f[0]),
    ("smallest gap", lambda f: np.min(np.diff(np.sort(f)))),
    ("mean gap", lambda f: np.mean(np.diff(np.sort(f)))),
    ("mean frequency", lambda f: np.mean(f)),
    ("period", lambda f: 1 / _repeats(f)),
    ("least common multiple", lambda f: np.lcm.reduce(f)),
    ("first two only", lambda f: np.gcd(f[0], f[1])),
    ("divisor of the gaps", lambda f: np.gcd.reduce(np.diff(f))),
    ("highest partial", lambda f: np.max(f)),
    ("span", lambda f: np.ptp(f)),
)

# ---- 13.adsr -------------------------------------------------------------------------------------


def adsr_probes() -> list[Probe]:
    """Return notes with long and with short parts, at two sampling rates."""
    notes = (
        (0.1, 0.2, 0.5, 0.3, 0.6, 100),
        (0.05, 0.3, 0.25, 0.1, 0.8, 400),
        (0.3, 0.1, 0.8, 0.45, 0.9, 200),
        (0.02, 0.13, 0.6, 0.25, 0.4, 1000),
    )
    said = "attack = {}, decay = {}, sustain = {}, release = {}, key = {} and sr = {}"
    return [Probe(args, said.format(*args), "note") for args in notes]


def _corners(times, heights, key, release, sr):
    return np.interp(np.arange(round((key + release) * sr)) / sr, times, heights)


def _adsr(a, d, s, r, key, sr):
    return _corners([0, a, a + d, key, key + r], [0, 1, s, s, 0], key, r, sr)


def _from_the_start(a, d, s, r, key, sr):
    return _corners([0, a, max(a, d), key, key + r], [0, 1, s, s, 0], key, r, sr)


def _from_the_top(a, d, s, r, key, sr):
    t = np.arange(round((key + r) * sr)) / sr
    return np.where(t < key, _adsr(a, d, s, r, key, sr), 1 - (t - key) / r)


def _held_longer(a, d, s, r, key, sr):
    held = [0, a, a + d, a + d + key, a + d + key + r]
    return _corners(held, [0, 1, s, s, 0], key, r, sr)


ADSR_SLIPS = (
    ("decay from the start", _from_the_start),
    ("release from the top", _from_the_top),
    (
        "no sustain",
        lambda a, d, s, r, key, sr: _corners([0, a, a + d, key + r], [0, 1, s, 0], key, r, sr),
    ),
    (
        "down to nothing",
        lambda a, d, s, r, key, sr: _corners([0, a, a + d], [0, 1, 0], key, r, sr),
    ),
    (
        "stays at sustain",
        lambda a, d, s, r, key, sr: _corners([0, a, a + d], [0, 1, s], key, r, sr),
    ),
    (
        "attack at once",
        lambda a, d, s, r, key, sr: _corners([a, a + d, key, key + r], [1, s, s, 0], key, r, sr),
    ),
    ("key without attack", _held_longer),
    (
        "silent at key",
        lambda a, d, s, r, key, sr: _corners([0, a, a + d, key], [0, 1, s, 0], key, r, sr),
    ),
    (
        "rises to sustain",
        lambda a, d, s, r, key, sr: _corners([0, a, key, key + r], [0, s, s, 0], key, r, sr),
    ),
    ("sustain upside down", lambda a, d, s, r, key, sr: _adsr(a, d, 1 - s, r, key, sr)),
)

# ---- 13.envelope ---------------------------------------------------------------------------------


def envelope_probes() -> list[Probe]:
    """Return one resonance, then two and three."""
    freqs = np.array([50.0, 300.0, 500.0, 700.0, 1500.0, 4000.0])
    cases = (
        ([500.0], [50.0]),
        ([730.0, 1090.0], [60.0, 90.0]),
        ([270.0, 2290.0, 3010.0], [40.0, 120.0, 170.0]),
    )
    probes = []
    for formants, widths in cases:
        args = (freqs, np.array(formants), np.array(widths))
        probes.append(Probe(args, f"formants = {formants} and widths = {widths}", "mouth"))
    return probes


def _size(freqs, F, B):
    return F**2 / np.sqrt((F**2 - freqs**2) ** 2 + (B * freqs) ** 2)


def _sizes(freqs, formants, widths):
    return np.array([_size(freqs, F, B) for F, B in zip(formants, widths, strict=True)])


def _envelope(freqs, formants, widths):
    return np.sum(20 * np.log10(_sizes(freqs, formants, widths)), axis=0)


def _width_alone(freqs, formants, widths):
    total = np.zeros(len(freqs))
    for F, B in zip(formants, widths, strict=True):
        total = total + 20 * np.log10(F**2 / np.sqrt((F**2 - freqs**2) ** 2 + B**2))
    return total


def _plus(freqs, formants, widths):
    F, B = formants[:, None], widths[:, None]
    sizes = F**2 / np.sqrt((F**2 + freqs**2) ** 2 + (B * freqs) ** 2)
    return np.sum(20 * np.log10(sizes), axis=0)


def _width_times_formant(freqs, formants, widths):
    F, B = formants[:, None], widths[:, None]
    sizes = F**2 / np.sqrt((F**2 - freqs**2) ** 2 + (B * F) ** 2)
    return np.sum(20 * np.log10(sizes), axis=0)


def _no_root(freqs, formants, widths):
    total = np.zeros(len(freqs))
    for F, B in zip(formants, widths, strict=True):
        total = total + 20 * np.log10(F**2 / ((F**2 - freqs**2) ** 2 + (B * freqs) ** 2))
    return total


ENVELOPE_SLIPS = (
    ("power for amplitude", lambda f, F, B: _envelope(f, F, B) / 2),
    ("sizes added", lambda f, F, B: 20 * np.log10(np.sum(_sizes(f, F, B), axis=0))),
    ("last one only", lambda f, F, B: _envelope(f, F[-1:], B[-1:])),
    ("first one only", lambda f, F, B: _envelope(f, F[:1], B[:1])),
    ("bandwidth not times f", _width_alone),
    ("no root", _no_root),
    ("upside down", lambda f, F, B: -_envelope(f, F, B)),
    ("ratios, not dB", lambda f, F, B: np.prod(_sizes(f, F, B), axis=0)),
    ("ratios added up", lambda f, F, B: np.sum(_sizes(f, F, B), axis=0)),
    ("loudest one only", lambda f, F, B: 20 * np.log10(np.max(_sizes(f, F, B), axis=0))),
    ("plus for minus", _plus),
    ("width times F", _width_times_formant),
)

# ---- 13.chroma -----------------------------------------------------------------------------------


def chroma_probes() -> list[Probe]:
    """Return frequencies away from the borders of keys and octaves, the two of the text first."""
    freqs = (440.0, 880.0, 262.5, 500.0, 28.4, 3000.0, 97.0, 1234.5, 710.0)
    return [Probe((f,), f"freq = {f:g}", "note") for f in freqs]


def _midi(freq):
    return 69 + 12 * np.log2(freq / 440)


def _chroma(freq):
    return np.array([_midi(freq) % 12, _midi(freq) // 12 - 1])


def _from_a(freq):
    above = 12 * np.log2(freq / 440)
    return np.array([above % 12, above // 12 + 4])


CHROMA_SLIPS = (
    ("counted from A", _from_a),
    ("not folded", lambda f: np.array([_midi(f), _midi(f) // 12 - 1])),
    ("octave one too high", lambda f: np.add(_chroma(f), (0, 1))),
    ("rounded to a key", lambda f: np.array([round(_midi(f)) % 12, _midi(f) // 12 - 1])),
    ("octave with a fraction", lambda f: np.array([_midi(f) % 12, _midi(f) / 12 - 1])),
    ("exchanged", lambda f: _chroma(f)[::-1]),
    ("share of an octave", lambda f: _chroma(f) / [12, 1]),
    ("octave rounded", lambda f: np.array([_midi(f) % 12, round(_midi(f) / 12) - 1])),
    ("counted from −1 twice", lambda f: np.add(_chroma(f), (0, 2))),
    ("frequency divided", lambda f: np.array([f % 440, f // 440])),
    ("octave changes at A", lambda f: np.array([_chroma(f)[0], _from_a(f)[1]])),
)

# ---- 13.apart ------------------------------------------------------------------------------------


def apart_probes() -> list[Probe]:
    """Return the F0 of the text, then arrays of several lengths."""
    probes = [Probe((np.array([200.0]),), "f0 = [200]")]
    for n in (5, 1, 12):
        f0 = np.round(np.random.default_rng(n).uniform(70, 500, n), 1)
        probes.append(Probe((f0,), f"{n} random value{'s' * (n > 1)} of f0"))
    return probes


def _apart(f0):
    return (f0 / 24.7 - 1) / (0.00437 * f0)


APART_SLIPS = (
    ("ERB at the fundamental", lambda f0: f0 / pitch.erb_bandwidth(f0)),
    ("the frequency", lambda f0: (f0 / 24.7 - 1) / 0.00437),
    ("kilohertz", lambda f0: (f0 / 24.7 - 1) / (4.37 * f0)),
    ("the 1 forgotten", lambda f0: f0 / 24.7 / (0.00437 * f0)),
    ("rounded down", lambda f0: np.floor(_apart(f0))),
    ("the next one too", lambda f0: _apart(f0) + 1),
    ("width of Bark", lambda f0: f0 / 100),
    ("1 added", lambda f0: (f0 / 24.7 + 1) / (0.00437 * f0)),
    ("not by 24.7", lambda f0: (f0 - 24.7) / (0.00437 * f0)),
    ("upside down", lambda f0: pitch.erb_bandwidth(f0) / f0),
    ("halfway", lambda f0: f0 / 24.7 - 1),
)

# ---- 13.notch_share ------------------------------------------------------------------------------


def share_probes() -> list[Probe]:
    """Return the notches of the text, then others between them."""
    return [
        Probe((np.array([0.0, 1.0, 2.0]),), "u = [0, 1, 2]", "notch"),
        Probe((np.array([0.5]),), "u = [0.5]", "notch"),
        Probe((np.array([0.13, 0.3, 0.75, 1.13, 1.6]),), "u = [0.13, 0.3, ...]", "notch"),
    ]


def _share(u):
    return (1 + 2 * u) * np.exp(-4 * u)


SHARE_SLIPS = (
    ("height at the edge", lambda u: (1 + 4 * u) * np.exp(-4 * u)),
    ("what is taken away", lambda u: 1 - _share(u)),
    ("not divided", lambda u: _share(u) / 2),
    ("in decibels", lambda u: 10 * np.log10(_share(u))),
    ("plain exponential", lambda u: np.exp(-4 * u)),
    ("amplitudes", lambda u: np.sqrt(_share(u))),
    ("one side twice as wide", lambda u: _share(u / 2)),
    ("height in dB", lambda u: 10 * np.log10((1 + 4 * u) * np.exp(-4 * u))),
    ("height taken away", lambda u: 1 - (1 + 4 * u) * np.exp(-4 * u)),
    ("exponent too slow", lambda u: (1 + 2 * u) * np.exp(-2 * u)),
    ("straight line", lambda u: np.maximum(1 - u, 0)),
)

# ---- 13.bits -------------------------------------------------------------------------------------


def bits_probes() -> list[Probe]:
    """Return bands that stand out, then others among them that are hidden anyway."""
    probes = []
    hidden = np.array([20.0, 31.5, 4.0, 12.0])
    out = hidden + np.array([6.03, 20.0, 12.05, 33.0])
    probes.append(Probe((out, hidden), "four bands that stand out", "out"))
    rng = np.random.default_rng(13)
    for n in (6, 40):
        hidden = np.round(rng.uniform(0, 50, n), 1)
        level = hidden + np.round(rng.uniform(-30, 60, n), 2)
        probes.append(Probe((level, hidden), f"{n} bands, some hidden anyway", "some hidden"))
    return probes


def _over(level, hidden):
    return np.maximum(level - hidden, 0)


def _bits(level, hidden):
    return np.ceil(_over(level, hidden) / 6.02)


BITS_SLIPS = (
    ("negative bits", lambda level, hidden: np.ceil((level - hidden) / 6.02)),
    ("rounded down", lambda level, hidden: np.floor(_over(level, hidden) / 6.02)),
    ("rounded to the nearest", lambda level, hidden: np.round(_over(level, hidden) / 6.02)),
    ("not rounded", lambda level, hidden: _over(level, hidden) / 6.02),
    ("3 dB a bit", lambda level, hidden: np.ceil(_over(level, hidden) / 3.01)),
    ("the other way round", lambda level, hidden: _bits(hidden, level)),
    ("level alone", lambda level, hidden: np.ceil(np.maximum(level, 0) / 6.02)),
    ("decibels", _over),
    ("distance either way", lambda level, hidden: np.ceil(np.abs(level - hidden) / 6.02)),
    ("one bit at least", lambda level, hidden: np.maximum(_bits(level, hidden), 1)),
    ("negative all over", lambda level, hidden: np.ceil((hidden - level) / 6.02)),
    ("12 dB a bit", lambda level, hidden: np.ceil(_over(level, hidden) / 12.04)),
    ("levels for distances", lambda level, hidden: np.ceil(np.maximum(level, hidden) / 6.02)),
)

# ---- what a right function makes ----------------------------------------------------------------


SR = 16000


def repeats_view():
    """Return second partials from 600 to 1200 Hz, each beside one of 600 Hz."""
    second = np.arange(600, 1201, 25)
    return second, [(np.array([600, f]),) for f in second]


def adsr_view():
    """Return the moments of a note of 0.9 s, 200 values a second."""
    return np.arange(180) / 200, [(0.1, 0.2, 0.5, 0.3, 0.6, 200)]


def _vowel():
    """Return harmonics of 120 Hz, and the formants of an ah with their widths."""
    mouth = np.array([730.0, 1090, 2440, 3500]), np.array([60.0, 90, 150, 200])
    return 120.0 * np.arange(1, 42), *mouth


def _vowels_heard(own, right, freqs, formants, widths):
    """Return a buzz with harmonics that fall as 1/k, and what two mouths make of it."""
    t = np.arange(SR) / SR
    waves = np.sin(2 * np.pi * np.outer(freqs, t)) * freqs[0] / freqs[:, None]
    ramps = np.minimum(1, 50 * np.minimum(t, t[::-1]))  # 20 ms
    gains = {"the buzz": 0 * right, "your mouth": own, "the right mouth": right}
    heard = {name: 10 ** (gain / 20) @ waves for name, gain in gains.items()}
    return {name: 0.03 * ramps * y / np.std(y) for name, y in heard.items()}


def chroma_view():
    """Return two octaves and a half from 110 Hz on."""
    freqs = np.geomspace(111.0, 640, 49)
    return freqs, [(float(freq),) for freq in freqs]


def _chroma_alone(places):
    return places[:, 0]


def apart_view():
    """Return F0 of low and of high voices, and one call for all."""
    f0 = np.arange(60.0, 601, 10)
    return f0, [(f0,)]


def share_view():
    """Return notches up to 2.5 ERBs on either side."""
    u = np.linspace(0, 2.5, 51)
    return u, [(u,)]


def _in_decibels(shares):
    return 10 * np.log10(np.maximum(shares, 1e-5))


def bits_view():
    """Return levels of bands over what is hidden there, which is 30 dB."""
    over = np.arange(-20.0, 51, 2.5)
    return over, [(over + 30, np.full(over.size, 30.0))]


CHECKS = {
    "13.repeats": Check(
        repeats_probes,
        _repeats,
        REPEATS_SLIPS,
        atol=1e-4,
        shows=Curve(repeats_view, "partial [Hz] beside one of 600 Hz", "repeats a second"),
    ),
    "13.adsr": Check(
        adsr_probes,
        _adsr,
        ADSR_SLIPS,
        atol=1e-6,
        shows=Curve(adsr_view, "time [s], the key let go at 0.6", "envelope"),
    ),
    "13.envelope": Check(
        envelope_probes,
        _envelope,
        ENVELOPE_SLIPS,
        atol=1e-4,
        shows=Sound(_vowel, _vowels_heard, SR),
    ),
    "13.chroma": Check(
        chroma_probes,
        _chroma,
        CHROMA_SLIPS,
        atol=1e-3,
        shows=Curve(chroma_view, "frequency [Hz]", "chroma [semitones above C]", _chroma_alone),
    ),
    "13.apart": Check(
        apart_probes,
        _apart,
        APART_SLIPS,
        atol=0.005,
        shows=Curve(apart_view, "F0 [Hz]", "harmonics apart"),
    ),
    "13.notch_share": Check(
        share_probes,
        _share,
        SHARE_SLIPS,
        atol=2e-4,
        shows=Curve(
            share_view, "clear on either side [ERB]", "noise let through [dB]", _in_decibels
        ),
    ),
    "13.bits": Check(
        bits_probes,
        _bits,
        BITS_SLIPS,
        atol=1e-6,
        shows=Curve(bits_view, "level over what is hidden [dB]", "bits"),
    ),
}
