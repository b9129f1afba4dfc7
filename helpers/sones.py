"""Loudness in sones, from loudness level in phon and back. NumPy only; `helpers.loudness` passes the names on."""

import numpy as np

from helpers.checks import check_range


def phon_to_sone(phon) -> np.ndarray:
    """Return loudness in sones: twice as many sound twice as loud, 1 sone is 40 phon.

    From 40 phon up 2^((phon - 40) / 10); below, where loudness falls faster, (phon / 40)^(1 / 0.35) - 0.0005, not
    under 0 (ISO 532-1). The two differ by 0.0005 sone at 40 phon; below 2.8 phon all is 0 sone.

    Parameters
    ----------
    phon : array_like
        Loudness level [phon], 0 to 130.

    Returns
    -------
    np.ndarray
        Loudness [sone], of the same shape.

    Raises
    ------
    ValueError
        For a negative, NaN or absent level, or one above 130 phon.

    Examples
    --------
    >>> phon_to_sone([30, 40, 50, 60]).round(2)
    array([0.44, 1.  , 2.  , 4.  ])
    """
    phon = check_range(phon, name="phon", low=0, high=130, unit="phon")
    return np.where(phon >= 40, 2 ** ((phon - 40) / 10), np.maximum((phon / 40) ** (1 / 0.35) - 0.0005, 0))[()]


def sone_to_phon(sone) -> np.ndarray:
    """Return the loudness level of a loudness in sones: the inverse of `phon_to_sone`; 0 sone gives 2.8 phon.

    Parameters
    ----------
    sone : array_like
        Loudness [sone], 0 to 512.

    Returns
    -------
    np.ndarray
        Loudness level [phon], of the same shape.

    Raises
    ------
    ValueError
        For a negative, NaN or absent loudness, or one above 512 sone.

    Examples
    --------
    >>> sone_to_phon([0.5, 1, 4]).round(1)
    array([31.4, 40. , 60. ])
    """
    sone = check_range(sone, name="sone", low=0, high=512, unit="sone")
    soft = np.minimum(40 * (sone + 0.0005) ** 0.35, 40)  # the minimum closes the gap of 0.0005 sone at 40 phon
    return np.where(sone >= 1, 40 + 10 * np.log2(np.maximum(sone, 1)), soft)[()]
