"""How loud a sound is: programme loudness in LUFS (ITU-R BS.1770, EBU R 128); contours, weightings and sones.

The last three live in `helpers.contours`, `helpers.weightings` and `helpers.sones`, and are reached from here too.
"""

import numpy as np

from helpers.checks import check, check_rate
from helpers.contours import equal_loudness_contour, historical_contour, loudness_level
from helpers.files import resample
from helpers.sones import phon_to_sone, sone_to_phon
from helpers.weightings import weighting

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

# Front channels count once, surround channels 1.41 times (BS.1770); five channels are L, R, C, Ls, Rs, without LFE.
WEIGHTS = {1: [1.0], 2: [1.0] * 2, 3: [1.0] * 3, 5: [1.0, 1.0, 1.0, 1.41, 1.41]}


def k_weighting(sr: int) -> np.ndarray:
    """Return the K-weighting filter of BS.1770 at any rate from 8 kHz: a high shelf (the head), then a high-pass.

    The Recommendation prints coefficients for 48 kHz and asks for the same curve at other rates. These come from the
    analogue parameters behind the printed ones by the bilinear transform; it bends the curve by 0.03 dB (below 1 kHz)
    at 192 kHz, by 0.1 dB at 16 kHz and by 0.2 dB at 8 kHz.

    Parameters
    ----------
    sr : int
        Sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (2, 6)
        Second-order sections b0, b1, b2, a0, a1, a2 for `scipy.signal.sosfilt`.

    Raises
    ------
    ValueError
        If `sr` is below 8000 Hz.

    References
    ----------
    .. [1] ITU-R BS.1770-5, Annex 1, tables 1 and 2.
    .. [2] B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES Convention 145, 2018.

    Examples
    --------
    >>> k_weighting(48000)[0].round(6)
    array([ 1.535125, -2.691696,  1.198393,  1.      , -1.690659,  0.732481])
    """
    if check_rate(sr) < 8000:
        raise ValueError(f"sr={sr} is too low for K-weighting; resample to at least 8000 Hz")
    high = 10 ** (3.999843853973347 / 20)  # the shelf's gain, about 4 dB
    band = high**0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / sr), 0.7071752369554196
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    shelf += [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
    k, q = np.tan(np.pi * 38.13547087602444 / sr), 0.5003270373238773
    poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    return np.array([np.array(shelf) / shelf[3], [1.0, -2.0, 1.0, *(poles / poles[0])]])


def integrated_loudness(y: np.ndarray, *, sr: int) -> float:
    r"""Return the gated loudness of a whole programme: K-weighting, power in blocks, two gates.

    .. math:: L = -0.691 + 10 \log_{10} \sum_c G_c\, \overline{z_c^2}

    is taken over blocks of 400 ms that start every 100 ms. Blocks below -70 LUFS are left out, then those more than
    10 LU below the loudness of the rest; the result is the loudness of what remains. Samples after the last whole
    block do not count.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1]; 1, 2, 3 (L, R, C) or 5 (L, R, C, Ls, Rs) channels. Mono counts as one front channel,
        3.01 LU below the same signal on two.
    sr : int
        Sampling rate [Hz], at least 8000. Below 44.1 kHz the signal is resampled to 48 kHz first, so that the filter
        is the Recommendation's own.

    Returns
    -------
    float
        Loudness [LUFS]; minus infinity when every block is below -70 LUFS.

    Raises
    ------
    ValueError
        If `y` lasts less than 0.4 s or has another number of channels.

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
    >>> round(integrated_loudness(np.sin(2 * np.pi * 997 * t), sr=48000), 2)  # 0 dBFS on one channel
    -3.01
    """
    from scipy.signal import sosfilt  # a second of import that only this function needs

    y = np.atleast_2d(check(y)).astype(np.float64)
    if len(y) not in WEIGHTS:
        raise ValueError(f"y has {len(y)} channels; pass 1, 2, 3 (L, R, C) or 5 (L, R, C, Ls, Rs; leave the LFE out)")
    if check_rate(sr) < 8000:
        raise ValueError(f"sr={sr} is too low to tell a loudness; LUFS need at least 8000 Hz")
    if sr < 44100:
        y, sr = resample(y, sr=sr, to=48000), 48000
    edges = np.round(np.arange(int(10 * y.shape[-1] / sr + 1e-9) + 1) * sr / 10).astype(int)  # every 100 ms
    if len(edges) < 5:
        raise ValueError(f"y lasts {1000 * y.shape[-1] / sr:.0f} ms; loudness needs at least one block of 400 ms")
    squares = np.array(WEIGHTS[len(y)]) @ sosfilt(k_weighting(sr), y) ** 2
    tenths = np.add.reduceat(squares[: edges[-1]], edges[:-1])
    blocks = (tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / (0.4 * sr)
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if blocks.size == 0:
        return -np.inf
    return float(-0.691 + 10 * np.log10(np.mean(blocks[blocks > np.mean(blocks) / 10])))
