"""The command line: train an enhancer or a vocoder, or evaluate an enhancer.

python3 -m helpers.training setting1_stft --speech DIR --noise DIR --valid-speech DIR --valid-noise DIR --out DIR
python3 -m helpers.training gan --speech DIR --valid-speech DIR --out DIR
python3 -m helpers.training evaluate setting1_stft --heldout DIR
"""

import argparse
import csv
import shlex
import sys
from pathlib import Path

import torch

from helpers import settings
from helpers.settings import vocoders, weights
from helpers.settings.vocoders.gan import Adversary
from helpers.training.evaluation import evaluate, summary, validate, validate_copies
from helpers.training.loop import Plan, device, train
from helpers.training.mixtures import Corpus, Crops, Mixtures
from helpers.training.objective import enhancement_loss


def train_command(options) -> None:
    """Train an enhancer or a vocoder; its best weights are OUT/NAME.safetensors."""
    plan = Plan(**{key: getattr(options, key) for key in Plan.__dataclass_fields__})
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    speech = Corpus(options.speech)
    told = {"command": "python3 -m helpers.training " + shlex.join(sys.argv[1:]), "seed": options.seed}
    told |= {"speech": speech.hash}
    print(f"speech {speech.seconds / 60:.0f} min ({speech.hash})")
    if options.name in vocoders.vocoders():
        model, supply, loss, judge, unit = copying(options, speech)
    else:
        model, supply, loss, judge, unit = enhancing(options, speech, told)
    if options.start:
        told["start"] = f"{options.start.stem}, {start_from(model, options.start)} tensors"
    path = Path(options.out) / f"{options.name}.safetensors"
    config = (vocoders if options.name in vocoders.vocoders() else settings).configuration(options.name)

    def keep(model, step, score):
        facts = told | {"step": step, unit: round(score, 3)}
        weights.save(path, model, config=config, provenance=facts, half=options.half)

    train(model, loss, supply, plan, out=options.out, on_best=keep, validate=judge)
    print(f"best weights: {path}")


def enhancing(options, speech, told):
    """Return model, mixtures, loss and validation of an enhancer, and what the validation measures."""
    if not options.noise:
        raise ValueError(f"{options.name} learns to remove noise: name a folder with --noise")
    noise = Corpus(options.noise)
    told["noise"] = noise.hash
    print(f"noise {noise.seconds / 60:.0f} min ({noise.hash})")
    mixtures = Mixtures(speech, noise, seconds=options.seconds, seed=options.seed)
    others = Corpus(options.valid_speech or options.speech), Corpus(options.valid_noise or options.noise)
    valid = [Mixtures(*others, seed=10**6, snr_db=(db, db), colour=False) for db in (0, 5, 10)]
    model = settings.build(options.name).to(device())
    return model, mixtures, enhancement_loss, lambda m: validate(m, valid), "valid_si_sdr_gain_db"


def copying(options, speech):
    """Return model, crops, loss and validation of a vocoder, and what the validation measures."""
    model = vocoders.build(options.name)
    if not hasattr(model, "loss"):
        raise ValueError(f"{options.name} has nothing to learn")
    model.to(device())
    crops = Crops(speech, seconds=options.seconds, seed=options.seed)
    valid = Crops(Corpus(options.valid_speech or options.speech), seconds=4, seed=10**6, level_db=(-25, -25))
    loss = Adversary(model, options.adversary) if options.adversary else model.loss
    return model, crops, loss, lambda m: validate_copies(m, valid), "valid_pesq" if model.quick else "valid_minus_loss"


def start_from(model, file: Path) -> int:
    """Take over the weights of another file wherever name and shape fit, and return how many tensors that were."""
    tensors, mine = weights.load(file)[0], model.state_dict()
    fit = {name: value for name, value in tensors.items() if name in mine and mine[name].shape == value.shape}
    model.load_state_dict(fit, strict=False)
    return len(fit)


def evaluate_command(options) -> None:
    """Print the scores of an enhancer on a held-out folder, and write every row to --csv."""
    enhancer = (
        settings.load(options.name) if options.weights is None else settings.load_file(options.name, options.weights)
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
    parser = argparse.ArgumentParser(prog="python3 -m helpers.training", description=__doc__.splitlines()[0])
    evaluating = argv[:1] == ["evaluate"]
    if evaluating:
        parser.add_argument("evaluate")
    parser.add_argument("name", choices=settings.enhancers() + ([] if evaluating else vocoders.vocoders()))
    if evaluating:
        parser.add_argument("--heldout", required=True, help="folder with manifest.csv")
        parser.add_argument("--weights", type=Path, help="another file of weights than the shipped one")
        parser.add_argument("--quick", action="store_true", help="SI-SDR alone")
        parser.add_argument("--csv", help="file for the scores of every mixture")
    else:
        parser.add_argument("--speech", required=True, help="folder with recordings of speech")
        parser.add_argument("--noise", help="folder with recordings of noise; a vocoder needs none")
        parser.add_argument("--valid-speech", help="speech to choose the best weights by; by default the same folder")
        parser.add_argument("--valid-noise", help="noise for the same")
        parser.add_argument("--out", required=True, help="folder for weights, log and checkpoint")
        parser.add_argument("--start", type=Path, help="weights to start from, of this or of another enhancer")
        parser.add_argument("--seconds", type=float, default=3.0, help="length of a mixture [s]")
        parser.add_argument("--half", action="store_true", help="write the weights in half precision")
        parser.add_argument("--adversary", type=float, default=0.0, help="weight of the critic of a gan")
        parser.add_argument("--threads", type=int, default=1, help="threads on the CPU")
        for key, field in Plan.__dataclass_fields__.items():
            kind = {"int": int, "float": float}.get(field.type, field.type)
            parser.add_argument("--" + key.replace("_", "-"), type=kind, default=field.default)
    options = parser.parse_args(argv)
    try:
        (evaluate_command if evaluating else train_command)(options)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
