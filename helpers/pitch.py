"""Pitch scales: mel, Bark, ERB-rate, semitones, and back to hertz.

Arrays of any shape go in, float64 of the same shape comes out. Frequencies run from 0 to 1e9 Hz: a
scale knows no sampling rate, so no frequency is beyond Nyquist here. Negative, NaN and infinite
values, empty arrays, values that no frequency has on a scale, and unknown variants raise
ValueError, which names the valid choices.
"""

import numpy as np

from helpers._checks import check_name, check_range

TOP = 1e9  # Hz; far beyond hearing, so that every scale has an end


def _log(size, corner):
    return lambda f: size * np.log1p(f / corner), lambda v: corner * np.expm1(v / size)


def _slaney(f):
    return np.where(
        f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4)
    )


def _slaney_back(m):
    return np.where(m < 15, 200 * m / 3, 1000 * 6.4 ** ((np.maximum(m, 15) - 15) / 27))


def _traunmuller(f):
    return 26.81 * f / (1960 + f) - 0.53


def _traunmuller_back(z):
    return 1960 * (z + 0.53) / (26.28 - z)


def _corrected(f):
    z = _traunmuller(f)
    return z + 0.15 * np.maximum(2 - z, 0) + 0.22 * np.maximum(z - 20.1, 0)


def _corrected_back(z):
    return _traunmuller_back(
        z + 0.15 / 0.85 * np.minimum(z - 2, 0) - 0.22 / 1.22 * np.maximum(z - 20.1, 0)
    )


def _zwicker(f):
    return 13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2)


def _zwicker_back(z):
    low = np.zeros_like(z)
    high = np.full_like(z, TOP)
    for _ in range(100):  # down to the spacing of floats
        middle = (low + high) / 2
        low, high = np.where(_zwicker(middle) < z, (middle, high), (low, middle))
    return (low + high) / 2


SCALES = {  # unit and variant: from hertz, back to hertz
    "mel": {
        "htk": _log(2595 / np.log(10), 700),
        "slaney": (_slaney, _slaney_back),
        "fant": _log(1000 / np.log(2), 1000),
    },
    "Bark": {
        "traunmuller": (_corrected, _corrected_back),
        "zwicker": (_zwicker, _zwicker_back),
        "wang": (lambda f: 6 * np.arcsinh(f / 600), lambda z: 600 * np.sinh(z / 6)),
        "traunmuller_uncorrected": (_traunmuller, _traunmuller_back),
    },
    "Cam": {"glasberg_moore": _log(21.4 / np.log(10), 1 / 0.00437)},
}


def hz_to_mel(freqs, *, variant: str = "htk") -> np.ndarray:
    """Return frequencies in mel. There are several mels; mixing them is a common error.

    Parameters
    ----------
    freqs : array_like
        Frequencies [Hz].
    variant : {"htk", "slaney", "fant"}, default "htk"
        2595 lg(1 + f/700) (O'Shaughnessy 1987); linear up to 15 at 1 kHz, then 27 to a factor of
        6.4 (Slaney 1998, librosa's default); 1000 log2(1 + f/1000) (Fant 1968).

    Returns
    -------
    np.ndarray
        Pitch [mel].

    Examples
    --------
    >>> hz_to_mel([100, 1000]).round(2)
    array([150.49, 999.99])
    """
    return _to(freqs, "mel", variant)


def mel_to_hz(mel, *, variant: str = "htk") -> np.ndarray:
    """Invert `hz_to_mel`.

    Parameters
    ----------
    mel : array_like
        Pitch [mel].
    variant : {"htk", "slaney", "fant"}, default "htk"
        Which mel.

    Returns
    -------
    np.ndarray
        Frequencies [Hz].
    """
    return _back(mel, "mel", variant)


def hz_to_bark(freqs, *, variant: str = "traunmuller") -> np.ndarray:
    """Return frequencies in Bark, the number of critical bands below them.

    Parameters
    ----------
    freqs : array_like
        Frequencies [Hz].
    variant : {"traunmuller", "zwicker", "wang", "traunmuller_uncorrected"}, default "traunmuller"
        Traunmueller 1990, corrected below 2 and above 20.1 Bark; Zwicker and Terhardt 1980; Wang,
        Sekey and Gersho 1992, 6 arsinh(f/600); 26.81 f/(1960 + f) - 0.53 alone. Traunmueller's are
        negative near 0 Hz.

    Returns
    -------
    np.ndarray
        Critical-band rate [Bark].

    Examples
    --------
    >>> hz_to_bark([100, 1000, 10000]).round(2)
    array([ 0.96,  8.53, 22.28])
    """
    return _to(freqs, "Bark", variant)


def bark_to_hz(bark, *, variant: str = "traunmuller") -> np.ndarray:
    """Invert `hz_to_bark`; "zwicker" has no closed inverse, so bisection finds it.

    Parameters
    ----------
    bark : array_like
        Critical-band rate [Bark].
    variant : {"traunmuller", "zwicker", "wang", "traunmuller_uncorrected"}, default "traunmuller"
        Which Bark.

    Returns
    -------
    np.ndarray
        Frequencies [Hz].
    """
    return _back(bark, "Bark", variant)


def hz_to_erb_rate(freqs) -> np.ndarray:
    """Return frequencies as ERB-rate 21.4 lg(1 + 0.00437 f), the number of auditory filters below
    them.

    Parameters
    ----------
    freqs : array_like
        Frequencies [Hz].

    Returns
    -------
    np.ndarray
        ERB-rate [Cam] (Glasberg and Moore 1990).

    Examples
    --------
    >>> hz_to_erb_rate([100, 1000]).round(2)
    array([ 3.37, 15.62])
    """
    return _to(freqs, "Cam", "glasberg_moore")


def erb_rate_to_hz(erb_rate) -> np.ndarray:
    """Invert `hz_to_erb_rate`.

    Parameters
    ----------
    erb_rate : array_like
        ERB-rate [Cam].

    Returns
    -------
    np.ndarray
        Frequencies [Hz].
    """
    return _back(erb_rate, "Cam", "glasberg_moore")


def erb_bandwidth(freqs) -> np.ndarray:
    """Return the equivalent rectangular bandwidth of the auditory filter, 24.7 (1 + 0.00437 f).

    Parameters
    ----------
    freqs : array_like
        Centre frequencies [Hz].

    Returns
    -------
    np.ndarray
        Bandwidths [Hz] (Glasberg and Moore 1990).

    Examples
    --------
    >>> erb_bandwidth([100, 1000, 10000]).round(1)
    array([  35.5,  132.6, 1104.1])
    """
    return 24.7 * (1 + 0.00437 * _hz(freqs))


def hz_to_semitones(freqs, *, ref: float = 440.0) -> np.ndarray:
    """Return the distance from `ref` in semitones, 12 to the octave; 100 cents are one.

    Parameters
    ----------
    freqs : array_like
        Frequencies [Hz]; 0 Hz lies infinitely far below and is refused.
    ref : float, default 440.0
        The frequency at 0 [Hz].

    Returns
    -------
    np.ndarray
        Semitones, negative below `ref`.

    Examples
    --------
    >>> hz_to_semitones([220, 440, 660]).round(2)
    array([-12.  ,   0.  ,   7.02])
    """
    return 12 * np.log2(_hz(freqs, 1 / TOP) / _hz(ref, 1 / TOP, "ref"))


def semitones_to_hz(semitones, *, ref: float = 440.0) -> np.ndarray:
    """Invert `hz_to_semitones`.

    Parameters
    ----------
    semitones : array_like
        Distances from `ref`, up to 60 octaves either way.
    ref : float, default 440.0
        The frequency at 0 [Hz].

    Returns
    -------
    np.ndarray
        Frequencies [Hz].
    """
    values = check_range(semitones, name="semitones", low=-720, high=720, unit="semitones")
    return _hz(ref, 1 / TOP, "ref") * 2 ** (values / 12)


def _hz(freqs, low=0.0, name="freqs") -> np.ndarray:
    return check_range(freqs, name=name, low=low, high=TOP, unit="Hz")


def _pair(unit: str, variant: str):
    return SCALES[unit][check_name(variant, SCALES[unit], what=f"{unit} variant")]


def _to(freqs, unit: str, variant: str) -> np.ndarray:
    return _pair(unit, variant)[0](_hz(freqs))[()]


def _back(values, unit: str, variant: str) -> np.ndarray:
    to, back = _pair(unit, variant)
    low, high = to(np.array([0.0, TOP]))
    values = check_range(values, name="values", low=low, high=high, unit=unit)
    return np.clip(back(values), 0, TOP)[()]
