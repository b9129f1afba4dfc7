"""A recogniser of coffee orders: letters from sound, by the rule of CTC.

`load` gives the network, `letter_scores` what it says of a recording: a logarithm of a probability
for each letter in each frame of 32 ms. Units 43 and 45 read text out of them. Trained by
``tools/training/orders.py``.

Refused: what is no recording of one channel (ValueError); weights that are missing or damaged.
"""

import functools

import numpy as np

from helpers import _weights, audio  # isort: skip  (says in one line that PyTorch is missing)
import torch
import torch.nn.functional as F
from torch import nn

from helpers._checks import check
from helpers.mel import filterbank

__all__ = ["ALPHABET", "FRAME_MS", "Letters", "letter_scores", "load", "log_mel"]

ALPHABET = "-abcdefghijklmnopqrstuvwxyz' "  # "-" is the blank
SR = 16000
HOP = 256
FRAME_MS = 2000 * HOP / SR  # two hops a frame of letters
KERNELS = (7, 9, 11, 13, 15)


@functools.cache
def _bank() -> np.ndarray:
    return filterbank(sr=SR, n_fft=512, n_mels=40, fmin=60, fmax=7600)


def log_mel(y, *, sr) -> np.ndarray:
    """Return what the network sees: 40 mel bands every 16 ms, at one level whatever that of `y`.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Recording.
    sr : int
        Sampling rate [Hz]; another one than 16 kHz is converted.

    Returns
    -------
    numpy.ndarray, shape (40, 1 + n // 256)
        Logarithm of the mel magnitudes of `y` at an RMS of 0.05, shifted and scaled.
    """
    y = audio.resample(check(y), sr=sr, to=SR)
    y = 0.05 * y / (np.sqrt(np.mean(y**2)) + 1e-9)
    samples = torch.from_numpy(y.astype(np.float32))
    S = torch.stft(samples, 512, HOP, window=torch.hann_window(512), return_complex=True).abs()
    return (np.log(_bank() @ S.numpy() + 1e-3) + 3) / 2.5


class Block(nn.Module):
    """Two separable convolutions, around which the input is led."""

    def __init__(self, size: int, kernel: int):
        super().__init__()
        deep = {"padding": kernel // 2, "groups": size, "bias": False}
        self.deep1 = nn.Conv1d(size, size, kernel, **deep)
        self.wide1 = nn.Conv1d(size, size, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(size)
        self.deep2 = nn.Conv1d(size, size, kernel, **deep)
        self.wide2 = nn.Conv1d(size, size, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(size)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        """Return an array like x (B, size, T)."""
        z = F.relu(self.norm1(self.wide1(self.deep1(x))))
        z = self.norm2(self.wide2(self.deep2(z)))
        return self.drop(F.relu(x + z))


class Letters(nn.Module):
    """Mel spectrogram in, a score for each letter in each second frame out."""

    def __init__(self, *, size: int = 224):
        super().__init__()
        self.first = nn.Conv1d(40, size, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm1d(size)
        self.blocks = nn.Sequential(*[Block(size, kernel) for kernel in KERNELS])
        self.last = nn.Conv1d(size, len(ALPHABET), 1)

    def forward(self, x):
        """Return log-probabilities (B, (T + 1) // 2, 29) of features (B, 40, T)."""
        z = F.relu(self.norm(self.first(x)))
        z = self.last(self.blocks(z))
        return F.log_softmax(z.transpose(1, 2), dim=2)


@functools.cache
def load(path="orders") -> Letters:
    """Return the trained network, ready to be asked.

    Parameters
    ----------
    path : str or path-like
        A file of weights, or the name of one in ``data/weights``.
    """
    tensors, config, _ = _weights.load(path)
    net = Letters(**config)
    net.load_state_dict(tensors)
    return net.eval()


def letter_scores(y, *, sr, path="orders") -> np.ndarray:
    """Return the logarithm of the probability of each letter in each frame.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Recording, at any level.
    sr : int
        Sampling rate [Hz].
    path : str or path-like
        Weights, as for `load`.

    Returns
    -------
    numpy.ndarray, shape (frames, 29)
        Natural logarithms; a row for each 32 ms, a column for each letter of `ALPHABET`.

    Examples
    --------
    >>> import numpy as np
    >>> scores = letter_scores(np.sin(np.arange(16000)), sr=16000)
    >>> scores.shape
    (32, 29)
    >>> bool(np.allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5))
    True
    """
    with torch.no_grad():
        x = torch.from_numpy(log_mel(y, sr=sr).astype(np.float32))
        return load(path)(x[None])[0].numpy().astype(float)
