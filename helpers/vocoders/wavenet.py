"""One sample after the other: a network says how likely each next value is, one is drawn, and it
becomes input.

WaveNet [1]_, small: dilated causal convolutions, gated units, skip connections, 256 classes. It
speaks the excitation of a linear predictor instead of the waveform (see
`helpers.vocoders.prediction`). Generation keeps what each layer will need again in a queue [2]_, so
that a sample costs the same however long the sound is.

.. [1] A. van den Oord and others, "WaveNet: a generative model for raw audio", 2016.
.. [2] T. Le Paine and others, "Fast Wavenet generation algorithm", 2016.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.vocoders.prediction import Prediction, between_frames
from helpers.vocoders.vocoder import LogMel, MelFormat

__all__ = ["WaveNet", "from_classes", "to_classes"]

CLASSES = 256  # eight bits
WIDEST = 12.0  # they reach from -12 to 12; the RMS of an excitation is 1
SILENT = CLASSES // 2
DOUBLING = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def to_classes(e):
    """Return the class 0 ... 255 of each value by the mu-law: fine near 0, coarse where it is
    loud.
    """
    z = (e / WIDEST).clamp(-1, 1)
    z = z.sign() * torch.log1p((CLASSES - 1) * z.abs()) / np.log(CLASSES)
    return ((z + 1) / 2 * (CLASSES - 1)).round().long()


def from_classes(k):
    """Return the value in the middle of a class."""
    z = 2 * torch.as_tensor(k) / (CLASSES - 1) - 1
    return WIDEST * z.sign() * (CLASSES ** z.abs() - 1) / (CLASSES - 1)


class WaveNet(nn.Module):
    """A mel-conditioned WaveNet for the excitation of speech.

    Parameters
    ----------
    form : MelFormat
        The mel that comes in.
    size, hidden : int
        Channels of a layer, and of the output.
    kernel : int
        Taps of a convolution.
    dilations : sequence of int
        How far apart they are, layer by layer.
    order : int
        Samples that the linear predictor looks at; 0 for none, and the network speaks the waveform
        itself.
    """

    def __init__(
        self, form: MelFormat, size=64, hidden=128, kernel=2, dilations=DOUBLING, order=64
    ):
        super().__init__()
        self.form = form
        self.size = size
        self.kernel = kernel
        self.dilations = tuple(dilations)
        self.features = LogMel(form)
        self.prediction = Prediction(form, order)
        middle = from_classes(torch.arange(CLASSES))
        self.embed = nn.Embedding(CLASSES, size)  # close classes start close
        own = 0.1 * torch.randn(CLASSES, size)
        shared = torch.outer(middle.abs().sqrt(), 0.5 * torch.randn(size))
        self.embed.weight.data = own + middle.sign()[:, None] * shared
        self.frames = nn.Conv1d(form.n_mels, hidden, 5, padding=2)
        self.condition = nn.Conv1d(hidden, 2 * size * len(self.dilations), 1)
        self.taps = nn.ModuleList(
            nn.Conv1d(size, 2 * size, kernel, dilation=d, bias=False) for d in self.dilations
        )
        self.residual = nn.ModuleList(nn.Conv1d(size, size, 1) for _ in self.dilations)
        self.skip = nn.Conv1d(size * len(self.dilations), hidden, 1)
        self.out = nn.Sequential(
            nn.ReLU(), nn.Conv1d(hidden, hidden, 1), nn.ReLU(), nn.Conv1d(hidden, CLASSES, 1)
        )
        # at first every excitation is as likely as a normal one: width of the class times density
        self.out[-1].bias.data = (middle.abs() + WIDEST / CLASSES).log() - 0.5 * middle**2

    @property
    def receptive_field(self) -> int:
        """Return how many samples before the next one can change it."""
        return 1 + (self.kernel - 1) * sum(self.dilations)

    def conditions(self, log_mel):
        """Return what the mel adds in each layer: (B, layers * 2 * size, PARTS * T)."""
        return between_frames(self.condition(functional.relu(self.frames((log_mel + 5) / 4))))

    def logits(self, classes, conditions):
        """Return the logits (B, 256, n) of what follows each of `classes` (B, n), n a multiple of a
        quarter hop.
        """
        x = self.embed(classes).transpose(1, 2)
        gated = []
        conditions = conditions.chunk(len(self.dilations), 1)
        layers = zip(self.dilations, self.taps, self.residual, conditions, strict=True)
        for d, taps, residual, c in layers:
            # zeros before the beginning: no sample sees later ones
            z = taps(functional.pad(x, ((self.kernel - 1) * d, 0)))
            z = z.unflatten(-1, (-1, self.prediction.hold)) + c[..., None]
            a, b = z.flatten(-2).chunk(2, 1)
            gated.append(torch.tanh(a) * torch.sigmoid(b))
            x = x + residual(gated[-1])
        return self.out(self.skip(torch.cat(gated, 1)))

    def forward(self, y):
        """Return logits (B, 256, m) of each sample of waveforms (B, n) from those before it, and
        its class (B, m).

        Half a frame at both ends is left out: there the mel sees beyond the crop.
        """
        log_mel = self.features(y)
        hold = self.prediction.hold
        edge = self.form.n_fft // 2 // hold
        parts = slice(edge, y.shape[-1] // hold - edge)
        excitation, _ = self.prediction.excitation(y, log_mel)
        classes = to_classes(excitation)[:, parts.start * hold : parts.stop * hold]
        previous = functional.pad(classes[:, :-1], (1, 0), value=SILENT)
        return self.logits(previous, self.conditions(log_mel)[..., parts]), classes

    def loss(self, output, y):
        """Return the negative log-likelihood [bit per sample]."""
        logits, classes = output
        return functional.cross_entropy(logits, classes.long()) / np.log(2)

    def generate(self, log_mel, n: int, *, seed: int = 0, temperature: float = 0.85):
        """Return waveforms (B, n) of log-mels (B, n_mels, T); below temperature 1 the likely is
        drawn more often.
        """
        draws = np.random.default_rng(seed).random((n, len(log_mel)))
        classes = self.draw(self.conditions(log_mel), draws, temperature)
        return self.prediction.sound(from_classes(classes), log_mel)

    def draw(self, conditions, draws, temperature: float = 0.85):
        """Return classes (B, n), one after the other; `draws` (n, B) between 0 and 1 decide.

        A layer needs its input again `dilation` samples later: a ring holds it until then. That is
        all that is known of the past, so no sample costs more than another.
        """
        n, B = draws.shape
        size = self.size
        with torch.no_grad():
            table, layers, skip, first, last = self._matrices()
            # one row for each quarter of a hop: (PARTS * T, layers, B, 2 * size)
            held = conditions.transpose(1, 2).reshape(B, -1, len(layers), 2 * size)
            held = np.ascontiguousarray(held.permute(1, 2, 0, 3).numpy())
        held[..., size:] /= 2  # as the matrices: see `_matrices`
        rings = [np.zeros(((self.kernel - 1) * d, B, size), np.float32) for d in self.dilations]
        taps = np.zeros((B, self.kernel * size), np.float32)
        gated = np.zeros((B, len(layers) * size), np.float32)
        current = np.full(B, SILENT)
        out = np.empty((n, B), np.int64)
        for t in range(n):
            x = table[current]
            c = held[t // self.prediction.hold]
            for k, (ring, d, (W, R, r)) in enumerate(
                zip(rings, self.dilations, layers, strict=True)
            ):
                # the inputs of `dilation` samples ago, and so on, then the present one
                for j in range(self.kernel - 1):
                    taps[:, j * size : (j + 1) * size] = ring[(t + j * d) % len(ring)]
                taps[:, -size:] = x
                ring[t % len(ring)] = x
                z = np.tanh(taps @ W + c[k])
                h = gated[:, k * size : (k + 1) * size]
                np.multiply(z[:, :size], 1 + z[:, size:], out=h)
                x = x + (h @ R + r)
            x = np.maximum(gated @ skip[0] + skip[1], 0)
            x = np.maximum(x @ first[0] + first[1], 0) @ last[0] + last[1]
            if temperature > 0:  # draw from the softmax, by its cumulative sum
                p = np.exp((x - x.max(1, keepdims=True)) / temperature).cumsum(1)
                current = (p < draws[t, :, None] * p[:, -1:]).sum(1)
            else:
                current = x.argmax(1)
            out[t] = current
        return torch.from_numpy(out.T.copy())

    def _matrices(self):
        """Return everything that `draw` multiplies by, for rows on the left, as arrays.

        sigmoid(b) = (1 + tanh(b / 2)) / 2, so one tanh serves both gates: the inner half is in the
        taps, the outer one in what the gated units go through.
        """
        half = torch.ones(2 * self.size)
        half[self.size :] = 0.5
        layers = []
        for taps, residual in zip(self.taps, self.residual, strict=True):
            W = (taps.weight * half[:, None, None]).permute(2, 1, 0).flatten(0, 1)
            layers.append((_array(W), _array(residual.weight[..., 0].T / 2), _array(residual.bias)))
        ends = [(_array(c.weight[..., 0].T), _array(c.bias)) for c in self.ends()]
        skip, bias = ends[0]
        return _array(self.embed.weight), layers, (skip / 2, bias), *ends[1:]

    def ends(self):
        """Return the layers from all gated units to the logits."""
        return self.skip, self.out[1], self.out[3]


def _array(x):
    return np.ascontiguousarray(x.numpy())
