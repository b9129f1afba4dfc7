"""The wake word: one score for 1.5 s of sound, high where they hold "computer".

python3 -m tools.training.wake --corpus ../shared/corpus --out .scratch/wake --seconds 400

It goes on from the shipped weights (or from --start), with what these had not heard: the word said
slowly, by machine voices of many accents, alone in a pause as well as amid speech; and, as what the
word is not, the stretches of speech which they took for it most, and words that are near. Words by
the voices of data/tables/wake_words.csv and the readers who test it are left out. A stopped run
goes on where it was; time is the processor's.
"""

import argparse
import io
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
import torch.nn.functional as F

from helpers import _weights, audio, speech
from helpers._storage import write_file
from helpers.speech import SR, Keywords
from tools import notebooks
from tools.training import keyword_sounds
from tools.training.keyword_sounds import Sounds, uniform
from tools.training.keywords import Training, steps_through, write_rows

WINDOW = 24000
HELD = notebooks.ROOT / "data/tables/wake_words.csv"
ACCENTS = (
    "en-us",
    "en-us-nyc",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-rp",
    "en-029",
)
NEIGHBOURS = ("de", "nl", "da", "sv", "nb")  # languages that have the word
VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "croak")
NEAR = (
    "commuter", "compute", "commute", "compete", "competitor", "come to", "completed", "pewter",
    "can you turn", "deputy", "tutor", "complete her", "committee", "Jupiter", "a pewter cup",
    "come here", "compass", "the future", "computed it", "composer",
)  # fmt: skip
WORD = {"words": 0.7, "machine words": 0.3}
SPEECH = {"readers": 0.4, "orders": 0.2, "commands": 0.12, "near words": 0.13, "taken for it": 0.15}


# ---- sounds --------------------------------------------------------------------------------------


def espeak(text: str, voice: str, rng) -> np.ndarray:
    """Return words by espeak-ng at some speed and pitch, trimmed, at the common level."""
    how = ["-s", str(rng.integers(110, 200)), "-p", str(rng.integers(15, 85))]
    said = ["espeak-ng", "-v", voice, *how, "--stdout", text]
    raw = subprocess.run(said, check=True, capture_output=True).stdout
    y, sr = soundfile.read(io.BytesIO(raw), dtype="float32")
    return keyword_sounds.trimmed(audio.resample(y, sr=sr, to=SR).astype(np.float32))


def machines(*, seed: int = 5) -> dict[str, list[np.ndarray]]:
    """Return the word and words near to it by 156 machine voices."""
    rng = np.random.default_rng(seed)
    voices = [f"{a}+{v}" for a in (*ACCENTS, *NEIGHBOURS) for v in VARIANTS]
    found = {"machine words": [], "near words": []}
    for voice in voices:
        found["machine words"] += [espeak("computer", voice, rng) for _ in range(2)]
        for k in rng.permutation(len(NEAR))[:3]:
            found["near words"].append(espeak(NEAR[k], voice, rng))
    return found


@torch.no_grad()
def taken_for_it(network, sounds: list[np.ndarray], *, count: int = 300) -> list[np.ndarray]:
    """Return the stretches of speech without the word that a network scores highest."""
    found = []
    for y in (y for y in sounds if len(y) >= WINDOW):
        rows = np.lib.stride_tricks.sliding_window_view(y.astype(np.float32), WINDOW)[:: SR // 2]
        scores = network(speech.features(torch.from_numpy(rows.copy())))[:, 0].tolist()
        found += [(s, row) for s, row in zip(scores, rows, strict=True)]
        found = sorted(found, key=lambda pair: -pair[0])[:count]
    return [row.copy() for _, row in found]


def all_sounds(corpus: Path, network, cache: Path) -> Sounds:
    """Return all that training hears, from the file of an earlier call if it is there."""
    if not cache.is_file():
        held = {row["file"] for row in keyword_sounds.read_rows(HELD)}
        plain = keyword_sounds.training_pools(corpus)
        tasks = keyword_sounds.read_rows(corpus / "tasks/manifest.csv")
        mine = [r["file"] for r in tasks if r["label"] == "computer" and r["file"] not in held]
        words = [keyword_sounds.trimmed(keyword_sounds.read(corpus / "tasks" / f)) for f in mine]
        pools = {"words": [y for y in words if len(y) < 1.3 * SR], "noise": plain["noise"]}
        pools["commands"] = [y for name in speech.CLASSES[:11] for y in plain[name]]
        pools["commands"] = [keyword_sounds.scaled(y) for y in pools["commands"]]
        rows = [
            r for r in keyword_sounds.read_rows(corpus / "manifest.csv") if r["split"] == "train"
        ]
        rows = [r for r in rows if r["kind"] == "speech" and not keyword_sounds.tests_alarms(r)]
        known = {row["original"] for row in keyword_sounds.read_rows(corpus / "tasks/orders.csv")}
        for name in ("readers", "orders"):
            pools[name] = [
                keyword_sounds.scaled(keyword_sounds.read(corpus / row["file"], seconds=60))
                for row in rows
                if (row["speaker"].startswith("ls-") if name == "readers"
                    else Path(row["origin_path"]).name in known)
            ]  # fmt: skip
        pools |= machines()
        pools["taken for it"] = taken_for_it(network, pools["readers"] + pools["orders"])
        sounds = Sounds(pools, torch.device("cpu"))
        raw = io.BytesIO()
        torch.save({"flat": sounds.flat, "spans": sounds.spans}, raw)
        write_file(cache, raw.getbuffer())
    return Sounds.stored(torch.load(cache, weights_only=True))


def drawn(sounds: Sounds, shares: dict, count: int):
    """Return start and length, (count,), of stretches out of several pools."""
    names = torch.multinomial(torch.tensor(list(shares.values())), count, replacement=True)
    start = torch.zeros(count, dtype=torch.long)
    length = torch.zeros(count, dtype=torch.long)
    for k, name in enumerate(shares):
        on = names == k
        start[on], length[on] = sounds.draw(name, int(on.sum()), most=WINDOW)
    return start, length


def draw_batch(sounds: Sounds, count: int, *, hard: float):
    """Return rows of 1.5 s, (count, 24000), and 1 where they hold the word. A third does; an eighth
    holds less than 55 % of it.
    """
    whole = count // 3
    some = whole + count // 8
    start, length = drawn(sounds, SPEECH, count)
    start[:some], length[:some] = drawn(sounds, WORD, some)
    cut = (length[whole:some] * uniform(some - whole, 0.25, 0.55, "cpu")).long()
    last = torch.rand(some - whole) < 0.5
    start[whole:some] += torch.where(last, length[whole:some] - cut, 0)
    length[whole:some] = cut
    rate = torch.exp(uniform(count, -0.3, 0.13, "cpu") * hard)
    rate = torch.maximum(rate, length / (WINDOW - 800) * (torch.arange(count) < whole))
    long = length / rate
    gap = (WINDOW - long).clamp(min=0) * torch.rand(count)
    y = keyword_sounds.play(sounds.flat, start, length, gap=gap * rate, rate=rate, n=WINDOW)
    # other speech before or after it, up to a pause; half a word is followed at once
    still = {"gap": torch.zeros(count), "rate": torch.ones(count), "n": WINDOW}
    other = keyword_sounds.play(sounds.flat, *drawn(sounds, SPEECH, count), **still)
    pause = uniform((count, 1), 0, 3000, "cpu")
    pause[whole:some] = 0
    at = torch.arange(WINDOW)[None]
    before = ((gap[:, None] - pause - at) / 64).clamp(0, 1) * (torch.rand(count, 1) < 0.5)
    after = ((at - (gap + long)[:, None] - pause) / 64).clamp(0, 1) * (torch.rand(count, 1) < 0.5)
    y = y + other * (before + after) * 10 ** (uniform((count, 1), -6, 6, "cpu") / 20)
    noise = keyword_sounds.noises(sounds, min(count, 32), n=WINDOW)
    alone = max(1, count // 40)
    y[-alone:] = noise[:alone] * 0.05 * 10 ** (uniform((alone, 1), -30, 0, "cpu") / 20)
    y = keyword_sounds.in_rooms(y, share=0.3 * hard)
    snr_db = uniform(count, 3, 30, "cpu")
    noisy = (torch.rand(count) < 0.55) * speech.loud_level(y) * 10 ** (-snr_db / 20)
    y = y + noise[torch.randint(len(noise), (count,))] * noisy[:, None]
    y = y * 10 ** (uniform((count, 1), -15, 6, "cpu") / 20)
    y = y + torch.randn_like(y) * 10 ** uniform((count, 1), -5.0, -3.6, "cpu")
    return y, (torch.arange(count) < whole).float()


# ---- training ------------------------------------------------------------------------------------


def step(training: Training, *, sounds: Sounds, share: float, batch: int) -> float:
    """Take a step when this share of the time is over, and return the loss."""
    hard = min(1.0, 0.5 + share)
    y, label = draw_batch(sounds, batch, hard=hard)
    x = keyword_sounds.changed(speech.features(y), hard=0.7 * hard)
    scores = training.network.train()(x)[:, 0]
    each = F.binary_cross_entropy_with_logits(scores, label * 0.99 + 0.002, reduction="none")
    # a false alarm is dear: the hardest of what is not the word count twice
    hardest = torch.topk(each[label == 0], batch // 6).values.mean()
    return training.learn(each.mean() + 0.5 * hardest, share=share)


@torch.no_grad()
def apart(network, rows) -> float:
    """Return how many of the rows with the word score above 99 % of the others."""
    network.eval()
    scores = torch.cat([network(speech.features(y))[:, 0] for y in rows[0].split(64)])
    word = rows[1] == 1
    return float((scores[word] > torch.quantile(scores[~word], 0.99)).float().mean())


def train(corpus: Path, out: Path, *, start, seconds: float, batch: int, command: str) -> None:
    """Train for so many seconds of the processor in all, and write weights and log."""
    out.mkdir(parents=True, exist_ok=True)
    network, _ = _weights.restore(Keywords, start)
    sounds = all_sounds(corpus, network, out / "sounds.pt")
    torch.manual_seed(8)
    rows = draw_batch(sounds, 900, hard=1.0)
    training = Training(torch.device("cpu"), make=lambda: network.train(), rate=1e-3, seed=2)
    log = steps_through(
        training,
        out / "checkpoint.pt",
        lambda training, share: step(training, sounds=sounds, share=share, batch=batch),
        lambda mean: apart(mean, rows),
        seconds=seconds,
    )
    config = {"sizes": [16, 32, 56], "drop": 0.2, "classes": 1}
    provenance = {"command": command, "step": training.facts["step"], "seconds": seconds}
    path = out / "wake.safetensors"
    _weights.save(path, training.mean, config=config, provenance=provenance, half=True)
    write_rows(out / "wake.csv", log)


def main(argv: list[str] | None = None) -> int | str:
    """Read the command line and do what it says."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.wake")
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds tasks/")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and checkpoint")
    parser.add_argument("--start", default="wake", help="weights to go on from")
    parser.add_argument("--seconds", type=float, default=400.0, help="processor time to train [s]")
    parser.add_argument("--batch", type=int, default=48)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    plan = {"start": options.start, "seconds": options.seconds, "batch": options.batch}
    command = "python3 -m tools.training.wake " + shlex.join(argv)
    try:
        train(options.corpus, options.out, command=command, **plan)
    except (ValueError, OSError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
