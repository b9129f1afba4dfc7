"""The mel spectrogram that a vocoder owns, once more in torch: for training."""

import numpy as np
import torch
from torch import nn

from helpers import mel
from helpers.settings.vocoders.vocoder import MelFormat

__all__ = ["LogMel"]


class LogMel(nn.Module):
    """The log-mel spectrogram of `MelFormat.mel` for a batch, with slopes and on any device.

    Parameters
    ----------
    form : MelFormat
        What it computes.
    """

    def __init__(self, form: MelFormat):
        super().__init__()
        self.form = form
        bank = mel.filterbank(n_mels=form.n_mels, **form.bank).astype(np.float32)
        self.register_buffer("window", torch.hann_window(form.n_fft), persistent=False)
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)

    def stft(self, y):
        """Return the complex STFT (B, n_fft // 2 + 1, T) of waveforms (B, n), zeros beyond both ends."""
        n_fft, hop = self.form.n_fft, self.form.hop_length
        return torch.stft(y, n_fft, hop, window=self.window, pad_mode="constant", return_complex=True)

    def forward(self, y):
        """Return the log-mel spectrogram (B, n_mels, T) of waveforms (B, n)."""
        M = (self.bank @ self.stft(y).abs() ** self.form.power).clamp_min(self.form.floor)
        return M.log() if self.form.log == "e" else M.log10()
