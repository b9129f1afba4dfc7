"""What the transcriber of spoken digits writes for people whom no lesson held.

`python3 -m tools.measure.score_digits --corpus ../shared/corpus --clips .scratch/clips.npz`, then
`python3 -m tools.measure.sums`. It writes data/tables/digit_strings.csv. Intervals are of 95 %: a
bootstrap over people where there are many, else Wilson's over strings, which says nothing about
other people.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import torch

from helpers import _weights, audio
from tools.training.digit_sounds import WORDS, Clip, all_clips, joined
from tools.training.digits import Transcriber, greedy, log_mel
from tools.training.keywords import over_people, wilson

GAP = 0.08  # [s] between two digits of a string
STRINGS = 60  # of each length, by each voice


def written(model: Transcriber, y: np.ndarray) -> list[int]:
    """Return the digits that the network writes."""
    return greedy(model, log_mel(torch.from_numpy(np.asarray(y, np.float32))))


def machine() -> list[Clip]:
    """Return the 60 words of the machine voice that no lesson held, from data/words."""
    speech, _ = audio.load(audio.DATA / "words" / "words.flac")
    names = list(WORDS)
    found = []
    for row in audio.table("words"):
        if row["voice"] == "slt":
            y = speech[int(row["start"]) : int(row["stop"])]
            found.append(Clip(y, names.index(row["word"]), "slt", "flite", "heldout"))
    return found


def strings(model, clips: list[Clip], length: int, *, seed: int = 0) -> list[tuple[bool, int]]:
    """Return for some strings of one voice whether all is right, and how many edits are needed."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(STRINGS):
        some = [clips[k] for k in rng.integers(len(clips), size=length)]
        said = [c.digit for c in some]
        heard = written(model, joined([c.y for c in some], [GAP] * length))
        found.append((heard == said, edits(said, heard)))
    return found


def edits(said: list[int], heard: list[int]) -> int:
    """Return the fewest digits to change, add or leave out."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def rows_of(model, clips: list[Clip]) -> list[dict]:
    """Return all rows of the table."""
    held = [c for c in clips if c.part == "heldout"]
    rows = []
    crowd = [c for c in held if c.kind == "commands"]
    hits = [written(model, joined([c.y], [GAP])) == [c.digit] for c in crowd]
    people = [c.voice for c in crowd]
    low, high = over_people(hits, people)
    about = {"voice": "many people", "people": len(set(people)), "digits": 1}
    rows.append(about | {"strings": len(hits), "right": sum(hits), "low": low, "high": high})
    voices = [*sorted({c.voice for c in held if c.kind == "digits"}), "slt"]
    for voice in voices:
        mine = machine() if voice == "slt" else [c for c in held if c.voice == voice]
        for length in (1, 2, 4, 8):
            found = strings(model, mine, length)
            right = sum(hit for hit, _ in found)
            low, high = wilson(right, len(found))
            about = {"voice": voice, "people": 1, "digits": length}
            share = sum(count for _, count in found) / (length * len(found))
            rows.append(
                about
                | {"strings": len(found), "right": right, "low": low, "high": high, "edits": share}
            )
    return rows


def main(argv: list[str] | None = None) -> int | str:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_digits")
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds tasks/")
    parser.add_argument("--clips", type=Path, required=True, help="file that keeps prepared clips")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    torch.set_num_threads(1)
    try:
        model, _ = _weights.restore(Transcriber, "digits")
        rows = rows_of(model, all_clips(options.corpus, options.clips))
    except (ValueError, OSError) as error:
        return str(error)
    names = ["voice", "people", "digits", "strings", "right", "low", "high", "edits"]
    with open(audio.DATA / "tables/digit_strings.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n", restval="")
        writer.writeheader()
        for row in rows:
            shares = {k: f"{row[k]:.4f}" for k in ("low", "high", "edits") if k in row}
            writer.writerow(row | shares)
            print(row | shares)
    return 0


if __name__ == "__main__":
    sys.exit(main())
