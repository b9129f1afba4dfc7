"""One small network in five places, for unit 36: what a mask may turn, what filters may learn, and
what a mel throws away, with everything else held fixed.

python3 -m tools.training.ablation --corpus ../shared/corpus --out .scratch/ablation

All five have frames of 32 ms every 8 ms, the same layers between, the same loss on the waveform,
and at each step the very same mixtures. Nothing is chosen: the last weights count.
"""

import argparse
import io
import sys
import time
from pathlib import Path

import torch
from torch import nn

from helpers import mel
from helpers._storage import write_file
from helpers.settings.setting3 import TCN, TasNet
from helpers.training import enhancement_loss
from tools.training.datasets import Corpus, Mixtures
from tools.training.evaluation import validate
from tools.training.loop import Plan, make_optimizer, rate_at, step_once

__all__ = ["FRONTS", "Denoiser", "load"]

FRONTS = ("magnitude mask", "complex mask", "learned from Fourier", "learned from random", "mel")
SPAN, HOP, LINES, BANDS = 512, 128, 256, 80
MIDDLE = {"size": 96, "hidden": 192, "kernel": 3, "dilations": (1, 2, 4, 8, 16, 32, 1, 2)}
WIDER = MIDDLE | {"hidden": 225}  # 80 bands need fewer weights at both ends than 256 lines do
SIZE = 0.1  # of all filters, as a root mean square, in the unit of a step
SEEDS = (0, 1, 2)
EVERY = 25  # steps between two checkpoints, and two lines of the log


class Denoiser(nn.Module):
    """A filterbank, one middle network, and a way back; `front` is one of `FRONTS`.

    The first two and the last have windowed sines and cosines that stay as they are; the others
    learn their filters, both ways. The middle network always sees log energies and says two numbers
    for each, a and b. A complex mask is a + ib, and may turn a phase; a magnitude mask is |a + ib|,
    so it is the same network and its turn is dropped.
    """

    def __init__(self, front: str):
        super().__init__()
        if front not in FRONTS:
            raise ValueError(f"front is {front!r}; name one of {', '.join(FRONTS)}")
        self.front = front
        start = "random" if front.endswith("random") else "fourier"
        bank = TasNet(2 * LINES, SPAN, HOP, 0, start=start, **MIDDLE)
        learns = front.startswith("learned")
        self.encoder = bank.encoder.requires_grad_(learns)
        self.decoder = bank.decoder.requires_grad_(learns)
        with torch.no_grad():  # one size for all, so that a step of learning is as long for all
            for filters in (self.encoder.weight, self.decoder.weight):
                filters.mul_(SIZE / filters.square().mean().sqrt())
        self.middle = bank.middle
        # the lines lie between those of an FFT of SPAN: at each second one of twice that length
        lines = torch.from_numpy(mel.filterbank(sr=16000, n_fft=2 * SPAN, n_mels=BANDS)).float()
        bands = lines[:, 1::2] / lines[:, 1::2].sum(1, keepdim=True)
        self.register_buffer("bands", bands, persistent=False)
        self.register_buffer("back", torch.linalg.pinv(bands), persistent=False)
        if front == "mel":
            self.middle = TCN(BANDS, 2 * BANDS, **WIDER)
            with torch.no_grad():  # as TasNet begins: most passes, nothing is turned
                self.middle.onto.weight.mul_(0.1)
                self.middle.onto.bias.copy_(0.7 * (torch.arange(2 * BANDS) < BANDS))

    def analyse(self, y):
        """Return both parts of all frames, (B, T, 256) each; y: (B, n)."""
        right = SPAN - HOP + -y.shape[-1] % HOP
        padded = nn.functional.pad(y, (SPAN - HOP, right))
        return self.encoder(padded.unfold(1, SPAN, HOP)).div(2 * SIZE).chunk(2, -1)

    def synthesise(self, u, v, n: int):
        """Return n samples, (B, n), of both parts by overlap-add."""
        frames = self.decoder(torch.cat([u, v], -1)).float() * (HOP / SPAN / LINES / SIZE)
        length = SPAN + (frames.shape[1] - 1) * HOP
        y = nn.functional.fold(frames.mT, (1, length), (1, SPAN), stride=(1, HOP))
        return y[:, 0, 0, SPAN - HOP : SPAN - HOP + n]

    def magnitude(self, u, v):
        """Return the cleaned magnitude, where there is one."""
        energy = u.square() + v.square()
        seen = energy @ self.bands.mT if self.front == "mel" else energy
        a, b = self.mask(seen)
        gain = a.square() + b.square()
        if self.front == "mel":  # of the cleaned bands, by least squares
            return ((gain * seen) @ self.back.mT).clamp(min=1e-7).sqrt()
        return (gain * energy + 1e-9).sqrt()

    def mask(self, energy):
        """Return a and b for each energy."""
        return self.middle(torch.log(energy + 1e-7).div(4).add(1))[0].float().chunk(2, -1)

    def forward(self, y):
        """Return the enhanced waveforms, (B, n), of noisy ones."""
        u, v = (part.float() for part in self.analyse(y))
        if self.front in ("magnitude mask", "mel"):
            ratio = self.magnitude(u, v) / (u.square() + v.square() + 1e-9).sqrt()
            return self.synthesise(ratio * u, ratio * v, y.shape[-1])
        a, b = self.mask(u.square() + v.square())
        return self.synthesise(a * u - b * v, a * v + b * u, y.shape[-1])

    @torch.no_grad()
    def with_phase(self, y, other=None, *, rounds: int = 32):
        """Return the cleaned magnitude of y with the phase of another sound, or with none given
        the one that so many fast rounds of Griffin-Lim find from a random start.
        """
        S = self.magnitude(*self.analyse(y))
        if other is None:
            turns = 2 * torch.pi * torch.rand(S.shape, generator=torch.Generator().manual_seed(0))
            D = previous = torch.polar(S, turns)
        else:
            rounds, D = 0, torch.complex(*self.analyse(other))
        for _ in range(rounds):
            D = S * torch.sgn(D)
            found = torch.complex(*self.analyse(self.synthesise(D.real, D.imag, y.shape[-1])))
            D, previous = found + 0.99 * (found - previous), found
        D = S * torch.sgn(D)
        return self.synthesise(D.real, D.imag, y.shape[-1])


def begin(seed: int, plan: Plan) -> tuple[dict, dict]:
    """Return the five networks and their optimizers; the layers between begin alike."""
    models = {}
    for front in FRONTS:
        torch.manual_seed(seed)
        models[front] = Denoiser(front)
    return models, {front: make_optimizer(model, plan) for front, model in models.items()}


def train(corpus: Path, out: Path, seed: int, plan: Plan, *, seconds: float = 2.0) -> dict:
    """Train the five side by side, step by step on the same mixtures, or go on; return them."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"seed{seed}.pt"
    models, optimizers = begin(seed, plan)
    kept = torch.load(path, weights_only=True) if path.is_file() else {"step": 0, "cost": 0.0}
    if kept["step"]:
        for front in FRONTS:
            models[front].load_state_dict(kept["models"][front])
            optimizers[front].load_state_dict(kept["optimizers"][front])
    if kept["step"] == plan.steps:
        return models
    supply = Mixtures(
        *(Corpus(corpus / kind / "train") for kind in ("speech", "noise")),
        seconds=seconds,
        seed=seed,
    )
    begun, loss = time.process_time() - kept["cost"], dict.fromkeys(FRONTS, 0.0)
    for step in range(kept["step"], plan.steps):
        batch = supply.batch(step, range(plan.batch))
        for front, model in models.items():
            for group in optimizers[front].param_groups:
                group["lr"] = rate_at(step, plan)
            value = step_once(model, optimizers[front], enhancement_loss, batch, plan)
            loss[front] += value / EVERY
        if (step + 1) % EVERY == 0 or step + 1 == plan.steps:
            cost = time.process_time() - begun
            print(seed, step + 1, f"{cost:.0f} s", *(f"{x:.2f}" for x in loss.values()), flush=True)
            loss = dict.fromkeys(FRONTS, 0.0)
            save(path, models, optimizers, step + 1, cost)
    return models


def save(path: Path, models, optimizers, step: int, cost: float) -> None:
    """Write all that the run needs to go on."""
    raw = io.BytesIO()
    state = {"models": {front: model.state_dict() for front, model in models.items()}}
    state |= {"optimizers": {front: o.state_dict() for front, o in optimizers.items()}}
    torch.save(state | {"step": step, "cost": cost}, raw)
    write_file(path, raw.getbuffer())


def load(out: Path, seed: int) -> dict:
    """Return the five networks of a seed, ready to use."""
    kept = torch.load(out / f"seed{seed}.pt", weights_only=True)
    models = {front: Denoiser(front).eval() for front in FRONTS}
    for front, model in models.items():
        model.load_state_dict(kept["models"][front])
    return models


def main(argv: list[str] | None = None) -> int | str:
    """Train all seeds, and print how good each network is on mixtures of the validation corpus."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.training.ablation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--corpus", type=Path, required=True, help="with speech/train and so on")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is learned")
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    plan = Plan(steps=options.steps, batch=options.batch, rate=2e-3, muon="middle.", bfloat16=True)
    valid = [Corpus(options.corpus / kind / "valid") for kind in ("speech", "noise")]
    judged = [
        Mixtures(*valid, seed=10**6, snr_db=(db, db), colour=False, seconds=3) for db in (0, 5, 10)
    ]
    try:
        for seed in options.seeds:
            models = train(options.corpus, options.out, seed, plan)
            gains = {front: validate(model.eval(), judged, n=24) for front, model in models.items()}
            print(seed, *(f"{front}: {gain:+.2f} dB" for front, gain in gains.items()), flush=True)
    except ValueError as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
