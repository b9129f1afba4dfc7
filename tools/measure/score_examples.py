"""Score the six items of unit 36: what needs an optional package is stored in
data/tables/three_settings_examples.csv.

python3 -m tools.measure.score_examples
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from tools import notebooks

TABLE = notebooks.ROOT / "data" / "tables" / "three_settings_examples.csv"
NOTEBOOK = notebooks.ROOT / "notebooks" / "36_three_settings.ipynb"
SR = 16000


def items() -> dict:
    """Return (speech, mixture) by name, made by the cells of unit 36 that make them."""
    from helpers import audio

    space = {"np": np, "audio": audio, "sr": SR}
    for cell in notebooks.read(NOTEBOOK)["cells"]:
        if "items" in cell["metadata"].get("tags", []):
            exec(notebooks.source(cell), space)
    return space["items"]


def score(names: list[str]) -> list[dict]:
    """Return one row for each item and method; the mixture itself is the method "noisy"."""
    import torch

    from helpers import metrics, settings

    torch.set_num_threads(1)
    enhancers, rows = {name: settings.load(name) for name in names}, []
    for item, (speech, mixture) in items().items():
        made = {"noisy": mixture} | {
            name: e.enhance(mixture, sr=SR) for name, e in enhancers.items()
        }
        for name, y in made.items():
            marks = {"pesq": metrics.pesq(y, speech, sr=SR), "stoi": metrics.stoi(y, speech, sr=SR)}
            rows.append(
                {"item": item, "method": name} | {key: f"{mark:.3f}" for key, mark in marks.items()}
            )
    return rows


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score_examples", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args(argv)
    from helpers import settings

    rows = score(settings.enhancers())
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for name in dict.fromkeys(row["method"] for row in rows):
        means = [
            np.mean([float(r[m]) for r in rows if r["method"] == name]) for m in ("pesq", "stoi")
        ]
        print(f"{name:<22} mean of six items: PESQ-WB {means[0]:.2f}, STOI {means[1]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
