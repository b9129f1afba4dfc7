"""Files to arrays and back, resampling, mixing at an SNR, and the clips that come with the course.

The one place that fixes shape, dtype and sampling rate: `y` is float, full scale 1, time last: (n,)
or (channels, n). ValueError refuses what is no audio or no sampling rate, files that cannot be read
(a folder, no sound, damaged, too long), names of no clip, levels that would be clipped in a file,
and silence where a ratio is asked for; FileNotFoundError a file or folder that is not there, with
similar names; OSError a disk that is full or may not be written to.
"""

import csv
import io
import json
import threading
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from helpers import _checks
from helpers._checks import check, check_name, check_rate, checksums, read_verified
from helpers._soundfiles import read_sound
from helpers._storage import write_file

__all__ = [
    "check",
    "check_rate",
    "clip",
    "clips",
    "example",
    "load",
    "mix",
    "resample",
    "save",
    "table",
    "voice_path",
]


def load(
    path, *, sr: int | None = None, mono: bool = True, max_seconds: float | None = 3600.0
) -> tuple[np.ndarray, int]:
    """Read a sound file: wav, flac, ogg, mp3 and whatever else libsndfile knows.

    Integer files are divided by their full scale (32768 for 16 bits), so that full scale is 1.
    Values beyond +-1, which float and mp3 files can hold, are kept, and a warning names the peak.
    A wav or mp3 file that is shorter than it says it is gives what is there, and a warning.

    Parameters
    ----------
    path : str, Path, bytes or binary file object
        The file, or its bytes. An open file is read from where it stands, and from its start if
        that is its end.
    sr : int, optional
        Sampling rate wanted [Hz]; by default the file's own rate.
    mono : bool, default True
        Average the channels; a warning says if they cancel. False keeps them as (channels, n); a
        mono file is (n,) either way.
    max_seconds : float or None, default 3600.0
        Longest file accepted [s]; None: any.

    Returns
    -------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal, float32 [full scale = 1].
    sr : int
        Sampling rate of `y` [Hz].

    See Also
    --------
    soundfile.read, librosa.load

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/half.wav", np.full(8, 0.5), sr=8000)
    ...     y, sr = load(f"{folder}/half.wav")
    >>> float(y.max()), y.dtype.name, sr
    (0.5, 'float32', 8000)
    """
    if sr is not None:
        check_rate(sr)
    name, channels, found_sr = read_sound(path, max_seconds)
    _refuse_nan(channels, name)
    y = channels if len(channels) > 1 else channels[0]
    if mono and y.ndim == 2:
        y = channels.mean(axis=0, dtype=np.float32)
        _warn_cancelled(y, channels, name)
    y = check(y, name=name)
    sr = found_sr if sr is None else int(sr)
    y = y if sr == found_sr else resample(y, sr=found_sr, to=sr)
    peak = float(np.abs(y).max())
    if peak > 1:
        over = 20 * np.log10(peak)
        warnings.warn(
            f"{name} peaks at {peak:.3f} ({over:+.1f} dBFS), beyond full scale: the values are "
            "kept, but a player would clip them; scale down before you play or save",
            stacklevel=2,
        )
    return y, sr


def _refuse_nan(y: np.ndarray, name: str) -> None:
    bad = y.size - np.count_nonzero(np.isfinite(y))
    if bad:
        raise ValueError(
            f"{name} holds {bad} NaN or infinite values of {y.size}; export it again, or read it "
            "with soundfile.read and set them to zero with np.nan_to_num(y, posinf=0, neginf=0)"
        )


def _warn_cancelled(y: np.ndarray, channels: np.ndarray, name: str) -> None:
    """Warn if a mono mix lies 20 dB or more under its channels, which then are opposite."""
    mix_power = np.mean(np.square(y, dtype=np.float64))
    power = np.mean(np.square(channels, dtype=np.float64))
    if mix_power <= 0.01 * power and power > 0:
        warnings.warn(
            f"the channels of {name} cancel in the mono mix, as they do when one is inverted; load "
            "with mono=False and take one of them",
            stacklevel=3,
        )


def save(path, y: np.ndarray, *, sr: int) -> None:
    """Write a sound file: .wav as 32-bit float (loses nothing), .flac as 16-bit integers (rounded,
    no dither).

    The file appears whole or not at all: it is written under another name beside `path` and then
    moved there.

    Parameters
    ----------
    path : str or Path
        Where to write; ends in .wav or .flac. An older file is replaced.
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1]; nothing is scaled.
    sr : int
        Sampling rate [Hz].

    Examples
    --------
    >>> save("loud.wav", np.array([0.0, 2.0]), sr=8000)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: y peaks at 2.000, which is 6 dB beyond full scale, and would be clipped...
    """
    path = Path(path).expanduser()
    y = check(y)
    sr = check_rate(sr)
    kind = path.suffix.lower()
    if kind not in (".wav", ".flac"):
        raise ValueError(
            f"cannot write {path.name!r}: the name must end in .wav (float) or .flac (16 bits)"
        )
    peak = float(np.abs(y).max())
    if peak > 1:
        raise ValueError(
            f"y peaks at {peak:.3f}, which is {20 * np.log10(peak):.2g} dB beyond full scale, and "
            "would be clipped; scale it first: y / np.abs(y).max()"
        )
    if kind == ".flac":
        _check_flac(y, sr)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(path.parent)!r} to write {path.name} to; create it first"
        )
    if kind == ".wav":
        y = y.astype(np.float32)
    else:  # libsndfile multiplies by 32767 when it writes, but divides by 32768 when it reads
        y = np.clip(np.round(y * 32768.0), -32768, 32767).astype(np.int16)
    out = io.BytesIO()  # libsndfile says of a full disk no more than "System error"
    subtype = "FLOAT" if kind == ".wav" else "PCM_16"
    soundfile.write(out, y.T, sr, subtype=subtype, format=kind[1:].upper())
    write_file(path, out.getbuffer())


def _check_flac(y: np.ndarray, sr: int) -> None:
    """Refuse what FLAC cannot hold; its headers count high rates in tens of hertz."""
    channels = 1 if y.ndim == 1 else len(y)
    if channels > 8:
        raise ValueError(f"y has {channels} channels and FLAC holds at most 8; save it as .wav")
    if sr > 655_350 or (sr > 65_535 and sr % 10):
        raise ValueError(
            f"FLAC holds no sampling rate of sr={sr} Hz; save it as .wav, or resample it first"
        )


def resample(y: np.ndarray, *, sr: int, to: int) -> np.ndarray:
    """Change the sampling rate with soxr's very high quality filter (nothing audible above the new
    Nyquist stays).

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal.
    sr, to : int
        Present and wanted sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (m,) or (channels, m)
        The signal at `to`, of the same dtype; ``m = round(n * to / sr)``, halves rounded up, at
        least 1. Like every sharp filter it overshoots at an edge, by up to 9 % of the jump, so a
        square wave ends up beyond its old peak.

    See Also
    --------
    soxr.resample, scipy.signal.resample_poly

    Examples
    --------
    >>> resample(np.zeros(441), sr=44100, to=16000).shape
    (160,)
    """
    y = check(y)
    sr = check_rate(sr)
    to = check_rate(to, name="to")
    if sr == to:
        return y.copy()
    n = max(1, (2 * y.shape[-1] * to + sr) // (2 * sr))  # rounded, without an error of floats
    out = soxr.resample(np.ascontiguousarray(y.T), sr, to, quality="VHQ").T[..., :n]
    return np.pad(out, [(0, 0)] * (y.ndim - 1) + [(0, n - out.shape[-1])])


# librosa's examples that are free to use, and the shipped clip that stands in without a network.
# Public domain: brahms, humpback; CC BY 3.0: fishin, nutcracker, robin, trumpet, vibeace; CC BY
# 4.0: libri1-3. The keys left out (choice, pibble, pistachio, sweetwaltz) forbid commercial use.
EXAMPLES = {
    "brahms": "violin",
    "fishin": "piano_chords",
    "humpback": "cello",
    "libri1": "librivox_a",
    "libri2": "librivox_b",
    "libri3": "arctic_slt",
    "nutcracker": "piano_chords",
    "robin": "flute",
    "trumpet": "flute",
    "vibeace": "drum_loop",
}
PATIENCE_S = 6.0  # how long `example` waits for a download


def __getattr__(name: str) -> Path:
    """Return DATA, the repository's data folder: whoever asks for it gets tables that are whole, or
    one line.
    """
    if name != "DATA":
        raise AttributeError(f"helpers.audio has no {name!r}")
    for table in checksums():
        if table.startswith("tables/"):
            read_verified(_checks.DATA / table)
    return _checks.DATA


def mix(speech: np.ndarray, noise: np.ndarray, *, snr_db: float) -> np.ndarray:
    r"""Add noise to speech at a signal-to-noise ratio; the speech keeps its level.

    .. math:: y = s + g\,v, \qquad
       g = \sqrt{\frac{\overline{s^2}}{\overline{v^2}}\,10^{-\mathrm{SNR}/10}}

    The means run over all samples, pauses included, and over all channels. The noise starts at its
    beginning; it is repeated or cut to the length of the speech before its power is measured.

    Parameters
    ----------
    speech : np.ndarray, shape (n,) or (channels, n)
        What stays as it is.
    noise : np.ndarray, shape (m,) or (channels, m)
        What is scaled and added; as many channels as `speech`.
    snr_db : float
        Ratio of the mean powers [dB].

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        The mixture. It is not normalised, so at a low SNR it can go beyond +-1.

    Examples
    --------
    >>> mix(np.array([0.5, -0.5]), np.array([1.0]), snr_db=20.0)
    array([ 0.55, -0.45])
    """
    speech = check(speech, name="speech")
    noise = check(noise, name="noise")
    if speech.shape[:-1] != noise.shape[:-1]:
        raise ValueError(
            f"speech has shape {speech.shape} but noise {noise.shape}; give both the same channels"
        )
    if not np.isfinite(snr_db):
        raise ValueError(
            f"snr_db={snr_db} must be a finite number of decibels; for no noise use the speech "
            "alone"
        )
    n = speech.shape[-1]
    noise = np.concatenate([noise] * -(-n // noise.shape[-1]), axis=-1)[..., :n]
    for name, y in (("speech", speech), ("noise", noise)):
        if not y.any():
            raise ValueError(
                f"{name} is silent over these {n} samples, so no SNR can be set; pass a part with "
                "sound"
            )
    power = [np.mean(np.square(y, dtype=np.float64)) for y in (speech, noise)]
    gain = np.sqrt(power[0] / power[1] * 10 ** (-snr_db / 10))
    return speech + np.asarray(gain, dtype=speech.dtype) * noise


def voice_path() -> Path:
    """Return where unit 00 keeps your recording.

    Returns
    -------
    Path
        my_voice.wav in the kernel's working folder, which is the notebook's.
    """
    return Path.cwd() / "my_voice.wav"


def clips() -> list[str]:
    """Return the names of the shipped clips, and "my_voice" if you have recorded one.

    Returns
    -------
    list of str
        Names for `clip`, sorted; `data/README.md` describes each.

    Examples
    --------
    >>> "voice_a" in clips()
    True
    """
    return [*sorted(_manifest()), *(["my_voice"] if voice_path().is_file() else [])]


def clip(name: str) -> tuple[np.ndarray, int]:
    """Return a clip that comes with the course, or your own recording, at its own rate and level.

    Parameters
    ----------
    name : str
        One of `clips()`; `data/README.md` says which voices are people's and which machines', and
        under what licence. "my_voice" is the recording you made in unit 00.

    Returns
    -------
    y : np.ndarray, shape (n,), or (2, n) for a stereo clip
        Signal, float32 [full scale = 1].
    sr : int
        Its sampling rate [Hz].

    Examples
    --------
    >>> y, sr = clip("voice_a")
    >>> y.dtype.name, sr
    ('float32', 16000)
    """
    if name == "my_voice":
        if not voice_path().is_file():
            raise ValueError(
                'there is no my_voice.wav here yet; record it in unit 00, or use clip("voice_a") '
                "meanwhile"
            )
        return load(voice_path())
    check_name(name, clips(), what="clip")
    raw = read_verified(_checks.DATA / "clips" / f"{name}.flac", _manifest()[name]["sha256"])
    return load(io.BytesIO(raw), mono=False)


def table(name: str) -> list[dict[str, str]]:
    """Return a table that comes with the course, one dictionary a row.

    Parameters
    ----------
    name : str
        A file of ``data/tables`` without its ending. Where a number comes from stands in
        ``data/README.md``.

    Returns
    -------
    list of dict
        Text by the name of its column, row by row.

    Examples
    --------
    >>> rows = table("threshold_of_hearing")
    >>> rows[0]["f_hz"]
    '20'
    """
    folder = _checks.DATA / "tables"
    check_name(name, sorted(path.stem for path in folder.glob("*.csv")), what="table")
    text = read_verified(folder / f"{name}.csv").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


@cache
def _manifest() -> dict:
    return json.loads(read_verified(_checks.DATA / "clips" / "manifest.json"))["clips"]


def example(name: str) -> tuple[np.ndarray, int]:
    """Return a real recording from librosa's collection, or, without a network, a shipped clip and
    one printed line.

    Only freely licensed recordings are offered. A recording fetched before is read from librosa's
    cache.

    Parameters
    ----------
    name : str
        One of librosa's keys: libri1, libri2, libri3 (voices), brahms, fishin, nutcracker, trumpet,
        vibeace (music), humpback, robin (animals).

    Returns
    -------
    y : np.ndarray, shape (n,)
        Signal, float32 [full scale = 1].
    sr : int
        Its sampling rate [Hz]: 22050 for the recordings, the clip's own for a stand-in.

    See Also
    --------
    librosa.ex
    """
    path = _fetch(check_name(name, EXAMPLES, what="free recording"))
    if path is not None:
        return load(path)
    print(f'No network for the recording "{name}": this is the shipped clip "{EXAMPLES[name]}".')
    return clip(EXAMPLES[name])


def _fetch(name: str) -> str | None:
    """Return the path that `librosa.ex` gives, or None when it fails or takes too long."""
    found = []

    def work() -> None:
        try:
            import librosa

            # librosa's downloader: its log line would stand in the notebook, with a path
            import pooch

            pooch.get_logger().setLevel("WARNING")
            found.append(librosa.ex(name))
        except Exception:  # whatever it is, the shipped clip is the answer
            return

    # a thread, because name look-ups have no time limit
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return found[0] if found else None
