"""Measure the assistant of unit 45 on people that no part of it has met: who is to blame, what the
end of speech costs, and how late it answers.

python3 -m tools.measure.score_assistant blame|silence --corpus ../shared/corpus

It runs the assistant that stands in the notebook, from the cells with the tag `assistant`. A trial
is a second and a half of the room, the word "computer" by one person, a pause of 0.3 to 0.7 s, and
an order by another one: 121 orders by ten groups of people, 102 words by ten people, none of whom
taught the networks. The room hisses at -70 dBFS, or has a recording of noise 10 dB below the voice.

blame: every order in three rooms (quiet, noise, noise that an enhancer has lessened), with none,
one, and more and more of the stages replaced by its oracle: data/tables/assistant_blame.csv, one
row for each group; and the processor seconds of each stage in the quiet room, one row for each
order: data/tables/assistant_seconds.csv. silence: the same in the quiet room for other lengths of
the silence that ends an order: data/tables/assistant_silence.csv; cut is an order that is judged
before the middle of its last word.

Oracles. wakes: true in the block after the word. ended: true 0.2 s after the last word. read: the
letters of those words that lie in what was cut out, as sure as can be. understand: the order that
was said, whenever it is asked.
"""

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from helpers import audio, recogniser, settings, speech
from tools import notebooks
from tools.training.orders import kept_apart, read_orders

SR = 16000
BLOCK = 1600
TABLES = notebooks.ROOT / "data" / "tables"
STAGES = ("wakes", "ended", "read", "understand")
# which stages are replaced by their oracles
RUNS = {
    "none": (),
    "wake word": STAGES[:1],
    "end of speech": STAGES[1:2],
    "letters": STAGES[2:3],
    "meaning": STAGES[3:],
    "first two": STAGES[:2],
    "first three": STAGES[:3],
    "all": STAGES,
}
ROOMS = ("quiet", "noise 10 dB", "denoised")
SILENCES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def page() -> dict:
    """Return the names of the notebook's assistant."""
    space = {}
    for cell in notebooks.read(next(notebooks.ROOT.glob("notebooks/45_*.ipynb")))["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "setup" in tags or "assistant" in tags:
            exec(notebooks.source(cell), space)
    return space


def at_level(y: np.ndarray, level_db: float) -> np.ndarray:
    """Return a recording whose loud frames have a level [dBFS]."""
    rows = torch.from_numpy(np.asarray(y, dtype=np.float32))[None]
    return y * 10 ** (level_db / 20) / float(speech.loud_level(rows))


class Trial:
    """A scene, and the truth about it: when the word ends, when which word of the order is said."""

    def __init__(self, order, word: np.ndarray, noise: np.ndarray | None, seed: int):
        rng = np.random.default_rng(seed)
        word, said = at_level(word, -26), at_level(order.y.numpy(), -26)
        pause = round(rng.uniform(0.3, 0.7) * SR)
        parts = [np.zeros(3 * SR // 2), word, np.zeros(pause), said, np.zeros(3 * SR)]
        y = np.concatenate(parts)
        self.word_end = 3 * SR // 2 + len(word)
        self.begin = self.word_end + pause
        self.end = self.begin + order.words[-1][2]
        self.words = [(w, self.begin + (a + b) / 2) for w, a, b in order.words]
        self.truth = order.text
        self.group = order.group
        hiss = 10 ** (-70 / 20) * rng.standard_normal(len(y))
        self.y = y + hiss
        if noise is not None:
            noise = np.resize(noise, len(y))
            self.y = y + noise * 10 ** (-36 / 20) / np.sqrt(np.mean(noise**2))


def as_scores(text: str) -> np.ndarray:
    """Return letter scores that say a text and nothing else."""
    signs = []
    for letter in text:
        signs += [0, recogniser.ALPHABET.index(letter)]
    scores = np.full((len(signs) + 1, len(recogniser.ALPHABET)), -20.0)
    scores[np.arange(len(scores)), [*signs, 0]] = -1e-6
    return scores


class Runner:
    """Runs the assistant over a scene, with some of its stages replaced; remembers what is dear."""

    def __init__(self, space: dict):
        self.space = space
        self.seconds = {}
        self.memory = {}

    def timed(self, name, fn, *given):
        """Return what a stage says, and count its processor seconds."""
        began = time.process_time()
        found = fn(*given)
        self.seconds.setdefault(name, []).append(time.process_time() - began)
        return found

    def stages(self, trial: Trial, me, oracles, aloud: bool) -> dict:
        """Return the stages of the page, or their oracles; `me` gives the assistant."""
        space = self.space

        def wakes(y):
            key = ("wakes", id(trial), me().ring.count)
            if key not in self.memory:
                self.memory[key] = self.timed("wakes", space["wakes"], y)
            return self.memory[key]

        def read(y):
            key = ("read", id(trial), me().ring.count, len(y))
            if key not in self.memory:
                self.memory[key] = self.timed("read", space["read"], y)
            return self.memory[key]

        def true_wake(y):
            return trial.word_end <= me().ring.count < trial.word_end + BLOCK

        def true_end(y, before):
            return me().ring.count >= trial.end + 0.2 * SR

        def true_letters(y):
            here = me().ring.count
            inside = [w for w, middle in trial.words if here - len(y) <= middle <= here]
            return as_scores(" ".join(inside) or " ")

        def understand(scores):
            key = ("understand", scores.tobytes())
            if key not in self.memory:
                self.memory[key] = self.timed("understand", space["understand"], scores)
            return self.memory[key]

        def say(text):
            return self.timed("say", space["voice"].say, text)

        own = {"wakes": wakes, "ended": space["ended"], "read": read, "understand": understand}
        true = {"wakes": true_wake, "ended": true_end, "read": true_letters}
        true["understand"] = lambda scores: trial.truth if me().ring.count > trial.begin else ""
        found = {name: true[name] if name in oracles else own[name] for name in own}
        return found | {"say": say if aloud else lambda text: np.zeros(SR)}

    def run(self, trial: Trial, oracles=(), *, aloud: bool = False) -> dict:
        """Return what became of an order."""
        made = []
        stages = self.stages(trial, lambda: made[0], oracles, aloud)
        made.append(self.space["Assistant"](**stages))
        self.seconds = {}
        for k in range(0, len(trial.y) - BLOCK + 1, BLOCK):
            made[0].hear(trial.y[k : k + BLOCK])
        log = made[0].log
        orders = [(when, text) for when, event, text in log if event == "order"]
        right = bool(orders) and recogniser.slots(orders[0][1]) == recogniser.slots(trial.truth)
        first = next((when for when, event, _ in log if event in ("order", "not understood")), None)
        cut = first is not None and first * SR < trial.words[-1][1]
        late = orders[0][0] - trial.end / SR if orders else None
        return {"right": right, "woke": bool(log), "cut": cut, "late": late}


def scenes(corpus: Path, room: str):
    """Yield the trials in a room."""
    orders = [order for order in read_orders(corpus) if kept_apart(order)]
    files = [row["file"] for row in audio.table("wake_words")]
    noises = sorted((corpus / "noise" / "valid").glob("*.*"))
    enhancer = settings.load("setting1_stft") if room == "denoised" else None
    for number, order in enumerate(orders):
        word, rate = audio.load(corpus / "tasks" / files[7 * number % len(files)])
        word = audio.resample(word, sr=rate, to=SR)
        noise = None
        if room != "quiet":
            noise, rate = audio.load(noises[number % len(noises)])
            noise = audio.resample(noise, sr=rate, to=SR)
        trial = Trial(order, word, noise, number)
        if enhancer is not None:
            trial.y = enhancer.enhance(trial.y.astype(np.float32), sr=SR).astype(float)
        yield number, trial


def write(name: str, rows: list[dict]) -> None:
    """Write a table."""
    with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows", flush=True)


def kept(name: str, rooms) -> list[dict]:
    """Return the rows of a table that belong to other rooms."""
    path = TABLES / f"{name}.csv"
    rows = csv.DictReader(path.open(encoding="utf-8")) if path.is_file() else []
    return [row for row in rows if row["room"] not in rooms]


def blame(corpus: Path, rooms) -> None:
    """Write both tables of the blame."""
    counts = defaultdict(lambda: np.zeros(3, dtype=int))
    seconds = []
    runner = Runner(page())
    for room in rooms:
        for number, trial in scenes(corpus, room):
            runner.memory = {}
            for name, oracles in RUNS.items():
                aloud = room == "quiet" and name == "none"
                found = runner.run(trial, oracles, aloud=aloud)
                counts[room, name, trial.group] += 1, int(found["woke"]), int(found["right"])
                if aloud and found["late"] is not None:
                    spent = {k: f"{v[-1]:.4f}" for k, v in runner.seconds.items() if k != "wakes"}
                    spent["wakes"] = f"{np.mean(runner.seconds['wakes']):.4f}"
                    seconds.append({"order": number, "late": f"{found['late']:.3f}"} | spent)
        total = {name: sum(v for k, v in counts.items() if k[:2] == (room, name)) for name in RUNS}
        print(room, {name: row.tolist() for name, row in total.items()}, flush=True)
    keys = ("room", "oracle", "group", "orders", "woke", "right")
    rows = [dict(zip(keys, (*key, *row.tolist()), strict=True)) for key, row in counts.items()]
    write("assistant_blame", kept("assistant_blame", rooms) + rows)
    if seconds:
        write("assistant_seconds", seconds)


def silence(corpus: Path) -> None:
    """Write what each length of the silence costs; the word is heard for certain."""
    rows = []
    runner = Runner(page())
    for length in SILENCES:
        runner.space["SILENCE"] = length
        found = [runner.run(trial, ("wakes",)) for _, trial in scenes(corpus, "quiet")]
        late = [one["late"] for one in found if one["late"] is not None and not one["cut"]]
        row = {"silence": length, "orders": len(found), "cut": sum(one["cut"] for one in found)}
        row |= {"right": sum(one["right"] for one in found)}
        row |= {f"late_{q}": f"{np.percentile(late, q):.3f}" for q in (50, 95)}
        rows.append(row)
        print(*row.values(), flush=True)
    write("assistant_silence", rows)


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_assistant")
    parser.add_argument("part", choices=["blame", "silence"])
    parser.add_argument("--corpus", required=True, type=Path)
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    if options.part == "blame":
        blame(options.corpus, options.rooms)
    else:
        silence(options.corpus)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
