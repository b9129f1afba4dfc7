"""What the checks of unit 02 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np
from scipy.signal import hilbert

from helpers import audio, signals
from helpers.coursework.checking import Check, Probe
from helpers.coursework.views import Curve, Sound

SR = 16000

# ---- a tone from an arrow -----------------------------------------------------------------------


def tone_probes() -> list[Probe]:
    """Return the worked example, then other tones at other times."""
    first = np.array([0.0, 0.001, 0.002])
    probes = [
        Probe(
            (first, 250, 0.5, 30), "t = [0, 0.001, 0.002], freq = 250, amp = 0.5 and degrees = 30"
        )
    ]
    for n, freq, amp, degrees in ((9, 440, 0.2, -75), (1, 97.3, 1.5, 140), (40, 1234, 0.07, 300)):
        t = np.round(np.random.default_rng(n).uniform(0, 0.02, n), 6)
        say = f"{n} random time{'s' * (n > 1)}, freq = {freq:g}, amp = {amp:g}"
        say += f" and degrees = {degrees:g}".replace("-", "−")
        probes.append(Probe((t, freq, amp, degrees), say))
    return probes


def _height(t, freq, amp, phase):
    return amp * np.sin(2 * np.pi * freq * t + phase)


def _tone(t, freq, amp, degrees):
    return _height(t, freq, amp, np.radians(degrees))


TONE_SLIPS = (
    ("phase in degrees", lambda t, freq, amp, degrees: _height(t, freq, amp, degrees)),
    ("everything in degrees", lambda t, freq, amp, degrees: amp * np.sin(360 * freq * t + degrees)),
    ("2 pi forgotten", lambda t, freq, amp, degrees: amp * np.sin(freq * t + np.radians(degrees))),
    (
        "half a turn",
        lambda t, freq, amp, degrees: amp * np.sin(np.pi * freq * t + np.radians(degrees)),
    ),
    (
        "turns in degrees",
        lambda t, freq, amp, degrees: amp * np.sin(360 * freq * t + np.radians(degrees)),
    ),
    (
        "start added to the time",
        lambda t, freq, amp, degrees: _height(t + np.radians(degrees), freq, amp, 0),
    ),
    ("phase forgotten", lambda t, freq, amp, degrees: _height(t, freq, amp, 0)),
    (
        "phase after the sine",
        lambda t, freq, amp, degrees: _height(t, freq, amp, 0) + np.radians(degrees),
    ),
    (
        "phase times 2 pi",
        lambda t, freq, amp, degrees: _height(t, freq, amp, 2 * np.pi * np.radians(degrees)),
    ),
    ("turned back", lambda t, freq, amp, degrees: _tone(t, freq, amp, -degrees)),
    ("cosine", lambda t, freq, amp, degrees: _tone(t, freq, amp, degrees + 90)),
    ("amplitude 1", lambda t, freq, amp, degrees: _tone(t, freq, 1, degrees)),
    ("period for frequency", lambda t, freq, amp, degrees: _tone(t, 1 / freq, amp, degrees)),
)

# ---- two equal tones ----------------------------------------------------------------------------


def sum_probes() -> list[Probe]:
    """Return angles between two tones, the plain ones first; none at which they cancel."""
    probes = [Probe((np.array([0.0, 90.0, 150.0]),), "degrees = [0, 90, 150]")]
    for n in (1, 6, 25):
        degrees = np.round(np.random.default_rng(n).uniform(-170, 170, n))
        probes.append(Probe((degrees,), f"{n} random angle{'s' * (n > 1)}"))
    return probes


def _length(degrees):
    angle = np.radians(degrees)
    return np.hypot(1 + np.cos(angle), np.sin(angle))


def _sum_db(degrees):
    return 20 * np.log10(_length(degrees))


def _ways_added(degrees):
    angle = np.radians(degrees)
    with np.errstate(invalid="ignore"):
        return 20 * np.log10(1 + np.cos(angle) + np.sin(angle))


SUM_SLIPS = (
    ("ways added", _ways_added),
    ("lengths add", lambda degrees: np.full(np.shape(degrees), 20 * np.log10(2))),
    ("powers add", lambda degrees: np.full(np.shape(degrees), 10 * np.log10(2))),
    ("one arrow only", lambda degrees: np.zeros(np.shape(degrees))),
    ("degrees", lambda degrees: _sum_db(np.degrees(degrees))),
    (
        "whole angle for half",
        lambda degrees: 20 * np.log10(2 * np.abs(np.cos(np.radians(degrees)))),
    ),
    ("the difference", lambda degrees: 20 * np.log10(2 * np.abs(np.sin(np.radians(degrees) / 2)))),
    ("east part only", lambda degrees: 20 * np.log10(1 + np.cos(np.radians(degrees)))),
    ("10 where 20 belongs", lambda degrees: _sum_db(degrees) / 2),
    ("length, not level", _length),
    ("mean of the two", lambda degrees: _sum_db(degrees) - 20 * np.log10(2)),
)

# ---- turning ------------------------------------------------------------------------------------


def turn_probes() -> list[Probe]:
    """Return arrows and angles, a quarter turn first."""
    first = np.array([1.0 + 0j, 3 + 4j, -2j])
    probes = [Probe((first, 90), "z = [1, 3 + 4i, −2i] and degrees = 90", "quarter")]
    for n, degrees in ((5, 30), (1, -130), (12, 400)):
        rng = np.random.default_rng(n)
        z = np.round(rng.standard_normal(n) + 1j * rng.standard_normal(n), 2)
        say = f"{n} random arrow{'s' * (n > 1)} and degrees = {degrees}".replace("-", "−")
        probes.append(Probe((z, degrees), say, "any"))
    return probes


def _turned(z, degrees):
    return z * np.exp(1j * np.radians(degrees))


TURN_SLIPS = (
    ("clockwise", lambda z, degrees: _turned(z, -degrees)),
    ("degrees as radians", lambda z, degrees: _turned(z, np.degrees(degrees))),
    ("a quarter, always", lambda z, degrees: 1j * z),
    ("angle added to the number", lambda z, degrees: z + np.radians(degrees)),
    ("multiplied by the angle", lambda z, degrees: z * np.radians(degrees)),
    ("times i times the angle", lambda z, degrees: z * 1j * np.radians(degrees)),
    ("a share of i", lambda z, degrees: z * 1j * degrees / 90),
    ("i forgotten", lambda z, degrees: z * np.exp(np.radians(degrees))),
    (
        "pointed, not turned",
        lambda z, degrees: _turned(np.abs(z), degrees),
    ),
    ("length lost", lambda z, degrees: _turned(z / np.abs(z), degrees)),
    ("mirrored first", lambda z, degrees: _turned(np.conj(z), degrees)),
    ("stretched too", lambda z, degrees: _turned(z, degrees) * np.abs(z)),
    ("the turn alone", lambda z, degrees: _turned(np.ones_like(z), degrees)),
    ("east part only", lambda z, degrees: _turned(z, degrees).real),
)

# ---- the series of the exponential --------------------------------------------------------------


def series_probes() -> list[Probe]:
    """Return exponents and numbers of terms; real exponents come first, as complex numbers."""
    probes = [Probe((np.array([1.0 + 0j, 2, -1]), 4), "z = [1, 2, −1] and n_terms = 4")]
    for n, n_terms in ((3, 7), (8, 3), (1, 12)):
        rng = np.random.default_rng(n)
        z = np.round(rng.uniform(-2, 2, n) + 1j * rng.uniform(-3, 3, n), 2)
        probes.append(
            Probe((z, n_terms), f"{n} random exponent{'s' * (n > 1)} and n_terms = {n_terms}")
        )
    return probes


def _series(z, n_terms, *, step=lambda term, z, k: term * z / (k + 1)):
    total = np.zeros_like(z)
    term = np.ones_like(z)
    for k in range(n_terms):
        total = total + term
        term = step(term, z, k)
    return total


SERIES_SLIPS = (
    ("not divided", lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: term * z)),
    ("divided by k", lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: term * z / k)),
    (
        "divided by k + 2",
        lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: term * z / (k + 2)),
    ),
    (
        "not built on the last term",
        lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: z / (k + 1)),
    ),
    (
        "power of the last term",
        lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: z ** (k + 1) / (k + 1)),
    ),
    (
        "multiplied by k + 1",
        lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: term * z * (k + 1)),
    ),
    ("z forgotten", lambda z, n_terms: _series(z, n_terms, step=lambda term, z, k: term / (k + 1))),
    ("one term too many", lambda z, n_terms: _series(z, n_terms + 1)),
    ("one term too few", lambda z, n_terms: _series(z, n_terms - 1)),
    ("the finished function", lambda z, n_terms: np.exp(z)),
)

# ---- a plucked tone -----------------------------------------------------------------------------


def pluck_probes() -> list[Probe]:
    """Return times, frequencies and decays."""
    probes = []
    for n, freq, t60 in ((4, 100, 0.5), (9, 440, 0.3), (1, 61.7, 2.0), (30, 523.25, 0.08)):
        t = np.round(np.random.default_rng(n).uniform(0, 0.7 * t60, n), 5)
        say = f"{n} random time{'s' * (n > 1)}, freq = {freq:g} and t60 = {t60:g}"
        probes.append(Probe((t, freq, t60), say))
    early = np.array([0.0002, 0.0005, 0.0011, 0.003])  # before even a hasty decay is over
    probes.append(Probe((early, 300, 1.5), "4 early times, freq = 300 and t60 = 1.5"))
    return probes


def _decaying(t, freq, rate):
    return np.exp(-rate * t) * np.sin(2 * np.pi * freq * t)


def _pluck(t, freq, t60):
    return _decaying(t, freq, np.log(1000) / t60)


PLUCK_SLIPS = (
    ("t60 taken for the time constant", lambda t, freq, t60: _decaying(t, freq, 1 / t60)),
    ("1000 without its logarithm", lambda t, freq, t60: _decaying(t, freq, 1000 / t60)),
    ("60 in the exponent", lambda t, freq, t60: _decaying(t, freq, 60 / t60)),
    ("logarithm to base 10", lambda t, freq, t60: _decaying(t, freq, 3 / t60)),
    ("60 dB of power", lambda t, freq, t60: _decaying(t, freq, np.log(1e6) / t60)),
    ("time constant stretched", lambda t, freq, t60: _decaying(t, freq, 1 / (t60 * np.log(1000)))),
    ("6.91 for the logarithm", lambda t, freq, t60: _decaying(t, freq, 6.91 / t60)),
    ("growing", lambda t, freq, t60: _decaying(t, freq, -np.log(1000) / t60)),
    ("multiplied by t60", lambda t, freq, t60: _decaying(t, freq, np.log(1000) * t60)),
    ("halves", lambda t, freq, t60: _decaying(t, freq, np.log(2) / t60)),
    ("a straight fade", lambda t, freq, t60: (1 - t / t60) * np.sin(2 * np.pi * freq * t)),
    ("2 pi forgotten", lambda t, freq, t60: np.exp(-np.log(1000) / t60 * t) * np.sin(freq * t)),
    (
        "east, not north",
        lambda t, freq, t60: np.exp(-np.log(1000) / t60 * t) * np.cos(2 * np.pi * freq * t),
    ),
    ("the decay alone", lambda t, freq, t60: np.exp(-np.log(1000) / t60 * t)),
    ("the turn alone", lambda t, freq, t60: np.sin(2 * np.pi * freq * t)),
)

# ---- a voice that is turned ---------------------------------------------------------------------


def shift_probes() -> list[Probe]:
    """Return arrows that turn at one speed, then random ones; up first, then down."""
    probes = []
    for n, sr, hz in ((40, 8000, 99.5), (7, 16000, 440.2), (100, 8000, -130.7), (2, 4000, 25.4)):
        rng = np.random.default_rng(n)
        arrows = np.round(rng.standard_normal(n) + 1j * rng.standard_normal(n), 2)
        say = f"{n} random arrows, sr = {sr} and hz = {hz}".replace("-", "−")
        probes.append(Probe((arrows, sr, hz), say))
    return sorted(probes, key=lambda probe: -len(probe.args[0]))


def _speeding(arrows, turns):
    return arrows * np.exp(2j * np.pi * turns * np.arange(len(arrows)))


def _shifted(arrows, sr, hz):
    return _speeding(arrows, hz / sr).real


def _cosine(arrows, sr, hz):
    return np.cos(2 * np.pi * hz * np.arange(len(arrows)) / sr)


SHIFT_SLIPS = (
    ("times a cosine", lambda arrows, sr, hz: arrows.real * _cosine(arrows, sr, hz)),
    ("down for up", lambda arrows, sr, hz: _shifted(arrows, sr, -hz)),
    ("2 pi forgotten", lambda arrows, sr, hz: _shifted(arrows, sr, hz / (2 * np.pi))),
    ("samples for seconds", lambda arrows, sr, hz: _shifted(arrows, 1, hz)),
    ("turned once", lambda arrows, sr, hz: (arrows * np.exp(1j * hz)).real),
    ("north, not east", lambda arrows, sr, hz: _speeding(arrows, hz / sr).imag),
    ("length", lambda arrows, sr, hz: np.abs(arrows)),
    ("not turned", lambda arrows, sr, hz: arrows.real),
    ("the turn alone", _cosine),
)

# ---- how much of a tone -------------------------------------------------------------------------


def amount_probes() -> list[Probe]:
    """Return sounds of whole periods with two tones of any phase in each, and what to ask for."""
    probes = []
    cases = (
        (800, 8000, (440, 1000), (0.5, 0.2), (0.3, 2.0)),
        (441, 44100, (300, 2500), (0.08, 0.6), (-1.2, 2.9)),
    )
    cases += ((1000, 4000, (64, 100), (1.5, 0.9), (1.1, -0.4)),)
    for n, sr, tones, amps, phases in cases:
        t = np.arange(n) / sr
        y = sum(_height(t, *tone) for tone in zip(tones, amps, phases, strict=True))
        freqs = np.array([tones[0], tones[1], tones[0] + 10 * sr / n, 5 * sr / n], dtype=float)
        say = f"a sound with {tones[0]} and {tones[1]} Hz in it, {n} samples at sr = {sr}"
        if n == 1000:
            y += 0.3
            say += " and a constant"
        probes.append(Probe((y, sr, freqs), say))
    return probes


def _parts(y, sr, freqs):
    angle = 2 * np.pi * np.outer(freqs, np.arange(len(y)) / sr)
    return 2 * np.cos(angle) @ y / len(y), 2 * np.sin(angle) @ y / len(y)


def _amount(y, sr, freqs):
    return np.hypot(*_parts(y, sr, freqs))


AMOUNT_SLIPS = (
    ("factor 2", lambda y, sr, freqs: _amount(y, sr, freqs) / 2),
    ("sum for mean", lambda y, sr, freqs: _amount(y, sr, freqs) * len(y) / 2),
    ("sum, and factor 2", lambda y, sr, freqs: _amount(y, sr, freqs) * len(y)),
    ("cosine only", lambda y, sr, freqs: np.abs(_parts(y, sr, freqs)[0])),
    ("cosine only, signed", lambda y, sr, freqs: _parts(y, sr, freqs)[0]),
    ("sine only", lambda y, sr, freqs: np.abs(_parts(y, sr, freqs)[1])),
    ("sine only, signed", lambda y, sr, freqs: _parts(y, sr, freqs)[1]),
    ("two parts, added", lambda y, sr, freqs: np.sum(np.abs(_parts(y, sr, freqs)), axis=0)),
    ("two parts, added with signs", lambda y, sr, freqs: np.sum(_parts(y, sr, freqs), axis=0)),
    ("power", lambda y, sr, freqs: _amount(y, sr, freqs) ** 2),
    ("2 pi forgotten", lambda y, sr, freqs: _amount(y, sr, freqs / (2 * np.pi))),
    ("samples for seconds", lambda y, sr, freqs: _amount(y, 1, freqs)),
    ("level", lambda y, sr, freqs: 20 * np.log10(_amount(y, sr, freqs))),
)

# ---- what a right function makes ----------------------------------------------------------------


def tone_view():
    """Return 8 ms [ms] of an arrow that turns 250 times a second and starts at 30 degrees."""
    ms = np.arange(0, 8.01, 0.05)
    return ms, [(ms / 1000, 250, 0.5, 30)]


def sum_view():
    """Return angles between two tones [degrees], up to where they nearly cancel."""
    degrees = np.arange(-170.0, 171, 5)
    return degrees, [(degrees,)]


def turn_view():
    """Return angles [degrees] by which an arrow is turned that points east, and a call for each."""
    degrees = np.arange(0, 361, 5)
    return degrees, [(np.array([1.0 + 0j]), int(n)) for n in degrees]


def series_view():
    """Return angles [rad], and 8 terms of the series of exp(i · angle)."""
    angle = np.linspace(-np.pi, np.pi, 101)
    return angle, [(1j * angle, 8)]


def _pluck_call():
    return np.arange(SR) / SR, 330, 0.8


def _plucks_heard(own, right, t, freq, t60):
    sounds = {"does not die": np.sin(2 * np.pi * freq * t), "yours": own, "the right one": right}
    return {name: signals.fade(0.2 * y, sr=SR) for name, y in sounds.items()}


def _shift_call():
    return hilbert(audio.clip("arctic_awb")[0].astype(float)), SR, 100


def _shifts_heard(own, right, arrows, sr, hz):
    return {"as it was": arrows.real, "yours, +100 Hz": own, "the right one": right}


def amount_view():
    """Return frequencies [Hz], and 50 ms of a sound of three tones that is asked about them."""
    freqs = np.arange(20.0, 1001, 20)
    t = np.arange(800) / SR
    tones = ((240, 0.5, 0.3), (480, 0.3, 2.0), (720, 0.15, -1.0))
    return freqs, [(sum(_height(t, *tone) for tone in tones), SR, freqs)]


CHECKS = {
    "02.tone": Check(
        tone_probes,
        _tone,
        TONE_SLIPS,
        atol=1e-6,
        shows=Curve(tone_view, "time [ms], 250 Hz from 30° on", "height"),
    ),
    "02.sum": Check(
        sum_probes,
        _sum_db,
        SUM_SLIPS,
        atol=1e-3,
        shows=Curve(sum_view, "angle between two tones [°]", "level re one tone [dB]"),
    ),
    "02.turn": Check(
        turn_probes,
        _turned,
        TURN_SLIPS,
        atol=1e-6,
        shows=Curve(turn_view, "turn of an arrow that pointed east [°]", "north part", np.imag),
    ),
    "02.series": Check(
        series_probes,
        _series,
        SERIES_SLIPS,
        atol=1e-6,
        shows=Curve(series_view, "angle [rad], exponent i · angle, 8 terms", "north part", np.imag),
    ),
    "02.pluck": Check(
        pluck_probes,
        _pluck,
        PLUCK_SLIPS,
        atol=1e-6,
        shows=Sound(_pluck_call, _plucks_heard, SR),
    ),
    "02.shift": Check(
        shift_probes,
        _shifted,
        SHIFT_SLIPS,
        atol=1e-6,
        shows=Sound(_shift_call, _shifts_heard, SR),
    ),
    "02.amount": Check(
        amount_probes,
        _amount,
        AMOUNT_SLIPS,
        atol=1e-6,
        shows=Curve(amount_view, "frequency [Hz]", "amplitude"),
    ),
}
