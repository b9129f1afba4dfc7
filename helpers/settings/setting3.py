"""Setting 3: end to end on the waveform. A filterbank that is learned, a mask, and a learned way
back; no spectrogram.

`TasNet` is of the Conv-TasNet family [1]_: frames of the waveform times a matrix of learned
filters, a network of dilated causal convolutions that makes a mask for their outputs, and a second
matrix that turns these into samples again. `helpers.settings.unet` holds its rival. Nothing in
either remembers for ever: no recurrence, no norm over time. So what a sample of the output can
depend on is finite, and `reach` says exactly which samples these are.

.. [1] Y. Luo and N. Mesgarani, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
   speech separation", IEEE/ACM Trans. Audio Speech Lang. Process. 27(8), 2019.
"""

import torch
from torch import nn

__all__ = ["Causal", "Middle", "TasNet", "Waveform"]


def behind(x, past, keep: int):
    """Put what came before in front of x, (B, T, ...), zeros if there is nothing; return that and
    the last `keep`.
    """
    past = x.new_zeros(x.shape[0], keep, *x.shape[2:]) if past is None else past
    x = torch.cat([past, x], 1)
    return x, x[:, x.shape[1] - keep :]


class Causal(nn.Module):
    """A separable dilated causal convolution, with a way around it: first along time, then from
    channel to channel.

    Parameters
    ----------
    size, hidden : int
        Channels, and how many there are between the two layers of the second part.
    kernel, dilation : int
        Taps of the first part, and how many frames they are apart.
    """

    def __init__(self, size: int, hidden: int, kernel: int, dilation: int):
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.keep = (kernel - 1) * dilation  # frames before the present one that it looks at
        self.taps = nn.Parameter(torch.randn(kernel, size) / kernel**0.5)
        self.norm = nn.LayerNorm(size)
        self.mix = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, size))

    def forward(self, x, past=None):
        """Return the output for frames x, (B, T, size), and what the next call has to know."""
        long, past = behind(x, past, self.keep)
        y = sum(
            tap * long[:, k * self.dilation :][:, : x.shape[1]] for k, tap in enumerate(self.taps)
        )
        return x + self.mix(self.norm(y)), past


class Middle(nn.Module):
    """The network between the way in and the way out: the same for both families.

    Parameters
    ----------
    inputs, outputs, size, hidden : int
        Numbers per frame: that come in, that go out, and inside.
    kernel : int
        Taps of each block.
    dilations : sequence of int
        One block for each.
    """

    def __init__(self, inputs: int, outputs: int, size: int, hidden: int, kernel: int, dilations):
        super().__init__()
        self.into, self.norm, self.onto = (
            nn.Linear(inputs, size),
            nn.LayerNorm(size),
            nn.Linear(size, outputs),
        )
        self.blocks = nn.ModuleList(Causal(size, hidden, kernel, d) for d in dilations)
        self.keep = sum(block.keep for block in self.blocks)

    def forward(self, x, state=None):
        """Return (B, T, outputs) and the state after the last frame; x: (B, T, inputs)."""
        x, after = self.into(x), []
        for block, past in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x, past = block(x, past)
            after.append(past)
        return self.onto(self.norm(x)), after


class Waveform(nn.Module):
    """What the networks on the waveform share: whole sounds, streams, and what a sample can depend
    on.

    Attributes
    ----------
    hop, span : int
        A step makes `hop` samples; it needs `span`, of which all but the last `hop` are those of
        the step before.
    before : int
        Zeros in front of the first sample.
    early : int
        Samples that come out before the first one that counts.
    latency : int
        How many samples later than its input a sample comes out.
    lookahead : int
        How many later samples a sample can depend on: one less, since it knows itself.
    """

    def layout(self, *, hop: int, span: int, ahead: int) -> None:
        """Fix the attributes; `ahead`: hops that the network waits beyond its span."""
        self.hop, self.span, self.ahead = hop, span, ahead
        self.before, self.early = span - hop, span - hop + ahead * hop
        self.latency, self.lookahead = span + ahead * hop, span + ahead * hop - 1

    def rest(self, n: int) -> int:
        """Return how many zeros have to follow n samples until all of them have come out, in whole
        hops.
        """
        return -(-(n + self.early) // self.hop) * self.hop - n

    def tail(self, begun):
        """Return the samples that are left over after these zeros: none."""
        return begun.new_zeros(0)

    def forward(self, y):
        """Return the enhanced waveforms, (B, n), of noisy ones."""
        n = y.shape[-1]
        out, _ = self.step(nn.functional.pad(y, (self.before, self.rest(n))))
        return out[:, self.early : self.early + n]

    def frames(self, y, begun, state=None):
        """Enhance the whole hops of a piece, (n,); what `Stream` does. Nothing is left begun, all
        is in the state.
        """
        out, state = self.step(y[None], state)
        return out[0], begun, state

    def receptive_field(self) -> int:
        """Return how many samples of the input one sample of the output can depend on: the most in
        any place.
        """
        return max(last - first + 1 for first, last in map(self.reach, range(self.hop)))


class TasNet(Waveform):
    """A learned filterbank, a mask for it, and a learned way back.

    Half of the filters are partners of the other half: the network sees the energy of each pair
    [dB, more or less], and its mask may turn one into the other, which is a change of phase.

    Parameters
    ----------
    filters : int
        How many there are.
    span, hop : int
        Their length and how far apart they are applied [samples]; the hop divides the length.
    ahead : int
        Frames of the future that the network waits for.
    size, hidden, kernel, dilations
        As in `Middle`.
    start : {"random", "fourier"}
        First filters: noise, or windowed sines and cosines; training changes both.
    """

    def __init__(
        self,
        filters: int,
        span: int,
        hop: int,
        ahead: int,
        size: int,
        hidden: int,
        kernel: int,
        dilations,
        start: str = "random",
    ):
        super().__init__()
        if hop < 1 or span % hop:
            raise ValueError(f"the hop is {hop}, which does not divide the span, {span}")
        self.layout(hop=hop, span=span, ahead=ahead)
        self.encoder, self.decoder = (
            nn.Linear(span, filters, bias=False),
            nn.Linear(filters, span, bias=False),
        )
        if start == "fourier":
            _fourier(self.encoder.weight, self.decoder.weight, hop)
        self.middle = Middle(filters // 2, filters, size, hidden, kernel, dilations)
        with torch.no_grad():  # the first mask lets most of everything pass, and turns nothing
            self.middle.onto.weight.mul_(0.1)
            self.middle.onto.bias.copy_(0.7 * (torch.arange(filters) < filters // 2))

    @property
    def filters(self):
        """The impulse responses that the waveform is compared with, (filters, span)."""
        return self.encoder.weight

    def step(self, y, state=None):
        """Return the samples that whole frames finish, (B, n * hop), and the state; y: (B, span +
        (n - 1) * hop).
        """
        middle, waiting, pieces = state or (None, None, None)
        w = self.encoder(y.unfold(1, self.span, self.hop))  # (B, T, filters)
        u, v = w.chunk(2, -1)
        mask, middle = self.middle(torch.log(u.square() + v.square() + 1e-7).div(4).add(1), middle)
        w, waiting = behind(w, waiting, self.ahead)
        u, v = w[:, : mask.shape[1]].chunk(2, -1)
        a, b = mask.chunk(2, -1)
        parts = self.decoder(torch.cat([a * u - b * v, a * v + b * u], -1))
        many = self.span // self.hop
        parts, pieces = behind(parts, pieces, many - 1)
        T, h = mask.shape[1], self.hop
        out = sum(
            parts[:, many - 1 - j :][:, :T, j * h : (j + 1) * h] for j in range(many)
        )  # overlap-add
        return out.flatten(1), (middle, waiting, pieces)

    def reach(self, n: int) -> tuple[int, int]:
        """Return the first and the last sample of the input that sample n of the output can depend
        on.
        """
        newest = (
            n // self.hop * self.hop
        )  # the last frame that covers n begins here, the first one `before` earlier
        past = max(0, self.middle.keep - self.ahead)
        return (
            newest - self.before - past * self.hop,
            newest + self.ahead * self.hop + self.span - 1,
        )


@torch.no_grad()
def _fourier(encoder, decoder, hop: int) -> None:
    """Write windowed cosines and sines into the filters, and their inverse into the way back."""
    filters, span = encoder.shape
    t, half = torch.arange(span) + 0.5 - span / 2, filters // 2
    angle = 2 * torch.pi * (torch.arange(half) + 0.5)[:, None] / filters * t
    window = torch.sin(torch.pi * (torch.arange(span) + 0.5) / span)
    encoder.copy_(torch.cat([torch.cos(angle), torch.sin(angle)]) * window)
    decoder.copy_((encoder * (2 / filters * 2 * hop / span)).T)
