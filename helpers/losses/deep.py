"""A loss that listens through a small network, trained to tell what has been done to a sound; and its training.

The weights are made by ``python3 -m helpers.losses.deep FOLDER``, from the recordings at 16 kHz in that folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch.nn.functional import conv1d, cross_entropy, silu

from helpers import audio
from helpers.checks import DATA, again, place, whole
from helpers.losses.base import Loss
from helpers.losses.spectral import magnitude
from helpers.mel import filterbank
from helpers.stft import istft, stft

SR = 16000
WEIGHTS = DATA / "weights" / "loss_features.safetensors"
N_FFT, HOP, N_MELS = 512, 128, 64
LAYERS = ((N_MELS, 48, 1), (48, 48, 2), (48, 64, 2), (64, 64, 2))  # channels in, channels out, stride; three taps each
CHANGES = ("nothing", "white noise", "hum", "echo", "low-pass", "clipping", "few bits", "lost phase")


class Network(torch.nn.Module):
    """Four convolutions over a log-mel spectrogram, and from the last of them the scores of `CHANGES`."""

    def __init__(self):
        super().__init__()
        convs = [torch.nn.Conv1d(a, b, 3, stride=stride, padding=1) for a, b, stride in LAYERS]
        self.convs, self.head = torch.nn.ModuleList(convs), torch.nn.Linear(2 * LAYERS[-1][1], len(CHANGES))
        self.register_buffer("scale", torch.ones(len(LAYERS)))  # how far apart two different clips are, layer by layer
        bands = filterbank(sr=SR, n_fft=N_FFT, n_mels=N_MELS)
        self.register_buffer("bands", torch.from_numpy(bands), persistent=False)
        self.register_buffer("window", torch.hann_window(N_FFT, dtype=torch.float64), persistent=False)

    def features(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer makes of samples of shape (batch, n)."""
        D = torch.stft(y, N_FFT, HOP, N_FFT, self.window.to(y), pad_mode="constant", return_complex=True)
        x = (torch.log(self.bands.to(y) @ magnitude(D) + 1e-4) + 5) / 2  # about -2 to 2
        found = []
        for conv in self.convs:
            x = silu(conv1d(x, conv.weight.to(y), conv.bias.to(y), stride=conv.stride, padding=conv.padding))
            found.append(x)
        return found

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return how much speaks for each of `CHANGES`, (batch, len(CHANGES))."""
        last = self.features(y)[-1]
        return self.head(torch.cat([last.mean(-1), last.std(-1)], dim=-1))


class DeepFeatures(Loss):
    r"""Distance of what the layers of a network make of both signals.

    .. math:: \frac1L \sum_l \frac{1}{c_l}\, \mathrm{mean}\, |\phi_l(\hat s) - \phi_l(s)|

    It starts with a log-mel spectrogram, so it is as deaf to phase as that is. It was trained to tell which of
    `CHANGES` was done to one second of sound, and never to judge quality: it hears what helped with that. :math:`c_l`
    makes 1 the distance of two clips that have nothing to do with each other.

    Parameters
    ----------
    path : str or Path, optional
        Weights to load; the course's own by default.

    Raises
    ------
    FileNotFoundError
        If the weights are not there.
    ValueError
        If the file holds something else.

    References
    ----------
    .. [1] F. G. Germain, Q. Chen and V. Koltun, "Speech denoising with deep feature losses", Interspeech 2019,
       arXiv 1806.10522.

    Examples
    --------
    >>> y = 0.1 * torch.randn(1, 1, 4000)
    >>> float(DeepFeatures()(y, y))
    0.0
    """

    def __init__(self, path: str | Path | None = None):
        super().__init__()
        self.network = load(WEIGHTS if path is None else Path(path)).requires_grad_(False)

    def each(self, estimate, target):  # noqa: D102
        n = estimate.shape[-1]
        pairs = zip(*(self.network.features(y.reshape(-1, n)) for y in (estimate, target)), strict=True)
        apart = [(e - s).abs().mean((-2, -1)) / c for (e, s), c in zip(pairs, self.network.scale, strict=True)]
        return sum(apart) / len(apart)


def load(path: Path) -> Network:
    """Return the network with the weights of a .safetensors file."""
    raw, network = whole(path), Network()
    try:
        network.load_state_dict({name: w.float() for name, w in safetensors.torch.load(raw).items()})
    except (safetensors.SafetensorError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"{place(path)} does not hold these weights ({why}); {again(WEIGHTS)}") from error
    return network.eval()


# ---- training -------------------------------------------------------------------------------------------------------


def change(y: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Do one of `CHANGES` to a sound, by a random amount."""
    n, level = y.size, np.sqrt(np.mean(y**2)) + 1e-4
    if kind == "white noise":
        return y + rng.standard_normal(n) * level * 10 ** (-rng.uniform(5, 35) / 20)
    if kind == "hum":
        hz, times = rng.choice([50, 60]), np.arange(n) / SR
        parts = [np.sin(2 * np.pi * k * hz * times + rng.uniform(0, 6)) / k for k in range(1, 9)]
        return y + np.sum(parts, axis=0) * level * 10 ** (-rng.uniform(5, 30) / 20)
    if kind == "echo":
        taps = rng.integers(400, 4000, 6)
        return y + sum(rng.uniform(0.2, 0.6) * np.pad(y, (tap, 0))[:n] for tap in taps)
    if kind == "low-pass":
        spectrum = np.fft.rfft(y)
        spectrum[round(rng.uniform(1000, 4000) * n / SR) :] = 0
        return np.fft.irfft(spectrum, n)
    if kind == "clipping":
        top = level * rng.uniform(0.5, 1.5)
        return np.clip(y, -top, top)
    if kind == "few bits":
        step = level * rng.uniform(0.3, 1.5)
        return step * np.round(y / step)
    if kind == "lost phase":
        D = stft(y, n_fft=512, hop_length=128)
        return istft(np.abs(D) * np.exp(1j * rng.uniform(-np.pi, np.pi, D.shape)), hop_length=128, length=n)
    return y


def examples(sounds: list[np.ndarray], count: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `count` changed seconds, shape (count, SR), and which change each had."""
    kinds = rng.integers(len(CHANGES), size=count)
    pieces = []
    for kind in kinds:
        y = sounds[rng.integers(len(sounds))]
        start = rng.integers(y.size - SR + 1)
        y = change(y[start : start + SR].astype(np.float64), CHANGES[kind], rng)
        level = 10 ** (rng.uniform(-36, -20) / 20)
        pieces.append(y * level / (np.sqrt(np.mean(y**2)) + 1e-4))
    return torch.from_numpy(np.stack(pieces)).float(), torch.from_numpy(kinds)


def train(sounds: list[np.ndarray], *, steps: int = 1500, seed: int = 0) -> Network:
    """Train a network on random seconds of some sounds, and set its scales."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for step in range(steps):
        y, kinds = examples(sounds, 24, rng)
        loss = cross_entropy(network(y), kinds)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: {loss.item():.3f}", flush=True)
    with torch.no_grad():
        a, b = (network.features(examples(sounds, 64, rng)[0]) for _ in range(2))
        network.scale[:] = torch.stack([(x - y).abs().mean() for x, y in zip(a, b, strict=True)])
    return network


@torch.no_grad()
def accuracy(network: Network, sounds: list[np.ndarray], *, count: int = 800, seed: int = 1) -> float:
    """Return the share of changes that are recognised."""
    y, kinds = examples(sounds, count, np.random.default_rng(seed))
    return float((network(y).argmax(-1) == kinds).float().mean())


def main() -> None:
    """Train on a folder of recordings, say how well it went on those held back, and write the weights."""
    parser = argparse.ArgumentParser(prog="python3 -m helpers.losses.deep", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="recordings; those under a folder 'valid' are held back")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--files", type=int, default=250, help="how many of the others to use, evenly spread")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(path for path in options.folder.rglob("*") if path.suffix in (".flac", ".ogg", ".wav"))
    held = [path for path in files if "valid" in path.parts]
    others = [path for path in files if "valid" not in path.parts]
    others = others[:: max(1, len(others) // options.files)]
    known, new = ([y for path in some if (y := audio.load(path, sr=SR)[0]).size > SR] for some in (others, held))
    network = train(known, steps=options.steps)
    for name, some in (("seen in training", known), ("held back", new)):
        print(f"{len(some)} recordings {name}: {accuracy(network, some):.1%} of the changes recognised")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({name: w.half() for name, w in network.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
