"""What the mel says of the next sample before anything is learned: linear prediction from its
spectral envelope.

Speech is an excitation (pulses of the glottis, noise) that went through a filter (the mouth). The
filter can be worked out from the mel spectrogram, so a network need only learn the excitation,
which is white and of level 1 [1]_, [2]_.

.. [1] J.-M. Valin and J. Skoglund, "LPCNet: improving neural speech synthesis through linear
   prediction", ICASSP 2019.
.. [2] E. Song, K. Byun and H.-G. Kang, "ExcitNet vocoder: a neural excitation model for parametric
   speech synthesis systems", EUSIPCO 2019.
"""

import numpy as np
import torch
from scipy.signal import lfilter, lfiltic
from torch import nn
from torch.nn import functional

from helpers import mel
from helpers.vocoders.vocoder import MelFormat

__all__ = ["Prediction", "between_frames"]

PARTS = 4  # a filter is held for a quarter of a hop
BLUR_HZ = 15.0  # no resonance is narrower, so every filter is stable with something to spare


def between_frames(x):
    """Return PARTS values for each frame of (B, C, T), on straight lines to the next one: (B, C,
    PARTS * T).
    """
    after = torch.cat([x[..., 1:], x[..., -1:]], -1)
    parts = [x + (after - x) * ((k + 0.5) / PARTS) for k in range(PARTS)]
    return torch.stack(parts, -1).flatten(-2)


class Prediction(nn.Module):
    """A filter that predicts a sample from the `order` samples before it, made of the log-mel of a
    `form`; there and back without loss.
    """

    def __init__(self, form: MelFormat, order: int = 64):
        super().__init__()
        self.form = form
        self.order = order
        self.hold = form.hop_length // PARTS  # samples for which a filter stays the same
        bank = mel.filterbank(n_mels=form.n_mels, **form.filterbank_kwargs)
        share = bank / bank.sum(1, keepdims=True)  # how much of a band each bin is
        spread = (share / share.sum(0).clip(1e-9)).T / bank.sum(1)
        self.register_buffer(
            "spread", torch.from_numpy(spread.astype(np.float32)), persistent=False
        )
        lag = torch.arange(order + 1)
        blur = torch.exp(-0.5 * (2 * np.pi * BLUR_HZ / form.sr * lag) ** 2)
        self.register_buffer("blur", blur, persistent=False)
        self.register_buffer("index", (lag[:-1, None] - lag[:-1]).abs(), persistent=False)

    @torch.no_grad()
    def filters(self, log_mel):
        """Return weights (B, PARTS * T, order) and the level (B, PARTS * T) of what they cannot
        predict.
        """
        log_mel = between_frames(log_mel)
        M = log_mel.exp() if self.form.log == "e" else 10**log_mel
        # the power spectrum over that of the Hann window
        power = (self.spread @ M) ** (2 / self.form.power) / (0.375 * self.form.n_fft)
        if self.form.power == 1:  # the mean magnitude of noise is below its RMS
            power = power * (4 / np.pi)
        # the normal equations of its autocorrelation
        r = torch.fft.irfft(power.transpose(1, 2))[..., : self.order + 1].double() * self.blur
        r[..., 0] = r[..., 0] * (1 + 1e-5) + 1e-11
        weights = torch.linalg.solve(r[..., self.index], r[..., 1:, None])[..., 0]
        error = r[..., 0] - (weights * r[..., 1:]).sum(-1)
        return weights.float(), error.clamp_min(1e-12).sqrt().float()

    def excitation(self, y, log_mel):
        """Return what is left of waveforms (B, n) after prediction, at level 1, and that level for
        each sample.
        """
        n = y.shape[-1]
        weights, level = (x.repeat_interleave(self.hold, 1)[:, :n] for x in self.filters(log_mel))
        past = functional.pad(y, (self.order, -1)).unfold(-1, self.order, 1).flip(-1)
        # (B, n, order), the newest first
        return (y - (past * weights).sum(-1)) / level, level

    def sound(self, excitation, log_mel):
        """Return the waveforms (B, n) that have this excitation."""
        weights, level = (x.double().numpy() for x in self.filters(log_mel))
        y = np.zeros(excitation.shape)
        for b, drive in enumerate(excitation.double().numpy()):
            for k, at in enumerate(range(0, y.shape[1], self.hold)):
                a = np.concatenate([[1.0], -weights[b, k]])
                here = slice(at, at + self.hold)
                state = lfiltic([1.0], a, y[b, max(0, at - self.order) : at][::-1])
                y[b, here] = lfilter([1.0], a, level[b, k] * drive[here], zi=state)[0]
        return torch.from_numpy(y).float()
