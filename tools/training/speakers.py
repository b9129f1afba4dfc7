"""The directions in which people differ more than one person from moment to moment: a closed form.

python3 -m tools.training.speakers train --corpus ../shared/corpus [--out data/weights]
(the numbers on people it has never met: python3 -m tools.measure.score_speakers)

It learns from readers, from people who say single words, from orders, and from four large voices,
in half a minute of one core. Two tenths of the readers (by a hash of the name), all readers of the
corpus's part `valid`, the people of the words who are held out in unit 41, and the groups of orders
that the recogniser never met are kept apart. What it looks at is the function `statistics` of unit
45's notebook.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from helpers import audio
from helpers.speech import SR
from tools import notebooks
from tools.training import keyword_sounds
from tools.training.orders import kept_apart, read_orders

SECONDS = 2.0
KEPT = 120  # directions
STRETCHES = 24  # of a person


def page(*tags: str) -> dict:
    """Return the names that cells of the notebook with some tags make."""
    space = {}
    for cell in notebooks.read(next(notebooks.ROOT.glob("notebooks/45_*.ipynb")))["cells"]:
        if {"setup", *tags} & set(cell["metadata"].get("tags", [])):
            exec(notebooks.source(cell), space)
    return space


def trimmed(y: np.ndarray) -> np.ndarray:
    """Return a recording from the first to the last frame within 30 dB of its loudest."""
    power = np.square(y[: len(y) // 320 * 320]).reshape(-1, 320).mean(axis=1)
    on = np.flatnonzero(power > power.max() * 1e-3)
    return y[max(0, on[0] - 2) * 320 : (on[-1] + 3) * 320]


def opened(path: Path) -> np.ndarray:
    """Return a recording at 16 kHz, trimmed."""
    y, sr = audio.load(path)
    return trimmed(audio.resample(y, sr=sr, to=SR))


def readers(corpus: Path, part: str) -> dict[str, list[np.ndarray]]:
    """Return the recordings of each reader of a part: train, heldout, or valid."""
    found: dict[str, list[np.ndarray]] = {}
    for row in keyword_sounds.read_rows(corpus / "manifest.csv"):
        name = row["speaker"]
        if not name.startswith("ls-"):
            continue
        its = "valid"
        if row["split"] == "train":
            its = "heldout" if keyword_sounds.part_of(name) == "heldout" else "train"
        if its == part:
            found.setdefault(name, []).append(opened(corpus / row["file"]))
    return found


def word_people(corpus: Path, part: str, *, least: int = 5) -> dict[str, list[np.ndarray]]:
    """Return the single words of each person of a part who says some."""
    found: dict[str, list[Path]] = {}
    for clip in keyword_sounds.commands(corpus):
        if clip.part == part and clip.label != keyword_sounds.SILENCE:
            found.setdefault(clip.person, []).append(clip.path)
    return {k: [opened(p) for p in v[:12]] for k, v in found.items() if len(v) >= least}


def order_people(corpus: Path, *, apart: bool) -> dict[str, list[np.ndarray]]:
    """Return the orders of each group of speakers that the recogniser has met, or has not."""
    found: dict[str, list[np.ndarray]] = {}
    for order in read_orders(corpus):
        if kept_apart(order) == apart:
            found.setdefault(f"group {order.group}", []).append(trimmed(order.y.numpy()))
    return {name: sounds for name, sounds in found.items() if len(sounds) >= 3}


def large_voices(corpus: Path) -> dict[str, list[np.ndarray]]:
    """Return recordings of four people of whom there are many."""
    found: dict[str, list[Path]] = {}
    for row in keyword_sounds.read_rows(corpus / "manifest.csv"):
        name = row["speaker"].split("-")[0]
        if row["split"] == "train" and name in ("lj", "fleurs", "kerstin"):
            found.setdefault(name, []).append(corpus / row["file"])
    for row in keyword_sounds.read_rows(corpus / "tasks/manifest.csv"):
        if row["set"] == "voice":
            found.setdefault(row["speaker"], []).append(corpus / "tasks" / row["file"])
    return {name: [opened(path) for path in paths[:20]] for name, paths in found.items()}


def stretches(sounds: list[np.ndarray], rng) -> list[np.ndarray]:
    """Return stretches of two seconds of a person, out of one recording or of some in a row."""
    length = round(SECONDS * SR)
    rows = []
    for _ in range(STRETCHES):
        parts = [np.zeros(0)]
        while sum(map(len, parts)) < length:
            y = sounds[int(rng.integers(len(sounds)))]
            first = int(rng.integers(max(1, len(y) - length + 1)))
            parts.append(y[first : first + length])
        rows.append(np.concatenate(parts)[:length])
    return rows


def discriminant(X: np.ndarray, who: np.ndarray, *, kept: int = KEPT) -> np.ndarray:
    """Return the directions with the most spread between people for their spread within one.

    Fisher's linear discriminant: the spread within is made round, then the largest axes of the
    spread between are kept.
    """
    _, number = np.unique(who, return_inverse=True)
    count = np.bincount(number)
    means = np.zeros((len(count), X.shape[1]))
    np.add.at(means, number, X)
    means /= count[:, None]
    within = np.cov((X - means[number]).T) + 0.01 * np.eye(X.shape[1])  # a little of the identity
    between = (means * count[:, None]).T @ means / len(X)
    rounded = np.linalg.inv(np.linalg.cholesky(within))
    sizes, axes = np.linalg.eigh(rounded @ between @ rounded.T)
    best = np.argsort(-sizes)[:kept]
    trust = sizes[best] / (1 + sizes[best])  # a direction with little between people counts less
    return rounded.T @ axes[:, best] * trust


def train(corpus: Path, out: Path) -> None:
    """Write OUT/speakers.safetensors."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    statistics = page("statistics")["statistics"]
    people = readers(corpus, "train") | word_people(corpus, "train") | large_voices(corpus)
    people |= order_people(corpus, apart=False)
    X, who = [], []
    for name, sounds in people.items():
        rows = [statistics(y) for y in stretches(sounds, rng)]
        X += rows
        who += [name] * len(rows)
    X = np.array(X)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    axes = discriminant((X - mean) / spread, np.array(who))
    tensors = {"mean": mean, "axes": axes / spread[:, None]}
    path = out / "speakers.safetensors"
    tensors = {
        name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()
    }
    command = "python3 -m tools.training.speakers train --corpus CORPUS"
    notes = {"command": command, "people": str(len(people)), "stretches": str(len(X))}
    save_file(tensors, path, metadata=notes)
    print(f"{len(people)} people, {len(X)} stretches: {path}")


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.speakers")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--corpus", required=True, type=Path)
    parser.add_argument("--out", default=Path("data/weights"), type=Path)
    options = parser.parse_args(argv)
    train(options.corpus, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
