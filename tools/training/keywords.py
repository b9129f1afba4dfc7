"""Keywords: the network that tells ten words, any other word, and none in a second of sound.

python3 -m tools.training.keywords train --corpus ../shared/corpus --out .scratch/keywords
python3 -m tools.training.keywords score --corpus ../shared/corpus

`train` goes on where an earlier run in the same folder stopped; `score` counts what the weights
recognise of people that no training has heard.
"""

import argparse
import copy
import csv
import io
import math
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from helpers import _weights
from helpers._storage import write_file
from helpers.speech import CLASSES, Keywords, features
from tools.training.keyword_sounds import (
    SILENCE,
    Clip,
    Sounds,
    changed,
    commands,
    draw_batch,
    met,
    mixed,
    one_second,
    training_pools,
)
from tools.training.loop import device

# ---- training ------------------------------------------------------------------------------------


class Training:
    """A network, a running mean of its weights, and the optimizer; `step` by `step`."""

    def __init__(self, where: torch.device, *, make=Keywords, rate: float = 3e-3, seed: int = 1):
        torch.manual_seed(seed)
        self.network = make().to(where)
        self.mean = copy.deepcopy(self.network).eval()
        self.rate = rate
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), rate, betas=(0.9, 0.98), weight_decay=3e-2
        )
        self.facts = {"step": 0, "seconds": 0.0, "log": []}

    def parts(self) -> dict:
        """Return what a checkpoint holds."""
        return {"network": self.network, "mean": self.mean, "optimizer": self.optimizer}

    def step(self, sounds: Sounds, *, share: float, batch: int) -> float:
        """Take a step when this share of the time is over, and return the loss."""
        hard = min(1.0, 0.3 + 1.5 * share) * (1.0 if share < 0.85 else 0.7)
        y, label = draw_batch(sounds, batch, hard=hard)
        x, target = mixed(changed(features(y), hard=hard), label)
        where = sounds.where.type
        with torch.autocast(where, torch.bfloat16, enabled=where == "cuda"):
            scores = self.network(x)
        loss = -(target * F.log_softmax(scores.float(), 1)).sum(1).mean()
        return self.learn(loss, share=share)

    def learn(self, loss: torch.Tensor, *, share: float) -> float:
        """Take a step down the slope of a loss; the rate rises for 8 % of the time, then falls."""
        warm = min((share + 1e-3) / 0.08, 1.0)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, share - 0.08) / 0.92))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * warm * (fall + 1e-3)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        if torch.isfinite(norm):  # one bad batch must not cost the run
            self.optimizer.step()
        self.facts["step"] += 1
        self.follow()
        return float(loss.detach())

    @torch.no_grad()
    def follow(self) -> None:
        """Let the running mean follow: over few steps at first, over 500 later."""
        step = self.facts["step"]
        keep = min(0.998, (1 + step) / (10 + step))
        state = self.network.state_dict()
        for name, old in self.mean.state_dict().items():
            if old.is_floating_point():
                old.lerp_(state[name], 1 - keep)
            else:
                old.copy_(state[name])

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        raw = io.BytesIO()
        states = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save(states | {"facts": self.facts, "random": torch.get_rng_state()}, raw)
        write_file(path, raw.getbuffer())

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one."""
        if path.is_file():
            state = torch.load(path, map_location="cpu", weights_only=True)
            for name, part in self.parts().items():
                part.load_state_dict(state[name])
            self.facts = state["facts"]
            torch.set_rng_state(state["random"])


def steps_through(training: Training, path: Path, step, watch, *, seconds: float, parts: int = 20):
    """Take steps until so many seconds of the processor are over, and return the log; after each
    part of them, `watch` says how far the mean has come, and a checkpoint is written.
    """
    training.resume(path)
    facts = training.facts
    losses = []
    while facts["seconds"] < seconds:
        began = time.process_time()
        before = facts["seconds"]
        losses.append(step(training, share=before / seconds))
        facts["seconds"] += time.process_time() - began
        if int(parts * facts["seconds"] / seconds) > int(parts * before / seconds):
            row = {"step": facts["step"], "seconds": round(facts["seconds"], 1)}
            row["loss"] = round(float(np.mean(losses)), 4)
            facts["log"].append(row | {"valid": round(float(watch(training.mean)), 4)})
            print(facts["log"][-1], flush=True)
            losses = []
            training.save(path)
    return facts["log"]


def train(corpus, out, *, seconds: float, batch: int, seed: int, command: str) -> None:
    """Train for so many seconds in all; a validation after each eighth of them."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    training = Training(device(), seed=seed)
    training.resume(out / "checkpoint.pt")
    sounds = Sounds(training_pools(corpus), device())
    valid = [clip for clip in commands(corpus) if clip.part == "valid"]
    facts = training.facts
    began = time.monotonic() - facts["seconds"]
    losses = []
    while facts["seconds"] < seconds:
        before = facts["seconds"]
        losses.append(training.step(sounds, share=before / seconds, batch=batch))
        facts["seconds"] = time.monotonic() - began
        if int(8 * facts["seconds"] / seconds) > int(8 * before / seconds):
            right = np.mean([hit for hit, _ in judge(training.mean, valid)])
            row = {"step": facts["step"], "seconds": round(facts["seconds"], 1)}
            facts["log"].append(row | {"loss": float(np.mean(losses)), "valid": float(right)})
            print(facts["log"][-1], flush=True)
            losses = []
            training.save(out / "checkpoint.pt")
            began = time.monotonic() - facts["seconds"]  # validation is no time of training
    provenance = {"command": command, "seed": seed, "step": facts["step"], "seconds": seconds}
    provenance |= {"valid_accuracy": round(facts["log"][-1]["valid"], 4)}
    save_weights(out / "keywords.safetensors", training.mean, provenance)
    write_rows(out / "keywords.csv", facts["log"])


def save_weights(path: Path, network: Keywords, provenance: dict) -> None:
    """Write the weights in half precision."""
    config = {"sizes": [24, 48, 80], "drop": 0.3}
    _weights.save(path, network, config=config, provenance=provenance, half=True)


def write_rows(path: Path, rows: list[dict]) -> None:
    """Write a table."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, text.getvalue().encode())


# ---- score ---------------------------------------------------------------------------------------


@torch.no_grad()
def judge(network: Keywords, clips: list[Clip]) -> list[tuple[bool, int]]:
    """Return for each clip whether it was recognised, and as which class."""
    where = next(network.parameters()).device
    found = []
    for first in range(0, len(clips), 64):
        some = clips[first : first + 64]
        best = network.eval()(features(one_second([c.path for c in some]).to(where))).argmax(1)
        found += [(k == c.label, k) for k, c in zip(best.tolist(), some, strict=True)]
    return found


def wilson(right: int, count: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of 95 % for a share, as if every clip told something new."""
    p = right / count
    middle = p + z * z / (2 * count)
    half = z * math.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2)
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def over_people(hits, people, *, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap interval of 95 % that draws people, each with all their clips."""
    _, group = np.unique(people, return_inverse=True)
    right = np.bincount(group, weights=np.asarray(hits, float))
    count = np.bincount(group)
    chosen = np.random.default_rng(seed).integers(len(count), size=(draws, len(count)))
    low, high = np.percentile(right[chosen].sum(1) / count[chosen].sum(1), [2.5, 97.5])
    return float(low), float(high)


def summary(clips: list[Clip], found: list[tuple[bool, int]]) -> str:
    """Return the accuracy with both intervals, with and without the clips of silence."""
    lines = []
    for name, wanted in (("12 classes", range(12)), ("without _silence_", range(11))):
        rows = [(c, hit) for c, (hit, _) in zip(clips, found, strict=True) if c.label in wanted]
        hits = [hit for _, hit in rows]
        people = [c.person for c, _ in rows]
        low, high = wilson(sum(hits), len(hits))
        under, over = over_people(hits, people)
        lines.append(
            f"{name}: {sum(hits)} of {len(hits)} = {np.mean(hits):.2%}, by clips {low:.1%} to "
            f"{high:.1%}, over people {under:.1%} to {over:.1%}"
        )
    for k, name in enumerate(CLASSES):
        hits = [hit for c, (hit, _) in zip(clips, found, strict=True) if c.label == k]
        if hits:
            lines.append(f"  {name}: {sum(hits)} of {len(hits)} = {np.mean(hits):.1%}")
    return "\n".join(lines)


def score(corpus, weights: Path | None, table: Path | None) -> None:
    """Print what the weights recognise of people who are new to them."""
    network, _ = _weights.restore(Keywords, weights or "keywords")
    clips = [clip for clip in commands(corpus) if clip.part == "heldout"]
    if weights is None:
        known = met(corpus)
        clips = [clip for clip in commands(corpus) if clip.person not in known]
    people = {clip.person for clip in clips if clip.label != SILENCE}
    print(f"{len(clips)} clips, {len(people)} people")
    found = judge(network, clips)
    print(summary(clips, found))
    if table:
        rows = [
            {"file": c.path.name, "person": c.person, "is": CLASSES[c.label], "said": CLASSES[k]}
            for c, (_, k) in zip(clips, found, strict=True)
        ]
        write_rows(table, rows)


def main(argv: list[str] | None = None) -> int | str:
    """Read the command line and do what it says."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.keywords")
    parser.add_argument("what", choices=("train", "score"))
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds tasks/")
    parser.add_argument("--out", type=Path, help="folder for weights, log and checkpoint")
    parser.add_argument("--seconds", type=float, default=600.0, help="time to train [s]")
    parser.add_argument("--batch", type=int, help="rows in a step; 256 on a GPU, 32 on a CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="threads on the CPU")
    parser.add_argument("--weights", type=Path, help="score these, not the shipped ones")
    parser.add_argument("--csv", type=Path, help="file for each clip that was scored")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    try:
        if options.what == "score":
            score(options.corpus, options.weights, options.csv)
            return 0
        if not options.out:
            return "train needs a folder for what it makes: --out .scratch/keywords"
        batch = options.batch or (256 if device().type == "cuda" else 32)
        command = "python3 -m tools.training.keywords " + shlex.join(argv)
        plan = {"seconds": options.seconds, "batch": batch, "seed": options.seed}
        train(options.corpus, options.out, command=command, **plan)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
