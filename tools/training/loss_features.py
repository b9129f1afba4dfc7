"""Train the network of `helpers.losses.DeepFeatures` to tell what has been done to a sound.

python3 -m tools.training.loss_features FOLDER         recordings at 16 kHz in that folder
"""

import argparse
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch.nn.functional import cross_entropy

from helpers import audio
from helpers.losses.deep import CHANGES, SR, WEIGHTS, Network
from helpers.stft import istft, stft


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
        return istft(
            np.abs(D) * np.exp(1j * rng.uniform(-np.pi, np.pi, D.shape)), hop_length=128, length=n
        )
    return y


def examples(
    sounds: list[np.ndarray], count: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
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
def accuracy(
    network: Network, sounds: list[np.ndarray], *, count: int = 800, seed: int = 1
) -> float:
    """Return the share of changes that are recognised."""
    y, kinds = examples(sounds, count, np.random.default_rng(seed))
    return float((network(y).argmax(-1) == kinds).float().mean())


def main() -> None:
    """Train on a folder of recordings, say how well it went on those held back, and write the
    weights.
    """
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.training.loss_features", description=main.__doc__
    )
    parser.add_argument(
        "folder", type=Path, help="recordings; those under a folder 'valid' are held back"
    )
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument(
        "--files", type=int, default=250, help="how many of the others to use, evenly spread"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(
        path for path in options.folder.rglob("*") if path.suffix in (".flac", ".ogg", ".wav")
    )
    held = [path for path in files if "valid" in path.parts]
    others = [path for path in files if "valid" not in path.parts]
    others = others[:: max(1, len(others) // options.files)]
    known, new = (
        [y for path in some if (y := audio.load(path, sr=SR)[0]).size > SR]
        for some in (others, held)
    )
    network = train(known, steps=options.steps)
    for name, some in (("seen in training", known), ("held back", new)):
        print(
            f"{len(some)} recordings {name}: {accuracy(network, some):.1%} of the changes "
            "recognised"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(
        {name: w.half() for name, w in network.state_dict().items()}, options.out
    )


if __name__ == "__main__":
    main()
