"""The small network of unit 52: from 48 mel bands to how much each frame sounds like a beat.

python3 -m tools.training.beats train --out .scratch/beats
(its scores on songs that it never heard stand in unit 52)

All it hears are songs that the course writes and plays itself (`music.random_song`, seeds 0 to
599), so anybody can train it again, in five minutes on one core. Four instruments are never among
them: flute, guitar, strings and choir. `train` goes on where an earlier run in the same folder
stopped.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import mel, music
from tools.training import timed

SR = 22050
HOP = 441  # 20 ms
SONGS = 600
LEADS = ("oboe", "clarinet", "trumpet", "piano")
CHORDS = ("piano", "organ")
FRAMES = 600  # of an example: 12 s
BATCH = 8


class BeatNet(nn.Module):
    """Eight convolutions over time, each looking twice as far as the one before: 20 638 weights."""

    def __init__(self, *, size: int = 20, depth: int = 8):
        super().__init__()
        self.norm = nn.BatchNorm1d(48)
        self.first = nn.Conv1d(48, size, 1)
        apart = [2**k for k in range(depth)]  # how many frames lie between the five of a layer
        self.wide = nn.ModuleList(
            nn.Conv1d(size, size, 5, dilation=d, padding=2 * d) for d in apart
        )
        self.mix = nn.ModuleList(nn.Conv1d(size, size, 1) for _ in apart)
        self.last = nn.Conv1d(size, 2, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        """Return scores (B, 2, T) of features (B, 48, T): for a beat, and for a bar's first."""
        x = self.first(self.norm(x))
        for wide, mix in zip(self.wide, self.mix, strict=True):
            x = x + mix(self.drop(F.elu(wide(x))))
        return self.last(F.elu(x))


def features(y: np.ndarray) -> np.ndarray:
    """Return what the network sees of a sound at 22 050 Hz: log mel magnitudes, (48, frames)."""
    frames = {"n_fft": 2048, "hop_length": HOP}
    S = mel.mel_spectrogram(
        y, sr=SR, n_mels=48, fmin=30, fmax=10000, norm=None, power=1.0, **frames
    )
    return np.log1p(S)


def training_song(seed: int) -> music.Score:
    """Return a song to learn from: tempo steady, wandering, or with a step in the middle."""
    lot = np.random.default_rng([seed, 2])
    song = music.random_song(seed, bars=8).played_on(
        str(lot.choice(LEADS)), str(lot.choice(CHORDS)), "bass"
    )
    if song.parts[-1].instrument == "drums" and lot.random() < 0.2:
        song = replace(song, parts=song.parts[-1:])
    bpm = float(np.exp(lot.uniform(math.log(58), math.log(190))))
    kind = lot.random()
    if kind < 0.4:
        tempo = [(0, bpm)]
    elif kind < 0.8:
        bends = np.cumsum(0.012 * lot.standard_normal(song.length))
        bends += 0.05 * np.sin(2 * np.pi * np.arange(song.length) / 16 + lot.uniform(0, 6))
        tempo = [(k, bpm * math.exp(bend)) for k, bend in enumerate(bends)]
    else:
        tempo = [(0, bpm), (song.length // 2, bpm * float(lot.choice([0.75, 0.85, 1.2, 1.35])))]
    return replace(song, tempo=tuple(tempo))


def example(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features of a song and what they should give: 1 at a beat, 0.5 beside it."""
    song = training_song(seed)
    lot = np.random.default_rng([seed, 3])
    y = music.play(song, synthetic=seed % 2 == 1, level_db=float(lot.uniform(-32, -20)))
    y = y + 1e-3 * lot.standard_normal(len(y))
    X = features(y)
    Y = np.zeros((2, X.shape[1]))
    for row, times in zip(Y, (song.beats(), song.beats()[::4]), strict=True):
        at = np.round(times * SR / HOP).astype(int)
        row[at + 1] = 0.5
        row[np.maximum(at - 1, 0)] = 0.5
        row[at] = 1
    return torch.from_numpy(X).half(), torch.from_numpy(Y).half()


def examples(out: Path) -> list:
    """Return all examples; they are made once and kept."""
    path = out / "examples.pt"
    if not path.is_file():
        torch.save([example(seed) for seed in range(SONGS)], path)
    return torch.load(path, weights_only=True)


def batch(some: list, rng) -> tuple[torch.Tensor, torch.Tensor]:
    """Return stretches of examples, each a little louder or softer, brighter or darker."""
    Xs = []
    Ys = []
    for X, Y in some:
        missing = max(0, FRAMES - X.shape[1])
        begin = int(rng.integers(0, X.shape[1] + missing - FRAMES + 1))
        X = F.pad(X.float(), (0, missing))[:, begin : begin + FRAMES]
        tilt = 0.3 * float(rng.normal()) * torch.linspace(-1, 1, 48)[:, None]
        Xs.append((X + 0.3 * float(rng.normal()) + tilt).clamp_min(0))
        Ys.append(F.pad(Y.float(), (0, missing))[:, begin : begin + FRAMES])
    return torch.stack(Xs), torch.stack(Ys)


def train(options) -> None:
    """Train for some processor seconds and write OUT/beats.safetensors."""
    out = Path(options.out)
    songs = examples(out)
    kept = songs[::20]  # for the loss that is told; nothing is learned from them
    songs = [song for k, song in enumerate(songs) if k % 20]
    net = BeatNet()
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    weight = torch.tensor([6.0, 12.0])[None, :, None]  # beats are rare
    training = timed.Timed(net, optimizer, options)
    rng = np.random.default_rng(training.step)
    while training.goes_on():
        order = rng.permutation(len(songs))
        losses = []
        net.train()
        for first in range(0, len(order), BATCH):
            X, Y = batch([songs[k] for k in order[first : first + BATCH]], rng)
            loss = F.binary_cross_entropy_with_logits(net(X), Y, pos_weight=weight)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        training.step += 1
        if training.step % 5 == 0:
            net.eval()
            with torch.no_grad():
                X, Y = batch(kept, np.random.default_rng(1))
                told = F.binary_cross_entropy_with_logits(net(X), Y, pos_weight=weight).item()
            at = f"{training.seconds:4.0f} s  epoch {training.step}"
            print(f"{at}  {np.mean(losses):.3f}  {told:.3f}", flush=True)
            training.keep()
    training.write("beats", options, songs=len(songs))


def main(argv: list[str] | None = None) -> int:
    """Train the network."""
    return timed.run("beats", train, 120, argv)


if __name__ == "__main__":
    sys.exit(main())
