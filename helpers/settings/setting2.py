"""Setting 2: a model on the spectrogram, whose phase is thrown away and made anew.

The model sees the log spectrogram of noisy speech and returns that of clean speech. It may look
ahead, because the phase is made for whole sounds anyway. `PhaseRebuilder` puts the two steps
together: `setting2_griffin_lim` cleans the linear magnitude and lets Griffin-Lim find a phase,
`setting2_vocoder` cleans the mel spectrogram and hands it to a vocoder.
"""

import numpy as np
import torch
from torch import nn

from helpers.phase import griffin_lim
from helpers.settings.enhancer import BLOCK_S, Enhancer
from helpers.vocoders import MelFormat, Vocoder, load_vocoder
from helpers.vocoders.gan import FLOOR, Block, distance
from helpers.vocoders.vocoder import LogMel

__all__ = ["Cleaner", "PhaseRebuilder"]

ITS_OWN = "its own"  # the vocoder that a model was trained with
OVERLAP = 8000  # samples that two blocks of a long sound share


class Cleaner(nn.Module):
    """From the log spectrogram of noisy speech to that of clean speech.

    Parameters
    ----------
    rows : {"mel", "linear"}
        Log-mel of the vocoders, or log magnitude of the same frames.
    size, hidden, blocks : int
        As for `helpers.vocoders.gan.Generator`.
    vocoder : str
        Who makes the sound.
    """

    def __init__(self, rows: str, size: int, hidden: int, blocks: int, vocoder: str):
        super().__init__()
        self.rows = rows
        self.vocoder = vocoder
        self.features = LogMel(MelFormat())
        n = self.features.form.n_mels if rows == "mel" else self.features.form.n_fft // 2 + 1
        self.into = nn.Conv1d(n, size, 3, padding=1)
        self.first = nn.LayerNorm(size)
        self.blocks = nn.ModuleList(Block(size, hidden) for _ in range(blocks))
        self.last = nn.LayerNorm(size)
        self.onto = nn.Linear(size, n)

    def spectrogram(self, y):
        """Return the log spectrogram (B, rows, T) of waveforms (B, n)."""
        if self.rows == "mel":
            return self.features(y)
        return self.features.stft(y).abs().clamp_min(FLOOR).log()

    def clean(self, log_S):
        """Return the log spectrogram of the speech in a noisy one, (B, rows, T)."""
        x = self.first(self.into((log_S + 5) / 4).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return log_S + self.onto(self.last(x)).transpose(1, 2)

    def forward(self, y):
        """Return the cleaned log spectrogram of noisy waveforms (B, n)."""
        return self.clean(self.spectrogram(y))

    def loss(self, log_S, y):
        """Return how far it is from the log spectrogram of clean waveforms y."""
        return distance(log_S, self.spectrogram(y), loud=20.0)


class PhaseRebuilder(Enhancer):
    """An enhancer that makes a new phase: its waveform looks unlike that of the speech, and may
    sound like it.

    Parameters
    ----------
    name, model, provenance
        As for `Enhancer`; the model is a `Cleaner`.
    vocoder : str or Vocoder, optional
        Who makes the sound; by default the vocoder that the model names. None: nobody yet.
    """

    def __init__(self, name: str, model, provenance: dict, vocoder=ITS_OWN):
        super().__init__(name, model, provenance)
        vocoder = model.vocoder if vocoder == ITS_OWN else vocoder
        self.vocoder: Vocoder = load_vocoder(vocoder) if isinstance(vocoder, str) else vocoder

    @torch.no_grad()
    def spectrogram(self, y) -> np.ndarray:
        """Return the cleaned log spectrogram of noisy speech at 16 kHz, (rows, n_frames)."""
        return self.model(torch.from_numpy(np.asarray(y, np.float32))[None])[0].numpy()

    def sound(self, log_S, n: int) -> np.ndarray:
        """Return n samples that have this log spectrogram, or nearly."""
        if self.model.rows == "mel":
            return self.vocoder.synthesize(log_S, length=n)
        return griffin_lim(
            np.exp(log_S), hop_length=self.model.features.form.hop_length, n_iter=100, length=n
        )

    def stream(self):
        """Raise an error: this setting waits for the whole sound."""
        raise ValueError(
            f"{self.name} looks ahead, so it cannot work on a stream; take one of Setting 1 or 3"
        )

    def _enhance(self, y):
        """Work in blocks, and blend where they overlap: an hour of sound must not be one
        spectrogram.
        """
        block = int(BLOCK_S * self.sr)
        out = np.empty(len(y), np.float32)
        for start in range(0, max(1, len(y) - OVERLAP), block - OVERLAP):
            piece = y[start : start + block]
            made = self.sound(self.spectrogram(piece), len(piece))
            self._join(out, made, start)
        return out

    def _join(self, out, made, start):
        """Write a block behind what is there; its sign is free, so it takes the one that fits."""
        n = min(OVERLAP, len(made)) if start else 0
        earlier = out[start : start + n]
        if earlier @ made[:n] < 0:
            made = -made
        fade = np.linspace(0, 1, n, dtype=np.float32)
        out[start : start + n] = (1 - fade) * earlier + fade * made[:n]
        out[start + n : start + len(made)] = made[n:]
