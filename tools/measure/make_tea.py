"""Make the orders of tea of unit 45, a word that the recogniser never learned, by four machines.

`python3 -m tools.measure.make_tea [FOLDER]`, then `python3 -m tools.measure.sums`. It needs
Debian's flite; no learner needs to run it. They lie one after the other in data/words/tea.flac
(16 kHz, 16 bits), and data/tables/tea.csv says where each begins and ends, who says it, and what.
"""

import sys
from pathlib import Path

from helpers import audio
from tools.measure.make_words import PITCH, speak, write

SR = 16000
TEXTS = ["can i get a tea", "i want a tea with sugar", "get me a tea with a bit of milk"]
TEXTS += ["may i have a small tea"]


def teas():
    """Yield (row without its place, sound) of each order."""
    for text in TEXTS:
        for voice in PITCH:
            row = {"text": text, "voice": voice}
            yield row, speak(text, voice, 1.0, PITCH[voice], to=SR)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else audio.DATA, "tea", SR, teas())
