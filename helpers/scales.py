"""The formulas of the pitch scales and their inverses, on float64 arrays that are already checked.

`helpers.pitch` is the room to enter; it says where each formula comes from.
"""

import numpy as np

TOP = 1e9  # Hz; far beyond hearing, so that every scale has an end


def _log(size, corner):
    return lambda f: size * np.log1p(f / corner), lambda v: corner * np.expm1(v / size)


def _slaney(f):
    return np.where(f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4))


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
    return _traunmuller_back(z + 0.15 / 0.85 * np.minimum(z - 2, 0) - 0.22 / 1.22 * np.maximum(z - 20.1, 0))


def _zwicker(f):
    return 13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2)


def _zwicker_back(z):
    low, high = np.zeros_like(z), np.full_like(z, TOP)
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
