"""The voice of unit 44: an aligner, a mean, and a flow that adds what the mean leaves out.

python3 -m tools.training.voice train --corpus ../shared/corpus --out .scratch/voice
(the numbers on sentences it has never met: python3 -m tools.measure.score_voice)

The corpus holds one woman's reading of the CMU ARCTIC prompts, about an hour (CC0). 40 prompts with
all their takes are never trained on. Three stages share the seconds; each of them goes on where an
earlier run in the same folder stopped. The shipped weights come from an earlier program with these
networks and these losses, see data/weights/README.md; a step here is the same step.
"""

import argparse
import csv
import math
import re
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import _weights, audio
from helpers.vocoders.vocoder import MelFormat
from helpers.voice import HOP, SR, Voice, lexicon, phones

KEPT_APART = 40  # prompts
SHARES = {"aligner": 0.08, "mean": 0.52, "flow": 0.40}  # of the processor time
BATCH = 8
LEVEL = 0.05  # RMS, as the vocoder's training has had it


@dataclass
class Take:
    """A reading: its text, phones, log-mel, pitch, and what is found for each phone."""

    file: str
    text: str
    phones: list
    y: np.ndarray
    mel: np.ndarray  # (80, T)
    log_hertz: np.ndarray  # (T,), 0 without a voice
    frames: np.ndarray | None = None
    prosody: np.ndarray | None = None


def kept_apart(texts) -> set[str]:
    """Return the prompts that no training hears."""
    different = sorted(set(texts))
    np.random.default_rng(0).shuffle(different)
    return set(different[:KEPT_APART])


def known(text: str) -> bool:
    """Tell whether the lexicon has all words, so that no phone is guessed."""
    words = re.findall(r"[a-z']+", re.sub(r"\b(mr|mrs|dr|st|etc)\.", " ", text.lower()))
    return all(word.strip("'") in lexicon() for word in words if word.strip("'"))


def read_takes(corpus: Path, *, held: bool, limit: int | None = None) -> list[Take]:
    """Return the takes to learn from, or those that are kept apart."""
    with open(corpus / "tasks" / "manifest.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "voice"]
    apart = kept_apart(row["text"] for row in rows)
    rows = [row for row in rows if (row["text"] in apart) == held and known(row["text"])]
    form, takes = MelFormat(), []
    for row in rows[:limit]:
        y, sr = audio.load(corpus / "tasks" / row["file"])
        if sr != SR or len(y) > 10 * SR:
            continue
        y = (y * LEVEL / (np.sqrt(np.mean(y**2)) + 1e-9)).astype(np.float32)
        made = form.mel(y, sr=SR)
        take = (row["file"], row["text"], phones(row["text"]), y, made, log_pitch(y, made.shape[1]))
        takes.append(Take(*take))
    return takes


def log_pitch(y: np.ndarray, count: int) -> np.ndarray:
    """Return ln(Hz) for each frame by its autocorrelation, 0 where there is no voice."""
    padded = np.pad(y, (512, 1024))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::HOP][:count]
    frames = frames - frames.mean(axis=1, keepdims=True)
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 2048)) ** 2)[:, :512]
    power = same[:, :1]
    same = same / (power + 1e-9) / (1 - np.arange(512) / 1024)  # fewer products at long lags
    lag = same[:, 40:200].argmax(axis=1) + 40  # 80 to 400 Hz
    alike = same[np.arange(len(lag)), lag]
    loud = 10 * np.log10(power[:, 0] + 1e-9)
    voiced = (alike > 0.6) & (loud > loud.max() - 35)
    height = np.log(SR / lag)
    middle = np.median(height[voiced]) if voiced.any() else 0.0
    voiced &= np.abs(height - middle) < 0.6  # no octave errors
    return np.where(voiced, height, 0).astype(np.float32)


# ---- the aligner ---------------------------------------------------------------------------------


class Aligner(nn.Module):
    """Places phones and frames of a mel in one space: near is likely."""

    def __init__(self, symbols: int, size: int = 64):
        super().__init__()
        self.letters = nn.Embedding(symbols, 96)
        self.text = nn.Conv1d(96, 128, 3, padding=1)
        self.text_out = nn.Conv1d(128, size, 1)
        self.sound = nn.Conv1d(80, 128, 3, padding=1)
        self.sound_out = nn.Conv1d(128, size, 1)

    def forward(self, ids, mel, counts):
        """Return scores (B, T, n) of phones (B, n) for frames of a standardised mel (B, T, 80)."""
        k = self.text_out(F.relu(self.text(self.letters(ids).transpose(1, 2))))
        q = self.sound_out(F.relu(self.sound(mel.transpose(1, 2))))
        product = torch.einsum("bdt,bdn->btn", q, k)
        far = q.square().sum(1)[:, :, None] + k.square().sum(1)[:, None] - 2 * product
        there = torch.arange(ids.shape[1]) < counts[:, None]
        return (-0.02 * far).masked_fill(~there[:, None], -1e4)


def near_diagonal(counts, lengths, most: int, longest: int):
    """Return a prior (B, longest, most): log of a beta-binomial about the straight way."""
    n = torch.arange(most)[None, None].float()
    t = torch.arange(1, longest + 1)[None, :, None].float()
    a, b = t, (lengths[:, None, None] - t + 1).clamp(min=1)
    top = counts[:, None, None].float() - 1
    k = (top - n).clamp(min=0)
    g = torch.lgamma
    log_prior = g(top + 1) - g(n + 1) - g(k + 1) + g(n + a) + g(k + b)
    log_prior = log_prior - g(top + a + b) - g(a) - g(b) + g(a + b)
    return log_prior.masked_fill(n > top, -50.0)


def forward_sum(log_p, counts, lengths):
    """Return minus the log of the sum over all ways through the phones, a frame."""
    blank = F.pad(log_p, (1, 0), value=-1.0)  # CTC wants one; it is hardly ever worth it
    labels = torch.arange(1, log_p.shape[2] + 1).expand(len(log_p), -1)
    scores = F.log_softmax(blank, 2).transpose(0, 1)
    loss = F.ctc_loss(scores, labels, lengths, counts, reduction="none", zero_infinity=True)
    return (loss / lengths).mean()


def best_way(log_p: np.ndarray) -> np.ndarray:
    """Return the frames of each phone along the likeliest way that leaves none out."""
    T, n = log_p.shape
    best = np.full(n, -np.inf)
    best[0] = log_p[0, 0]
    came = np.zeros((T, n), dtype=bool)
    for t in range(1, T):
        before = np.append(-np.inf, best[:-1])
        came[t] = before > best
        best = np.maximum(best, before) + log_p[t]
    frames, at = np.zeros(n, dtype=int), n - 1
    for t in range(T - 1, -1, -1):
        frames[at] += 1
        at -= int(came[t, at])
    return frames


def close_gaps(names: list, frames: np.ndarray, mel: np.ndarray) -> np.ndarray:
    """Give the frames of a gap between words that is not silent to its neighbours."""
    level, end, frames = mel.mean(axis=0), np.cumsum(frames), frames.copy()
    low, high = np.percentile(level, [4, 90])
    for k in range(1, len(names) - 1):
        begin, size = end[k - 1], end[k] - end[k - 1]
        silent = size >= 4 and level[begin : end[k]].mean() <= low + 0.25 * (high - low)
        if names[k] == " " and not silent:
            frames[k - 1] += size // 2
            frames[k + 1] += size - size // 2
            frames[k] = 0
    return frames


def prosody_of(take: Take, pitch: tuple[float, float]) -> np.ndarray:
    """Return for each phone its standardised pitch, the share that is voiced, and its energy."""
    rows, energy, begin = np.zeros((len(take.frames), 3), np.float32), take.mel.mean(axis=0), 0
    for k, size in enumerate(take.frames):
        if size:
            heights = take.log_hertz[begin : begin + size]
            voiced = heights[heights > 0]
            height = (voiced.mean() - pitch[0]) / pitch[1] if len(voiced) else 0.0
            strong = (energy[begin : begin + size].mean() + 6) / 2
            rows[k] = height, len(voiced) / size, strong
        begin += size
    return rows


@torch.no_grad()
def align(aligner, net: Voice, takes: list[Take]) -> None:
    """Find the frames and the prosody of each phone."""
    for take in takes:
        ids, counts = net.ids(take.phones), torch.tensor([len(take.phones)])
        mel = (torch.from_numpy(take.mel.T)[None] - net.mel_mean) / net.mel_spread
        log_p = F.log_softmax(aligner(ids, mel, counts), 2)
        T, n = log_p.shape[1:]
        log_p = log_p + 0.5 * near_diagonal(counts, torch.tensor([T]), n, T)
        frames = best_way(log_p[0].numpy().astype(float))
        take.frames = close_gaps(take.phones, frames, take.mel)
        take.prosody = prosody_of(take, net.pitch)


# ---- learning ------------------------------------------------------------------------------------


def drawn(takes: list[Take], net: Voice, rng):
    """Return 8 takes of like lengths, padded: phones, frames, prosody, counts, mel, lengths."""
    order = sorted(range(len(takes)), key=lambda k: takes[k].mel.shape[1])
    first = int(rng.integers(max(1, len(order) - 4 * BATCH)))
    some = [takes[k] for k in rng.choice(order[first : first + 4 * BATCH], BATCH)]
    counts = torch.tensor([len(take.phones) for take in some])
    lengths = torch.tensor([take.mel.shape[1] for take in some])
    ids = torch.zeros(BATCH, int(counts.max()), dtype=torch.long)
    frames, prosody = torch.zeros_like(ids), torch.zeros(*ids.shape, 3)
    mel = torch.zeros(BATCH, int(lengths.max()), 80)
    for k, take in enumerate(some):
        ids[k, : counts[k]] = net.ids(take.phones)[0]
        mel[k, : lengths[k]] = (torch.from_numpy(take.mel.T) - net.mel_mean) / net.mel_spread
        if take.frames is not None:
            frames[k, : counts[k]] = torch.from_numpy(take.frames)
            prosody[k, : counts[k]] = torch.from_numpy(take.prosody)
    return ids, frames, prosody, counts, mel, lengths


def aligner_loss(aligner, batch, done: float):
    """Return the forward sum; the straight way helps during the first part."""
    ids, _, _, counts, mel, lengths = batch
    log_p = F.log_softmax(aligner(ids, mel, counts), 2)
    if done < 0.6:
        log_p = log_p + near_diagonal(counts, lengths, ids.shape[1], mel.shape[1])
    return forward_sum(log_p, counts, lengths)


def mean_loss(acoustic, batch):
    """Return the distance of the mean mel, and how far off durations and prosody are guessed."""
    ids, frames, prosody, counts, mel, _ = batch
    z, guess, there = acoustic.read(ids, counts)
    mean, _, mask = acoustic(z, prosody + 0.05 * torch.randn_like(prosody), frames)
    l1 = ((mean - mel).abs() * mask).sum() / mask.sum() / 80
    off = (guess - torch.cat([torch.log1p(frames.float())[..., None], prosody], 2)).square()
    voiced = (prosody[..., 1] > 0.3) & there[..., 0]
    long = (off[..., 0] * there[..., 0]).sum() / there.sum()
    high = (off[..., 1] * voiced).sum() / voiced.sum().clamp(min=1)
    rest = (off[..., 2:] * there).sum() / there.sum()
    return l1 + 0.2 * long + 0.1 * high + 0.1 * rest


@torch.no_grad()
def given(net: Voice, batch):
    """Return the mean mel as it errs on what it has not met (with dropout), and what it is from."""
    ids, frames, prosody, counts, mel, _ = batch
    z = net.acoustic.read(ids, counts)[0]
    return *net.acoustic(z, prosody + 0.1 * torch.randn_like(prosody), frames), mel


def flow_loss(net: Voice, batch):
    """Return how far the velocity is from the straight line between noise and what is missing."""
    mean, h, mask, mel = given(net, batch)
    goal = (mel - mean) / net.missing
    noise, t = torch.randn_like(goal), torch.sigmoid(torch.randn(len(goal)))
    on_the_way = torch.lerp(noise, goal, t[:, None, None])
    off = net.detail(on_the_way, mean, h, t, mask) - (goal - noise)
    return (off.square() * mask).sum() / mask.sum() / 80


def learn(stage: str, part: nn.Module, loss_of, seconds: float, out: Path, peak: float) -> None:
    """Take steps for some processor seconds and leave the running mean of the weights in `part`.

    `loss_of` gets the share of the time that is over. What an earlier run left is gone on with.
    """
    mean = {name: value.clone() for name, value in part.state_dict().items()}
    optimizer = torch.optim.AdamW(part.parameters(), peak, betas=(0.9, 0.98), weight_decay=1e-2)
    step, before, state = 0, 0.0, out / f"{stage}.pt"
    if state.is_file():
        was = torch.load(state, weights_only=True)
        part.load_state_dict(was["part"])
        optimizer.load_state_dict(was["optimizer"])
        mean, step, before = was["mean"], was["step"], was["seconds"]

    def keep(spent):
        now = {"part": part.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean}
        torch.save(now | {"step": step, "seconds": spent}, state)

    began, losses, told, spent = time.process_time() - before, [], before, before
    while spent < seconds:
        done = spent / seconds
        warm = min(1, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = peak * warm * 0.5 * (1 + math.cos(math.pi * done)) + 1e-6
        loss = loss_of(done)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(part.parameters(), 1)
        optimizer.step()
        step += 1
        losses.append(loss.item())
        share = min(0.998, step / (step + 10))
        for name, value in part.state_dict().items():
            mean[name].mul_(share).add_(value, alpha=1 - share)
        spent = time.process_time() - began
        if spent - told > 30:
            told = spent
            print(f"{stage:8} {spent:5.0f} s  step {step}  loss {np.mean(losses[-50:]):.3f}")
            keep(spent)
    keep(spent)
    part.load_state_dict(mean)
    print(f"{stage}: {step} steps, {spent:.0f} s", flush=True)


def started(takes: list[Take]) -> Voice:
    """Return networks that know nothing but the scales of their data."""
    heights = np.concatenate([take.log_hertz[take.log_hertz > 0] for take in takes])
    names = sorted({name for take in takes for name in take.phones})
    net = Voice(names, (float(heights.mean()), float(heights.std())))
    mels = np.concatenate([take.mel for take in takes], axis=1)
    net.mel_mean.copy_(torch.from_numpy(mels.mean(axis=1)))
    net.mel_spread.copy_(torch.from_numpy(mels.std(axis=1)))
    return net


def train(options) -> None:
    """Train for some processor seconds and write OUT/voice.safetensors and its aligner."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out, rng = Path(options.out), np.random.default_rng(0)
    out.mkdir(parents=True, exist_ok=True)
    takes = read_takes(Path(options.corpus), held=False, limit=options.takes)
    net = started(takes)
    if options.start:
        tensors, config, _ = _weights.load(options.start)
        net = Voice(**config)
        net.load_state_dict(tensors)
    rates = (1.5e-3, 1e-3) if options.start else (2e-3, 2e-3)  # gentler where something is known
    print(f"{len(takes)} takes, {len(net.symbols)} symbols", flush=True)
    aligner = Aligner(len(net.symbols))
    facts = {"command": f"python3 -m tools.training.voice {shlex.join(options.given)}", "seed": 0}
    facts["takes"] = len(takes)

    def stage(name, part, loss_of, peak):
        learn(name, part, loss_of, SHARES[name] * options.seconds, out, peak)

    stage(
        "aligner", aligner, lambda done: aligner_loss(aligner, drawn(takes, net, rng), done), 3e-3
    )
    align(aligner.eval(), net, takes)
    config = {"symbols": len(net.symbols)}
    path = out / "voice_aligner.safetensors"
    _weights.save(path, aligner, config=config, provenance=facts, half=True)
    stage(
        "mean", net.acoustic, lambda done: mean_loss(net.acoustic, drawn(takes, net, rng)), rates[0]
    )
    net.acoustic.requires_grad_(False)
    off = []
    for _ in range(6):
        mean, _, mask, mel = given(net, drawn(takes, net, rng))
        off.append(((mean - mel) * mask).square().sum((0, 1)) / mask.sum())
    net.missing.copy_(torch.stack(off).mean(0).sqrt().clamp(min=0.05))
    stage("flow", net.detail, lambda done: flow_loss(net, drawn(takes, net, rng)), rates[1])
    config = {"symbols": net.symbols, "pitch": list(net.pitch)}
    path = out / "voice.safetensors"
    _weights.save(path, net, config=config, provenance=facts, half=True)
    print("written", path)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.voice")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=3000, help="processor time")
    parser.add_argument("--start", type=Path, help="weights to start from; the aligner is new")
    parser.add_argument("--takes", type=int, help="learn from the first few takes only, to try it")
    given_words = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(given_words)
    options.given = given_words
    train(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
