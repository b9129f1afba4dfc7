"""How loud a sound is: equal-loudness contours, frequency weightings, sones, and programme
loudness.

- Contours: the three editions of ISO 226, and what was measured before it. Levels of tones are dB
  SPL (re 20 uPa) at the listener's ears, frontal incidence, free field, young people with normal
  hearing. Nothing here knows how loud your headphones play: dBFS is not dB SPL.
- Weightings: A, B, C, D, Z of sound level meters, ITU-R 468 for noise, K for programme loudness. A
  curve is a ratio of polynomials, evaluated at the frequencies you ask for; its printed table
  stands in `data/tables/`, and the tests compare the two.
- Sones, from loudness level in phon and back.
- Programme loudness in LUFS: ITU-R BS.1770, EBU R 128.

Values outside the stated ranges, NaN, empty arrays and unknown names raise ValueError.
"""

import warnings
from functools import cache

import numpy as np

from helpers import audio
from helpers._checks import check, check_name, check_range, check_rate

__all__ = [
    "equal_loudness_contour",
    "historical_contour",
    "integrated_loudness",
    "k_weighting",
    "loudness_level",
    "phon_to_sone",
    "sone_to_phon",
    "weighting",
]


P2 = 4e-10  # (20 uPa) squared
# q, r, c, s of L = (10 / a) lg(q P2^-a (10^(r LN) - c) + 10^(a (T + U) / 10)) - U + s; the table
# has a, U, T
ISO226 = {
    2023: (P2**0.3, 0.03, 10**0.072, 0.0),
    2003: (4.47e-3, 0.025, 1.15, 94 + 10 * np.log10(P2)),
    1987: None,
}
_THIRDS = np.outer([10, 100, 1000, 10000], [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8]).ravel()
FREQS = _THIRDS[3:32]  # 20-12500 Hz


class ValidityWarning(UserWarning):
    """A number was computed outside the range for which its standard is stated."""


# not only the first time; your own filters come before
warnings.simplefilter("always", ValidityWarning, append=True)


def equal_loudness_contour(phon, freqs=None, *, edition: int = 2023) -> np.ndarray:
    r"""Return the sound pressure level that makes a tone as loud as 1 kHz at `phon` dB SPL.

    Between the 29 frequencies of the standard, which sets no rule there, the three parameters are
    interpolated by a cubic spline over log frequency. Leaving each inner frequency out in turn,
    that misses by 0.3 dB rms, 1.1 dB at worst, at 20-80 phon (linear: 0.9 and 3.3 dB; 2003: 0.25
    and 1.0 dB; 1987: 0.5 and 1.9 dB). With all rows in, the threshold meets the six points that ISO
    389-7 has in between within 0.25 dB.

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

    Warns
    -----
    ValidityWarning
        Outside 20-90 phon, above 4 kHz 20-80 phon (ISO 226:2003 and 2023; held to for 1987 too):
        extrapolated.

    Examples
    --------
    >>> equal_loudness_contour(40, [63, 1000, 8000]).round(1)
    array([73. , 40. , 51.6])
    """
    phon = check_range(phon, name="phon", low=0, high=130, unit="phon")
    phon = phon[..., None] if freqs is None else phon
    phon, freqs, (a, b, threshold) = _prepare(phon, freqs, edition)
    _warn_outside(phon, freqs, edition)
    if edition == 1987:
        steps = phon - 4.2
        return threshold + steps / (a - b * steps)
    q, r, c, s = ISO226[edition]
    at_threshold = 10 ** (a * (threshold + b) / 10)
    return 10 / a * np.log10(q * P2**-a * (10 ** (r * phon) - c) + at_threshold) - b + s


def loudness_level(spl_db, freqs, *, edition: int = 2023) -> np.ndarray:
    """Return the loudness level of tones: the exact inverse of `equal_loudness_contour`.

    (ISO 226:2003 prints an inverse with rounded constants, which misses its own contours by up to
    0.06 phon.)

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
    # -1e-16 is rounding, not a level
    phon = np.where(phon > -1e-9, np.maximum(phon, 0), np.nan)[()]
    _warn_outside(phon, freqs, edition)
    return phon


def historical_contour(phon, *, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a contour or threshold that ISO 226 does not hold, as points to draw.

    The two studies are read off a traced figure of 2003: Robinson-Dadson agrees with its own
    formula within 0.9 dB; Fletcher-Munson rests on this one source. ISO 389-7 is the present
    threshold of hearing, free field.

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

    Examples
    --------
    >>> freqs, spl_db = historical_contour(40, source="fletcher_munson_1933")
    >>> float(spl_db[freqs == 100][0])
    61.4
    """
    points = [tuple(row.values())[:4] for row in audio.table("historical_contours_digitised")]
    for row in audio.table("threshold_of_hearing"):
        if row["status_iso389"].startswith("confirmed"):
            spl_db = row["iso389_7_2005_free_field_db"]
            points.append(("iso389_7_2005", "threshold", row["f_hz"], spl_db))
    known = {}  # the levels of each study
    for study, level, *_ in points:
        known.setdefault(study, {})[level] = True
    check_name(source, known, what="source")
    level = str(phon).removesuffix(".0")
    check_name(level, known[source], what=f"contour of {source}")
    return tuple(np.array([p[2:] for p in points if p[:2] == (source, level)], dtype=float).T)


@cache
def _parameters(edition: int):
    """Return a_f, the second parameter (L_U, or b_f in 1987) and T_f as one spline over log
    frequency.
    """
    from scipy.interpolate import CubicSpline  # half a second of import that only contours need

    rows = audio.table("iso226_parameters")
    table = [[float(row[key]) for key in row if f"{edition:g}" in key] for row in rows]
    return CubicSpline(np.log([float(row["f_hz"]) for row in rows]), table)


def _prepare(levels, freqs, edition):
    check_name(edition, ISO226, what="edition")
    freqs = FREQS if freqs is None else freqs
    freqs = check_range(freqs, name="freqs", low=20, high=12500, unit="Hz")
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
            f"{np.size(inside) - np.count_nonzero(inside)} of {np.size(inside)} values lie outside "
            f"20-90 phon (20-80 above 4 kHz), so ISO 226:{edition} does not vouch for them; NaN "
            "marks those without any number",
            ValidityWarning,
            stacklevel=3,
        )


# Poles [Hz] of IEC 61672-1 Annex E, from the -3 dB points 10^1.5 and 10^3.9 Hz of C; A adds two
# around 10^2.45 Hz. B (ANSI S1.4-1983) adds one at 10^2.2 Hz. D is IEC 537:1976, withdrawn, printed
# in rad/s.
_LOW = 20.598997057618316
_HIGH = 12194.217147998012
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
        (
            [1.53512485958697, -2.69169618940638, 1.19839281085285],
            [1, -1.69065929318241, 0.73248077421585],
        ),
        ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621]),
    ],
}


def weighting(freqs, *, curve: str = "A") -> np.ndarray:
    """Return the gain of a frequency weighting.

    A, B, C, D and Z are 0 dB at 1 kHz. 468 is 12.2 dB at 6.3 kHz, the one point without tolerance
    (-0.02 dB at 1 kHz). K is the pair of 48 kHz filters that BS.1770 prints, so it ends at 24 kHz
    (+0.70 dB at 1 kHz).

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

    Examples
    --------
    >>> weighting([100, 1000, 10000]).round(1)
    array([-19.1,   0. ,  -2.5])
    """
    curve = check_name(str(curve), CURVES, what="weighting")
    freqs = check_range(freqs, name="freqs", low=0, high=24000 if curve == "K" else 1e6, unit="Hz")
    if curve == "K":
        return _gain_db(np.exp(2j * np.pi * freqs / 48000), curve)
    fixed, level = (6300, 12.2) if curve == "468" else (1000, 0.0)
    return _gain_db(1j * freqs, curve) - _gain_db(1j * fixed, curve) + level


def _gain_db(x: np.ndarray, curve: str) -> np.ndarray:
    with np.errstate(divide="ignore"):
        stages = [
            20 * np.log10(np.abs(np.polyval(b, x) / np.polyval(a, x))) for b, a in CURVES[curve]
        ]
    return np.sum(stages, axis=0)


def phon_to_sone(phon) -> np.ndarray:
    """Return loudness in sones: twice as many sound twice as loud, 1 sone is 40 phon.

    From 40 phon up 2^((phon - 40) / 10); below, where loudness falls faster, (phon / 40)^(1 / 0.35)
    - 0.0005, not under 0 (ISO 532-1). The two differ by 0.0005 sone at 40 phon; below 2.8 phon all
    is 0 sone.

    Parameters
    ----------
    phon : array_like
        Loudness level [phon], 0 to 130.

    Returns
    -------
    np.ndarray
        Loudness [sone], of the same shape.

    Examples
    --------
    >>> phon_to_sone([30, 40, 50, 60]).round(2)
    array([0.44, 1.  , 2.  , 4.  ])
    """
    phon = check_range(phon, name="phon", low=0, high=130, unit="phon")
    soft = np.maximum((phon / 40) ** (1 / 0.35) - 0.0005, 0)
    return np.where(phon >= 40, 2 ** ((phon - 40) / 10), soft)[()]


def sone_to_phon(sone) -> np.ndarray:
    """Return the loudness level of a loudness in sones: the inverse of `phon_to_sone`; 0 sone gives
    2.8 phon.

    Parameters
    ----------
    sone : array_like
        Loudness [sone], 0 to 512.

    Returns
    -------
    np.ndarray
        Loudness level [phon], of the same shape.

    Examples
    --------
    >>> sone_to_phon([0.5, 1, 4]).round(1)
    array([31.4, 40. , 60. ])
    """
    sone = check_range(sone, name="sone", low=0, high=512, unit="sone")
    # the minimum closes the gap of 0.0005 sone at 40 phon
    soft = np.minimum(40 * (sone + 0.0005) ** 0.35, 40)
    return np.where(sone >= 1, 40 + 10 * np.log2(np.maximum(sone, 1)), soft)[()]


# Front channels count once, surround channels 1.41 times (BS.1770); five channels are L, R, C, Ls,
# Rs, without LFE.
WEIGHTS = {1: [1.0], 2: [1.0] * 2, 3: [1.0] * 3, 5: [1.0, 1.0, 1.0, 1.41, 1.41]}


def k_weighting(sr: int) -> np.ndarray:
    """Return the K-weighting filter of BS.1770 at any rate from 8 kHz: a high shelf (the head),
    then a high-pass.

    The Recommendation prints coefficients for 48 kHz and asks for the same curve at other rates.
    These come from the analogue parameters behind the printed ones by the bilinear transform; it
    bends the curve by 0.03 dB (below 1 kHz) at 192 kHz, by 0.1 dB at 16 kHz and by 0.2 dB at 8 kHz.

    Parameters
    ----------
    sr : int
        Sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (2, 6)
        Second-order sections b0, b1, b2, a0, a1, a2 for `scipy.signal.sosfilt`.

    References
    ----------
    .. [1] ITU-R BS.1770-5, Annex 1, tables 1 and 2.
    .. [2] B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES
       Convention 145, 2018.

    Examples
    --------
    >>> k_weighting(48000)[0].round(6)
    array([ 1.535125, -2.691696,  1.198393,  1.      , -1.690659,  0.732481])
    """
    if check_rate(sr) < 8000:
        raise ValueError(f"sr={sr} is too low for K-weighting; resample to at least 8000 Hz")
    high = 10 ** (3.999843853973347 / 20)  # the shelf's gain, about 4 dB
    band = high**0.4996667741545416
    k = np.tan(np.pi * 1681.974450955533 / sr)
    q = 0.7071752369554196
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    shelf += [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
    k = np.tan(np.pi * 38.13547087602444 / sr)
    q = 0.5003270373238773
    poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    return np.array([np.array(shelf) / shelf[3], [1.0, -2.0, 1.0, *(poles / poles[0])]])


def integrated_loudness(y: np.ndarray, *, sr: int) -> float:
    r"""Return the gated loudness of a whole programme: K-weighting, power in blocks, two gates.

    .. math:: L = -0.691 + 10 \log_{10} \sum_c G_c\, \overline{z_c^2}

    is taken over blocks of 400 ms that start every 100 ms. Blocks below -70 LUFS are left out, then
    those more than 10 LU below the loudness of the rest; the result is the loudness of what
    remains. Samples after the last whole block do not count.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1]; 1, 2, 3 (L, R, C) or 5 (L, R, C, Ls, Rs) channels. Mono counts as
        one front channel, 3.01 LU below the same signal on two.
    sr : int
        Sampling rate [Hz], at least 8000. Below 44.1 kHz the signal is resampled to 48 kHz first,
        so that the filter is the Recommendation's own.

    Returns
    -------
    float
        Loudness [LUFS]; minus infinity when every block is below -70 LUFS.

    See Also
    --------
    pyloudnorm.Meter.integrated_loudness

    References
    ----------
    .. [1] ITU-R BS.1770-5, Annex 1.
    .. [2] EBU Tech 3341, whose test signals the tests synthesise.

    Examples
    --------
    >>> t = np.arange(48000) / 48000
    >>> y = np.sin(2 * np.pi * 997 * t)  # 0 dBFS on one channel
    >>> round(integrated_loudness(y, sr=48000), 2)
    -3.01
    """
    from scipy.signal import sosfilt  # a second of import that only this function needs

    y = np.atleast_2d(check(y)).astype(np.float64)
    if len(y) not in WEIGHTS:
        raise ValueError(
            f"y has {len(y)} channels; pass 1, 2, 3 (L, R, C) or 5 (L, R, C, Ls, Rs; leave the LFE "
            "out)"
        )
    if check_rate(sr) < 8000:
        raise ValueError(f"sr={sr} is too low to tell a loudness; LUFS need at least 8000 Hz")
    if sr < 44100:
        y = audio.resample(y, sr=sr, to=48000)
        sr = 48000
    n_tenths = int(10 * y.shape[-1] / sr + 1e-9)
    edges = np.round(np.arange(n_tenths + 1) * sr / 10).astype(int)  # every 100 ms
    if len(edges) < 5:
        raise ValueError(
            f"y lasts {1000 * y.shape[-1] / sr:.0f} ms; loudness needs at least one block of 400 ms"
        )
    # power in tenths of a second; four neighbours make a block
    squares = np.array(WEIGHTS[len(y)]) @ sosfilt(k_weighting(sr), y) ** 2
    tenths = np.add.reduceat(squares[: edges[-1]], edges[:-1])
    blocks = (tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / (0.4 * sr)
    # the absolute gate, then the relative one: 10 LU below the mean of what is left
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if blocks.size == 0:
        return -np.inf
    return float(-0.691 + 10 * np.log10(np.mean(blocks[blocks > np.mean(blocks) / 10])))
