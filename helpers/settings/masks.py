"""Ideal (oracle) masks, computed from clean speech and noise: how good Setting 1 could be, if its
model were perfect.

All take the STFT of the speech and of the noise, two arrays of one shape, and give values from 0 to
1 for the STFT of their sum.
"""

import numpy as np

__all__ = ["amplitude_mask", "binary_mask", "phase_sensitive_mask", "ratio_mask"]

TINY = 1e-12  # keeps 0 / 0 at 0


def binary_mask(S, N, *, threshold_db: float = 0.0) -> np.ndarray:
    """Return 1 where the speech is louder than the noise, else 0.

    Parameters
    ----------
    S, N : np.ndarray, shape (..., n_freq, n_frames)
        STFT of speech and of noise.
    threshold_db : float, default 0.0
        By how much it has to be louder [dB].

    Returns
    -------
    np.ndarray
        Mask of the same shape.

    References
    ----------
    .. [1] D. Wang, "On ideal binary mask as the computational goal of auditory scene analysis", in
       Speech Separation by Humans and Machines, 2005.

    Examples
    --------
    >>> binary_mask(np.array([[2.0], [1.0]]), np.array([[1.0], [2.0]])).ravel()
    array([1., 0.])
    """
    S, N = _pair(S, N)
    return (np.abs(S) > 10 ** (threshold_db / 20) * np.abs(N)).astype(np.float64)


def ratio_mask(S, N) -> np.ndarray:
    r"""Return :math:`\sqrt{|S|^2 / (|S|^2 + |N|^2)}`.

    Parameters
    ----------
    S, N : np.ndarray, shape (..., n_freq, n_frames)
        STFT of speech and of noise.

    Returns
    -------
    np.ndarray
        Mask of the same shape.

    References
    ----------
    .. [1] Y. Wang, A. Narayanan and D. Wang, "On training targets for supervised speech
       separation", IEEE/ACM Trans. Audio Speech Lang. Process. 22(12), 2014.

    Examples
    --------
    >>> ratio_mask(np.array([[3.0]]), np.array([[4.0]])).item()
    0.6
    """
    S, N = _pair(S, N)
    power = np.abs(S) ** 2
    return np.sqrt(power / np.maximum(power + np.abs(N) ** 2, TINY))


def amplitude_mask(S, N) -> np.ndarray:
    r"""Return :math:`\min(1, |S| / |S + N|)`: the true magnitude, where it is not above that of the
    mixture.

    Parameters
    ----------
    S, N : np.ndarray, shape (..., n_freq, n_frames)
        STFT of speech and of noise.

    Returns
    -------
    np.ndarray
        Mask of the same shape.

    Examples
    --------
    >>> amplitude_mask(np.array([[1.0], [1.0]]), np.array([[1.0], [-0.5]])).ravel()
    array([0.5, 1. ])
    """
    S, N = _pair(S, N)
    return np.minimum(1, np.abs(S) / np.maximum(np.abs(S + N), TINY))


def phase_sensitive_mask(S, N) -> np.ndarray:
    r"""Return :math:`\Re(S / (S + N))`, cut to 0 to 1: of all real masks the one nearest to the
    speech.

    It is the amplitude mask times the cosine of the angle by which the phase of the mixture is
    wrong.

    Parameters
    ----------
    S, N : np.ndarray, shape (..., n_freq, n_frames)
        STFT of speech and of noise.

    Returns
    -------
    np.ndarray
        Mask of the same shape.

    References
    ----------
    .. [1] H. Erdogan, J. R. Hershey, S. Watanabe and J. Le Roux, "Phase-sensitive and
       recognition-boosted speech separation using deep recurrent neural networks", ICASSP 2015.

    Examples
    --------
    >>> phase_sensitive_mask(np.array([[1.0], [1.0]]), np.array([[1j], [-2.0]])).ravel()
    array([0.5, 0. ])
    """
    S, N = _pair(S, N)
    X = S + N
    return np.clip(np.real(S * np.conj(X)) / np.maximum(np.abs(X) ** 2, TINY), 0, 1)


def _pair(S, N):
    S = np.asarray(S)
    N = np.asarray(N)
    if S.shape != N.shape or S.ndim < 2:
        raise ValueError(
            f"S has shape {S.shape} and N {N.shape}; pass two STFTs of the same shape, (n_freq, "
            "n_frames)"
        )
    return S, N
