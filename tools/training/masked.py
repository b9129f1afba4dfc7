"""Does hearing speech without its text help? Masked frames in the small, and then a few labels.

python3 -m tools.training.masked --corpus ../shared/corpus --out .scratch/masked

The encoder of `tools.training.digits` first fills in hidden frames of LibriSpeech, which needs no
text. Then it learns ten words from 3, 10 or 30 labelled clips of each, once from there and once
from random weights; held-out people judge. Table: data/tables/masked_frames.csv.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from torch import nn

from helpers import audio
from tools.training.digit_sounds import LEVEL, SR, all_clips
from tools.training.digits import Transcriber, log_mel, padded
from tools.training.keywords import write_rows

GROUP = 4  # frames of the log-mel that the encoder sees as one
SPAN = 4  # such groups that are hidden together: 160 ms
SHARE = 0.3
CROP = 240  # frames of a lesson, 2.4 s


def unlabelled(corpus) -> torch.Tensor:
    """Return the log-mels of LibriSpeech, one after the other, (40, frames)."""
    files = sorted((Path(corpus) / "speech/train").glob("ls*"))
    if not files:
        raise ValueError(f"{corpus}/speech/train holds no ls_*.flac; name the corpus by --corpus")
    found = []
    for path in files:
        y, sr = soundfile.read(path, dtype="float32")
        y = audio.resample(y, sr=sr, to=SR)
        y = (y * (LEVEL / np.sqrt((y**2).mean()))).astype(np.float32)
        found.append(log_mel(torch.from_numpy(y)))
    return torch.cat(found, dim=1)


def hidden_groups(rng, count: int, groups: int) -> np.ndarray:
    """Return which groups of frames are hidden in each lesson, (count, groups)."""
    out = np.zeros((count, groups), dtype=bool)
    for row in out:
        while row.mean() < SHARE:
            first = rng.integers(groups - SPAN + 1)
            row[first : first + SPAN] = True
    return out


class Filler(nn.Module):
    """The encoder, and a layer that says what its frames were."""

    def __init__(self):
        super().__init__()
        self.hearing = Transcriber(drop=0.1)
        self.fill = nn.Linear(96, 40 * GROUP)
        self.blank = nn.Parameter(torch.zeros(40))

    def forward(self, S, hide):
        """(B, 40, frames) and (B, frames / 4) to all frames in groups, (B, frames / 4, 160)."""
        gone = hide.repeat_interleave(GROUP, dim=1)[:, None]
        return self.fill(self.hearing.encode(torch.where(gone, self.blank[:, None], S)))


def grouped(S):
    """(B, 40, frames) to (B, frames / 4, 160)."""
    return S.unflatten(2, (-1, GROUP)).permute(0, 2, 1, 3).flatten(2)


def pretrain(S: torch.Tensor, *, seconds: float, seed: int = 42, batch: int = 16) -> Filler:
    """Fill in hidden frames for so many seconds of the processor."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Filler()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    began = time.process_time()
    losses = []
    while (spent := time.process_time() - began) < seconds:
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, 20 * spent / seconds) * (1 - 0.95 * spent / seconds)
        starts = rng.integers(S.shape[1] - CROP, size=batch)
        crops = torch.stack([S[:, s : s + CROP] for s in starts])
        hide = torch.from_numpy(hidden_groups(rng, batch, CROP // GROUP))
        wanted = grouped(crops)
        loss = F.l1_loss(model(crops, hide)[hide], wanted[hide])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if len(losses) % 250 == 0:
            plain = (wanted[hide] - wanted[~hide].mean(0)).abs().mean()
            told = f"{np.mean(losses[-250:]):.4f}, the mean frame {float(plain):.4f}"
            print(f"step {len(losses)}, {spent:.0f} s, loss {told}", flush=True)
    return model


class Reader(nn.Module):
    """The encoder, the mean over its frames, and a score for each of ten words."""

    def __init__(self, start: Transcriber | None):
        super().__init__()
        self.hearing = Transcriber(drop=0.1)
        if start is not None:
            self.hearing.load_state_dict(start.state_dict())
        self.answer = nn.Linear(96, 10)

    def forward(self, S, real):
        """(B, 40, frames) to (B, 10)."""
        heard = self.hearing.encode(S, real) * real[:, :, None]
        return self.answer(heard.sum(1) / real.sum(1)[:, None])


def learn(clips, start, *, seed: int, steps: int = 150) -> Reader:
    """Learn the ten words from a few clips."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    reader = Reader(start)
    optimizer = torch.optim.AdamW(reader.parameters(), 1e-3, weight_decay=0.02)
    labels = torch.tensor([c.digit for c in clips])
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, step / 25) * (1 - 0.95 * step / steps)
        some = rng.integers(len(clips), size=24)
        level = 10 ** (rng.uniform(-10, 6, 24) / 20)
        sounds = [clips[k].y * np.float32(g) for k, g in zip(some, level, strict=True)]
        loss = F.cross_entropy(reader(*padded(sounds)), labels[some], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return reader.eval()


@torch.no_grad()
def right(reader: Reader, clips) -> list[bool]:
    """Return for each clip whether its word is recognised."""
    found = []
    for first in range(0, len(clips), 64):
        some = clips[first : first + 64]
        best = reader(*padded([c.y for c in some])).argmax(1).tolist()
        found += [k == c.digit for k, c in zip(best, some, strict=True)]
    return found


def held_out(people) -> set[str]:
    """Return the two of six people that come first by a hash of their names."""
    by_hash = sorted(people, key=lambda name: hashlib.sha1(name.encode()).hexdigest())
    return set(by_hash[:2])


def few(clips, count: int, seed: int) -> list:
    """Return so many clips of each word, by lot."""
    rng = np.random.default_rng(seed)
    groups = [[c for c in clips if c.digit == digit] for digit in range(10)]
    return [group[k] for group in groups for k in rng.choice(len(group), count, replace=False)]


def main(argv: list[str] | None = None) -> int | str:
    """Pretrain, learn, and write who was recognised."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.masked")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with tasks/ and speech/")
    parser.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--seconds", type=float, default=40.0, help="time of the filling [s]")
    parser.add_argument("--seeds", type=int, default=3, help="draws of the labelled clips")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "filled.pt"
    try:
        if not kept.is_file():
            S = unlabelled(options.corpus)
            print(f"{S.shape[1] / 100 / 60:.0f} minutes of speech without text", flush=True)
            filler = pretrain(S, seconds=options.seconds)
            torch.save(filler.state_dict(), kept)
        filler = Filler()
        filler.load_state_dict(torch.load(kept))
        clips = all_clips(options.corpus, options.out / "clips.npz")
    except (ValueError, OSError) as error:
        return str(error)
    apart = held_out({c.voice for c in clips if c.kind == "digits"})
    teachers = [c for c in clips if c.kind == "digits" and c.voice not in apart]
    new = [c for c in clips if c.part == "heldout"]
    pupils = [c for c in new if c.kind == "commands" or c.voice in apart]
    rows = []
    for count in (3, 10, 30):
        for seed in range(options.seeds):
            some = few(teachers, count, seed)
            for start, weights in (("random", None), ("filled in", filler.hearing)):
                hits = right(learn(some, weights, seed=seed), pupils)
                for kind in ("digits", "commands"):
                    mine = [hit for hit, c in zip(hits, pupils, strict=True) if c.kind == kind]
                    row = {"labels": count, "seed": seed, "start": start, "set": kind}
                    rows.append(row | {"right": sum(mine), "clips": len(mine)})
                    print(rows[-1], flush=True)
    write_rows(options.out / "masked_frames.csv", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
