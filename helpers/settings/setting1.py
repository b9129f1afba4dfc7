"""Setting 1: STFT, magnitude, model, magnitude, and back with the phase that came in.

The model gives a mask between 0 and 1 for each time and frequency, from this frame and earlier
ones. So magnitudes only shrink, and nothing waits for the future. It looks at the linear magnitude,
or at its mel spectrogram.
"""

import numpy as np
import torch
from torch import nn

from helpers import mel
from helpers.settings.masknet import MaskNet

__all__ = ["HOP", "N_FFT", "Masking"]

N_FFT, HOP, SR = (
    512,
    128,
    16000,
)  # of every enhancer of the course: frames of 32 ms, a new one every 8 ms


def spread(n_mels: int) -> torch.Tensor:
    """Return (257, n_mels): how a mask on mel bands becomes one on bins; each bin takes a mean of
    its bands.
    """
    bank = mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=n_mels, norm=None)
    middles = bank.argmax(1)
    bank[0, : middles[0]] = bank[-1, middles[-1] :] = (
        1  # beyond the first and last peak there is one band only
    )
    return torch.from_numpy((bank / bank.sum(0)).T.astype(np.float32))


class Masking(nn.Module):
    """The picture of the setting, from waveform to waveform.

    Parameters
    ----------
    bands : sequence of int
        How the network splits the rows of the spectrogram, as in `MaskNet`.
    n_mels : int, optional
        Mel bands that the network sees; by default it sees the linear magnitude.
    **network
        `size`, `hidden`, `blocks`, as in `MaskNet`.

    Attributes
    ----------
    hop, span, latency, before, early : int
        As in `helpers.settings.setting3.Waveform`: a frame is needed, and comes out one frame
        later; the first frame has its middle on the first sample.
    """

    hop, span, latency, before, early = HOP, N_FFT, N_FFT, N_FFT // 2, N_FFT // 2

    def __init__(self, bands, n_mels: int | None = None, **network):
        super().__init__()
        self.network, self.n_fft = MaskNet(bands, **network), N_FFT
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        bank = (
            mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=n_mels).astype(np.float32)
            if n_mels
            else np.zeros((0, 0))
        )
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer(
            "spread", spread(n_mels) if n_mels else torch.zeros(0, 0), persistent=False
        )

    def stft(self, y):
        """Return the STFT, (B, 257, T) complex, of waveforms (B, n); the same as
        `helpers.stft.stft`.
        """
        return torch.stft(
            y, N_FFT, HOP, window=self.window, pad_mode="constant", return_complex=True
        )

    def istft(self, D, n: int):
        """Return waveforms (B, n)."""
        return torch.istft(D, N_FFT, HOP, window=self.window, length=n)

    def mask(self, S, state=None):
        """Return the mask of magnitudes S, (B, 257, T), and the state after the last frame."""
        if not len(self.bank):
            return self.network(S, state)
        mask, state = self.network(self.bank @ S, state)
        return self.spread @ mask, state

    def forward(self, y):
        """Return the enhanced waveforms, (B, n), of noisy ones."""
        D = self.stft(y)
        mask, _ = self.mask(D.abs())
        return self.istft(mask * D, y.shape[-1])

    def frames(self, y, begun, state=None):
        """Enhance the whole frames of a piece and overlap-add them to those before; what `Stream`
        does.

        Parameters
        ----------
        y : torch.Tensor, shape (n_fft + (n - 1) * hop,)
            The samples that n frames span.
        begun : torch.Tensor, shape (2, up to n_fft - hop)
            Unfinished samples that begin where `y` does: sum of the frames before, sum of their
            squared windows.
        state : list, optional
            Of the network, after the frame before.

        Returns
        -------
        done : torch.Tensor, shape (n * hop,)
            Finished samples.
        begun, state
            For the next call.
        """
        D = torch.fft.rfft(y.unfold(0, N_FFT, HOP) * self.window).T  # (257, n)
        mask, state = self.mask(D.abs()[None], state)
        pieces = torch.fft.irfft((mask[0] * D).T, N_FFT) * self.window
        both = torch.stack([pieces, self.window.square().expand_as(pieces)])  # (2, n, n_fft)
        both = nn.functional.fold(
            both.transpose(1, 2), (1, len(y)), (1, N_FFT), stride=(1, HOP)
        ).view(2, -1)
        both[:, : begun.shape[1]] += begun
        n = D.shape[1] * HOP
        return both[0, :n] / both[1, :n].clamp_min(1e-8), both[:, n:], state

    def rest(self, n: int) -> int:
        """Return how many zeros follow n samples until the last frame is full."""
        return max(0, n // HOP * HOP + N_FFT // 2 - n)

    def tail(self, begun):
        """Return the unfinished samples: of the last frames."""
        return begun[0] / begun[1].clamp_min(1e-8)
