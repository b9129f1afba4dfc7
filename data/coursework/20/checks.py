"""What the checks of unit 20 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio
from helpers.coursework.checking import Check, Probe
from helpers.coursework.views import Curve, Sound

# ---- 20.compare ----------------------------------------------------------------------------------


def compare_probes() -> list[Probe]:
    """Return the record of the worked example, then random records of several lengths."""
    first = (np.array([3.0, 1.0, -1.0, 1.0]), 1)
    probes = [Probe(first, "y = [3, 1, −1, 1] and k = 1")]
    for n, k in ((4, 3), (7, 2), (32, 5), (45, 44)):
        y = np.round(np.random.default_rng(n + k).standard_normal(n), 2)
        probes.append(Probe((y, k), f"{n} random samples and k = {k}"))
    return probes


def _turned(y, angle):
    """East and north part of the sum of arrows that are turned clockwise by `angle` [rad]."""
    return np.array([np.sum(y * np.cos(angle)), -np.sum(y * np.sin(angle))])


def _angles(y, k, *, first=0):
    return 2 * np.pi * k * (np.arange(len(y)) + first) / len(y)


def _compare(y, k):
    return _turned(y, _angles(y, k))


COMPARE_SLIPS = (
    ("anticlockwise", lambda y, k: _turned(y, -_angles(y, k))),
    ("averaged", lambda y, k: _compare(y, k) / len(y)),
    ("no 2 pi", lambda y, k: _turned(y, _angles(y, k) / (2 * np.pi))),
    ("whole turns", lambda y, k: np.array([np.sum(y), 0.0])),
    ("degrees", lambda y, k: _turned(y, np.degrees(_angles(y, k)))),
    ("counted from one", lambda y, k: _turned(y, _angles(y, k, first=1))),
    ("k forgotten", lambda y, k: _compare(y, 1)),
    ("length only", lambda y, k: np.hypot(*_compare(y, k))),
)

# ---- 20.polar ------------------------------------------------------------------------------------


def polar_probes() -> list[Probe]:
    """Return cosines on a bin, with a constant and another tone beside them."""
    probes = []
    cases = ((32, 5, 0.7, 0.5), (48, 7, 0.25, 2.5), (33, 4, 1.3, -2.0), (100, 21, 0.04, -0.75))
    for n, k, amp, phase in cases:
        turn = 2 * np.pi * np.arange(n) / n
        y = amp * np.cos(k * turn + phase) + 0.2 + 0.3 * np.cos((k + 3) * turn + 1)
        say = f"{n} samples that hold {amp:g} · cos with {k} periods and the phase {phase:g}"
        probes.append(Probe((y, k), say.replace("-", "−") + ", among others"))
    return probes


def _number(y, k):
    return np.sum(y * np.exp(-1j * _angles(y, k)))


def _polar(y, k, *, scale=2.0):
    return np.array([scale * np.abs(_number(y, k)) / len(y), np.angle(_number(y, k))])


def _two_quadrants(y, k):
    X = _number(y, k)
    return np.array([2 * np.abs(X) / len(y), np.arctan(X.imag / X.real)])


POLAR_SLIPS = (
    ("half", lambda y, k: _polar(y, k, scale=1)),
    ("not scaled", lambda y, k: _polar(y, k, scale=len(y))),
    ("RMS", lambda y, k: _polar(y, k, scale=np.sqrt(2))),
    ("degrees", lambda y, k: _polar(y, k) * [1, 180 / np.pi]),
    ("wrong way", lambda y, k: _polar(y, k) * [1, -1]),
    ("two quadrants", _two_quadrants),
    (
        "arctan2 exchanged",
        lambda y, k: np.array(
            [_polar(y, k)[0], np.arctan2(_number(y, k).real, _number(y, k).imag)]
        ),
    ),
    ("phase of a sine", lambda y, k: np.array([_polar(y, k)[0], np.angle(1j * _number(y, k))])),
    ("exchanged", lambda y, k: _polar(y, k)[::-1]),
)

# ---- 20.bins -------------------------------------------------------------------------------------


def bins_probes() -> list[Probe]:
    """Return records of even and of odd lengths."""
    probes = []
    for n, sr, group in (
        (32, 8000, "even"),
        (50, 16000, "even"),
        (33, 8000, "odd"),
        (7, 44100, "odd"),
    ):
        y = np.random.default_rng(n).standard_normal(n)
        probes.append(Probe((y, sr), f"{n} samples at {sr} Hz", group))
    return probes


def _bins(y, sr):
    return np.arange(len(y) // 2 + 1) * sr / len(y)


BINS_SLIPS = (
    ("all of them", lambda y, sr: np.arange(len(y)) * sr / len(y)),
    ("last one missing", lambda y, sr: _bins(y, sr)[:-1]),
    ("0 Hz missing", lambda y, sr: _bins(y, sr)[1:]),
    ("bins, not hertz", lambda y, sr: np.arange(len(y) // 2 + 1)),
    ("upside down", lambda y, sr: np.arange(len(y) // 2 + 1) * len(y) / sr),
    ("up to sr", lambda y, sr: 2 * _bins(y, sr)),
    ("stretched to sr/2", lambda y, sr: np.linspace(0, sr / 2, len(y) // 2 + 1)),
    ("one sample short", lambda y, sr: np.arange(len(y) // 2 + 1) * sr / (len(y) - 1)),
    ("one too many", lambda y, sr: np.arange((len(y) + 1) // 2 + 1) * sr / len(y)),
)

# ---- 20.rebuild ----------------------------------------------------------------------------------


def rebuild_probes() -> list[Probe]:
    """Return half spectra of random records, even lengths first."""
    probes = []
    for n, group in ((4, "even"), (32, "even"), (9, "odd"), (45, "odd")):
        y = np.random.default_rng(n).standard_normal(n) + 0.4
        say = f"the {n // 2 + 1} numbers of {n} random samples, and n = {n}"
        probes.append(Probe((np.fft.rfft(y), n), say, group))
    return probes


def _weighted(half, n, weights):
    """Sum of turning arrows, each counted by its weight, over n."""
    turns = np.exp(2j * np.pi * np.outer(np.arange(n), np.arange(len(half))) / n)
    return np.real(turns @ (weights * half)) / n


def _rebuild(half, n):
    return np.fft.irfft(half, n)


def _last_doubled(half, n):
    weights = np.full(len(half), 2.0)
    weights[0] = 1
    return _weighted(half, n, weights)


def _not_reversed(half, n):
    X = np.concatenate([half, np.conj(half[1 : (n + 1) // 2])])
    return np.fft.ifft(X).real


REBUILD_SLIPS = (
    ("not reversed", _not_reversed),
    ("other half missing", lambda half, n: _weighted(half, n, np.ones(len(half)))),
    ("all doubled", lambda half, n: _weighted(half, n, np.full(len(half), 2.0))),
    ("last one doubled", _last_doubled),
    ("not divided", lambda half, n: n * _rebuild(half, n)),
    ("divided by the half", lambda half, n: n * _rebuild(half, n) / len(half)),
    ("backwards", lambda half, n: _rebuild(np.conj(half), n)),
    ("phase lost", lambda half, n: _rebuild(np.abs(half), n)),
    ("real parts only", lambda half, n: _rebuild(half.real, n)),
    ("always even", lambda half, n: np.fft.irfft(half)),
)

# ---- 20.delay ------------------------------------------------------------------------------------


def delay_probes() -> list[Probe]:
    """Return delays by whole samples, then by parts of a sample in records of odd length."""
    probes = []
    for n, m, group in (
        (8, 2, "whole"),
        (64, 5, "whole"),
        (33, 0.5, "between"),
        (101, 3.25, "between"),
    ):
        y = np.round(np.random.default_rng(n).standard_normal(n), 2)
        probes.append(Probe((y, m), f"{n} random samples and m = {m:g}", group))
    return probes


def _spun(y, turns):
    """Return the record, with bin k of its half spectrum turned clockwise by turns[k]."""
    return np.fft.irfft(np.fft.rfft(y) * np.exp(-2j * np.pi * turns), len(y))


def _delay(y, m):
    return _spun(y, m * np.arange(len(y) // 2 + 1) / len(y))


def _like_positive(y, m):
    turn = np.exp(-2j * np.pi * m * np.arange(len(y)) / len(y))
    return np.real(np.fft.ifft(np.fft.fft(y) * turn))


def _line(y, m):
    n = len(y)
    return np.interp(np.arange(n) - m, np.arange(-n, n), np.tile(y, 2))


def _zeros_in_front(y, m):
    return np.append(np.zeros(int(m)), y)[: len(y)]


DELAY_SLIPS = (
    ("too early", lambda y, m: _delay(y, -m)),
    (
        "length not told",
        lambda y, m: np.fft.irfft(np.fft.rfft(_delay(y, m))),
    ),
    ("all alike", lambda y, m: _spun(y, m / len(y) * np.ones(len(y) // 2 + 1))),
    ("no 2 pi", lambda y, m: _delay(y, m / (2 * np.pi))),
    ("zeros in front", _zeros_in_front),
    ("not divided by n", lambda y, m: _spun(y, m * np.arange(len(y) // 2 + 1))),
    ("whole samples only", lambda y, m: np.roll(y, round(m))),
    ("negative frequencies turned like positive ones", _like_positive),
    ("a line between two samples", _line),
)

# ---- 20.room -------------------------------------------------------------------------------------


def room_probes() -> list[Probe]:
    """Return the worked example, then random records and longer rooms."""
    first = (np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5]))
    probes = [Probe(first, "y = [1, 2, 3] and h = [1, 0.5]")]
    for n, m in ((10, 4), (64, 33), (301, 80)):
        rng = np.random.default_rng(n)
        args = (rng.standard_normal(n), rng.standard_normal(m))
        probes.append(Probe(args, f"{n} random samples and a room of {m}"))
    return probes


def _circular(y, h):
    return np.fft.irfft(np.fft.rfft(y) * np.fft.rfft(h, len(y)), len(y))


def _magnitudes(y, h):
    size = len(y) + len(h) - 1
    return np.fft.irfft(np.abs(np.fft.rfft(y, size) * np.fft.rfft(h, size)), size)


def _even_only(y, h):
    return np.fft.irfft(np.fft.rfft(np.convolve(y, h)))


ROOM_SLIPS = (
    ("length not told", _even_only),
    ("wrapped round", _circular),
    ("tail cut off", lambda y, h: np.convolve(y, h)[: len(y)]),
    ("both ends cut", lambda y, h: np.convolve(y, h, mode="same")),
    ("room backwards", lambda y, h: np.convolve(y, h[::-1])),
    ("one zero too many", lambda y, h: np.append(np.convolve(y, h), 0.0)),
    ("magnitudes only", _magnitudes),
    ("echoes on top of each other", lambda y, h: y * np.sum(h)),
)

# ---- 20.tones ------------------------------------------------------------------------------------


def tones_probes() -> list[Probe]:
    """Return sums of three tones on bins in a little noise; later ones stand on a constant."""
    cases = (
        (8000, 8000, 0),
        (4000, 8000, 0),
        (3000, 16000, 0),
        (4000, 8000, 0.8),
        (9001, 44100, -2),
    )
    probes = []
    for n, sr, offset in cases:
        rng = np.random.default_rng(n + sr)
        k = rng.choice(np.arange(5, n // 2 - 5, 7), 3, replace=False)
        y = 0.003 * rng.standard_normal(n) + offset
        turn = 2 * np.pi * np.arange(n) / n
        y += 0.2 * np.cos(k[0] * turn + 2.5)
        y += 0.35 * np.sin(k[1] * turn)
        y += 0.6 * np.cos(k[2] * turn - 0.7)
        say = f"{n} samples at {sr} Hz, three tones and a constant of {offset:g}".replace("-", "−")
        probes.append(Probe((y, sr), say, "offset" if offset else "plain"))
    return probes


def _strongest(strength, *, first=1):
    """Bins of the three largest values, from bin `first` on, the largest first."""
    return first + np.argsort(strength[first:])[:-4:-1]


def _tones(y, sr):
    return np.sort(_strongest(np.abs(np.fft.rfft(y)))) * sr / len(y)


TONES_SLIPS = (
    ("bins, not hertz", lambda y, sr: np.sort(_strongest(np.abs(np.fft.rfft(y))))),
    ("loudest first", lambda y, sr: _strongest(np.abs(np.fft.rfft(y))) * sr / len(y)),
    ("weakest first", lambda y, sr: _strongest(np.abs(np.fft.rfft(y)))[::-1] * sr / len(y)),
    ("one bin too low", lambda y, sr: _tones(y, sr) - sr / len(y)),
    ("both signs", lambda y, sr: np.sort(_strongest(np.abs(np.fft.fft(y)), first=0)) * sr / len(y)),
    ("signed values", lambda y, sr: np.sort(_strongest(np.fft.rfft(y).real)) * sr / len(y)),
    ("cosines only", lambda y, sr: np.sort(_strongest(np.abs(np.fft.rfft(y).real))) * sr / len(y)),
    ("counted to sr/2", lambda y, sr: 0.5 * _tones(y, sr)),
    (
        "constant counted",
        lambda y, sr: np.sort(_strongest(np.abs(np.fft.rfft(y)), first=0)) * sr / len(y),
    ),
)

# ---- what a right function makes ----------------------------------------------------------------


SR = 8000


def compare_view():
    """Return turns in a record of 25 samples that holds a cosine with 5 periods."""
    wave = np.cos(2 * np.pi * 5 * np.arange(25) / 25 + 0.5)
    return np.arange(25), [(wave, int(k)) for k in range(25)]


def _reach(sums):
    return np.hypot(sums[:, 0], sums[:, 1])


def polar_view():
    """Return phases all round, and cosines that start with them."""
    phases = np.linspace(-3.1, 3.1, 49)
    turn = 2 * np.pi * 5 * np.arange(32) / 32
    return phases, [(np.cos(turn + phase), 5) for phase in phases]


def _phase_alone(found):
    return found[:, 1]


def bins_view():
    """Return the places of an odd record, which has no bin at half the sampling rate."""
    return np.arange(17), [(np.zeros(33), 8000)]


def rebuild_view():
    """Return 16 ms of a woman's voice, and half of its spectrum."""
    y = audio.clip("arctic_slt")[0][8000:8256].astype(float)
    return np.arange(256) / 16, [(np.fft.rfft(y), 256)]


def delay_view():
    """Return the samples around a click in a record of 33, which comes half a sample late."""
    click = np.zeros(33)
    click[16] = 1.0
    return np.arange(33), [(click, 2.5)]


def _into_hall():
    """Return the last word of a sentence, and 0.25 s of echoes; short, as a table of all their
    arrows fits into memory too.
    """
    spoken, sr = audio.clip("arctic_slt")
    word = audio.resample(spoken[-11200:-4000].astype(float), sr=sr, to=SR)
    after = np.arange(2000) / SR
    echoes = np.random.default_rng(20).standard_normal(2000) * 10 ** (-3 * after / 0.4)
    return word * np.minimum(1, np.arange(word.size) / 80), np.append(1.0, 0.08 * echoes)


def _rooms_heard(own, right, y, h):
    return {"the voice": 0.6 * y, "your room": 0.6 * own, "the right room": 0.6 * right}


def _three_in_noise():
    """Return a second of noise in which three tones of a chord sound softly."""
    t = np.arange(SR) / SR
    y = 0.03 * np.random.default_rng(3).standard_normal(SR)
    for freq, amp in ((440, 0.03), (550, 0.02), (660, 0.025)):
        y = y + amp * np.sin(2 * np.pi * freq * t)
    return y, SR


def _chords_heard(own, right, y, sr):
    """Return the record, and the tones that were found in it."""
    t = np.arange(sr) / sr
    ramps = np.minimum(1, 50 * np.minimum(t, t[::-1]))  # 20 ms
    chords = [0.04 * np.sin(2 * np.pi * np.outer(freqs, t)).sum(axis=0) for freqs in (own, right)]
    return {
        "the record": ramps * y,
        "your tones": ramps * chords[0],
        "the right tones": ramps * chords[1],
    }


CHECKS = {
    "20.compare": Check(
        compare_probes,
        _compare,
        COMPARE_SLIPS,
        atol=1e-6,
        shows=Curve(compare_view, "turns in 25 samples", "reach", _reach),
    ),
    "20.polar": Check(
        polar_probes,
        _polar,
        POLAR_SLIPS,
        atol=1e-5,
        shows=Curve(polar_view, "phase of the cosine [rad]", "phase [rad]", _phase_alone),
    ),
    "20.bins": Check(
        bins_probes,
        _bins,
        BINS_SLIPS,
        atol=1e-6,
        shows=Curve(bins_view, "bin of 33 samples at 8000 Hz", "frequency [Hz]"),
    ),
    "20.rebuild": Check(
        rebuild_probes,
        _rebuild,
        REBUILD_SLIPS,
        atol=1e-7,
        shows=Curve(rebuild_view, "time [ms]", "amplitude"),
    ),
    "20.delay": Check(
        delay_probes,
        _delay,
        DELAY_SLIPS,
        atol=1e-6,
        shows=Curve(delay_view, "sample, a click at 16, 2.5 late", "amplitude"),
    ),
    "20.room": Check(
        room_probes,
        np.convolve,
        ROOM_SLIPS,
        atol=1e-7,
        shows=Sound(_into_hall, _rooms_heard, SR),
    ),
    "20.tones": Check(
        tones_probes,
        _tones,
        TONES_SLIPS,
        atol=1e-4,
        shows=Sound(_three_in_noise, _chords_heard, SR),
    ),
}
