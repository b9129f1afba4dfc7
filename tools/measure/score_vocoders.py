"""Score the vocoders on held-out recordings: the tables that unit 34 prints.

python3 -m tools.measure.score_vocoders --heldout ../shared/heldout
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

from tools import notebooks

TABLES = notebooks.ROOT / "data" / "tables"
SECONDS = {"wavenet": 2.0}  # a slow one speaks a part of each recording


def clean(folder: Path):
    """Yield every clean recording of a held-out folder, and its rate."""
    from helpers import audio

    paths = sorted((folder / "clean").glob("*.flac"))
    if not paths:
        raise ValueError(f"{folder} holds no clean/*.flac; name a folder like shared/heldout")
    for path in paths:
        yield audio.load(path)


def copies(folder: Path, names: list[str]) -> list[dict]:
    """Return one row for each vocoder: how well it copies clean speech from the true mel."""
    from helpers import metrics, settings

    rows = []
    for name in names:
        vocoder, found, spent, lasted = settings.load_vocoder(name), [], 0.0, 0.0
        for y, sr in clean(folder):
            y = y[: int(SECONDS.get(name, 60) * sr)]
            log_mel = vocoder.mel(y, sr=sr)
            begun = time.perf_counter()
            copy = vocoder.synthesize(log_mel, length=len(y))
            spent, lasted = spent + time.perf_counter() - begun, lasted + len(y) / sr
            distance = np.abs(vocoder.mel(copy, sr=sr) - log_mel).mean()
            found.append([metrics.pesq(copy, y, sr=sr), metrics.stoi(copy, y, sr=sr), distance])
        pesq, stoi, distance = np.mean(found, axis=0)
        row = {"method": name, "n": len(found), "pesq": f"{pesq:.3f}", "stoi": f"{stoi:.3f}"}
        row |= {
            "log_mel_distance": f"{distance:.4f}",
            "rtf": f"{spent / lasted:.3f}",
            "parameters": vocoder.size,
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def readjusting(folder: Path, names: list[str]) -> list[dict]:
    """Return one row for each vocoder and SNR: how far a predicted mel is from the true one, before
    and after.
    """
    from helpers import metrics, settings
    from tools.training.evaluation import heldout

    cleaner = settings.load("setting2_vocoder", vocoder=None)
    every = {name: settings.load_vocoder(name) for name in names}
    found = {}
    for row, noisy, speech, sr in heldout(folder):
        predicted = cleaner.spectrogram(noisy)
        for name, vocoder in every.items():
            true = vocoder.mel(speech, sr=sr)
            y = vocoder.synthesize(predicted, length=len(speech))
            before, after = (np.abs(M - true).mean() for M in (predicted, vocoder.mel(y, sr=sr)))
            scores = [before, after, metrics.pesq(y, speech, sr=sr), metrics.stoi(y, speech, sr=sr)]
            found.setdefault((name, int(row["snr_db"])), []).append(scores)
        print(".", end="", flush=True)
    print()
    keys = ("mel_distance_before", "mel_distance_after", "pesq", "stoi")
    rows = []
    for (name, snr_db), scores in sorted(found.items()):
        mean = dict(zip(keys, (f"{m:.4f}" for m in np.mean(scores, axis=0)), strict=True))
        rows.append({"method": name, "snr_db": snr_db, "n": len(scores), **mean})
        print(rows[-1])
    return rows


def main(argv: list[str] | None = None) -> int:
    """Write both tables."""
    from helpers import settings

    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score_vocoders", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--heldout", required=True, type=Path, help="folder with clean/ and manifest.csv"
    )
    parser.add_argument("--names", nargs="*", default=settings.vocoders(), help="vocoders to score")
    parser.add_argument(
        "--what", nargs="*", default=["copies", "readjusting"], choices=["copies", "readjusting"]
    )
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    options = parser.parse_args(argv)
    quick = [n for n in options.names if n in ("griffin_lim", "gan", "gan_tuned")]
    todo = {
        "copies": ("vocoder_heldout.csv", copies, options.names),
        "readjusting": ("readjusting_heldout.csv", readjusting, quick),
    }
    try:
        for what in options.what:
            file, score, names = todo[what]
            rows = score(options.heldout, names)
            with (options.out / file).open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, rows[0])
                writer.writeheader()
                writer.writerows(rows)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
