"""Train the small enhancer of unit 37: a flow from noise to the log-mel of clean speech, told the
log-mel of the mixture. One thread, and a run that was stopped goes on where it was.

python3 -m tools.training.flow --corpus ../shared/corpus --out runs/flow --minutes 18
"""

import argparse
import csv
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers import audio
from tools.training.datasets import SR, Corpus

BANDS = 80
WIDTH = 96
DILATIONS = (1, 2, 4, 8, 1, 2, 4, 8)
MIDDLE = -6.0  # of log-mels at -26 dBFS, and their spread: a flow begins at numbers like these
SPREAD = 2.5
LEVEL = 0.05  # RMS of a mixture, -26 dBFS
SECONDS = 3
FRAMES = 96  # of one example
BATCH = 24
AVERAGE = 0.999  # what a step keeps of the running mean of the weights


class Block(nn.Module):
    """Look at three frames that lie apart, and add what was found."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.look = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.time = nn.Linear(17, width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, h, clock):
        """Return h and what the block adds to it."""
        found = self.look(h) + self.time(clock)[:, :, None]
        return h + self.mix(nn.functional.gelu(found))


class Velocity(nn.Module):
    """The velocity of a point on its way from noise to a clean log-mel, told the mixture.

    `forward` takes points and mixtures, both (B, 80, n_frames) and scaled, and times (B,).
    """

    def __init__(self, width: int = WIDTH):
        super().__init__()
        self.first = nn.Conv1d(2 * BANDS, width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(width, d) for d in DILATIONS)
        self.last = nn.Conv1d(width, BANDS, 1)

    def forward(self, x, noisy, t):
        """Return a velocity for each number of `x`."""
        turns = math.pi * t[:, None] * 2.0 ** torch.arange(-1, 7)
        clock = torch.cat([t[:, None], turns.sin(), turns.cos()], 1)
        h = self.first(torch.cat([x, noisy], 1))
        for block in self.blocks:
            h = block(h, clock)
        return self.last(h)


def scaled(y: np.ndarray) -> np.ndarray:
    """Return the log-mel of a sound, with numbers about as large as those of noise."""
    from helpers.vocoders import MelFormat

    return (MelFormat().mel(y, sr=SR) - MIDDLE) / SPREAD


def pairs(corpus: Path, split: str, count: int, seed: int) -> np.ndarray:
    """Return log-mels of mixtures and of their voices, (count, 2, 80, n_frames), half precision."""
    speech, noise = (Corpus(corpus / kind / split) for kind in ("speech", "noise"))
    rng = np.random.default_rng(seed)
    size = SECONDS * SR

    def crop(sounds):
        y = sounds[rng.integers(len(sounds))]
        start = rng.integers(max(len(y) - size, 0) + 1)
        cut = np.resize(y[start : start + size], size)
        return cut / 32768 if cut.dtype == np.int16 else cut

    found = []
    while len(found) < count:
        clean, hiss = crop(speech.sounds), crop(noise.sounds)
        if min(np.std(clean), np.std(hiss)) < 1e-3:  # a pause
            continue
        mixture = audio.mix(clean, hiss, snr_db=rng.uniform(-5, 15))
        gain = LEVEL / np.sqrt(np.mean(mixture**2))
        found.append(np.stack([scaled(gain * mixture), scaled(gain * clean)]).astype(np.float16))
    return np.stack(found)


def loss_of(model, noisy, clean, *, generator=None):
    """Return the flow-matching loss of a batch: from noise to speech on straight paths."""
    start = torch.randn(clean.shape, generator=generator)
    t = torch.rand(len(clean), generator=generator)
    point = (1 - t[:, None, None]) * start + t[:, None, None] * clean
    return (model(point, noisy, t) - (clean - start)).square().mean()


def drawn(data: np.ndarray, rng) -> tuple:
    """Return one batch of mixtures and voices, cut at random."""
    rows = rng.integers(len(data), size=BATCH)
    starts = rng.integers(data.shape[-1] - FRAMES + 1, size=BATCH)
    cut = np.stack([data[r, ..., s : s + FRAMES] for r, s in zip(rows, starts, strict=True)])
    batch = torch.from_numpy(cut.astype(np.float32))
    return batch[:, 0], batch[:, 1]


@torch.no_grad()
def validate(model, data: np.ndarray) -> float:
    """Return the loss on pairs that taught nothing, always with the same noise."""
    generator = torch.Generator().manual_seed(0)
    batch = torch.from_numpy(data.astype(np.float32))
    parts = [loss_of(model, b[:, 0], b[:, 1], generator=generator) for b in batch.split(32)]
    return float(torch.stack(parts).mean())


def fit(out: Path, train: np.ndarray, valid: np.ndarray, *, minutes: float, steps: int) -> Velocity:
    """Train until the time is up, all runs together, and return the running mean of the weights."""
    torch.manual_seed(37)
    model, mean = Velocity(), Velocity()
    mean.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    done = {"step": 0, "seconds": 0.0}
    kept = out / "checkpoint.pt"
    if kept.is_file():
        saved = torch.load(kept, weights_only=True)
        model.load_state_dict(saved["model"])
        mean.load_state_dict(saved["mean"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["done"]
    while done["seconds"] < 60 * minutes and done["step"] < steps:
        begun = time.process_time()
        for _ in range(100):
            k = done["step"]
            rng = np.random.default_rng([37, k])
            generator = torch.Generator().manual_seed(k)
            progress = max(done["seconds"] / (60 * minutes), k / steps)
            optimizer.param_groups[0]["lr"] = 1e-3 * (0.02 + 0.98 * math.cos(progress * 1.57) ** 2)
            noisy, clean = drawn(train, rng)
            loss = loss_of(model, noisy, clean, generator=generator)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                for slow, fast in zip(mean.parameters(), model.parameters(), strict=True):
                    slow.lerp_(fast, 1 - min(AVERAGE, (k + 1) / (k + 10)))
            done["step"] += 1
        done["seconds"] += time.process_time() - begun
        row = [done["step"], f"{done['seconds']:.0f}", f"{loss.item():.4f}"]
        if done["step"] % 500 == 0:
            row.append(f"{validate(mean, valid):.4f}")
            log = out / "log.csv"
            if not log.is_file():
                log.write_text("step,seconds,loss,valid\n", encoding="utf-8")
            with log.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerow(row)
        print(*row, flush=True)
        state = {"model": model.state_dict(), "mean": mean.state_dict()}
        torch.save(state | {"optimizer": optimizer.state_dict(), "done": done}, kept)
    return mean


def load(path="flow") -> Velocity:
    """Return the network of unit 37 with its weights."""
    from helpers import _weights

    return _weights.restore(Velocity, path)[0]


@torch.no_grad()
def draw(model: Velocity, noisy: np.ndarray, *, steps: int, seed: int = 0) -> np.ndarray:
    """Return a clean log-mel, scaled, that the flow draws for a mixture, (80, n_frames)."""
    given = torch.from_numpy(np.asarray(noisy, np.float32))[None]
    x = torch.randn(given.shape, generator=torch.Generator().manual_seed(seed))
    for k in range(steps):
        x = x + model(x, given, torch.full((1,), k / steps)) / steps
    return x[0].numpy()


def enhancer(model: Velocity, *, steps: int, seed: int = 0):
    """Return an enhancer: a drawn mel, made a magnitude by the vocoder *gan*, with the phase of the
    mixture.
    """
    from helpers import settings, stft

    vocoder = settings.load_vocoder("gan")

    def enhance(y):
        gain = LEVEL / max(float(np.sqrt(np.mean(np.square(y)))), 1e-9)
        log_mel = SPREAD * draw(model, scaled(gain * y), steps=steps, seed=seed) + MIDDLE
        with torch.no_grad():
            S = vocoder.model.magnitude(torch.from_numpy(log_mel)[None])[0]
        D = stft.stft(np.asarray(y, float), n_fft=1024, hop_length=256)
        S = S.clamp(-12, 8).exp().numpy()
        made = stft.istft(S * np.exp(1j * np.angle(D)), hop_length=256, length=len(y))
        return (made / gain).astype(np.float32)

    return enhance


def main(argv: list[str] | None = None) -> int:
    """Make the pairs once, train, and write the weights."""
    from helpers import _weights

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=18, help="of the processor, in all")
    parser.add_argument("--steps", type=int, default=100_000, help="at most")
    parser.add_argument("--pairs", type=int, default=5000)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    data = {}
    for seed, (split, count) in enumerate((("train", options.pairs), ("valid", 96))):
        path = options.out / f"{split}.npy"
        if not path.is_file():
            np.save(path, pairs(options.corpus, split, count, seed))
        data[split] = np.load(path)
    model = fit(
        options.out, data["train"], data["valid"], minutes=options.minutes, steps=options.steps
    )
    about = {"command": "python3 -m tools.training.flow", "minutes": options.minutes}
    about |= {"pairs": options.pairs, "seed": 37, "valid": round(validate(model, data["valid"]), 4)}
    _weights.save(options.out / "flow.safetensors", model, config={}, provenance=about, half=True)
    print(about)
    return 0


if __name__ == "__main__":
    sys.exit(main())
