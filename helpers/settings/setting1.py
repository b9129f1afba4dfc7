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

# of every enhancer of the course: frames of 32 ms, a new one every 8 ms
SR = 16000
N_FFT = 512
HOP = 128


def spread(n_mels: int) -> torch.Tensor:
    """Return (257, n_mels): how a mask on mel bands becomes one on bins; each bin takes a mean of
    its bands.
    """
    bank = mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=n_mels, norm=None)
    # beyond the first and the last peak there is one band only
    bank[0, : bank[0].argmax()] = 1
    bank[-1, bank[-1].argmax() :] = 1
    return torch.from_numpy((bank / bank.sum(0)).T.astype(np.float32))


class Masking(nn.Module):
    """A mask on the magnitude of the STFT, and the phase that came in: from waveform to waveform.

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
    hop, span, latency, left_pad, skip : int
        As in `helpers.settings.setting3.Waveform`: a frame is needed, and comes out one frame
        later; the first frame has its middle on the first sample.
    """

    hop = HOP
    span = N_FFT
    latency = N_FFT
    left_pad = N_FFT // 2
    skip = N_FFT // 2

    def __init__(self, bands, n_mels: int | None = None, **network):
        super().__init__()
        self.network = MaskNet(bands, **network)
        self.n_fft = N_FFT
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        bank = None
        if n_mels:
            bank = torch.from_numpy(mel.filterbank(sr=SR, n_fft=N_FFT, n_mels=n_mels)).float()
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("spread", spread(n_mels) if n_mels else None, persistent=False)

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
        if self.bank is None:
            return self.network(S, state)
        mask, state = self.network(self.bank @ S, state)
        return self.spread @ mask, state

    def forward(self, y):
        """Return the enhanced waveforms, (B, n), of noisy ones."""
        D = self.stft(y)
        mask, _ = self.mask(D.abs())
        return self.istft(mask * D, y.shape[-1])

    def frames(self, y, pending, state=None):
        """Enhance the frames that samples ``(n_fft + (n - 1) * hop,)`` hold; what `Stream` does.

        `pending` (2, up to n_fft - hop) are unfinished samples that begin where `y` does: the sum
        of the frames before, and the sum of their squared windows. Return the n * hop samples that
        are finished, and `pending` and `state` for the next call.
        """
        D = torch.fft.rfft(y.unfold(0, N_FFT, HOP) * self.window).T  # (257, n)
        mask, state = self.mask(D.abs()[None], state)
        pieces = torch.fft.irfft((mask[0] * D).T, N_FFT) * self.window
        # overlap-add of the pieces and of their squared windows, by torch's own fold
        both = torch.stack([pieces, self.window.square().expand_as(pieces)])  # (2, n, n_fft)
        both = nn.functional.fold(both.transpose(1, 2), (1, len(y)), (1, N_FFT), stride=(1, HOP))
        both = both.view(2, -1)
        both[:, : pending.shape[1]] += pending
        n_done = D.shape[1] * HOP
        done = both[:, :n_done]
        return done[0] / done[1].clamp_min(1e-8), both[:, n_done:], state

    def right_pad(self, n: int) -> int:
        """Return how many zeros follow n samples until the last frame is full."""
        return max(0, n // HOP * HOP + N_FFT // 2 - n)

    def flush(self, pending):
        """Return the unfinished samples of the last frames."""
        return pending[0] / pending[1].clamp_min(1e-8)
