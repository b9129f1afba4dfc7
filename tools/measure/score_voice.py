"""Score the voice of unit 44 on 40 sentences that no training has heard.

python3 -m tools.measure.score_voice --corpus ../shared/corpus [--out data/tables] [--prompts 40]

It writes voice_scores.csv, a row for each sentence and each way of saying it:
recording        Kathleen's own
copy             her mel, through the vocoder
mean, flow       from the text alone
... told         from the text with her durations, pitch and energy
flite            Debian's machine voice slt, from pieces of another woman's speech
backwards        the recording, turned round
first voice      an earlier voice of ours, whose aligner had failed; its rows are kept as they are
mel_error_db is the mean distance to her log-mel, frame by frame, over all bands, where the
durations are hers. DNSMOS (package speechmos) marks sound without a reference, PocketSphinx
writes down what it hears; where one is not installed, its columns of the table stay as they are.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from helpers import _weights, audio, voice
from helpers.vocoders import load_vocoder
from tools.measure.score_orders import edits, heard_by_sphinx, sphinx_decoder
from tools.training.voice import Aligner, Take, align, read_takes

COLUMNS = [
    "prompt", "way", "seconds", "cpu_seconds", "mel_error_db", "variance", "words", "wrong",
    "dnsmos", "dnsmos_signal", "dnsmos_noise", "dnsmos_p808",
]  # fmt: skip
MARKS = {
    "ovrl_mos": "dnsmos", "sig_mos": "dnsmos_signal", "bak_mos": "dnsmos_noise",
    "p808_mos": "dnsmos_p808",
}  # fmt: skip
WAYS = (
    "recording", "copy", "mean, told", "flow, told", "mean", "flow", "flite", "backwards",
)  # fmt: skip


def told(take: Take) -> voice.Score:
    """Return the score of a recording: its own durations, pitch and energy."""
    net, (height, voiced, energy) = voice.load(), take.prosody.T
    hertz = np.exp(net.pitch[0] + net.pitch[1] * height) * (voiced > 0)
    return voice.Score(take.phones, take.frames, hertz, voiced, energy)


def by_flite(text: str) -> np.ndarray:
    """Return a text by flite's voice slt, at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
        y, sr = audio.load(path)
    return audio.resample(y, sr=sr, to=voice.SR)


def made(take: Take, way: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the sound of a sentence said in one way, and its log-mel if it has her durations."""
    gan = load_vocoder("gan")
    if way in ("recording", "backwards"):
        return take.y[:: 1 if way == "recording" else -1].copy(), None
    if way == "flite":
        return by_flite(take.text), None
    if way == "copy":
        return gan.synthesize(take.mel), take.mel
    how = way.split(",")[0]
    score = told(take) if way.endswith("told") else voice.score(take.text)
    mel = voice.mel(score, how=how)
    return gan.synthesize(mel), mel if way.endswith("told") else None


def levelled(y: np.ndarray) -> np.ndarray:
    """Return a sound at an RMS of 0.05, below full scale."""
    return np.clip(y * 0.05 / (np.sqrt(np.mean(y**2)) + 1e-9), -1, 1).astype(np.float32)


def marks_of(y: np.ndarray) -> dict[str, float]:
    """Return what DNSMOS says of a sound; nothing where it is not installed."""
    try:
        from speechmos import dnsmos
    except ImportError:
        return {}
    found = dnsmos.run(levelled(y), sr=voice.SR)
    return {name: round(float(found[key]), 3) for key, name in MARKS.items()}


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters, without marks."""
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def row_of(take: Take, way: str, decoder) -> dict:
    """Return everything that is measured of a sentence said in one way."""
    began = time.process_time()
    y, mel = made(take, way)
    spent = time.process_time() - began
    row = {"prompt": Path(take.file).stem, "way": way, "seconds": round(len(y) / voice.SR, 3)}
    if way in ("mean", "flow"):
        row["cpu_seconds"] = round(spent, 3)
    if mel is not None:
        decibels = 20 / np.log(10)  # a mel magnitude, natural logarithm
        row["mel_error_db"] = round(float(np.abs(mel - take.mel).mean() * decibels), 3)
        spread = voice.load().mel_spread.numpy()[:, None]
        row["variance"] = round(float((mel / spread).var(axis=1).mean()), 4)
    if decoder is not None and way != "backwards":
        quiet = np.zeros(3200)
        heard = heard_by_sphinx(decoder, np.concatenate([quiet, levelled(y), quiet]))
        row["words"] = len(words_of(take.text))
        row["wrong"] = edits(words_of(take.text), words_of(heard))
    return row | marks_of(y)


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_voice")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", default="data/tables")
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--go-on", action="store_true", help="keep the rows that are there")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    first = {}  # of two takes of a prompt the first one
    for take in read_takes(Path(options.corpus), held=True):
        first.setdefault(take.text, take)
    takes = list(first.values())[: options.prompts]
    tensors, config, _ = _weights.load("voice_aligner")
    aligner = Aligner(**config)
    aligner.load_state_dict(tensors)
    align(aligner.eval(), voice.load(), takes)
    path = Path(options.out) / "voice_scores.csv"
    was = {}
    if path.is_file():
        with open(path, encoding="utf-8") as file:
            was = {(row["prompt"], row["way"]): row for row in csv.DictReader(file)}
    decoder, rows = sphinx_decoder(grammar=False), []
    voice.say("warm up")  # loading is not counted
    for number, take in enumerate(takes):
        for way in WAYS:
            before = was.get((Path(take.file).stem, way), {})
            fresh = {} if options.go_on and before.get("seconds") else row_of(take, way, decoder)
            rows.append(before | fresh)
        name = Path(take.file).stem
        rows += [row for key, row in was.items() if key[0] == name and key[1] not in WAYS]
        print(number + 1, "of", len(takes), take.text, flush=True)
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    print("written", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
