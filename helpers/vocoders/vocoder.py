"""What every vocoder of the course has: its mel, in NumPy and in torch, and a way to sound; a
baseline.

The baseline, `GriffinLim`, has learned nothing: non-negative least squares, then Griffin-Lim. What
is no mono audio or no mel of a vocoder's format raises ValueError.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import nn

from helpers import mel
from helpers._checks import check_whole
from helpers.audio import check, check_rate, resample
from helpers.phase import griffin_lim

__all__ = ["GriffinLim", "LogMel", "MelFormat", "Vocoder"]


MAX_LOG_MEL = 9.0  # ln of the largest mel magnitude at full scale


@dataclass(frozen=True)
class MelFormat:
    """Everything that decides what a mel spectrogram's numbers mean.

    Attributes
    ----------
    sr, n_fft, hop_length, n_mels : int
        Sampling rate [Hz], frame, hop [samples], number of bands.
    fmin, fmax : float
        Range of the bands [Hz].
    variant, norm : str
        As for `helpers.mel.filterbank`.
    power : float
        Exponent of the magnitude that is summed.
    log : {"e", "10"}
        Base of the logarithm.
    floor : float
        Smallest value of which the logarithm is taken.
    """

    sr: int = 16000
    n_fft: int = 1024
    hop_length: int = 256
    n_mels: int = 80
    fmin: float = 0.0
    fmax: float = 8000.0
    variant: str = "slaney"
    norm: str = "slaney"
    power: float = 1.0
    log: str = "e"
    floor: float = 1e-5

    @property
    def filterbank_kwargs(self) -> dict:
        """What the functions of `helpers.mel` need to know of the bands, beside their number."""
        names = ("sr", "n_fft", "fmin", "fmax", "variant", "norm")
        return {name: getattr(self, name) for name in names}

    def mel(self, y, *, sr: int) -> np.ndarray:
        """Return the log-mel spectrogram of a sound, as the vocoder expects it.

        Parameters
        ----------
        y : np.ndarray, shape (n,)
            Mono sound [full scale = 1].
        sr : int
            Its sampling rate [Hz]; another than the vocoder's is resampled.

        Returns
        -------
        np.ndarray, shape (n_mels, n_frames)
            Logarithm of the mel spectrogram, float32.
        """
        y = check(y)
        sr = check_rate(sr)
        if y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape}, but a vocoder is mono; take one channel, or the mean of "
                "them"
            )
        M = mel.mel_spectrogram(
            resample(y, sr=sr, to=self.sr),
            hop_length=self.hop_length,
            n_mels=self.n_mels,
            power=self.power,
            **self.filterbank_kwargs,
        )
        return self._log(np.maximum(M, self.floor)).astype(np.float32)

    def magnitude(self, log_mel) -> np.ndarray:
        """Return the linear magnitude that non-negative least squares finds for a log-mel of this
        format.
        """
        M = np.exp(log_mel) if self.log == "e" else 10.0**log_mel
        return mel.mel_to_magnitude(M, power=self.power, **self.filterbank_kwargs)

    def _log(self, M):
        return np.log(M) if self.log == "e" else np.log10(M)

    def differences(self, other: "MelFormat") -> list[str]:
        """Return in words how another format differs from this one.

        >>> MelFormat().differences(MelFormat(variant="htk"))
        ["variant is 'htk' instead of 'slaney'"]
        """
        names = [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]
        return [f"{n} is {getattr(other, n)!r} instead of {getattr(self, n)!r}" for n in names]

    def check(self, log_mel, made_with=None) -> np.ndarray:
        """Return `log_mel` as float32, or raise ValueError."""
        differences = [] if made_with is None else self.differences(made_with)
        if differences:
            raise ValueError(
                f"this vocoder was made for another mel: {'; '.join(differences)}. Make it with "
                "Vocoder.mel(y)"
            )
        M = np.asarray(log_mel)
        if M.ndim != 2 or not M.size or M.dtype.kind != "f":
            raise ValueError(
                f"log_mel holds {M.dtype} values of shape {M.shape}; pass floats of shape (n_mels, "
                "n_frames), as Vocoder.mel(y, sr=sr) gives them"
            )
        if M.shape[0] != self.n_mels:
            turned = (
                "; it seems to be turned, so pass log_mel.T" if M.shape[1] == self.n_mels else ""
            )
            raise ValueError(
                f"log_mel has {M.shape[0]} bands, but this vocoder was made for "
                f"{self.n_mels}{turned}"
            )
        if not np.all(np.isfinite(M)):
            raise ValueError(
                "log_mel holds NaN or infinite values: the logarithm of 0? Vocoder.mel has a floor"
            )
        low = float(self._log(self.floor))
        high = MAX_LOG_MEL if self.log == "e" else MAX_LOG_MEL / np.log(10)
        if M.max() > high or M.min() < 4 * low:
            raise ValueError(
                f"log_mel reaches from {M.min():.3g} to {M.max():.3g}, but the logarithm (base "
                f"{self.log}) of a mel magnitude lies from {low:.3g} to {high:.3g}; decibels, or "
                "no logarithm at all? Use Vocoder.mel(y)"
            )
        return M.astype(np.float32)


class Vocoder:
    """A mel spectrogram goes in, sound comes out.

    Parameters
    ----------
    name : str
        Its name.
    model : object
        Has ``generate(log_mel, n, seed=0, **options)``: from a tensor (B, n_mels, n_frames) to one
        of (B, n).
    form : MelFormat
        The mel that it was made for.
    provenance : dict
        Where its weights come from; empty if it has none.
    """

    def __init__(self, name: str, model, form: MelFormat, provenance: dict):
        self.name = name
        self.model = model
        self.form = form
        self.provenance = provenance
        self.sr = form.sr

    def __repr__(self) -> str:
        """Return its name, size and mel."""
        return (
            f"<{self.name}: {self.size:,} parameters, {self.form.n_mels} mel bands, {self.sr} Hz>"
        )

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        if not isinstance(self.model, nn.Module):
            return 0
        return sum(p.numel() for p in self.model.parameters())

    def mel(self, y, *, sr: int) -> np.ndarray:
        """Return the log-mel spectrogram that this vocoder expects; see `MelFormat.mel`."""
        return self.form.mel(y, sr=sr)

    @torch.no_grad()
    def synthesize(
        self, log_mel, *, length: int | None = None, seed: int = 0, made_with=None, **options
    ):
        """Return the sound of a log-mel spectrogram.

        Parameters
        ----------
        log_mel : np.ndarray, shape (n_mels, n_frames)
            As `mel` gives it.
        length : int, optional
            Samples to return; by default ``hop_length * (n_frames - 1)``, the most that the frames
            can tell.
        seed : int, default 0
            Of what the vocoder draws at random.
        made_with : MelFormat, optional
            How `log_mel` was made, if not by this vocoder: any difference is an error that names
            it.
        **options
            Of this vocoder alone, such as ``temperature``.

        Returns
        -------
        np.ndarray, shape (length,)
            Sound at `sr`, float32. The level is that of the mel; nothing is normalised.
        """
        M = self.form.check(log_mel, made_with)
        hop = self.form.hop_length
        n_frames = M.shape[1]
        n = hop * max(1, n_frames - 1) if length is None else length
        most = max(hop, hop * n_frames - 1)  # a longer sound would have more frames
        remedy = f"{n_frames} frames hold that"
        n = check_whole(n, name="length", low=1, high=most, remedy=remedy)
        y = self.model.generate(torch.from_numpy(M)[None], n, seed=seed, **options)[0]
        return y.float().numpy()


class LogMel(nn.Module):
    """The log-mel spectrogram of `MelFormat.mel` for a batch, differentiable and on any device.

    Parameters
    ----------
    form : MelFormat
        What it computes.
    """

    def __init__(self, form: MelFormat):
        super().__init__()
        self.form = form
        bank = mel.filterbank(n_mels=form.n_mels, **form.filterbank_kwargs).astype(np.float32)
        self.register_buffer("window", torch.hann_window(form.n_fft), persistent=False)
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)

    def stft(self, y):
        """Return the complex STFT (B, n_fft // 2 + 1, T) of waveforms (B, n), zeros beyond both
        ends.
        """
        return torch.stft(
            y, self.form.n_fft, self.form.hop_length, window=self.window, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip

    def forward(self, y):
        """Return the log-mel spectrogram (B, n_mels, T) of waveforms (B, n)."""
        M = (self.bank @ self.stft(y).abs() ** self.form.power).clamp_min(self.form.floor)
        return M.log() if self.form.log == "e" else M.log10()


class GriffinLim:
    """Find a magnitude that has the mel of a format, then a sound that has this magnitude."""

    def __init__(self, form: MelFormat):
        self.form = form

    def generate(
        self, log_mel, n: int, *, seed: int = 0, n_iter: int = 100, momentum: float = 0.99
    ):
        """Return waveforms (B, n) of log-mels (B, n_mels, n_frames), by `n_iter` iterations."""
        S = np.stack([self.form.magnitude(M) for M in log_mel.numpy()])
        y = griffin_lim(
            S, hop_length=self.form.hop_length, n_iter=n_iter, momentum=momentum, length=n,
            seed=seed,
        )  # fmt: skip
        return torch.from_numpy(y)
