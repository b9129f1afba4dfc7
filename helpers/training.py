"""What the enhancers of the course are trained with: the SNR of the waveform, and compressed
magnitudes.
"""

from helpers._weights import torch  # which says what to do where it is missing
from helpers.losses.base import single

__all__ = ["enhancement_loss"]

FLOOR = 1e-3  # more than 30 dB of SNR is not worth striving for
N_FFT = 512
HOP = 128


def enhancement_loss(estimate, clean, *, weight: float = 10.0):
    r"""Return minus the SNR plus the error of compressed magnitudes, a mean over the batch.

    .. math::

       10 \lg \frac{\lVert s - \hat s \rVert^2 + 10^{-3} \lVert s \rVert^2}{\lVert s \rVert^2}
       + w\, \overline{\left(|S|^{0.3} - |\hat S|^{0.3}\right)^2}

    The first term looks after the waveform, the second after what is quiet: the power 0.3 lifts it.
    Both are finite for digital silence, and so are their gradients: squares get a small number
    added before the power is taken.

    Parameters
    ----------
    estimate, clean : torch.Tensor, shape (B, n)
        Waveforms at 16 kHz.
    weight : float, default 10.0
        Weight w of the second term.

    Returns
    -------
    torch.Tensor, shape ()
        Loss [dB], -30 at best.

    References
    ----------
    .. [1] S. Braun and I. Tashev, "A consolidated view of loss functions for supervised deep
       learning-based speech enhancement", 2020.
    """
    estimate, clean = single(estimate), single(clean)
    power = clean.square().sum(-1) + 1e-8
    error = (estimate - clean).square().sum(-1)
    snr = 10 * torch.log10((error + FLOOR * power) / power)
    rms = (power / clean.shape[-1]).sqrt()[:, None]
    S, S_clean = (compressed(y / rms) for y in (estimate, clean))
    return snr.mean() + weight * (S - S_clean).square().mean()


def compressed(y, power: float = 0.3):
    """Return magnitudes to a power; the squares are lifted off 0, where it has no gradient."""
    window = torch.hann_window(N_FFT, device=y.device)
    D = torch.stft(y, N_FFT, HOP, window=window, return_complex=True)
    return (D.real.square() + D.imag.square() + 1e-6) ** (power / 2)
