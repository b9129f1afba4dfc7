"""A chroma that is learned: a network hears 1.4 s of pitches and says which classes a chord has.

python3 -m tools.training.chords --out .scratch/chords

It learns from 400 songs whose seeds lie below 1000; three instruments are kept apart (`APART`), so
that there is something it has never heard. What was made or trained in --out before is not made
again. Its scores on songs that it has never met are in chapter 7 of unit 53.
"""

import argparse
import math
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers import _weights, music

SR = 22050
HOP = 2048
REACH = 7  # frames that the network sees on either side
OCTAVES = 5  # in which a note of a chord may lie: C2 to B6
LEADS = ("flute", "oboe", "clarinet", "piano")
CHORDS = ("piano", "guitar", "strings")
APART = ("trumpet", "organ", "choir")  # never in the training
SONGS = 400
BATCHES = 1000
LAST = 200  # over so many the rate falls to 0
SIZE = 128  # examples in a batch


def pitches(y: np.ndarray) -> np.ndarray:
    """Return compressed magnitudes of 216 pitches, three a semitone from C2 up, by frames."""
    y = 0.05 * y / np.sqrt(np.mean(y**2))
    lowest = librosa.midi_to_hz(36 - 1 / 3)
    Q = librosa.cqt(
        y, sr=SR, hop_length=HOP, fmin=lowest, n_bins=216, bins_per_octave=36, tuning=0.0
    )
    return np.log1p(100 * np.abs(Q)).astype(np.float32)


class ChromaNet(nn.Module):
    """The same weights look at every pitch, two octaves around it, and octaves are folded last."""

    def __init__(self, size: int = 16):
        super().__init__()
        self.around = nn.Conv2d(1, size, (3, 2 * REACH + 1), padding=(1, 0))
        self.mix = nn.Conv2d(size, size, 1)
        self.partials = nn.Conv1d(size, size, 73, padding=36)
        self.evidence = nn.Conv1d(size, 1, 9, padding=4)
        self.offset = nn.Parameter(torch.zeros(1))
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        """Return a logit for each class (batch, 12) from pitches (batch, 216, 15)."""
        z = functional.elu(self.around(x[:, None]))
        z = functional.elu(self.mix(z))[..., 0]
        z = z + functional.elu(self.partials(self.drop(z)))
        z = self.evidence(z)[:, 0, : 36 * OCTAVES]
        z = z.reshape(len(z), OCTAVES, 12, 3).amax(3)
        return torch.logsumexp(z, 1) + self.offset


def song(seed: int):
    """Return a song of the training, its instruments by lot from those that are not kept apart."""
    rng = np.random.default_rng([seed, 2])
    score = music.random_song(seed)
    score = score.played_on(str(rng.choice(LEADS)), str(rng.choice(CHORDS)), "bass")
    if rng.random() < 0.15:
        score = replace(score, parts=score.parts[1:])  # nobody sings
    return score


def example(seed: int) -> dict:
    """Return the pitches of a song, and in each frame the classes of its chord (-1: no chord)."""
    rng = np.random.default_rng([seed, 3])
    score = song(seed)
    y = music.play(score, synthetic=seed % 4 == 3, cents=float(rng.uniform(-15, 15)))
    y = y + 10 ** (rng.uniform(-65, -40) / 20) * rng.standard_normal(len(y))
    Q = pitches(y)
    classes = np.full((12, Q.shape[1]), -1, dtype=np.int8)
    times = np.arange(Q.shape[1]) * HOP / SR
    for start, end, label in score.chords():
        root, _, kind = label.partition(":")
        third = 4 if kind == "maj" else 3
        here = (times >= start) & (times < end)
        classes[:, here] = 0
        for step in (0, third, 7):
            classes[(music.scores.NAMES.index(root) + step) % 12, here] = 1
    return {"pitches": Q.astype(np.float16), "classes": classes}


def examples(folder: Path) -> list[dict]:
    """Return the examples of all songs, from their files where they were made before."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(SONGS):
        path = folder / f"{seed}.npz"
        if not path.is_file():
            np.savez(path, **example(seed))
        with np.load(path) as file:
            found.append({name: file[name].astype(np.float32) for name in file.files})
        if seed % 100 == 99:
            print(f"{seed + 1} songs", flush=True)
    return found


def batch(songs: list[dict], rng: np.random.Generator):
    """Return pitches around frames that were drawn by lot, and the classes there."""
    X, Y = [], []
    while len(X) < SIZE:
        one = songs[int(rng.integers(len(songs)))]
        frame = int(rng.integers(REACH, one["pitches"].shape[1] - REACH))
        if one["classes"][0, frame] < 0:
            continue
        louder = rng.uniform(-0.3, 0.3)
        X.append(one["pitches"][:, frame - REACH : frame + REACH + 1] + louder)
        Y.append(one["classes"][:, frame])
    return torch.from_numpy(np.stack(X).clip(0).astype(np.float32)), torch.from_numpy(np.stack(Y))


def rate(step: int) -> float:
    """Return the learning rate: it falls slowly along a cosine, and to 0 at the end."""
    slowly = 0.5 * (1 + math.cos(math.pi * step / 2500))
    return 3e-3 * slowly * min(1.0, (BATCHES - step) / LAST) + 1e-6


def train(out: Path, given: list[str]) -> Path:
    """Train, going on where an earlier run stopped, and return the file of weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    songs = examples(out / "songs")
    net = ChromaNet()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    loss_of = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.5))
    first, seconds, state = 0, 0.0, out / "state.pt"
    if state.is_file():
        was = torch.load(state, weights_only=True)
        net.load_state_dict(was["net"])
        optimizer.load_state_dict(was["optimizer"])
        first, seconds = was["step"], was["seconds"]
    began = time.process_time() - seconds
    losses = []
    for step in range(first, BATCHES):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        X, Y = batch(songs, np.random.default_rng([step, 4]))
        loss = loss_of(net(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 99:
            seconds = time.process_time() - began
            print(f"{step + 1:4d} {np.mean(losses[-100:]):.3f} {seconds:.0f} s", flush=True)
            now = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(now | {"step": step + 1, "seconds": seconds}, state)
    facts = {
        "command": "python3 -m tools.training.chords " + shlex.join(given),
        "seed": 0,
        "songs": SONGS,
        "batches": BATCHES,
        "processor_seconds": round(seconds),
        "apart": list(APART),
    }
    path = out / "chords.safetensors"
    _weights.save(path, net, config={"size": 16}, provenance=facts)
    return path


def main(argv: list[str] | None = None) -> int:
    """Run the training."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.chords")
    parser.add_argument("--out", type=Path, required=True, help="folder for songs and weights")
    given = sys.argv[1:] if argv is None else argv
    print("written", train(parser.parse_args(given).out, given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
