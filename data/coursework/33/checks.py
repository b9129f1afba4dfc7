"""What the checks of unit 33 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio, stft
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound


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

# ---- a twin -------------------------------------------------------------------------------------

GAPS = ((64, (40, 400, 20)), (32, (200, 16, 100, 24)), (128, (130, 90)))  # n_fft, pauses


def twin_probes() -> list[Probe]:
    """Return words of noise with pauses, some shorter than a frame and some longer."""
    probes = []
    for seed, (n_fft, gaps) in enumerate(GAPS):
        rng = np.random.default_rng(seed)
        pieces = [rng.standard_normal(300)]
        for gap in gaps:
            pieces += [np.zeros(gap), rng.standard_normal(rng.integers(200, 400))]
        say = f"words with pauses of {', '.join(map(str, gaps))} samples and n_fft = {n_fft}"
        probes.append(Probe((0.1 * np.concatenate(pieces), n_fft), say))
    return probes


def _long_gaps(y, n_fft, at_least=1.0):
    """Return where pauses of a frame or more begin."""
    found, run = [], 0
    for n, x in enumerate(y):
        run = run + 1 if x == 0 else 0
        if run == int(at_least * n_fft):
            found.append(n)
    return found


def _twin(y, n_fft, at_least=1.0):
    cut = _long_gaps(y, n_fft, at_least)[0]
    return np.where(np.arange(y.size) > cut, -y, y)


def _off(made, y, n_fft):
    """Return by how much the magnitudes of a sound are off, as a share of those of y."""
    how = {"n_fft": n_fft, "hop_length": n_fft // 4}
    S = np.abs(stft.stft(y, **how))
    return np.linalg.norm(np.abs(stft.stft(made, **how)) - S) / np.linalg.norm(S)


def _pairs(got):
    return [(made, *probe.args) for made, probe in zip(got, twin_probes(), strict=True)]


def _flipped_only(got):
    """Tell whether the result is the sound with some signs turned round."""
    return all(np.allclose(np.abs(made), np.abs(y), 0, 1e-9) for made, y, _ in _pairs(got))


TWIN_GOALS = (
    (
        "the sound itself",
        lambda got: any(
            np.allclose(made, y, 0, 1e-6) or np.allclose(made, -y, 0, 1e-6)
            for made, y, _ in _pairs(got)
        ),
    ),
    (
        "a pause too short",
        lambda got: _flipped_only(got) and any(_off(*pair) > 1e-6 for pair in _pairs(got)),
    ),
    ("other magnitudes", lambda got: any(_off(*pair) > 1e-6 for pair in _pairs(got))),
)

TWIN_SLIPS = (
    ("the sound itself", lambda y, n_fft: -y),
    ("a pause too short", lambda y, n_fft: _twin(y, n_fft, 0.2)),
    ("other magnitudes", lambda y, n_fft: np.roll(y, 3)),
)


def _twin_measured(got):
    worst = max(_off(*pair) for pair in _pairs(got))
    if worst < 1e-9:
        return "the magnitudes are those of y to the last digits."
    return f"the magnitudes are off by up to {20 * np.log10(worst):.0f} dB.".replace("-", "−")


# ---- a round as a step downhill -----------------------------------------------------------------


def _both_ways(n: int, n_fft: int, hop: int):
    """Return the frames' spectra of a sound of n samples (all bins, of unit length), and the way
    back that adds everything up: the transpose of the first.
    """
    window = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
    padded = n + 2 * n_fft
    starts = np.arange(0, padded - n_fft + 1, hop)

    def analyse(y):
        long = np.pad(np.asarray(y, dtype=float), n_fft)
        frames = np.stack([window * long[s : s + n_fft] for s in starts])
        return np.fft.fft(frames, norm="ortho").T

    def transpose(D):
        pieces = window * np.fft.ifft(np.asarray(D).T, norm="ortho")
        long = np.zeros(padded, dtype=complex)
        for start, piece in zip(starts, pieces, strict=True):
            long[start : start + n_fft] += piece
        return long[n_fft : n_fft + n].real

    return analyse, transpose


def slope_probes() -> list[Probe]:
    """Return noises, magnitudes that are not theirs, the two ways, and rates."""
    probes = []
    for seed, (n, n_fft, rate) in enumerate(((160, 32, 0.5), (200, 64, 0.1), (97, 16, 1.1))):
        rng = np.random.default_rng(40 + seed)
        y = 0.3 * rng.standard_normal(n)
        ways = _both_ways(n, n_fft, n_fft // 4)
        S = rng.uniform(0.1, 1.0, ways[0](y).shape)
        say = f"{n} samples of noise, frames of {n_fft} and rate = {rate:g}"
        probes.append(Probe((y, S, *ways, rate), say))
    return probes


def _downhill(y, S, analyse, transpose, rate, *, off=None):
    """Return y after one step; `off` makes the error in every cell of STFT and magnitude."""
    D = analyse(y)
    error = (np.abs(D) - S) * np.exp(1j * np.angle(D)) if off is None else off(D, S)
    return y - rate * transpose(error)


def _with_error(off):
    return lambda y, S, analyse, transpose, rate: _downhill(y, S, analyse, transpose, rate, off=off)


def _turned(D):
    return np.exp(1j * np.angle(D))


SLOPE_SLIPS = (
    ("uphill", lambda y, S, a, t, rate: _downhill(y, S, a, t, -rate)),
    ("rate forgotten", lambda y, S, a, t, rate: _downhill(y, S, a, t, 1)),
    ("twice the slope", lambda y, S, a, t, rate: _downhill(y, S, a, t, 2 * rate)),
    ("the slope itself", lambda y, S, a, t, rate: (y - _downhill(y, S, a, t, rate)) / rate),
    ("the step alone", lambda y, S, a, t, rate: _downhill(y, S, a, t, rate) - y),
    ("no phase", _with_error(lambda D, S: np.abs(D) - S)),
    ("against S itself", _with_error(lambda D, S: D - S)),
    ("magnitudes forgotten", _with_error(lambda D, S: D)),
    ("powers compared", _with_error(lambda D, S: (np.abs(D) ** 2 - S**2) * _turned(D))),
    ("the sign of the error", _with_error(lambda D, S: np.sign(np.abs(D) - S) * _turned(D))),
    ("times the STFT", _with_error(lambda D, S: (np.abs(D) - S) * D)),
)

# ---- what a right function makes ----------------------------------------------------------------

SR = 16000


def steps_view():
    """Return frequencies from 0 to 500 Hz, and one call for all."""
    freqs = np.arange(0.0, 501, 5) + 1.0
    return freqs, [(freqs, SR, 256)]


def _spoken():
    """Return a second of a voice from random phases, its magnitudes, and the transforms."""
    y = audio.clip("arctic_slt")[0][6000:22000].astype(float)
    analyse, invert = _pair(512, 128, y.size)
    S = np.abs(analyse(y))
    turns = np.random.default_rng(0).uniform(-np.pi, np.pi, S.shape)
    return y, invert(S * np.exp(1j * turns)), S, analyse, invert


def _round_call():
    return _spoken()[1:]


def _fast_call():
    _, y, S, analyse, invert = _spoken()
    return _round(y, S, analyse, invert), y, S, 0.99, analyse, invert


def _rounds_heard(own, right, *args):
    return {"before": args[0], "your round": own, "the right round": right, "voice": _spoken()[0]}


def _downhill_call():
    """Return a second of a voice with random phases, its magnitudes, two ways, and a rate."""
    voice, y, *_ = _spoken()
    analyse, transpose = _both_ways(voice.size, 512, 128)
    return y, np.abs(analyse(voice)), analyse, transpose, 2 / 3


def _downhill_heard(own, right, y, S, analyse, transpose, rate):
    """Return the sound before, after one step of the learner's, and after 30 of the right ones."""
    many = own
    for _ in range(30):
        many = _downhill(many, S, analyse, transpose, rate)
    return {"before": y, "your step": own, "30 more steps": many, "voice": _spoken()[0]}


def _twins_heard(own, right, y, n_fft):
    return {"the sound": y, "your twin": own, "one of ours": right}


def _two_words():
    """Return two words with a pause between them, at 16 kHz."""
    words = audio.clip("arctic_awb")[0][:32000].astype(float)
    return np.concatenate([words[4000:14000], np.zeros(4000), words[14000:26000]]), 1024


CHECKS = {
    "33.steps": Check(
        steps_probes,
        _steps,
        STEPS_SLIPS,
        atol=1e-6,
        shows=Curve(steps_view, "frequency [Hz], hop 256 at 16 kHz", "step [rad]"),
    ),
    "33.round": Check(
        round_probes,
        _round,
        ROUND_SLIPS,
        atol=1e-9,
        shows=Sound(_round_call, _rounds_heard, SR),
    ),
    "33.fast": Check(
        fast_probes,
        _fast,
        FAST_SLIPS,
        atol=1e-9,
        shows=Sound(_fast_call, _rounds_heard, SR),
    ),
    "33.slope": Check(
        slope_probes,
        _downhill,
        SLOPE_SLIPS,
        atol=1e-9,
        shows=Sound(_downhill_call, _downhill_heard, SR),
    ),
    "33.twin": Check(
        twin_probes,
        _twin,
        TWIN_SLIPS,
        atol=1e-9,
        goals=TWIN_GOALS,
        measured=_twin_measured,
        shows=Sound(_two_words, _twins_heard, SR),
    ),
}
