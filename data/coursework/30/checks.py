"""What the checks of unit 30 try, and the mistakes that they know by their numbers.

Three exercises need PyTorch. `learned` calls such a function with tensors or with a network, and
reads numbers off what it returns: a loss and its slope, the weights after a step, a trained mask.
"""

from __future__ import annotations

import functools

import numpy as np

from helpers import audio, metrics, stft
from helpers.coursework.checking import Check
from helpers.coursework.learned import learned, module, slopes
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound

SR = 16000


def _noise(n: int, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n)


# ---- the slope of a loss ------------------------------------------------------------------------


def slope_probes() -> list[Probe]:
    """Return two samples that can be done in the head, then noise and louder noise."""
    first = (np.array([1.0, 2.0]), np.array([2.0, 4.0]), 1.0)
    probes = [Probe(first, "y = [1, 2], target = [2, 4], gain = 1")]
    for seed, (n, gain) in enumerate(((300, 0.2), (77, 2.5), (512, -1.0))):
        y = _noise(n, seed) + 0.02
        target = 1.7 * y + 0.5 * _noise(n, 50 + seed)
        probes.append(Probe((y, target, gain), f"{n} samples of noise, gain = {gain:g}"))
    return probes


def _slope(y, target, gain):
    return 2 * np.mean(y * (gain * y - target))


SLOPE_SLIPS = (
    ("the loss itself", lambda y, t, g: np.mean((g * y - t) ** 2)),
    ("the 2 forgotten", lambda y, t, g: _slope(y, t, g) / 2),
    ("upside down", lambda y, t, g: -_slope(y, t, g)),
    ("the sound forgotten", lambda y, t, g: 2 * np.mean(g * y - t)),
    ("times the target", lambda y, t, g: 2 * np.mean(t * (g * y - t))),
    ("summed", lambda y, t, g: _slope(y, t, g) * len(y)),
    ("per power", lambda y, t, g: _slope(y, t, g) / np.mean(t**2)),
)

# ---- stepping downhill --------------------------------------------------------------------------


def _bowl(x):
    return 2 * x


def _wave(x):
    return np.cos(3 * x) + 0.3 * x


def _steep(x):
    return 2 * np.tanh(3 * x) - 1


def roll_probes() -> list[Probe]:
    """Return slopes of known valleys, with starts, rates and numbers of steps."""
    cases = (
        (_bowl, 1.0, 0.25, 3, "the slope 2x, start = 1, rate = 0.25, steps = 3"),
        (_wave, 0.4, 0.2, 7, "the slope cos(3x) + 0.3x, start = 0.4, rate = 0.2, steps = 7"),
        (_steep, -0.5, 0.05, 12, "the slope 2 tanh(3x) − 1, start = −0.5, rate = 0.05, steps = 12"),
        (_bowl, -2.0, 0.9, 1, "the slope 2x, start = −2, rate = 0.9, steps = 1"),
    )
    return [Probe(case[:4], case[4]) for case in cases]


def _roll(slope, start, rate, steps, *, move=lambda x, s, r: x - r * s):
    places = [start]
    for _ in range(steps):
        places.append(move(places[-1], slope(places[-1]), rate))
    return np.array(places)


def _shrinking(slope, start, rate, steps):
    places = [start]
    for k in range(steps):
        places.append(places[-1] - rate / (k + 1) * slope(places[-1]))
    return np.array(places)


def _by_move(move):
    """Return a model that moves otherwise."""
    return lambda slope, start, rate, steps: _roll(slope, start, rate, steps, move=move)


ROLL_SLIPS = (
    ("uphill", _by_move(lambda x, s, r: x + r * s)),
    ("rate forgotten", _by_move(lambda x, s, r: x - s)),
    ("the step for the place", _by_move(lambda x, s, r: -r * s)),
    ("sign of the slope only", _by_move(lambda x, s, r: x - r * np.sign(s))),
    ("start left out", lambda s, x, r, n: _roll(s, x, r, n)[1:]),
    ("only the last", lambda s, x, r, n: _roll(s, x, r, n)[-1]),
    ("one too many", lambda s, x, r, n: _roll(s, x, r, n + 1)),
    ("slope of the start", lambda s, x, r, n: x - r * s(x) * np.arange(n + 1)),
    ("the rate shrinks", _shrinking),
)

# ---- a neuron -----------------------------------------------------------------------------------


def neuron_probes() -> list[Probe]:
    """Return a sound that can be done in the head, then noise with several weights."""
    first = (np.array([1.0, 2.0, 0.0, -1.0, 3.0]), np.array([1.0, -0.5]), 0.25)
    probes = [Probe(first, "y = [1, 2, 0, −1, 3], weights = [1, −0.5], bias = 0.25")]
    for seed, (n, taps, bias) in enumerate(((40, 5, -0.03), (31, 8, 0.05), (64, 3, 0.01))):
        rng = np.random.default_rng(30 + seed)
        say = f"{n} samples of noise, {taps} weights, bias = {bias:g}"
        probes.append(Probe((_noise(n, seed), rng.normal(size=taps), bias), say))
    return probes


def _heard(y, w, mode="valid"):
    return np.correlate(y, w, mode=mode)


def _neuron(y, weights, bias):
    return np.maximum(_heard(y, weights) + bias, 0)


NEURON_SLIPS = (
    ("turned round", lambda y, w, b: _neuron(y, w[::-1], b)),
    ("no bend", lambda y, w, b: _heard(y, w) + b),
    ("bias forgotten", lambda y, w, b: _neuron(y, w, 0)),
    ("bias after the bend", lambda y, w, b: np.maximum(_heard(y, w), 0) + b),
    ("bent to absolute values", lambda y, w, b: np.abs(_heard(y, w) + b)),
    ("negative kept", lambda y, w, b: np.minimum(_heard(y, w) + b, 0)),
    ("bias on each product", lambda y, w, b: np.maximum(_heard(y, w) + b * len(w), 0)),
    ("as long as the sound", lambda y, w, b: np.maximum(_heard(y, w, "same") + b, 0)),
    ("hanging over", lambda y, w, b: np.maximum(_heard(y, w, "full") + b, 0)),
    ("mean for sum", lambda y, w, b: np.maximum(_heard(y, w) / len(w) + b, 0)),
)

# ---- a loss with a slope ------------------------------------------------------------------------


def loss_probes() -> list[Probe]:
    """Return magnitudes: two that can be done in the head, then many, silence among them."""
    first = (np.array([[0.09, 0.25]]), np.array([[0.16, 0.25]]))
    probes = [Probe(first, "made = [[0.09, 0.25]], target = [[0.16, 0.25]]")]
    for seed, shape in ((1, (4, 6)), (2, (7, 3))):
        rng = np.random.default_rng(seed)
        made, target = rng.exponential(0.3, (2, *shape))
        made[0, :2] = 0.0
        target[0, 1:3] = 0.0
        say = f"magnitudes of {shape[0]} bins and {shape[1]} frames, some of them 0"
        probes.append(Probe((made, target), say))
    return probes


def _root_loss(made, target, *, small=1e-4, root=0.5, power=2.0, bend=None, over="mean"):
    import torch

    E, S = (made + small) ** root, (target + small) ** root
    off = (E - S).abs() ** power if bend is None else bend(E, S)
    found = off.sum() if over == "sum" else off.mean()
    return torch.sqrt(found) if over == "root" else found


def _model_of_loss(fn):
    """Return a model that takes tensors from a learner's call, and arrays from a comparison."""
    return lambda made, target: (
        slopes(fn, made, target) if isinstance(made, np.ndarray) else fn(made, target)
    )


def _changed(**changes):
    return _model_of_loss(lambda made, target: _root_loss(made, target, **changes))


LOSS_SLIPS = (
    ("no slope", _model_of_loss(lambda made, target: _root_loss(made, target).detach())),
    ("no small number", _changed(small=0.0)),
    ("roots forgotten", _changed(small=0.0, root=1.0)),
    ("summed", _changed(over="sum")),
    ("not squared", _changed(power=1.0)),
    ("a root too many", _changed(over="root")),
    ("upside down", _model_of_loss(lambda made, target: -_root_loss(made, target))),
    ("logarithms", _changed(bend=lambda E, S: 4 * (E.log() - S.log()) ** 2)),
)

# ---- one step of training -----------------------------------------------------------------------

STEPS = 4  # with one network, so that slopes which nobody empties are seen


def train_probes() -> list[Probe]:
    """Return numbers of networks and batches: seed, examples in a batch, rate."""
    cases = ((1, 1, 0.1), (2, 3, 0.1), (3, 4, 0.03))
    say = "a network of 9 weights, batches of {}, rate = {:g}"
    return [Probe(case, say.format(*case[1:])) for case in cases]


def _read_train(fn, seed, size, rate):
    """Return the losses that some steps report, then the weights that they leave behind."""
    import torch

    rng = np.random.default_rng(seed)
    network = torch.nn.Sequential(
        torch.nn.Conv1d(1, 1, 5), torch.nn.ReLU(), torch.nn.Conv1d(1, 1, 2)
    )
    network = network.double()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(torch.from_numpy(rng.uniform(0.1, 0.6, weights.shape)))
    said = []
    for _ in range(STEPS):
        pairs = [torch.from_numpy(rng.uniform(0, 1, (2, 1, 1, 12))) for _ in range(size)]
        batch = [(noisy, clean[..., :7]) for noisy, clean in pairs]
        value = fn(network, torch.nn.functional.mse_loss, batch, rate)
        if torch.is_tensor(value):
            value = value.detach().numpy()
        if not isinstance(value, (float, int, np.ndarray, np.floating)) or np.ndim(value):
            return value
        if np.iscomplexobj(value) or isinstance(value, bool):
            return value
        said.append(float(value))
    left = [weights.detach().numpy().ravel() for weights in network.parameters()]
    return np.concatenate([said, *left])


def _train(network, loss, batch, rate, *, empty=True, share=True, step=-1.0, which=slice(None)):
    import torch

    if empty:
        network.zero_grad()
    count = len(batch[which]) if share else 1
    costs = [loss(network(noisy), clean) for noisy, clean in batch[which]]
    (sum(costs) / count).backward()
    with torch.no_grad():
        for weights in network.parameters():
            weights += step * rate * weights.grad
    return float(sum(cost.item() for cost in costs)) / count


def _after(network, loss, batch, rate):
    _train(network, loss, batch, rate)
    return float(sum(loss(network(x), y).item() for x, y in batch)) / len(batch)


def _one_by_one(network, loss, batch, rate):
    return float(np.mean([_train(network, loss, [pair], rate) for pair in batch]))


def _emptied_each(network, loss, batch, rate):
    """Empty the slopes before every example, so that the last one alone decides."""
    said = sum(loss(network(x), y).item() for x, y in batch) / len(batch)
    _train(network, loss, batch[-1:], rate / len(batch))
    return float(said)


def _no_rate(network, loss, batch, rate):
    return _train(network, loss, batch, 1.0)


def _slip_of_training(fn=_train, **changes):
    def model(*args):
        step = functools.partial(fn, **changes)
        return _read_train(step, *args) if len(args) == 3 else step(*args)

    return model


TRAIN_SLIPS = (
    ("slopes kept", _slip_of_training(empty=False)),
    ("uphill", _slip_of_training(step=1.0)),
    ("no step", _slip_of_training(step=0.0)),
    ("rate forgotten", _slip_of_training(_no_rate)),
    ("summed", _slip_of_training(share=False)),
    ("a step for each", _slip_of_training(_one_by_one)),
    ("first only", _slip_of_training(which=slice(0, 1))),
    ("last slope only", _slip_of_training(_emptied_each)),
    ("loss after the step", _slip_of_training(_after)),
)

# ---- a network of one's own ---------------------------------------------------------------------

BINS = 257
FRAMES = {"n_fft": 512, "hop_length": 128}
LARGEST = 60_000  # weights
ASKED_DB = (
    5.5  # of SI-SDR, in a voice that the training has not met; a fixed filter gets 4.8, at most 5.4
)
ROUNDS = 100
PIECE = 6400  # samples of one example: short, so that a check takes seconds
STATS = 5  # numbers before the sound


def _window_rain() -> np.ndarray:
    """Return the rain as it sounds behind a window: 6 dB less for every octave above 500 Hz."""
    from scipy.signal import butter, lfilter

    return lfilter(*butter(1, 500, fs=SR), audio.clip("rain")[0])


@functools.cache
def _lessons() -> list[tuple]:
    """Return batches of noisy and of clean magnitudes: three voices, rain from its first half."""
    rng = np.random.default_rng(30)
    names = ("librivox_a", "librivox_b", "italian", "russian")
    voices = np.concatenate([audio.clip(name)[0] for name in names])
    rain = _window_rain()[: 3 * SR]
    found = []
    for _ in range(25):
        pairs = []
        for _ in range(8):
            s = rng.integers(voices.size - PIECE)
            r = rng.integers(rain.size - PIECE)
            clean = voices[s : s + PIECE]
            if not np.any(clean):
                clean = voices[:PIECE]
            drops = rain[r : r + PIECE]
            pairs.append((audio.mix(clean, drops, snr_db=rng.uniform(-5, 10)), clean))
        noisy, clean = (np.stack(side) for side in zip(*pairs, strict=True))
        found.append(tuple(_magnitudes(y) for y in (noisy, clean)))
    return found


def _magnitudes(y: np.ndarray) -> np.ndarray:
    return np.abs(stft.stft(y, **FRAMES)).astype(np.float32)


@functools.cache
def _exam() -> tuple:
    """Return a mixture, its voice, which no lesson holds, and the STFT of the mixture."""
    voice = audio.clip("arctic_awb")[0][: 3 * SR].astype(float)
    noisy = audio.mix(voice, _window_rain()[3 * SR :], snr_db=0)
    return noisy, voice, stft.stft(noisy, **FRAMES)


def network_probes() -> list[Probe]:
    """Return the number of bins: the network is trained for a second or two."""
    _lessons()  # made before the clock of the check runs
    _exam()
    return [Probe((BINS,), f"bins = {BINS}")]


@module
def _read_network(network, bins):
    """Return shape, range, size and gain of a network after training, then its sound."""
    import torch

    noisy, voice, X = _exam()
    S = torch.from_numpy(np.abs(X).astype(np.float32))[None]
    mask = network(S)
    fits = torch.is_tensor(mask) and mask.shape == S.shape
    size = sum(w.numel() for w in network.parameters() if w.requires_grad)
    if fits and 0 < size <= LARGEST:
        _learn(network)
        with torch.no_grad():
            mask = network(S)
    low, high, gain, sound = 0.0, 0.0, 0.0, noisy
    if fits:
        mask = mask.detach().numpy()[0].astype(float)
        low, high = float(mask.min()), float(mask.max())
        sound = stft.istft(mask * X, hop_length=128, length=noisy.size)
        gain = metrics.si_sdr(sound, voice) - metrics.si_sdr(noisy, voice) if np.any(sound) else -99
    return np.concatenate([[fits, low, high, size, gain], sound])


def _learn(network):
    """Train a network as the page does, for some rounds."""
    import torch

    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for k in range(ROUNDS):
        noisy, clean = (torch.from_numpy(part) for part in _lessons()[k % len(_lessons())])
        loss = (network(noisy) * noisy - clean).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _plain_network(bins, *, hidden=32, last=None):
    from torch import nn

    class Mask(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv1d(bins, hidden, 3, padding=1)
            self.second = nn.Conv1d(hidden, bins, 3, padding=1)

        def forward(self, S):
            x = self.second(self.first(S).relu())
            return x.sigmoid() if last is None else last(x)

    return Mask()


def _fixed_filter(bins):
    """Return a module with one gain for each bin, the same in every frame."""
    import torch

    class Gains(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.zeros(bins, 1))

        def forward(self, S):
            return torch.sigmoid(self.gain).expand(S.shape)

    return Gains()


def _only_log(bins):
    import torch

    class Rule(torch.nn.Module):
        def forward(self, S):
            return S / (S + 1)

    return Rule()


def _each_frame_short(bins):
    from torch import nn

    return nn.Sequential(nn.Conv1d(bins, 32, 3), nn.ReLU(), nn.Conv1d(32, bins, 3), nn.Sigmoid())


NETWORK_SLIPS = (
    ("another shape", _each_frame_short),
    ("nothing to learn", _only_log),
    ("too large", lambda bins: _plain_network(bins, hidden=200)),
    ("no mask", lambda bins: _plain_network(bins, last=lambda x: x)),
    ("no better than a filter", _fixed_filter),
)
NETWORK_GOALS = (
    ("another shape", lambda got: not got[0][0]),
    ("nothing to learn", lambda got: got[0][3] == 0),
    ("too large", lambda got: got[0][3] > LARGEST),
    ("no mask", lambda got: got[0][1] < -1e-6 or got[0][2] > 1 + 1e-6),
    ("no better than a filter", lambda got: not got[0][4] >= ASKED_DB),
)


@functools.cache
def _our_network(bins):
    return _read_network(_plain_network, bins)


def _network_measured(got: list) -> str:
    size, gain = got[0][3], got[0][4]
    if not 0 < size <= LARGEST:
        return f"{size:,.0f} weights; it was not trained.".replace(",", " ")
    change = f"{gain:+.1f}".replace("-", "−")
    words = f"{size:,.0f} weights".replace(",", " ")
    return f"{words}; SI-SDR of a voice that it has not met changes by {change} dB."


def _network_tracks(own, right, bins):
    noisy, voice, _ = _exam()
    return {
        "noisy": noisy,
        "your network": own[STATS:],
        "one of ours": right[STATS:],
        "voice": voice,
    }


# ---- what a right function makes ----------------------------------------------------------------


def slope_view():
    """Return gains from 0 to 4, for noise and a target 1.7 times as loud."""
    gains = np.arange(0, 4.01, 0.1)
    return gains, [(_noise(300, 1), 1.7 * _noise(300, 1), float(g)) for g in gains]


def roll_view():
    """Return numbers of steps, and one call that rolls down from -0.5."""
    return np.arange(21), [(_steep, -0.5, 0.05, 20)]


def neuron_view():
    """Return places in a short tone in noise, and a neuron of nine weights on it."""
    n = np.arange(72)
    y = np.sin(2 * np.pi * n / 18) + _noise(72, 3)
    return n[:64], [(y, np.full(9, 1 / 9), -0.1)]


def loss_view():
    """Return magnitudes that a network makes, and each beside a target of 0.25."""
    places = np.arange(0.0, 1.01, 0.04)
    return places, [(np.array([[m]]), np.array([[0.25]])) for m in places]


def train_view():
    """Return steps, and one network that takes them with batches of three."""
    return np.arange(1, STEPS + 1), [(2, 3, 0.1)]


CHECKS = {
    "30.slope": Check(
        slope_probes,
        _slope,
        SLOPE_SLIPS,
        atol=1e-9,
        shows=Curve(slope_view, "gain", "slope"),
    ),
    "30.roll": Check(
        roll_probes,
        _roll,
        ROLL_SLIPS,
        atol=1e-9,
        shows=Curve(roll_view, "step", "place"),
    ),
    "30.neuron": Check(
        neuron_probes,
        _neuron,
        NEURON_SLIPS,
        atol=1e-9,
        shows=Curve(neuron_view, "place [samples]", "output"),
    ),
    "30.loss": learned(
        slopes,
        "a tensor that holds one number",
        loss_probes,
        functools.partial(slopes, _root_loss),
        LOSS_SLIPS,
        atol=1e-9,
        shows=Curve(loss_view, "magnitude that is made", "loss", lambda made: made[:, 0]),
    ),
    "30.train": learned(
        _read_train,
        "the loss as one number",
        train_probes,
        functools.partial(_read_train, _train),
        TRAIN_SLIPS,
        atol=1e-9,
        shows=Curve(train_view, "step", "loss", lambda made: made[:, :STEPS]),
    ),
    "30.network": learned(
        _read_network,
        "a module",
        network_probes,
        _our_network,
        NETWORK_SLIPS,
        atol=1e-6,
        goals=NETWORK_GOALS,
        measured=_network_measured,
        seconds=60.0,  # it trains for one or two, and for more on a busy machine
        shows=Sound(lambda: (BINS,), _network_tracks, SR),
    ),
}
