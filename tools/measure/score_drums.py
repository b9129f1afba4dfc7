"""Measure how well drums are taken out of what nobody has trained or chosen on.

python3 -m tools.measure.score_drums

Writes data/tables/drums.csv, a row for each mixture: 16 songs (seeds from 1000 on) on instruments
that the network of unit 57 has met in training, the same 16 on others, and pairs of clips of part
I. Columns: the level of the music beside that of the drums [dB], which is also the SDR of music if
nothing is done; then the SDR of music [dB] by HPSS with usual and with longer frames, by the
network, by the ideal ratio mask, and by the best of all masks. The masks of music and drums add up
to one, so the SDR of drums is that of music less the level. For songs also F of librosa's beats in
the mixture, and in the two halves that HPSS makes of it.
"""

import argparse
import csv
import sys
from dataclasses import replace

import librosa
import mir_eval
import numpy as np
import torch

from helpers import _weights, audio, music
from tools import notebooks
from tools.training import drums

SR = drums.SR
FIRST = 1000  # of the seeds
COUNT = 16
SECONDS = 12
SETS = {
    "known instruments": (drums.LEADS, drums.CHORDS),
    "new instruments": (("flute", "strings"), ("guitar", "strings", "choir")),
}
STRUCK = ("castanets", "drum_loop", "tabla")
HELD = ("violin", "cello", "flute", "hum", "voice_a")


def songs(name: str):
    """Yield name, score, music and drums of the songs of a set."""
    leads, backs = SETS[name]
    for seed in range(FIRST, FIRST + COUNT):
        lot = np.random.default_rng([seed, 9])
        chosen = str(lot.choice(leads)), str(lot.choice(backs)), "bass"
        score = music.random_song(seed, drums=True).played_on(*chosen)
        two = (replace(score, parts=parts) for parts in (score.parts[:-1], score.parts[-1:]))
        y_music, y_drums = (music.play(part, level_db=None)[: SECONDS * SR] for part in two)
        yield f"{seed}", score, y_music, y_drums


def pairs():
    """Yield name, None, a held and a struck clip, which are equally loud."""
    for held in HELD:
        for struck in STRUCK:
            two = [audio.resample(y, sr=sr, to=SR) for y, sr in map(audio.clip, (held, struck))]
            n = min(map(len, two), default=0)
            yield f"{held}, {struck}", None, *[y[:n] / np.sqrt(np.mean(y[:n] ** 2)) for y in two]


def sdr(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Return the energy of the truth beside that of the error [dB]."""
    return float(10 * np.log10(np.sum(truth**2) / np.sum((truth - estimate) ** 2)))


def masked(y: np.ndarray, masks, n_fft: int = 2048) -> list[np.ndarray]:
    """Return what is left of a sound under each of some masks, made of its spectrum."""
    D = librosa.stft(y, n_fft=n_fft)
    return [librosa.istft(D * M, n_fft=n_fft, length=len(y)) for M in masks(D)]


def hpss(D: np.ndarray, kernel: int = 31):
    """Return the masks of both halves."""
    return librosa.decompose.hpss(np.abs(D), kernel_size=kernel, mask=True)


def ideal(D: np.ndarray, truth: np.ndarray):
    """Return the ideal ratio mask of music, and the mask from 0 to 1 with the least error."""
    M = librosa.stft(truth)
    ours, theirs = np.abs(M) ** 2, np.abs(D - M) ** 2
    best = np.real(M * np.conj(D)) / np.maximum(np.abs(D) ** 2, 1e-20)
    return ours / np.maximum(ours + theirs, 1e-20), best.clip(0, 1)


@torch.no_grad()
def learned(net, D: np.ndarray):
    """Return the mask of music by the network."""
    S = torch.from_numpy(np.abs(D)).float()[None]
    return [net(drums.seen(S))[0].numpy()]


def row(net, group: str, name: str, score, y_music, y_drums) -> dict:
    """Return what is measured on one mixture."""
    gain = 0.05 / np.sqrt(np.mean((y_music + y_drums) ** 2))
    y_music, y_drums = gain * y_music, gain * y_drums
    y = y_music + y_drums
    tonal, struck = masked(y, hpss)
    found = {"set": group, "name": name, "level": sdr(y_music, y), "hpss": sdr(y_music, tonal)}
    longer = masked(y, lambda D: hpss(D, 17), 4096)[0]
    found["hpss_4096"] = sdr(y_music, longer)
    found["network"] = sdr(y_music, masked(y, lambda D: learned(net, D))[0])
    both = masked(y, lambda D: ideal(D, y_music))
    found |= {"ideal": sdr(y_music, both[0]), "best": sdr(y_music, both[1])}
    found = {key: round(v, 3) if isinstance(v, float) else v for key, v in found.items()}
    for label, part in (("beats", y), ("beats_music", tonal), ("beats_drums", struck)):
        found[label] = "" if score is None else round(beats(score, part), 3)
    return found


def beats(score, y: np.ndarray) -> float:
    """Return F of librosa's beats."""
    _, times = librosa.beat.beat_track(y=y, sr=SR, units="time")
    truth = score.beats()
    return mir_eval.beat.f_measure(truth[truth < len(y) / SR], times)


def main(argv: list[str] | None = None) -> int:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.measure.score_drums")
    parser.add_argument("--weights", default="drums", help="a file of data/weights, or a path")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    net, _ = _weights.restore(drums.MaskNet, options.weights)
    rows = [row(net, group, *one) for group in SETS for one in songs(group)]
    rows += [row(net, "clips of part I", *one) for one in pairs()]
    path = notebooks.ROOT / "data" / "tables" / "drums.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"drums: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
