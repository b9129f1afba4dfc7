"""One note of each instrument as a sum of partials, or of noise for drums: no recording in it."""

import numpy as np

SR = 22050
# instrument: (how fast partials fall off, weight of even ones, decay [1/s], attack [s])
VOICES = {
    "piano": (1.2, 1.0, 2.5, 0.003),
    "guitar": (1.0, 0.8, 3.0, 0.003),
    "bass": (1.5, 1.0, 1.5, 0.005),
    "strings": (1.1, 1.0, 0.0, 0.06),
    "choir": (1.6, 1.0, 0.0, 0.1),
    "organ": (0.5, 1.0, 0.0, 0.02),
    "flute": (2.2, 1.0, 0.0, 0.05),
    "oboe": (0.6, 1.0, 0.0, 0.03),
    "clarinet": (1.0, 0.15, 0.0, 0.03),
    "trumpet": (0.7, 1.0, 0.0, 0.02),
}
# drum: (lowest frequency [Hz], share of noise, decay [s])
DRUMS = {36: (50, 0.0, 0.06), 38: (185, 0.7, 0.05), 37: (1700, 0.6, 0.01), 42: (0, 1.0, 0.03)}
DRUMS |= {45: (90, 0.0, 0.08), 47: (115, 0.0, 0.08), 48: (140, 0.0, 0.08), 50: (170, 0.0, 0.08)}
DRUMS |= {46: (0, 1.0, 0.15), 49: (0, 1.0, 0.25), 51: (0, 1.0, 0.15)}


def note(instrument: str, pitch: float, *, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a note at 22 050 Hz, struck at sample 0, its phases by lot; about -20 dBFS."""
    if instrument == "drums":
        return _drum(pitch, rng)
    fall, even, decay, attack = VOICES[instrument]
    f0 = 440.0 * 2 ** ((pitch - 69) / 12)
    t = np.arange(round(seconds * SR)) / SR
    k = np.arange(1, max(2, min(16, int(0.45 * SR / f0) + 1)))
    sizes = k**-fall * np.where(k % 2 == 0, even, 1.0)
    waves = np.sin(2 * np.pi * f0 * k[:, None] * t + rng.uniform(0, 2 * np.pi, (len(k), 1)))
    fades = np.exp(-decay * np.sqrt(k)[:, None] * t)  # high partials go first
    y = (sizes[:, None] * fades * waves).sum(axis=0) / np.sqrt((sizes**2).sum())
    y *= np.minimum(1, t / attack) * np.clip((seconds - t) / 0.09, 0, 1)
    return 0.14 * y


def _drum(pitch: float, rng: np.random.Generator) -> np.ndarray:
    """Return a drum: a tone that falls a little, noise, or both, dying away."""
    low, noise, decay = DRUMS[int(pitch)]
    t = np.arange(round(min(0.7, 8 * decay) * SR)) / SR
    tone = np.sin(2 * np.pi * low * (t + 0.02 * (1 - np.exp(-t / 0.03))))
    hiss = np.diff(rng.standard_normal(len(t)), prepend=0.0) / 2
    return 0.5 * ((1 - noise) * tone + noise * hiss) * np.exp(-t / decay)
