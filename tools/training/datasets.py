"""Mixtures of speech and noise, made on the fly from two folders of sound files.

Mixture number `index` of step `step` depends on these two numbers and the seed alone. So a run that
goes on after a stop sees what it would have seen, and several processes can share a batch without
speaking about it.
"""

import hashlib
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from helpers import audio
from helpers.metrics import active_level_db

__all__ = ["Corpus", "Crops", "Mixtures"]

SR = 16000
SUFFIXES = (".wav", ".flac", ".ogg")
LOWEST_DB = -55.0  # [dBFS] a crop with less in its active frames is called silent


def _is_sound(path: Path) -> bool:
    """Tell whether this looks like a sound file; systems put hidden ones beside those that are."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


class Corpus:
    """All sound files under a folder, at 16 kHz mono, in memory; a warning names what cannot be
    read, and the rest is used.

    Parameters
    ----------
    folder : path
        Folder with wav, flac or ogg files, at any depth.
    """

    def __init__(self, folder):
        folder = Path(folder)
        paths = sorted(p for p in folder.rglob("*") if _is_sound(p))
        if not paths:
            kinds = ", ".join(SUFFIXES)
            raise ValueError(
                f"{folder} holds no sound file ({kinds}); name a folder with recordings in it"
            )
        digest = hashlib.sha256()
        self.names = []
        self.sounds = []
        for path in paths:
            try:
                with warnings.catch_warnings():
                    # a peak beyond full scale is scaled below
                    warnings.simplefilter("ignore", UserWarning)
                    y, _ = audio.load(path, sr=SR)
            except ValueError as error:
                warnings.warn(f"left out: {error}", stacklevel=2)
                continue
            digest.update(path.read_bytes())
            self.names.append(path.relative_to(folder).as_posix())
            y = y * (32767 / max(1, np.abs(y).max()))
            self.sounds.append(np.round(y).astype(np.int16))  # half the memory of float32
        if not self.sounds:
            raise ValueError(f"{folder} holds no sound file that can be read; see the warnings")
        self.hash = digest.hexdigest()[:16]
        self.seconds = sum(map(len, self.sounds)) / SR

    def crop(self, rng: np.random.Generator, n: int, *, tries: int = 20) -> np.ndarray:
        """Return n samples in which something happens, from one file, or from several where one is
        too short.
        """
        for _ in range(tries):
            parts = []
            have = 0
            while have < n:
                y = self.sounds[rng.integers(len(self.sounds))]
                start = rng.integers(max(1, len(y) - (n - have) + 1))
                parts.append(y[start : start + n - have])
                have += len(parts[-1])
            y = np.concatenate(parts).astype(np.float32) / 32767
            if active_level_db(y) > LOWEST_DB:
                return y
        raise ValueError(
            f"{tries} crops in a row were silent; is {self.names[0]} and the rest of that folder "
            "sound?"
        )


class Crops:
    """An endless, repeatable supply of clean speech: what a vocoder is given, and what it should
    give back.

    Parameters
    ----------
    speech : Corpus
        Where it comes from.
    seconds : float, default 2.0
        Length of a crop.
    seed : int, default 0
        Another seed gives other crops.
    level_db : (float, float), default (-35, -15)
        Range of the active level [dBFS].
    """

    def __init__(self, speech, *, seconds=2.0, seed=0, level_db=(-35, -15)):
        self.speech = speech
        self.n = round(seconds * SR)
        self.seed = seed
        self.level_db = level_db

    def item(self, step: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one crop, twice, float32."""
        rng = np.random.default_rng([self.seed, step, index])
        y = self.speech.crop(rng, self.n)
        y = y * 10 ** ((rng.uniform(*self.level_db) - active_level_db(y)) / 20)
        y = (y / max(1, np.abs(y).max())).astype(np.float32)
        return y, y

    def batch(self, step: int, indices) -> tuple[np.ndarray, np.ndarray]:
        """Return the crops with these numbers, twice; (B, n) each."""
        y = np.stack([self.item(step, index)[0] for index in indices])
        return y, y


class Mixtures:
    """An endless, repeatable supply of noisy and clean speech.

    Parameters
    ----------
    speech, noise : Corpus
        What is mixed.
    seconds : float, default 4.0
        Length of a mixture.
    seed : int, default 0
        Another seed gives other mixtures.
    snr_db : (float, float), default (-5, 20)
        Range of the ratio of active levels.
    level_db : (float, float), default (-40, -15)
        Range of the active level of the speech [dBFS].
    babble : float, default 0.2
        Share of mixtures whose noise is 3 to 8 other talkers.
    colour : bool, default True
        Give speech and noise a random tone colour, and the noise a random speed.
    """

    def __init__(
        self,
        speech,
        noise,
        *,
        seconds=4.0,
        seed=0,
        snr_db=(-5, 20),
        level_db=(-40, -15),
        babble=0.2,
        colour=True,
    ):
        self.speech = speech
        self.noise = noise
        self.n = round(seconds * SR)
        self.seed = seed
        self.snr_db = snr_db
        self.level_db = level_db
        self.babble = babble
        self.colour = colour

    def item(self, step: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one mixture and its speech, float32."""
        rng = np.random.default_rng([self.seed, step, index])
        speech = self.speech.crop(rng, self.n)
        noise = self._noise(rng)
        if self.colour:
            speech = _tint(speech, rng)
            noise = _tint(noise, rng)
        level = rng.uniform(*self.level_db)
        speech = speech * 10 ** ((level - active_level_db(speech)) / 20)
        noise = noise * 10 ** ((level - rng.uniform(*self.snr_db) - active_level_db(noise)) / 20)
        scale = 1 / max(1, np.abs(speech + noise).max())
        return ((speech + noise) * scale).astype(np.float32), (speech * scale).astype(np.float32)

    def batch(self, step: int, indices) -> tuple[np.ndarray, np.ndarray]:
        """Return the mixtures with these numbers, and their speech; (B, n) each."""
        noisy, clean = zip(*(self.item(step, index) for index in indices), strict=True)
        return np.stack(noisy), np.stack(clean)

    def _noise(self, rng):
        if rng.random() < self.babble:
            return sum(self._talker(rng) for _ in range(rng.integers(3, 9)))
        speed = np.exp(rng.uniform(-0.25, 0.25)) if self.colour else 1.0
        y = self.noise.crop(rng, round(self.n * speed))
        if speed != 1.0:
            y = np.interp(np.arange(self.n) * (len(y) / self.n), np.arange(len(y)), y).astype(
                np.float32
            )
        return y if active_level_db(y) > LOWEST_DB else self._noise(rng)

    def _talker(self, rng):
        y = self.speech.crop(rng, self.n)
        return y * 10 ** ((rng.uniform(-6, 0) - active_level_db(y)) / 20)


def _tint(y, rng):
    """Filter with two random zeros and poles, after J.-M. Valin, "A hybrid DSP/deep learning
    approach ...", 2018.
    """
    b, a = (np.array([1, *rng.uniform(-0.375, 0.375, 2)]) for _ in range(2))
    return lfilter(b, a, y).astype(np.float32)
