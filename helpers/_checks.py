"""Checks of what is passed in: audio, sampling rates, numbers, names, files of the course.

Whatever is not raises ValueError (a missing file FileNotFoundError) with the value and the remedy.
"""

import difflib
import hashlib
from numbers import Real
from pathlib import Path

import numpy as np

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000  # [Hz]
DATA = Path(__file__).resolve().parent.parent / "data"  # the repository's data folder


def check(y: np.ndarray, *, name: str = "y", min_samples: int = 1) -> np.ndarray:
    """Return `y` as a float array of shape (n,) or (channels, n), or raise ValueError.

    float32 and float64 are kept as they are (no copy), other floats become one of them; values
    beyond +-1 are allowed.

    Examples
    --------
    >>> check([0.0, 0.5]).dtype
    dtype('float64')
    >>> check(np.array([0, 16384], dtype=np.int16))
    Traceback (most recent call last):
    ValueError: y holds int16 numbers, but full scale must be 1.0; divide: y / 32768
    """
    y = as_array(y, name=name)
    _check_kind(y, name)
    _check_shape(y, name, min_samples)
    if y.dtype not in (np.float32, np.float64):
        y = y.astype(np.float32 if y.dtype.itemsize < 4 else np.float64)
    bad = y.size - np.count_nonzero(np.isfinite(y))
    if bad:
        raise ValueError(
            f"{name} holds {bad} NaN or infinite values of {y.size}; find where they arise (log of "
            "0, 0 / 0), "
            f"or set them to zero with np.nan_to_num({name}, posinf=0, neginf=0)"
        )
    return y


def as_array(values, *, name: str) -> np.ndarray:
    """Return an array, or say that rows of unequal lengths make none."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} holds rows of unequal lengths, which are no array; cut them to one length"
        ) from error


def _check_kind(y: np.ndarray, name: str) -> None:
    kind = y.dtype.kind
    if kind in "iu":
        full = 2 ** (8 * y.dtype.itemsize - 1)
        remedy = f"({name} - {full}.0) / {full}" if kind == "u" else f"{name} / {full}"
        raise ValueError(
            f"{name} holds {y.dtype} numbers, but full scale must be 1.0; divide: {remedy}"
        )
    if kind == "c":
        raise ValueError(
            f"{name} is complex; pass a waveform: its real part, or the inverse STFT of a spectrum"
        )
    if kind != "f":
        raise ValueError(
            f"{name} holds {y.dtype} values, not samples; pass a NumPy array of floats"
        )


def check_time_last(shape, *, name: str) -> None:
    """Refuse a shape (..., channels, n) with more channels than samples: its axes are swapped.

    >>> check_time_last((16000, 2), name="y")
    Traceback (most recent call last):
    ValueError: y has shape (16000, 2), so time is on the first axis; pass y.T, (channels, n)
    """
    shape = tuple(shape)
    if len(shape) > 1 and shape[-2] > max(shape[-1], 1):
        where, turned = (
            ("first", ".T") if len(shape) == 2 else ("last but one", ".swapaxes(-1, -2)")
        )
        raise ValueError(
            f"{name} has shape {shape}, so time is on the {where} axis; pass {name}{turned}, "
            "(channels, n)"
        )


def check_numbers(values, *, name: str) -> np.ndarray:
    """Return real numbers of any shape as floats that hold their squares and logarithms: float64,
    or float32 as it is.

    >>> check_numbers(np.array([255], np.uint8), name="a") ** 2
    array([65025.])
    """
    values = as_array(values, name=name)
    if values.dtype.kind not in "biuf":
        kind = {"c": "complex", "O": "object", "U": "text"}.get(values.dtype.kind, values.dtype)
        remedy = f"np.abs({name})" if kind == "complex" else "an array of numbers"
        raise ValueError(f"{name} holds {kind} values, no real numbers; pass {remedy}")
    return values if values.dtype == np.float32 else values.astype(np.float64, copy=False)


def _check_shape(y: np.ndarray, name: str, min_samples: int) -> None:
    if y.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {y.shape}; pass (n,) for mono or (channels, n)")
    n = y.shape[-1]
    check_time_last(y.shape, name=name)
    if y.size == 0 or n < min_samples:
        needs = "one sample" if min_samples <= 1 else f"{min_samples} samples"
        raise ValueError(
            f"{name} has shape {y.shape}: {n} samples, but at least {needs} must be there"
        )


def check_rate(sr: int, *, name: str = "sr") -> int:
    """Return a sampling rate [Hz] as an int (16000.0 is one), or raise ValueError.

    >>> check_rate(44.1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: sr=44.1 is no sampling rate in Hz; it must be a whole number from 1000 to 768000,...
    """
    if not _is_whole(sr, LOWEST_RATE, HIGHEST_RATE):
        raise ValueError(
            f"{name}={sr!r} is no sampling rate in Hz; it must be a whole number "
            f"from {LOWEST_RATE} to {HIGHEST_RATE}, such as 16000"
        )
    return int(sr)


def is_number(value) -> bool:
    """Tell whether something is one real number, of Python or of NumPy, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value, low: float, high: float) -> bool:
    return is_number(value) and low <= value <= high and value == int(value)


def check_positive(value, *, name: str, what: str = "number"):
    """Return a positive finite number, or raise ValueError."""
    if callable(value):
        called = getattr(value, "__name__", "it")
        raise ValueError(f"{name} is a function; call it, as in {name}=S.{called}(): a {what}")
    if not is_number(value) or not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r} must be a positive {what}")
    return value


def check_sr(sr):
    """Return a positive rate [Hz] (any: a drawing may use 20 Hz), or raise ValueError."""
    return check_positive(sr, name="sr", what="sampling rate in Hz, such as 16000")


def check_range(values, *, name: str, low: float, high: float, unit: str) -> np.ndarray:
    """Return real numbers of any shape as float64, or say which lies outside a range.

    >>> check_range([440.0, -1.0], name="freqs", low=0, high=1e9, unit="Hz")
    Traceback (most recent call last):
    ValueError: freqs holds -1 Hz; every value must be a number from 0 to 1e+09 Hz
    """
    values = np.asarray(values)
    if values.size == 0:
        raise ValueError(
            f"{name} is empty; pass at least one number from {low:g} to {high:g} {unit}"
        )
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} holds {values.dtype} values; pass real numbers from {low:g} to {high:g} {unit}"
        )
    # a rounding error beyond is allowed, so that 20 Hz made by a logarithm passes
    inside = (values >= low - 1e-12 * abs(low)) & (values <= high + 1e-12 * abs(high))
    bad = values[~inside]
    if bad.size:
        raise ValueError(
            f"{name} holds {bad[0]:g} {unit}; every value must be a number from {low:g} to "
            f"{high:g} {unit}"
        )
    return values.astype(np.float64)


def check_whole(value, *, name: str, low: int, high: int | None = None, remedy: str) -> int:
    """Return a whole number from `low` to `high` as an int (512.0 is one), or raise ValueError.

    >>> check_whole(0, name="hop_length", low=1, remedy="take 256")
    Traceback (most recent call last):
    ValueError: hop_length=0 must be a whole number, at least 1; take 256
    """
    if not _is_whole(value, low, np.inf if high is None else high):
        limits = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}={value!r} must be a whole number, {limits}; {remedy}")
    return int(value)


def check_name(name, names, *, what: str):
    """Return a name that is one of `names`; else raise an error with the nearest, and with all.

    >>> check_name("violine", ["flute", "violin"], what="clip")
    Traceback (most recent call last):
    ValueError: there is no clip 'violine'; did you mean 'violin'? Choose from flute, violin
    """
    if name not in names:
        known = list(map(str, names))
        near = []
        if isinstance(name, str):
            near = [n for n in known if n.lower() == name.lower()]
            near = near or difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? Choose" if near else "choose"
        raise ValueError(f"there is no {what} {name!r}; {hint} from {', '.join(known)}")
    return name


def restore_hint(*paths: Path) -> str:
    """Return how to get back files that came with the course."""
    files = " ".join(map(display_path, paths))
    return f"get it back with: git checkout -- {files} (in the course's folder)"


def display_path(path: Path) -> str:
    """Return where a file lies in the course; its name alone if it lies elsewhere."""
    if not path.is_relative_to(DATA.parent):
        return path.name
    return path.relative_to(DATA.parent).as_posix()


def checksums() -> dict[str, str]:
    """Return the stated sha256 of files in data/ by their paths; none where the list is missing."""
    path = DATA / "SHA256SUMS"
    if not path.is_file():
        return {}
    return {line[66:]: line[:64] for line in path.read_text("utf-8", "replace").splitlines()}


def read_verified(path: Path, stated: str | None = None) -> bytes:
    """Return what a file of the course holds; refuse it if its sha256 is not the stated one
    (data/SHA256SUMS).
    """
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is missing; {restore_hint(path)}")
    raw = path.read_bytes()
    # ends of lines differ by system
    same = raw.replace(b"\r", b"") if path.suffix in (".csv", ".json") else raw
    wanted = stated or checksums().get(display_path(path).removeprefix("data/"))
    if wanted not in (None, hashlib.sha256(same).hexdigest()):
        remedy = restore_hint(path) if stated else restore_hint(path, DATA / "SHA256SUMS")
        raise ValueError(
            f"{display_path(path)} is damaged: it is not as it came with the course; {remedy}"
        )
    return raw
