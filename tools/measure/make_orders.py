"""Make the coffee orders of unit 43: twelve, by four machine voices, the same bytes each time.

`python3 -m tools.measure.make_orders [FOLDER]`, then `python3 -m tools.measure.sums`. It needs
Debian's flite; no learner needs to run it. The orders lie one after the other in
data/words/orders.flac (16 kHz, 16 bits), and data/tables/orders.csv says where each begins and
ends, who says it, and what. The training (tools/training/orders.py) makes others with `speak`.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio
from tools.measure.make_words import GAP, PITCH, speak

SR = 16000
TEXTS = [
    "can i get a large mocha with soy milk",
    "i'd like an iced coffee with brown sugar",
    "make me a double shot espresso",
    "may i have a small light roast latte with cream",
    "give me a twelve ounce americano with some sugar",
    "i want a medium roast drip coffee with a bit of milk",
    "get me a triple shot cappuccino with lots of sweetener",
    "can i have a large dark roast house coffee",
    "brew a small latte with whole milk and some sugar",
    "can i get an iced mocha with almond milk",
    "i want an eight ounce espresso with skim milk",
    "make me a dark roast coffee with a lot of cream",
]


def orders():
    """Yield (row without its place, sound) of each order; voices take turns."""
    rng = np.random.default_rng(43)
    for number, text in enumerate(TEXTS):
        voice = list(PITCH)[number % 4]
        stretch = round(float(rng.uniform(0.9, 1.2)), 2)
        hz = round(PITCH[voice] * 2 ** rng.uniform(-0.2, 0.2))
        row = {"text": text, "voice": voice, "stretch": stretch, "pitch": hz}
        yield row, speak(text, voice, stretch, hz, to=SR)


def main(argv: list[str] | None = None) -> int:
    """Write the sound and the table."""
    given = sys.argv[1:] if argv is None else argv
    folder = Path(given[0]) if given else audio.DATA
    rows = []
    parts = []
    end = 0
    for row, y in orders():
        rows.append({"start": end, "stop": end + len(y)} | row)
        parts += [y, np.zeros(round(GAP * SR))]
        end += len(y) + round(GAP * SR)
    (folder / "words").mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "words/orders.flac", np.concatenate(parts), SR, subtype="PCM_16")
    with open(folder / "tables/orders.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} orders, {end / SR:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
