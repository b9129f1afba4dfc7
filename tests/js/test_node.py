"""The arithmetic of the widgets, in Node, against NumPy."""

import json

import numpy as np

from tests.js import node

NAMES = """fft, stftDb, rampCurve, ramp, faded, floats, ticks, levelMap, claim, silence, signed,
    dbfs, rmsFrequency, minus"""


def _fft_vectors(rng):
    for n in (1, 2, 8, 64, 1024):
        x = rng.standard_normal(n) + 1j * rng.standard_normal(n)
        out = np.fft.fft(x)
        yield {"re": x.real, "im": x.imag, "out_re": out.real, "out_im": out.imag}


def _stft_vectors(rng):
    """Zero-padded frames centred on multiples of the hop, a periodic Hann window, 0 dB for a sine
    of amplitude 1.
    """
    for samples, n_fft, hop in ((1000, 256, 64), (1001, 512, 100), (90, 256, 37)):
        y = (0.1 * rng.standard_normal(samples)).astype(np.float32)
        window = np.hanning(n_fft + 1)[:-1]
        padded = np.pad(y.astype(float), n_fft)
        frames = [padded[m * hop + n_fft // 2 :][:n_fft] for m in range((samples - 1) // hop + 1)]
        magnitude = 2 * np.abs(np.fft.rfft(np.array(frames) * window)) / window.sum()
        yield {
            "y": y,
            "n_fft": n_fft,
            "hop": hop,
            "db": np.maximum(20 * np.log10(magnitude + 1e-12), -140),
        }


def _plain(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


def test_the_core_computes_what_numpy_computes(tmp_path):
    rng = np.random.default_rng(0)
    vectors = {"fft": list(_fft_vectors(rng)), "stft": list(_stft_vectors(rng))}
    (tmp_path / "vectors.json").write_text(json.dumps(vectors, default=_plain), encoding="utf-8")
    (tmp_path / "core.mjs").write_text(
        f"{node.joined('core', 'deck')}\nexport {{ {NAMES} }};\n", encoding="utf-8"
    )
    node.run("core.test.mjs", tmp_path)
