"""Score the searches of unit 56 over many songs: the table that it prints.

python3 -m tools.measure.score_tunes

The functions are those of the notebook itself, cut out of it, so the table and the page cannot
part. A row holds one value a song (raw pitch accuracy) or one a query (the rank of the right tune).
"""

import argparse
import csv
import functools
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np

from tools import notebooks
from tools.site.engine import cutting

PAGE = notebooks.ROOT / "notebooks" / "56_melody.ipynb"
TABLE = notebooks.ROOT / "data" / "tables" / "tunes.csv"
USED = {
    "HUMMERS", "WAYS", "accuracies", "blocks", "by_librosa", "cover", "harmonic_sum", "levelled",
    "line_of", "matches", "midi", "query", "raised", "rank_of", "repeats", "score_of", "times_of",
    "truth_of", "likeness",
}  # fmt: skip
SONGS = range(1000, 1040)
COVERS = range(2000, 2040)


def page() -> dict:
    """Return what the notebook defines, of that what the table needs."""
    found = cutting.statements(nbformat.read(PAGE, as_version=4))
    names = {}
    for text in cutting.needed(found, USED | {"music", "librosa", "np"}):
        exec(text, names)
    return names


def lines(names: dict, score):
    """Yield (what, how, pitches) for the tune of a song alone and in its band."""
    music = names["music"]
    lowest, highest = 260.0, 1570.0  # [Hz]: C4 to G6, as for the path
    alone = replace(score, parts=score.parts[:1])
    for what, played in (("alone", alone), ("band", score)):
        y = music.play(played, level_db=-26.0)
        yield what, "pYIN", names["midi"](names["repeats"](y, lowest, highest))
        if what == "band":
            S = np.abs(names["librosa"].stft(y, n_fft=names["n_fft"], hop_length=512)) ** 0.5
            grid = np.arange(60, 91, 0.2)
            yield what, "strongest", grid[names["harmonic_sum"](S, grid).argmax(axis=0)]
        yield what, "path", names["line_of"](y)


def melody(names: dict) -> dict:
    """Return raw pitch accuracies by (task, what, how), one a song."""
    music = names["music"]
    found = {}
    for seed in SONGS:
        score = music.random_song(seed)
        for what, how, guess in lines(names, score):
            truth = names["truth_of"](score, names["times_of"](guess))
            pitch, chroma = names["accuracies"](truth, guess)
            found.setdefault(("melody", what, how), []).append(f"{pitch:.3f}")
            if (what, how) == ("band", "path"):
                found.setdefault(("melody chroma", what, how), []).append(f"{chroma:.3f}")
        print(".", end="", flush=True)
    return found


def hums(names: dict) -> dict:
    """Return the rank of the right tune of a hundred hums by each hummer and way."""
    found = {}
    for hummer in names["HUMMERS"]:
        for number in range(100):
            q = names["query"](number, hummer)
            for way in names["WAYS"]:
                rank = names["rank_of"](number, q, way)
                found.setdefault(("hum", hummer, way), []).append(str(rank))
        print(".", end="", flush=True)
    return found


def global_cost(names: dict, C, D, key: bool = True) -> float:
    """Return minus the cost of aligning two chromas from end to end."""
    D = names["raised"](C, D) if key else D
    cost = names["librosa"].sequence.dtw(C=1 - C.T @ D, backtrack=False)[-1, -1]
    return -cost / sum(C.shape + D.shape)


def compared(names: dict) -> dict:
    """Return the ways to compare two chromas, by name."""

    def untransposed(C, D):
        best = names["by_librosa"](names["matches"](C, D)).max()
        return best / np.sqrt(min(C.shape[1], D.shape[1]))

    return {
        "mean chroma": lambda C, D: names["likeness"](C, D).max(),
        "local, as it is": untransposed,
        "local, one key": names["score_of"],
        "global, one key": functools.partial(global_cost, names),
    }


def covers(names: dict) -> dict:
    """Return the rank of the right song of forty covers, whole and as a third of each."""
    songs = [names["blocks"](names["music"].random_song(seed)) for seed in COVERS]
    others = [names["blocks"](names["cover"](seed)) for seed in COVERS]
    thirds = [D[:, D.shape[1] // 3 : 2 * D.shape[1] // 3] for D in others]
    found = {}
    for what, queries in (("whole", others), ("third", thirds)):
        for how, alike in compared(names).items():
            if what == "third" and how in ("mean chroma", "local, as it is"):
                continue
            for k, D in enumerate(queries):
                scores = np.array([alike(C, D) for C in songs])
                rank = 1 + int(np.sum(scores > scores[k]))
                found.setdefault(("cover", what, how), []).append(str(rank))
            print(".", end="", flush=True)
    return found


TASKS = {"melody": melody, "hum": hums, "cover": covers}


def stored(path: Path) -> dict:
    """Return the rows of a table that was made before, if there is one."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(row["task"], row["what"], row["how"]): row["values"].split() for row in rows}


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score_tunes", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=TABLE, help="where the table goes")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    options = parser.parse_args(argv)
    names = page()
    found = stored(options.out)
    for task in options.tasks:
        found |= TASKS[task](names)
        print()
    with options.out.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["task", "what", "how", "values"])
        for key, values in found.items():
            writer.writerow([*key, " ".join(values)])
            print(*key, "mean", np.mean(np.array(values, dtype=float)).round(3), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
