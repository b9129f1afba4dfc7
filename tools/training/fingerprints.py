"""The small network of unit 55: from a second of 64 mel bands to 64 numbers that name it.

python3 -m tools.training.fingerprints train --out .scratch/fingerprints
(its hit rates on songs that it never heard: python3 -m tools.measure.score_fingerprints)

It learns by contrast: a second of a song and the same second damaged shall give the same numbers,
seconds of other songs other numbers. The damage is pink noise, another speed and a shift; babble is
never among it. All songs are written and played by the course itself (`music.random_song`, seeds 0
to 299). `train` goes on where an earlier run in the same folder stopped.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import mel, music
from tools.training import timed

SR = 8000
N_FFT = 1024
HOP = 250  # 32 frames a second
FRAMES = 32
SONGS = 300
KEPT = 20  # songs that are only looked at
BATCH = 96
SPEED = 0.05  # up to so much faster or slower
SHIFT = SR // 8  # up to half the distance of two seconds in the index
SNR_DB = (-8.0, 20.0)
TEMPERATURE = 0.07
BANK = torch.from_numpy(
    mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=64, fmin=200, fmax=3800, norm=None)
).float()
WINDOW = torch.hann_window(N_FFT)
NEED = (FRAMES - 1) * HOP + N_FFT  # samples under the frames of a second


class FingerprintNet(nn.Module):
    """Four convolutions that halve both axes, then one layer: 99 928 weights."""

    def __init__(self):
        super().__init__()
        sizes = (1, 24, 48, 48, 72)
        pairs = list(itertools.pairwise(sizes))
        self.conv = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.norm = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        self.last = nn.Linear(72 * 4 * 2, 64)

    def forward(self, x):
        """Return vectors (B, 64) of length one of seconds (B, 64, 32)."""
        x = x[:, None]
        for conv, norm in zip(self.conv, self.norm, strict=True):
            x = F.elu(norm(conv(x)))
        return F.normalize(self.last(x.flatten(1)), dim=1)


def features(y: torch.Tensor) -> torch.Tensor:
    """Return what the network sees of stretches (B, NEED): log mel of mean 0 and deviation 1."""
    S = torch.stft(y, N_FFT, HOP, window=WINDOW, center=False, return_complex=True).abs()
    M = BANK @ S
    X = torch.log(M / M.mean((1, 2), keepdim=True) + 0.01)
    X = X - X.mean((1, 2), keepdim=True)
    return X / X.std((1, 2), keepdim=True, correction=0)


def songs(out: Path) -> list:
    """Return all songs, every second one played by sines; they are made once and kept."""
    path = out / "songs.pt"
    if not path.is_file():
        made = []
        for seed in range(SONGS):
            y = music.play(music.random_song(seed), sr=SR, synthetic=seed % 2 == 1)
            made.append(torch.from_numpy(y).half())
        torch.save(made, path)
    return torch.load(path, weights_only=True)


def pink(rng, rows: int, n: int) -> np.ndarray:
    """Return noise (rows, n) of equal power in each octave, of RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal((rows, n)), axis=1)
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0
    noise = np.fft.irfft(spectrum, n, axis=1)
    return noise / np.sqrt(np.mean(noise**2, axis=1, keepdims=True))


def pairs(some: list, rng, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return seconds (size, NEED) and the same seconds faster or slower, shifted, in noise."""
    clean = []
    damaged = []
    for k in rng.integers(len(some), size=size):
        y = some[k].numpy().astype(np.float32)
        begin = int(rng.integers(SHIFT, len(y) - 1.1 * NEED - 2 * SHIFT))
        clean.append(y[begin : begin + NEED])
        speed = rng.uniform(1 - SPEED, 1 + SPEED)
        middle = begin + NEED / 2 + rng.uniform(-SHIFT, SHIFT)
        at = middle + speed * (np.arange(NEED) - NEED / 2)
        damaged.append(np.interp(at, np.arange(len(y)), y))
    clean, damaged = np.stack(clean), np.stack(damaged)
    level = np.sqrt(np.mean(damaged**2, axis=1, keepdims=True)) + 1e-5
    gain = 10 ** (-rng.uniform(*SNR_DB, (size, 1)) / 20)
    damaged = damaged + level * gain * pink(rng, size, NEED)
    return torch.from_numpy(clean + 1e-6), torch.from_numpy(damaged.astype(np.float32))


def contrast(z1: torch.Tensor, z2: torch.Tensor) -> torch.Tensor:
    """Return InfoNCE in both directions: each row is a question, its answer on the diagonal."""
    scores = z1 @ z2.T / TEMPERATURE
    answers = torch.arange(len(scores))
    return (F.cross_entropy(scores, answers) + F.cross_entropy(scores.T, answers)) / 2


def train(options) -> None:
    """Train for some processor seconds and write OUT/fingerprints.safetensors."""
    out = Path(options.out)
    heard = songs(out)
    heard, kept = heard[:-KEPT], heard[-KEPT:]
    net = FingerprintNet()
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    training = timed.Timed(net, optimizer, options)
    rng = np.random.default_rng(training.step)
    losses = []
    while training.goes_on():
        net.train()
        one, other = pairs(heard, rng, BATCH)
        loss = contrast(net(features(one)), net(features(other)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        training.step += 1
        if training.step % 100 == 0:
            net.eval()
            with torch.no_grad():
                one, other = pairs(kept, np.random.default_rng(1), 2 * BATCH)
                told = contrast(net(features(one)), net(features(other))).item()
            at = f"{training.seconds:4.0f} s  step {training.step}"
            print(f"{at}  {np.mean(losses):.3f}  {told:.3f}", flush=True)
            losses = []
            training.keep()
    training.write("fingerprints", options, songs=len(heard), half=True)


def main(argv: list[str] | None = None) -> int:
    """Train the network."""
    return timed.run("fingerprints", train, 720, argv)


if __name__ == "__main__":
    sys.exit(main())
