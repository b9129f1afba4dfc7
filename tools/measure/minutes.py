"""Work out how many minutes a unit takes, by a method that can be argued with: python3 -m
tools.measure.minutes.

What stands in a notebook is counted, and each kind of thing has a rate. The rates are those at
which a reader who knew the field estimated one unit, thing by thing: 2659 words in 13 minutes, 331
lines of code in 30, four exercises in 30, four explorables in 25. What a player takes is measured:
the notebook runs, and the length of each of its tracks is added up, once.

``--write`` puts the minutes into the notebooks' first cells and chapters, ``--measure`` plays the
notebooks, or those named after it, to no one and writes their rows of
data/tables/listening_seconds.csv anew.
"""

import argparse
import csv
import json
import re
import sys
import tempfile

from helpers.coursework import catalogue
from tools import notebooks
from tools.verify import execute

TABLE = notebooks.ROOT / "data" / "tables" / "listening_seconds.csv"
WORDS_A_MINUTE = 200
LINES_A_MINUTE = 11
MINUTES = {"exercise": 6.0, "explorable": 6.0, "predict": 1.0, "question": 0.75, "test": 2.0}
# a stage, an experiment or a blind test that is simulated asks for no time of the learner
TESTS = re.compile(r"(experiments\.\w+|listening\.(blind_test|recorder|talkback))\(")
NOT_READ = re.compile(r"\]\([^)]*\)|https?:\S+|\$\$.*?\$\$|<[^>]*>", re.DOTALL)
CHAPTER = re.compile(r"^## Chapter .*?\((\d+) minutes\)", re.MULTILINE)
LISTEN = """
from helpers.listening import players as _players
_seconds = []
_made = _players.Player.__init__
def _heard(self, *args, **kwargs):
    _made(self, *args, **kwargs)
    _seconds.append(sum(track["samples"] for track in self.index) / self.sr)
_players.Player.__init__ = _heard
"""


def minutes(cells: list[dict], number: str) -> float:
    """Return the minutes that some cells of a unit take, what is heard left out."""
    total = 0.0
    for cell in cells:
        text = notebooks.source(cell)
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            total += len(re.findall(r"\w[\w’'-]*", NOT_READ.sub("", text))) / WORDS_A_MINUTE
            continue
        if not cell["metadata"].get("jupyter", {}).get("source_hidden"):
            total += sum(bool(line.strip()) for line in text.splitlines()) / LINES_A_MINUTE
        total += MINUTES["exercise"] * ("exercise" in tags)
        total += MINUTES["explorable"] * ("explore.stage(" in text)
        total += MINUTES["predict"] * ("predict" in tags)
        if "quiz" in tags:
            total += MINUTES["question"] * len(catalogue.questions(number))
        if TESTS.search(text) and ".simulate(" not in text and "says(" not in text:
            total += MINUTES["test"]
    return total


def listening() -> dict[str, tuple[int, float]]:
    """Return how many players each unit has, and how long all tracks last [s], as measured."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["unit"]: (int(row["players"]), float(row["seconds"]))
            for row in csv.DictReader(file)
        }


def players(cells: list[dict]) -> int:
    """Count the players that some cells make."""
    return sum(notebooks.source(c).count("listening.player(") for c in cells)


def computed(notebook: dict, number: str) -> float:
    """Return the minutes of a unit; a unit that was not measured is heard as long as others are."""
    known = listening()
    count = players(notebook["cells"])
    if number in known and known[number][0] == count:
        seconds = known[number][1]
    else:
        seconds = count * sum(s for _, s in known.values()) / sum(n for n, _ in known.values())
    return minutes(notebook["cells"], number) + seconds / 60


def to_five(value: float) -> int:
    """Return minutes in steps of five, as a page states them."""
    return max(5, 5 * round(value / 5))


def chapters(notebook: dict, number: str) -> list[int]:
    """Return the minutes of each chapter in steps of five; what stands outside is shared out."""
    cells = notebook["cells"]
    begins = [i for i, c in enumerate(cells) if CHAPTER.search(notebooks.source(c))]
    ends = [*begins, len(cells)][1:]
    whole = computed(notebook, number)
    parts = [minutes(cells[a:b], number) for a, b in zip(begins, ends, strict=True)]
    return [to_five(part * whole / sum(parts)) for part in parts]


def stated(notebook: dict) -> tuple[int, list[int]]:
    """Return the minutes that a page states, and those of its chapters."""
    text = "\n".join(notebooks.source(cell) for cell in notebook["cells"])
    return int(notebooks.heading(notebook)[1]), [int(m) for m in CHAPTER.findall(text)]


def write(path) -> None:
    """Put the minutes into a notebook."""
    notebook = notebooks.read(path)
    number = path.name[:2]
    parts = iter(chapters(notebook, number))
    for i, cell in enumerate(notebook["cells"]):
        text = notebooks.source(cell)
        if i == 0:
            text = re.sub(
                r"\d+ minutes", f"{to_five(computed(notebook, number))} minutes", text, count=1
            )
        if CHAPTER.search(text):
            text = re.sub(r"\(\d+ minutes\)", f"({next(parts)} minutes)", text, count=1)
            _tell_others(number, CHAPTER.search(text)[0].removeprefix("## "))
        cell["source"] = notebooks.lines(text)
    notebooks.write(path, notebook)


def _tell_others(number: str, chapter: str) -> None:
    """Put the minutes of a chapter where it is named: the page for teachers, a diagnosis."""
    name = chapter.rpartition(" (")[0]
    for page in (catalogue.DATA / number / kind for kind in ("teach.md", "unit.toml")):
        text = page.read_text(encoding="utf-8")
        text = re.sub(re.escape(name) + r" \(\d+ minutes\)", chapter, text)
        page.write_text(text, encoding="utf-8", newline="\n")


def measure(path) -> tuple[int, float]:
    """Run a notebook and return how many players it has and how long their tracks last [s]."""
    notebook = notebooks.read(path)
    count = players(notebook["cells"])
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    notebook["cells"].insert(0, code | {"id": "first", "source": notebooks.lines(LISTEN)})
    last = ["import json; print(json.dumps(_seconds))"]
    notebook["cells"].append(code | {"id": "last", "source": last})
    with tempfile.NamedTemporaryFile("w", suffix=".ipynb", dir=path.parent, delete=False) as file:
        json.dump(notebook, file)
    try:
        done = execute.run(path.with_name(file.name.rpartition("/")[2]))
    finally:
        path.with_name(file.name.rpartition("/")[2]).unlink()
    text = "".join("".join(o["text"]) for o in done["cells"][-1]["outputs"] if "text" in o)
    return count, sum(json.loads(text))


def main(argv: list[str] | None = None) -> int:
    """Print what each unit takes and what it states, and write either on demand."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.minutes", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the minutes into the notebooks")
    parser.add_argument(
        "--measure", nargs="*", metavar="NN", help="run all notebooks first, or those named"
    )
    args = parser.parse_args(argv)
    if args.measure is not None:
        with TABLE.open(encoding="utf-8", newline="") as file:
            head, *known = csv.reader(file)
        rows = {row[0]: row for row in known}
        for path in notebooks.paths(args.measure or None):
            count, seconds = measure(path)
            rows[path.name[:2]] = [path.name[:2], str(count), f"{seconds:.0f}"]
            print(*rows[path.name[:2]], flush=True)
        text = "\n".join(",".join(row) for row in [head, *map(rows.get, sorted(rows))]) + "\n"
        TABLE.write_text(text, encoding="utf-8")
    for path in notebooks.paths():
        if args.write:
            write(path)
        notebook = notebooks.read(path)
        here, parts = stated(notebook)
        found = computed(notebook, path.name[:2])
        print(f"{path.stem}: {found:.0f} minutes, stated {here}", parts or "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
