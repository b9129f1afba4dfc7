"""Score the recogniser of coffee orders on ten groups of speakers that it has never met.

python3 -m tools.measure.score_orders --corpus ../shared/corpus [--out data/tables]

It writes order_scores.csv: for each group, condition (clean; noise at 10 dB,
with and without the course's enhancer) and way of reading, how many words were wrong, and of how
many orders all slots are right. PocketSphinx is a peer: where it is not installed, its rows of the
table stay as they are.
The texts of the corpus are derived from the slots of the benchmark by PocketSphinx, so its word
errors flatter it; the slots are truth of their own.
"""

import argparse
import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from helpers import audio, recogniser, settings
from tools.training.orders import kept_apart, read_orders

SR = 16000
METHODS = ("greedy", "nearest word", "beam", "grammar")


def edits(reference: list, hypothesis: list) -> int:
    """Return the least number of words to put in, take out or exchange."""
    row = list(range(len(hypothesis) + 1))
    for i, a in enumerate(reference, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(hypothesis, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def greedy(scores: np.ndarray) -> str:
    """Return the likeliest letter of each frame, repeats and blanks left out."""
    best = scores.argmax(axis=1)
    kept = best[np.insert(best[1:] != best[:-1], 0, True)]
    return " ".join("".join(recogniser.ALPHABET[k] for k in kept if k).split())


def nearest_words(text: str, known: list[str]) -> str:
    """Return a text with each word exchanged for the nearest one that is known."""
    return " ".join(
        word if word in known else min(known, key=lambda k: edits(list(word), list(k)))
        for word in text.split()
    )


def read_all(scores: np.ndarray, known: list[str]) -> dict[str, str]:
    """Return the text by each way of reading."""
    plain = greedy(scores)
    return {
        "greedy": plain,
        "nearest word": nearest_words(plain, known),
        "beam": " ".join(recogniser.beam(scores).split()),
        "grammar": recogniser.beam(scores, width=80, grammar=recogniser.order_grammar()),
    }


def sphinx_decoder(grammar: bool):
    """Return PocketSphinx with its general model or with the grammar of the orders, or None."""
    try:
        from pocketsphinx import Decoder
    except ImportError:
        return None
    decoder = Decoder(samprate=SR, loglevel="FATAL")
    if grammar:
        decoder.add_jsgf_string("orders", jsgf())
        decoder.activate_search("orders")
    return decoder


def jsgf() -> str:
    """Return the grammar of the orders in the format that PocketSphinx reads."""

    def one(texts):
        return "(" + " | ".join(texts) + ")"

    r = recogniser
    amount = "[" + " | ".join(a.strip() for a in r.AMOUNTS if a) + "]"
    milk, sugar = f"{amount} {one(r.MILKS)}", f"{amount} {one(r.SUGARS)}"
    kinds = [one(r.SIZES), one(r.ROASTS), one(r.SHOTS)]
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    before = one(" ".join(f"[{kinds[k]}]" for k in order) for order in orders)
    end = f"[with ({milk} | {sugar} | {milk} and {sugar} | {sugar} and {milk})]"
    whole = f"{one(r.OPENINGS)} (a | an) {before} {one(r.DRINKS)} {end}"
    return f"#JSGF V1.0; grammar orders; public <order> = {whole};"


def heard_by_sphinx(decoder, y: np.ndarray) -> str:
    """Return the text that PocketSphinx hears."""
    decoder.start_utt()
    samples = np.clip(y / (np.abs(y).max() + 1e-9) * 0.5, -1, 1)
    decoder.process_raw((samples * 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


def conditions(y: np.ndarray, noise: np.ndarray, enhancer) -> dict[str, np.ndarray]:
    """Return a recording clean, in noise at 10 dB, and denoised."""
    noisy = audio.mix(y, np.resize(noise, len(y)), snr_db=10).astype(np.float32)
    return {"clean": y, "noise 10 dB": noisy, "denoised": enhancer.enhance(noisy, sr=SR)}


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_orders")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", default="data/tables")
    parser.add_argument("--weights", default="orders")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    corpus = Path(options.corpus)
    orders = [order for order in read_orders(corpus) if kept_apart(order)]
    known = sorted({word for order in read_orders(corpus) for word in order.text.split()})
    paths = sorted((corpus / "noise" / "valid").glob("*.*"))
    peers = {f"PocketSphinx{', grammar' if g else ''}": sphinx_decoder(g) for g in (False, True)}
    enhancer = settings.load("setting1_stft")
    counts = defaultdict(lambda: np.zeros(4, dtype=int))
    for number, order in enumerate(orders):
        noise, rate = audio.load(paths[number % len(paths)])
        noise = audio.resample(noise, sr=rate, to=SR)
        truth = recogniser.slots(order.text)
        for condition, y in conditions(order.y.numpy(), noise, enhancer).items():
            scores = recogniser.letter_scores(y, sr=SR, path=options.weights)
            texts = read_all(scores, known)
            for name, decoder in peers.items():
                if decoder is not None and condition == "clean":
                    texts[name] = heard_by_sphinx(decoder, y)
            for method, text in texts.items():
                wrong = edits(order.text.split(), text.split())
                right = recogniser.slots(text) == truth
                row = (1, len(order.text.split()), wrong, int(right))
                counts[condition, method, order.group] += row
    path = Path(options.out) / "order_scores.csv"
    made = {key[1] for key in counts}
    for row in csv.DictReader(path.open(encoding="utf-8")) if path.is_file() else []:
        if row["method"] not in made:
            key = (row["condition"], row["method"], int(row["group"]))
            counts[key] += [int(row[name]) for name in ("orders", "words", "edits", "accepted")]
    fields = ("condition", "method", "group", "orders", "words", "edits", "accepted")
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        for key, row in sorted(counts.items()):
            writer.writerow([*key, *row.tolist()])
    for pair in sorted({key[:2] for key in counts}):
        n, words, wrong, right = sum(row for key, row in counts.items() if key[:2] == pair)
        rates = f"WER {wrong / words:.3f}  all slots {right / n:.3f} of {n}"
        print(f"{pair[0]:12} {pair[1]:22} {rates}")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
