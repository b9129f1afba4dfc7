"""Two comparisons for unit 35, each network trained anew for a few minutes on one core: the tables
that it prints.

python3 -m tools.measure.ablate losses --corpus ../shared/corpus      four losses, one small
network, the same steps and seed python3 -m tools.measure.ablate families --corpus ../shared/corpus
four networks, one loss, the same minutes and seed

The scores are those of 48 mixtures of the validation corpus; no held-out recording is touched.
"""

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tools import notebooks

TABLES = notebooks.ROOT / "data" / "tables"
MIDDLE = {"size": 192, "hidden": 384, "kernel": 3, "dilations": [1, 2, 4, 8, 16, 32] * 2}
SMALL = {"size": 96, "hidden": 192, "kernel": 3, "dilations": [1, 2, 4, 8, 16, 32] * 2}


def families() -> dict:
    """Return how to build each network, by name; all have a latency of 32 ms."""
    from helpers.settings.setting3 import TasNet
    from tools.training.unet import UNet

    return {
        "TasNet, 16 ms filters every 4 ms": lambda: TasNet(
            256, 256, 64, 4, start="fourier", **MIDDLE
        ),
        "the same from random filters": lambda: TasNet(256, 256, 64, 4, **MIDDLE),
        "TasNet, 32 ms filters every 8 ms": lambda: TasNet(
            512, 512, 128, 0, start="fourier", **MIDDLE
        ),
        "U-Net, strides 4, 4, 4": lambda: UNet([32, 64, 128], 4, 7, **MIDDLE),
    }


def losses() -> dict:
    """Return the losses of the ablation, by name: called with waveforms (B, n)."""
    from helpers import losses

    l1, sisdr, mr = losses.L1(), losses.SISDR(), losses.MultiResolutionSTFT()
    return {
        "waveform L1": lambda e, s: l1(e[:, None], s[:, None]),
        "SI-SDR": lambda e, s: sisdr(e[:, None], s[:, None]),
        "multi-resolution STFT": lambda e, s: mr(e[:, None], s[:, None]),
        "SI-SDR + 5 x multi-resolution STFT": lambda e, s: (
            sisdr(e[:, None], s[:, None]) + 5 * mr(e[:, None], s[:, None])
        ),
    }


def mixtures(corpus: Path):
    """Return the mixtures to train on, and 48 pairs (noisy, clean) of others at 0, 5 and 10 dB."""
    from tools.training.datasets import Corpus, Mixtures

    train, valid = (
        (Corpus(corpus / "speech" / part), Corpus(corpus / "noise" / part))
        for part in ("train", "valid")
    )
    kinds = [Mixtures(*valid, seed=10**6, snr_db=(db, db), colour=False) for db in (0, 5, 10)]
    return Mixtures(*train, seconds=3.0), [kinds[k % 3].item(0, k) for k in range(48)]


def scores(model, pairs) -> dict:
    """Return means over all pairs: of the estimates, or with no model of the noisy sounds."""
    import torch

    from helpers import metrics
    from tools.training.evaluation import scores as usual

    rows = []
    for noisy, clean in pairs:
        with torch.no_grad():
            out = noisy if model is None else model(torch.from_numpy(noisy)[None])[0].numpy()
        row = usual(out, clean, sr=16000)
        row["si_sdr_gain"] = row.pop("si_sdr") - metrics.si_sdr(noisy, clean)
        rows.append(
            row | {"log_spectral_distance": float(metrics.log_spectral_distance(out, clean))}
        )
    return {name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]}


def learn(model, loss, supply, *, steps: int) -> float:
    """Train a model and return the seconds of computing."""
    from tools.training.loop import Plan, train

    begun = time.process_time()
    plan = Plan(steps=steps, valid_every=steps, keep_s=1e9)
    with tempfile.TemporaryDirectory() as folder:
        train(model, loss, supply, plan, out=folder, validate=lambda m: 0.0, quiet=True)
    return time.process_time() - begun


def pace(build, loss, supply) -> float:
    """Return the seconds of computing that a step takes."""
    model = build()
    learn(model, loss, supply, steps=2)
    return learn(model, loss, supply, steps=8) / 8


def compare(what: str, corpus: Path, *, steps: int, minutes: float) -> list[dict]:
    """Return one row for each network, scored."""
    import torch

    from helpers.settings.setting3 import TasNet
    from helpers.training import enhancement_loss

    torch.set_num_threads(1)
    supply, pairs = mixtures(corpus)
    rows = []
    if what == "losses":
        runs = {
            name: (lambda: TasNet(128, 256, 64, 4, **SMALL), loss)
            for name, loss in losses().items()
        }
        rows.append({"loss": "noisy input", "steps": 0, "seconds": 0, **scores(None, pairs)})
    else:
        runs = {name: (build, enhancement_loss) for name, build in families().items()}
    for name, (build, loss) in runs.items():
        torch.manual_seed(0)
        n = steps if what == "losses" else round(60 * minutes / pace(build, loss, supply))
        torch.manual_seed(0)
        model = build()
        row = {"loss" if what == "losses" else "network": name, "steps": n}
        row["seconds"] = round(learn(model, loss, supply, steps=n))
        rows.append(row | scores(model.eval(), pairs))
        print(rows[-1], flush=True)
    return rows


def main(argv: list[str]) -> int:
    """Compare, and write the table."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.ablate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("what", choices=["losses", "families"])
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder with speech/train, noise/valid and so on"
    )
    parser.add_argument(
        "--steps", type=int, default=1200, help="of each network, where losses are compared"
    )
    parser.add_argument(
        "--minutes", type=float, default=6.0, help="of each network, where families are compared"
    )
    parser.add_argument(
        "--table", type=Path, help="csv file to write; by default the one in data/tables"
    )
    options = parser.parse_args(argv)
    rows = compare(options.what, options.corpus, steps=options.steps, minutes=options.minutes)
    table = options.table or TABLES / f"setting3_{options.what}.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
