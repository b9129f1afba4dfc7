"""Compile what is slow on first use, and keep it in the caches beside the packages.

librosa compiles parts of itself when they are first called, which takes half a minute in a fresh
install. Setup and Binder's postBuild do it here, so that no learner waits for it in a notebook.
"""

import librosa
import matplotlib.pyplot  # noqa: F401 - its first import lists the fonts
import numpy as np


def main() -> None:
    """Call each slow function once."""
    y = np.random.default_rng(0).normal(size=22050).astype(np.float32)
    librosa.istft(librosa.stft(y))
    librosa.feature.melspectrogram(y=y, sr=22050)
    librosa.resample(y, orig_sr=22050, target_sr=16000)


if __name__ == "__main__":
    main()
