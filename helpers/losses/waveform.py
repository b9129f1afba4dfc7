"""Losses that compare sample with sample: sensitive to timing and phase, even where an ear is not.

A small `EPS` keeps ratios finite in silence. It is auraloss' value, so both agree.
"""

from __future__ import annotations

import torch

from helpers.losses.base import Loss

EPS = 1e-8


class L1(Loss):
    r"""Mean absolute error, :math:`\frac1n \sum_t |\hat s_t - s_t|`.

    Examples
    --------
    >>> float(L1()(torch.zeros(1, 1, 4), torch.full((1, 1, 4), 0.5)))
    0.5
    """

    def each(self, estimate, target):  # noqa: D102
        return (estimate - target).abs()


class L2(Loss):
    r"""Mean squared error (MSE), :math:`\frac1n \sum_t (\hat s_t - s_t)^2`.

    Examples
    --------
    >>> float(L2()(torch.zeros(1, 1, 4), torch.full((1, 1, 4), 0.5)))
    0.25
    """

    def each(self, estimate, target):  # noqa: D102
        return (estimate - target) ** 2


class ESR(Loss):
    r"""Error-to-signal ratio, :math:`\sum_t (\hat s_t - s_t)^2 / \sum_t s_t^2`, which is 10 **
    (-SNR / 10).

    `PreEmphasis` before it is the loss of Wright and Valimaki [1]_.

    References
    ----------
    .. [1] A. Wright and V. Valimaki, "Perceptual loss function for neural modelling of audio
       systems", ICASSP 2020, arXiv 1911.08922.

    Examples
    --------
    >>> round(float(ESR()(torch.full((1, 1, 4), 0.9), torch.ones(1, 1, 4))), 4)
    0.01
    """

    def each(self, estimate, target):  # noqa: D102
        return ((estimate - target) ** 2).sum(-1) / ((target**2).sum(-1) + EPS)


class _Ratio(Loss):
    """A ratio of energies in decibels, with its sign turned so that less is better.

    ``zero_mean=True`` takes the mean off both signals first, as auraloss does unless told
    otherwise; then an offset is not heard.
    """

    def __init__(self, *, zero_mean: bool = False):
        super().__init__()
        self.zero_mean = zero_mean

    def parts(self, estimate, target):
        """Return what counts as signal and what as error."""
        raise NotImplementedError

    def each(self, estimate, target):
        if self.zero_mean:
            estimate, target = (y - y.mean(-1, keepdim=True) for y in (estimate, target))
        # both small numbers are auraloss'; they keep silence finite
        kept, lost = self.parts(estimate, target)
        return -10 * torch.log10((kept**2).sum(-1) / ((lost**2).sum(-1) + EPS) + EPS)


class SNR(_Ratio):
    r"""Minus the signal-to-noise ratio [dB]: :math:`-10 \lg (\lVert s \rVert^2 / \lVert \hat s - s
    \rVert^2)`.

    See Also
    --------
    helpers.metrics.snr : The same for NumPy, with the sign of a metric.

    Examples
    --------
    >>> round(float(SNR()(torch.full((1, 1, 4), 0.9), torch.ones(1, 1, 4))), 3)
    -20.0
    """

    def parts(self, estimate, target):  # noqa: D102
        return target, estimate - target


class SISDR(_Ratio):
    r"""Minus the scale-invariant signal-to-distortion ratio [dB].

    .. math:: -10 \lg \frac{\lVert \alpha s \rVert^2}{\lVert \hat s - \alpha s \rVert^2}, \qquad
       \alpha = \frac{\langle \hat s, s \rangle}{\lVert s \rVert^2}

    It hears neither a gain nor a flipped sign; with ``zero_mean=True``, auraloss' default, no
    offset either.

    Parameters
    ----------
    zero_mean : bool, default False
        Take the mean off both signals first.

    See Also
    --------
    helpers.metrics.si_sdr : The same for NumPy, with the sign of a metric.

    References
    ----------
    .. [1] J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR - half-baked or well done?",
       ICASSP 2019, arXiv 1811.02508.

    Examples
    --------
    >>> toy = torch.tensor([[[2.5, 0.0, 2.0, 8.0]]])
    >>> round(float(SISDR()(toy, torch.tensor([[[3.0, -0.5, 2.0, 7.0]]]))), 3)
    -18.403
    """

    def __init__(self, *, zero_mean: bool = False):
        super().__init__(zero_mean=zero_mean)

    def parts(self, estimate, target):  # noqa: D102
        energy = (target**2).sum(-1, keepdim=True) + EPS
        kept = (estimate * target).sum(-1, keepdim=True) / energy * target
        return kept, estimate - kept
