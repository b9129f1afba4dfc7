"""Equal-loudness contours: the three editions of ISO 226, and what was measured before it.

Levels of tones are dB SPL (re 20 uPa) at the listener's ears, frontal incidence, free field, young people with normal
hearing. Nothing here knows how loud your headphones play: dBFS is not dB SPL. Tables and their status: `data/tables/`.
"""

import csv
import io
import warnings
from functools import cache

import numpy as np

from helpers.checks import DATA, check_range, whole

P2 = 4e-10  # (20 uPa) squared
# q, r, c, s of L = (10 / a) lg(q P2^-a (10^(r LN) - c) + 10^(a (T + U) / 10)) - U + s; the table has a, U, T
ISO226 = {2023: (P2**0.3, 0.03, 10**0.072, 0.0), 2003: (4.47e-3, 0.025, 1.15, 94 + 10 * np.log10(P2)), 1987: None}
FREQS = np.outer([10, 100, 1000, 10000], [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8]).ravel()[3:32]  # 20-12500 Hz


class ValidityWarning(UserWarning):
    """A number was computed outside the range for which its standard is stated."""


warnings.simplefilter("always", ValidityWarning, append=True)  # not only the first time; your own filters come before


def equal_loudness_contour(phon, freqs=None, *, edition: int = 2023) -> np.ndarray:
    r"""Return the sound pressure level that makes a tone as loud as 1 kHz at `phon` dB SPL.

    Between the 29 frequencies of the standard, which sets no rule there, the three parameters are interpolated by a
    cubic spline over log frequency. Leaving each inner frequency out in turn, that misses by 0.3 dB rms, 1.1 dB at
    worst, at 20-80 phon (linear: 0.9 and 3.3 dB; 2003: 0.25 and 1.0 dB; 1987: 0.5 and 1.9 dB). With all rows in,
    the threshold meets the six points that ISO 389-7 has in between within 0.25 dB.

    Parameters
    ----------
    phon : array_like
        Loudness level [phon], 0 to 130.
    freqs : array_like, optional
        Frequencies [Hz], 20 to 12500, of a shape that broadcasts with `phon`. By default `FREQS`.
    edition : {2023, 2003, 1987}, default 2023
        Edition of ISO 226.

    Returns
    -------
    np.ndarray
        Level [dB SPL], in the broadcast shape; without `freqs`, shape (\*phon.shape, 29).

    Raises
    ------
    ValueError
        For a frequency outside 20-12500 Hz, a `phon` outside 0-130, NaN, no values, or an unknown edition.

    Warns
    -----
    ValidityWarning
        Outside 20-90 phon, above 4 kHz 20-80 phon (ISO 226:2003 and 2023; held to for 1987 too): extrapolated.

    Examples
    --------
    >>> equal_loudness_contour(40, [63, 1000, 8000]).round(1)
    array([73. , 40. , 51.6])
    """
    phon = check_range(phon, name="phon", low=0, high=130, unit="phon")
    phon, freqs, (a, b, threshold) = _prepare(phon[..., None] if freqs is None else phon, freqs, edition)
    _warn_outside(phon, freqs, edition)
    if edition == 1987:
        steps = phon - 4.2
        return threshold + steps / (a - b * steps)
    q, r, c, s = ISO226[edition]
    return 10 / a * np.log10(q * P2**-a * (10 ** (r * phon) - c) + 10 ** (a * (threshold + b) / 10)) - b + s


def loudness_level(spl_db, freqs, *, edition: int = 2023) -> np.ndarray:
    """Return the loudness level of tones: the exact inverse of `equal_loudness_contour`.

    (ISO 226:2003 prints an inverse with rounded constants, which misses its own contours by up to 0.06 phon.)

    Parameters
    ----------
    spl_db : array_like
        Level [dB SPL], -100 to 200.
    freqs : array_like
        Frequencies [Hz], 20 to 12500, of a shape that broadcasts with `spl_db`.
    edition : {2023, 2003, 1987}, default 2023
        Edition of ISO 226.

    Returns
    -------
    np.ndarray
        Loudness level [phon], in the broadcast shape; NaN where it would be negative.

    Raises
    ------
    ValueError
        For a frequency outside 20-12500 Hz, a level outside -100 to 200 dB, NaN, no values, or an unknown
        edition.

    Warns
    -----
    ValidityWarning
        Where the result lies outside 20-90 phon, above 4 kHz 20-80 phon, or there is none.

    Examples
    --------
    >>> loudness_level(70, [63, 1000]).round(1)
    array([35.6, 70. ])
    """
    spl_db = check_range(spl_db, name="spl_db", low=-100, high=200, unit="dB")
    spl_db, freqs, (a, b, threshold) = _prepare(spl_db, freqs, edition)
    if edition == 1987:
        phon = 4.2 + a * (spl_db - threshold) / (1 + b * (spl_db - threshold))
    else:
        q, r, c, s = ISO226[edition]
        above = 10 ** (a * (spl_db + b - s) / 10) - 10 ** (a * (threshold + b) / 10)
        with np.errstate(invalid="ignore", divide="ignore"):
            phon = np.log10(above / (q * P2**-a) + c) / r
    phon = np.where(phon > -1e-9, np.maximum(phon, 0), np.nan)[()]  # -1e-16 is rounding, not a level
    _warn_outside(phon, freqs, edition)
    return phon


def historical_contour(phon, *, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a contour or threshold that ISO 226 does not hold, as points to draw.

    The two studies are read off a traced figure of 2003: Robinson-Dadson agrees with its own formula within 0.9 dB;
    Fletcher-Munson rests on this one source. ISO 389-7 is the present threshold of hearing, free field.

    Parameters
    ----------
    phon : {"threshold", 20, 40, 60, 80, 100}
        Loudness level [phon]; ISO 389-7 has "threshold" only.
    source : {"robinson_dadson_1956", "fletcher_munson_1933", "iso389_7_2005"}
        Where the points come from.

    Returns
    -------
    freqs, spl_db : np.ndarray, shape (n,)
        Frequencies [Hz], from 20 or 25 to 15000 or 16000; levels [dB SPL].

    Raises
    ------
    ValueError
        For another `phon` or `source`.

    Examples
    --------
    >>> freqs, spl_db = historical_contour(40, source="fletcher_munson_1933")
    >>> float(spl_db[freqs == 100][0])
    61.4
    """
    points = [tuple(row.values())[:4] for row in _rows("historical_contours_digitised")]
    for row in _rows("threshold_of_hearing"):
        if row["status_iso389"].startswith("confirmed"):
            points.append(("iso389_7_2005", "threshold", row["f_hz"], row["iso389_7_2005_free_field_db"]))
    known = {study: list(dict.fromkeys(p[1] for p in points if p[0] == study)) for study, *_ in points}
    if source not in known:
        raise ValueError(f"there is no source {source!r}; choose from {', '.join(map(repr, known))}")
    level = str(phon).removesuffix(".0")
    if level not in known[source]:
        raise ValueError(f"{source} has no contour {phon!r}; choose from {', '.join(known[source])}")
    return tuple(np.array([p[2:] for p in points if p[:2] == (source, level)], dtype=float).T)


def _rows(name: str) -> list[dict]:
    table = whole(DATA / "tables" / f"{name}.csv").decode("utf-8")
    return list(csv.DictReader(io.StringIO(table, newline="")))


@cache
def _parameters(edition: int):
    """Return a_f, the second parameter (L_U, or b_f in 1987) and T_f as one spline over log frequency."""
    from scipy.interpolate import CubicSpline  # half a second of import that only contours need

    rows = _rows("iso226_parameters")
    table = [[float(row[key]) for key in row if f"{edition:g}" in key] for row in rows]
    return CubicSpline(np.log([float(row["f_hz"]) for row in rows]), table)


def _prepare(levels, freqs, edition):
    if edition not in ISO226:
        raise ValueError(f"there is no edition {edition!r} of ISO 226; choose from {', '.join(map(str, ISO226))}")
    freqs = check_range(FREQS if freqs is None else freqs, name="freqs", low=20, high=12500, unit="Hz")
    try:
        levels, freqs = np.broadcast_arrays(levels, freqs)
    except ValueError:
        raise ValueError(
            f"levels of shape {levels.shape} and freqs of shape {freqs.shape} do not go together; "
            "for one row per level give the levels a last axis: levels[:, None]"
        ) from None
    return levels, freqs, np.moveaxis(_parameters(edition)(np.log(freqs)), -1, 0)


def _warn_outside(phon, freqs, edition) -> None:
    slack = 1e-6  # rounding on the way to a limit and back is no excursion
    inside = (phon >= 20 - slack) & (phon <= np.where(freqs <= 4000, 90, 80) + slack)
    if not np.all(inside):
        warnings.warn(
            f"{np.size(inside) - np.count_nonzero(inside)} of {np.size(inside)} values lie outside 20-90 phon (20-80 "
            f"above 4 kHz), so ISO 226:{edition} does not vouch for them; NaN marks those without any number",
            ValidityWarning,
            stacklevel=3,
        )
