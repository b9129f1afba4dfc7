"""What should a vocoder's network make: the magnitude, or the phase as well? The table that unit 34
prints.

python3 -m tools.measure.compare_generators --corpus ../shared/corpus

Two networks of one size learn from the same crops for the same minutes of one core, each with its
own loss. One makes the magnitude, and Griffin-Lim finds the phase; the other makes both, as Vocos
does, and is judged by the waveform that comes out. The scores are PESQ-WB of copies of the
validation corpus; no held-out recording is touched. Two bounds stand beside them: Griffin-Lim from
the mel, which learns nothing, and from the true magnitude, which needs no mel.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

from tools import notebooks

TABLE = notebooks.ROOT / "data" / "tables" / "generator_choice.csv"
STEP_S, CROPS = 2.0, 8  # seconds in a crop, crops in a step


def generators() -> dict:
    """Return the two networks by name."""
    import torch

    from helpers import losses
    from helpers.vocoders import MelFormat
    from helpers.vocoders.gan import Generator

    class WithPhase(Generator):
        """Makes the phase too: two more numbers for each bin, whose angle it is."""

        def __init__(self, form):
            super().__init__(form)
            self.angle = torch.nn.Linear(256, 2 * (form.n_fft // 2 + 1))
            self.judge = losses.MultiResolutionSTFT(linear=1.0)
            self.last.register_forward_hook(
                lambda module, given, seen: setattr(self, "seen", [seen])
            )

        def sound(self, log_mel, n):
            """Return the log magnitude and the waveforms (B, n)."""
            log_S = self.magnitude(log_mel)
            real, imag = self.angle(self.seen.pop()).transpose(1, 2).chunk(2, 1)
            D = torch.polar(log_S.clamp(-12, 8).exp(), torch.atan2(imag, real))
            window, n_fft = self.features.window, self.form.n_fft
            return log_S, torch.istft(D, n_fft, self.form.hop_length, window=window, length=n)

        def forward(self, y):
            return self.sound(self.features(y), y.shape[-1])

        def loss(self, output, y):
            log_S, made = output
            return super().loss(log_S, y) + self.judge(made[:, None], y[:, None])

        def generate(self, log_mel, n, *, seed=0):
            return self.sound(log_mel, n)[1]

    return {
        "magnitude, phase by Griffin-Lim": Generator(MelFormat()),
        "magnitude and phase": WithPhase(MelFormat()),
    }


def learn(model, crops, valid, minutes: float) -> list[dict]:
    """Train for some minutes, and return PESQ after each of them."""
    import torch

    from tools.training.evaluation import validate_copies

    optimizer, spent, step, rows = torch.optim.AdamW(model.parameters(), 1e-3), 0.0, 0, []
    while spent < 60 * minutes:
        begun = time.process_time()
        y = torch.from_numpy(crops.batch(step, range(CROPS))[0])
        value = model.loss(model(y), y)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        optimizer.step()
        spent, step = spent + time.process_time() - begun, step + 1
        if spent >= 60 * (len(rows) + 1):
            rows.append(
                {
                    "minutes": len(rows) + 1,
                    "steps": step,
                    "pesq": f"{validate_copies(model, [valid]):.3f}",
                }
            )
            print(rows[-1], flush=True)
    return rows


def bounds(valid) -> dict[str, str]:
    """Return the PESQ of Griffin-Lim from the mel, and from the true magnitude."""
    from helpers import metrics, settings, stft
    from helpers.phase import griffin_lim

    vocoder, found = settings.load_vocoder("griffin_lim"), []
    for index in range(12):
        y = valid.item(0, index)[0]
        S = np.abs(stft.stft(y, n_fft=1024, hop_length=256))
        copies = [vocoder.synthesize(vocoder.mel(y, sr=16000), length=len(y))]
        copies.append(griffin_lim(S, hop_length=256, n_iter=32, length=len(y)))
        found.append([metrics.pesq(copy, y, sr=16000) for copy in copies])
    mel, magnitude = np.mean(found, axis=0)
    return {
        "Griffin-Lim from the mel": f"{mel:.3f}",
        "Griffin-Lim from the true magnitude": f"{magnitude:.3f}",
    }


def main(argv: list[str] | None = None) -> int:
    """Write the table."""
    import torch

    from tools.training.datasets import Corpus, Crops

    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.compare_generators", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--corpus", required=True, type=Path, help="folder with speech/train and speech/valid"
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    crops, valid = (Corpus(options.corpus / "speech" / part) for part in ("train", "valid"))
    crops, valid = (
        Crops(crops, seconds=STEP_S),
        Crops(valid, seconds=4, seed=10**6, level_db=(-25, -25)),
    )
    rows = [
        {"method": name, "minutes": 0, "steps": 0, "pesq": pesq}
        for name, pesq in bounds(valid).items()
    ]
    print(rows)
    torch.manual_seed(0)
    for name, model in generators().items():
        rows += [{"method": name, **row} for row in learn(model, crops, valid, options.minutes)]
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
