"""Measure the controlled experiment of part 3 on held-out recordings: one cleaned magnitude with
many phases, and magnitudes and phases crossed. What is scored is kept, so a run can be stopped.

python3 -m tools.measure.one_magnitude --heldout ../shared/heldout --rows rows.csv
"""

import argparse
import csv
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from tools import notebooks
from tools.measure.score_phases import DRAWS, HOP, MEASURES, magnitude_of, spectrum

TABLES = notebooks.ROOT / "data" / "tables"
ROUNDS = 32  # of Griffin-Lim, wherever it stands
WHAT = ("experiment", "magnitude", "phase", "rounds")
RAW = (*WHAT, "utterance", "snr_db", *MEASURES)


def cleaned_by_setting1(noisy, model) -> np.ndarray:
    """Return the magnitude that Setting 1 makes of a mixture, in its own frames."""
    import torch

    from helpers import stft

    S = np.abs(stft.stft(noisy, n_fft=512, hop_length=128))
    with torch.no_grad():
        mask, _ = model.mask(torch.from_numpy(S)[None])
    return mask[0].numpy() * S


def with_phase(S, init, *, rounds: int, hop: int, length: int) -> np.ndarray:
    """Return the sound of a magnitude after so many rounds from an initial phase."""
    from helpers import phase

    return phase.griffin_lim(S, hop_length=hop, n_iter=rounds, init=init, length=length)


def many_phases(noisy, speech, systems) -> dict:
    """Return sounds of the magnitude of Setting 1, each with another phase."""
    from helpers import stft

    def angles(y):
        return np.angle(stft.stft(np.asarray(y, np.float32), n_fft=512, hop_length=128))

    S = cleaned_by_setting1(noisy, systems["setting1_stft"].model)
    theirs = angles(noisy)
    starts = {
        ("noisy", 0): theirs,
        ("Griffin-Lim from random", ROUNDS): "random",
        ("Griffin-Lim from noisy", ROUNDS): theirs,
        ("Griffin-Lim from slopes", ROUNDS): "gradient",
        ("slopes", 0): "gradient",
        ("of Setting 2's vocoder", 0): angles(systems["setting2_vocoder"].enhance(noisy, sr=16000)),
        ("of Setting 3", 0): angles(systems["setting3_waveform"].enhance(noisy, sr=16000)),
        ("true", 0): angles(speech),
    }
    how = {"hop": 128, "length": len(noisy)}
    return {
        ("one magnitude", "Setting 1", name, rounds): with_phase(S, init, rounds=rounds, **how)
        for (name, rounds), init in starts.items()
    }


def crossed(experiment: str, log_mel, speech, networks) -> dict:
    """Return sounds of three magnitudes with two phases each: from a mel by least squares and by a
    network, and the true one.
    """
    D = spectrum(speech)
    magnitudes = {name: magnitude_of(v, log_mel) for name, v in networks.items()}
    magnitudes["true"] = np.abs(D)
    how = {"hop": HOP, "length": len(speech)}
    made = {}
    for name, S in magnitudes.items():
        about = experiment, name
        made[*about, "Griffin-Lim", ROUNDS] = with_phase(S, "random", rounds=ROUNDS, **how)
        made[*about, "true", 0] = with_phase(S, np.angle(D), rounds=0, **how)
    return made


def measure(folder: Path, kept: Path) -> list[dict]:
    """Return one row for each sound, and write it down at once; what stands there is not done
    again.
    """
    import torch

    from helpers import metrics, settings
    from tools.training.evaluation import heldout

    torch.set_num_threads(1)
    systems = {n: settings.load(n) for n in settings.enhancers()}
    two = systems["setting2_vocoder"]
    plain = settings.load_vocoder("griffin_lim")
    of_mixtures = {"least squares": plain, "network": two.vocoder}
    of_clean = {"least squares": plain, "network": settings.load_vocoder("gan")}
    rows = list(csv.DictReader(kept.open(encoding="utf-8"))) if kept.exists() else []
    done = {(row["utterance"], row["snr_db"]) for row in rows}
    for row, noisy, speech, sr in heldout(folder):
        where = {"utterance": Path(row["clean"]).stem, "snr_db": row["snr_db"]}
        if tuple(where.values()) in done:
            continue
        made = many_phases(noisy, speech, systems)
        made |= crossed("cleaned mel", two.spectrogram(noisy), speech, of_mixtures)
        if row["snr_db"] == "0":  # the clean recordings, once
            made |= crossed("clean mel", plain.mel(speech, sr=sr), speech, of_clean)
        fresh = []
        for key, y in made.items():
            scores = [metrics.si_sdr(y, speech)]
            scores += [metrics.pesq(y, speech, sr=sr), metrics.stoi(y, speech, sr=sr)]
            marks = {name: f"{mark:.4f}" for name, mark in zip(MEASURES, scores, strict=True)}
            fresh.append(dict(zip(WHAT, map(str, key), strict=True)) | where | marks)
        write(kept, fresh, new=not rows)
        rows += fresh
        print(*where.values(), flush=True)
    return rows


def write(path: Path, rows: list[dict], *, new: bool) -> None:
    """Write a table, or add rows to it."""
    with path.open("w" if new else "a", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, rows[0], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def utterances(rows: list[dict]) -> list[dict]:
    """Return means over the SNRs, one row for each utterance and sound."""
    found = {}
    for row in rows:
        key = (*(row[name] for name in WHAT), row["utterance"])
        found.setdefault(key, []).append([float(row[m]) for m in MEASURES])
    means = []
    for key, scores in found.items():
        marks = zip(MEASURES, np.mean(scores, axis=0), strict=True)
        about = dict(zip((*WHAT, "utterance"), key, strict=True))
        means.append(about | {name: f"{mark:.3f}" for name, mark in marks})
    order = list(dict.fromkeys(tuple(row[name] for name in WHAT) for row in means))
    return sorted(means, key=lambda row: order.index(tuple(row[name] for name in WHAT)))


def differences(means: list[dict]) -> list[dict]:
    """Return mean differences of any two sounds of an experiment, with 95 % intervals by a paired
    bootstrap over utterances.
    """
    scores = {}
    for row in means:
        key = tuple(row[name] for name in WHAT)
        scores.setdefault(key, []).append([float(row[m]) for m in MEASURES])
    rows = []
    for one, other in combinations(scores, 2):
        if one[0] != other[0]:
            continue
        d = np.subtract(scores[other], scores[one])  # (utterances, measures)
        picks = np.random.default_rng(0).integers(len(d), size=(DRAWS, len(d)))
        ends = np.quantile(d[picks].mean(axis=1), (0.025, 0.975), axis=0)
        for k, name in enumerate(MEASURES):
            row = dict(zip(WHAT, other, strict=True))
            row |= {"less_magnitude": one[1], "less_phase": one[2], "less_rounds": one[3]}
            row |= {"measure": name, "n": len(d), "difference": f"{d[:, k].mean():.3f}"}
            rows.append(row | {"low": f"{ends[0, k]:.3f}", "high": f"{ends[1, k]:.3f}"})
    return rows


def main(argv: list[str] | None = None) -> int | str:
    """Write the two tables."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.one_magnitude", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--heldout", required=True, type=Path, help="folder with manifest.csv")
    parser.add_argument("--rows", required=True, type=Path, help="file where each score is kept")
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    options = parser.parse_args(argv)
    try:
        means = utterances(measure(options.heldout, options.rows))
        write(options.out / "one_magnitude.csv", means, new=True)
        write(options.out / "one_magnitude_differences.csv", differences(means), new=True)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
