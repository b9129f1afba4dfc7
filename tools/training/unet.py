"""Another network for Setting 3: a causal U-Net on the waveform, of the Demucs family.

Strided convolutions halve the rate again and again while the channels grow, a network works at the
lowest rate, and transposed convolutions come back, with a bridge from each level to the one
opposite. After A. Defossez, G. Synnaeve and Y. Adi, "Real time speech enhancement in the waveform
domain", Interspeech 2020; here with dilated convolutions at the bottom instead of an LSTM, so that
the receptive field is finite.
"""

import torch
from torch import nn

from helpers.settings.setting3 import TCN, Waveform, prepend_state

__all__ = ["UNet"]


class UNet(Waveform):
    """Down to the lowest rate and up again.

    Parameters
    ----------
    channels : sequence of int
        Of each level.
    stride : int
        How much slower each level is than the one above; kernels are twice as long.
    ahead : int
        Hops of the future that the network waits for.
    size, hidden, kernel, dilations
        As in `TCN`.
    """

    def __init__(
        self, channels, stride: int, ahead: int, size: int, hidden: int, kernel: int, dilations
    ):
        super().__init__()
        self.stride = stride
        levels = list(zip([1, *channels], channels, strict=False))
        self.layout(hop=stride ** len(levels), span=stride ** len(levels), ahead=ahead)
        self.down = nn.ModuleList(nn.Linear(2 * stride * a, b) for a, b in levels)
        self.gate = nn.ModuleList(nn.Linear(b, 2 * b) for _, b in levels)
        self.middle = TCN(channels[-1], channels[-1], size, hidden, kernel, dilations)
        self.ungate = nn.ModuleList(nn.Linear(b, 2 * b) for _, b in levels)
        self.up = nn.ModuleList(nn.Linear(b, 2 * stride * a) for a, b in levels)

    @property
    def filters(self):
        """The impulse responses of the first level, (channels, 2 * stride)."""
        return self.down[0].weight

    def step(self, y, state=None):
        """Return the samples that whole hops finish, (B, n * hop), and the state; y: (B, n *
        hop).
        """
        s = self.stride
        depth = len(self.down)
        past = dict(state or {})
        x = 10 * y[..., None]
        bridges = []
        for k in range(depth):  # (B, T, a) to (B, T / s, b)
            x = x.unflatten(1, (-1, s)).flatten(2)
            long, past["down", k] = prepend_state(x, past.get(("down", k)), 1)
            x = torch.relu(self.down[k](torch.cat([long[:, :-1], x], -1)))
            x = nn.functional.glu(self.gate[k](x), -1)
            bridge, past["bridge", k] = prepend_state(
                x, past.get(("bridge", k)), self.ahead * s ** (depth - 1 - k)
            )
            bridges.append(bridge[:, : x.shape[1]])
        x, past["middle"] = self.middle(x, past.get("middle"))
        for k in reversed(range(depth)):
            x = nn.functional.glu(self.ungate[k](x + bridges[k]), -1)
            parts, past["up", k] = prepend_state(self.up[k](x), past.get(("up", k)), 1)
            early, late = parts.chunk(2, -1)
            x = (early[:, 1:] + late[:, :-1]).unflatten(2, (s, -1)).flatten(1, 2)
            x = torch.relu(x) if k else x
        return x[..., 0] / 10, past

    def reach(self, n: int) -> tuple[int, int]:
        """Return the first and the last sample of the input that sample n of the output can depend
        on.
        """
        first = last = n
        for _ in self.down:  # up again: each frame is made of the frame opposite and the one before
            first, last = first // self.stride - 1, last // self.stride
        first, last = first - max(0, self.middle.keep - self.ahead), last + self.ahead
        for _ in self.down:
            first, last = (first - 1) * self.stride, (last + 1) * self.stride - 1
        return first, last
