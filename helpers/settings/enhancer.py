"""What every enhancer of the course has: a name, a network, sound in, sound of the same length out.

What is no audio (`helpers.audio.check`) or no sampling rate raises ValueError.
"""

import warnings

import numpy as np
import torch

from helpers.audio import check, check_rate, resample
from helpers.metrics import active_level_db

__all__ = ["Enhancer", "Stream"]

# longest piece that the network sees at once [s]: memory stays bounded, whatever the length
BLOCK_S = 20.0
# active levels [dBFS] of the mixtures that the networks were trained with, and their middle: what
# is quieter or louder is brought there first
LOWEST_DB, HIGHEST_DB = -40.0, -10.0
MIDDLE_DB = -27.0
SILENT_DB = -120.0


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
        self._model = model
        self.hop = model.hop
        self.latency = model.latency
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._waiting = np.zeros(self._model.left_pad, np.float32)  # input that fills no frame yet
        # unfinished output: the sum of the frames, and that of their squared windows
        self._pending = torch.zeros(2, 0)
        self._state = None
        self._skip = self._model.skip  # samples still to drop before the first one
        self._n_in = 0
        self._n_out = 0

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
        """
        y = check(y)
        if y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape}, but a stream is mono; open one stream for each channel"
            )
        self._n_in += len(y)
        return self._emit(self._step(y.astype(np.float32)))

    def flush(self) -> np.ndarray:
        """Return what is left, so that as many samples have come out as went in, and start anew.

        Returns
        -------
        np.ndarray
            The last samples.
        """
        done = self._step(np.zeros(self._model.right_pad(self._n_in), np.float32))
        out = self._emit(torch.cat([done, self._model.flush(self._pending)]))
        out = out[: len(out) - (self._n_out - self._n_in)]
        self.reset()
        return out

    def _emit(self, y):
        """Drop what lies before the first sample, and count the rest."""
        skip = min(self._skip, len(y))
        self._skip -= skip
        self._n_out += len(y) - skip
        return y[skip:].numpy()

    @torch.no_grad()
    def _step(self, y):
        """Return the samples that the frames which can be made now finish."""
        y = np.concatenate([self._waiting, y])
        n_frames = (len(y) - self._model.span) // self.hop + 1
        if n_frames < 1:
            self._waiting = y
            return torch.zeros(0)
        self._waiting = y[n_frames * self.hop :]
        covered = torch.from_numpy(y[: self._model.span + (n_frames - 1) * self.hop])
        done, self._pending, self._state = self._model.frames(covered, self._pending, self._state)
        return done


def _gain(y: np.ndarray) -> float:
    """Return the factor that brings samples at 16 kHz to a level that the networks know; say so."""
    level = active_level_db(y)
    if LOWEST_DB <= level <= HIGHEST_DB or level < SILENT_DB:
        return 1.0
    warnings.warn(
        f"y is at {level:.0f} dBFS, and the network was trained from {LOWEST_DB:.0f} to "
        f"{HIGHEST_DB:.0f} dBFS: it is brought to {MIDDLE_DB:.0f} dBFS, and the result back",
        stacklevel=3,
    )
    return float(10 ** ((MIDDLE_DB - level) / 20))


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
        self.name = name
        self.model = model.eval()
        self.provenance = provenance

    def __repr__(self) -> str:
        """Return its name and size."""
        n = sum(p.numel() for p in self.model.parameters())
        return f"<{self.name}: {n:,} parameters, {self.sr} Hz>"

    def enhance(self, y, *, sr: int) -> np.ndarray:
        """Return the enhanced sound, as long as the one that came in and at its level.

        The networks know sound from -40 to -10 dBFS. What is quieter or louder is brought to -27
        dBFS, enhanced, and brought back; a warning says so. A `stream` cannot know the level of
        what comes, and does not do this.

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
        """
        y = check(y)
        sr = check_rate(sr)
        if y.ndim == 2:
            return np.stack([self.enhance(channel, sr=sr) for channel in y])
        given = y if sr == self.sr else resample(y, sr=sr, to=self.sr)
        gain = _gain(given)
        out = self._enhance(given * gain if gain != 1 else given) / gain
        out = out if sr == self.sr else resample(out, sr=self.sr, to=sr)
        # rates that do not divide each other round the length
        out = np.pad(out[: len(y)], (0, max(0, len(y) - len(out))))
        return out.astype(y.dtype, copy=False)

    def _enhance(self, y):
        """Enhance in blocks, into one array: an hour of sound is large enough without copies."""
        stream = self.stream()
        out = np.empty(len(y), np.float32)
        block = int(BLOCK_S * self.sr)
        n_done = 0
        for start in range(0, len(y), block):
            done = stream.push(y[start : start + block])
            out[n_done : n_done + len(done)] = done
            n_done += len(done)
        out[n_done:] = stream.flush()
        return out

    def stream(self) -> Stream:
        """Return a new stream: it takes hops (8 ms) and gives what `enhance` gives, its latency (32
        ms) later.

        Returns
        -------
        Stream
            With nothing heard yet.
        """
        return Stream(self.model)
