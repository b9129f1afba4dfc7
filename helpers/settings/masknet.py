"""The network of Setting 1: magnitude spectrogram in, mask out, one frame after the other.

It splits the spectrum into bands, narrow where speech has its harmonics and wide above, describes
each by a few numbers, and lets two kinds of memory look at them in turn: one runs along the bands
of a frame (there and back, which costs no time), the other along time within a band (forwards
only). All bands share one memory of each kind, so what was learned in one band is known in all.
After Y. Luo and J. Yu, "Music source separation with band-split RNN", IEEE/ACM Trans. Audio Speech
Lang. Process. 31 (2023), here causal and on the magnitude alone.
"""

import torch
from torch import nn

__all__ = ["MaskNet"]


class DualPath(nn.Module):
    """Along the bands of a frame and back, then along time: two recurrent layers, shared by all
    bands.
    """

    def __init__(self, size: int, hidden: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(size), nn.LayerNorm(size)])
        self.bands = nn.GRU(size, size // 2, bidirectional=True)
        self.time = nn.GRU(size, hidden)
        self.mix = nn.Linear(size, size)
        self.out = nn.Linear(hidden, size)

    def forward(self, x, state=None):
        """Return the output, and the state after the last frame; x: (K, T, B, N), K bands of N
        numbers.
        """
        K, T, B, N = x.shape
        # along the bands of each frame
        y, _ = self.bands(self.norms[0](x).reshape(K, T * B, N))
        x = x + self.mix(y).view(K, T, B, N)
        # along the frames of each band
        y = self.norms[1](x).transpose(0, 1).reshape(T, K * B, N)
        y, state = self.time(y, state)
        return x + self.out(y).view(T, K, B, N).transpose(0, 1), state


class MaskNet(nn.Module):
    """From a magnitude spectrogram to a mask between 0 and 1.

    Parameters
    ----------
    bands : sequence of int
        How many bins (or mel bands) each band of the network holds; their sum is the number of
        rows.
    size, hidden : int
        How many numbers describe a band, and how many the memory over time holds.
    blocks : int
        Number of dual-path blocks.
    """

    def __init__(self, bands, size: int = 48, hidden: int = 64, blocks: int = 2):
        super().__init__()
        self.split = list(bands)
        self.into = nn.ModuleList(nn.Linear(n, size) for n in bands)
        self.blocks = nn.ModuleList(DualPath(size, hidden) for _ in range(blocks))
        self.norm = nn.LayerNorm(size)
        self.onto = nn.ModuleList(nn.Linear(size, n) for n in bands)

    def forward(self, S, state=None):
        """Return the mask and the state; S: magnitude, (B, F, T), the mask alike."""
        x = torch.log(S + 1e-5).div(4).add(1).permute(2, 0, 1)  # (T, B, F)
        x = torch.stack(
            [layer(part) for layer, part in zip(self.into, x.split(self.split, -1), strict=True)]
        )
        after = []
        for block, past in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x, last = block(x, past)
            after.append(last)
        x = torch.tanh(self.norm(x))
        x = torch.cat([layer(part) for layer, part in zip(self.onto, x, strict=True)], -1)
        return torch.sigmoid(x).permute(1, 2, 0), after
