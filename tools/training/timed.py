"""What small trainings share: they run for some processor seconds, and go on where they stopped."""

import argparse
import math
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from helpers import _weights


class Timed:
    """A training by the processor's clock; what it has learned is kept in OUT/state.pt.

    `step` counts what the training calls a step, `seconds` the processor seconds of all runs.
    """

    def __init__(self, net: torch.nn.Module, optimizer: torch.optim.Optimizer, options):
        self.net, self.optimizer = net, optimizer
        self.limit = options.seconds
        self.state = Path(options.out) / "state.pt"
        self.rate = optimizer.param_groups[0]["lr"]
        self.step, self.seconds = 0, 0.0
        if self.state.is_file():
            was = torch.load(self.state, weights_only=True)
            net.load_state_dict(was["net"])
            optimizer.load_state_dict(was["optimizer"])
            self.step, self.seconds = was["step"], was["seconds"]
        self.began = time.process_time() - self.seconds

    def goes_on(self) -> bool:
        """Say whether there is time left, and set the rate: half a cosine, from the first to 0."""
        self.seconds = time.process_time() - self.began
        for group in self.optimizer.param_groups:
            turn = math.cos(math.pi * self.seconds / self.limit)
            group["lr"] = self.rate / 2 * (1 + turn) + 1e-6
        return self.seconds < self.limit

    def keep(self) -> None:
        """Store what has been learned."""
        now = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(now | {"step": self.step, "seconds": self.seconds}, self.state)

    def write(self, name: str, options, *, songs: int, half: bool = False) -> None:
        """Write OUT/NAME.safetensors, with how it came to be."""
        facts = {
            "command": f"python3 -m tools.training.{name} {shlex.join(options.given)}",
            "seed": 0,
            "steps": self.step,
            "processor_seconds": round(self.seconds),
            "songs": songs,
        }
        path = self.state.with_name(f"{name}.safetensors")
        _weights.save(path, self.net, config={}, provenance=facts, half=half)
        print("written", path)


def run(name: str, train: Callable, seconds: float, argv: list[str] | None) -> int:
    """Run a training from the command line."""
    parser = argparse.ArgumentParser(prog=f"python3 -m tools.training.{name}")
    parser.add_argument("command", nargs="?", default="train", choices=["train"])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=seconds, help="processor time")
    given = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(given)
    options.given = given
    Path(options.out).mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train(options)
    return 0
