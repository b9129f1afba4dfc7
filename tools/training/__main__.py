"""The command line: train an enhancer or a vocoder, or evaluate an enhancer.

python3 -m tools.training setting1_stft --speech DIR --noise DIR --valid-speech DIR --valid-noise
DIR --out DIR python3 -m tools.training gan --speech DIR --valid-speech DIR --out DIR python3 -m
tools.training evaluate setting1_stft --heldout DIR
"""

import argparse
import csv
import shlex
import sys
from pathlib import Path

import torch

from helpers import _weights, settings
from helpers._checks import check_positive, check_whole
from helpers.settings import vocoders
from helpers.training import enhancement_loss
from helpers.vocoders import build as build_vocoder
from helpers.vocoders import configuration as vocoder_configuration
from tools.training.adversary import Adversary
from tools.training.datasets import Corpus, Crops, Mixtures
from tools.training.evaluation import evaluate, summary, validate, validate_copies, validate_loss
from tools.training.loop import Plan, device, train


def train_command(options) -> None:
    """Train an enhancer or a vocoder; its best weights are OUT/NAME.safetensors."""
    plan = Plan(**{key: getattr(options, key) for key in Plan.__dataclass_fields__})
    plan.check()
    check_positive(options.seconds, name="--seconds", what="length of a mixture in seconds")
    check_whole(options.threads, name="--threads", low=1, remedy="take 1")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    copies = options.name in vocoders()
    model = (build_vocoder if copies else settings.build)(options.name)
    provenance = {
        "command": "python3 -m tools.training " + shlex.join(sys.argv[1:]),
        "seed": options.seed,
    }
    supply, loss, judge, unit = (copying if copies else enhancing)(options, model, provenance)
    model.to(device())
    if options.start:
        provenance["start"] = f"{options.start.stem}, {start_from(model, options.start)} tensors"
        was = _weights.load(options.start)[2]
        provenance["steps_before"] = was.get("step", 0) + was.get("steps_before", 0)
    path = Path(options.out) / f"{options.name}.safetensors"
    config = (vocoder_configuration if copies else settings.configuration)(options.name)

    def keep(model, step, score):
        facts = provenance | {"step": step, unit: round(score, 3)}
        _weights.save(path, model, config=config, provenance=facts, half=options.half)

    run = {"name": options.name} | {
        k: provenance[k] for k in ("speech", "noise") if k in provenance
    }
    train(model, loss, supply, plan, out=options.out, on_best=keep, validate=judge, run=run)
    if not path.is_file():
        raise ValueError(f"no validation gave a number, so {path} was not written; lower --rate")
    print(f"best weights: {path}")


def corpus(options, what: str, provenance: dict):
    """Return the corpus to train with and the one to validate with; `what` is speech or noise."""
    folder = getattr(options, what)
    if not folder:
        raise ValueError(f"{options.name} learns from noise too: name a folder with --noise")
    found = Corpus(folder)
    provenance[what] = found.hash
    print(f"{what} {found.seconds / 60:.0f} min ({found.hash})")
    return found, Corpus(getattr(options, f"valid_{what}") or folder)


def noisy(options, provenance: dict):
    """Return mixtures to train with, and three kinds to validate with: at 0, 5 and 10 dB."""
    (speech, other_speech), (noise, other_noise) = (
        corpus(options, what, provenance) for what in ("speech", "noise")
    )
    valid = [
        Mixtures(other_speech, other_noise, seed=10**6, snr_db=(db, db), colour=False)
        for db in (0, 5, 10)
    ]
    return Mixtures(speech, noise, seconds=options.seconds, seed=options.seed), valid


def enhancing(options, model, provenance):
    """Return mixtures, loss and validation of an enhancer, and what the validation measures."""
    mixtures, valid = noisy(options, provenance)
    if hasattr(model, "loss"):  # its output is a spectrogram
        return mixtures, model.loss, lambda m: validate_loss(m, valid), "valid_minus_loss"
    return mixtures, enhancement_loss, lambda m: validate(m, valid), "valid_si_sdr_gain_db"


def copying(options, model, provenance):
    """Return crops, loss and validation of a vocoder, and what the validation measures."""
    if not hasattr(model, "loss"):
        raise ValueError(f"{options.name} has nothing to learn")
    loss = Adversary(model.to(device()), options.adversary) if options.adversary else model.loss
    if options.cleaner:  # it learns from what that makes of noisy speech
        model.to_mel = [
            settings.load_file("setting2_vocoder", options.cleaner, vocoder=None).model.to(device())
        ]
        supply, valid = noisy(options, provenance)
        provenance["cleaner"] = options.cleaner.stem
    else:
        speech, other = corpus(options, "speech", provenance)
        supply = Crops(speech, seconds=options.seconds, seed=options.seed)
        valid = [Crops(other, seconds=4, seed=10**6, level_db=(-25, -25))]
    if getattr(model, "cheap_to_generate", False):
        return supply, loss, lambda m: validate_copies(m, valid), "valid_pesq"
    return supply, loss, lambda m: validate_loss(m, valid), "valid_minus_loss"


def start_from(model, file: Path) -> int:
    """Take over the weights of another file wherever name and shape fit, and return how many
    tensors that were.
    """
    tensors, mine = _weights.load(file)[0], model.state_dict()
    fit = {
        name: value
        for name, value in tensors.items()
        if name in mine and mine[name].shape == value.shape
    }
    if not fit:
        raise ValueError(f"{file} holds no tensor that fits; start from a network of the same kind")
    model.load_state_dict(fit, strict=False)
    return len(fit)


def evaluate_command(options) -> None:
    """Print the scores of an enhancer on a held-out folder, and write every row to --csv."""
    enhancer = (
        settings.load(options.name)
        if options.weights is None
        else settings.load_file(options.name, options.weights)
    )
    rows = evaluate(enhancer.enhance, options.heldout, quality=not options.quick)
    print(summary(rows))
    if options.csv:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def main(argv: list[str] | None = None) -> int:
    """Read the command line and do what it says."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.training", description=__doc__.splitlines()[0]
    )
    evaluating = argv[:1] == ["evaluate"]
    if evaluating:
        parser.add_argument("evaluate")
    parser.add_argument("name", choices=settings.enhancers() + ([] if evaluating else vocoders()))
    if evaluating:
        parser.add_argument("--heldout", required=True, help="folder with manifest.csv")
        parser.add_argument(
            "--weights", type=Path, help="another file of weights than the shipped one"
        )
        parser.add_argument("--quick", action="store_true", help="SI-SDR alone")
        parser.add_argument("--csv", help="file for the scores of every mixture")
    else:
        parser.add_argument("--speech", required=True, help="folder with recordings of speech")
        parser.add_argument("--noise", help="folder with recordings of noise; a vocoder needs none")
        parser.add_argument(
            "--valid-speech",
            help="speech to choose the best weights by; by default the same folder",
        )
        parser.add_argument("--valid-noise", help="noise for the same")
        parser.add_argument("--out", required=True, help="folder for weights, log and checkpoint")
        parser.add_argument(
            "--start", type=Path, help="weights to start from, of this or of another enhancer"
        )
        parser.add_argument("--seconds", type=float, default=3.0, help="length of a mixture [s]")
        parser.add_argument(
            "--cleaner",
            type=Path,
            help="weights of setting2_vocoder: a vocoder learns from its mels",
        )
        parser.add_argument(
            "--half", action="store_true", help="write the weights in half precision"
        )
        parser.add_argument(
            "--adversary", type=float, default=0.0, help="weight of the critic of a gan"
        )
        parser.add_argument("--threads", type=int, default=1, help="threads on the CPU")
        for key, field in Plan.__dataclass_fields__.items():
            name, kind = (
                "--" + key.replace("_", "-"),
                {"int": int, "float": float}.get(field.type, field.type),
            )
            if kind in (bool, "bool"):
                parser.add_argument(name, action="store_true")
            else:
                parser.add_argument(name, type=kind, default=field.default)
    options = parser.parse_args(argv)
    try:
        (evaluate_command if evaluating else train_command)(options)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
