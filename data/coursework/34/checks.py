"""What the checks of unit 34 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.learned import learned, slopes
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound


def dilated_probes() -> list[Probe]:
    """Return noises of several lengths, with taps that differ and steps below half of the
    length.
    """
    probes = []
    for seed, (n, d) in enumerate(((9, 1), (12, 2), (41, 8), (30, 3))):
        rng = np.random.default_rng(seed)
        before, now = rng.uniform(0.3, 1.5, 2).tolist()
        probes.append(
            Probe((rng.standard_normal(n), before, now, d), f"{n} samples of noise and d = {d}")
        )
    return probes


def _late(y, d):
    """Return y, d samples later, with zeros where nothing was yet."""
    return np.concatenate([np.zeros(d), y[: len(y) - d]])


def _dilated(y, before, now, d):
    return before * _late(y, d) + now * y


DILATED_SLIPS = (
    (
        "the future",
        lambda y, before, now, d: before * np.concatenate([y[d:], np.zeros(d)]) + now * y,
    ),
    ("wrapped round", lambda y, before, now, d: before * np.roll(y, d) + now * y),
    ("one sample back", lambda y, before, now, d: _dilated(y, before, now, 1)),
    ("taps exchanged", lambda y, before, now, d: _dilated(y, now, before, d)),
    ("the present left out", lambda y, before, now, d: before * _late(y, d)),
    ("a step too far", lambda y, before, now, d: _dilated(y, before, now, d + 1)),
    (
        "the first sample held",
        lambda y, b, now, d: b * np.concatenate([np.full(d, y[0]), y[: len(y) - d]]) + now * y,
    ),
)


def _network(taps, *, bend=np.tanh, seed=0):
    """Return a function from samples to samples: layers of taps at offsets (later is above 0)."""

    def network(y):
        x = np.asarray(y, dtype=float)
        rng = np.random.default_rng(seed)
        for offsets in taps:
            weights = rng.uniform(0.3, 0.9, len(offsets)) / np.sqrt(len(offsets))
            padded = np.pad(x, 200)
            shifted = [padded[200 + k : 200 + k + x.size] for k in offsets]
            x = bend(np.tensordot(weights, np.array(shifted), 1) + 0.1)
        return x

    return network


def reach_probes() -> list[Probe]:
    """Return networks that nobody has told anything about: causal, looking ahead, with holes."""
    networks = (
        ([(-1, 0), (-2, 0), (-4, 0)], np.tanh, 100, "three layers"),
        ([(-3, 0, 3)], np.tanh, 60, "one layer"),
        ([(-8, -4, 0, 4)], np.tanh, 90, "a layer with holes"),
        ([(-1, 0, 1), (-5, 0), (0, 2)], np.tanh, 120, "three layers, of another kind"),
        ([(-6, 0), (-1, 0)], lambda x: np.maximum(x, 0.05), 80, "layers that cut off below"),
        ([(0, 1, 2)], np.tanh, 50, "a layer that does not look back"),
    )
    return [
        Probe((_network(taps, bend=bend, seed=seed), n), f"a network of {what} and n = {n}")
        for seed, (taps, bend, n, what) in enumerate(networks)
    ]


def _touched(network, n):
    """Return the offsets of all outputs that one changed sample in the middle moves."""
    y = 1 + np.random.default_rng(7).random(n)  # above what a layer may cut off
    other = y.copy()
    other[n // 2] += 1.0
    return np.flatnonzero(network(other) != network(y)) - n // 2


def _reach(network, n):
    touched = _touched(network, n)
    return np.array([max(touched.max(), 0), max(-touched.min(), 0)])


REACH_SLIPS = (
    ("exchanged", lambda network, n: _reach(network, n)[::-1]),
    ("itself counted", lambda network, n: _reach(network, n) + 1),
    ("the past alone", lambda network, n: _reach(network, n) * np.array([1, 0])),
    (
        "outputs counted",
        lambda network, n: np.array(
            [np.sum(_touched(network, n) > 0), np.sum(_touched(network, n) < 0)]
        ),
    ),
    ("both sides alike", lambda network, n: np.full(2, _reach(network, n).max())),
    ("places, not distances", lambda network, n: n // 2 + np.array([1, -1]) * _reach(network, n)),
    ("signs left in", lambda network, n: _reach(network, n) * np.array([1, -1])),
)

NORMAL = 0.5 * np.log(2 * np.pi)


def density_probes() -> list[Probe]:
    """Return samples with a stretch and a shift for each."""
    probes = []
    for seed, n in enumerate((1, 5, 16)):
        y, log_factor, shift = np.random.default_rng(seed).normal(0, 0.8, (3, n))
        say = "one sample" if n == 1 else f"{n} samples"
        probes.append(Probe((y, log_factor, shift), f"{say} with a factor and a shift for each"))
    return probes


def _z(y, log_factor, shift):
    return y * np.exp(log_factor) + shift


def _density(y, log_factor, shift):
    return -0.5 * _z(y, log_factor, shift) ** 2 - NORMAL + log_factor


def _of_noise(z):
    return -0.5 * z**2 - NORMAL


DENSITY_SLIPS = (
    ("no volume", lambda y, k, m: _of_noise(_z(y, k, m))),
    ("volume the wrong way", lambda y, k, m: _of_noise(_z(y, k, m)) - k),
    ("the factor instead of its logarithm", lambda y, k, m: _of_noise(_z(y, k, m)) + np.exp(k)),
    ("no constant", lambda y, k, m: -0.5 * _z(y, k, m) ** 2 + k),
    ("the density of y", lambda y, k, m: _of_noise(y) + k),
    ("the way back", lambda y, k, m: _of_noise((y - m) * np.exp(-k)) + k),
    ("log factor as factor", lambda y, k, m: _of_noise(y * k + m) + k),
    ("no logarithm", lambda y, k, m: np.exp(_density(y, k, m))),
)


# ---- a loss that is deaf to phase ---------------------------------------------------------------

SR = 16000
PERIOD = 128  # samples: a voice at 125 Hz
LENGTH = 2048
LOWEST = 40  # harmonics below 5 kHz are compared


def _vowel(n: int) -> np.ndarray:
    """Return the response of a mouth that says "ah", (n // 2 + 1,)."""
    f = np.fft.rfftfreq(n, 1 / SR)
    formants = ((700, 120, 1.0), (1100, 140, 0.6), (2500, 220, 0.25), (3500, 300, 0.12))
    return sum(a / (1 + 1j * (f - F) / B) for F, B, a in formants)


def _pulses(starts, n: int = LENGTH) -> np.ndarray:
    """Return pulses every `PERIOD` samples, one row for each place of the first one."""
    rows = np.zeros((len(starts), n))
    for row, start in zip(rows, starts, strict=True):
        row[start::PERIOD] = 1.0
    return rows


def _spoken(starts, n: int = LENGTH) -> np.ndarray:
    """Return vowels at −20 dBFS that begin at several places in a period."""
    y = np.fft.irfft(np.fft.rfft(_pulses(starts, n)) * _vowel(n), n)
    return 0.1 * y / y.std()


def deaf_probes() -> list[Probe]:
    """Return vowels, each with itself, at other phases, at half the level, and as silence."""
    target = _spoken([0, 50])
    D = np.fft.rfft(target)
    turns = np.random.default_rng(5).uniform(-np.pi, np.pi, D.shape)
    other = np.fft.irfft(np.abs(D) * np.exp(1j * turns), LENGTH)
    pairs = {
        "a vowel and itself": target,
        "a vowel with other phases": other,
        "a vowel at half the level": target / 2,
        "silence for a vowel": np.zeros(target.shape),
    }
    return [Probe((made, target), say) for say, made in pairs.items()]


def _read_deaf(fn, made, target):
    """Return a loss and the size of its slope; for silence also level, fault and sound of a vowel
    that learns from the loss.
    """

    def joined(value, slope):
        size = 0.0 if slope is None else float(np.linalg.norm(slope))
        if made.any():
            return np.array([value, size])
        return np.append([value, size], _learned_vowel(fn, slope is not None))

    return slopes(fn, made, target, joined)


def _learned_vowel(fn, learns=True):
    """Return level and mean fault of harmonics [dB], and the vowel, after 120 steps: pulses through
    a filter that learns. The target begins at a place that the network is not told.
    """
    import torch

    h = torch.zeros(256, dtype=torch.float64)
    h[0] = 0.01
    h.requires_grad_()
    adam = torch.optim.Adam([h], lr=0.03)
    rng = np.random.default_rng(6)

    def says(starts, n):
        pulses = torch.from_numpy(_pulses(starts, n))
        return torch.fft.irfft(torch.fft.rfft(pulses) * torch.fft.rfft(h, n), n)

    for _ in range(120 if learns else 0):
        target = torch.from_numpy(_spoken(rng.integers(PERIOD, size=4)))
        cost = fn(says(rng.integers(PERIOD, size=4), LENGTH), target)
        adam.zero_grad()
        cost.backward()
        adam.step()
    y = says([0], 8 * LENGTH)[0].detach().numpy()
    harmonics = np.arange(1, LOWEST + 1) * (y.size // PERIOD)
    has, wanted = (np.abs(np.fft.rfft(x)[harmonics]) for x in (y, _spoken([0], y.size)[0]))
    fault = 20 * np.log10(np.maximum(has, 1e-9) / wanted)
    level = 20 * np.log10(np.maximum(y.std(), 1e-6) / 0.1)
    return np.concatenate([[level, np.mean(np.abs(fault))], y])


def _deaf_loss(made, target, *, sizes=(512, 1024), small=1e-6, gain=1.0):
    import torch

    total = 0.0
    for n in sizes:
        window = torch.hann_window(n, dtype=made.dtype)
        S, wanted = (
            (D.real.square() + D.imag.square() + small).sqrt()
            for D in (torch.stft(y, n, n // 4, window=window, return_complex=True)
                      for y in (made, target))
        )  # fmt: skip
        total = total + (S - wanted).abs().mean() + 0.1 * (S.log() - wanted.log()).abs().mean()
    return gain * total / len(sizes)


def _by_energy(made, target):
    return (made.square().mean() - target.square().mean()).square() * 1e3


def _scaled(made, target):
    """Compare magnitudes at one level: the level is not heard."""
    return _deaf_loss(made / (made.std() + 1e-3), target / (target.std() + 1e-3))


def _shares_of_silence(got):
    """Return what itself, other phases and half the level cost, as shares of what silence costs."""
    itself, other, half, silence = (values[0] for values in got)
    return itself / silence, other / silence, half / silence


DEAF_GOALS = (
    ("no slope", lambda got: got[1][1] == 0),
    ("equal sounds cost", lambda got: got[3][0] <= 0 or abs(_shares_of_silence(got)[0]) > 1e-3),
    ("hears phase", lambda got: not _shares_of_silence(got)[1] < 0.5),
    ("deaf to level", lambda got: not _shares_of_silence(got)[2] > 0.03),
    ("another vowel", lambda got: not max(abs(got[3][2]), got[3][3]) < 3),
)


def _as_read(fn):
    return lambda made, target: (
        _read_deaf(fn, made, target) if isinstance(made, np.ndarray) else fn(made, target)
    )


DEAF_SLIPS = (
    ("no slope", _as_read(lambda made, target: _deaf_loss(made, target).detach())),
    ("equal sounds cost", _as_read(lambda made, target: _deaf_loss(made, target) + 1)),
    ("hears phase", _as_read(lambda made, target: (made - target).square().mean())),
    ("deaf to level", _as_read(_scaled)),
    ("another vowel", _as_read(_by_energy)),
)


def _deaf_measured(got):
    _, other, half = _shares_of_silence(got)
    level, fault = got[3][2:4]
    if not np.isfinite([other, half, level, fault]).all():
        return ""
    words = f"re silence, other phases {other:.2f} and half the level {half:.2f}; the vowel that "
    words += f"learned from it: level {level:+.1f} dB, harmonics off by {fault:.1f} dB."
    return words.replace("-", "−")


def _truth_deaf(made, target):
    return _read_deaf(_deaf_loss, made, target)


def _deaf_call():
    target = _spoken([0, 50])
    return np.zeros(target.shape), target


def _vowels(own, right, made, target):
    """Return vowels as loud as they came out: the target, the learner's, and squared error's."""
    squared = _learned_vowel(lambda made, target: (made - target).square().mean())[2:]
    n = 8 * LENGTH
    ramp = np.minimum(1, np.minimum(np.arange(n), n - 1 - np.arange(n)) / 800)
    tracks = {"the vowel": _spoken([0], n)[0], "learned from your loss": own[4:]}
    tracks["learned from squared error"] = squared
    return {name: np.clip(ramp * y, -0.9, 0.9) for name, y in tracks.items()}


def dilated_view():
    """Return what a click becomes in one layer with a gap of 12."""
    click = (np.arange(40) == 8) * 1.0
    return np.arange(40), [(click, 0.5, 1.0, 12)]


def density_view():
    """Return samples for a map that stretches by 2 and shifts by 1."""
    y = np.linspace(-3, 2, 101)
    return y, [(y, np.full(y.size, np.log(2)), np.ones(y.size))]


CHECKS = {
    "34.dilated": Check(
        dilated_probes,
        _dilated,
        DILATED_SLIPS,
        atol=1e-9,
        shows=Curve(dilated_view, "sample, a click at 8, gap 12", "output"),
    ),
    "34.reach": Check(reach_probes, _reach, REACH_SLIPS, atol=1e-9),
    "34.deaf": learned(
        _read_deaf,
        "a tensor that holds one number",
        deaf_probes,
        _truth_deaf,
        DEAF_SLIPS,
        atol=1e-7,
        goals=DEAF_GOALS,
        measured=_deaf_measured,
        seconds=60.0,  # it learns for a second, and for more on a busy machine
        shows=Sound(_deaf_call, _vowels, SR, match=None),
    ),
    "34.density": Check(
        density_probes,
        _density,
        DENSITY_SLIPS,
        atol=1e-9,
        shows=Curve(density_view, "sample", "log density"),
    ),
}
