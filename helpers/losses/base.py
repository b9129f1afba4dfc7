"""What every loss asks of its two signals, and the one sum that makes it a number."""

from __future__ import annotations

import numpy as np
import torch

from helpers._checks import check_time_last


def batch(y) -> torch.Tensor:
    """Return NumPy samples as what a loss takes.

    Parameters
    ----------
    y : array_like, shape (n,), (channels, n) or (batch, channels, n)
        Samples [full scale = 1].

    Returns
    -------
    torch.Tensor, shape (batch, channels, n)
        float32, or float64 for float64.

    Examples
    --------
    >>> batch(np.zeros((2, 100))).shape
    torch.Size([1, 2, 100])
    """
    y = np.asarray(y)
    if y.dtype.kind != "f" or not 1 <= y.ndim <= 3:
        raise ValueError(
            f"y holds {y.dtype} of shape {y.shape}; pass floats of full scale 1, (n,) or "
            "(channels, n)"
        )
    check_time_last(y.shape, name="y")
    tensor = torch.from_numpy(np.ascontiguousarray(y)).reshape((1,) * (3 - y.ndim) + y.shape)
    return tensor if y.dtype == np.float64 else tensor.float()


class Loss(torch.nn.Module):
    """A number that says how far an estimate is from its target: ``loss(estimate, target)``.

    Both have the shape (batch, channels, n) and are floats of full scale 1; the result has no axes
    and can be differentiated. Half precision is worked out in single precision, under autocast too.
    A loss is worked out for each channel alone and then averaged. Subclasses write `each`.
    """

    def __init__(self):
        super().__init__()  # torch's own takes anything; a loss says what it takes

    def forward(self, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean over all channels, after a look at the two signals."""
        check(estimate, "estimate")
        check(target, "target")
        if estimate.shape != target.shape:
            raise ValueError(
                f"estimate has shape {tuple(estimate.shape)} but target {tuple(target.shape)}; cut "
                "both to one length"
            )
        # half precision knows neither 1e-8 nor 70000, so neither energies nor their logarithms
        estimate, target = single(estimate), single(target)
        with torch.autocast(estimate.device.type, enabled=False):
            return self.each(estimate, target).mean()

    def each(self, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of each channel, of any shape whose mean is the loss."""
        raise NotImplementedError


def single(y: torch.Tensor) -> torch.Tensor:
    """Return float16 and bfloat16 as float32, everything else as it is."""
    return y.float() if y.dtype in (torch.float16, torch.bfloat16) else y


def check(y, name: str) -> None:
    """Raise unless `y` is a batch of finite audio."""
    if not isinstance(y, torch.Tensor):
        raise ValueError(f"{name} is {type(y).__name__}, no tensor; pass losses.batch({name})")
    if not y.dtype.is_floating_point:
        raise ValueError(
            f"{name} holds {y.dtype}; pass floats of full scale 1, as {name} / 32768 of 16 bits"
        )
    if y.ndim != 3:
        raise ValueError(
            f"{name} has shape {tuple(y.shape)}; pass (batch, channels, n), as {name}.reshape(1, "
            "1, -1)"
        )
    if y.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(y.shape)}, so it is empty; leave such clips out")
    check_time_last(y.shape, name=name)
    bad = y.numel() - int(torch.isfinite(y).sum())
    if bad:
        raise ValueError(
            f"{name} holds {bad} NaN or infinite values of {y.numel()}; look for a step that was "
            "too large, "
            "a log of 0 or 0 / 0 before it"
        )


def emphasise(y: torch.Tensor, coef: float) -> torch.Tensor:
    r"""Return :math:`y_t - c\, y_{t-1}`, with silence before the first sample; c from 0 to 1.

    Bass is lowered by ``20 lg(1 - c)`` dB at 0 Hz, treble raised by ``20 lg(1 + c)`` dB.
    """
    return y - coef * torch.nn.functional.pad(y, (1, 0))[..., :-1]
