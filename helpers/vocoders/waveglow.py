"""An invertible map: speech in, white noise out, in steps that can all be taken back; so noise in,
speech out.

WaveGlow [1]_, small: groups of samples, an invertible mix of the group [2]_, and an affine
coupling, again and again. Because each step says by how much it stretches, the likelihood of a
recording is exact, and training just raises it. Like the course's WaveNet it speaks the excitation
of a linear predictor; WaveGlow speaks the waveform itself.

.. [1] R. Prenger, R. Valle and B. Catanzaro, "WaveGlow: a flow-based generative network for speech
   synthesis", ICASSP 2019.
.. [2] D. P. Kingma and P. Dhariwal, "Glow: generative flow with invertible 1x1 convolutions",
   NeurIPS 2018.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.vocoders.prediction import Prediction, between_frames
from helpers.vocoders.vocoder import LogMel, MelFormat

__all__ = ["Step", "WaveGlow"]


class Step(nn.Module):
    """One invertible step: mix the channels of a group of samples, then stretch and shift one half
    of them by what a network of `size` channels and `layers` layers makes of the other half.
    """

    def __init__(self, group: int, size: int, layers: int):
        super().__init__()
        self.mix = nn.Parameter(torch.linalg.qr(torch.randn(group, group))[0])
        self.start = nn.Conv1d(group // 2, size, 1)
        self.end = nn.Conv1d(size, group, 1)
        self.taps = nn.ModuleList(
            nn.Conv1d(size, 2 * size, 3, dilation=2**k, padding=2**k, bias=False)
            for k in range(layers)
        )
        self.residual = nn.ModuleList(nn.Conv1d(size, size, 1) for _ in range(layers))
        nn.init.zeros_(self.end.weight)  # at first the step only mixes
        nn.init.zeros_(self.end.bias)

    def stretch(self, half, conditions):
        """Return the logarithm of the factor, and the shift, for the other half."""
        x = self.start(half)
        held = x.shape[-1] // conditions.shape[-1]
        layers = zip(self.taps, self.residual, conditions.chunk(len(self.taps), 1), strict=True)
        for taps, residual, c in layers:
            a, b = (taps(x).unflatten(-1, (-1, held)) + c[..., None]).flatten(-2).chunk(2, 1)
            x = x + residual(torch.tanh(a) * torch.sigmoid(b))
        log_factor, shift = self.end(x).chunk(2, 1)
        return 2 * torch.tanh(log_factor / 2), shift

    def forward(self, x, conditions):
        """Return the changed groups (B, group, n) and the logarithm of the volume by which that
        stretches (B,).
        """
        a, b = (self.mix @ x).chunk(2, 1)
        log_factor, shift = self.stretch(a, conditions)
        volume = x.shape[-1] * torch.linalg.slogdet(self.mix)[1] + log_factor.sum((1, 2))
        return torch.cat([a, b * log_factor.exp() + shift], 1), volume

    def inverse(self, x, conditions):
        """Take `forward` back: the first half is as it was, so stretch and shift are known."""
        a, b = x.chunk(2, 1)
        log_factor, shift = self.stretch(a, conditions)
        return torch.linalg.inv(self.mix) @ torch.cat([a, (b - shift) * (-log_factor).exp()], 1)


class WaveGlow(nn.Module):
    """A mel-conditioned flow between the excitation of speech and white noise.

    Parameters
    ----------
    form : MelFormat
        The mel that comes in.
    group : int
        Samples that are taken together; a divisor of a quarter of a hop.
    steps, size, layers : int
        Number of steps, and the size of the network in each, as in `Step`.
    hidden : int
        Channels of what all steps know of the mel.
    order : int
        Samples that the linear predictor looks at; 0 for none.
    """

    def __init__(self, form: MelFormat, group=16, steps=8, size=64, layers=4, hidden=128, order=64):
        super().__init__()
        self.form = form
        self.group = group
        self.features = LogMel(form)
        self.prediction = Prediction(form, order)
        self.frames = nn.Conv1d(form.n_mels, hidden, 5, padding=2)
        self.condition = nn.Conv1d(hidden, steps * layers * 2 * size, 1)
        self.steps = nn.ModuleList(Step(group, size, layers) for _ in range(steps))

    def conditions(self, log_mel):
        """Return for each step what the mel says, (B, layers * 2 * size, PARTS * T)."""
        x = self.condition(functional.relu(self.frames((log_mel + 5) / 4)))
        return [between_frames(part) for part in x.chunk(len(self.steps), 1)]

    def flow(self, y, log_mel, edge: int = 0):
        """Return noise (B, m) for waveforms (B, n), and the log-determinant (B,) of that map;
        `log_mel` is given.

        A quarter of a hop is the unit: samples that fill none, and `edge` of them at both ends, are
        left out.
        """
        hold = self.prediction.hold
        parts = slice(edge, y.shape[-1] // hold - edge)
        inner = slice(parts.start * hold, parts.stop * hold)
        x, level = (part[:, inner] for part in self.prediction.excitation(y, log_mel))
        x = x.unflatten(1, (-1, self.group)).transpose(1, 2)  # (B, group, m / group)
        log_det = -level.log().sum(1)
        for step, c in zip(self.steps, self.conditions(log_mel), strict=True):
            x, volume = step(x, c[..., parts])
            log_det = log_det + volume
        return x.transpose(1, 2).flatten(1), log_det

    def inverse(self, z, log_mel):
        """Return the waveforms (B, n) of noise (B, n), n a multiple of a quarter of a hop."""
        x = z.unflatten(1, (-1, self.group)).transpose(1, 2)
        parts = z.shape[1] // self.prediction.hold
        for step, c in reversed(list(zip(self.steps, self.conditions(log_mel), strict=True))):
            x = step.inverse(x, c[..., :parts])
        return self.prediction.sound(x.transpose(1, 2).flatten(1), log_mel)

    def forward(self, y):
        """Return noise and log-determinant for waveforms (B, n) and their own mel, without half a
        frame at both ends.

        There the mel sees beyond the crop.
        """
        return self.flow(y, self.features(y), self.form.n_fft // 2 // self.prediction.hold)

    def loss(self, output, y):
        """Return the negative log-likelihood [nat per sample], were the noise normal."""
        z, log_det = output
        return (0.5 * z.square().sum(1) - log_det).mean() / z.shape[1] + 0.5 * np.log(2 * np.pi)

    def generate(self, log_mel, n: int, *, seed: int = 0, temperature: float = 1.0):
        """Return waveforms (B, n) of log-mels (B, n_mels, T); `temperature` is the level of the
        noise.
        """
        hold = self.prediction.hold
        random = torch.Generator().manual_seed(seed)
        z = temperature * torch.randn(len(log_mel), -(-n // hold) * hold, generator=random)
        return self.inverse(z, log_mel)[:, :n]
