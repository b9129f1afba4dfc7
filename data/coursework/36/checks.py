"""What the checks of unit 36 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools
from itertools import combinations

import numpy as np

from helpers import audio
from helpers.coursework.checking import Check
from helpers.coursework.learned import learned
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound


def macs_probes() -> list[Probe]:
    """Return sizes of dense layers, (n_layers, 2), and frames a second."""
    cases = (
        (np.array([[256, 192]]), 125),
        (np.array([[128, 192], [192, 384], [384, 192], [192, 256]]), 250),
        (np.array([[257, 48], [48, 257]]), 62.5),
    )
    say = "{} layers, {:g} frames a second"
    return [
        Probe(case, say.format(len(case[0]), case[1]), "more" if i else "")
        for i, case in enumerate(cases)
    ]


def _macs(layers, frames):
    return np.sum(layers[:, 0] * layers[:, 1]) * frames


MACS_SLIPS = (
    ("one frame", lambda layers, frames: float(np.sum(layers[:, 0] * layers[:, 1]))),
    ("biases counted", lambda layers, frames: np.sum((layers[:, 0] + 1) * layers[:, 1]) * frames),
    ("counted twice", lambda layers, frames: 2 * _macs(layers, frames)),
    ("sizes added", lambda layers, frames: np.sum(layers) * frames),
    ("layers multiplied", lambda layers, frames: np.prod(layers.astype(float)) * frames),
    ("divided by the frames", lambda layers, frames: np.sum(layers[:, 0] * layers[:, 1]) / frames),
)


def agree_probes() -> list[Probe]:
    """Return ratings and scores, (n_items, n_systems), without ties: one item, then several."""
    first = (np.array([[80.0, 60.0, 40.0]]), np.array([[1.9, 2.4, 1.2]]))
    probes = [Probe(first, "ears = [[80, 60, 40]], metric = [[1.9, 2.4, 1.2]]")]
    for seed, shape in ((12, (6, 3)), (13, (7, 4)), (14, (4, 5))):
        rng = np.random.default_rng(seed)
        ears = rng.uniform(5, 95, shape) + rng.uniform(0, 60, (shape[0], 1))
        metric = 0.02 * ears + rng.uniform(0, 1, shape) + rng.uniform(0, 3, (shape[0], 1))
        probes.append(Probe((ears, metric), f"{shape[0]} items and {shape[1]} systems"))
    return probes


def _signs(x):
    return np.array([np.sign(x[:, i] - x[:, j]) for i, j in combinations(range(x.shape[1]), 2)])


def _agreement(ears, metric):
    return np.mean(_signs(ears) == _signs(metric))


def _across(ears, metric):
    """Agreement over all pairs of numbers, those of different items too."""
    return _agreement(ears.reshape(1, -1), metric.reshape(1, -1))


AGREE_SLIPS = (
    ("disagreement", lambda ears, metric: 1 - _agreement(ears, metric)),
    ("kendall", lambda ears, metric: 2 * _agreement(ears, metric) - 1),
    ("pairs across items", _across),
    ("winners alone", lambda ears, metric: np.mean(ears.argmax(1) == metric.argmax(1))),
    ("means first", lambda ears, metric: _agreement(ears.mean(0)[None], metric.mean(0)[None])),
    ("a count", lambda ears, metric: float(np.sum(_signs(ears) == _signs(metric)))),
    ("correlation", lambda ears, metric: np.corrcoef(ears.ravel(), metric.ravel())[0, 1]),
)


def interval_probes() -> list[Probe]:
    """Return scores of two systems on the same utterances, and which utterances are drawn."""
    probes = []
    for seed, (n, draws) in enumerate(((5, 40), (19, 400), (12, 333))):
        rng = np.random.default_rng(seed)
        hard = rng.normal(0, 3, n)  # what the utterances share
        one, other = hard + rng.normal(0.4, 1, n), hard + rng.normal(0, 1, n)
        picks = rng.integers(n, size=(draws, n))
        probes.append(Probe((one, other, picks), f"{n} utterances and {draws} draws"))
    return probes


def _percentiles(values, low=2.5, high=97.5):
    return np.percentile(values, [low, high])


def _interval(one, other, picks, *ends):
    return _percentiles((one - other)[picks].mean(axis=1), *ends)


INTERVAL_SLIPS = (
    (
        "each by itself",
        lambda a, b, p: _percentiles(a[p].mean(axis=1)) - _percentiles(b[p].mean(axis=1)),
    ),
    (
        "ends of the two set apart",
        lambda a, b, p: _percentiles(a[p].mean(axis=1)) - _percentiles(b[p].mean(axis=1))[::-1],
    ),
    ("no draws", lambda a, b, p: _percentiles(a - b)),
    ("single differences", lambda a, b, p: _percentiles((a - b)[p])),
    ("90 per cent", lambda a, b, p: _interval(a, b, p, 5, 95)),
    ("one end only counted", lambda a, b, p: _interval(a, b, p, 0, 95)),
    ("the other order", lambda a, b, p: _interval(b, a, p)),
    ("sums, not means", lambda a, b, p: _percentiles((a - b)[p].sum(axis=1))),
    ("averaged over the draws", lambda a, b, p: _percentiles((a - b)[p].mean(axis=0))),
)


def ship_probes() -> list[Probe]:
    """Return costs, limits, qualities and margins: something fits, qualities are negative, nothing
    fits, a limit is met, several cannot be told apart.
    """
    inf = np.inf
    costs = np.array([[32.0, 228.0], [32.0, 507.0], [inf, 140.0], [8.0, 90.0], [64.0, 900.0]])
    usual = np.array([1.7, 1.9, 2.1, 1.4, 2.5])
    near = np.array([1.95, 2.0, 1.96, 1.2, 1.99])
    low = np.array([-4.0, -3.0, -7.0, -9.0, -8.0])
    other = np.array([2.4, 1.1, 2.3, 1.9, 1.6])
    cases = (
        (costs, np.array([40.0, 300.0]), usual, 0.1, ""),
        (costs, np.array([inf, 600.0]), usual, 0.1, ""),
        (costs[::-1], np.array([40.0, 300.0]), other, 0.1, ""),
        (costs, np.array([inf, 1000.0]), near, 0.08, "near"),
        (costs[::-1], np.array([40.0, 600.0]), near[::-1], 0.08, "near"),
        (costs[[3, 1, 0, 4, 2]], np.array([64.0, 1000.0]), near[[3, 1, 0, 4, 2]], 0.02, "near"),
        (costs, np.array([40.0, 600.0]), low, 0.5, "negative"),
        (costs, np.array([40.0, 600.0]), low, 1.5, "negative"),
        (costs, np.array([5.0, 600.0]), usual, 0.1, "none"),
        (costs, np.array([100.0, 50.0]), usual[::-1], 0.1, "none"),
        (costs, np.array([32.0, 507.0]), usual, 0.1, "edge"),
        (costs, np.array([40.0, 600.0]), np.array([1.5, 2.0, 3.0, 1.0, 3.0]), 0.5, "edge"),
        (
            np.column_stack([costs, [1.0, 0.5, 0.2, 0.4, 0.1]]),
            np.array([64.0, 1000.0, 1.0]),
            near,
            0.08,
            "three kinds of cost",
        ),
    )
    say = "limits {}, qualities {}, margin {}"
    return [
        Probe(case, say.format(case[1].tolist(), case[2].tolist(), case[3]), group)
        for *case, group in cases
    ]


def _fits(costs, limits):
    return np.all(costs <= limits, axis=1)


def _ship(costs, limits, quality, margin, fits=None):
    fits = _fits(costs, limits) if fits is None else fits
    if not fits.any():
        return -1
    near = fits & (quality > quality[fits].max() - margin)
    return int(np.argmin(np.where(near, costs[:, -1], np.inf)))


def _among(costs, limits, quality, margin):
    """Return the place among those that fit, which is another place than in the whole list."""
    fits = _fits(costs, limits)
    return _ship(costs[fits], limits, quality[fits], margin) if fits.any() else -1


def _near_any(costs, limits, quality, margin):
    """Compare with the best of all, also of those that are out."""
    fits = _fits(costs, limits)
    near = fits & (quality > quality.max() - margin)
    return int(np.argmin(np.where(near, costs[:, -1], np.inf))) if near.any() else -1


SHIP_SLIPS = (
    ("limits ignored", lambda c, limits, q, m: _ship(c, np.full(len(limits), np.inf), q, m)),
    ("margin ignored", lambda c, limits, q, m: _ship(c, limits, q, 1e-9)),
    ("the cheapest that fits", lambda c, limits, q, m: _ship(c, limits, q, np.inf)),
    ("compared with what is out", _near_any),
    ("one limit is enough", lambda c, lim, q, m: _ship(c, lim, q, m, np.any(c <= lim, axis=1))),
    ("place among the rest", _among),
    ("over the limit", lambda c, lim, q, m: _ship(c, lim, q, m, np.all(c > lim, axis=1))),
    ("none is the first", lambda c, limits, q, m: max(0, _ship(c, limits, q, m))),
    ("limit not allowed", lambda c, lim, q, m: _ship(c, lim, q, m, np.all(c < lim, axis=1))),
    ("cost of the first kind", lambda c, lim, q, m: _ship(c[:, ::-1], lim[::-1], q, m)),
)


# ---- a small network learns from a large one ----------------------------------------------------

STEPS = 3  # with one pair of networks, so that slopes which nobody empties are seen
SR = 16000


def distil_probes() -> list[Probe]:
    """Return seeds of networks and examples, shares of the large network, and rates."""
    cases = ((1, 0.5, 0.1), (2, 1.0, 0.05), (3, 0.2, 0.2), (4, 0.0, 0.1))
    say = "two networks of a few weights, share = {:g}, rate = {:g}"
    return [Probe(case, say.format(*case[1:])) for case in cases]


def _read_distil(fn, seed, share, rate):
    """Return the losses of some steps, then the weights of the small and of the large network."""
    import numpy as np
    import torch

    if isinstance(seed, str):
        return _heard_distil(fn, share, rate)
    rng = np.random.default_rng(seed)
    small, large = torch.nn.Conv1d(1, 1, 1), torch.nn.Conv1d(1, 1, 3, padding=1)
    for network in (small, large):
        network.double()
        with torch.no_grad():
            for weights in network.parameters():
                weights.copy_(torch.from_numpy(rng.uniform(0.1, 0.6, weights.shape)))
    both = [*small.parameters(), *large.parameters()]
    optimizer = torch.optim.SGD(both, lr=rate)  # of both: who is to learn, the slopes decide
    said = []
    for _ in range(STEPS):
        noisy, clean = (torch.from_numpy(rng.uniform(0, 1, (2, 1, 9))) for _ in range(2))
        value = fn(small, large, noisy, clean, share, optimizer)
        if torch.is_tensor(value):
            value = value.detach().numpy()
        if not isinstance(value, (float, int, np.ndarray, np.floating)) or np.ndim(value):
            return value
        if isinstance(value, bool):
            return value
        said.append(float(value))
    left = [weights.detach().numpy().ravel() for weights in both]
    return np.concatenate([said, *left])


def _distil(small, large, noisy, clean, share, optimizer, *, fixed=True, empty=True, moves=True,
            by=None, sign=1.0, loss=None):  # fmt: skip
    told = large(noisy)
    told = told.detach() if fixed else told
    target = share * told + (1 - share) * clean if by is None else by(told, clean, share)
    cost = (small(noisy) - target).square().mean() if loss is None else loss(small(noisy), target)
    if empty:
        optimizer.zero_grad()
    (sign * cost).backward()
    if moves:
        optimizer.step()
    return cost.item()


def _two_losses(small, large, noisy, clean, share, optimizer):
    """Mix the losses and not the targets: the same slopes, and another number."""
    told, made = large(noisy).detach(), small(noisy)
    cost = share * (made - told).square().mean() + (1 - share) * (made - clean).square().mean()
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    return cost.item()


def _afterwards(small, large, noisy, clean, share, optimizer):
    _distil(small, large, noisy, clean, share, optimizer)
    target = share * large(noisy) + (1 - share) * clean
    return (small(noisy) - target).square().mean().item()


def _another(**changes):
    """Return a model of a slip, read as a learner's function is."""
    return _read_as(
        lambda small, large, noisy, clean, share, optimizer: _distil(
            small, large, noisy, clean, share, optimizer, **changes
        )
    )


def _read_as(fn):
    """Return a model that takes networks from a learner's call, and seeds from a comparison."""
    return lambda *args: fn(*args) if len(args) == 6 else _read_distil(fn, *args)


DISTIL_SLIPS = (
    ("the large one learns too", _another(fixed=False)),
    ("shares exchanged", _another(by=lambda told, clean, a: (1 - a) * told + a * clean)),
    ("the clean one alone", _another(by=lambda told, clean, a: clean)),
    ("the large one alone", _another(by=lambda told, clean, a: told)),
    ("half and half", _another(by=lambda told, clean, a: (told + clean) / 2)),
    ("the clean one whole", _another(by=lambda told, clean, a: a * told + clean)),
    ("two losses", _read_as(_two_losses)),
    ("slopes kept", _another(empty=False)),
    ("no step", _another(moves=False)),
    ("uphill", _another(sign=-1.0)),
    ("absolute errors", _another(loss=lambda made, target: (made - target).abs().mean())),
    ("summed", _another(loss=lambda made, target: (made - target).square().sum())),
    ("loss after the step", _read_as(_afterwards)),
)


def _heard_distil(fn, share, rate):
    """Return what a small network of three frames makes of a mixture that no step has heard, after
    60 steps with magnitudes; the large one is Setting 1's.
    """
    import numpy as np
    import torch

    from helpers import audio, settings, stft

    model = settings.load("setting1_stft").model
    frames = {"n_fft": 512, "hop_length": 128}
    voice = audio.clip("librivox_a")[0][: 8 * 16000]
    rain = audio.clip("rain")[0]
    D = stft.stft(audio.mix(voice, np.resize(rain, voice.size), snr_db=5), **frames)
    noisy, clean = (
        torch.from_numpy(np.abs(x)[None]).float() for x in (D, stft.stft(voice, **frames))
    )
    with torch.no_grad():
        made = model.mask(noisy)[0] * noisy

    def large(S):
        return made[..., : S.shape[-1]]

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (
            torch.nn.Conv1d(257, 32, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv1d(32, 257, 1),
        )
        small = torch.nn.Sequential(*layers, torch.nn.ReLU())
        optimizer = torch.optim.Adam(small.parameters(), lr=rate)
        for _ in range(60):
            fn(small, large, noisy, clean, share, optimizer)
    other = audio.clip("arctic_awb")[0][: 3 * 16000]
    D = stft.stft(audio.mix(other, rain[: other.size], snr_db=5), **frames)
    with torch.no_grad():
        S = small(torch.from_numpy(np.abs(D)[None]).float())[0].numpy()
    return stft.istft(S * np.exp(1j * np.angle(D)), hop_length=128, length=other.size)


def _distil_heard(own, right, *args):
    """Return the mixture, the small network, the large one, and the voice."""
    from helpers import settings

    voice = audio.clip("arctic_awb")[0][: 3 * SR]
    noisy = audio.mix(voice, audio.clip("rain")[0][: voice.size], snr_db=5)
    large = settings.load("setting1_stft").enhance(noisy, sr=SR)
    return {"noisy": noisy, "your small network": own, "the large one": large, "voice": voice}


# ---- what a right function makes ----------------------------------------------------------------


def macs_view():
    """Return frames a second, for two layers."""
    layers = np.array([[257, 48], [48, 257]])
    frames = np.arange(50, 501, 25)
    return frames, [(layers, float(f)) for f in frames]


def agree_view():
    """Return how much chance is mixed into a metric, and ratings with such metrics."""
    rng = np.random.default_rng(3)
    ears = rng.uniform(5, 95, (40, 3))
    noise = rng.uniform(5, 95, (40, 3))
    shares = np.linspace(0, 1, 21)
    return shares, [(ears, (1 - s) * ears + s * noise) for s in shares]


def interval_view():
    """Return numbers of utterances, and scores of two systems on so many."""
    rng = np.random.default_rng(4)
    numbers = np.arange(5, 61, 5)
    calls = []
    for n in numbers:
        one, other = rng.normal(size=(2, n))
        calls.append((one, other, rng.integers(n, size=(2000, n))))
    return numbers, calls


CHECKS = {
    "36.macs": Check(
        macs_probes,
        _macs,
        MACS_SLIPS,
        atol=1e-3,
        shows=Curve(macs_view, "frames a second", "multiply-adds a second"),
    ),
    "36.agree": Check(
        agree_probes,
        _agreement,
        AGREE_SLIPS,
        atol=1e-9,
        shows=Curve(agree_view, "share of chance in a metric", "share of pairs"),
    ),
    "36.interval": Check(
        interval_probes,
        _interval,
        INTERVAL_SLIPS,
        atol=1e-9,
        shows=Curve(
            interval_view, "utterances", "width of the interval", lambda v: v[:, 1] - v[:, 0]
        ),
    ),
    "36.distil": learned(
        _read_distil,
        "the loss as one number",
        distil_probes,
        functools.partial(_read_distil, _distil),
        DISTIL_SLIPS,
        atol=1e-9,
        seconds=30.0,  # PyTorch wakes up slowly on a busy machine
        shows=Sound(lambda: ("heard", 0.5, 3e-3), _distil_heard, SR),
    ),
    "36.ship": Check(ship_probes, _ship, SHIP_SLIPS, atol=1e-9),
}
