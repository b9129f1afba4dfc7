"""The vocoder that has learned nothing: non-negative least squares, then Griffin-Lim."""

import numpy as np
import torch

from helpers.phase import griffin_lim
from helpers.settings.vocoders.vocoder import MelFormat

__all__ = ["GriffinLim"]


class GriffinLim:
    """Find a magnitude that has this mel, then a sound that has this magnitude.

    Parameters
    ----------
    form : MelFormat
        The mel that comes in.
    """

    def __init__(self, form: MelFormat):
        self.form = form

    def generate(self, log_mel, n: int, *, seed: int = 0, n_iter: int = 100, momentum: float = 0.99):
        """Return waveforms (B, n) of log-mel spectrograms (B, n_mels, n_frames); `n_iter` rounds as in unit 09."""
        return torch.from_numpy(np.stack([self._one(M, n, seed, n_iter, momentum) for M in log_mel.numpy()]))

    def _one(self, log_mel, n, seed, n_iter, momentum):
        S = self.form.magnitude(log_mel)
        return griffin_lim(S, hop_length=self.form.hop_length, n_iter=n_iter, momentum=momentum, length=n, seed=seed)
