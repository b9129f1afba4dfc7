"""Measure what unit 41 rests on, on recordings of people who were not heard in training.

python3 -m tools.measure.score_keywords words|wake|talk|rule|own|sounds --corpus ../shared/corpus

words: the 12 classes by the network, the transformer and two plain peers, clip by clip, to
data/tables/keyword_answers.csv. wake: the word "computer" and the alarms in other speech, to
wake_words.csv and wake_background.csv. talk: its score in a talk by machines, to talk_scores.csv.
rule: a classifier that is used as a detector, to keyword_rule.csv. own: a word taught by a few
takes, to own_word.csv. sounds: ten kinds of sound by two splits, to environmental.csv.

The people of the wake words are groups of similar voices, found once with another network;
wake_words.csv says which file is in which.
"""

import argparse
import csv
import sys
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch

from helpers import speech
from tools import notebooks
from tools.measure.score_leaks import neighbour, recordings, ridge, slices
from tools.training import keyword_sounds
from tools.training.keywords import over_people

TABLES = notebooks.ROOT / "data" / "tables"
SR = speech.SR
HOP = 1600  # of the detector: ten decisions a second
WINDOW = 24000  # of the wake word


def write(name: str, rows: list[dict]) -> None:
    """Write a table."""
    with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows", flush=True)


def table(name: str) -> list[dict]:
    """Return the rows of a table."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@torch.no_grad()
def asked(network, sounds: torch.Tensor, what="forward") -> np.ndarray:
    """Return what a network says of each row of sound."""
    fn = getattr(network, what)
    return torch.cat([fn(speech.features(part)) for part in sounds.split(64)]).numpy()


# ---- twelve classes ------------------------------------------------------------------------------


def mfcc(y: np.ndarray) -> np.ndarray:
    """Return 13 MFCCs in ten slices of a second, one row."""
    C = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=13, n_fft=512, hop_length=160, n_mels=40)
    return np.concatenate([part.mean(1) for part in np.array_split(C, 10, axis=1)])


def softmax_regression(X, labels, T) -> np.ndarray:
    """Return what a logistic regression on several classes says of the rows of T."""
    m, s = X.mean(0), X.std(0)
    X, T = (torch.from_numpy((part - m) / s).float() for part in (X, T))
    W = torch.zeros(X.shape[1] + 1, len(speech.CLASSES), requires_grad=True)
    optimizer = torch.optim.LBFGS([W], max_iter=150, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        out = X @ W[1:] + W[0]
        value = torch.nn.functional.cross_entropy(out, labels) + 3e-3 * W[1:].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return (T @ W[1:] + W[0]).argmax(1).numpy()


def transformer_answers(sounds: torch.Tensor) -> np.ndarray:
    """Return what the transformer in the folder of the library says, or -1 where it is missing."""
    try:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification
    except ImportError:
        return np.full(len(sounds), -1)
    folder = notebooks.ROOT / "data" / "weights" / "keywords_transformer"
    network = AutoModelForAudioClassification.from_pretrained(folder, dtype=torch.float32).eval()
    extract = AutoFeatureExtractor.from_pretrained(folder)
    said = []
    for part in sounds.split(64):
        level = part * (speech.LEVEL / speech.loud_level(part, floor=0.002))[:, None]
        x = extract(list(level.numpy()), sampling_rate=SR, return_tensors="pt").input_features
        with torch.no_grad():
            said.append(network(x).logits.argmax(1))
    return torch.cat(said).numpy()


def later_split(corpus: Path, known: set[str]) -> None:
    """Print what the transformer says of the people held out of its own training, which went by a
    later split; `known` are people whom its teacher had met.
    """
    clips = [c for c in keyword_sounds.commands(corpus) if c.part == "heldout"]
    clips = [c for c in clips if speech.CLASSES[c.label] != "_silence_"]
    said = transformer_answers(keyword_sounds.one_second([c.path for c in clips]))
    hits = said == np.array([c.label for c in clips])
    who = np.array([c.person for c in clips])
    new = np.array([name not in known for name in who])
    for name, some in (("all", new | True), ("met by no one", new), ("met by its teacher", ~new)):
        low, high = over_people(hits[some], who[some])
        text = f"{hits[some].sum()} of {some.sum()} = {hits[some].mean():.1%}"
        people = len(np.unique(who[some]))
        print(f"transformer, {name}: {text}, {people} people, {low:.1%} to {high:.1%} over people")


def words(corpus: Path) -> None:
    """Write what four classifiers say of each clip that was held out, and whether some training or
    validation had met the person; only those not met are a test.
    """
    clips = keyword_sounds.commands(corpus, shipped=True)
    teachers = keyword_sounds.met(corpus)
    # the transformer went by a later split: people held out here may have taught it
    known = teachers | {c.person for c in keyword_sounds.commands(corpus) if c.part != "heldout"}
    test = [clip for clip in clips if clip.part == "heldout"]
    sounds = keyword_sounds.one_second([clip.path for clip in test])
    scores = torch.from_numpy(asked(speech.load("keywords"), sounds))
    chance = torch.softmax(scores, 1)
    teach = [clip for clip in clips if clip.part == "train"]
    taught = keyword_sounds.one_second([clip.path for clip in teach]).numpy()
    labels = np.array([clip.label for clip in teach])
    X = np.array([slices(y, SR, level=bool(y.any())) for y in taught])
    T = np.array([slices(y, SR, level=bool(y.any())) for y in sounds.numpy()])
    m, s = X.mean(0), X.std(0)
    near = neighbour((X - m) / s, labels, (T - m) / s)
    cepstra = [np.array([mfcc(y) for y in some]) for some in (taught, sounds.numpy())]
    plain = softmax_regression(cepstra[0], torch.from_numpy(labels), cepstra[1])
    other = transformer_answers(sounds)
    people = {name: f"p{k:02}" for k, name in enumerate(sorted({c.person for c in test if not
              c.person.startswith("sil")}), 1)}  # fmt: skip
    rows = []
    for k, clip in enumerate(test):
        name = speech.CLASSES[clip.label]
        row = {"person": people.get(clip.person, f"none{k}"), "is": name}
        row["met"] = "yes" if clip.person in known else "no"
        row |= {"cnn": speech.CLASSES[scores[k].argmax()], "sure": f"{chance[k].max():.4f}"}
        row |= {"true_score": f"{chance[k, clip.label]:.4f}"}
        row["transformer"] = speech.CLASSES[other[k]] if other[k] >= 0 else ""
        row |= {"neighbour": speech.CLASSES[near[k]], "mfcc": speech.CLASSES[plain[k]]}
        rows.append(row)
    write("keyword_answers", rows)
    new = [row for row in rows if row["met"] == "no" and row["is"] != "_silence_"]
    for method in ("cnn", "transformer", "neighbour", "mfcc"):
        right = sum(row[method] == row["is"] for row in new)
        print(f"{method}: {right} of {len(new)} = {right / len(new):.1%}")
    later_split(corpus, teachers)


# ---- the wake word -------------------------------------------------------------------------------


def heights(network, y: np.ndarray, *, window: int = WINDOW, hop: int = HOP) -> np.ndarray:
    """Return the score of the window that ends at each hop, a mean over three of them."""
    y = np.concatenate([np.zeros(window - hop), y]).astype(np.float32)
    rows = np.lib.stride_tricks.sliding_window_view(y, window)[::hop]
    parts = [rows[k : k + 64] for k in range(0, len(rows), 64)]
    with torch.no_grad():
        found = [network(speech.features(torch.from_numpy(part.copy()))) for part in parts]
    s = torch.cat(found)[:, 0].numpy()
    return np.convolve(np.concatenate([s[:1], s[:1], s]), np.ones(3) / 3, mode="valid")


def peaks(s: np.ndarray, *, apart: int = 10) -> list[float]:
    """Return the heights of the largest values that lie a second apart."""
    s = s.copy()
    found = []
    while s.size and s.max() > -6:
        k = int(s.argmax())
        found.append(float(s[k]))
        s[max(0, k - apart) : k + apart + 1] = -np.inf
    return found


def background(corpus: Path) -> dict[str, list[Path]]:
    """Return recordings of speech that no training heard, by who speaks."""
    rows = keyword_sounds.read_rows(corpus / "manifest.csv")
    found = {"English readers": []}
    for row in rows:
        if keyword_sounds.tests_alarms(row):
            found["English readers"].append(corpus / row["file"])
    for name, key in (("German", "kerstin"), ("French", "fleursdumal"), ("one reader", "coqui")):
        found[name] = [corpus / r["file"] for r in rows if r["kind"] == "speech"
                       and key in r["origin"]]  # fmt: skip
    voice = [corpus / "tasks" / row["file"] for row in recordings(corpus, "voice")]
    found["one voice"] = voice[::2]
    return found


def wake(corpus: Path) -> None:
    """Write how high the word stands, clean and in babble, and all else that is said."""
    network = speech.load("wake")
    rng = np.random.default_rng(3)
    rows = keyword_sounds.read_rows(corpus / "manifest.csv")
    crowd = [corpus / r["file"] for r in rows if r["kind"] == "noise" and r["split"] == "valid"
             and r["language_or_class"] == "babble"]  # fmt: skip
    babble = keyword_sounds.scaled(np.concatenate([keyword_sounds.read(p) for p in crowd]))
    found = []
    for row in table("wake_words"):
        word = keyword_sounds.trimmed(keyword_sounds.read(corpus / "tasks" / row["file"]))
        y = np.concatenate([np.zeros(SR), word, np.zeros(SR)])
        hiss = 1e-4 * rng.standard_normal(len(y))
        new = {"file": row["file"], "voice": row["voice"]}
        new["clean"] = f"{heights(network, y + hiss).max():.2f}"
        for snr in (10, 5):
            first = int(rng.integers(len(babble) - len(y)))
            noise = babble[first : first + len(y)] * 10 ** (-snr / 20)
            new[f"babble_{snr}"] = f"{heights(network, y + noise).max():.2f}"
        found.append(new)
    write("wake_words", found)
    found = []
    for name, paths in background(corpus).items():
        for half in (0, 1):
            some = [keyword_sounds.scaled(keyword_sounds.read(p)) for p in paths[half::2]]
            some = [np.concatenate([y, np.zeros(3200)]) for y in some]
            y = np.concatenate(some)[: 20 * 60 * SR]
            y = y + 1e-4 * rng.standard_normal(len(y))
            high = sorted(peaks(heights(network, y)), reverse=True)
            row = {"speech": name, "half": half, "hours": f"{len(y) / SR / 3600:.4f}"}
            row["heights"] = " ".join(f"{h:.2f}" for h in high)
            found.append(row)
            print(name, half, row["hours"], row["heights"][:60], flush=True)
    write("wake_background", found)


def talk(_: Path) -> None:
    """Write the score of the wake word all along data/words/talk.flac."""
    y, _ = soundfile.read(TABLES.parent / "words/talk.flac", dtype="float32")
    found = heights(speech.load("wake"), y)
    rows = [{"time_s": f"{k / 10:.1f}", "score": f"{s:.3f}"} for k, s in enumerate(found)]
    write("talk_scores", rows)


def rule(corpus: Path) -> None:
    """Write how often a classifier of keywords answers a keyword in speech without any order."""
    network = speech.load("keywords")
    rows = []
    for name, paths in background(corpus).items():
        if name in ("English readers", "one voice"):
            some = [keyword_sounds.scaled(keyword_sounds.read(p)) for p in paths[::3]]
            y = np.concatenate(some)[: 8 * 60 * SR].astype(np.float32)
            cut = np.lib.stride_tricks.sliding_window_view(y, SR)[::HOP]
            scores = asked(network, torch.from_numpy(cut.copy()))
            chance = torch.softmax(torch.from_numpy(scores), 1)
            best, k = chance.max(1)
            best = torch.where(k < 10, best, 0.0).numpy()
            for limit in (0.5, 0.7, 0.9, 0.95, 0.99):
                count = len(peaks(np.where(best > limit, best, -7.0)))
                hours = len(y) / SR / 3600
                row = {"speech": name, "limit": limit, "hours": f"{hours:.4f}", "alarms": count}
                rows.append(row)
                print(row, flush=True)
    write("keyword_rule", rows)


# ---- a word of your own --------------------------------------------------------------------------


def unit(E: np.ndarray) -> np.ndarray:
    """Return rows of length 1."""
    return E / np.linalg.norm(E, axis=-1, keepdims=True)


def embedded(corpus: Path):
    """Return embeddings, people, digits and takes of six people's digits, and embeddings of what
    machines say in data/words/commands.flac, one mean for each word that is not new.
    """
    network = speech.load("keywords")
    rows = recordings(corpus, "digits")
    sounds = []
    for row in rows:
        y, sr = soundfile.read(corpus / "tasks" / row["file"], dtype="float32")
        sounds.append(in_a_second(librosa.resample(y, orig_sr=sr, target_sr=SR)))
    E = asked(network, torch.from_numpy(np.stack(sounds)), "embed")
    y, _ = soundfile.read(TABLES.parent / "words/commands.flac", dtype="float32")
    machine = [row for row in table("commands") if row["word"] not in ("lantern", "computer")]
    cuts = [in_a_second(y[int(r["start"]) : int(r["stop"])]) for r in machine]
    M = asked(network, torch.from_numpy(np.stack(cuts)), "embed")
    words = np.array([row["word"] for row in machine])
    others = np.stack([M[words == word].mean(0) for word in dict.fromkeys(words)])
    take = np.array([int(Path(row["file"]).stem.split("_")[2]) for row in rows])
    return E, np.array([r["speaker"] for r in rows]), [int(r["label"]) for r in rows], take, others


def own(corpus: Path) -> None:
    """Write how well a word is known after 1 to 16 takes of it, by people whom the network has not
    heard. `named`: ten words are taught and told apart. `found` and `false`: one word is taught,
    all else is known by machine voices alone; how often it is found, and how often another digit by
    the same person is taken for it. The takes from number 16 on are the test.
    """
    E, who, digit, take, others = embedded(corpus)
    digit = np.array(digit)
    others = unit(others)
    found = []
    for person in np.unique(who):
        tests = (who == person) & (take >= 16)
        theirs = (unit(E[tests]) @ others.T).max(1)
        for takes in (1, 2, 4, 8, 16):
            taught = (who == person) & (take < takes)
            means = unit(np.stack([E[taught & (digit == d)].mean(0) for d in range(10)]))
            mine = unit(E[tests]) @ means.T
            yes = mine > theirs[:, None]
            is_it = digit[tests][:, None] == np.arange(10)
            row = {"person": person, "takes": takes}
            row["named"] = f"{np.mean(mine.argmax(1) == digit[tests]):.4f}"
            row["found"] = f"{yes[is_it].mean():.4f}"
            found.append(row | {"false": f"{yes[~is_it].mean():.4f}", "tests": int(tests.sum())})
    write("own_word", found)


def in_a_second(y: np.ndarray) -> np.ndarray:
    """Return a word in the middle of a second."""
    y = y[:SR]
    left = (SR - len(y)) // 2
    return np.pad(y, (left, SR - len(y) - left)).astype(np.float32)


# ---- other sounds --------------------------------------------------------------------------------


def sounds(corpus: Path) -> None:
    """Write how well ten kinds of sound are told apart, split by lot and by recording."""
    rows = [r for r in keyword_sounds.read_rows(corpus / "manifest.csv") if "ESC-10" in r["origin"]]
    X = []
    for row in rows:
        y, sr = soundfile.read(corpus / row["file"], dtype="float32")
        how = {"n_fft": 512, "hop_length": 256, "n_mels": 40, "fmax": 7600}
        L = np.log(librosa.feature.melspectrogram(y=y, sr=sr, power=1.0, **how) + 1e-4)
        X.append(np.concatenate([L.mean(1), L.std(1), np.abs(np.diff(L, axis=1)).mean(1)]))
    X = np.array(X)
    kind = np.array([row["language_or_class"] for row in rows])
    recording = np.array([row["speaker"] for row in rows])
    found = []
    for split in ("clip", "recording"):
        scores = {"neighbour": [], "ridge": []}
        for seed in range(40):
            rng = np.random.default_rng(seed)
            groups = np.arange(len(rows)) if split == "clip" else recording
            names = rng.permutation(np.unique(groups))
            test = np.isin(groups, names[: len(names) // 5])
            m, s = X[~test].mean(0), X[~test].std(0)
            Z = (X - m) / s
            for name, fn in (("neighbour", neighbour), ("ridge", ridge)):
                scores[name].append(np.mean(fn(Z[~test], kind[~test], Z[test]) == kind[test]))
        for name, values in scores.items():
            row = {"method": name, "split": split, "accuracy": f"{np.mean(values):.4f}"}
            row |= {"std": f"{np.std(values):.4f}", "clips": len(rows)}
            found.append(row | {"recordings": len(set(recording)), "kinds": len(set(kind))})
            print(found[-1], flush=True)
    write("environmental", found)


def main(argv: list[str] | None = None) -> int | str:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_keywords")
    what = {"words": words, "wake": wake, "talk": talk, "rule": rule, "own": own, "sounds": sounds}
    parser.add_argument("what", choices=what)
    parser.add_argument("--corpus", type=Path, required=True)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    what[options.what](options.corpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
