"""Bytes as text that a script can hold: seven characters for six bytes, where base64 takes eight.

Seven digits to the base of 116 are a little more than 48 bits. The digits are those characters of
ASCII that may stand in a string of JavaScript as they are. The first seven say how many bytes
follow. worker.js reads it.
"""

import zlib

import numpy as np

BASE = 116
NEVER = {0, 8, 9, 10, 11, 12, 13, 26, 27, 34, 92, 127}  # ends of lines and texts, and the like
DIGITS = np.array([code for code in range(128) if code not in NEVER], dtype=np.uint8)


def text(raw: bytes) -> str:
    """Return bytes as text."""
    padded = raw + bytes(-len(raw) % 6)
    sixes = np.frombuffer(padded, dtype=np.uint8).reshape(-1, 6).astype(np.int64)
    numbers = np.concatenate([[len(raw)], sixes @ 256 ** np.arange(5, -1, -1)])
    places = numbers[:, None] // BASE ** np.arange(6, -1, -1) % BASE
    return DIGITS[places].tobytes().decode("ascii")


def packed(raw: bytes) -> str:
    """Return bytes, deflated, as a string of JavaScript."""
    return f'"{text(zlib.compress(raw, 9))}"'
