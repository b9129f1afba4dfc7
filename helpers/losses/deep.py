"""A deep feature loss: the distance in the layers of a small network, trained to tell what has been
done to a sound.

The weights are made by ``python3 -m tools.training.loss_features FOLDER``, from the recordings at
16 kHz in that folder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn.functional import conv1d, silu

from helpers import _weights
from helpers.losses.base import Loss
from helpers.losses.spectral import magnitude
from helpers.mel import filterbank

SR = 16000
WEIGHTS = _weights.FOLDER / "loss_features.safetensors"
N_FFT = 512
HOP = 128
N_MELS = 64
# channels in, channels out, stride; three taps each
LAYERS = ((N_MELS, 48, 1), (48, 48, 2), (48, 64, 2), (64, 64, 2))
CHANGES = ("nothing", "white noise", "hum", "echo", "low-pass", "clipping", "few bits")
CHANGES += ("lost phase",)


class Network(torch.nn.Module):
    """Four convolutions over a log-mel spectrogram, and from the last of them the scores of
    `CHANGES`.
    """

    def __init__(self):
        super().__init__()
        convs = [torch.nn.Conv1d(a, b, 3, stride=stride, padding=1) for a, b, stride in LAYERS]
        self.convs = torch.nn.ModuleList(convs)
        self.head = torch.nn.Linear(2 * LAYERS[-1][1], len(CHANGES))
        # how far apart two different clips are, layer by layer
        self.register_buffer("scale", torch.ones(len(LAYERS)))
        bands = filterbank(sr=SR, n_fft=N_FFT, n_mels=N_MELS)
        self.register_buffer("bands", torch.from_numpy(bands), persistent=False)
        window = torch.hann_window(N_FFT, dtype=torch.float64)
        self.register_buffer("window", window, persistent=False)

    def features(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer makes of samples of shape (batch, n)."""
        D = torch.stft(
            y, N_FFT, HOP, N_FFT, self.window.to(y), pad_mode="constant", return_complex=True
        )
        x = (torch.log(self.bands.to(y) @ magnitude(D) + 1e-4) + 5) / 2  # about -2 to 2
        found = []
        for conv in self.convs:
            weight = conv.weight.to(y)  # in the precision of the sound
            x = silu(conv1d(x, weight, conv.bias.to(y), conv.stride, conv.padding))
            found.append(x)
        return found

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return how much speaks for each of `CHANGES`, (batch, len(CHANGES))."""
        last = self.features(y)[-1]
        return self.head(torch.cat([last.mean(-1), last.std(-1)], dim=-1))


class DeepFeatures(Loss):
    r"""Distance of what the layers of a network make of both signals.

    .. math:: \frac1L \sum_l \frac{1}{c_l}\, \mathrm{mean}\, |\phi_l(\hat s) - \phi_l(s)|

    It starts with a log-mel spectrogram, so it is as deaf to phase as that is. It was trained to
    tell which of `CHANGES` was done to one second of sound, and never to judge quality: it hears
    what helped with that. :math:`c_l` makes 1 the distance of two clips that have nothing to do
    with each other.

    Parameters
    ----------
    path : str or Path, optional
        Weights to load; the course's own by default.

    References
    ----------
    .. [1] F. G. Germain, Q. Chen and V. Koltun, "Speech denoising with deep feature losses",
       Interspeech 2019, arXiv 1806.10522.

    Examples
    --------
    >>> y = 0.1 * torch.randn(1, 1, 4000)
    >>> float(DeepFeatures()(y, y))
    0.0
    """

    def __init__(self, path: str | Path | None = None):
        super().__init__()
        network = _weights.restore_bare(Network(), WEIGHTS if path is None else Path(path))
        self.network = network.requires_grad_(False)

    def each(self, estimate, target):  # noqa: D102
        n = estimate.shape[-1]
        E = self.network.features(estimate.reshape(-1, n))
        S = self.network.features(target.reshape(-1, n))
        layers = zip(E, S, self.network.scale, strict=True)
        return sum((e - s).abs().mean((-2, -1)) / c for e, s, c in layers) / len(E)
