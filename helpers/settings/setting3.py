"""Setting 3: end to end on the waveform. A filterbank that is learned, a mask, and a learned way
back; no spectrogram.

`TasNet` is of the Conv-TasNet family [1]_: frames of the waveform times a matrix of learned
filters, a network of dilated causal convolutions that makes a mask for their outputs, and a second
matrix that turns these into samples again. Nothing in it remembers for ever: no recurrence, no norm
over time. So the receptive field is finite, and `reach` says exactly which samples it holds.

.. [1] Y. Luo and N. Mesgarani, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
   speech separation", IEEE/ACM Trans. Audio Speech Lang. Process. 27(8), 2019.
"""

import torch
from torch import nn

__all__ = ["TCN", "Causal", "TasNet", "Waveform"]


def prepend_state(x, state, n: int):
    """Return x (B, T, ...) with the last n frames of the previous call before it, zeros if there
    was none, and the new state.
    """
    if state is None:
        state = x.new_zeros(x.shape[0], n, *x.shape[2:])
    x = torch.cat([state, x], 1)
    return x, x[:, x.shape[1] - n :]


class Causal(nn.Module):
    """A residual block of a separable, dilated, causal convolution: `kernel` taps along time,
    `dilation` frames apart, then from `size` channels over `hidden` ones and back.
    """

    def __init__(self, size: int, hidden: int, kernel: int, dilation: int):
        super().__init__()
        self.kernel = kernel
        self.dilation = dilation
        self.keep = (kernel - 1) * dilation  # frames before the present one that it looks at
        self.taps = nn.Parameter(torch.randn(kernel, size) / kernel**0.5)
        self.norm = nn.LayerNorm(size)
        self.mix = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, size))

    def forward(self, x, state=None):
        """Return the output for frames x, (B, T, size), and the new state."""
        long, state = prepend_state(x, state, self.keep)
        n = x.shape[1]
        y = sum(tap * long[:, k * self.dilation :][:, :n] for k, tap in enumerate(self.taps))
        return x + self.mix(self.norm(y)), state


class TCN(nn.Module):
    """A temporal convolutional network: `inputs` to `outputs` numbers per frame, with one `Causal`
    block of `kernel` taps for each of the `dilations` between.
    """

    def __init__(self, inputs: int, outputs: int, size: int, hidden: int, kernel: int, dilations):
        super().__init__()
        self.into = nn.Linear(inputs, size)
        self.norm = nn.LayerNorm(size)
        self.onto = nn.Linear(size, outputs)
        self.blocks = nn.ModuleList(Causal(size, hidden, kernel, d) for d in dilations)
        self.keep = sum(block.keep for block in self.blocks)

    def forward(self, x, states=None):
        """Return (B, T, outputs) and the states after the last frame; x: (B, T, inputs)."""
        x = self.into(x)
        new_states = []
        for block, state in zip(self.blocks, states or [None] * len(self.blocks), strict=True):
            x, state = block(x, state)
            new_states.append(state)
        return self.onto(self.norm(x)), new_states


class Waveform(nn.Module):
    """What the networks on the waveform share: whole sounds, streams, and what a sample can depend
    on.

    Attributes
    ----------
    hop, span : int
        A step makes `hop` samples; it needs `span`, of which all but the last `hop` are those of
        the step before.
    left_pad : int
        Zeros in front of the first sample.
    skip : int
        Samples that come out before the first one that counts.
    latency : int
        How many samples later than its input a sample comes out.
    lookahead : int
        How many later samples a sample can depend on: one less, since it knows itself.
    """

    def layout(self, *, hop: int, span: int, ahead: int) -> None:
        """Fix the attributes; `ahead`: hops that the network waits beyond its span."""
        self.hop = hop
        self.span = span
        self.ahead = ahead
        self.left_pad = span - hop
        self.skip = span - hop + ahead * hop
        self.latency = span + ahead * hop
        self.lookahead = self.latency - 1

    def right_pad(self, n: int) -> int:
        """Return how many zeros have to follow n samples until all of them have come out, in whole
        hops.
        """
        return self.skip + -(n + self.skip) % self.hop

    def flush(self, pending):
        """Return the samples that are left over after these zeros: none."""
        return pending.new_zeros(0)

    def forward(self, y):
        """Return the enhanced waveforms, (B, n), of noisy ones."""
        n = y.shape[-1]
        out, _ = self.step(nn.functional.pad(y, (self.left_pad, self.right_pad(n))))
        return out[:, self.skip : self.skip + n]

    def frames(self, y, pending, state=None):
        """Enhance the whole hops of a piece, (n,); what `Stream` does. Nothing is pending, all is
        in the state.
        """
        out, state = self.step(y[None], state)
        return out[0], pending, state

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
        As in `TCN`.
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
        self.encoder = nn.Linear(span, filters, bias=False)
        self.decoder = nn.Linear(filters, span, bias=False)
        if start == "fourier":
            _fourier(self.encoder.weight, self.decoder.weight, hop)
        self.middle = TCN(filters // 2, filters, size, hidden, kernel, dilations)
        with torch.no_grad():  # the first mask lets most of everything pass, and changes no phase
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
        u, v = w.chunk(2, -1)  # partners: the real and the imaginary part, so to speak
        energy = torch.log(u.square() + v.square() + 1e-7)
        mask, middle = self.middle(energy.div(4).add(1), middle)
        # the mask comes `ahead` frames late, so the frames wait for it
        w, waiting = prepend_state(w, waiting, self.ahead)
        T = mask.shape[1]
        u, v = w[:, :T].chunk(2, -1)
        a, b = mask.chunk(2, -1)
        parts = self.decoder(torch.cat([a * u - b * v, a * v + b * u], -1))
        # overlap-add: each hop is the sum of a part of each frame that covers it
        covering = self.span // self.hop
        parts, pieces = prepend_state(parts, pieces, covering - 1)
        h = self.hop
        out = sum(parts[:, covering - 1 - j :][:, :T, j * h : (j + 1) * h] for j in range(covering))
        return out.flatten(1), (middle, waiting, pieces)

    def reach(self, n: int) -> tuple[int, int]:
        """Return the first and the last sample of the input that sample n of the output can depend
        on.
        """
        # the last frame that covers n begins here, the first one `left_pad` earlier
        newest = n // self.hop * self.hop
        past = max(0, self.middle.keep - self.ahead) * self.hop
        return newest - self.left_pad - past, newest + self.ahead * self.hop + self.span - 1


@torch.no_grad()
def _fourier(encoder, decoder, hop: int) -> None:
    """Write windowed cosines and sines into the filters, and their inverse into the decoder."""
    filters, span = encoder.shape
    t = torch.arange(span) + 0.5 - span / 2
    angle = 2 * torch.pi * (torch.arange(filters // 2) + 0.5)[:, None] / filters * t
    window = torch.sin(torch.pi * (torch.arange(span) + 0.5) / span)
    encoder.copy_(torch.cat([torch.cos(angle), torch.sin(angle)]) * window)
    decoder.copy_((encoder * (2 / filters * 2 * hop / span)).T)
