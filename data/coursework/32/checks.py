"""What the checks of unit 32 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import audio, metrics, stft
from helpers.coursework.checking import Check
from helpers.coursework.learned import learned, module
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound


def ratio_probes() -> list[Probe]:
    """Return magnitudes of speech and noise: one cell of a 3-4-5 triangle first, then many."""
    probes = [
        Probe((np.array([[3.0, 0.5]]), np.array([[4.0, 1.2]])), "S = [[3, 0.5]], N = [[4, 1.2]]")
    ]
    for seed, shape in ((1, (4, 5)), (2, (9, 3))):
        S, N = np.random.default_rng(seed).uniform(0.1, 2, (2, *shape))
        probes.append(Probe((S, N), f"{shape[0]} bins and {shape[1]} frames", "more"))
    return probes


def _ratio(S, N):
    return np.sqrt(S**2 / (S**2 + N**2))


RATIO_SLIPS = (
    ("no root", lambda S, N: S**2 / (S**2 + N**2)),
    ("magnitudes added", lambda S, N: S / (S + N)),
    ("root of magnitudes", lambda S, N: np.sqrt(S / (S + N))),
    ("the noise kept", lambda S, N: _ratio(N, S)),
    ("against the noise", lambda S, N: S / N),
    ("all or nothing", lambda S, N: (S > N).astype(float)),
)


def complex_probes() -> list[Probe]:
    """Return speech and mixture: known angles and lengths first, then drawn at random; none 0."""
    first = (np.array([[1.0, 1.0, 2.0, 3j]]) + 0j, np.array([[2.0, 1 + 1j, 1.0, -2.0]]) + 0j)
    probes = [Probe(first, "S = [[1, 1, 2, 3j]], X = [[2, 1+1j, 1, -2]]")]
    for seed, shape in ((3, (5, 4)), (4, (7, 6))):
        parts = np.random.default_rng(seed).normal(size=(4, *shape))
        S, N = parts[0] + 1j * parts[1], parts[2] + 1j * parts[3]
        probes.append(
            Probe((S, S + N), f"{shape[0]} bins and {shape[1]} frames of speech in noise", "random")
        )
    return probes


def _bounded(S, X):
    M = S / X
    return M / np.maximum(1, np.abs(M))


COMPLEX_SLIPS = (
    ("angle forgotten", lambda S, X: np.minimum(1, np.abs(S / X))),
    ("not bounded", lambda S, X: S / X),
    (
        "each part cut",
        lambda S, X: np.clip((S / X).real, -1, 1) + 1j * np.clip((S / X).imag, -1, 1),
    ),
    ("along the mixture only", lambda S, X: np.clip((S / X).real, 0, 1) + 0j),
    ("always as long as 1", lambda S, X: np.exp(1j * np.angle(S / X))),
    ("upside down", lambda S, X: _bounded(X, S)),
    ("turned the other way", lambda S, X: np.conj(_bounded(S, X))),
    ("too long ones dropped", lambda S, X: S / X * (np.abs(S / X) <= 1)),
)


def subtract_probes() -> list[Probe]:
    """Return magnitudes above and below the noise, with several floors."""
    first = (np.array([[5.0, 1.0]]), np.array([[9.0]]), 0.1)
    probes = [Probe(first, "S = [[5, 1]], noise = [[9]], floor = 0.1")]
    for seed, floor in ((5, 0.1), (6, 0.02), (7, 0.3)):
        rng = np.random.default_rng(seed)
        S, noise = rng.uniform(0.2, 3, (6, 8)), rng.uniform(0.2, 2, (6, 1))
        probes.append(Probe((S, noise, floor), f"6 bins and 8 frames, floor = {floor:g}", "more"))
    return probes


def _gain(S, noise, floor):
    return np.sqrt(np.maximum(1 - noise / S**2, floor**2))


SUBTRACT_SLIPS = (
    ("no root", lambda S, noise, floor: np.maximum(1 - noise / S**2, floor)),
    ("floor squared away", lambda S, noise, floor: np.sqrt(np.maximum(1 - noise / S**2, floor))),
    ("magnitudes subtracted", lambda S, noise, floor: np.maximum(1 - np.sqrt(noise) / S, floor)),
    (
        "power taken for magnitude",
        lambda S, noise, floor: np.sqrt(np.maximum(1 - (noise / S) ** 2, floor**2)),
    ),
    ("no floor", lambda S, noise, floor: np.sqrt(np.maximum(1 - noise / S**2, 0))),
    ("result, not gain", lambda S, noise, floor: S * _gain(S, noise, floor)),
)


def latency_probes() -> list[Probe]:
    """Return the course's frames first, then others, with and without frames of look-ahead."""
    cases = (
        (512, 128, 0, 16000),
        (512, 128, 2, 16000),
        (1024, 256, 3, 22050),
        (400, 160, 1, 8000),
        (960, 480, 0, 48000),
    )
    say = "n_fft = {}, hop_length = {}, lookahead = {}, sr = {}"
    return [Probe(case, say.format(*case), "ahead" if case[2] else "") for case in cases]


def _latency(n_fft, hop_length, lookahead, sr):
    return 1000 * (n_fft + lookahead * hop_length) / sr


LATENCY_SLIPS = (
    ("hop alone", lambda n, h, a, sr: 1000 * (h + a * h) / sr),
    ("half a frame", lambda n, h, a, sr: 1000 * (n / 2 + a * h) / sr),
    ("look-ahead forgotten", lambda n, h, a, sr: 1000 * n / sr),
    ("whole frames ahead", lambda n, h, a, sr: 1000 * (n + a * n) / sr),
    ("seconds", lambda n, h, a, sr: _latency(n, h, a, sr) / 1000),
    ("samples", lambda n, h, a, sr: float(n + a * h)),
    ("hop added", lambda n, h, a, sr: 1000 * (n + (a + 1) * h) / sr),
)

# ---- a model of one's own -----------------------------------------------------------------------

SR = 16000
FRAMES = {"n_fft": 512, "hop_length": 128}
ASKED = {"steady hiss": 4.0, "a lorry's hum": 4.0}  # gain of SI-SDR [dB]
KEPT_DB = 12.0  # SI-SDR [dB] that a voice without noise must keep


@functools.cache
def _mixtures() -> dict[str, tuple]:
    """Return by name the voice, the mixture, and the STFT of the mixture; a voice alone is last."""
    found = {}
    rng = np.random.default_rng(32)
    noises = {"steady hiss": rng.standard_normal(2 * SR), "a lorry's hum": audio.clip("hum")[0]}
    for name, noise in noises.items():
        speech = audio.clip("arctic_awb")[0][: 2 * SR].astype(float)
        speech = np.concatenate([np.zeros(SR // 4), speech])  # a moment of noise alone
        mixture = audio.mix(speech, np.resize(noise, speech.size).astype(float), snr_db=3)
        found[name] = speech, mixture, stft.stft(mixture, **FRAMES)
    speech = audio.clip("arctic_slt")[0][: 2 * SR].astype(float)
    speech = speech + 1e-4 * rng.standard_normal(speech.size)  # −80 dBFS, as a quiet room has
    found["a voice alone"] = speech, speech, stft.stft(speech, **FRAMES)
    return found


def clean_probes() -> list[Probe]:
    """Return magnitudes of a voice in two noises, and of another voice without any."""
    return [Probe((np.abs(X),), f"magnitudes of {name}") for name, (_, _, X) in _mixtures().items()]


def _scores(got: list) -> dict[str, float]:
    """Return the gain of SI-SDR [dB] in each noise, and for the voice alone its SI-SDR."""
    scores = {}
    for mask, (name, (speech, mixture, X)) in zip(got, _mixtures().items(), strict=True):
        made = stft.istft(mask * X, hop_length=128, length=speech.size)
        if not np.isfinite(made).all() or not np.any(made):
            scores[name] = -np.inf
            continue
        before = 0.0 if name == "a voice alone" else metrics.si_sdr(mixture, speech)
        scores[name] = min(metrics.si_sdr(made, speech), 99.0) - before
    return scores


def _clean_measured(got: list) -> str:
    scores = _scores(got)
    if not np.isfinite([*scores.values()]).all():
        return "your mask leaves nothing, at least once."
    gains = ", ".join(f"{scores[name]:+.1f} dB in {name}" for name in ASKED)
    alone = f"a voice without noise keeps {scores['a voice alone']:.1f} dB"
    return "SI-SDR changes by " + f"{gains}; {alone}.".replace("-", "−")


CLEAN_GOALS = (
    ("no mask", lambda got: not all(np.min(m) >= 0 and np.max(m) <= 1 for m in got)),
    ("nothing removed", lambda got: all(np.ptp(m) < 1e-6 for m in got)),
    ("the voice removed", lambda got: not _scores(got)["a voice alone"] > KEPT_DB),
    ("the hiss stays", lambda got: not _scores(got)["steady hiss"] >= ASKED["steady hiss"]),
    ("the hum stays", lambda got: not _scores(got)["a lorry's hum"] >= ASKED["a lorry's hum"]),
)


def _gain_mask(S, over=1.5, floor=0.1, share=0.2):
    """Return power subtraction with the noise of the quietest frames, smoothed over time."""
    energy = np.sum(S**2, axis=0)
    noise = np.mean(S[:, energy <= np.quantile(energy, share)] ** 2, axis=1, keepdims=True)
    padded = np.pad(S**2, ((0, 0), (2, 2)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=1).mean(axis=-1)
    return np.sqrt(np.maximum(1 - over * noise / (smooth + 1e-12), floor**2))


CLEAN_SLIPS = (
    ("no mask", lambda S: 2 * _gain_mask(S)),
    ("nothing removed", lambda S: np.full(S.shape, 0.5)),
    ("the voice removed", lambda S: np.linspace(1, 0, len(S))[:, None] ** 40 * np.ones(S.shape)),
    ("the hiss stays", lambda S: np.where((np.arange(len(S)) < 4)[:, None], 0.0, np.ones(S.shape))),
    ("the hum stays", lambda S: np.where((np.arange(len(S)) < 12)[:, None], 1.0, _gain_mask(S))),
)


def _heard(own, right, S):
    speech, mixture, X = _mixtures()["steady hiss"]
    made = [stft.istft(m * X, hop_length=128, length=speech.size) for m in (own, right)]
    return {"noisy": mixture, "your mask": made[0], "one of ours": made[1], "voice alone": speech}


# ---- a network of one's own ---------------------------------------------------------------------

BINS = 257
LARGEST = 100_000  # weights
ASKED_DB = 8.0  # of SI-SDR, for a voice and a rain that the training has not met
ROUNDS = 60
STATS = 6  # numbers before the sound


@functools.cache
def _lessons() -> list[tuple]:
    """Return batches of noisy and clean STFTs, (4, 257, n_frames); of the rain the first half."""
    rng = np.random.default_rng(32)
    names = ("arctic_awb", "librivox_a", "librivox_b")
    voices = np.concatenate([audio.clip(name)[0] for name in names]).astype(float)
    rain = audio.clip("rain")[0][: 3 * SR].astype(float)
    found = []
    for _ in range(20):
        pairs = []
        while len(pairs) < 4:
            start, r = rng.integers(voices.size - SR), rng.integers(rain.size - SR)
            clean = voices[start : start + SR]
            if np.any(clean):
                noisy = audio.mix(clean, rain[r : r + SR], snr_db=rng.uniform(-5, 10))
                pairs.append([stft.stft(y, **FRAMES).astype(np.complex64) for y in (noisy, clean)])
        found.append(tuple(np.stack(side) for side in zip(*pairs, strict=True)))
    return found


@functools.cache
def _exam() -> tuple:
    """Return a mixture and its voice, which no lesson holds, and the STFT of the mixture."""
    voice = audio.clip("arctic_slt")[0][: 2 * SR].astype(float)
    noisy = audio.mix(voice, audio.clip("rain")[0][3 * SR : 5 * SR].astype(float), snr_db=0)
    return noisy, voice, stft.stft(noisy, **FRAMES)


def network_probes() -> list[Probe]:
    """Return how many bins a frame has; the network is trained for a second or two."""
    _lessons()  # made before the clock of the check runs
    return [Probe((BINS,), f"bins = {BINS}")]


@module
def _read_network(network, bins):
    """Return shape, range, size, look-ahead and gain of a network, and the sound it makes."""
    import torch

    network.eval()
    noisy, voice, X = _exam()
    S = torch.from_numpy(np.abs(X).astype(np.float32))[None]
    with torch.no_grad():
        made = network(S)
    fits = torch.is_tensor(made) and made.shape == S.shape
    ends = (made.min().item(), made.max().item()) if fits else (0.0, 0.0)
    size = sum(w.numel() for w in network.parameters() if w.requires_grad)
    sees = _looks_ahead(network, S) if fits else False
    gain, sound = 0.0, noisy
    if fits and 0 < size <= LARGEST:
        _learn(network.train())
        network.eval()
        with torch.no_grad():
            mask = network(S)[0].numpy()
        ends = min(ends[0], mask.min()), max(ends[1], mask.max())
        sound = stft.istft(mask * X, hop_length=128, length=noisy.size)
        change = metrics.si_sdr(sound, voice) - metrics.si_sdr(noisy, voice)
        gain = change if np.any(sound) else -99.0
    return np.concatenate([[fits, *ends, size, sees, gain], sound])


def _looks_ahead(network, S):
    """Return whether a mask changes where only later frames are others."""
    import torch

    with torch.no_grad():
        before = network(S)
        for frame in (40, 41, 100):
            other = S.clone()
            other[..., frame:] = other[..., frame:].flip(1) + 1
            moved = (network(other) - before)[..., :frame].abs().max()
            if moved > 1e-5:
                return True
    return False


def _learn(network):
    """Train a network for some rounds: minus the SNR of the STFT, which ends at 30 dB."""
    import torch

    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for k in range(ROUNDS):
        X, clean = (torch.from_numpy(part) for part in _lessons()[k % len(_lessons())])
        energy = clean.abs().square().sum((1, 2))
        error = (network(X.abs()) * X - clean).abs().square().sum((1, 2))
        loss = 10 * torch.log10((error + 1e-3 * energy) / energy).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _layers(*layers):
    """Return a module that runs layers, or functions, one after the other."""
    import torch

    class Layers(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.kept = torch.nn.ModuleList(k for k in layers if isinstance(k, torch.nn.Module))

        def forward(self, S):
            for layer in layers:
                S = layer(S)
            return S

    return Layers()


def _causal(bins, *, hidden=32, past=2, ahead=0, end="Sigmoid"):
    """Return a small network that sees some frames before and after the one that it masks."""
    import torch

    return _layers(
        lambda S: torch.log(S + 1e-3),
        torch.nn.ConstantPad1d((past, ahead), 0.0),
        torch.nn.Conv1d(bins, hidden, 1 + past + ahead),
        torch.nn.ReLU(),
        torch.nn.Conv1d(hidden, bins, 1),
        getattr(torch.nn, end)(),
    )


def _one_gain(bins):
    """Return a network with a bend for each bin, which sees nothing else."""
    import torch

    near = torch.nn.Conv1d(bins, bins, 1, groups=bins)
    return _layers(lambda S: torch.log(S + 1e-3), near, torch.nn.Sigmoid())


NETWORK_SLIPS = (
    ("another shape", lambda bins: _layers(_torch().nn.Conv1d(bins, bins, 3), _torch().sigmoid)),
    ("no mask", lambda bins: _causal(bins, end="Identity")),
    ("nothing to learn", lambda bins: _layers(lambda S: S / (S + 1))),
    ("too large", lambda bins: _causal(bins, hidden=200, past=0)),
    ("looks ahead", lambda bins: _causal(bins, past=1, ahead=1)),
    ("too little gained", _one_gain),
)
NETWORK_GOALS = (
    ("another shape", lambda got: not got[0][0]),
    ("no mask", lambda got: not (got[0][1] >= 0 and got[0][2] <= 1)),
    ("nothing to learn", lambda got: got[0][3] == 0),
    ("too large", lambda got: got[0][3] > LARGEST),
    ("looks ahead", lambda got: got[0][4] > 0),
    ("too little gained", lambda got: not got[0][5] >= ASKED_DB),
)


def _torch():
    import torch

    return torch


@functools.cache
def _our_network(bins):
    return _read_network(_causal, bins)


def _network_measured(got: list) -> str:
    fits, _, _, size, sees, gain = got[0][:STATS]
    words = f"{size:.0f} weights, {'with' if sees else 'without'} a look ahead"
    if not fits or not 0 < size <= LARGEST:
        return f"{words}; it was not trained."
    change = f"{gain:+.1f}".replace("-", "−")
    return f"{words}; SI-SDR of a voice that it has not met changes by {change} dB."


def _network_tracks(own, right, bins):
    noisy, voice, _ = _exam()
    tracks = {"noisy": noisy, "your network": own[STATS:]}
    return tracks | {"one of ours": right[STATS:], "voice alone": voice}


# ---- what a right function makes ----------------------------------------------------------------


def ratio_view():
    """Return levels of the speech re the noise [dB], and one call for all of them."""
    db = np.arange(-30.0, 31, 2)
    return db, [(10 ** (db[None] / 20), np.ones((1, db.size)))]


def complex_view():
    """Return lengths of S / X, at an angle of 40 degrees."""
    length = np.arange(0.1, 3, 0.1)
    return length, [(length[None] * np.exp(1j * np.radians(40)), np.ones((1, length.size)) + 0j)]


def subtract_view():
    """Return levels of the mixture re the noise [dB], with a floor of 0.1."""
    db = np.arange(-10.0, 31, 1)
    return db, [(10 ** (db[None] / 20), np.ones((1, 1)), 0.1)]


def latency_view():
    """Return frame lengths, with two frames of look-ahead."""
    sizes = np.arange(64, 2049, 64)
    return sizes, [(int(n), 128, 2, SR) for n in sizes]


CHECKS = {
    "32.ratio": Check(
        ratio_probes,
        _ratio,
        RATIO_SLIPS,
        atol=1e-6,
        shows=Curve(ratio_view, "level of the speech re the noise [dB]", "mask"),
    ),
    "32.complex": Check(
        complex_probes,
        _bounded,
        COMPLEX_SLIPS,
        atol=1e-6,
        shows=Curve(complex_view, "length of S / X", "length of the mask", np.abs),
    ),
    "32.clean": Check(
        clean_probes,
        _gain_mask,
        CLEAN_SLIPS,
        atol=1e-6,
        goals=CLEAN_GOALS,
        measured=_clean_measured,
        shows=Sound(lambda: (np.abs(_mixtures()["steady hiss"][2]),), _heard, SR),
    ),
    "32.subtract": Check(
        subtract_probes,
        _gain,
        SUBTRACT_SLIPS,
        atol=1e-6,
        shows=Curve(subtract_view, "level of the mixture re the noise [dB]", "gain"),
    ),
    "32.network": learned(
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
    "32.latency": Check(
        latency_probes,
        _latency,
        LATENCY_SLIPS,
        atol=1e-6,
        shows=Curve(latency_view, "frame length [samples]", "latency [ms]"),
    ),
}
