"""Losses for audio, in PyTorch: how far a network's sound is from its target, as a number with a
gradient.

Each is a class to be made without arguments and called as ``loss(estimate, target)`` on (batch,
channels, n); each docstring holds formula and source. `batch` turns NumPy samples into that shape::

    from helpers import losses

    loss = losses.MultiResolutionSTFT()
    loss(losses.batch(estimate), losses.batch(target))

What is no finite float tensor (batch, channels, n), pairs of unequal shapes and options that do not
exist raise ValueError.

- `helpers.losses.waveform`: sample against sample: L1, L2, ESR, SNR, SISDR.
- `helpers.losses.spectral`: spectrogram against spectrogram: Magnitude, SpectralConvergence,
  LogMagnitude, ComplexSTFT, PhaseSensitive; MultiResolutionSTFT, several at once.
- `helpers.losses.perceptual`: PreEmphasis and AWeighting, before any of them.
- `helpers.losses.deep`: DeepFeatures, what a small trained network makes of both.
"""

from helpers import _weights  # noqa: F401 - first: it says what to do without PyTorch
from helpers.losses.base import Loss, batch
from helpers.losses.deep import DeepFeatures
from helpers.losses.perceptual import AWeighting, PreEmphasis
from helpers.losses.spectral import (
    RESOLUTIONS,
    ComplexSTFT,
    LogMagnitude,
    Magnitude,
    MultiResolutionSTFT,
    PhaseSensitive,
    SpectralConvergence,
)
from helpers.losses.waveform import ESR, L1, L2, SISDR, SNR

__all__ = [
    "ESR", "L1", "L2", "RESOLUTIONS", "SISDR", "SNR", "AWeighting", "ComplexSTFT", "DeepFeatures",
    "LogMagnitude", "Loss", "Magnitude", "MultiResolutionSTFT", "PhaseSensitive", "PreEmphasis",
    "SpectralConvergence", "batch",
]  # fmt: skip
