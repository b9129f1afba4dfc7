"""The recogniser of coffee orders: letters by CTC, from nothing, on one core.

python3 -m tools.training.orders train --corpus ../shared/corpus --out .scratch/orders
python3 -m tools.training.orders train ... --all     # the same with nobody kept apart
(the numbers on people it has never met: python3 -m tools.measure.score_orders)

The corpus gives 497 orders by 35 groups of speakers. Groups whose number is 0 or 6 modulo 7 (ten of
them, 121 orders) are never trained on. `train` goes on where an earlier run in the same folder
stopped. It needs Debian's flite for 300 orders by machine voices.
"""

import argparse
import csv
import io
import math
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from helpers import _weights, audio
from helpers.mel import filterbank
from helpers.recogniser import (
    ALPHABET,
    AMOUNTS,
    DRINKS,
    HOP,
    MILKS,
    OPENINGS,
    ROASTS,
    SHOTS,
    SIZES,
    SR,
    SUGARS,
    Letters,
)  # fmt: skip
from tools.measure.make_orders import TEXTS
from tools.measure.make_words import PITCH, speak

KEPT_APART = (0, 6)  # groups with these numbers modulo 7
MACHINE_ORDERS = 300
BATCH = 8
WINDOW = torch.hann_window(512)
BANK = torch.from_numpy(filterbank(sr=SR, n_fft=512, n_mels=40, fmin=60, fmax=7600)).float()


@dataclass
class Order:
    """A recording, what is said in it, who says it, and where its words begin and end [samples]."""

    y: torch.Tensor
    text: str
    group: int
    words: list


def read_orders(corpus: Path) -> list[Order]:
    """Return the 497 orders whose text is known."""

    def rows(name):
        return csv.DictReader(io.StringIO((corpus / "tasks" / name).read_text(encoding="utf-8")))

    words = {}
    for row in rows("orders_words.csv"):
        span = (row["word"], round(float(row["start_s"]) * SR), round(float(row["end_s"]) * SR))
        words.setdefault(row["original"], []).append(span)
    found = []
    for row in rows("orders.csv"):
        name = Path(row["original"]).stem
        y, sr = audio.load(corpus / "speech" / "train" / f"pico_{name}.flac")
        y = torch.from_numpy(audio.resample(y, sr=sr, to=SR).astype(np.float32))
        found.append(Order(y, row["text"], int(row["group"]), words.get(row["original"], [])))
    return found


def kept_apart(order: Order) -> bool:
    """Tell whether nobody may learn from an order."""
    return order.group % 7 in KEPT_APART


def made_text(rng) -> str:
    """Return an order that the grammar allows."""

    def one(some):
        return some[int(rng.integers(len(some)))]

    before = [one(kind) for kind in (SIZES, ROASTS, SHOTS) if rng.random() < 0.5]
    rng.shuffle(before)
    words = [one(OPENINGS), "a", *before, one(DRINKS)]
    if words[2][0] in "aei":
        words[1] = "an"
    text = " ".join(words)
    ends = [one(AMOUNTS) + one(kind) for kind in (MILKS, SUGARS) if rng.random() < 0.6]
    rng.shuffle(ends)
    return text + (" with " + " and ".join(ends) if ends else "")


def machine_orders() -> list[Order]:
    """Return orders by four machine voices; none of them is one of unit 43's page."""
    rng = np.random.default_rng(7)
    found = []
    while len(found) < MACHINE_ORDERS:
        text = made_text(rng)
        voice = list(PITCH)[len(found) % 4]
        hz = round(PITCH[voice] * 2 ** rng.uniform(-0.3, 0.3))
        if text not in TEXTS:
            y = speak(text, voice, float(rng.uniform(0.8, 1.3)), hz, to=SR)
            found.append(Order(torch.from_numpy(y).float(), text, -1, []))
    return found


def magnitudes(y: torch.Tensor) -> torch.Tensor:
    """Return mel magnitudes (40, T) of a recording at an RMS of 0.05."""
    y = 0.05 * y / (y.square().mean().sqrt() + 1e-9)
    return BANK @ torch.stft(y, 512, HOP, window=WINDOW, return_complex=True).abs()


def noises(corpus: Path) -> list[torch.Tensor]:
    """Return the magnitudes of ten seconds of each recording of noise."""
    found = []
    for path in sorted((corpus / "noise" / "train").glob("*.*")):
        y, sr = audio.load(path)
        y = audio.resample(y[: 10 * sr], sr=sr, to=SR)
        if len(y) > SR and np.abs(y).max() > 0:
            found.append(magnitudes(torch.from_numpy(y.astype(np.float32))))
    return found


class Rows:
    """Draws rows to learn from; they become harder as the training goes on."""

    def __init__(self, orders, machines, noise, seed):
        self.orders, self.noise = orders, noise
        self.rng = np.random.default_rng(seed)
        self.whole = [(magnitudes(order.y), order.text) for order in orders]
        self.machines = [(magnitudes(order.y), order.text) for order in machines]
        self.of_group = {}
        for order in orders:
            self.of_group.setdefault(order.group, []).append(order)

    def one(self, some):
        """Return one of some things."""
        return some[int(self.rng.integers(len(some)))]

    def spliced(self):
        """Return the beginning of one order and the end of another of the same group."""
        a = self.one(self.orders)
        b = self.one(self.of_group[a.group])
        if len(a.words) < 4 or len(b.words) < 4:
            return magnitudes(a.y), a.text
        i, j = int(self.rng.integers(2, len(a.words))), int(self.rng.integers(1, len(b.words) - 1))
        end = (a.words[i - 1][2] + a.words[i][1]) // 2
        begin = (b.words[j - 1][2] + b.words[j][1]) // 2
        text = " ".join([w[0] for w in a.words[:i]] + [w[0] for w in b.words[j:]])
        return magnitudes(torch.cat([a.y[:end], b.y[begin:]])), text

    def draw(self, hard: float):
        """Return features (40, T) and their text."""
        u = self.rng.random()
        if u < 0.5:
            S, text = self.one(self.whole)
        elif u < 0.8:
            S, text = self.spliced()
        else:
            S, text = self.one(self.machines)
        return self.changed(S, hard), text

    def changed(self, S, hard: float):
        """Return features with noise, another speed, voice, colour and level, and with holes."""
        rng = self.rng
        if rng.random() < 0.5 * hard:
            N = torch.roll(self.one(self.noise), int(rng.integers(0, 600)), 1)
            N = N.repeat(1, S.shape[1] // N.shape[1] + 1)[:, : S.shape[1]]
            snr_db = float(rng.uniform(25 - 20 * hard, 35))
            gain = (S.square().mean() / (N.square().mean() + 1e-9)).sqrt() * 10 ** (-snr_db / 20)
            S = (S.square() + (gain * N).square()).sqrt()
        x = (torch.log(S + 1e-3) + 3) / 2.5
        stretch = float(rng.uniform(1 - 0.15 * hard, 1 + 0.2 * hard))
        x = F.interpolate(x[None], scale_factor=stretch, mode="linear")[0]
        place = (torch.arange(40) * (1 + float(rng.uniform(-0.08, 0.08)) * hard)).clamp(0, 38.99)
        low, part = place.long(), (place - place.long())[:, None]
        x = x[low] * (1 - part) + x[low + 1] * part
        tilt = torch.linspace(-1, 1, 40)[:, None]
        x = x + 0.3 * float(rng.normal()) + 0.4 * float(rng.normal()) * tilt
        floor = float(rng.uniform(-2.2, -2.2 + 1.9 * hard))
        x = torch.logaddexp(2.5 * x, 2.5 * (floor + 0.1 * torch.randn(x.shape))) / 2.5
        for _ in range(2 if hard > 0.6 else 0):
            band = int(rng.integers(0, 35))
            time_at = int(rng.integers(0, max(1, x.shape[1] - 12)))
            x[band : band + 5] = 0
            x[:, time_at : time_at + int(rng.integers(1, 12))] = 0
        return x

    def batch(self, hard: float):
        """Yield four batches of like lengths: features, targets, their lengths."""
        rows = sorted((self.draw(hard) for _ in range(4 * BATCH)), key=lambda r: r[0].shape[1])
        for k in self.rng.permutation(4):
            some = rows[k * BATCH : (k + 1) * BATCH]
            frames = torch.tensor([x.shape[1] for x, _ in some])
            X = torch.zeros(BATCH, 40, int(frames.max()))
            for row, (x, _) in zip(X, some, strict=True):
                row[:, : x.shape[1]] = x
            targets = [torch.tensor([ALPHABET.index(c) for c in text]) for _, text in some]
            yield X, (frames + 1) // 2, torch.cat(targets), torch.tensor([len(t) for t in targets])


def train(options) -> None:
    """Train for some processor seconds and write OUT/orders.safetensors."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    corpus, out = Path(options.corpus), Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    orders = [o for o in read_orders(corpus) if options.all or not kept_apart(o)]
    rows = Rows(orders, machine_orders(), noises(corpus), seed=0)
    print(f"{len(orders)} orders, {len(rows.machines)} by machines, {len(rows.noise)} noises")
    net = Letters(size=options.size)
    mean = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, betas=(0.9, 0.98), weight_decay=1e-2)
    step, before, state = 0, 0.0, out / "state.pt"
    if state.is_file():
        was = torch.load(state, weights_only=True)
        net.load_state_dict(was["net"])
        optimizer.load_state_dict(was["optimizer"])
        mean, step, before = was["mean"], was["step"], was["seconds"]
    began, losses, told = time.process_time() - before, [], before
    while (seconds := time.process_time() - began) < options.seconds:
        done = seconds / options.seconds
        rate = 3e-3 * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * done)) + 1e-6
        for group in optimizer.param_groups:
            group["lr"] = rate
        for X, frames, targets, lengths in rows.batch(min(1.0, 0.2 + 2 * done)):
            scores = net(X).transpose(0, 1)
            loss = F.ctc_loss(scores, targets, frames, lengths, zero_infinity=True)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimizer.step()
            step += 1
            losses.append(loss.item())
            keep = min(0.998, step / (step + 100))
            for name, value in net.state_dict().items():
                if value.is_floating_point():
                    mean[name].mul_(keep).add_(value, alpha=1 - keep)
                else:
                    mean[name].copy_(value)
        if seconds - told > 60:
            told = seconds
            print(f"{seconds:5.0f} s  step {step}  loss {np.mean(losses[-100:]):.3f}", flush=True)
            now = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean}
            torch.save(now | {"step": step, "seconds": seconds}, state)
    net.load_state_dict(mean)
    facts = {
        "command": "python3 -m tools.training.orders " + shlex.join(options.given),
        "seed": 0,
        "step": step,
        "processor_seconds": round(seconds),
        "orders": len(orders),
    }
    path = out / "orders.safetensors"
    _weights.save(path, net, config={"size": options.size}, provenance=facts, half=True)
    print("written", path)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.orders")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=3600, help="processor time")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--all", action="store_true", help="keep nobody apart")
    given = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(given)
    options.given = given
    train(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
