"""Measure what unit 40 rests on, on recordings of people: how much a classifier gains by a speaker
it has met, what a person adds to a training set, how wide an interval really is, and how often
three voice activity detectors are wrong.

python3 -m tools.measure.score_leaks --corpus ../shared/corpus --heldout ../shared/heldout

Nothing is trained but a nearest neighbour and a ridge regression. Writes data/tables/leaks.csv,
people_or_clips.csv, interval_over_people.csv and voice_activity.csv. WebRTC and Silero are measured
where they are installed (webrtcvad-wheels 2.0.14, silero-vad 6.2.3).
"""

import argparse
import csv
import sys
from pathlib import Path

import librosa
import numpy as np
import soundfile

from tools import notebooks

TABLES = notebooks.ROOT / "data" / "tables"
SLICES, BANDS = 8, 24
DRAWS = 20  # of people or clips, for each point of a learning curve
FRAME = 512  # of the detectors: 32 ms at 16 kHz


def slices(y: np.ndarray, sr: int, *, level: bool = False) -> np.ndarray:
    """Return the mean log-mel of eight time slices in 24 bands, (192,), less the mean of all; with
    `level`, of a sound that was brought to -26 dBFS first.
    """
    if level:
        y = y / np.sqrt(np.mean(y**2)) * 0.05
    n_fft = 256 * sr // 8000
    how = {"n_fft": n_fft, "hop_length": n_fft // 4, "n_mels": BANDS, "power": 1.0, "fmax": 3900}
    S = np.log(librosa.feature.melspectrogram(y=y, sr=sr, **how) + 1e-4)
    S = S - S.mean()
    edges = np.linspace(0, S.shape[1], SLICES + 1).astype(int)
    parts = [(edges[k], max(edges[k + 1], edges[k] + 1)) for k in range(SLICES)]
    return np.concatenate([S[:, a:b].mean(1) for a, b in parts])


def neighbour(X: np.ndarray, labels: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Return for each row of T the label of the nearest row of X."""
    squares = (T**2).sum(1)[:, None] + (X**2).sum(1) - 2 * T @ X.T
    return labels[squares.argmin(1)]


def ridge(X: np.ndarray, labels: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Return for each row of T the label that a ridge regression onto the labels finds."""
    names = np.unique(labels)
    targets = (labels[:, None] == names) - 1 / len(names)
    weights = np.linalg.solve(X.T @ X + 300 * np.eye(X.shape[1]), X.T @ targets)
    return names[(T @ weights).argmax(1)]


def recordings(corpus: Path, name: str) -> list[dict]:
    """Return the rows of one set of the labelled recordings."""
    with open(corpus / "tasks/manifest.csv", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["set"] == name]


def described(corpus: Path, rows: list[dict], *, level: bool = False) -> np.ndarray:
    """Return the features of some recordings, each with mean 0 and variance 1 over all."""
    read = [soundfile.read(corpus / "tasks" / row["file"]) for row in rows]
    X = np.array([slices(*sound, level=level) for sound in read])
    return (X - X.mean(0)) / X.std(0)


def digits(corpus: Path, *, level: bool = False):
    """Return features, digits, people and numbers of the takes of spoken digits."""
    rows = recordings(corpus, "digits")
    take = [int(Path(row["file"]).stem.split("_")[2]) for row in rows]
    X = described(corpus, rows, level=level)
    return X, np.array([r["label"] for r in rows]), np.array([r["speaker"] for r in rows]), take


def leaks(corpus: Path) -> list[dict]:
    """Score two classifiers of digits on people they have met, and on people they have not."""
    found = []

    def add(method, question, split, right, level):
        row = {"method": method, "level": level, "question": question, "split": split}
        found.append(row | {"n": len(right), "accuracy": f"{np.mean(right):.4f}"})
        print(found[-1], flush=True)

    for level in ("as recorded", "made equal"):
        X, digit, person, take = digits(corpus, level=level == "made equal")
        official = np.array(take) < 5  # the split that the data set names
        for name, method in (("neighbour", neighbour), ("ridge", ridge)):
            said = method(X[~official], digit[~official], X[official])
            add(name, "digit", "official", said == digit[official], level)
            for one in np.unique(person):
                out = person == one
                said = method(X[~out], digit[~out], X[out])
                add(name, "digit", f"without {one}", said == digit[out], level)
            said = method(X[~official], person[~official], X[official])
            add(name, "person", "official", said == person[official], level)
    return found


def people_or_takes(corpus: Path) -> list[dict]:
    """Score two classifiers on a person they have not met, over how many people taught them; the
    number of clips, 400, is the same in every row.
    """
    X, digit, person, _ = digits(corpus)
    rng = np.random.default_rng(0)
    found = []
    for name, method in (("neighbour", neighbour), ("ridge", ridge)):
        for many in (1, 2, 4, 5):
            right = []
            for one in np.unique(person):
                others = np.unique(person[person != one])
                for _ in range(5):
                    chosen = rng.choice(others, many, replace=False)
                    pools = [np.flatnonzero(person == other) for other in chosen]
                    rows = np.concatenate([rng.choice(p, 400 // many, False) for p in pools])
                    out = person == one
                    right.append(np.mean(method(X[rows], digit[rows], X[out]) == digit[out]))
            row = {"method": name, "set": "digits", "people": many, "clips": 400 // many * many}
            found.append(row | {"accuracy": f"{np.mean(right):.4f}", "std": f"{np.std(right):.4f}"})
            print(found[-1], flush=True)
    return found


def commands(corpus: Path):
    """Return features, words and people of ten words by many people."""
    rows = [row for row in recordings(corpus, "commands") if not row["label"].startswith("_")]
    X = described(corpus, rows)
    return X, np.array([r["label"] for r in rows]), np.array([r["speaker"] for r in rows])


def many_people(X, word, person) -> list[dict]:
    """Score a ridge regression on 40 people it has not met, over how many people taught it.

    All teachers have at least 40 clips; the number of clips, 160, is the same in every row.
    """
    rng = np.random.default_rng(0)
    counts = {one: int((person == one).sum()) for one in np.unique(person)}
    order = rng.permutation(sorted(counts))
    test = np.isin(person, order[:40])
    able = [one for one in order[40:] if counts[one] >= 40]
    found = []
    for many in (4, 8, 16, 32):
        right = []
        for _ in range(DRAWS):
            pools = [np.flatnonzero(person == one) for one in rng.choice(able, many, False)]
            rows = np.concatenate([rng.choice(pool, 160 // many, False) for pool in pools])
            right.append(np.mean(ridge(X[rows], word[rows], X[test]) == word[test]))
        row = {"method": "ridge", "set": "commands", "people": many, "clips": 160}
        found.append(row | {"accuracy": f"{np.mean(right):.4f}", "std": f"{np.std(right):.4f}"})
        print(found[-1], flush=True)
    return found


def interval(X, word, person) -> list[dict]:
    """Compare how an accuracy really varies with two bootstraps, over clips and over people."""
    rng = np.random.default_rng(0)
    order = rng.permutation(np.unique(person))
    test = np.isin(person, order[:40])
    hits = ridge(X[~test], word[~test], X[test]) == word[test]
    who = person[test]
    groups = [np.flatnonzero(who == one) for one in np.unique(who)]
    by_clip, by_person = [], []
    for _ in range(4000):
        by_clip.append(hits[rng.integers(0, len(hits), len(hits))].mean())
        some = rng.integers(0, len(groups), len(groups))
        by_person.append(hits[np.concatenate([groups[k] for k in some])].mean())
    found = []
    for name, draws in (("clip", by_clip), ("person", by_person)):
        low, high = np.percentile(draws, [2.5, 97.5])
        row = {"resampled": name, "n": len(hits), "people": len(groups)}
        row |= {"accuracy": f"{hits.mean():.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
        found.append(row)
        print(row, flush=True)
    return found


def frame_levels(y: np.ndarray) -> np.ndarray:
    """Return the level of each frame of 32 ms [dB]."""
    count = len(y) // FRAME
    return 10 * np.log10((y[: count * FRAME].reshape(count, FRAME) ** 2).mean(1) + 1e-10)


def by_webrtc(y: np.ndarray, sr: int) -> np.ndarray:
    """Return what WebRTC's detector says of each frame, in its strictest mode."""
    import webrtcvad

    step = sr * 30 // 1000  # it takes 10, 20 or 30 ms
    pcm = (np.clip(y, -1, 1) * 32767).astype(np.int16)
    detector = webrtcvad.Vad(3)
    count = len(pcm) // step
    said = [detector.is_speech(pcm[k * step : (k + 1) * step].tobytes(), sr) for k in range(count)]
    middles = np.arange(len(y) // FRAME) * FRAME + FRAME // 2
    return np.array(said)[np.minimum(middles // step, count - 1)]


def by_silero(y: np.ndarray, sr: int) -> np.ndarray:
    """Return whether Silero's probability of speech is above one half, for each frame."""
    import silero_vad
    import torch

    torch.set_num_threads(1)
    model = silero_vad.load_silero_vad()
    model.reset_states()
    frames = torch.from_numpy(y[: len(y) // FRAME * FRAME].astype(np.float32)).reshape(-1, FRAME)
    with torch.no_grad():
        return np.array([model(frame, sr).item() for frame in frames]) > 0.5


def by_energy(y: np.ndarray, sr: int) -> np.ndarray:
    """Return which frames lie more than 3 dB over the quiet 15 % of the recording."""
    levels = frame_levels(y)
    return levels > np.percentile(levels, 15) + 3


def voice_activity(heldout: Path) -> list[dict]:
    """Count wrong frames of each detector that is installed; the truth is the clean recording."""
    detectors = {"energy": by_energy, "always speech": lambda y, sr: frame_levels(y) > -np.inf}
    for name, method, package in (
        ("WebRTC, mode 3", by_webrtc, "webrtcvad"),
        ("Silero, 0.5", by_silero, "silero_vad"),
    ):
        try:
            __import__(package)
            detectors[name] = method
        except ImportError:
            print(f"{name} is left out: {package} is not installed")
    with open(heldout / "manifest.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kinds = {"clean": [row for row in rows if row["snr_db"] == "10"]}
    for snr in ("10", "5", "0"):
        kinds[snr] = [row for row in rows if row["snr_db"] == snr]
    found = []
    for name, method in detectors.items():
        for kind, some in kinds.items():
            truth, said = [], []
            for row in some:
                clean, sr = soundfile.read(heldout / row["clean"])
                y = clean if kind == "clean" else soundfile.read(heldout / row["noisy"])[0]
                levels = frame_levels(clean)
                truth.append(levels > levels.max() - 30)
                said.append(method(y, sr)[: len(levels)])
            truth, said = np.concatenate(truth), np.concatenate(said)
            row = {"detector": name, "snr_db": kind, "frames": len(truth)}
            row["speech"] = f"{truth.mean():.3f}"
            row["wrong"] = f"{(said != truth).mean():.3f}"
            row["missed"] = f"{(~said[truth]).mean():.3f}"
            row["false"] = f"{said[~truth].mean():.3f}"
            found.append(row)
            print(row, flush=True)
    return found


def write(name: str, rows: list[dict]) -> None:
    """Write a table."""
    with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(argv=None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    args = parser.parse_args(argv)
    write("leaks", leaks(args.corpus))
    some = commands(args.corpus)
    write("people_or_clips", people_or_takes(args.corpus) + many_people(*some))
    write("interval_over_people", interval(*some))
    write("voice_activity", voice_activity(args.heldout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
