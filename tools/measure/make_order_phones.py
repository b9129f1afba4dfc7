"""Write when each phone of the coffee orders is said, by flite's own account (units 43 and 44).

python3 -m tools.measure.make_order_phones [FOLDER]

It writes tables/order_phones.csv. Five orders are left out: flite says "latte" with three phones,
and the course's lexicon has four; and its voice kal16 is up to 4 % quicker than its own account.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from helpers import audio, voice

SR = 16000


def told(row: dict) -> tuple[np.ndarray, list[tuple[str, float]]]:
    """Return an order as flite says it, and each of its phones with its end [s]."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "order.wav"
        how = ["--setf", f"duration_stretch={float(row['stretch']):.2f}"]
        how += ["--setf", f"int_f0_target_mean={row['pitch']}"]
        command = ["flite", "-voice", row["voice"], *how, "-psdur", "-t", row["text"], "-o", path]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        y, sr = audio.load(path)
    spans = [part.split(":") for part in said.split()]
    return audio.resample(y, sr=sr, to=SR), [(name, float(end)) for name, end in spans]


def cut_off(whole: np.ndarray, stored: np.ndarray) -> float:
    """Return how much of the beginning the stored order lacks [s]; below 0 if it has more."""
    return (int(np.argmax(correlate(whole, stored, "full"))) - len(stored) + 1) / SR


def rows_of(number: int, row: dict, stored: np.ndarray) -> list[dict]:
    """Return a row for each phone of an order, or none if lexicon and flite differ."""
    whole, spans = told(row)
    lost = cut_off(whole, stored)
    starts = [0.0] + [end for _, end in spans[:-1]]
    said = [(start, end) for start, (name, end) in zip(starts, spans, strict=True) if name != "pau"]
    words = [(word, phone) for word in row["text"].split() for phone in word_phones(word)]
    as_told = abs(spans[-1][1] - len(whole) / SR) < 0.01
    if len(words) != len(said) or not as_told:
        return []
    return [
        {
            "order": number, "word": word, "phone": phone,
            "start_s": f"{start - lost:.3f}", "end_s": f"{end - lost:.3f}",
        }
        for (word, phone), (start, end) in zip(words, said, strict=True)
    ]  # fmt: skip


def word_phones(word: str) -> list[str]:
    """Return the phones of one word."""
    return [name for name in voice.phones(word) if name != "#"]


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    given = sys.argv[1:] if argv is None else argv
    folder = Path(given[0]) if given else audio.DATA
    speech, _ = audio.load(audio.DATA / "words" / "orders.flac")
    rows = []
    for number, row in enumerate(audio.table("orders")):
        rows += rows_of(number, row, speech[int(row["start"]) : int(row["stop"])])
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    with open(folder / "tables/order_phones.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} phones of {len({row['order'] for row in rows})} orders")
    return 0


if __name__ == "__main__":
    sys.exit(main())
