"""What the checks of unit 35 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import audio, metrics
from helpers.coursework.checking import Check
from helpers.coursework.learned import learned, module
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound


def encode_probes() -> list[Probe]:
    """Return sounds and filters: one that can be done in the head first, then drawn at random, of
    odd lengths.
    """
    first = (
        np.array([1.0, 2.0, 3.0, -4.0, -5.0, 6.0]),
        np.array([[1.0, 0.0], [0.5, -0.5], [0.0, 2.0]]),
        1,
    )
    probes = [
        Probe(first, "y = [1, 2, 3, -4, -5, 6], filters = [[1, 0], [0.5, -0.5], [0, 2]], hop = 1")
    ]
    for seed, n, shape, hop in ((1, 23, (5, 8), 4), (2, 40, (3, 6), 5), (3, 17, (4, 4), 3)):
        rng = np.random.default_rng(seed)
        words = f"{n} samples, {shape[0]} filters of {shape[1]} samples, hop = {hop}"
        probes.append(Probe((rng.normal(size=n), rng.normal(size=shape), hop), words, "hop"))
    return probes


def _frames(y, span, hop):
    return np.stack([y[n : n + span] for n in range(0, len(y) - span + 1, hop)])


def _encode(y, filters, hop):
    return _frames(y, filters.shape[1], hop) @ filters.T


ENCODE_SLIPS = (
    ("turned round", lambda y, filters, hop: _encode(y, filters[:, ::-1], hop)),
    ("at every sample", lambda y, filters, hop: _encode(y, filters, 1)),
    ("side by side", lambda y, filters, hop: _encode(y, filters, filters.shape[1])),
    ("lying down", lambda y, filters, hop: _encode(y, filters, hop).T),
    ("cut at zero", lambda y, filters, hop: np.maximum(_encode(y, filters, hop), 0)),
    ("magnitudes", lambda y, filters, hop: np.abs(_encode(y, filters, hop))),
)


def overlap_probes() -> list[Probe]:
    """Return pieces that overlap: of ones first, then drawn at random."""
    probes = [Probe((np.ones((3, 4)), 2), "three pieces of four ones, hop = 2")]
    for seed, shape, hop in ((4, (5, 8), 2), (5, (4, 6), 5), (6, (7, 3), 1)):
        pieces = np.random.default_rng(seed).normal(size=shape)
        probes.append(Probe((pieces, hop), f"{shape[0]} pieces of {shape[1]} samples, hop = {hop}"))
    return probes


def _overlap_add(pieces, hop, add=True):
    n, span = pieces.shape
    y = np.zeros((n - 1) * hop + span)
    for m, piece in enumerate(pieces):
        part = slice(m * hop, m * hop + span)
        y[part] = piece + y[part] * add
    return y


OVERLAP_SLIPS = (
    ("end to end", lambda pieces, hop: pieces.ravel()),
    ("written over", lambda pieces, hop: _overlap_add(pieces, hop, add=False)),
    (
        "averaged",
        lambda pieces, hop: _overlap_add(pieces, hop) / _overlap_add(np.ones(pieces.shape), hop),
    ),
    ("one sample apart", lambda pieces, hop: _overlap_add(pieces, 1)),
    ("the end cut off", lambda pieces, hop: _overlap_add(pieces, hop)[: len(pieces) * hop]),
)


def field_probes() -> list[Probe]:
    """Return stacks of layers: plain first, then with dilations, then with strides."""
    cases = (
        ("", (3,), (1,), (1,)),
        ("", (3, 5), (1, 1), (1, 1)),
        ("dilated", (3, 3, 3), (1, 2, 4), (1, 1, 1)),
        ("dilated", (2, 4), (8, 3), (1, 1)),
        ("strided", (16, 3, 3), (1, 1, 2), (8, 1, 1)),
        ("strided", (4, 4, 3), (1, 2, 1), (2, 4, 2)),
    )
    say = "kernels = {}, dilations = {}, strides = {}"
    return [
        Probe(tuple(map(np.array, case)), say.format(*map(list, case)), group)
        for group, *case in cases
    ]


def _field(kernels, dilations, strides, gap=1, own=False):
    apart = np.cumprod(strides) if own else np.cumprod([1, *strides[:-1]])
    return int(1 + np.sum((np.asarray(kernels) - gap) * dilations * apart))


FIELD_SLIPS = (
    ("taps for gaps", lambda k, d, s: _field(k, d, s, gap=0)),
    ("taps alone", lambda k, d, s: _field(k, d, s, gap=0) - 1),
    ("gaps alone", lambda k, d, s: _field(k, d, s) - 1),
    ("dilation forgotten", lambda k, d, s: _field(k, np.ones(len(k), int), s)),
    ("stride forgotten", lambda k, d, s: _field(k, d, np.ones(len(k), int))),
    ("own stride counted", lambda k, d, s: _field(k, d, s, own=True)),
    (
        "the stride before alone",
        lambda k, d, s: int(1 + np.sum((k - 1) * d * np.array([1, *s[:-1]]))),
    ),
)


def _with_images(f0, sr, stride, seconds, absent=(), seed=0):
    """Return a sine and images at multiples of sr / stride from it, over faint noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * sr)) / sr
    y = 1e-6 * rng.standard_normal(t.size) + 0.1 * np.sin(2 * np.pi * f0 * t)
    for k in range(-6, 7):
        hertz = f0 + k * sr / stride
        if k and k not in absent and 0 < hertz < sr / 2:
            level = 0.1 * 10 ** (rng.uniform(-50, -15) / 20)
            y += level * np.sin(2 * np.pi * hertz * t + rng.uniform(0, 6))
    return y


STRIDES = (  # f0, sr, stride, seconds, images that are missing
    (1000, 16000, 64, 1.0, ()),
    (1000, 16000, 128, 1.0, ()),
    (1040, 16000, 40, 2.0, (-1, 1)),
    (700, 8000, 80, 0.5, ()),
    (2000, 48000, 480, 1.0, (-3, 2)),
    (430, 16000, 160, 1.0, (-1, 1)),
)


def stride_probes() -> list[Probe]:
    """Return what networks make of a steady sine, at several rates, lengths and strides."""
    return [
        Probe(
            (_with_images(f0, sr, stride, seconds, absent, seed), sr, f0),
            f"{seconds:g} s at {sr} Hz, a sine of {f0} Hz with lines beside it",
        )
        for seed, (f0, sr, stride, seconds, absent) in enumerate(STRIDES)
    ]


def _lines(y, sr):
    """Return the frequencies [Hz] of all lines."""
    S = np.abs(np.fft.rfft(y)) / (y.size / 2)
    return np.flatnonzero(S > 1e-5) * sr / y.size


def _stride(y, sr, f0):
    return float(np.round(sr / np.min(np.diff(_lines(y, sr)))))


def _nearest(y, sr, f0):
    away = np.abs(_lines(y, sr) - f0)
    return np.min(away[away > 1])


def _strongest(y, sr, f0):
    S = np.abs(np.fft.rfft(y))
    freqs = np.arange(S.size) * sr / y.size
    return abs(freqs[np.argmax(np.where(np.abs(freqs - f0) > 2, S, 0))] - f0)


STRIDE_SLIPS = (
    ("hertz", lambda y, sr, f0: sr / _stride(y, sr, f0)),
    ("seconds", lambda y, sr, f0: _stride(y, sr, f0) / sr),
    ("the strongest image", lambda y, sr, f0: sr / _strongest(y, sr, f0)),
    ("the nearest to the sine", lambda y, sr, f0: sr / _nearest(y, sr, f0)),
    ("the lowest line", lambda y, sr, f0: sr / _lines(y, sr)[0]),
    ("bins for hertz", lambda y, sr, f0: sr / (np.min(np.diff(_lines(y, sr))) * y.size / sr)),
    ("the period of the sine", lambda y, sr, f0: sr / f0),
)

# ---- a network on the waveform ------------------------------------------------------------------

SR = 16000
AHEAD = 64  # samples that a network may wait for
LARGEST = 30_000  # weights
ASKED_DB = 3.5  # of SI-SDR, in a voice that the training has not met
ROUNDS = 80
PIECE = 4800
STATS = 4  # numbers before the sound


def _window_rain() -> np.ndarray:
    """Return the rain as it sounds behind a window: 6 dB less for every octave above 500 Hz."""
    from scipy.signal import butter, lfilter

    return lfilter(*butter(1, 500, fs=SR), audio.clip("rain")[0])


@functools.cache
def _lessons() -> list[tuple]:
    """Return batches of noisy and of clean sounds, (3, 1, PIECE); rain from its first half."""
    rng = np.random.default_rng(35)
    names = ("librivox_a", "librivox_b", "italian", "russian")
    voices = np.concatenate([audio.clip(name)[0] for name in names])
    rain = _window_rain()[: 3 * SR]
    found = []
    for _ in range(20):
        pairs = []
        while len(pairs) < 3:
            start, r = rng.integers(voices.size - PIECE), rng.integers(rain.size - PIECE)
            clean = voices[start : start + PIECE]
            if np.any(clean):
                noisy = audio.mix(clean, rain[r : r + PIECE], snr_db=rng.uniform(-5, 10))
                pairs.append((noisy, clean))
        found.append(
            tuple(np.stack(side)[:, None].astype(np.float32) for side in zip(*pairs, strict=True))
        )
    return found


@functools.cache
def _exam() -> tuple:
    """Return a mixture and its voice, which no lesson holds."""
    voice = audio.clip("arctic_awb")[0][: 3 * SR].astype(float)
    return audio.mix(voice, _window_rain()[3 * SR :], snr_db=0), voice


def network_probes() -> list[Probe]:
    """Return how far a network may look ahead; it is trained for a second or two."""
    _lessons()  # made before the clock of the check runs
    return [Probe((AHEAD,), f"ahead = {AHEAD}")]


@module
def _read_network(network, ahead):
    """Return whether the shape fits, size, how far ahead it looks, and the gain; then its sound."""
    import torch

    noisy, voice = _exam()
    y = torch.from_numpy(noisy.astype(np.float32))[None, None]
    made = network(y)
    fits = torch.is_tensor(made) and made.shape == y.shape
    size = sum(w.numel() for w in network.parameters() if w.requires_grad)
    sees = _looks_ahead(network) if fits else 0
    gain, sound = 0.0, noisy
    if fits and 0 < size <= LARGEST:
        _learn(network)
        with torch.no_grad():
            sound = network(y)[0, 0].numpy().astype(float)
        change = metrics.si_sdr(sound, voice) - metrics.si_sdr(noisy, voice)
        gain = change if np.any(sound) else -99.0
    return np.concatenate([[fits, size, sees, gain], sound])


def _looks_ahead(network):
    """Return how many samples before a changed one an output changes; 0 if none does."""
    import torch

    y = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, 3000).astype(np.float32))
    found = 0
    with torch.no_grad():
        before = network(y[None, None])[0, 0]
        for place in range(1500, 1532, 3):
            other = y.clone()
            other[place] += 0.5
            moved = (network(other[None, None])[0, 0] - before).abs()
            touched = torch.nonzero(moved > 1e-6 * float(before.abs().max() + 1e-9))
            if len(touched):
                found = max(found, place - int(touched[0]))
    return found


def _learn(network):
    """Train a network for some rounds, with a rate that falls to 0: minus the SNR, which stops to
    count at 30 dB.
    """
    import torch

    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    falls = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, ROUNDS)
    for k in range(ROUNDS):
        noisy, clean = (torch.from_numpy(part) for part in _lessons()[k % len(_lessons())])
        energy = clean.square().sum(-1)
        error = (network(noisy) - clean).square().sum(-1)
        loss = 10 * torch.log10((error + 1e-3 * energy) / energy).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falls.step()


def _plain_network(ahead, *, span=129, filters=32, look=None):
    """Return filters, a gate for each that depends on what all of them hear, and a sum."""
    import torch

    look = ahead if look is None else look

    class Gated(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hear = torch.nn.Conv1d(1, filters, span)
            self.gate = torch.nn.Conv1d(filters, filters, 1)
            self.say = torch.nn.Conv1d(filters, 1, 1)

        def forward(self, y):
            heard = self.hear(torch.nn.functional.pad(y, (span - 1 - look, look)))
            gate = torch.sigmoid(self.gate(torch.log(heard.abs() + 1e-3)))
            return self.say(heard * gate)

    return Gated()


def _silent(ahead):
    import torch

    class Nothing(torch.nn.Module):
        def forward(self, y):
            return 0.5 * y

    return Nothing()


def _one_knob(ahead):
    import torch

    return torch.nn.Conv1d(1, 1, 1)


def _short(ahead):
    import torch

    return torch.nn.Sequential(
        torch.nn.Conv1d(1, 16, 65), torch.nn.Tanh(), torch.nn.Conv1d(16, 1, 1)
    )


NETWORK_SLIPS = (
    ("another shape", _short),
    ("nothing to learn", _silent),
    ("too large", lambda ahead: _plain_network(ahead, filters=300)),
    ("looks too far ahead", lambda ahead: _plain_network(ahead, span=257, look=128)),
    ("too little gained", _one_knob),
)
NETWORK_GOALS = (
    ("another shape", lambda got: not got[0][0]),
    ("nothing to learn", lambda got: got[0][1] == 0),
    ("too large", lambda got: got[0][1] > LARGEST),
    ("looks too far ahead", lambda got: got[0][2] > AHEAD),
    ("too little gained", lambda got: not got[0][3] >= ASKED_DB),
)


@functools.cache
def _our_network(ahead):
    return _read_network(_plain_network, ahead)


def _network_measured(got: list) -> str:
    size, sees, gain = got[0][1:4]
    words = f"{size:.0f} weights, {sees:.0f} samples ahead"
    if not 0 < size <= LARGEST:
        return f"{words}; it was not trained."
    change = f"{gain:+.1f}".replace("-", "−")
    return f"{words}; SI-SDR of a voice that it has not met changes by {change} dB."


def _network_tracks(own, right, ahead):
    noisy, voice = _exam()
    tracks = {"noisy": noisy, "your network": own[STATS:]}
    return tracks | {"one of ours": right[STATS:], "voice": voice}


# ---- what a right function makes ----------------------------------------------------------------


def encode_view():
    """Return how much of each of 32 cosines is in one of them, under a window."""
    n = np.arange(64)
    bank = np.sin(np.pi * (n + 0.5) / 64) * np.cos(np.pi * (np.arange(32)[:, None] + 0.5) * n / 32)
    return np.arange(32), [(np.cos(np.pi * 10.2 * n / 32), bank, 16)]


def overlap_view():
    """Return what overlapping windows add up to."""
    window = np.sin(np.pi * (np.arange(64) + 0.5) / 64) ** 2
    return np.arange(5 * 32 + 64), [(np.tile(window, (6, 1)), 32)]


def field_view():
    """Return numbers of layers whose dilations double."""
    layers = np.arange(1, 11)
    return layers, [(np.full(k, 3), 2 ** np.arange(k), np.ones(k, int)) for k in layers]


def stride_view():
    """Return strides, and what networks with such strides make of a sine."""
    strides = np.array([32, 40, 50, 64, 80, 100, 128])
    return strides, [(_with_images(1000, 16000, k, 1.0), 16000, 1000) for k in strides.tolist()]


CHECKS = {
    "35.encode": Check(
        encode_probes,
        _encode,
        ENCODE_SLIPS,
        atol=1e-9,
        shows=Curve(encode_view, "filter", "output"),
    ),
    "35.overlap": Check(
        overlap_probes,
        _overlap_add,
        OVERLAP_SLIPS,
        atol=1e-9,
        shows=Curve(overlap_view, "sample", "sum of six windows"),
    ),
    "35.field": Check(
        field_probes,
        _field,
        FIELD_SLIPS,
        atol=1e-9,
        shows=Curve(field_view, "layers, dilations doubling", "receptive field"),
    ),
    "35.network": learned(
        _read_network,
        "a module",
        network_probes,
        _our_network,
        NETWORK_SLIPS,
        atol=1e-6,
        goals=NETWORK_GOALS,
        measured=_network_measured,
        seconds=60.0,  # it trains for one or two, and for more on a busy machine
        shows=Sound(lambda: (AHEAD,), _network_tracks, SR),
    ),
    "35.stride": Check(
        stride_probes,
        _stride,
        STRIDE_SLIPS,
        atol=1e-6,
        shows=Curve(stride_view, "true stride [samples]", "stride [samples]"),
    ),
}
