"""The small networks of part 5 as arrays, so that NumPy alone can ask them.

A file that is missing or damaged raises; the message says how to get it back.
"""

import json

import numpy as np

from helpers import _checks, audio, mel


def weights(name: str) -> dict[str, np.ndarray]:
    """Return the weights of a network that comes with the course.

    Parameters
    ----------
    name : str
        A file of ``data/weights``, without its ending; "beats" is that of unit 52.

    Returns
    -------
    dict of str to np.ndarray
        Weights by their PyTorch names, float32. A convolution has (out, in, width).

    Examples
    --------
    >>> sum(w.size for w in weights("beats").values()) - 2 * 48  # without the running statistics
    20638
    """
    path = _checks.DATA / "weights" / f"{name}.safetensors"
    raw = _checks.read_verified(path)
    begin = 8 + int.from_bytes(raw[:8], "little")  # the format: a length, a table in JSON, the data
    table = json.loads(raw[8:begin])
    found = {}
    for key, entry in table.items():
        if entry.get("dtype") in ("F32", "F16"):
            first, last = (begin + place for place in entry["data_offsets"])
            kind = "<f4" if entry["dtype"] == "F32" else "<f2"
            found[key] = np.frombuffer(raw[first:last], kind).reshape(entry["shape"]).astype("f4")
    return found


def beat_activation(y: np.ndarray, *, sr: int) -> np.ndarray:
    """Return how much each frame sounds like a beat, and like the first beat of a bar.

    The network of unit 52 looks at 48 mel bands; eight layers see five frames each, each layer
    twice as far apart as the one before.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (2, n_frames)
        Row 0 for beats, row 1 for first beats, from 0 to 1; 50 frames a second, the first on
        sample 0.
    """
    y = audio.resample(_checks.check(y), sr=sr, to=22050) if sr != 22050 else _checks.check(y)
    W = weights("beats")
    bands = {"n_mels": 48, "fmin": 30, "fmax": 10000, "norm": None, "power": 1.0}
    x = np.log1p(mel.mel_spectrogram(y, sr=22050, n_fft=2048, hop_length=441, **bands))
    norm = {k: W[f"norm.{k}"][:, None] for k in ("running_mean", "running_var", "weight", "bias")}
    x = (x - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) * norm["weight"]
    x = _layer(W, "first", x + norm["bias"])
    for k in range(8):
        x = x + _layer(W, f"mix.{k}", _elu(_layer(W, f"wide.{k}", x, 2**k)))
    return 1 / (1 + np.exp(-_layer(W, "last", _elu(x))))


def _layer(W: dict, name: str, x: np.ndarray, apart: int = 1) -> np.ndarray:
    """Return a convolution over frames that lie so far apart."""
    w = W[f"{name}.weight"]
    reach = w.shape[2] // 2 * apart
    padded = np.pad(x, ((0, 0), (reach, reach)))
    sums = [w[:, :, i] @ padded[:, i * apart : i * apart + x.shape[1]] for i in range(w.shape[2])]
    return sum(sums) + W[f"{name}.bias"][:, None]


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
