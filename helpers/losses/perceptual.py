"""Cheap perception: filter both signals as an ear might, then take any loss. The filters can be
differentiated.
"""

from __future__ import annotations

import numpy as np
import torch

from helpers.losses.base import Loss, emphasise
from helpers.losses.waveform import ESR, L2
from helpers.loudness import weighting


class PreEmphasis(Loss):
    r"""Any loss after :math:`y_t - c\, y_{t-1}`, which lowers the bass and raises the treble.

    Parameters
    ----------
    loss : Loss, optional
        What compares the filtered signals; `ESR` by default.
    coef : float, default 0.85
        c, from 0 to 1; 0.85 is Wright and Valimaki's [1]_, HTK and librosa take 0.97.

    References
    ----------
    .. [1] A. Wright and V. Valimaki, "Perceptual loss function for neural modelling of audio
       systems", ICASSP 2020, arXiv 1911.08922.

    Examples
    --------
    >>> offset = PreEmphasis(L2())(torch.ones(1, 1, 1000), torch.zeros(1, 1, 1000))
    >>> round(float(offset), 3)  # (1 - 0.85) ** 2, and the first sample
    0.023
    """

    def __init__(self, loss: Loss | None = None, *, coef: float = 0.85):
        super().__init__()
        if not 0 <= coef <= 1:
            raise ValueError(f"coef={coef} must lie between 0 and 1, such as 0.85 or 0.97")
        self.loss = loss or ESR()
        self.coef = coef

    def each(self, estimate, target):  # noqa: D102
        return self.loss(emphasise(estimate, self.coef), emphasise(target, self.coef))


class AWeighting(Loss):
    """Any loss after A-weighting: bass counts as little as it does for a quiet sound.

    The gain is exact at every frequency and no phase is shifted, because the whole signal goes
    through one long DFT, with 0.1 s of zeros after it. auraloss takes a filter of 101 taps instead,
    which cannot follow the curve in the bass.

    Parameters
    ----------
    loss : Loss, optional
        What compares the weighted signals; `L2` by default.
    sr : int, default 16000
        Sampling rate [Hz].
    curve : str, default "A"
        Any curve of `helpers.loudness.weighting`.

    References
    ----------
    .. [1] IEC 61672-1:2013, "Electroacoustics - Sound level meters".

    Examples
    --------
    >>> hum = 0.1 * torch.sin(2 * torch.pi * 50 / 16000 * torch.arange(16000.0)).reshape(1, 1, -1)
    >>> silence = torch.zeros_like(hum)
    >>> round(10 * np.log10(float(AWeighting()(hum, silence) / L2()(hum, silence))))
    -30
    """

    def __init__(self, loss: Loss | None = None, *, sr: int = 16000, curve: str = "A"):
        super().__init__()
        self.loss = loss or L2()
        self.sr = sr
        self.curve = curve
        self._gain = {}  # of the last length

    def weighted(self, y: torch.Tensor) -> torch.Tensor:
        """Return `y` through the curve, of the same shape."""
        n = y.shape[-1]
        long = n + self.sr // 10
        if long not in self._gain:
            freqs = np.fft.rfftfreq(long, 1 / self.sr)
            self._gain = {long: torch.from_numpy(10 ** (weighting(freqs, curve=self.curve) / 20))}
        return torch.fft.irfft(torch.fft.rfft(y, long) * self._gain[long].to(y), long)[..., :n]

    def each(self, estimate, target):  # noqa: D102
        return self.loss(self.weighted(estimate), self.weighted(target))
