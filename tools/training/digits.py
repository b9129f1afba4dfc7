"""Spoken digits to text: an encoder, and a decoder that attends to it, as Whisper in the small.

python3 -m tools.training.digits train --corpus ../shared/corpus --out .scratch/digits
python3 -m tools.training.digits score --corpus ../shared/corpus --out .scratch/digits

`train` goes on where an earlier run in the same folder stopped. It needs Debian's flite and
espeak-ng for the machine voices. Notebook 42 builds the same network by hand and loads the weights.
"""

import argparse
import copy
import math
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import _weights, mel
from tools.training.digit_sounds import SR, Strings, all_clips
from tools.training.keywords import write_rows

N_FFT = 200  # 25 ms, as in Whisper
HOP = 80  # 10 ms
N_MELS = 40
START, END, PAD = 10, 11, -100
MOST = 12  # places that the decoder knows, so 11 digits and the end


# ---- features and network ------------------------------------------------------------------------


def log_mel(y: torch.Tensor) -> torch.Tensor:
    """Sound at 8 kHz, (n,), to (40, n // 80), made as the features of Whisper are."""
    rows = mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=N_MELS, fmin=0, fmax=SR / 2)
    W = torch.from_numpy(rows.astype(np.float32))
    D = torch.stft(y, N_FFT, HOP, window=torch.hann_window(N_FFT), return_complex=True)
    L = torch.log10(torch.clamp(W @ D.abs()[:, :-1] ** 2, min=1e-10))
    return (torch.maximum(L, L.max() - 8) + 4) / 4


def sinusoids(length: int, d: int) -> torch.Tensor:
    """Return positions as sines and cosines of d/2 periods, (length, d)."""
    rates = torch.exp(-math.log(10000) / (d // 2 - 1) * torch.arange(d // 2))
    angles = torch.arange(length)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    """Attention of several heads; `weights` keeps what the last call looked at."""

    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.out = nn.Linear(d, d)

    def split(self, x):
        """(B, T, d) to (B, heads, T, d / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, memory, allowed=None):
        """Return answers, (B, T, d), to queries from x, (B, T, d), out of memory, (B, S, d)."""
        Q = self.split(self.query(x))
        K = self.split(self.key(memory))
        V = self.split(self.value(memory))
        scores = Q @ K.transpose(-2, -1) / Q.shape[-1] ** 0.5
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -torch.inf)
        self.weights = scores.softmax(dim=-1)
        return self.out((self.weights @ V).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention, in a decoder attention to the encoder too, then two layers for each frame."""

    def __init__(self, d: int, heads: int, *, cross: bool = False, drop: float = 0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(d)
        self.attend = Attention(d, heads)
        if cross:
            self.norm2 = nn.LayerNorm(d)
            self.cross = Attention(d, heads)
        self.norm3 = nn.LayerNorm(d)
        self.think = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.drop = nn.Dropout(drop)

    def forward(self, x, allowed=None, memory=None, heard=None):
        """(B, T, d) to (B, T, d)."""
        z = self.norm1(x)
        x = x + self.drop(self.attend(z, z, allowed))
        if memory is not None:
            x = x + self.drop(self.cross(self.norm2(x), memory, heard))
        return x + self.drop(self.think(self.norm3(x)))


class Transcriber(nn.Module):
    """Log-mel frames to digits, one after the other."""

    def __init__(self, d: int = 96, heads: int = 4, layers: int = 2, drop: float = 0.0):
        super().__init__()
        self.conv1 = nn.Conv1d(N_MELS, d, 3, stride=2, padding=1)
        self.conv2 = nn.Conv1d(d, d, 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(Block(d, heads, drop=drop) for _ in range(layers))
        self.norm = nn.LayerNorm(d)
        self.token = nn.Embedding(12, d)
        self.place = nn.Parameter(0.02 * torch.randn(MOST, d))
        self.decoder = nn.ModuleList(Block(d, heads, cross=True, drop=drop) for _ in range(layers))
        self.last = nn.LayerNorm(d)
        self.answer = nn.Linear(d, 12)
        self.drop = nn.Dropout(drop)

    def encode(self, S, real=None):
        """(B, 40, frames) to (B, frames / 4, d); `real`, (B, frames / 4), marks no padding."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(S)))).transpose(1, 2)
        x = self.drop(x + sinusoids(x.shape[1], x.shape[2]))
        allowed = None if real is None else real[:, None, None]
        for block in self.encoder:
            x = block(x, allowed)
        return self.norm(x)

    def decode(self, tokens, memory, real=None):
        """Tokens so far, (B, N), to scores of each next one, (B, N, 12)."""
        N = tokens.shape[1]
        x = self.drop(self.token(tokens) + self.place[:N])
        causal = torch.ones(N, N, dtype=torch.bool).tril()
        heard = None if real is None else real[:, None, None]
        for block in self.decoder:
            x = block(x, causal, memory, heard)
        return self.answer(self.last(x))


@torch.no_grad()
def greedy(model: Transcriber, S: torch.Tensor, *, most: int = MOST - 1) -> list[int]:
    """Return the digits that the network writes for one sound, (40, frames)."""
    memory = model.encode(S[None])
    tokens = [START]
    while len(tokens) <= most:
        best = int(model.decode(torch.tensor([tokens]), memory)[0, -1].argmax())
        if best == END:
            break
        tokens.append(best)
    return tokens[1:]


# ---- training ------------------------------------------------------------------------------------


def padded(sounds: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-mels as one batch, (B, 40, frames), and which of the encoder's frames are real."""
    S = [log_mel(torch.from_numpy(y)) for y in sounds]
    lengths = torch.tensor([s.shape[1] for s in S])
    out = torch.stack([F.pad(s, (0, int(lengths.max()) - s.shape[1])) for s in S])
    frames = -(-lengths // 4)
    return out, torch.arange(int(frames.max())) < frames[:, None]


def hidden(S: torch.Tensor, generator) -> torch.Tensor:
    """Hide some bands and some frames of each log-mel (SpecAugment)."""
    S = S.clone()
    for s in S:
        for _ in range(2):
            f, t = torch.rand(2, generator=generator).tolist()
            s[int(36 * f) : int(36 * f) + 4] = s.mean()
            s[:, int(t * s.shape[1]) : int(t * s.shape[1]) + 6] = s.mean()
    return S


class Training:
    """Network, running mean of its weights, optimizer and the state of all dice."""

    def __init__(self, clips, *, seed: int, rate: float = 1.5e-3):
        torch.manual_seed(seed)
        self.strings = Strings(clips, seed=seed)
        self.network = Transcriber(drop=0.1)
        self.mean = copy.deepcopy(self.network).eval()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.02
        )
        self.generator = torch.Generator().manual_seed(seed)
        self.rate = rate
        self.facts = {"step": 0, "seconds": 0.0, "log": []}

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        names = ("network", "mean", "optimizer")
        parts = {name: getattr(self, name).state_dict() for name in names}
        dice = {"numpy": self.strings.rng.bit_generator.state, "torch": torch.get_rng_state()}
        dice["own"] = self.generator.get_state()
        held = path.with_suffix(".tmp")
        torch.save(parts | {"facts": self.facts, "dice": dice}, held)
        held.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        held = torch.load(path, weights_only=False)
        for name in ("network", "mean", "optimizer"):
            getattr(self, name).load_state_dict(held[name])
        self.facts = held["facts"]
        self.strings.rng.bit_generator.state = held["dice"]["numpy"]
        torch.set_rng_state(held["dice"]["torch"])
        self.generator.set_state(held["dice"]["own"])

    def step(self, share: float, *, batch: int = 16) -> float:
        """Take a step when this share of the time is over, and return the loss."""
        warm = min((share + 1e-3) / 0.05, 1.0)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, share - 0.05) / 0.95))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * warm * (fall + 2e-3)
        most = 2 if share < 0.1 else 3 if share < 0.2 else 4
        sounds, digits = self.strings.batch(batch, most)
        S, real = padded(sounds)
        N = max(len(d) for d in digits) + 1
        given = torch.full((batch, N), END)
        wanted = torch.full((batch, N), PAD)
        for row, d in enumerate(digits):
            given[row, : len(d) + 1] = torch.tensor([START, *d])
            wanted[row, : len(d) + 1] = torch.tensor([*d, END])
        memory = self.network.encode(hidden(S, self.generator), real)
        scores = self.network.decode(given, memory, real)
        loss = F.cross_entropy(
            scores.flatten(0, 1), wanted.flatten(), ignore_index=PAD, label_smoothing=0.05
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.facts["step"] += 1
        keep = min(0.995, 1 - 1 / (1 + self.facts["step"]))
        with torch.no_grad():
            for slow, fast in zip(self.mean.parameters(), self.network.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        return float(loss.detach())


def train(clips, out: Path, *, command: str, seed: int, seconds: float) -> None:
    """Train for this many seconds of the processor, with a checkpoint every 15 of them."""
    training = Training(clips, seed=seed)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.is_file():
        training.restore(checkpoint)
    facts = training.facts
    began = time.process_time() - facts["seconds"]
    losses = []
    while facts["seconds"] < seconds:
        before = facts["seconds"]
        losses.append(training.step(before / seconds))
        facts["seconds"] = time.process_time() - began
        if int(facts["seconds"] / 15) > int(before / 15) or facts["seconds"] >= seconds:
            row = {"step": facts["step"], "seconds": round(facts["seconds"])}
            facts["log"].append(row | {"loss": round(float(np.mean(losses)), 4)})
            print(facts["log"][-1], flush=True)
            losses = []
            training.save(checkpoint)
    provenance = {"command": command, "seed": seed, "step": facts["step"], "seconds": seconds}
    config = {"d": 96, "heads": 4, "layers": 2}
    path = out / "digits.safetensors"
    _weights.save(path, training.mean, config=config, provenance=provenance, half=True)
    write_rows(out / "digits.csv", facts["log"])


def main(argv: list[str] | None = None) -> int | str:
    """Read the command line and do what it says."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.digits")
    parser.add_argument("what", choices=("train",))
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds tasks/")
    parser.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--seconds", type=float, default=720.0, help="processor time to train [s]")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        clips = all_clips(options.corpus, options.out / "clips.npz")
        command = "python3 -m tools.training.digits " + shlex.join(argv)
        train(clips, options.out, command=command, seed=options.seed, seconds=options.seconds)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
