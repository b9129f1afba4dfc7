"""What the checks of unit 33 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import stft
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def steps_probes() -> list[Probe]:
    """Return frequencies of several kinds, none of which turns by half a circle."""
    easy = np.array([440.0, 250.0, 1000.0, 60.0])
    probes = [Probe((easy, 16000, 256), "440, 250, 1000 and 60 Hz at 16 kHz with hop 256")]
    for seed, (sr, hop) in enumerate(((16000, 128), (22050, 512), (8000, 100))):
        freqs = np.random.default_rng(seed).uniform(50, sr / 2, 7)
        probes.append(Probe((freqs, sr, hop), f"seven frequencies at {sr} Hz with hop {hop}"))
    return probes


def _turns(freqs, sr, hop_length):
    return freqs * hop_length / sr


def _steps(freqs, sr, hop_length, *, whole=2 * np.pi):
    turns = _turns(freqs, sr, hop_length)
    return whole * (turns - np.round(turns))


STEPS_SLIPS = (
    ("whole turns kept", lambda f, sr, hop: 2 * np.pi * _turns(f, sr, hop)),
    ("turns instead of radians", lambda f, sr, hop: _steps(f, sr, hop, whole=1)),
    ("degrees", lambda f, sr, hop: _steps(f, sr, hop, whole=360)),
    ("half a circle", lambda f, sr, hop: _steps(f, sr, hop, whole=np.pi)),
    ("never negative", lambda f, sr, hop: 2 * np.pi * (_turns(f, sr, hop) % 1)),
    ("backwards", lambda f, sr, hop: -_steps(f, sr, hop)),
    ("one sample later", lambda f, sr, hop: _steps(f, sr, 1)),
)


def _pair(n_fft: int, hop: int, n: int):
    """Return an STFT and its inverse for signals of `n` samples, as functions of one argument."""
    how = {"n_fft": n_fft, "hop_length": hop}

    def analyse(y):
        return stft.stft(y, **how)

    def invert(D):
        return stft.istft(np.asarray(D).astype(complex), **how, length=n)

    return analyse, invert


def _sounds():
    """Yield noises, a magnitude that none of them has, the two transforms, and what to call
    them.
    """
    for seed, (n, n_fft, hop) in enumerate(((320, 64, 16), (501, 50, 10), (256, 32, 16))):
        rng = np.random.default_rng(seed)
        y, last = rng.uniform(0.1, 0.4) * rng.standard_normal((2, n))
        analyse, invert = _pair(n_fft, hop, n)
        S = rng.uniform(0.2, 2, analyse(y).shape)
        yield (
            y,
            last,
            S,
            analyse,
            invert,
            f"{n} samples of noise, n_fft = {n_fft} and hop_length = {hop}",
        )


def round_probes() -> list[Probe]:
    """Return noises with magnitudes that are not theirs."""
    return [Probe((y, S, analyse, invert), say) for y, _, S, analyse, invert, say in _sounds()]


def _round(y, S, analyse, invert):
    return invert(S * np.exp(1j * np.angle(analyse(y))))


ROUND_SLIPS = (
    ("the old magnitude", lambda y, S, analyse, invert: invert(analyse(y))),
    ("no phase", lambda y, S, analyse, invert: invert(S)),
    ("both magnitudes", lambda y, S, analyse, invert: invert(S * analyse(y))),
    ("the phase as a factor", lambda y, S, analyse, invert: invert(S * np.angle(analyse(y)))),
    ("cosine alone", lambda y, S, analyse, invert: invert(S * np.cos(np.angle(analyse(y))))),
    (
        "phase turned round",
        lambda y, S, analyse, invert: invert(S * np.exp(-1j * np.angle(analyse(y)))),
    ),
    ("added", lambda y, S, analyse, invert: invert(S + np.exp(1j * np.angle(analyse(y))))),
)


def fast_probes() -> list[Probe]:
    """Return the same noises, each with another as the signal before."""
    return [
        Probe((y, last, S, momentum, analyse, invert), f"{say}, momentum {momentum}")
        for (y, last, S, analyse, invert, say), momentum in zip(
            _sounds(), (0.5, 0.99, 1.3), strict=True
        )
    ]


def _fast(y, last, S, momentum, analyse, invert):
    return _round(y + momentum * (y - last), S, analyse, invert)


def _afterwards(y, last, S, momentum, analyse, invert):
    new = _round(y, S, analyse, invert)
    return new + momentum * (new - y)


def _angles(y, last, S, momentum, analyse, invert):
    now, before = np.angle(analyse(y)), np.angle(analyse(last))
    return invert(S * np.exp(1j * (now + momentum * (now - before))))


FAST_SLIPS = (
    ("no momentum", lambda y, last, S, m, analyse, invert: _round(y, S, analyse, invert)),
    (
        "backwards",
        lambda y, last, S, m, analyse, invert: _round(y - m * (y - last), S, analyse, invert),
    ),
    (
        "from the signal before",
        lambda y, last, S, m, *ways: _round(last + m * (y - last), S, *ways),
    ),
    (
        "the step alone",
        lambda y, last, S, m, analyse, invert: _round(m * (y - last), S, analyse, invert),
    ),
    (
        "a sum of both",
        lambda y, last, S, m, analyse, invert: _round(y + m * last, S, analyse, invert),
    ),
    ("after the round", _afterwards),
    ("angles instead of signals", _angles),
)

CHECKS = {
    "33.steps": Check(steps_probes, _steps, STEPS_SLIPS, atol=1e-6),
    "33.round": Check(round_probes, _round, ROUND_SLIPS, atol=1e-9),
    "33.fast": Check(fast_probes, _fast, FAST_SLIPS, atol=1e-9),
}
