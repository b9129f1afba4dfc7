"""Measure what unit 45 says of voices, on people that nothing there has learned from.

python3 -m tools.measure.score_speakers --corpus ../shared/corpus

Pairs of stretches of two seconds: readers (one recording each, cut into stretches that do not
overlap), people who say single words (each stretch made of other words), and the groups of orders
that no training has met. data/tables/speaker_pairs.csv holds cosines: all pairs of one person,
and as many of different people, drawn. speaker_layers.csv: the equal error rate from mean and
spread of what the recogniser's layers say, by the same closed form. meetings.csv: 60 meetings of
two to four readers each, made of their turns, and their diarisation after each step of the
notebook. The limits of the clustering are chosen on 60 meetings of the readers of `valid`, before
the others are looked at; the last step is told how many people sit there, and is a bound.
"""

import argparse
import csv
import os
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.cluster import hierarchy

from helpers import recogniser
from helpers.speech import SR
from tools import notebooks
from tools.training import speakers

TABLES = notebooks.ROOT / "data" / "tables"
LENGTH = 2 * SR
MOST = 8  # stretches of a person
MEETINGS = 60
AVERAGE = 0.35  # the limit of average linkage, chosen as the notebook's LIMIT
TRIED = {
    "average": (0.2, 0.25, 0.3, 0.35, 0.4),
    "pauses": (2.8, 2.9, 3.0, 3.1, 3.2, 3.3, 3.4),
}
STEPS = ("average", "ward", "again", "pauses", "told")  # each with all before it; told: a bound


def write(name: str, rows: list[dict]) -> None:
    """Write a table."""
    with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows", flush=True)


def grid(sounds: list[np.ndarray]) -> list[np.ndarray]:
    """Return stretches that do not overlap, out of recordings one after the other."""
    y = np.concatenate(sounds)
    return [y[k : k + LENGTH] for k in range(0, len(y) - LENGTH + 1, LENGTH)][:MOST]


def pairs(E: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosines of pairs of one person, and of pairs of two."""
    E = E / np.linalg.norm(E, axis=1, keepdims=True)
    i, j = np.triu_indices(len(E), 1)
    cosines = np.sum(E[i] * E[j], axis=1)
    same = who[i] == who[j]
    return cosines[same], cosines[~same]


def equal_error(same: np.ndarray, other: np.ndarray) -> float:
    """Return the rate at which as many pairs of one person are refused as others are taken."""
    limits = np.sort(np.concatenate([same, other]))
    missed = np.searchsorted(np.sort(same), limits) / len(same)
    taken = 1 - np.searchsorted(np.sort(other), limits) / len(other)
    k = np.argmin(np.abs(missed - taken))
    return float(missed[k] + taken[k]) / 2


def test_people(corpus: Path) -> dict[str, dict]:
    """Return the people of each test."""
    return {
        "readers": speakers.readers(corpus, "heldout"),
        "words": speakers.word_people(corpus, "heldout"),
        "orders": speakers.order_people(corpus, apart=True),
    }


def table_of(people: dict, look) -> tuple[np.ndarray, np.ndarray]:
    """Return a row for each stretch, and whose it is."""
    rows = [(look(y), name) for name, sounds in people.items() for y in grid(sounds)]
    return np.array([row for row, _ in rows]), np.array([name for _, name in rows])


def score_pairs(corpus: Path, voice) -> None:
    """Write the cosines."""
    rng = np.random.default_rng(45)
    rows = []
    for test, people in test_people(corpus).items():
        E, who = table_of(people, voice)
        same, other = pairs(E, who)
        print(f"{test}: {len(set(who))} people, EER {equal_error(same, other):.4f}", flush=True)
        drawn = rng.choice(other, len(same), replace=False)
        for kind, cosines in (("same", same), ("other", drawn)):
            rows += [{"test": test, "pair": kind, "cosine": f"{c:.3f}"} for c in np.sort(cosines)]
    write("speaker_pairs", rows)


def score_layers(corpus: Path) -> None:
    """Write how much of the speaker each layer of the recogniser still tells."""
    net = recogniser.load()

    @torch.no_grad()
    def layers(y):
        """Return mean and spread of the first convolution, and of four blocks."""
        x = torch.from_numpy(recogniser.log_mel(y, sr=SR).astype(np.float32))[None]
        z = torch.relu(net.norm(net.first(x)))
        found = [z]
        for block in net.blocks:
            found.append(block(found[-1]))
        return np.stack([np.concatenate([z[0].mean(1), z[0].std(1)]) for z in found])

    rng = np.random.default_rng(0)
    taught = speakers.readers(corpus, "train") | speakers.order_people(corpus, apart=False)
    taught = {name: speakers.stretches(sounds, rng) for name, sounds in taught.items()}
    X = np.array([layers(y) for rows in taught.values() for y in rows])
    who = np.array([name for name, rows in taught.items() for _ in rows])
    T, tested = table_of(speakers.readers(corpus, "heldout"), layers)
    rows = []
    for k in range(X.shape[1]):
        mean, spread = X[:, k].mean(axis=0), X[:, k].std(axis=0) + 1e-6
        axes = speakers.discriminant((X[:, k] - mean) / spread, who)
        error = equal_error(*pairs((T[:, k] - mean) / spread @ axes, tested))
        rows.append({"layer": k, "eer": f"{error:.4f}"})
        print(rows[-1], flush=True)
    write("speaker_layers", rows)


def stretches_of_speech(y: np.ndarray) -> list[tuple[float, float]]:
    """Return begin and end [s] of the stretches of a turn that no pause of 0.5 s cuts."""
    frames = y[: len(y) // 320 * 320].reshape(-1, 320)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    on = np.flatnonzero(level > level.max() - 40)
    cuts = np.flatnonzero(np.diff(on) > 25)
    first, last = [on[0], *on[cuts + 1]], [*on[cuts], on[-1]]
    return [(a / 50, (b + 1) / 50) for a, b in zip(first, last, strict=True)]


def meeting(people: dict, rng) -> tuple[np.ndarray, list]:
    """Return a meeting of two to four people, and its turns (begin, end, who) [s]."""
    names = rng.choice(sorted(people), int(rng.integers(2, 5)), replace=False)
    at = dict.fromkeys(names, 0)
    y = np.zeros(60 * SR)
    turns, now, last = [], 0.5, None
    while True:
        name = str(rng.choice([n for n in names if n != last]))
        sound = np.concatenate(people[name])
        length = round(rng.uniform(2, 5) * SR)
        part = sound[at[name] : at[name] + length]
        if len(part) < length:
            return y[: round((now + 0.5) * SR)], turns
        at[name] += length
        part = part * 0.05 / (np.sqrt(np.mean(part**2)) + 1e-9)
        ramp = np.minimum(1, np.arange(length) / 320)
        start = round(now * SR)
        y[start : start + length] += part * ramp * ramp[::-1]
        turns += [(now + a, now + b, name) for a, b in stretches_of_speech(part)]
        now += length / SR + rng.uniform(-0.5, 0.5)  # some overlap, some pauses
        last = name


def meetings(corpus: Path, space: dict, part: str) -> list[dict]:
    """Return meetings of the people of a part: turns, speech, and the voice of each window."""
    rng = np.random.default_rng(45)
    people = {n: s for n, s in speakers.readers(corpus, part).items() if sum(map(len, s)) > 9 * SR}
    hiss = 10 ** (-70 / 20)
    made = []
    for _ in range(MEETINGS):
        y, turns = meeting(people, rng)
        y = y + hiss * rng.standard_normal(len(y))
        loud, talk = space["speech_in"](y)
        at, E = space["windows_of"](y, talk)
        nearest = np.abs(at - np.arange(len(loud))[:, None]).argmin(axis=1)
        made.append({"turns": turns, "seconds": len(y) / SR, "loud": loud, "talk": talk})
        made[-1] |= {"E": E, "nearest": nearest, "people": len({who for *_, who in turns})}
    return made


def groups(space: dict, one: dict, step: str, limit: float) -> np.ndarray:
    """Return the group of each window after a step of the notebook, or told how many people sit."""
    E = one["E"]
    if step == "average":
        return space["cluster"](E, limit)
    if step == "told":
        first = hierarchy.fcluster(hierarchy.linkage(E, "ward"), one["people"], "maxclust") - 1
    else:
        first = space["ward"](E, limit)
    return first if step == "ward" else space["second_pass"](E, first)


def score_step(space: dict, made: list[dict], step: str, limit: float) -> list[dict]:
    """Return a row for each meeting after a step."""
    rows = []
    for number, one in enumerate(made):
        on = one["loud"] if step in ("pauses", "told") else one["talk"]
        label = np.where(on, groups(space, one, step, limit)[one["nearest"]], -1)
        found = space["turns_of"](label)
        parts = space["error_parts"](one["turns"], found, one["seconds"])
        row = {"step": step, "meeting": number, "people": one["people"]}
        row |= {"found": len({who for *_, who in found}), "turns": len(one["turns"])}
        rows.append(row | {name: f"{value:.2f}" for name, value in parts.items()})
    return rows


def rate(rows: list[dict]) -> float:
    """Return the diarisation error of all meetings together."""
    wrong = sum(float(row[k]) for row in rows for k in ("missed", "false", "confused"))
    return wrong / sum(float(row["spoken"]) for row in rows)


def main(argv: list[str] | None = None) -> int:
    """Write the tables."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_speakers")
    parser.add_argument("--corpus", required=True, type=Path)
    parser.add_argument("--parts", nargs="*", default=["pairs", "layers", "meetings"])
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    space = speakers.page("assistant", "speaker", "meeting")
    if "pairs" in options.parts:
        score_pairs(options.corpus, space["voice_of"])
    if "layers" in options.parts:
        score_layers(options.corpus)
    if "meetings" in options.parts:
        known = meetings(options.corpus, space, "valid")
        for step, limits in TRIED.items():
            tried = {limit: rate(score_step(space, known, step, limit)) for limit in limits}
            print("valid", step, {limit: round(der, 4) for limit, der in tried.items()})
        unknown = meetings(options.corpus, space, "heldout")
        rows = []
        for step in STEPS:
            limit = AVERAGE if step == "average" else space["LIMIT"]
            mine = score_step(space, unknown, step, limit)
            right = sum(r["people"] == r["found"] for r in mine)
            print(f"{step}: DER {rate(mine):.4f} ({rate(mine[:20]):.4f}), right number {right}")
            rows += mine
        write("meetings", rows)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
