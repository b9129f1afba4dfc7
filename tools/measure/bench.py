"""Measure our figures and their peers in one run: medians and ratios, the same data, type and
number of threads.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from tools.measure import bench_units

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SR, TO = 44100, 16000


def rounds(candidates: dict[str, Callable[[], object]], *, times: int = 31) -> dict[str, float]:
    """Return the median wall time [s] of each candidate; they take turns, so that a busy machine is
    busy for all.
    """
    for call in candidates.values():
        call()
    walls = {name: [] for name in candidates}
    for _ in range(times):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            walls[name].append(time.perf_counter() - start)
    return {name: statistics.median(wall) for name, wall in walls.items()}


def table(title: str, medians: dict[str, float]) -> str:
    """Return medians [ms] and how many times the first candidate's time each takes."""
    ours = next(iter(medians.values()))
    rows = [
        f"  {name:<32}{1000 * wall:>9.2f} ms  x {wall / ours:.2f}" for name, wall in medians.items()
    ]
    return "\n".join([title, *rows])


def resampling() -> tuple[str, dict[str, Callable[[], object]]]:
    """Ten seconds of noise from 44.1 to 16 kHz, float32."""
    import librosa
    import numpy as np
    from scipy.signal import resample_poly

    from helpers import audio

    y = (0.1 * np.random.default_rng(0).normal(size=10 * SR)).astype(np.float32)
    return f"resample 10 s of float32 from {SR} to {TO} Hz", {
        "helpers.audio.resample": lambda: audio.resample(y, sr=SR, to=TO),
        "librosa.resample": lambda: librosa.resample(y, orig_sr=SR, target_sr=TO),
        "scipy.signal.resample_poly": lambda: resample_poly(y, 160, 441),
    }


def loading() -> tuple[str, dict[str, Callable[[], object]]]:
    """Ten seconds of stereo, 16-bit wav, to mono float32 at its own rate."""
    import librosa
    import numpy as np
    import soundfile

    from helpers import audio

    path = Path(tempfile.mkdtemp()) / "noise.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=(10 * SR, 2)), SR)
    return "load 10 s of 16-bit stereo wav as mono float32", {
        "helpers.audio.load": lambda: audio.load(path),
        "librosa.load": lambda: librosa.load(path, sr=None),
    }


FRAMES = {"n_fft": 1024, "hop_length": 256}


def _noise():
    """Thirty seconds of noise at 22.05 kHz, float32."""
    import numpy as np

    return (0.1 * np.random.default_rng(0).normal(size=30 * 22050)).astype(np.float32)


def _torch():
    """Return PyTorch on one thread, or None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch


def transform() -> tuple[str, dict[str, Callable[[], object]]]:
    """STFT of thirty seconds; how much memory ours takes at its peak."""
    import librosa
    from scipy.signal import ShortTimeFFT, get_window

    from helpers import stft

    y, torch = _noise(), _torch()
    window = get_window("hann", FRAMES["n_fft"]).astype(y.dtype)
    scipys = ShortTimeFFT(window, FRAMES["hop_length"], fs=22050, phase_shift=None)
    D = stft.stft(y, **FRAMES)
    peak = _peak(lambda: stft.stft(y, **FRAMES)) / D.nbytes
    title = (
        f"STFT of 30 s, float32, 22050 Hz, n_fft 1024, hop 256; peak memory {peak:.2f} x its size"
    )
    candidates = {
        "helpers.stft.stft": lambda: stft.stft(y, **FRAMES),
        "librosa.stft": lambda: librosa.stft(y, **FRAMES),
        "scipy.signal.ShortTimeFFT.stft": lambda: scipys.stft(y, p0=0, p1=D.shape[1]),
    }
    if torch:
        how = {
            **FRAMES,
            "window": torch.tensor(window),
            "pad_mode": "constant",
            "return_complex": True,
        }
        candidates["torch.stft"] = lambda: torch.stft(torch.from_numpy(y), **how)
    return title, candidates


def inversion() -> tuple[str, dict[str, Callable[[], object]]]:
    """And back."""
    import librosa
    from scipy.signal import ShortTimeFFT, get_window

    from helpers import stft

    y, torch = _noise(), _torch()
    D, n = stft.stft(y, **FRAMES), len(y)
    window = get_window("hann", FRAMES["n_fft"]).astype(y.dtype)
    scipys = ShortTimeFFT(window, FRAMES["hop_length"], fs=22050, phase_shift=None)
    S = scipys.stft(y)
    peak = _peak(lambda: stft.istft(D, hop_length=256, length=n)) / D.nbytes
    candidates = {
        "helpers.stft.istft": lambda: stft.istft(D, hop_length=256, length=n),
        "librosa.istft": lambda: librosa.istft(D, **FRAMES, length=n),
        "scipy.signal.ShortTimeFFT.istft": lambda: scipys.istft(S, k1=n),
    }
    if torch:
        how, D_torch = {**FRAMES, "window": torch.tensor(window), "length": n}, torch.from_numpy(D)
        candidates["torch.istft"] = lambda: torch.istft(D_torch, **how)
    return f"its inverse; peak memory {peak:.2f} x the size of the STFT", candidates


def bands() -> tuple[str, dict[str, Callable[[], object]]]:
    """Mel spectrogram of the same sound."""
    import librosa

    from helpers import mel, stft

    y, how = _noise(), {"sr": 22050, **FRAMES, "n_mels": 80}
    peak = _peak(lambda: mel.mel_spectrogram(y, **how)) / stft.stft(y, **FRAMES).nbytes
    return f"mel spectrogram, 80 bands; peak memory {peak:.2f} x the size of the STFT", {
        "helpers.mel.mel_spectrogram": lambda: mel.mel_spectrogram(y, **how),
        "librosa.feature.melspectrogram": lambda: librosa.feature.melspectrogram(y=y, **how),
    }


def phases() -> tuple[str, dict[str, Callable[[], object]]]:
    """Thirty-two rounds of fast Griffin-Lim, from random phases, on the magnitude of the same
    sound.
    """
    import librosa
    import numpy as np

    from helpers import phase, stft

    y = _noise()
    S, how = np.abs(stft.stft(y, **FRAMES)), {"hop_length": 256, "n_iter": 32, "length": len(y)}
    peak = _peak(lambda: phase.griffin_lim(S, **how)) / (2 * S.nbytes)
    return (
        f"Griffin-Lim, 32 iterations, momentum 0.99; peak memory {peak:.2f} x the size of the STFT",
        {
            "helpers.phase.griffin_lim": lambda: phase.griffin_lim(S, **how),
            "librosa.griffinlim": lambda: librosa.griffinlim(S, **how, random_state=0),
        },
    )


def enhancing() -> tuple[str, dict[str, Callable[[], object]]]:
    """Return enhancers and another library's spectral gating, on a voice in rain at 5 dB, three
    times over.
    """
    import noisereduce
    import numpy as np

    from helpers import audio, metrics, settings

    voice = np.tile(audio.clip("voice_a")[0], 3)
    noisy = audio.mix(voice, audio.clip("rain")[0], snr_db=5)
    _torch()  # one thread
    names = ("setting1_stft", "setting1_mel")
    ours = {name: settings.load(name) for name in names}
    candidates = {name: lambda name=name: ours[name].enhance(noisy, sr=16000) for name in names}
    candidates["noisereduce.reduce_noise"] = lambda: noisereduce.reduce_noise(y=noisy, sr=16000)
    gains = {
        n: float(metrics.si_sdr(f(), voice) - metrics.si_sdr(noisy, voice))
        for n, f in candidates.items()
    }
    said = ", ".join(f"{name} {gain:+.1f} dB" for name, gain in gains.items())
    factor = rounds(dict([next(iter(candidates.items()))]), times=5)[names[0]] / (
        len(noisy) / 16000
    )
    title = (
        f"enhance {len(noisy) / 16000:.1f} s; {names[0]}: {factor:.3f} of real time; change of "
        f"SI-SDR: {said}"
    )
    return title, candidates


def vocoding() -> tuple[str, dict[str, Callable[[], object]]]:
    """Return our vocoders on two seconds of voice, and a HiFi-GAN of the published size, its
    weights random.
    """
    import numpy as np
    import transformers

    from helpers import audio, settings

    torch = _torch()
    voice = audio.clip("voice_a")[0][:32000]
    ours = {
        name: settings.load_vocoder(name) for name in ("gan", "griffin_lim", "waveglow", "wavenet")
    }
    mels = {name: vocoder.mel(voice, sr=16000) for name, vocoder in ours.items()}
    candidates = {
        name: lambda name=name: ours[name].synthesize(mels[name], length=len(voice))
        for name in ours
    }
    theirs = transformers.SpeechT5HifiGan(transformers.SpeechT5HifiGanConfig()).eval()
    log_mel = torch.from_numpy(mels["gan"].T / np.log(10))
    candidates["transformers.SpeechT5HifiGan"] = torch.no_grad()(lambda: theirs(log_mel))
    return f"mel to {len(voice) / 16000:.0f} s of sound (as many seconds are real time)", candidates


def _peak(call: Callable[[], object]) -> int:
    """Return the most bytes that NumPy held while `call` ran, its result included."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


FIGURES = {
    "resample": resampling,
    "load": loading,
    "stft": transform,
    "istft": inversion,
    "mel": bands,
    "griffin_lim": phases,
    "enhance": enhancing,
    "vocoders": vocoding,
}


def descents(steps: int = 300) -> None:
    """Move one second of noise down each loss, as unit 31 does, and say how long that takes."""
    import numpy as np

    from helpers import audio, losses, signals

    torch = _torch()
    target = losses.batch(audio.clip("voice_a")[0][8000:24000])
    noise = losses.batch(
        signals.white_noise(sr=16000, duration=1.0, level_db=-30).astype(np.float32)
    )
    kinds = [kind for name in losses.__all__ if isinstance(kind := getattr(losses, name), type)]
    tried = {kind.__name__: kind() for kind in kinds if kind is not losses.Loss}
    tried |= {
        f"Magnitude, {domain}": losses.Magnitude(domain=domain)
        for domain in ("power", "mel", "log-mel")
    }
    tried |= {"MultiResolutionSTFT, 40 mel bands": losses.MultiResolutionSTFT(n_mels=40)}
    tried |= {"MultiResolutionSTFT, A-weighted": losses.MultiResolutionSTFT(a_weighting=True)}
    print(f"{steps} steps from noise, 1 s at 16 kHz")
    for name, loss in tried.items():
        y = noise.clone().requires_grad_()
        adam, start = torch.optim.Adam([y], lr=2e-3), time.perf_counter()
        for _ in range(steps):
            adam.zero_grad()
            loss(y, target).backward()
            adam.step()
        print(f"  {name:<36}{time.perf_counter() - start:>9.1f} s", flush=True)


def latency() -> None:
    """Measure sliders in a real JupyterLab, where there is a browser."""
    sys.stdout.flush()
    if subprocess.run([sys.executable, "tools/measure/bench_latency.py"], cwd=ROOT).returncode:
        print("latency: not measured; is there a Chromium or Chrome?")


OTHERS = {"descent": descents, "latency": latency, "memory": bench_units.measure}


def main(argv: list[str] | None = None) -> int:
    """Run `course.py bench`."""
    parser = argparse.ArgumentParser(prog="course.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"only these of {', '.join([*FIGURES, *OTHERS])}")
    parser.add_argument(
        "--write", action="store_true", help="store what `memory` measures: its table, and the page"
    )
    args = parser.parse_args(argv)
    names = args.names or [*FIGURES, *OTHERS]
    if unknown := set(names) - {*FIGURES, *OTHERS}:
        parser.error(f"there is no figure {unknown.pop()!r}")
    os.environ |= dict.fromkeys(THREADS, "1")  # before numpy is imported
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, one "
        "thread each"
    )
    for name in (n for n in names if n in FIGURES):
        title, candidates = FIGURES[name]()
        print(table(title, rounds(candidates, times=5 if name == "vocoders" else 31)), flush=True)
    for name in (n for n in names if n in OTHERS):
        OTHERS[name](**{"write": True} if args.write and name == "memory" else {})
    return 0


if __name__ == "__main__":
    sys.exit(main())
