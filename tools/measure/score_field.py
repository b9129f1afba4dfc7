"""Measure what unit 37 rests on, on held-out recordings: what masks, complex masks and deep filters
could do at best; our enhancers beside other people's, by seven measures; what rooms, levels,
telephones and clipping do to them.

python3 -m tools.measure.score_field --heldout ../shared/heldout --rows runs/field

Each score is kept in a file of the folder of --rows at once, so a run can be stopped. Peers are
measured where they are installed (see peers.py), DNSMOS where speechmos is, words where
pocketsphinx is. Writes oracle_masks.csv, field_scores.csv, field.csv, robustness.csv and
six_sounds.csv.
"""

import argparse
import csv
import functools
import sys
from pathlib import Path

import numpy as np

from tools import notebooks
from tools.measure import oracles, peers

TABLES = notebooks.ROOT / "data" / "tables"
SR = 16000
DRAWS = 4000  # of utterances
SENTENCE = "he turned sharply and faced gregson across the table"  # of the clip arctic_slt
PLAIN = ("si_sdr", "pesq", "stoi")
MEASURES = (*PLAIN, "sig", "bak", "ovrl", "words")


class Kept:
    """Rows in a file, each written when it is made; what stands there is not made again."""

    def __init__(self, path: Path, keys: tuple, measures: tuple):
        self.path, self.keys = path, keys
        self.names = (*keys, *measures)
        self.rows = []
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                self.rows = list(csv.DictReader(file))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as file:
                file.write(",".join(self.names) + "\n")
        self.done = {tuple(row[key] for key in keys) for row in self.rows}

    def add(self, about: dict, scores: dict) -> None:
        """Write one row."""
        row = {name: str(about[name]) for name in self.keys}
        row |= {name: f"{score:.4f}" for name, score in scores.items()}
        row = {name: row.get(name, "") for name in self.names}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.names, lineterminator="\n").writerow(row)
        self.rows.append(row)
        self.done.add(tuple(row[key] for key in self.keys))
        print(*row.values(), flush=True)


def plain_scores(y: np.ndarray, clean: np.ndarray) -> dict:
    """Return SI-SDR, PESQ and STOI."""
    from helpers import metrics

    found = metrics.si_sdr(y, clean), metrics.pesq(y, clean, sr=SR), metrics.stoi(y, clean, sr=SR)
    return dict(zip(PLAIN, found, strict=True))


@functools.cache
def dnsmos():
    """Return the network of DNSMOS P.835 and the polynomials of its package, or None."""
    try:
        from speechmos import dnsmos as package
    except ImportError:
        return None
    folder = Path(package.__file__).parent / "dnsmos_models"
    return peers.session(folder / "sig_bak_ovr.onnx"), package.DNSMOS.get_polyfit_val


def dnsmos_scores(y: np.ndarray) -> dict:
    """Return what DNSMOS P.835 says of speech, background and all, where it is installed; a sound
    is repeated until it lasts 9.01 s.
    """
    if dnsmos() is None:
        return {}
    net, curves = dnsmos()
    y = np.resize(np.clip(y, -1, 1), int(9.01 * SR)).astype(np.float32)
    raw = net.run(None, {"input_1": y[None]})[0][0]
    return dict(zip(("sig", "bak", "ovrl"), map(float, curves(None, *raw, False)), strict=True))


@functools.cache
def recogniser():
    """Return PocketSphinx with the English models that its package bundles, or None."""
    try:
        import pocketsphinx
    except ImportError:
        return None
    return pocketsphinx.Decoder(samprate=SR, loglevel="FATAL", maxhmmpf=3000)


def heard(y: np.ndarray) -> list[str]:
    """Return the words that the recogniser hears, at a level that it likes."""
    decoder = recogniser()
    gain = 0.05 / max(np.sqrt(np.mean(y**2)), 1e-9)
    pcm = (32767 * np.clip(gain * y, -1, 1)).astype(np.int16).tobytes()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr.split() if found else []


def wrong_words(said: list[str], truth: list[str]) -> float:
    """Return the word error rate: insertions, deletions and replacements over words said."""
    costs = list(range(len(truth) + 1))
    for i, word in enumerate(said, start=1):
        before, costs[0] = costs[0], i
        for j, other in enumerate(truth, start=1):
            best = min(costs[j] + 1, costs[j - 1] + 1, before + (word != other))
            before, costs[j] = costs[j], best
    return costs[-1] / max(len(truth), 1)


def systems(names: list[str]) -> dict:
    """Return functions from a mixture to an estimate, by name: ours, then peers."""
    from helpers import settings

    def ours(name):
        enhancer = settings.load(name)
        return lambda y: enhancer.enhance(np.asarray(y, np.float32), sr=SR)

    found = {"noisy": lambda y: y}
    found |= {name: ours(name) for name in settings.enhancers()}
    found |= oracles.flows()
    found |= peers.installed()
    return {name: call for name, call in found.items() if not names or name in names}


def mixtures(folder: Path):
    """Yield about a mixture, its samples, and those of its voice."""
    from tools.training.evaluation import heldout

    for row, noisy, clean, _ in heldout(folder):
        yield {"utterance": Path(row["clean"]).stem, "snr_db": row["snr_db"]}, noisy, clean


def measure_field(folder: Path, kept: Kept, every: dict) -> None:
    """Score all systems on all mixtures."""
    for about, noisy, clean in mixtures(folder):
        for name, enhance in (every | {"clean": lambda y, clean=clean: clean}).items():
            about = about | {"system": name}
            if tuple(about[k] for k in kept.keys) not in kept.done:
                made = np.asarray(enhance(noisy), float)
                kept.add(about, plain_scores(made, clean) | dnsmos_scores(made))


def measure_words(folder: Path, kept: Kept, every: dict) -> None:
    """Count at 5 dB the words that the recogniser hears otherwise than in the clean recording."""
    if recogniser() is None:
        return
    for about, noisy, clean in mixtures(folder):
        todo = {n: e for n, e in every.items() if (*about.values(), n) not in kept.done}
        if about["snr_db"] != "5" or not todo:
            continue
        truth = heard(clean)
        for name, enhance in todo.items():
            said = heard(np.asarray(enhance(noisy), float))
            kept.add(about | {"system": name}, {"words": wrong_words(said, truth)})


def conditions(clean: np.ndarray, noise: np.ndarray) -> dict:
    """Return what comes in and what should come out, by name; `noise` makes 10 dB."""
    from helpers import audio

    noisy = clean + noise
    found = {"10 dB": (noisy, clean), "clean": (clean, clean)}
    for db in (-55, -45, -35, -15, -5):
        gain = 10 ** (db / 20) / np.sqrt(np.mean(clean**2))
        found[f"{db} dBFS"] = gain * noisy, gain * clean
    for seconds in (0.3, 0.6):
        wet = oracles.in_a_room(clean, seconds)
        found[f"room {seconds} s"] = wet + noise, wet
    wet = oracles.in_a_room(clean, 0.6)
    found["room 0.6 s, no noise"] = wet, wet
    narrow = oracles.telephone(clean)
    found["telephone"] = oracles.telephone(noisy), narrow
    peak = 0.25 * np.abs(noisy).max()
    found["clipped"] = np.clip(noisy, -peak, peak), clean
    return {name: tuple(map(audio.check, pair)) for name, pair in found.items()}


def measure_robustness(folder: Path, kept: Kept, every: dict) -> None:
    """Score systems on the mixtures at 10 dB in all conditions."""
    for about, noisy, clean in mixtures(folder):
        if about["snr_db"] != "10":
            continue
        for condition, (given, wanted) in conditions(clean, noisy - clean).items():
            for name, enhance in every.items():
                about = about | {"condition": condition, "system": name}
                if tuple(about[k] for k in kept.keys) in kept.done:
                    continue
                made = np.asarray(enhance(given), float)
                if not np.any(made):
                    made = made + 1e-9 * given
                kept.add(about, plain_scores(made, wanted))


def measure_oracles(folder: Path, kept: Kept) -> None:
    """Score every oracle on all mixtures."""
    for about, noisy, clean in mixtures(folder):
        for name, make in oracles.ORACLES.items():
            about = about | {"oracle": name}
            if tuple(about[k] for k in kept.keys) not in kept.done:
                kept.add(about, plain_scores(make(noisy, clean), clean))


def score(text) -> float:
    """Return a score as a number; NaN where there is none."""
    return float("nan") if text == "" else float(text)


def mean_of(scores: np.ndarray) -> float:
    """Return the mean; NaN of nothing."""
    return float(scores.mean()) if len(scores) else float("nan")


def summary(rows: list[dict], by: tuple, measures: tuple) -> list[dict]:
    """Return mean and 95 % interval of each measure for each group, drawn by utterances."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in by), []).append(row)
    table = []
    for key, some in groups.items():
        line = dict(zip(by, key, strict=True)) | {"n": len(some)}
        people = sorted({row["utterance"] for row in some})
        for name in measures:
            scores = [[score(r[name]) for r in some if r["utterance"] == p] for p in people]
            means = np.array([np.mean(one) for one in scores])
            means = means[np.isfinite(means)]  # words are counted on some utterances only
            picks = np.random.default_rng(0).integers(max(len(means), 1), size=(DRAWS, len(means)))
            ends = [np.nan, np.nan]
            if len(means):
                ends = np.quantile(means[picks].mean(axis=1), (0.025, 0.975))
            if name == "words":
                line["words_n"] = len(means)
            for part, value in zip(("", "_low", "_high"), (mean_of(means), *ends), strict=True):
                line[name + part] = f"{value:.3f}" if np.isfinite(value) else ""
        table.append(line)
    return table


def gains(rows: list[dict], by: tuple) -> list[dict]:
    """Return rows whose SI-SDR is what was gained over the noisy sound."""
    before = {tuple(r[k] for k in by): float(r["si_sdr"]) for r in rows if r["system"] == "noisy"}
    return [r | {"si_sdr": float(r["si_sdr"]) - before[tuple(r[k] for k in by)]} for r in rows]


def write(name: str, rows: list[dict]) -> None:
    """Write a table."""
    with (TABLES / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def measure_sounds() -> None:
    """Score the six sounds of the page by DNSMOS and by the recogniser, as it makes them."""
    from helpers import audio, settings, stft

    space = {"np": np, "audio": audio, "stft": stft}
    for cell in notebooks.read(notebooks.ROOT / "notebooks/37_after_the_three.ipynb")["cells"]:
        if "disagree" in cell["metadata"].get("tags", []) and "def six_" in notebooks.source(cell):
            exec(notebooks.source(cell), space)
    voice = audio.clip("arctic_slt")[0][: 3 * SR].astype(float)
    vocoder = settings.load_vocoder("gan")
    copy = vocoder.synthesize(vocoder.mel(voice, sr=SR), length=len(voice)).astype(float)
    other = audio.clip("librivox_c")[0][SR : 4 * SR].astype(float)
    sounds = space["six_sounds"](voice, other, audio.clip("rain")[0], copy)
    rows = []
    for name, y in ({"voice alone": voice} | sounds).items():
        scores = dnsmos_scores(y) | {"words": wrong_words(heard(y), SENTENCE.split())}
        rows.append({"sound": name} | {key: f"{score:.3f}" for key, score in scores.items()})
        print(*rows[-1].values(), " ".join(heard(y)), flush=True)
    write("six_sounds", rows)


def tables(folder: Path) -> None:
    """Write the tables of which there are rows."""
    kept = {name: Kept(folder / f"{name}.csv", *KEPT[name]).rows for name in KEPT}
    if kept["oracles"]:
        write("oracle_masks", summary(kept["oracles"], ("oracle", "snr_db"), PLAIN))
    if kept["robustness"]:
        rough = gains(kept["robustness"], ("utterance", "condition"))
        write("robustness", summary(rough, ("condition", "system"), PLAIN))
    words = {tuple(r[k] for k in KEPT["words"][0]): r["words"] for r in kept["words"]}
    field = [
        r | {"words": words.get(tuple(r[k] for k in KEPT["words"][0]), "")} for r in kept["field"]
    ]
    if field:
        order = list(dict.fromkeys(row["system"] for row in field))
        field.sort(key=lambda r: (order.index(r["system"]), int(r["snr_db"]), r["utterance"]))
        write("field_scores", field)
        write(
            "field", summary(gains(field, ("utterance", "snr_db")), ("system", "snr_db"), MEASURES)
        )


KEPT = {
    "oracles": (("utterance", "snr_db", "oracle"), PLAIN),
    "field": (("utterance", "snr_db", "system"), MEASURES[:-1]),
    "words": (("utterance", "snr_db", "system"), MEASURES[-1:]),
    "robustness": (("utterance", "condition", "system"), PLAIN),
}


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True, help="folder where scores are kept")
    parser.add_argument("--parts", nargs="*", default=[*KEPT, "sounds"])
    parser.add_argument("--systems", nargs="*", default=[], help="only these")
    options = parser.parse_args(argv)
    kept = {name: Kept(options.rows / f"{name}.csv", *KEPT[name]) for name in KEPT}
    every = (
        systems(options.systems) if {"field", "words", "robustness"} & set(options.parts) else {}
    )
    if "oracles" in options.parts:
        measure_oracles(options.heldout, kept["oracles"])
    if "field" in options.parts:
        measure_field(options.heldout, kept["field"], every)
    if "words" in options.parts:
        measure_words(options.heldout, kept["words"], every)
    if "sounds" in options.parts:
        measure_sounds()
    if "robustness" in options.parts:
        measure_robustness(options.heldout, kept["robustness"], every)
    tables(options.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
