"""Losses that compare spectrograms, at one resolution or at several.

Those of magnitudes hear no phase; `ComplexSTFT` and `PhaseSensitive` do. STFTs follow the
conventions of `helpers.stft`: Hann window, centred, zeros at both ends, not scaled. Parallel
WaveGAN, denoiser and auraloss mirror the ends instead: ``pad_mode="reflect"``.
"""

from __future__ import annotations

import numpy as np
import torch

from helpers._checks import check_name
from helpers.losses.base import Loss
from helpers.loudness import weighting
from helpers.mel import filterbank

# least power of a bin: its magnitude 1e-4 lies 120 dB under a sine of amplitude 0.4 and 1024
# samples
EPS = 1e-8
DOMAINS = ("linear", "power", "log", "mel", "log-mel")


class STFTLoss(Loss):
    """A loss that looks at spectrograms; what `compare` does with them is the subclass's.

    Parameters
    ----------
    n_fft, hop_length, win_length : int
        Frame, step and window [samples]; by default 512, a quarter of it, and all of it.
    pad_mode : {"constant", "reflect"}
        What stands before the first and after the last sample: zeros, or the sound mirrored.
    """

    def __init__(
        self,
        *,
        n_fft: int = 512,
        hop_length: int | None = None,
        win_length: int | None = None,
        pad_mode: str = "constant",
    ):
        super().__init__()
        check_name(pad_mode, ("constant", "reflect"), what="pad_mode")
        self.n_fft = n_fft
        self.pad_mode = pad_mode
        self.hop_length = n_fft // 4 if hop_length is None else hop_length
        self.win_length = n_fft if win_length is None else win_length
        window = torch.hann_window(self.win_length, dtype=torch.float64)
        self.register_buffer("window", window, persistent=False)

    def stft(self, y: torch.Tensor) -> torch.Tensor:
        """Return the STFT, (batch * channels, n_fft // 2 + 1, n_frames)."""
        n = y.shape[-1]
        if self.pad_mode == "reflect" and n <= self.n_fft // 2:
            raise ValueError(
                f"{n} samples cannot be mirrored over {self.n_fft // 2}; use pad_mode='constant'"
            )
        return torch.stft(
            y.reshape(-1, n), self.n_fft, self.hop_length, self.win_length, self.window.to(y),
            pad_mode=self.pad_mode, return_complex=True,
        )  # fmt: skip

    def each(self, estimate, target):  # noqa: D102
        return self.compare(self.stft(estimate), self.stft(target))

    def compare(self, E: torch.Tensor, S: torch.Tensor) -> torch.Tensor:
        """Return the loss of two complex STFTs."""
        raise NotImplementedError


def magnitude(D: torch.Tensor) -> torch.Tensor:
    """Return the magnitude, at least 1e-4, so that its logarithm and every gradient are finite."""
    return torch.sqrt(torch.clamp(D.real**2 + D.imag**2, min=EPS))


def norm(a: torch.Tensor) -> torch.Tensor:
    """Return the Frobenius norm of each spectrogram; its gradient at 0 is 0."""
    return torch.linalg.vector_norm(a, dim=(-2, -1))


class Magnitude(STFTLoss):
    r"""Distance of magnitudes in a domain of your choice: :math:`\mathrm{mean}\,|g(|\hat S|) -
    g(|S|)|^p`.

    Parameters
    ----------
    domain : {"linear", "power", "log", "mel", "log-mel"}
        What is compared: magnitudes, their squares, their natural logarithms, sums over mel bands,
        or logs of those.
    p : {1, 2}
        Absolute or squared differences (L1 or L2).
    sr, n_mels : int
        Sampling rate [Hz] and number of bands, for the two mel domains.
    **frames
        `n_fft`, `hop_length`, `win_length`, `pad_mode`, as for `STFTLoss`.

    References
    ----------
    .. [1] J. Engel et al., "DDSP: Differentiable digital signal processing", ICLR 2020, arXiv
       2001.04643.

    Examples
    --------
    >>> y = torch.sin(torch.arange(4000.0)).reshape(1, 1, -1)
    >>> float(Magnitude()(-y, y))
    0.0
    """

    def __init__(
        self, *, domain: str = "linear", p: int = 1, sr: int = 16000, n_mels: int = 80, **frames
    ):
        super().__init__(**frames)
        check_name(domain, DOMAINS, what="domain")
        check_name(p, (1, 2), what="exponent p")
        self.domain = domain
        self.p = p
        if "mel" in domain:
            bands = filterbank(sr=sr, n_fft=self.n_fft, n_mels=n_mels)
            self.register_buffer("bands", torch.from_numpy(bands), persistent=False)

    def view(self, D: torch.Tensor) -> torch.Tensor:
        """Return a spectrogram as this loss sees it."""
        S = magnitude(D)
        if "mel" in self.domain:
            S = self.bands.to(S) @ S
        if "log" in self.domain:
            return torch.log(torch.clamp(S, min=EPS))
        return S**2 if self.domain == "power" else S

    def compare(self, E, S):  # noqa: D102
        return (self.view(E) - self.view(S)).abs() ** self.p


class SpectralConvergence(STFTLoss):
    r"""Relative error of the magnitudes, which the loud bins decide.

    .. math:: \bigl\lVert |S| - |\hat S| \bigr\rVert_F \big/ \lVert S \rVert_F

    The norm is that of each channel; auraloss takes one norm of the whole batch.

    Parameters
    ----------
    **frames
        `n_fft`, `hop_length`, `win_length`, `pad_mode`, as for `STFTLoss`.

    References
    ----------
    .. [1] S. O. Arik, H. Jun and G. Diamos, "Fast spectrogram inversion using multi-head
       convolutional neural networks", IEEE Signal Process. Lett. 2018, arXiv 1808.06719.

    Examples
    --------
    >>> y = torch.sin(torch.arange(4000.0)).reshape(1, 1, -1)
    >>> round(float(SpectralConvergence()(1.1 * y, y)), 3)
    0.1
    """

    def __init__(self, **frames):
        super().__init__(**frames)

    def compare(self, E, S):  # noqa: D102
        E, S = magnitude(E), magnitude(S)
        return norm(S - E) / norm(S)


class LogMagnitude(Magnitude):
    r"""Log-STFT magnitude loss, :math:`\mathrm{mean}\,|\log|\hat S| - \log|S||`: quiet bins count
    as loud ones.

    Parameters
    ----------
    **frames
        `n_fft`, `hop_length`, `win_length`, `pad_mode`, as for `STFTLoss`.

    References
    ----------
    .. [1] S. O. Arik, H. Jun and G. Diamos, "Fast spectrogram inversion using multi-head
       convolutional neural networks", IEEE Signal Process. Lett. 2018, arXiv 1808.06719.

    Examples
    --------
    >>> y = 0.1 * torch.randn(1, 1, 4000)
    >>> round(float(LogMagnitude()(2 * y, y)), 2)  # log(2)
    0.69
    """

    def __init__(self, **frames):
        super().__init__(domain="log", **frames)


class ComplexSTFT(STFTLoss):
    r"""Distance of complex spectra, :math:`\mathrm{mean}\,|\hat S - S|`: magnitude and phase at
    once.

    Parameters
    ----------
    **frames
        `n_fft`, `hop_length`, `win_length`, `pad_mode`, as for `STFTLoss`.

    Examples
    --------
    >>> y = torch.sin(torch.arange(4000.0)).reshape(1, 1, -1)
    >>> float(ComplexSTFT()(-y, y)) > 10 * float(Magnitude()(-y, y))
    True
    """

    def __init__(self, **frames):
        super().__init__(**frames)

    def compare(self, E, S):  # noqa: D102
        return (E - S).abs()


class PhaseSensitive(STFTLoss):
    r"""Error along the target's phase, :math:`\mathrm{mean}\,(|S| - |\hat S| \cos(\hat\theta -
    \theta))^2`.

    What the estimate holds at right angles to the target is not heard. Erdogan et al. have the
    roles the other way round, :math:`|\hat S| - |S| \cos`, for a mask that cannot change the phase;
    where it can, silence would win.

    Parameters
    ----------
    **frames
        `n_fft`, `hop_length`, `win_length`, `pad_mode`, as for `STFTLoss`.

    References
    ----------
    .. [1] H. Erdogan, J. R. Hershey, S. Watanabe and J. Le Roux, "Phase-sensitive and
       recognition-boosted speech separation using deep recurrent neural networks", ICASSP 2015.

    Examples
    --------
    >>> y = torch.sin(torch.arange(4000.0)).reshape(1, 1, -1)
    >>> float(PhaseSensitive()(y, y))
    0.0
    """

    def __init__(self, **frames):
        super().__init__(**frames)

    def compare(self, E, S):  # noqa: D102
        size = torch.sqrt(torch.clamp(S.real**2 + S.imag**2, min=EPS))
        return (((S - E) * S.conj()).real / size) ** 2


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
        Compare this many mel bands instead of bins; take care that the smallest `n_fft` can fill
        them.
    a_weighting : bool
        Weight every bin by curve A before the comparison; only the convergence and the linear part
        notice, since a gain that both sides share drops out of a difference of logarithms.
    sr : int
        Sampling rate [Hz], for mel bands and curve A.
    pad_mode : {"constant", "reflect"}
        As for `STFTLoss`.

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
            raise ValueError(
                "resolutions is empty; pass at least one (n_fft, hop_length, win_length)"
            )
        names = ("n_fft", "hop_length", "win_length")
        shapes = [dict(zip(names, one, strict=True)) for one in resolutions]
        parts = [STFTLoss(pad_mode=pad_mode, **shape) for shape in shapes]
        self.parts = torch.nn.ModuleList(parts)
        self.weights = (convergence, log, linear)
        for part in parts:
            bands = None
            if n_mels:
                bands = torch.from_numpy(filterbank(sr=sr, n_fft=part.n_fft, n_mels=n_mels))
            if a_weighting:
                freqs = np.arange(part.n_fft // 2 + 1) * sr / part.n_fft
                gain = torch.from_numpy(10 ** (weighting(freqs) / 20))
                bands = torch.diag(gain) if bands is None else bands * gain
            part.register_buffer("bands", bands, persistent=False)

    def each(self, estimate, target):  # noqa: D102
        return sum(self.one(part, estimate, target) for part in self.parts) / len(self.parts)

    def one(self, part: STFTLoss, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of each channel at one resolution."""
        E, S = (magnitude(part.stft(y)) for y in (estimate, target))
        if part.bands is not None:
            E, S = (part.bands.to(a) @ a for a in (E, S))
        # the logarithm of a bin that is almost 0 would swamp all others
        logs = (torch.log(torch.clamp(a, min=EPS)) for a in (E, S))
        apart = [norm(S - E) / torch.clamp(norm(S), min=EPS), _l1(*logs), _l1(E, S)]
        weighted = zip(self.weights, apart, strict=True)
        return sum(weight * value for weight, value in weighted if weight)


def _l1(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).abs().mean(dim=(-2, -1))
