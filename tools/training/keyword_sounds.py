"""What the keyword network learns from: the corpus split by person, and rows of a second with
changed rates, rooms and noise.
"""

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
import torch.nn.functional as F

from helpers.speech import CLASSES, LEVEL, SR, loud_level

UNKNOWN = CLASSES.index("_unknown_")
SILENCE = CLASSES.index("_silence_")
# what else a row of a class may hold: class, pool, and the range of a random number that picks it
EXTRA = (
    (UNKNOWN, "order words", 0.0, 0.3),
    (UNKNOWN, "wake words", 0.3, 0.45),
    (UNKNOWN, "readers", 0.45, 0.52),
    (SILENCE, "noise", 0.0, 0.4),
)


# ---- corpus --------------------------------------------------------------------------------------


@dataclass
class Clip:
    """A second of the commands: `part` is train, valid or heldout."""

    path: Path
    label: int
    person: str
    part: str


def part_of(person: str) -> str:
    """Return where all clips of a person go, by a hash of the name: two tenths are held out."""
    number = int(hashlib.sha1(person.encode()).hexdigest(), 16)
    if number % 10 < 2:
        return "heldout"
    return "valid" if number % 20 == 4 else "train"


def read_rows(path: Path) -> list[dict]:
    """Return the rows of a table of the corpus."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; name the folder of the corpus with --corpus")
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def commands(corpus, *, shipped: bool = False) -> list[Clip]:
    """Return the clips of ``tasks/commands``; a clip of silence counts as a person of its own.

    `shipped` gives the parts of the training of the shipped weights. It went by the column
    `speaker`, which names the word in place of the person where the label is `_unknown_`, so these
    clips were split by word, and people stood on both sides.
    """
    folder = Path(corpus) / "tasks"
    found = []
    for row in read_rows(folder / "manifest.csv"):
        if row["set"] == "commands":
            label = CLASSES.index(row["label"])
            speaker = ("sil" if label == SILENCE else "") + row["speaker"]
            named = re.search("([0-9a-f]{8})_nohash_", Path(row["file"]).name)
            person = named[1] if named else speaker
            part = part_of(speaker if shipped else person)
            found.append(Clip(folder / row["file"], label, person, part))
    return found


def met(corpus) -> set[str]:
    """Return the people of whom training or validation of the shipped weights held some clip."""
    return {clip.person for clip in commands(corpus, shipped=True) if clip.part != "heldout"}


def read(path, *, seconds: float = 60.0) -> np.ndarray:
    """Return the first seconds of a file at 16 kHz."""
    y, sr = soundfile.read(path, dtype="float32", frames=round(seconds * SR))
    if sr != SR or y.ndim != 1:
        raise ValueError(f"{path} is not mono at {SR} Hz; resample it first")
    return y


def one_second(paths) -> torch.Tensor:
    """Return files cut or filled up with zeros to one second, (B, 16000)."""
    sounds = [read(path, seconds=1.0) for path in paths]
    return torch.from_numpy(np.stack([np.pad(y, (0, SR - len(y))) for y in sounds]))


class Sounds:
    """Recordings in one long tensor on the device, in pools of (start, length)."""

    def __init__(self, pools: dict[str, list[np.ndarray]], where: torch.device):
        self.where = where
        self.spans = {}
        parts = []
        end = 0
        for name, sounds in pools.items():
            if not sounds:
                raise ValueError(f"the corpus holds no {name!r}, which training draws from")
            starts = end + np.cumsum([0, *map(len, sounds)])
            spans = np.stack([starts[:-1], np.diff(starts)], 1)
            self.spans[name] = torch.from_numpy(spans).to(where)
            parts += [np.round(32767 * np.clip(y, -1, 1)).astype(np.int16) for y in sounds]
            end = starts[-1]
        self.flat = torch.from_numpy(np.concatenate(parts)).to(where)

    @classmethod
    def stored(cls, parts: dict) -> "Sounds":
        """Return the recordings that another one held: its `flat` and its `spans`, on the CPU."""
        sounds = cls.__new__(cls)
        sounds.where = torch.device("cpu")
        sounds.flat = parts["flat"]
        sounds.spans = parts["spans"]
        return sounds

    def draw(self, name: str, count: int, *, most: int = SR):
        """Return start and length, (count,), of random stretches of at most so many samples."""
        spans = self.spans[name]
        chosen = spans[torch.randint(len(spans), (count,), device=self.where)]
        length = chosen[:, 1].clamp(max=most)
        free = chosen[:, 1] - length
        offset = (free * torch.rand(count, device=self.where)).long()
        return chosen[:, 0] + offset, length


def scaled(y: np.ndarray) -> np.ndarray:
    """Return a sound with a root mean square of `LEVEL`."""
    return y * (LEVEL / (np.sqrt(np.mean(y**2)) + 1e-9))


def trimmed(y: np.ndarray) -> np.ndarray:
    """Return a word within 30 dB of its loudest 20 ms, with 100 ms on either side, at its level."""
    power = np.mean(y[: len(y) // 320 * 320].reshape(-1, 320) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-3)
    y = y[max(0, loud[0] * 320 - 1600) : (loud[-1] + 1) * 320 + 1600]
    return scaled(y)


def tests_alarms(row: dict) -> bool:
    """Return whether a reader is kept apart, to count false alarms of the wake word."""
    tenth = int(hashlib.sha1(row["speaker"].encode()).hexdigest(), 16) % 20
    return row["speaker"].startswith("ls-") and (row["split"] == "valid" or tenth < 3)


def order_words(corpus: Path, speech: list[dict]) -> list[np.ndarray]:
    """Return words cut out of spoken orders, with 50 ms on either side; none is a keyword."""
    paths = {Path(row["origin_path"]).name: corpus / row["file"] for row in speech}
    known = {row["original"] for row in read_rows(corpus / "tasks/orders.csv")} & set(paths)
    sounds = {name: scaled(read(paths[name])) for name in sorted(known)}
    cuts = []
    for row in read_rows(corpus / "tasks/orders_words.csv"):
        start = float(row["start_s"])
        end = float(row["end_s"])
        if row["original"] in sounds and row["word"] not in CLASSES and 0.15 < end - start < 0.8:
            first = max(0, round((start - 0.05) * SR))
            cuts.append(sounds[row["original"]][first : round((end + 0.05) * SR)])
    return cuts


def training_pools(corpus) -> dict[str, list[np.ndarray]]:
    """Return all that training hears: keywords by class, other words, readers, noise."""
    corpus = Path(corpus)
    pools = {name: [] for name in CLASSES}
    for clip in commands(corpus):
        if clip.part == "train":
            pools[CLASSES[clip.label]].append(0.9 * read(clip.path))
    rows = [row for row in read_rows(corpus / "manifest.csv") if row["split"] == "train"]
    speech = [row for row in rows if row["kind"] == "speech"]
    readers = [row for row in speech if row["speaker"].startswith("ls-")]
    noise = [row for row in rows if row["kind"] == "noise" and row["language_or_class"] != "babble"]
    wake = [r for r in read_rows(corpus / "tasks/manifest.csv") if r["set"] == "wake"]
    pools["order words"] = order_words(corpus, speech)
    pools["wake words"] = [scaled(read(corpus / "tasks" / row["file"])) for row in wake]
    pools["readers"] = [scaled(read(corpus / row["file"], seconds=10)) for row in readers]
    pools["noise"] = [scaled(read(corpus / row["file"], seconds=30)) for row in noise]
    return {name: [y for y in sounds if len(y) > SR // 10] for name, sounds in pools.items()}


# ---- augmentation --------------------------------------------------------------------------------


def uniform(shape, low: float, high: float, where) -> torch.Tensor:
    """Return random numbers between two."""
    return low + (high - low) * torch.rand(shape, device=where)


def play(flat, start, length, *, gap, rate, n: int = SR):
    """Return a second of each stretch, (B, 16000), or n samples: after a gap, at a rate, with ramps
    of 4 ms.
    """
    at = torch.arange(n, device=flat.device)[None] * rate[:, None] - gap[:, None]
    last = length[:, None] - 2
    inside = (at >= 0) & (at <= last)
    at = torch.minimum(at.clamp(min=0), last)
    index = at.floor().long()
    share = at - index
    left = flat[start[:, None] + index]
    right = flat[start[:, None] + index + 1]
    ramp = (torch.minimum(at, last + 1 - at) / 64).clamp(0, 1)
    return (left * (1 - share) + right * share) / 32768 * inside * ramp


def in_rooms(y, *, share: float):
    """Put a share of the rows into made-up rooms: direct sound and an exponential tail."""
    pick = torch.rand(len(y), device=y.device) < share
    count = int(pick.sum())
    if not count:
        return y
    times = torch.arange(round(0.45 * SR), device=y.device)[None] / SR
    t60 = uniform((count, 1), 0.08, 0.5, y.device)
    tail = torch.randn(count, times.shape[1], device=y.device) * torch.exp(-6.9 * times / t60)
    tail = tail * (times > uniform((count, 1), 0.001, 0.012, y.device))
    tail = tail / tail.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
    h = tail * 10 ** (-uniform((count, 1), -2, 14, y.device) / 20)  # direct to reverberant [dB]
    h[:, 0] = 1.0
    h = h / h.square().sum(1, keepdim=True).sqrt()
    n = 2 * y.shape[1]
    wet = torch.fft.irfft(torch.fft.rfft(y[pick], n) * torch.fft.rfft(h, n), n)[:, : y.shape[1]]
    out = y.clone()
    out[pick] = wet
    return out


def noises(sounds: Sounds, count: int, *, n: int = SR):
    """Return noise at a root mean square of 1, (count, n): recorded, babble, white to brown."""
    where = sounds.where
    still = {"gap": torch.zeros(count, device=where), "rate": torch.ones(count, device=where)}
    still["n"] = n
    recorded = play(sounds.flat, *sounds.draw("noise", count, most=n), **still)
    voices = [play(sounds.flat, *sounds.draw("readers", count, most=n), **still) for _ in range(5)]
    spectrum = torch.fft.rfft(torch.randn(count, n, device=where))
    bins = torch.arange(1, spectrum.shape[1] + 1, device=where)[None]
    coloured = torch.fft.irfft(spectrum * bins ** -uniform((count, 1), 0, 1, where), n)
    kind = torch.rand(count, 1, device=where)
    y = torch.where(kind < 0.35, sum(voices), torch.where(kind < 0.55, coloured, recorded))
    return y / y.square().mean(1, keepdim=True).sqrt().clamp(min=1e-5)


def draw_batch(sounds: Sounds, count: int, *, hard: float):
    """Return rows of a second, (count, 16000), and their classes; `hard` is 0 to 1."""
    where = sounds.where
    label = torch.randint(len(CLASSES), (count,), device=where)
    pick = torch.rand(count, device=where)
    start = torch.zeros(count, dtype=torch.long, device=where)
    length = torch.zeros_like(start)
    plain = [(k, name, 0.0, 1.0) for k, name in enumerate(CLASSES)]
    for k, name, low, high in [*plain, *EXTRA]:
        on = (label == k) & (pick >= low) & (pick < high)
        new_start, new_length = sounds.draw(name, count)
        start = torch.where(on, new_start, start)
        length = torch.where(on, new_length, length)
    rate = torch.exp(uniform(count, -0.15, 0.15, where) * hard)
    # later by a lead of silence, or with up to 80 ms of a whole second cut off
    move = uniform(count, -0.08, 0.10, where) * SR * hard
    free = SR - length
    gap = (free * torch.rand(count, device=where) + move).clamp(min=0)
    skip = (-move).clamp(min=0).long() * (free < 100)
    y = play(sounds.flat, start + skip, length - skip, gap=gap, rate=rate)
    y = in_rooms(y, share=0.3 * hard)
    level = loud_level(y)
    noisy = torch.rand(count, device=where) < 0.5 * hard + 0.1
    noisy &= (label != SILENCE) | (level >= 3e-4)  # no noise at a level that silence sets
    pool = noises(sounds, min(count, 64))
    noise = pool[torch.randint(len(pool), (count,), device=where)]
    snr_db = uniform(count, 2, 35, where)
    y = y + noise * (level * 10 ** (-snr_db / 20) * noisy)[:, None]
    y = y * 10 ** (uniform((count, 1), -18, 6, where) / 20)
    return y + torch.randn_like(y) * 10 ** uniform((count, 1), -5.0, -3.6, where), label


def changed(x, *, hard: float):
    """Stretch log-mels in time and frequency, tilt them, and cover bands and stretches of time."""
    B, bands, T = x.shape
    where = x.device
    times = torch.arange(T, device=where)[None] * torch.exp(
        uniform((B, 1), -0.1, 0.1, where) * hard
    )
    rows = torch.arange(bands, device=where)[None]
    rows = rows * torch.exp(uniform((B, 1), -0.1, 0.1, where) * hard)
    across = (2 * times / (T - 1) - 1)[:, None].expand(B, bands, T)
    down = (2 * rows / (bands - 1) - 1)[:, :, None].expand(B, bands, T)
    grid = torch.stack([across, down], 3)
    x = F.grid_sample(x[:, None], grid, padding_mode="border", align_corners=True)[:, 0]
    slope = torch.linspace(-1, 1, bands, device=where)[None, :, None]
    tilt = torch.randn(B, 1, 1, device=where) + slope * torch.randn(B, 1, 1, device=where)
    x = x + 0.2 * hard * tilt
    for axis, size, widest in ((1, bands, 7), (2, T, T // 5)) * 2:
        first = uniform((B, 1), 0, size, where)
        width = uniform((B, 1), 0, widest * hard, where)
        index = torch.arange(size, device=where)[None]
        covered = (index >= first) & (index < first + width)
        x = x.masked_fill(covered.unsqueeze(3 - axis), 0.0)
    return x


def mixed(x, label, *, share: float = 0.4):
    """Mixup of a share of the rows with others; smoothed and mixed targets (B, 12)."""
    B = len(x)
    target = F.one_hot(label, len(CLASSES)) * 0.95 + 0.05 / len(CLASSES)
    weight = torch.distributions.Beta(0.4, 0.4).sample((B,)).to(x.device)
    weight = torch.maximum(weight, 1 - weight)
    weight = torch.where(torch.rand(B, device=x.device) < share, weight, 1.0)[:, None]
    other = torch.randperm(B, device=x.device)
    x = x * weight[..., None] + x[other] * (1 - weight)[..., None]
    return x, target * weight + target[other] * (1 - weight)
