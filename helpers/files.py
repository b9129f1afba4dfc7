"""Sound files to arrays and back, and from one sampling rate to another; `helpers.audio` passes the names on."""

import difflib
import io
import os
import warnings
from pathlib import Path

import numpy as np
import soundfile
import soxr

from helpers.checks import check, check_rate

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au"}
# First bytes of what people try to load; libsndfile only says "Format not recognised".
KNOWN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a WebM or Matroska recording",
    b"#!AMR": "an AMR recording",
}


def load(path, *, sr: int | None = None, mono: bool = True, max_seconds: float = 3600.0) -> tuple[np.ndarray, int]:
    """Read a sound file: wav, flac, ogg, mp3 and whatever else libsndfile knows.

    Integer files are divided by their full scale (32768 for 16 bits), so that full scale is 1. Values beyond +-1,
    which float and mp3 files can hold, are kept, and a warning names the peak.

    Parameters
    ----------
    path : str, Path or binary file object
        The file, or its bytes as `io.BytesIO`.
    sr : int, optional
        Sampling rate wanted [Hz]; by default the file's own rate.
    mono : bool, default True
        Average the channels. False keeps them as (channels, n); a mono file is (n,) either way.
    max_seconds : float, default 3600.0
        Longest file accepted [s].

    Returns
    -------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal, float32 [full scale = 1].
    sr : int
        Sampling rate of `y` [Hz].

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message lists similar names.
    ValueError
        If it is a folder, no audio, empty, too long, has NaN or infinite values, or an absurd sampling rate.

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
    wanted = None if sr is None else check_rate(sr)
    name, source, head = _open(path)
    y, sr = _decode(source, name, head, max_seconds)
    y = check(y.mean(axis=0, dtype=np.float32) if mono or len(y) == 1 else y, name=name)
    if wanted not in (None, sr):
        y, sr = resample(y, sr=sr, to=wanted), wanted
    peak = float(np.abs(y).max())
    if peak > 1:
        over = 20 * np.log10(peak)
        warnings.warn(
            f"{name} peaks at {peak:.3f} ({over:+.1f} dBFS), beyond full scale: the values are kept, "
            "but a player would clip them; scale down before you play or save",
            stacklevel=2,
        )
    return y, sr


def save(path, y: np.ndarray, *, sr: int) -> None:
    """Write a sound file: .wav as 32-bit float (loses nothing), .flac as 16-bit integers (rounded, no dither).

    The file appears whole or not at all: it is written under another name beside `path` and then moved there.

    Parameters
    ----------
    path : str or Path
        Where to write; ends in .wav or .flac. An older file is replaced.
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1]; nothing is scaled.
    sr : int
        Sampling rate [Hz].

    Raises
    ------
    ValueError
        If `y` is no audio (see `helpers.audio.check`), goes beyond +-1, or the ending is another one.
    OSError
        If the folder does not exist, the disk is full or the folder may not be written to.

    Examples
    --------
    >>> save("loud.wav", np.array([0.0, 2.0]), sr=8000)
    Traceback (most recent call last):
    ValueError: y peaks at 2.000, beyond full scale, and would be clipped; scale it first: y / 2.000 (-6.0 dB)
    """
    path, y, sr = Path(path), check(y), check_rate(sr)
    kind = path.suffix.lower()
    if kind not in (".wav", ".flac"):
        raise ValueError(f"cannot write {path.name!r}: the name must end in .wav (float) or .flac (16 bits)")
    peak = float(np.abs(y).max())
    if peak > 1:
        raise ValueError(
            f"y peaks at {peak:.3f}, beyond full scale, and would be clipped; "
            f"scale it first: y / {peak:.3f} ({-20 * np.log10(peak):.1f} dB)"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} to; create it first")
    if kind == ".flac":  # by hand: libsndfile multiplies by 32767 when it writes, but divides by 32768 when it reads
        y, subtype = np.clip(np.round(y * 32768.0), -32768, 32767).astype(np.int16), "PCM_16"
    else:
        y, subtype = y.astype(np.float32), "FLOAT"
    out = io.BytesIO()  # libsndfile says of a full disk no more than "System error"
    soundfile.write(out, y.T, sr, subtype=subtype, format=kind[1:].upper())
    put(path, out.getbuffer())


def put(path: Path, data) -> None:
    """Replace a file by other bytes in one step; if that fails, say why, and leave the old file as it was."""
    beside = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        kept = "what it held before is untouched" if path.exists() else "there is no such file yet"
        why = f"{path.name} could not be saved ({error.strerror}), {kept}; make room or choose another folder"
        raise OSError(error.errno, why) from error
    finally:
        beside.unlink(missing_ok=True)


def resample(y: np.ndarray, *, sr: int, to: int) -> np.ndarray:
    """Change the sampling rate with soxr's very high quality filter (nothing audible above the new Nyquist stays).

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal.
    sr, to : int
        Present and wanted sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (m,) or (channels, m)
        The signal at `to`, of the same dtype; ``m = round(n * to / sr)``, halves rounded up, at least 1. Like every
        sharp filter it overshoots at an edge, by up to 9 % of the jump, so a square wave ends up beyond its old peak.

    Raises
    ------
    ValueError
        If `y` is no audio or a rate is no sampling rate.

    See Also
    --------
    soxr.resample, scipy.signal.resample_poly

    Examples
    --------
    >>> resample(np.zeros(441), sr=44100, to=16000).shape
    (160,)
    """
    y, sr, to = check(y), check_rate(sr), check_rate(to, name="to")
    if sr == to:
        return y.copy()
    n = max(1, (2 * y.shape[-1] * to + sr) // (2 * sr))
    out = soxr.resample(np.ascontiguousarray(y.T), sr, to, quality="VHQ").T[..., :n]
    return np.pad(out, [(0, 0)] * (y.ndim - 1) + [(0, n - out.shape[-1])])


def _open(path) -> tuple[str, str | io.BytesIO, bytes]:
    """Return a name for messages, what soundfile is to read, and the first bytes."""
    if hasattr(path, "read"):
        data = path.read()
        return Path(str(getattr(path, "name", "the upload"))).name, io.BytesIO(data), data[:512]
    path = Path(path).expanduser()
    if path.is_dir():
        found = sorted(p.name for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        has = f"pick one of its files: {', '.join(found[:8])}" if found else "it holds no sound files"
        raise ValueError(f"{str(path)!r} is a folder; {has}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; {_near(path)}")
    with path.open("rb") as file:
        return path.name, str(path), file.read(512)


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either; the kernel works in {Path.cwd().name!r}"
    files = [p.name for p in path.parent.iterdir() if p.is_file()]
    close = difflib.get_close_matches(path.name, files, n=4, cutoff=0.5)
    close = close or sorted(f for f in files if Path(f).suffix.lower() in SUFFIXES)[:8]
    return f"did you mean {' or '.join(close)}?" if close else "its folder holds no sound files"


def _decode(source, name: str, head: bytes, max_seconds: float) -> tuple[np.ndarray, int]:
    """Return all channels as (channels, n) float32 and the file's own rate."""
    if not head:
        raise ValueError(f"{name} is empty (0 bytes); copy or record it again")
    try:
        with soundfile.SoundFile(source) as file:
            sr = check_rate(file.samplerate, name=f"the sampling rate in {name}'s header, sr")
            if file.frames > max_seconds * sr:
                raise ValueError(
                    f"{name} lasts {file.frames / sr:.0f} s, longer than {max_seconds:g} s; "
                    "cut it, or pass max_seconds= if you have the memory"
                )
            y = file.read(dtype="float32", always_2d=True).T
    except (soundfile.LibsndfileError, TypeError) as error:
        raise ValueError(f"{name} is no audio that can be read: {_what(head)}") from error
    if y.shape[-1] == 0:
        raise ValueError(f"{name} has a header but no samples; export or record it again")
    return y, sr


def _what(head: bytes) -> str:
    convert = "convert it to wav first, for example with `ffmpeg -i old new.wav`"
    for start, kind in KNOWN.items():
        if head.startswith(start):
            return f"it is {kind}; {convert if 'recording' in kind else 'pass a wav, flac, ogg or mp3 file'}"
    if head[4:8] == b"ftyp":
        return f"it is an MP4 or M4A file; {convert}"
    if head[:4] in (b"RIFF", b"fLaC", b"OggS") or head[:3] == b"ID3":
        return "it starts like a sound file, but the rest is damaged; copy or export it again"
    text = head.decode("utf-8", errors="ignore")  # the last letter may be cut in half
    if len(text.encode()) < len(head) - 3 or "\0" in text:
        return f"its first bytes are {head[:8].hex(' ')}; {convert}"
    return f"it is text, starting with {' '.join(text.split())[:30]!r}; pass a wav, flac, ogg or mp3 file"
