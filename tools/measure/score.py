"""Score the enhancers, the classics of unit 32 and an ideal mask on held-out mixtures: the table
that it prints.

python3 -m tools.measure.score --heldout ../shared/heldout
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from tools import notebooks

TABLE = notebooks.ROOT / "data" / "tables" / "setting1_heldout.csv"
FRAMES = {"n_fft": 512, "hop_length": 128}
UNSEEN = (
    "coffee-shop",
    "train",
    "doing_the_dishes",
)  # types of noise that the training corpus does not hold
MEASURES = ("si_sdr", "pesq", "stoi")


def classics() -> dict:
    """Return the functions of unit 32 from magnitudes to a mask, by name."""
    space = {"np": np}
    for cell in notebooks.read(notebooks.ROOT / "notebooks/32_setting1_original_phase.ipynb")[
        "cells"
    ]:
        if "baseline" in cell["metadata"].get("tags", []):
            exec(notebooks.source(cell), space)
    wiener = space["wiener"]
    return {
        "subtraction": space["subtraction"],
        "Wiener": wiener,
        "log-MMSE": lambda S: wiener(S, log_mmse=True),
    }


def methods(names: list[str]) -> dict:
    """Return ``enhance(noisy, clean)`` for each method."""
    from helpers import settings, stft
    from helpers.settings import masks

    def masked(y, mask):
        return stft.istft(mask * stft.stft(y, **FRAMES), hop_length=128, length=len(y)).astype(
            np.float32
        )

    def ideal(y, clean):
        S = stft.stft(clean, **FRAMES)
        return masked(y, masks.ratio_mask(S, stft.stft(y, **FRAMES) - S))

    def classic(model):
        return lambda y, clean: masked(y, model(np.abs(stft.stft(y, **FRAMES))))

    def trained(name):
        enhancer = settings.load(name)
        return lambda y, clean: enhancer.enhance(y, sr=16000)

    some = {"noisy": lambda y, clean: y} | {
        name: classic(model) for name, model in classics().items()
    }
    return some | {name: trained(name) for name in names} | {"ideal ratio mask": ideal}


def score(folder: Path, enhance: dict) -> list[dict]:
    """Return one row for each method and mixture."""
    from tools.training.evaluation import heldout, scores

    rows = []
    for row, noisy, clean, sr in heldout(folder):
        about = {"snr_db": int(row["snr_db"]), "type": row["noise_type"]}
        rows += [
            {"method": n, **about, **scores(call(noisy, clean), clean, sr=sr)}
            for n, call in enhance.items()
        ]
        print(".", end="", flush=True)
    print()
    return rows


def means(rows: list[dict]) -> list[dict]:
    """Return the mean of each measure by method and input SNR, over all noises and over some."""
    groups = {
        "all": lambda kind: True,
        "seen": lambda kind: kind not in UNSEEN,
        "unseen": lambda kind: kind in UNSEEN,
        "babble": lambda kind: kind == "babble",
    }
    table = []
    for method in dict.fromkeys(row["method"] for row in rows):
        for noise, belongs in groups.items():
            for snr_db in (0, 5, 10):
                some = [
                    r
                    for r in rows
                    if r["method"] == method and r["snr_db"] == snr_db and belongs(r["type"])
                ]
                mean = {name: f"{np.mean([r[name] for r in some]):.3f}" for name in MEASURES}
                table.append(
                    {"method": method, "noise": noise, "snr_db": snr_db, "n": len(some), **mean}
                )
    return table


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--heldout", required=True, type=Path, help="folder with manifest.csv")
    parser.add_argument(
        "--names", nargs="*", default=["setting1_stft", "setting1_mel"], help="enhancers to score"
    )
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args(argv)
    try:
        table = means(score(options.heldout, methods(options.names)))
    except ValueError as error:
        return str(error)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        if row["noise"] == "all":
            print(
                f"{row['method']:<18}{row['snr_db']:>3} dB "
                + "  ".join(f"{m} {row[m]}" for m in MEASURES)
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
