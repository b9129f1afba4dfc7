"""Frequency weightings: A, B, C, D, Z of sound level meters, ITU-R 468 for noise, K for programme loudness.

A curve is a ratio of polynomials, evaluated at the frequencies you ask for; its printed table stands in
`data/tables/`, and the tests compare the two. `helpers.loudness` passes `weighting` on.
"""

import numpy as np

from helpers.checks import check_range

# Poles [Hz] of IEC 61672-1 Annex E, from the -3 dB points 10^1.5 and 10^3.9 Hz of C; A adds two around 10^2.45 Hz.
# B (ANSI S1.4-1983) adds one at 10^2.2 Hz. D is IEC 537:1976, withdrawn, printed in rad/s.
_LOW, _HIGH = 20.598997057618316, 12194.217147998012
_C = [_LOW, _LOW, _HIGH, _HIGH]
_A = [*_C, (3 - 5**0.5) / 2 * 10**2.45, (3 + 5**0.5) / 2 * 10**2.45]
_D_ZEROS = [0, *-np.roots([1, 6532, 4.0975e7]) / (2 * np.pi)]
_D_POLES = [x / (2 * np.pi) for x in (1776.3, 7288.5, *-np.roots([1, 21514, 3.8836e8]))]
# BS.468-4 as a polynomial in jf, after the circuit that the Recommendation prints
_468 = [4.737338981378384e-24, 1.306612257412824e-19, 2.043828333606125e-15, 2.118150887518656e-11]
_468 += [1.363894795463638e-7, 5.559488023498642e-4, 1]


def _poly(roots) -> np.ndarray:
    return np.poly(-np.asarray(roots)).real


# stages of (numerator, denominator): polynomials in jf [Hz], for K in z at 48 kHz
CURVES = {
    "A": [(_poly([0] * 4), _poly(_A))],
    "B": [(_poly([0] * 3), _poly([*_C, 10**2.2]))],
    "C": [(_poly([0] * 2), _poly(_C))],
    "D": [(_poly(_D_ZEROS), _poly(_D_POLES))],
    "Z": [([1], [1])],
    "468": [([1, 0], _468)],
    "K": [
        ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]),
        ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621]),
    ],
}


def weighting(freqs, *, curve: str = "A") -> np.ndarray:
    """Return the gain of a frequency weighting.

    A, B, C, D and Z are 0 dB at 1 kHz. 468 is 12.2 dB at 6.3 kHz, the one point without tolerance (-0.02 dB at
    1 kHz). K is the pair of 48 kHz filters that BS.1770 prints, so it ends at 24 kHz (+0.70 dB at 1 kHz).

    Parameters
    ----------
    freqs : array_like
        Frequencies [Hz], 0 to 1e6; for K to 24000.
    curve : {"A", "B", "C", "D", "Z", "468", "K"}, default "A"
        IEC 61672-1 (A, C, Z), ANSI S1.4-1983 (B), IEC 537 (D), ITU-R BS.468-4, ITU-R BS.1770.

    Returns
    -------
    np.ndarray
        Gain [dB], of the same shape; minus infinity at 0 Hz, but for Z.

    Raises
    ------
    ValueError
        For a frequency that is negative, NaN or too high, no frequencies, or an unknown curve.

    Examples
    --------
    >>> weighting([100, 1000, 10000]).round(1)
    array([-19.1,   0. ,  -2.5])
    """
    if str(curve) not in CURVES:
        raise ValueError(f"there is no weighting {curve!r}; choose from {', '.join(CURVES)}")
    curve = str(curve)
    freqs = check_range(freqs, name="freqs", low=0, high=24000 if curve == "K" else 1e6, unit="Hz")
    if curve == "K":
        return _gain_db(np.exp(2j * np.pi * freqs / 48000), curve)
    fixed, level = (6300, 12.2) if curve == "468" else (1000, 0.0)
    return _gain_db(1j * freqs, curve) - _gain_db(1j * fixed, curve) + level


def _gain_db(x: np.ndarray, curve: str) -> np.ndarray:
    with np.errstate(divide="ignore"):
        stages = [20 * np.log10(np.abs(np.polyval(b, x) / np.polyval(a, x))) for b, a in CURVES[curve]]
    return np.sum(stages, axis=0)
