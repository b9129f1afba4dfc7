"""What the checks of unit 31 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def _noise(n: int, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n)


def si_sdr_probes() -> list[Probe]:
    """Return the example of the page, then noisy copies at several levels, with an offset and
    upside down.
    """
    toy = np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])
    probes = [Probe(toy, "the four samples of the example")]
    for seed, (n, gain, noise) in enumerate(
        ((1000, 1.0, 0.1), (333, 0.3, 0.1), (512, 2.5, 1.2), (801, -0.7, 0.2))
    ):
        target = _noise(n, seed) + 0.03
        estimate = gain * target + noise * _noise(n, 100 + seed)
        probes.append(
            Probe((estimate, target), f"a noisy copy of {n} samples at {gain:g} times the level")
        )
    return probes


def _ratio(estimate, target, *, above=True, below=True, alpha=None, factor=10.0, log=np.log10):
    alpha = estimate @ target / (target @ target) if alpha is None else alpha
    kept, rest = (alpha if above else 1) * target, estimate - (alpha if below else 1) * target
    return factor * log(kept @ kept / (rest @ rest))


SI_SDR_SLIPS = (
    ("plain SNR", lambda e, s: _ratio(e, s, alpha=1.0)),
    ("target not scaled above", lambda e, s: _ratio(e, s, above=False)),
    ("error from the unscaled target", lambda e, s: _ratio(e, s, below=False)),
    ("divided by the estimate", lambda e, s: _ratio(e, s, alpha=e @ s / (e @ e))),
    ("means taken off", lambda e, s: _ratio(e - e.mean(), s - s.mean())),
    ("20 instead of 10", lambda e, s: _ratio(e, s, factor=20)),
    ("natural logarithm", lambda e, s: _ratio(e, s, log=np.log)),
    ("upside down", lambda e, s: _ratio(e, s, factor=-10)),
    ("norms instead of energies", lambda e, s: _ratio(e, s, factor=5)),
)


def multi_probes() -> list[Probe]:
    """Return noise and a changed copy, for several lengths and sets of sizes; some lengths end with
    a frame.
    """
    probes = []
    for seed, (n, sizes) in enumerate(
        ((640, [64, 128]), (639, [32, 64]), (500, [128, 48, 100]), (415, [64, 32, 16]))
    ):
        target = _noise(n, seed)
        estimate = 0.7 * target + 0.4 * _noise(n, 200 + seed)
        say = f"{n} samples of noise, a changed copy, and sizes = {sizes}"
        probes.append(Probe((estimate, target, sizes), say))
    return probes


def _frames(y, n_fft):
    w = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2  # Hann
    return np.abs(
        np.fft.rfft([w * y[s : s + n_fft] for s in range(0, len(y) - n_fft + 1, n_fft // 4)])
    )


def _convergence(E, S, by=None):
    return np.linalg.norm(S - E) / np.linalg.norm(S if by is None else by)


def _log(E, S):
    return np.mean(np.abs(np.log(E / S)))


def _multi(
    estimate, target, sizes, *, one=lambda E, S: _convergence(E, S) + _log(E, S), over=np.mean
):
    return over([one(_frames(estimate, n), _frames(target, n)) for n in sizes])


def _with(one=None, over=np.mean):
    """Return a model that takes another distance at each size, or another sum over the sizes."""
    changes = {"over": over} if one is None else {"one": one, "over": over}
    return lambda e, s, sizes: _multi(e, s, sizes, **changes)


MULTI_SLIPS = (
    ("summed over the sizes", _with(over=np.sum)),
    ("first size only", _with(over=lambda x: x[0])),
    ("last size only", _with(over=lambda x: x[-1])),
    ("convergence only", _with(_convergence)),
    ("logarithms only", _with(_log)),
    ("log10", _with(lambda E, S: _convergence(E, S) + _log(E, S) / np.log(10))),
    ("normed by the estimate", _with(lambda E, S: _convergence(E, S, by=E) + _log(E, S))),
    ("squared logarithms", _with(lambda E, S: _convergence(E, S) + np.mean(np.log(E / S) ** 2))),
    ("powers instead of magnitudes", _with(lambda E, S: _convergence(E**2, S**2) + _log(E, S))),
    (
        "differences without absolute value",
        _with(lambda E, S: _convergence(E, S) + np.mean(np.log(S / E))),
    ),
    (
        "differences without absolute value",
        _with(lambda E, S: _convergence(E, S) + np.mean(np.log(E / S))),
    ),
)


def fool_probes() -> list[Probe]:
    """Return noise of several lengths and several ratios."""
    return [
        Probe((_noise(n, seed), db), f"{n} samples of noise and snr_db = {db:g}")
        for seed, (n, db) in enumerate(
            ((400, 20 * np.log10(2)), (300, 20.0), (77, 3.0), (500, 35.5))
        )
    ]


def _fool(target, snr_db, *, sign=-1, per=20.0, turn=1.0):
    return turn * (1 + sign * 10 ** (-snr_db / per)) * target


FOOL_SLIPS = (
    ("louder instead of quieter", lambda y, db: _fool(y, db, sign=1)),
    ("power instead of amplitude", lambda y, db: _fool(y, db, per=10)),
    ("the error itself", lambda y, db: y * 10 ** (-db / 20)),
    ("upside down", lambda y, db: _fool(y, db, turn=-1)),
    ("decibels upside down", lambda y, db: _fool(y, db, per=-20)),
)

CHECKS = {
    "31.si_sdr": Check(si_sdr_probes, _ratio, SI_SDR_SLIPS, atol=1e-6),
    "31.multi": Check(multi_probes, _multi, MULTI_SLIPS, atol=1e-9),
    "31.fool": Check(fool_probes, _fool, FOOL_SLIPS, atol=1e-9),
}
