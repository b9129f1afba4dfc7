"""Ask, with NumPy alone: is this audio, is that a sampling rate, is this file as it came with the
course.
"""

import difflib
import hashlib
from pathlib import Path

import numpy as np

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
DATA = Path(__file__).resolve().parent.parent / "data"  # the repository's data folder


def check(y: np.ndarray, *, name: str = "y", min_samples: int = 1) -> np.ndarray:
    """Return `y` as a float array of shape (n,) or (channels, n), or say what is wrong with it.

    Parameters
    ----------
    y : array_like, shape (n,) or (channels, n)
        Signal [full scale = 1]. float32 and float64 are kept as they are (no copy), other floats
        become one of them.
    name : str, default "y"
        What the error message calls the signal.
    min_samples : int, default 1
        Fewest samples accepted on the time axis.

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        The same samples, float32 or float64, all finite. Values beyond +-1 are allowed.

    Raises
    ------
    ValueError
        If `y` holds integers, booleans, complex numbers or text, is not finite, has another shape,
        has time on the first axis, or is too short.

    Examples
    --------
    >>> check([0.0, 0.5]).dtype
    dtype('float64')
    >>> check(np.array([0, 16384], dtype=np.int16))
    Traceback (most recent call last):
    ValueError: y holds int16 numbers, but full scale must be 1.0; divide: y / 32768
    """
    y = np.asarray(y)
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


def _check_shape(y: np.ndarray, name: str, min_samples: int) -> None:
    if y.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {y.shape}; pass (n,) for mono or (channels, n)")
    n = y.shape[-1]
    if y.ndim == 2 and y.shape[0] > max(n, 1):
        raise ValueError(
            f"{name} has shape {y.shape}, so time is on the first axis; pass {name}.T, (channels, "
            "n)"
        )
    if y.size == 0 or n < min_samples:
        needs = "one sample" if min_samples <= 1 else f"{min_samples} samples"
        raise ValueError(
            f"{name} has shape {y.shape}: {n} samples, but at least {needs} must be there"
        )


def check_rate(sr: int, *, name: str = "sr") -> int:
    """Return a sampling rate as an int, or say what is wrong with it.

    Parameters
    ----------
    sr : int
        Sampling rate [Hz]; a float such as 16000.0 is accepted when it is whole.
    name : str, default "sr"
        What the error message calls the rate.

    Returns
    -------
    int
        The rate [Hz], between 1000 and 768000.

    Raises
    ------
    ValueError
        If `sr` is no whole number of hertz between 1000 and 768000.

    Examples
    --------
    >>> check_rate(16000.0)
    16000
    >>> check_rate(44.1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: sr=44.1 is no sampling rate in Hz; it must be a whole number from 1000 to 768000,...
    """
    number = isinstance(sr, int | float | np.integer | np.floating) and not isinstance(sr, bool)
    if not number or not LOWEST_RATE <= sr <= HIGHEST_RATE or sr != int(sr):
        raise ValueError(
            f"{name}={sr!r} is no sampling rate in Hz; it must be a whole number "
            f"from {LOWEST_RATE} to {HIGHEST_RATE}, such as 16000"
        )
    return int(sr)


def check_range(values, *, name: str, low: float, high: float, unit: str) -> np.ndarray:
    """Return numbers as float64, or say which of them lies outside the range that makes sense.

    Parameters
    ----------
    values : array_like
        Real numbers, any shape.
    name, unit : str
        What the error message calls them, and what they are counted in.
    low, high : float
        The range, both ends included (and a rounding error beyond, so that 20 Hz made by a
        logarithm passes).

    Returns
    -------
    np.ndarray
        The same numbers, float64, of the same shape.

    Raises
    ------
    ValueError
        If there are none, or one is NaN, outside the range or no real number.

    Examples
    --------
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
    slack = 1e-12 * np.abs([low, high])
    bad = values[~((values >= low - slack[0]) & (values <= high + slack[1]))]
    if bad.size:
        raise ValueError(
            f"{name} holds {bad[0]:g} {unit}; every value must be a number from {low:g} to "
            f"{high:g} {unit}"
        )
    return values.astype(np.float64)


def check_whole(value, *, name: str, low: int, high: int | None = None, remedy: str) -> int:
    """Return a whole number as an int, or say what is wrong with it.

    Parameters
    ----------
    value : int
        The number; a float such as 512.0 is accepted when it is whole.
    name, remedy : str
        What the error message calls it, and what it tells the reader to do.
    low, high : int
        The range, both ends included; without `high` it has no upper end.

    Returns
    -------
    int
        The same number.

    Raises
    ------
    ValueError
        If it is no whole number in that range.

    Examples
    --------
    >>> check_whole(0, name="hop_length", low=1, remedy="take 256")
    Traceback (most recent call last):
    ValueError: hop_length=0 must be a whole number, at least 1; take 256
    """
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(
        value, bool
    )
    if not number or not low <= value <= (np.inf if high is None else high) or value != int(value):
        limits = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}={value!r} must be a whole number, {limits}; {remedy}")
    return int(value)


def check_name(name, names, *, what: str) -> None:
    """Raise an error if there is no such name, with the nearest one and all there are.

    Parameters
    ----------
    name : object
        What was asked for.
    names : iterable of str
        What there is.
    what : str
        What it is a name of.

    Raises
    ------
    ValueError
        If `name` is none of `names`.

    Examples
    --------
    >>> check_name("violine", ["flute", "violin"], what="clip")
    Traceback (most recent call last):
    ValueError: there is no clip 'violine'; did you mean 'violin'? There are flute, violin
    """
    names = list(names)
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no {what} {name!r}; {hint}There are {', '.join(names)}")


def again(*paths: Path) -> str:
    """Return how to get back files that came with the course."""
    return (
        f"get it back with: git checkout -- {' '.join(map(place, paths))} (in the course's folder)"
    )


def place(path: Path) -> str:
    """Return where a file lies in the course; its name alone if it lies elsewhere."""
    return (
        path.relative_to(DATA.parent).as_posix() if path.is_relative_to(DATA.parent) else path.name
    )


def sums() -> dict[str, str]:
    """Return the stated sha256 of files by their places in data/; none where the list is
    missing.
    """
    path = DATA / "SHA256SUMS"
    return (
        {line[66:]: line[:64] for line in path.read_text("utf-8", "replace").splitlines()}
        if path.is_file()
        else {}
    )


def whole(path: Path, stated: str | None = None) -> bytes:
    """Return what a file of the course holds; refuse it if its sha256 is not the stated one
    (data/SHA256SUMS).
    """
    if not path.is_file():
        raise FileNotFoundError(f"{place(path)} is missing; {again(path)}")
    raw, listed = path.read_bytes(), sums().get(place(path).removeprefix("data/"))
    same = (
        raw.replace(b"\r", b"") if path.suffix in (".csv", ".json") else raw
    )  # ends of lines differ by system
    if (stated or listed) not in (None, hashlib.sha256(same).hexdigest()):
        remedy = again(path) if stated else again(path, DATA / "SHA256SUMS")
        raise ValueError(
            f"{place(path)} is damaged: it is not as it came with the course; {remedy}"
        )
    return raw
