"""Store some of the numbers that transformers' WhisperFeatureExtractor makes of a clip.

`python3 -m tools.measure.whisper_features`, then `python3 -m tools.measure.sums`. It needs the
package transformers and no network. The table is data/tables/whisper_features.csv; notebook 42
compares its own features with it, and with the extractor itself where that is installed.
"""

import csv
import sys

import numpy as np

from helpers import audio

COUNT = 300  # values, half of them where the clip sounds


def features() -> np.ndarray:
    """Return what the extractor makes of the first 5 s of a clip, (80, 3000)."""
    from transformers import WhisperFeatureExtractor

    y, sr = audio.clip("librivox_c")
    made = WhisperFeatureExtractor()(y[: 5 * sr], sampling_rate=sr, return_tensors="np")
    return made.input_features[0]


def main() -> int:
    """Write the table."""
    S = features()
    rng = np.random.default_rng(42)
    bands = rng.integers(80, size=COUNT)
    frames = np.where(
        np.arange(COUNT) % 2, rng.integers(500, size=COUNT), rng.integers(3000, size=COUNT)
    )
    table = audio.DATA / "tables/whisper_features.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["band", "frame", "value"])
        for band, frame in zip(bands, frames, strict=True):
            writer.writerow([band, frame, f"{S[band, frame]:.6f}"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
