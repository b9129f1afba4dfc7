"""Measure what unit 55 says of fingerprints: 200 songs in an index, and queries that were damaged.

python3 -m tools.measure.score_fingerprints

writes data/tables/fingerprints.csv: in each kind of damage one query of each song, answered from
peaks in pairs and by the network, with Wilson's intervals. `said` counts answers whose score
reaches a threshold, `wrong` those of them that name another song; with songs that are not in the
index every such answer is wrong. Thresholds were set on other songs (seeds 300 to 699): the lowest
score that none of 200 unknown songs reached there, times 1.2 for votes, plus 0.02 for cosines.
Index: seeds 1000 to 1199; unknown: 2000 to 2399. Five minutes of one
core.
"""

import csv
import functools
import sys
from dataclasses import replace

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.signal import butter, sosfilt

from helpers import audio, mel, music, stft
from tools import notebooks
from tools.training.keywords import wilson

SR = 8000
HOP = 250  # 32 frames a second
FAN, REACH = 6, 60  # pairs of a peak, frames ahead
COUNT = 200
SNRS = (10, 5, 0, -5, -10, -15)
NEW = ("clarinet", "choir", "bass")  # who plays "other instruments"


# ---- peaks in pairs ------------------------------------------------------------------------------


def peaks(y: np.ndarray) -> np.ndarray:
    """Return (frame, bin) of each local maximum of the magnitude, in order of time."""
    S = np.abs(stft.stft(y, n_fft=1024, hop_length=HOP))
    found = (maximum_filter(S, size=(31, 15)) == S) & (0.01 * S.max() < S)
    return np.argwhere(found.T)


def pairs(found: np.ndarray) -> np.ndarray:
    """Return (code of two bins and the frames between, frame of the first), one pair a row."""
    rows = []
    stars = found.tolist()
    for i, (frame, k) in enumerate(stars):
        count = 0
        for later, other in stars[i + 1 : i + 40]:
            if later - frame > REACH or count == FAN:
                break
            if later > frame:
                rows.append(((k * 1024 + other) * 64 + later - frame, frame))
                count += 1
    return np.array(rows, dtype=int).reshape(-1, 2)


class PeakIndex:
    """All pairs of all songs, sorted by their codes."""

    def __init__(self, sounds: list):
        rows = [pairs(peaks(y)) for y in sounds]
        song = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
        table = np.column_stack([np.concatenate(rows), song])
        self.codes, self.frames, self.songs = table[np.argsort(table[:, 0], kind="stable")].T
        self.count = len(sounds)

    def scores(self, y: np.ndarray) -> np.ndarray:
        """Return the votes of each song at its best offset."""
        codes, frames = pairs(peaks(y)).T
        first = np.searchsorted(self.codes, codes)
        many = np.searchsorted(self.codes, codes, side="right") - first
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        at = np.repeat(first, many) + within
        offset = self.frames[at] - np.repeat(frames, many)
        places, votes = np.unique(self.songs[at] * 65536 + offset + 32768, return_counts=True)
        best = np.zeros(self.count)
        np.maximum.at(best, places // 65536, votes)
        return best


# ---- the network ---------------------------------------------------------------------------------


class NetIndex:
    """A vector for every quarter of a second of all songs."""

    def __init__(self, sounds: list):
        self.weights = music.weights("fingerprints")
        rows = [self.vectors(y) for y in sounds]
        self.lengths = np.array([len(some) for some in rows])
        self.all = np.concatenate(rows)

    def vectors(self, y: np.ndarray) -> np.ndarray:
        """Return vectors (n, 64) of the seconds that begin at each quarter of a second."""
        M = mel.mel_spectrogram(
            y, sr=SR, n_fft=1024, hop_length=HOP, n_mels=64, fmin=200, fmax=3800, norm=None, power=1
        )
        X = np.stack([M[:, k : k + 32] for k in range(0, M.shape[1] - 31, 8)]).astype(np.float32)
        X = np.log(X / X.mean((1, 2), keepdims=True) + 0.01)
        X -= X.mean((1, 2), keepdims=True)
        X = (X / X.std((1, 2), keepdims=True))[:, None]
        for k in range(4):
            X = self.layer(k, X)
        Z = X.reshape(len(X), -1) @ self.weights["last.weight"].T + self.weights["last.bias"]
        return Z / np.linalg.norm(Z, axis=1, keepdims=True)

    def layer(self, k: int, X: np.ndarray) -> np.ndarray:
        """Return a convolution of 3 x 3 at every second place, normalised, through an ELU."""
        W = self.weights
        near = np.lib.stride_tricks.sliding_window_view(
            np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3)
        )[:, :, ::2, ::2]
        X = np.tensordot(near, W[f"conv.{k}.weight"], axes=((1, 4, 5), (1, 2, 3)))
        X = X + W[f"conv.{k}.bias"] - W[f"norm.{k}.running_mean"]
        X = X / np.sqrt(W[f"norm.{k}.running_var"] + 1e-5) * W[f"norm.{k}.weight"]
        X = X + W[f"norm.{k}.bias"]
        return np.where(X > 0, X, np.expm1(np.minimum(X, 0))).transpose(0, 3, 1, 2)

    def scores(self, y: np.ndarray) -> np.ndarray:
        """Return the mean cosine of each song at its best offset."""
        mine = self.vectors(y)
        C = np.pad(mine @ self.all.T, ((0, 0), (0, len(mine))))
        means = np.mean([C[k, k : k + len(self.all)] for k in range(len(mine))], axis=0)
        ends = np.cumsum(self.lengths)
        left = np.repeat(ends, self.lengths) - np.arange(ends[-1])
        means[left < len(mine)] = -1  # it would run into the next song
        return np.maximum.reduceat(means, ends - self.lengths)


# ---- damage --------------------------------------------------------------------------------------


@functools.cache
def people() -> np.ndarray:
    """Return the clip of people who talk."""
    talk, rate = audio.clip("babble")
    return audio.resample(talk, sr=rate, to=SR)


def noise(kind: str, n: int, rng) -> np.ndarray:
    """Return white or pink noise or babble, of RMS 1."""
    y = rng.standard_normal(n)
    if kind == "pink":
        spectrum = np.fft.rfft(y)
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        spectrum[0] = 0
        y = np.fft.irfft(spectrum, n)
    if kind == "babble":
        talk = people()
        y = np.roll(talk, -int(rng.integers(len(talk))))[:n]
    return y / np.sqrt(np.mean(y**2))


def noisy(y: np.ndarray, kind: str, snr_db: float, rng) -> np.ndarray:
    """Return a sound in noise."""
    return audio.mix(y, noise(kind, len(y), rng), snr_db=snr_db)


def room(y: np.ndarray, rng) -> np.ndarray:
    """Return what a microphone hears across a room: 0.4 s of decay, a small loudspeaker, talk."""
    t = np.arange(round(0.4 * SR)) / SR
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / 0.4)
    tail *= 1 / np.sqrt(np.sum(tail**2))  # as much energy as the direct sound
    tail[0] += 1
    heard = np.convolve(y, tail)[: len(y)]
    small = butter(2, [250, 3500], "band", fs=SR, output="sos")
    return noisy(sosfilt(small, heard), "babble", 10, rng)


def telephone(y: np.ndarray) -> np.ndarray:
    """Return a sound from 300 to 3400 Hz."""
    return sosfilt(butter(4, [300, 3400], "band", fs=SR, output="sos"), y)


def bits(y: np.ndarray, count: int) -> np.ndarray:
    """Return a sound rounded to so many bits, its peak at full scale."""
    steps = 2 ** (count - 1) - 1
    return np.round(y / np.abs(y).max() * steps) / steps


def excerpt(y: np.ndarray, seconds: float, *key: int) -> np.ndarray:
    """Return a stretch by lot, from before the last second."""
    n = round(seconds * SR)
    begin = np.random.default_rng(list(key)).integers(0, len(y) - n - SR)
    return y[begin : begin + n]


def quicker(score, percent: float):
    """Return a score in another tempo."""
    return replace(score, tempo=tuple((b, bpm * (1 + percent / 100)) for b, bpm in score.tempo))


def queries(seeds: range):
    """Yield (kind, amount, seconds, queries) of all kinds of damage, a query for each song."""
    scores = [music.random_song(seed) for seed in seeds]
    sounds = [music.play(score, sr=SR) for score in scores]
    for seconds in (2, 5):
        cut = [excerpt(y, seconds, seed, seconds) for y, seed in zip(sounds, seeds, strict=True)]
        yield "clean", 0, seconds, cut
        for kind in ("white", "pink", "babble"):
            for snr in SNRS:
                lots = [np.random.default_rng([seed, seconds, 1]) for seed in seeds]
                both = zip(cut, lots, strict=True)
                yield kind, snr, seconds, [noisy(y, kind, snr, rng) for y, rng in both]
    yield "telephone", 0, 5, [telephone(y) for y in cut]
    yield "bits", 4, 5, [bits(y, 4) for y in cut]
    lots = [np.random.default_rng([seed, 5, 1]) for seed in seeds]
    yield "room", 0, 5, [room(y, rng) for y, rng in zip(cut, lots, strict=True)]
    for percent in (0.5, 1, 2, 4, 8):
        fast = round(SR * (1 + percent / 100))
        long = [excerpt(y, 5 * fast / SR, s, 5) for y, s in zip(sounds, seeds, strict=True)]
        yield "speed", percent, 5, [audio.resample(y, sr=fast, to=SR) for y in long]
    for cents in (25, 50, 100):
        again = [music.play(score, sr=SR, cents=cents) for score in scores]
        yield "pitch", cents, 5, [excerpt(y, 5, s, 5) for y, s in zip(again, seeds, strict=True)]
    for percent in (2, 5):
        again = [music.play(quicker(score, percent), sr=SR) for score in scores]
        yield "tempo", percent, 5, [excerpt(y, 5, s, 5) for y, s in zip(again, seeds, strict=True)]
    again = [music.play(score.played_on(*NEW), sr=SR) for score in scores]
    yield "instruments", 0, 5, [excerpt(y, 5, s, 5) for y, s in zip(again, seeds, strict=True)]
    again = [music.play(music.random_song(s, arrangement=s + 5000), sr=SR) for s in seeds]
    yield "cover", 0, 5, [excerpt(y, 5, s, 5) for y, s in zip(again, seeds, strict=True)]


def unknown(seeds: range, seconds: int):
    """Return queries of songs that are in no index."""
    sounds = [music.play(music.random_song(seed), sr=SR) for seed in seeds]
    return [excerpt(y, seconds, seed, seconds) for y, seed in zip(sounds, seeds, strict=True)]


# ---- the table -----------------------------------------------------------------------------------


def indexes(seeds: range) -> dict:
    """Return both kinds of index of some songs."""
    sounds = [music.play(music.random_song(seed), sr=SR) for seed in seeds]
    return {"peaks": PeakIndex(sounds), "network": NetIndex(sounds)}


def thresholds() -> dict:
    """Return the score from which on an answer is given, by length of the query."""
    made = indexes(range(300, 300 + COUNT))
    found = {}
    for seconds in (2, 5):
        asked = unknown(range(500, 500 + COUNT), seconds)
        highest = {n: max(index.scores(y).max() for y in asked) for n, index in made.items()}
        found["peaks", seconds] = float(np.ceil(1.2 * (highest["peaks"] + 1)))
        found["network", seconds] = round(float(highest["network"]) + 0.02, 3)
    return found


def row(kind, amount, seconds, asked, name, index, limit, size=COUNT) -> dict:
    """Return one row: how many queries found their song, and how many answers were given."""
    scores = np.array([index.scores(y)[:size] for y in asked])
    named = scores.argmax(axis=1)
    right = (named == np.arange(len(asked))) & (kind != "unknown") & (scores.max(axis=1) > 0)
    said = scores.max(axis=1) >= limit
    hits = int(right.sum())
    counted = int((said & ~right).sum()) if kind == "unknown" else hits
    low, high = wilson(counted, len(asked))
    about = {"kind": kind, "amount": amount, "seconds": seconds, "index": size, "by": name}
    numbers = {
        "queries": len(asked),
        "right": hits,
        "low": f"{max(0, low):.3f}",
        "high": f"{high:.3f}",
    }
    answers = {"said": int(said.sum()), "wrong": int((said & ~right).sum())}
    spread = {"limit": limit, "best": round(float(np.median(scores.max(axis=1))), 3)}
    spread |= {"highest": round(float(scores.max()), 3)}
    return about | numbers | answers | spread


def main() -> int:
    """Write the table."""
    limits = thresholds()
    print(limits, flush=True)
    made = indexes(range(1000, 1000 + COUNT))
    rows = []
    for kind, amount, seconds, asked in queries(range(1000, 1000 + COUNT)):
        for name, index in made.items():
            rows.append(row(kind, amount, seconds, asked, name, index, limits[name, seconds]))
        print(kind, amount, seconds, [r["right"] / COUNT for r in rows[-2:]], flush=True)
    for seconds in (2, 5):
        asked = unknown(range(2000, 2000 + 2 * COUNT), seconds)
        for size in (25, 50, 100, 200) if seconds == 5 else (COUNT,):
            for name, index in made.items():
                limit = limits[name, seconds]
                rows.append(row("unknown", 0, seconds, asked, name, index, limit, size))
                print({k: rows[-1][k] for k in ("seconds", "by", "index", "wrong", "highest")})
    path = notebooks.ROOT / "data" / "tables" / "fingerprints.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print("written", path.name, len(rows), "rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
