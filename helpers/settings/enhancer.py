"""What every enhancer of the course has: a name, a network, sound in, sound of the same length
out.
"""

import numpy as np
import torch

from helpers.audio import check, check_rate, resample

__all__ = ["Enhancer", "Stream"]

# longest piece that the network sees at once [s]: memory stays bounded, whatever the length
BLOCK_S = 20.0


class Stream:
    """An enhancer that is fed piece by piece, as a telephone would.

    Parameters
    ----------
    model : torch.nn.Module
        A `Masking` or a `Waveform`: it owns the frames and the network.

    Attributes
    ----------
    hop : int
        Samples that a step needs; `push` takes any number and keeps what is left over.
    latency : int
        How many samples later than its input a sample comes out: one frame, or what the model says.
    """

    def __init__(self, model):
        self._model, self.hop, self.latency = model, model.hop, model.latency
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._waiting = np.zeros(self._model.before, np.float32)
        self._begun = torch.zeros(
            2, 0
        )  # unfinished samples: the frames' sum, and that of their squared windows
        self._early, self._state, self._fed, self._given = self._model.early, None, 0, 0

    def push(self, y) -> np.ndarray:
        """Take the next samples and return those that are finished.

        Parameters
        ----------
        y : np.ndarray, shape (n,)
            Samples at 16 kHz; 128 of them are 8 ms.

        Returns
        -------
        np.ndarray
            The samples that are finished: none at first, then as many as are pushed, if these are
            whole hops.

        Raises
        ------
        ValueError
            If `y` is no mono audio.
        """
        y = check(y)
        if y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape}, but a stream is mono; open one stream for each channel"
            )
        self._fed += len(y)
        return self._give(self._step(y.astype(np.float32)))

    def flush(self) -> np.ndarray:
        """Return what is left, so that as many samples have come out as went in, and start anew.

        Returns
        -------
        np.ndarray
            The last samples.
        """
        done = self._step(np.zeros(self._model.rest(self._fed), np.float32))
        out = self._give(torch.cat([done, self._model.tail(self._begun)]))
        out = out[: len(out) - (self._given - self._fed)]
        self.reset()
        return out

    def _give(self, y):
        """Drop what lies before the first sample, and count the rest."""
        skip = min(self._early, len(y))
        self._early -= skip
        self._given += len(y) - skip
        return y[skip:].numpy()

    @torch.no_grad()
    def _step(self, y):
        """Return the samples that the frames which can be made now finish."""
        y = np.concatenate([self._waiting, y])
        n = (len(y) - self._model.span) // self.hop + 1
        if n < 1:
            self._waiting = y
            return torch.zeros(0)
        self._waiting = y[n * self.hop :]
        span = torch.from_numpy(y[: self._model.span + (n - 1) * self.hop])
        done, self._begun, self._state = self._model.frames(span, self._begun, self._state)
        return done


class Enhancer:
    """Speech in noise goes in, the speech comes out.

    Parameters
    ----------
    name : str
        Its name.
    model : torch.nn.Module
        Its network.
    provenance : dict
        Where the weights come from.
    """

    sr = 16000

    def __init__(self, name: str, model, provenance: dict):
        self.name, self.model, self.provenance = name, model.eval(), provenance

    def __repr__(self) -> str:
        """Return its name and size."""
        n = sum(p.numel() for p in self.model.parameters())
        return f"<{self.name}: {n:,} parameters, {self.sr} Hz>"

    def enhance(self, y, *, sr: int) -> np.ndarray:
        """Return the enhanced sound, as long as the one that came in and at its level.

        Parameters
        ----------
        y : np.ndarray, shape (n,) or (channels, n)
            Noisy speech [full scale = 1], from one sample to an hour; channels are enhanced one by
            one.
        sr : int
            Its sampling rate [Hz]. The network works at 16 kHz, so nothing above 8 kHz comes out.

        Returns
        -------
        np.ndarray
            The same shape and type.

        Raises
        ------
        ValueError
            If `y` is no audio, or `sr` no sampling rate.
        """
        y, sr = check(y), check_rate(sr)
        if y.ndim == 2:
            return np.stack([self.enhance(channel, sr=sr) for channel in y])
        inner = y if sr == self.sr else resample(y, sr=sr, to=self.sr)
        out = self._enhance(inner)
        out = out if sr == self.sr else resample(out, sr=self.sr, to=sr)
        return _fit(out, len(y)).astype(y.dtype, copy=False)

    def _enhance(self, y):
        """Enhance block by block, into one array: an hour of sound is large enough without
        copies.
        """
        stream, block, out, at = (
            self.stream(),
            int(BLOCK_S * self.sr),
            np.empty(len(y), np.float32),
            0,
        )
        for n in range(0, len(y), block):
            done = stream.push(y[n : n + block])
            out[at : at + len(done)] = done
            at += len(done)
        out[at:] = stream.flush()
        return out

    def stream(self) -> Stream:
        """Return a new stream: it takes hops (8 ms) and gives what `enhance` gives, its latency (32
        ms) later.
        """
        return Stream(self.model)


def _fit(y, n):
    """Cut or fill to n samples: rates that do not divide each other round the length."""
    return y[:n] if len(y) >= n else np.pad(y, (0, n - len(y)))
