"""The small network of unit 57: from a spectrogram to how much of each bin is music, not drums.

python3 -m tools.training.drums --out .scratch/drums
(its scores on songs that it never heard: `tools.measure.score_drums`)

It hears songs that the course writes and plays itself (`music.random_song`, seeds 0 to 159), so
anybody can train it again, in eleven minutes on one core. Four instruments are never among them:
flute, guitar, strings and choir. The loss is the error of the sound's spectrum itself, with its
phase: what SDR counts. A run goes on where an earlier one in the same folder stopped.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers import music  # all it learns from are songs by seed
from tools.training import timed

SR = 22050
N_FFT = 2048
HOP = 512
SONGS = 160
SECONDS = 12  # of a song that are kept
LEADS = ("oboe", "clarinet", "trumpet", "piano")
CHORDS = ("piano", "organ")
DRUMS = (36, 37, 38, 42, 45, 46, 47, 48, 49, 50, 51)
FRAMES = 64  # of an example: 1.5 s
BATCH = 3


class MaskNet(nn.Module):
    """Three convolutions over frequency and time, each wider than the last: 8233 weights."""

    def __init__(self, size: int = 12):
        super().__init__()
        self.first = nn.Conv2d(1, size, 9, padding=4)
        self.height = nn.Conv2d(1, size, 1, bias=False)  # of a bin: a kick is low
        self.second = nn.Conv2d(size, size, 5, padding=(8, 4), dilation=(4, 2))
        self.third = nn.Conv2d(size, size, 5, padding=(16, 8), dilation=(8, 4))
        self.last = nn.Conv2d(size, 1, 1)

    def forward(self, x):
        """Return masks (B, F, T) of what `seen` gives (B, F, T)."""
        bins = torch.linspace(0, 1, x.shape[1])[None, None, :, None]
        z = functional.elu(self.first(x[:, None]) + self.height(bins))
        z = z + functional.elu(self.second(z))
        z = z + functional.elu(self.third(z))
        return torch.sigmoid(self.last(z))[:, 0]


def seen(S):
    """Return what the network sees of magnitudes: compressed, at one level."""
    return torch.log1p(20 * S / S.square().mean(dim=(1, 2), keepdim=True).sqrt())


def training_song(seed: int) -> music.Score:
    """Return a song to learn from; every second has drums by lot in place of a groove."""
    lot = np.random.default_rng([seed, 5])
    lead, backing = str(lot.choice(LEADS)), str(lot.choice(CHORDS))
    song = music.random_song(seed, drums=True).played_on(lead, backing, "bass")
    if lot.random() < 0.5:
        return song
    struck = [k / 2 for k in range(2 * song.length) if lot.random() < 0.6]
    hits = tuple((at, 0.2, int(lot.choice(DRUMS)), int(lot.integers(60, 110))) for at in struck)
    return replace(song, parts=(*song.parts[:-1], replace(song.parts[-1], notes=hits)))


def stems(seed: int) -> torch.Tensor:
    """Return music and drums of a song, each with an RMS of 0.1: (2, samples)."""
    song = training_song(seed)
    made = []
    for parts in (song.parts[:-1], song.parts[-1:]):
        alone = replace(song, parts=parts)
        y = music.play(alone, synthetic=seed % 4 == 3, level_db=None)[: SECONDS * SR]
        made.append(0.1 * y / np.sqrt(np.mean(y**2)))
    return torch.from_numpy(np.stack(made)).half()


def songs(out: Path) -> list:
    """Return all stems; they are made once and kept."""
    path = out / "stems.pt"
    if not path.is_file():
        torch.save([stems(seed) for seed in range(SONGS)], path)
    return torch.load(path, weights_only=True)


def batch(some: list, rng) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the spectra of music and of drums in some stretches, mixed at levels by lot."""
    music_and_drums = []
    for both in some:
        n = (FRAMES - 1) * HOP
        begin = int(rng.integers(0, both.shape[1] - n))
        level = 0.0 if rng.random() < 0.07 else 10 ** (rng.uniform(-14, 4) / 20)
        piece = both[:, begin : begin + n].float()
        music_and_drums.append(piece * torch.tensor([1.0, level])[:, None])
    pieces = torch.stack(music_and_drums)
    window = torch.hann_window(N_FFT)
    D = torch.stft(pieces.flatten(0, 1), N_FFT, HOP, window=window, return_complex=True)
    D = D.unflatten(0, pieces.shape[:2])
    return D[:, 0], D[:, 1]


def error_db(net, D_music, D_drums) -> torch.Tensor:
    """Return the energy of the error beside that of the mixture [dB], the mean over examples."""
    D = D_music + D_drums
    wrong = net(seen(D.abs())) * D - D_music  # that of the drums is the same with another sign
    energy = D.abs().square().sum(dim=(1, 2)) + 1e-3
    share = wrong.abs().square().sum(dim=(1, 2)) / energy
    return 10 * torch.log10(share + 1e-3).mean()


def train(options) -> None:
    """Train for some processor seconds and write OUT/drums.safetensors."""
    out = Path(options.out)
    some = songs(out)
    kept = some[::20]  # for the loss that is told; nothing is learned from them
    some = [song for k, song in enumerate(some) if k % 20]
    net = MaskNet()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    training = timed.Timed(net, optimizer, options)
    rng = np.random.default_rng(training.step)
    told = []
    while training.goes_on():
        picked = [some[k] for k in rng.integers(len(some), size=BATCH)]
        loss = error_db(net, *batch(picked, rng))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        told.append(loss.item())
        training.step += 1
        if training.step % 25 == 0:
            with torch.no_grad():
                other = error_db(net, *batch(kept, np.random.default_rng(1))).item()
            at = f"{training.seconds:4.0f} s  {training.step}"
            print(f"{at}  {np.mean(told[-25:]):.2f}  {other:.2f}", flush=True)
            training.keep()
    training.write("drums", options, songs=len(some))


def main(argv: list[str] | None = None) -> int:
    """Train the network."""
    return timed.run("drums", train, 660, argv)


if __name__ == "__main__":
    sys.exit(main())
