"""What was said: features of a second of speech, the keyword network, and its weights.

Sound is an array of shape (B, n) at 16 kHz, a PyTorch tensor. What does not fit raises ValueError.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import _weights, mel

__all__ = ["CLASSES", "SR", "Block", "Keywords", "features", "load", "loud_level"]

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
CLASSES = (*WORDS, "_unknown_", "_silence_")
SR = 16000
LEVEL = 0.05  # root mean square that speech is brought to, -26 dBFS
N_FFT = 512
HOP = 160
N_MELS = 40


def loud_level(y, *, floor: float = 1e-5):
    """Return the root mean square of the frames that are loud.

    Parameters
    ----------
    y : tensor, shape (B, n)
        Sound at 16 kHz, at least 20 ms of it.
    floor : float
        The least that is returned.

    Returns
    -------
    tensor, shape (B,)
        Root mean square over the frames of 20 ms that lie within 30 dB of the loudest one: the
        level of the speech, whatever its pauses.

    Examples
    --------
    >>> import torch
    >>> y = torch.cat([torch.full((1, 8000), 0.1), torch.zeros(1, 8000)], 1)
    >>> round(float(loud_level(y)), 3)
    0.1
    """
    power = y[:, : y.shape[1] // 320 * 320].reshape(len(y), -1, 320).square().mean(2)
    on = power > power.amax(1, keepdim=True) * 1e-3
    return ((power * on).sum(1) / on.sum(1).clamp(min=1)).sqrt().clamp(min=floor)


@functools.cache
def _mel_weights(where: torch.device) -> torch.Tensor:
    """Return the mel filters, (40, 257)."""
    rows = mel.filterbank(
        sr=SR, n_fft=N_FFT, n_mels=N_MELS, fmin=60.0, fmax=7600.0, variant="slaney", norm=None
    )
    return torch.from_numpy(rows.astype(np.float32)).to(where)


def features(y):
    """Return the log-mel spectrogram that the networks take.

    Quiet speech is raised to the level of all other, a pause by 28 dB at most.

    Parameters
    ----------
    y : tensor, shape (B, n)
        Sound at 16 kHz.

    Returns
    -------
    tensor, shape (B, 40, 1 + n // 160)
        Natural logarithm of 40 mel bands of magnitudes, every 10 ms, about 0 +- 1 for speech.

    Examples
    --------
    >>> import torch
    >>> features(torch.randn(3, 16000)).shape
    torch.Size([3, 40, 101])
    """
    if y.ndim != 2 or y.shape[1] < N_FFT:
        raise ValueError(
            f"features take sound of shape (B, n) with n >= {N_FFT}, not {tuple(y.shape)}; pass "
            "y[None] for one sound"
        )
    y = y * (LEVEL / loud_level(y, floor=0.002))[:, None]
    window = torch.hann_window(N_FFT, device=y.device)
    D = torch.stft(y, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
    return (torch.log(_mel_weights(y.device) @ D.abs() + 1e-3) + 3) / 2.5


class Block(nn.Module):
    """Two 3x3 convolutions around which the input is led.

    Parameters
    ----------
    channels, out : int
        Channels that come in and go out.
    stride : tuple of int
        Step of the first convolution over bands and over frames.
    """

    def __init__(self, channels: int, out: int, stride=(1, 1)):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        same = channels == out and stride == (1, 1)
        self.skip = nn.Identity() if same else nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        """(B, channels, bands, frames) to (B, out, bands, frames), less by the stride."""
        z = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.skip(x) + self.norm2(self.conv2(z)))


class Keywords(nn.Module):
    """Residual convolutions over a log-mel spectrogram, then mean and maximum over time.

    It looks at the whole sound at once, so it is not causal.

    Parameters
    ----------
    sizes : tuple of int
        Channels of the three stages.
    drop : float
        Share of the embedding that training drops.
    classes : int
        Scores that come out.
    """

    def __init__(self, sizes=(24, 48, 80), drop: float = 0.3, classes: int = len(CLASSES)):
        super().__init__()
        a, b, c = sizes
        self.stem = nn.Conv2d(1, a, 5, stride=(1, 2), padding=2, bias=False)
        self.norm = nn.BatchNorm2d(a)
        self.body = nn.Sequential(
            Block(a, a, (2, 1)),
            Block(a, b, (2, 2)),
            Block(b, b),
            Block(b, c, (2, 2)),
            Block(c, c),
        )
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(c * (N_MELS // 8) * 2, classes)

    def embed(self, x):
        """Log-mel (B, 40, frames) to what the last layer decides by, (B, 10 * sizes[2])."""
        z = self.body(F.relu(self.norm(self.stem(x[:, None]))))
        return torch.cat([z.mean(3).flatten(1), z.amax(3).flatten(1)], 1)

    def forward(self, x):
        """Log-mel (B, 40, frames) to a score for each class, (B, classes)."""
        return self.out(self.drop(self.embed(x)))


def load(name: str = "keywords") -> Keywords:
    """Return a trained network, ready to be asked.

    Parameters
    ----------
    name : str
        "keywords": a second of sound to the 12 `CLASSES`; "wake": 1.5 s of sound to one score,
        high where they hold "computer". Or a file of weights that ``tools.training`` wrote.

    Returns
    -------
    Keywords
        In mode ``eval``.
    """
    return _weights.restore(Keywords, name)[0]
