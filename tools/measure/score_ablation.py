"""Score the networks of `tools.training.ablation` on held-out mixtures, and how sure each
difference is. What is scored is kept, so a run can be stopped.

python3 -m tools.measure.score_ablation --weights .scratch/ablation --heldout ../shared/heldout
"""

import argparse
import csv
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from tools import notebooks
from tools.measure.one_magnitude import write
from tools.measure.score_phases import DRAWS, MEASURES

TABLES = notebooks.ROOT / "data" / "tables"
WHAT = ("front", "phase")
ROUNDS = 32  # of Griffin-Lim


def sounds(models: dict, noisy, clean) -> dict:
    """Return what each network makes of a mixture, and its magnitudes with other phases."""
    import torch

    y, target = (torch.from_numpy(np.asarray(x, np.float32))[None] for x in (noisy, clean))
    made = {}
    with torch.no_grad():
        for front, model in models.items():
            masked = front in ("magnitude mask", "mel")
            made[front, "noisy" if masked else "own"] = model(y)
            if masked:
                made[front, "Griffin-Lim"] = model.with_phase(y, rounds=ROUNDS)
                made[front, "true"] = model.with_phase(y, target)
    return {key: sound[0].numpy() for key, sound in made.items()}


def measure(folder: Path, weights: Path, kept: Path, seeds, snrs) -> list[dict]:
    """Return one row for each sound, and write it down at once; what stands there is not done
    again.
    """
    import torch

    from tools.training.ablation import load
    from tools.training.evaluation import heldout, scores

    torch.set_num_threads(1)
    rows = list(csv.DictReader(kept.open(encoding="utf-8"))) if kept.exists() else []
    done = {(row["seed"], row["utterance"], row["snr_db"]) for row in rows}
    mixtures = [item for item in heldout(folder) if item[0]["snr_db"] in snrs]
    for seed in ("none", *seeds):
        models = {} if seed == "none" else load(weights, int(seed))
        for row, noisy, clean, sr in mixtures:
            where = seed, Path(row["clean"]).stem, row["snr_db"]
            if where in done:
                continue
            made = sounds(models, noisy, clean) if models else {("noisy input", "noisy"): noisy}
            fresh = []
            for key, y in made.items():
                marks = {m: f"{mark:.4f}" for m, mark in scores(y, clean, sr=sr).items()}
                about = (*key, *where)
                names = (*WHAT, "seed", "utterance", "snr_db")
                fresh.append(dict(zip(names, about, strict=True)) | marks)
            write(kept, fresh, new=not rows)
            rows += fresh
        print("seed", seed, len(rows), "rows", flush=True)
    return rows


def utterances(rows: list[dict]) -> list[dict]:
    """Return means over the SNRs, one row for each sound, seed and utterance."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in (*WHAT, "seed", "utterance"))
        found.setdefault(key, []).append([float(row[m]) for m in MEASURES])
    means = []
    for key, marks in found.items():
        about = dict(zip((*WHAT, "seed", "utterance"), key, strict=True))
        mean = zip(MEASURES, np.mean(marks, axis=0), strict=True)
        means.append(about | {name: f"{mark:.3f}" for name, mark in mean})
    order = list(dict.fromkeys(tuple(row[name] for name in WHAT) for row in means))
    place = {key: k for k, key in enumerate(order)}
    return sorted(means, key=lambda row: (place[row["front"], row["phase"]], row["seed"]))


def differences(means: list[dict]) -> list[dict]:
    """Return mean differences of any two sounds: 95 % intervals by a paired bootstrap over
    utterances (each the mean of its seeds), and the least and the largest of the single seeds.
    """
    found = {}
    for row in means:
        by_seed = found.setdefault(tuple(row[name] for name in WHAT), {})
        by_seed.setdefault(row["seed"], []).append([float(row[m]) for m in MEASURES])
    scores = {key: np.array(list(by_seed.values())) for key, by_seed in found.items()}
    rows = []
    for one, other in combinations(scores, 2):
        d = scores[other] - scores[one]  # (seeds, utterances, measures)
        picks = np.random.default_rng(0).integers(d.shape[1], size=(DRAWS, d.shape[1]))
        ends = np.quantile(d.mean(axis=0)[picks].mean(axis=1), (0.025, 0.975), axis=0)
        single = d.mean(axis=1)
        for k, name in enumerate(MEASURES):
            row = dict(zip(WHAT, other, strict=True))
            row |= {"less_front": one[0], "less_phase": one[1], "measure": name, "n": d.shape[1]}
            row |= {"difference": f"{d[..., k].mean():.3f}"}
            row |= {"low": f"{ends[0, k]:.3f}", "high": f"{ends[1, k]:.3f}"}
            row |= {"least_seed": f"{single[:, k].min():.3f}"}
            rows.append(row | {"largest_seed": f"{single[:, k].max():.3f}"})
    return rows


def main(argv: list[str] | None = None) -> int | str:
    """Write the two tables."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score_ablation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--weights", required=True, type=Path, help="folder of the training")
    parser.add_argument("--heldout", required=True, type=Path, help="folder with manifest.csv")
    parser.add_argument("--seeds", nargs="+", default=["0", "1", "2"])
    parser.add_argument("--snrs", nargs="+", default=["0", "5", "10"], help="which mixtures [dB]")
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    options = parser.parse_args(argv)
    kept = options.weights / "scores.csv"
    try:
        rows = measure(options.heldout, options.weights, kept, options.seeds, options.snrs)
    except (ValueError, OSError) as error:
        return str(error)
    means = utterances(rows)
    write(options.out / "ablation.csv", means, new=True)
    write(options.out / "ablation_differences.csv", differences(means), new=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
