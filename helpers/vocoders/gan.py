"""GAN vocoder: it predicts the magnitude, Griffin-Lim finds the phase.

The generator takes the mel spectrogram and returns the linear magnitude that the mel has blurred:
513 bins from 80 bands; in training an adversary tells made from real. It is an inverse-STFT
generator, as Vocos [1]_ is, and has its blocks [2]_; but Vocos lets the network guess the phase
too. That learns far more slowly here (``tools.measure.compare_generators``, and unit 34): so all
3.5 million weights look after the magnitude.

.. [1] H. Siuzdak, "Vocos: closing the gap between time-domain and Fourier-based neural vocoders for
   high-quality audio synthesis", ICLR 2024.
.. [2] Z. Liu and others, "A ConvNet for the 2020s", CVPR 2022.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers import mel
from helpers.phase import griffin_lim
from helpers.vocoders.vocoder import LogMel, MelFormat

__all__ = ["Block", "Generator", "distance"]

FLOOR = 1e-4  # magnitudes below it count as silence


def distance(log_S, target, *, loud: float = 5.0):
    """Return how far log magnitudes are from their target: of the logarithms, and of the magnitudes
    to the power 0.3.

    The first hears what is quiet, the second, with the weight `loud`, what is loud.
    """
    power, wanted = ((0.3 * x.clamp(-12, 8)).exp() for x in (log_S, target))
    return (
        functional.l1_loss(log_S, target)
        + loud * functional.mse_loss(power, wanted) / wanted.square().mean()
    )


class Block(nn.Module):
    """A ConvNeXt block: a convolution over seven frames of each channel, then a network of all
    channels in each frame.
    """

    def __init__(self, size: int, hidden: int):
        super().__init__()
        self.time = nn.Conv1d(size, size, 7, padding=3, groups=size)
        self.norm = nn.LayerNorm(size)
        self.up = nn.Linear(size, hidden)
        self.down = nn.Linear(hidden, size)
        self.scale = nn.Parameter(torch.full((size,), 0.3))

    def forward(self, x):
        """Return a tensor of the shape of x, (B, T, size)."""
        y = self.time(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.down(functional.gelu(self.up(self.norm(y))))


class Generator(nn.Module):
    """From a log-mel spectrogram to the logarithm of a linear magnitude, and on to sound.

    Parameters
    ----------
    form : MelFormat
        The mel that comes in.
    size, hidden : int
        Numbers that describe a frame, and numbers inside a block.
    blocks : int
        Each sees three frames further to both sides.
    """

    cheap_to_generate = True  # so training chooses the best weights by PESQ

    def __init__(self, form: MelFormat, size: int = 256, hidden: int = 768, blocks: int = 8):
        super().__init__()
        self.form = form
        self.features = LogMel(form)
        # what makes the mel in training; in a list, so that it is no part of the weights
        self.to_mel = [self.features]
        self.into = nn.Conv1d(form.n_mels, size, 7, padding=3)
        self.first = nn.LayerNorm(size)
        self.blocks = nn.ModuleList(Block(size, hidden) for _ in range(blocks))
        self.last = nn.LayerNorm(size)
        self.onto = nn.Linear(size, form.n_fft // 2 + 1)
        bank = mel.filterbank(n_mels=form.n_mels, **form.filterbank_kwargs)
        share = bank / bank.sum(1, keepdims=True)  # how much of a band each bin is
        # what a bin gets: the mean of its bands, each over its area
        rough = (share / share.sum(0).clip(1e-9)).T
        self.register_buffer("rough", torch.from_numpy(rough.astype(np.float32)), persistent=False)
        area = torch.from_numpy(np.log(bank.sum(1, dtype=np.float64)).astype(np.float32))
        self.register_buffer("area", area[:, None], persistent=False)

    def magnitude(self, log_mel):
        """Return log magnitudes (B, n_freq, T) of log-mels (B, n_mels, T): the mel read off at each
        bin, corrected.
        """
        x = self.first(self.into((log_mel + 5) / 4).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return self.rough @ (log_mel - self.area) + self.onto(self.last(x)).transpose(1, 2)

    def forward(self, y):
        """Return the log magnitude that the network makes of the mel of waveforms (B, n)."""
        return self.magnitude(self.to_mel[0](y))

    def target(self, y):
        """Return the log magnitude of waveforms (B, n) that it should have made."""
        return self.features.stft(y).abs().clamp_min(FLOOR).log()

    def loss(self, log_magnitude, y):
        """Return how far the magnitude is from that of waveforms y."""
        return distance(log_magnitude, self.target(y))

    def generate(self, log_mel, n: int, *, seed: int = 0, n_iter: int = 32):
        """Return waveforms (B, n) of log-mels (B, n_mels, T), the phase found by `n_iter`
        iterations of Griffin-Lim.
        """
        S = self.magnitude(log_mel).clamp(-12, 8).exp().cpu().numpy()
        y = griffin_lim(S, hop_length=self.form.hop_length, n_iter=n_iter, length=n, seed=seed)
        return torch.from_numpy(y)
