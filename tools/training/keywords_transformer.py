"""The twelve classes of keywords once more, by a small transformer that learns from the network.

python3 -m tools.training.keywords_transformer bank --corpus ../shared/corpus --out .scratch/kt
python3 -m tools.training.keywords_transformer train --corpus ../shared/corpus --out .scratch/kt

`bank` draws seconds of sound with changed rates, rooms and noise, and asks the shipped network what
it hears in each: one answer a row, made once, is the lesson of all that follows. `train` shows them
again and again, each time shifted, warped, masked and mixed. Both go on where an earlier run in the
same folder stopped, and count processor time. The network is Whisper's encoder in the small, as the
library transformers builds it, so its `pipeline` reads what comes out.
"""

import argparse
import functools
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from helpers import speech
from helpers._storage import write_file
from helpers.speech import CLASSES, LEVEL
from tools.training import keyword_sounds
from tools.training.keyword_sounds import Sounds, uniform
from tools.training.keywords import Training, steps_through, write_rows

FRAMES = 50  # of 20 ms
CHUNK = 512  # rows of the bank that are drawn at once
SHAPE = {
    "num_mel_bins": 40,
    "max_source_positions": FRAMES // 2,
    "d_model": 96,
    "encoder_layers": 4,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 192,
    "classifier_proj_size": 96,
    "dropout": 0.1,
    # there is no decoder here: the library wants to know its shape all the same
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 192,
    "vocab_size": 16,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "decoder_start_token_id": 0,
}


def extractor():
    """Return what makes the features in the library: Whisper's, for a second and 40 bands."""
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=40, chunk_length=1, n_fft=512, hop_length=320)


def network():
    """Return a new network of the library."""
    from transformers import WhisperConfig, WhisperForAudioClassification

    names = {
        "id2label": dict(enumerate(CLASSES)),
        "label2id": {c: k for k, c in enumerate(CLASSES)},
    }
    return WhisperForAudioClassification(WhisperConfig(**SHAPE, **names))


@functools.cache
def mel_filters() -> torch.Tensor:
    """Return the extractor's mel filters, (40, 257)."""
    return torch.from_numpy(extractor().mel_filters.T.astype(np.float32))


def features(y: torch.Tensor) -> torch.Tensor:
    """Return what the extractor makes of a second of sound, (B, 16000) to (B, 40, 50)."""
    D = torch.stft(y, 512, 320, window=torch.hann_window(512), return_complex=True)[..., :-1]
    x = (mel_filters() @ D.abs().square()).clamp(min=1e-10).log10()
    x = torch.maximum(x, x.amax((1, 2), keepdim=True) - 8)
    return (x + 4) / 4


def levelled(y: torch.Tensor) -> torch.Tensor:
    """Return rows of sound at the level of all speech; a pause is raised by 28 dB at most."""
    return y * (LEVEL / speech.loud_level(y, floor=0.002))[:, None]


# ---- bank ----------------------------------------------------------------------------------------


def strangers(sounds: Sounds, count: int) -> torch.Tensor:
    """Return seconds of people who read, (count, 16000): nobody has said what is in them."""
    rate = torch.exp(uniform(count, -0.15, 0.15, sounds.where))
    still = {"gap": torch.zeros(count, device=sounds.where), "rate": rate}
    y = keyword_sounds.play(sounds.flat, *sounds.draw("readers", count), **still)
    y = keyword_sounds.in_rooms(y, share=0.2)
    return y + torch.randn_like(y) * 10 ** uniform((count, 1), -5.0, -3.6, sounds.where)


@torch.no_grad()
def bank_part(sounds: Sounds, teacher) -> dict:
    """Return rows for the bank: features, labels (-1 where none is known), the teacher's scores."""
    known = CHUNK * 4 // 5
    hard = float(torch.rand(())) * 0.8 + 0.2
    y, label = keyword_sounds.draw_batch(sounds, known, hard=hard)
    y = torch.cat([y, strangers(sounds, CHUNK - known)])
    label = torch.cat([label, torch.full((CHUNK - known,), -1)])
    taught = torch.cat([teacher(speech.features(part)) for part in y.split(64)])
    jitter = 10 ** (uniform((CHUNK, 1), -6, 6, y.device) / 20)
    x = torch.cat([features(part) for part in (levelled(y) * jitter).split(64)])
    return {"x": x.half(), "label": label, "taught": taught.half()}


def bank(corpus, out: Path, *, rows: int, seed: int) -> None:
    """Draw the rows in parts of a file each; a part that is there is not drawn again."""
    sounds = Sounds(keyword_sounds.training_pools(corpus), torch.device("cpu"))
    teacher = speech.load("keywords")
    for k in range(math.ceil(rows / CHUNK)):
        path = out / f"bank_{k:03}.pt"
        if not path.is_file():
            torch.manual_seed(1000 * seed + k)
            raw = io.BytesIO()
            torch.save(bank_part(sounds, teacher), raw)
            write_file(path, raw.getbuffer())
            print(path.name, flush=True)


def read_bank(out: Path) -> dict:
    """Return all rows of the bank."""
    parts = [torch.load(path, weights_only=True) for path in sorted(out.glob("bank_*.pt"))]
    if not parts:
        raise ValueError(f"{out} holds no bank; make one first: ... bank --out {out}")
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


# ---- training ------------------------------------------------------------------------------------


def shifted(x: torch.Tensor, *, most: int) -> torch.Tensor:
    """Move rows of frames by up to so many, (B, bands, frames); the edge is repeated."""
    B, bands, T = x.shape
    move = torch.randint(-most, most + 1, (B, 1))
    index = (torch.arange(T)[None] + move).clamp(0, T - 1)
    return x.gather(2, index[:, None].expand(B, bands, T))


def lesson(rows: dict, index: torch.Tensor, *, hard: float, trust: float, mix: float):
    """Return changed features of some rows, and what is to be said of them, (B, 12)."""
    x = shifted(rows["x"][index].float(), most=round(5 * hard))
    x = keyword_sounds.changed(2 * x, hard=hard) / 2  # as large as what `changed` is made for
    label = rows["label"][index]
    target = torch.softmax(rows["taught"][index].float(), 1)
    known = label >= 0
    right = F.one_hot(label[known], len(CLASSES)) * 0.9 + 0.1 / len(CLASSES)
    target[known] = trust * target[known] + (1 - trust) * right
    weight = torch.distributions.Beta(0.4, 0.4).sample((len(x), 1))
    weight = torch.maximum(weight, 1 - weight)
    weight = torch.where(torch.rand(len(x), 1) < mix, weight, 1.0)
    other = torch.randperm(len(x))
    x = x * weight[..., None] + x[other] * (1 - weight)[..., None]
    return x, target * weight + target[other] * (1 - weight)


@torch.no_grad()
def answers(net, clips) -> np.ndarray:
    """Return what a network says of clips, as classes."""
    net.eval()
    said = []
    for first in range(0, len(clips), 64):
        y = keyword_sounds.one_second([clip.path for clip in clips[first : first + 64]])
        said.append(net(features(levelled(y))).logits.argmax(1))
    return torch.cat(said).numpy()


def step(training: Training, *, rows: dict, share: float, batch: int) -> float:
    """Take a step when this share of the time is over, and return the loss."""
    hard = min(1.0, 0.3 + 1.5 * share) * (1.0 if share < 0.85 else 0.6)
    index = torch.randint(len(rows["label"]), (batch,))
    x, target = lesson(rows, index, hard=hard, trust=0.6, mix=0.4)
    scores = training.network.train()(x).logits
    loss = -(target * F.log_softmax(scores, 1)).sum(1).mean()
    return training.learn(loss, share=share)


def train(corpus, out: Path, *, seconds: float, batch: int, seed: int) -> None:
    """Train for so many seconds of the processor in all, watched on people kept apart."""
    training = Training(torch.device("cpu"), make=network, rate=1.5e-3, seed=seed)
    rows = read_bank(out)
    valid = [c for c in keyword_sounds.commands(corpus) if c.part == "valid"]
    spoken = [c for c in valid if CLASSES[c.label] != "_silence_"]
    truth = [c.label for c in spoken]
    log = steps_through(
        training,
        out / "checkpoint.pt",
        functools.partial(step, rows=rows, batch=batch),
        lambda net: np.mean(answers(net, spoken) == truth),
        seconds=seconds,
    )
    save_folder(out / "keywords_transformer", training.mean)
    write_rows(out / "keywords_transformer.csv", log)


def save_folder(path: Path, net) -> None:
    """Write the folder that the library's pipeline reads; weights in half precision are read as
    single ones, which every processor multiplies.
    """
    net.half().save_pretrained(path)
    facts = json.loads((path / "config.json").read_text(encoding="utf-8"))
    facts["dtype"] = "float32"
    (path / "config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    extractor().save_pretrained(path)


def main(argv: list[str] | None = None) -> int | str:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.training.keywords_transformer")
    parser.add_argument("what", choices=("bank", "train"))
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds tasks/")
    parser.add_argument("--out", type=Path, required=True, help="folder for bank and weights")
    parser.add_argument("--rows", type=int, default=61440, help="rows of the bank")
    parser.add_argument("--seconds", type=float, default=1500.0, help="processor time to train [s]")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        if options.what == "bank":
            bank(options.corpus, options.out, rows=options.rows, seed=options.seed)
        else:
            plan = {"seconds": options.seconds, "batch": options.batch, "seed": options.seed}
            train(options.corpus, options.out, **plan)
    except (ValueError, OSError, ImportError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
