"""Measure what five claims of part 3 rest on: which half of a spectrogram is worth more, what a
phase does to one cleaned magnitude, what a quiet input does, how sure a difference of two is, what
it is worth that Setting 3 may turn a phase.

python3 -m tools.measure.score_phases --heldout ../shared/heldout
"""

import argparse
import csv
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from tools import notebooks

TABLES = notebooks.ROOT / "data" / "tables"
HOP = 256  # of the vocoders' spectrograms, whose frames have 1024 samples
GAINS_DB = (0, -10, -20, -30)
DRAWS = 10000  # of the bootstrap
MEASURES = ("si_sdr", "pesq", "stoi")


def spectrum(y):
    """Return the STFT of the vocoders."""
    from helpers import stft

    return stft.stft(np.asarray(y, np.float32), n_fft=1024, hop_length=HOP)


def magnitude_of(vocoder, log_mel) -> np.ndarray:
    """Return the linear magnitude that a vocoder makes of a mel, before it looks for a phase."""
    import torch

    if vocoder.name == "griffin_lim":
        return vocoder.form.magnitude(log_mel).astype(np.float32)
    with torch.no_grad():
        log_magnitude = vocoder.model.magnitude(torch.from_numpy(log_mel)[None])
    return log_magnitude.clamp(-12, 8).exp()[0].numpy()


def marks(y, clean) -> list[float]:
    """Return PESQ and STOI."""
    from helpers import metrics

    return [metrics.pesq(y, clean, sr=16000), metrics.stoi(y, clean, sr=16000)]


def table(found: dict, keys: tuple) -> list[dict]:
    """Return one row with the mean PESQ and STOI for each key of what was found."""
    rows = []
    for key, scores in found.items():
        pesq, stoi = np.mean(scores, axis=0)
        about = dict(zip(keys, key, strict=True))
        rows.append(about | {"n": len(scores), "pesq": f"{pesq:.3f}", "stoi": f"{stoi:.3f}"})
        print(rows[-1], flush=True)
    return rows


def two_by_two(folder: Path) -> list[dict]:
    """Put four magnitudes of clean recordings together with two phases each."""
    from helpers import phase, settings
    from tools.measure.score_vocoders import clean

    names = ("griffin_lim", "gan", "gan_40")
    vocoders = {name: settings.load_vocoder(name) for name in names}
    found = {}
    for y, sr in clean(folder):
        D = spectrum(y)
        magnitudes = {n: magnitude_of(v, v.mel(y, sr=sr)) for n, v in vocoders.items()}
        magnitudes["true"] = np.abs(D)
        for name, S in magnitudes.items():
            n_iter = 100 if name == "griffin_lim" else 32  # as the vocoders do it
            for kind, init in (("Griffin-Lim", "random"), ("true", np.angle(D))):
                rounds = n_iter if kind == "Griffin-Lim" else 0
                how = {"n_iter": rounds, "init": init, "hop_length": HOP, "length": len(y)}
                made = phase.griffin_lim(S, **how)
                found.setdefault((name, kind, rounds), []).append(marks(made, y))
    return table(found, ("magnitude", "phase", "rounds"))


def on_one_magnitude(folder: Path) -> list[dict]:
    """Put several phases on the magnitude that setting2_vocoder makes of a mixture."""
    from helpers import phase, settings
    from tools.training.evaluation import heldout

    enhancer = settings.load("setting2_vocoder")
    found = {}
    for row, noisy, speech, _ in heldout(folder):
        S = magnitude_of(enhancer.vocoder, enhancer.spectrogram(noisy))
        theirs = np.angle(spectrum(noisy))
        phases = {("Griffin-Lim", 32): "random", ("noisy", 0): theirs, ("noisy", 8): theirs}
        phases["true", 0] = np.angle(spectrum(speech))
        for (name, rounds), init in phases.items():
            how = {"n_iter": rounds, "init": init, "hop_length": HOP, "length": len(noisy)}
            made = phase.griffin_lim(S, **how)
            key = (name, rounds, int(row["snr_db"]))
            found.setdefault(key, []).append(marks(made, speech))
    return table(found, ("phase", "rounds", "snr_db"))


def quieter(folder: Path) -> list[dict]:
    """Give the networks of Settings 1 and 3 the mixtures at 10 dB more and more quietly."""
    import torch

    from helpers import metrics, settings
    from tools.training.evaluation import heldout

    mixtures = [m for m in heldout(folder) if m[0]["snr_db"] == "10"]
    rows = []
    for name in ("setting1_stft", "setting1_mel", "setting3_waveform"):
        model = settings.load(name).model
        for gain_db in GAINS_DB:
            gain, gains, heard = 10 ** (gain_db / 20), [], []
            for _, noisy, speech, sr in mixtures:
                with torch.no_grad():
                    y = model(torch.from_numpy(np.float32(gain) * noisy)[None])[0].numpy()
                gains.append(metrics.si_sdr(y, speech) - metrics.si_sdr(noisy, speech))
                heard.append(metrics.stoi(y / gain, speech, sr=sr))
            row = {"method": name, "gain_db": gain_db, "n": len(gains)}
            row |= {"si_sdr_gain": f"{np.mean(gains):.2f}", "stoi": f"{np.mean(heard):.3f}"}
            print(row, flush=True)
            rows.append(row)
    return rows


def differences(folder: Path) -> list[dict]:
    """Return differences of enhancers, means over utterances and levels, with 95 % intervals by a
    bootstrap that draws utterances.
    """
    from helpers import settings
    from tools.measure.score import UNSEEN, methods, score

    names = settings.enhancers()
    every = methods(names)
    scored = score(folder, {name: every[name] for name in names})
    levels = ("0", "5", "10")
    rng, rows = np.random.default_rng(0), []
    for noise in ("all", "seen", "unseen", "babble"):
        belongs = {
            "all": lambda kind: True,
            "seen": lambda kind: kind not in UNSEEN,
            "unseen": lambda kind: kind in UNSEEN,
            "babble": lambda kind: kind == "babble",
        }[noise]
        some = [row for row in scored if belongs(row["type"])]
        for measure in MEASURES:
            means = {}
            for name in names:
                mine = [
                    [r[measure] for r in some if r["method"] == name and str(r["snr_db"]) == level]
                    for level in levels
                ]
                means[name] = np.mean(mine, axis=0)  # one number an utterance
            drawn = rng.integers(len(means[names[0]]), size=(DRAWS, len(means[names[0]])))
            for one, other in combinations(names, 2):
                d = means[other] - means[one]
                low, high = np.quantile(d[drawn].mean(axis=1), (0.025, 0.975))
                row = {"method": other, "less": one, "noise": noise, "measure": measure}
                row |= {"n": len(d), "difference": f"{d.mean():.3f}"}
                rows.append(row | {"low": f"{low:.3f}", "high": f"{high:.3f}"})
    return rows


def turning(folder: Path) -> list[dict]:
    """Score Setting 3 as it is, and with the half of its mask that turns a pair set to 0; the
    differences of the two with 95 % intervals by a bootstrap over utterances.
    """
    import torch

    from helpers import metrics, settings
    from tools.training.evaluation import heldout

    model = settings.load("setting3_waveform").model
    masks = {"as it is": model.middle}
    real = torch.nn.Module()
    half = model.decoder.weight.shape[1] // 2  # the first half stretches, the second one turns

    def forward(x, states=None):
        mask, states = masks["as it is"](x, states)
        return mask * (torch.arange(2 * half) < half), states

    real.forward = forward
    masks["nothing turned"] = real
    found = {}
    for row, noisy, speech, _ in heldout(folder):
        for name, middle in masks.items():
            model.middle = middle
            with torch.no_grad():
                y = model(torch.from_numpy(noisy)[None])[0].numpy()
            scores = [metrics.si_sdr(y, speech), *marks(y, speech)]
            found.setdefault((name, int(row["snr_db"])), []).append(scores)
    rng, rows = np.random.default_rng(0), []
    for level in ("all", 0, 5, 10):
        levels = (0, 5, 10) if level == "all" else (level,)
        means = {n: np.mean([found[n, k] for k in levels], axis=0) for n in masks}
        d = means["as it is"] - means["nothing turned"]  # (utterances, measures)
        picks = rng.integers(len(d), size=(DRAWS, len(d)))
        for column, measure in enumerate(MEASURES):
            low, high = np.quantile(d[picks, column].mean(axis=1), (0.025, 0.975))
            row = {"snr_db": level, "measure": measure, "n": len(d)}
            row |= {n.replace(" ", "_"): f"{m[:, column].mean():.3f}" for n, m in means.items()}
            row |= {"difference": f"{d[:, column].mean():.3f}"}
            rows.append(row | {"low": f"{low:.3f}", "high": f"{high:.3f}"})
            print(rows[-1], flush=True)
    return rows


TODO = {
    "two_by_two": ("magnitude_and_phase.csv", two_by_two),
    "phases": ("phases_on_one_magnitude.csv", on_one_magnitude),
    "levels": ("level_of_the_input.csv", quieter),
    "differences": ("three_settings_differences.csv", differences),
    "turning": ("turning_heldout.csv", turning),
}


def main(argv: list[str] | None = None) -> int | str:
    """Write the tables."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.score_phases", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--heldout", required=True, type=Path, help="folder with manifest.csv")
    parser.add_argument("--what", nargs="*", default=list(TODO), choices=list(TODO))
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    options = parser.parse_args(argv)
    try:
        for what in options.what:
            file, measure = TODO[what]
            rows = measure(options.heldout)
            with (options.out / file).open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, rows[0], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
