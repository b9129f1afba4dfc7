"""Weights of the small networks of part 5 as arrays, so that NumPy alone can ask them.

A file that is missing or damaged raises; the message says how to get it back.
"""

import json

import numpy as np

from helpers import _checks


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
