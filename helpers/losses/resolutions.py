"""The loss of many vocoders: several STFTs at once, so that what one resolution cannot see another does."""

from __future__ import annotations

import numpy as np
import torch

from helpers.losses.base import Loss
from helpers.losses.spectral import EPS, STFTLoss, magnitude, norm
from helpers.mel import filterbank
from helpers.weightings import weighting

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # n_fft, hop_length, win_length


class MultiResolutionSTFT(Loss):
    r"""Spectral convergence plus log-magnitude loss, averaged over several resolutions.

    Parameters
    ----------
    resolutions : sequence of (n_fft, hop_length, win_length)
        By default those of Parallel WaveGAN, `RESOLUTIONS`.
    convergence, log, linear : float
        Weights of the spectral convergence, the log-magnitude L1 and the linear-magnitude L1.
    n_mels : int, optional
        Compare this many mel bands instead of bins; take care that the smallest `n_fft` can fill them.
    a_weighting : bool
        Weight every bin by curve A before the comparison; only the convergence and the linear part notice, since a
        gain that both sides share drops out of a difference of logarithms.
    sr : int
        Sampling rate [Hz], for mel bands and curve A.
    pad_mode : {"constant", "reflect"}
        As for `STFTLoss`.

    Raises
    ------
    ValueError
        If there is no resolution.

    References
    ----------
    .. [1] R. Yamamoto, E. Song and J.-M. Kim, "Parallel WaveGAN", ICASSP 2020, arXiv 1910.11480.

    Examples
    --------
    >>> y = torch.sin(torch.arange(4000.0)).reshape(1, 1, -1)
    >>> float(MultiResolutionSTFT()(-y, y))
    0.0
    """

    def __init__(
        self,
        *,
        resolutions=RESOLUTIONS,
        convergence: float = 1.0,
        log: float = 1.0,
        linear: float = 0.0,
        n_mels: int | None = None,
        a_weighting: bool = False,
        sr: int = 16000,
        pad_mode: str = "constant",
    ):
        super().__init__()
        if not resolutions:
            raise ValueError("resolutions is empty; pass at least one (n_fft, hop_length, win_length)")
        names = ("n_fft", "hop_length", "win_length")
        parts = [STFTLoss(pad_mode=pad_mode, **dict(zip(names, one, strict=True))) for one in resolutions]
        self.parts, self.weights = torch.nn.ModuleList(parts), (convergence, log, linear)
        for part in parts:
            bands = filterbank(sr=sr, n_fft=part.n_fft, n_mels=n_mels) if n_mels else np.eye(part.n_fft // 2 + 1)
            if a_weighting:
                bands = bands * 10 ** (weighting(np.arange(bands.shape[1]) * sr / part.n_fft) / 20)
            part.register_buffer("bands", torch.from_numpy(bands) if n_mels or a_weighting else None, persistent=False)

    def each(self, estimate, target):  # noqa: D102
        return sum(self.one(part, estimate, target) for part in self.parts) / len(self.parts)

    def one(self, part: STFTLoss, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of each channel at one resolution."""
        E, S = (magnitude(part.stft(y)) for y in (estimate, target))
        if part.bands is not None:
            E, S = (part.bands.to(a) @ a for a in (E, S))
        logs = (torch.log(torch.clamp(a, min=EPS)) for a in (E, S))
        apart = [norm(S - E) / torch.clamp(norm(S), min=EPS), _l1(*logs), _l1(E, S)]
        return sum(weight * value for weight, value in zip(self.weights, apart, strict=True) if weight)


def _l1(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).abs().mean(dim=(-2, -1))
