"""Measure our figures and their peers in one run: medians and ratios, the same data, type and number of threads."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SR, TO = 44100, 16000


def rounds(candidates: dict[str, Callable[[], object]], *, times: int = 9) -> dict[str, float]:
    """Return the median wall time [s] of each candidate; they take turns, so that a busy machine is busy for all."""
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
    rows = [f"  {name:<32}{1000 * wall:>9.2f} ms  x {wall / ours:.2f}" for name, wall in medians.items()]
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


FIGURES = {"resample": resampling, "load": loading}


def latency() -> None:
    """Measure sliders in a real JupyterLab, where there is a browser."""
    sys.stdout.flush()
    if subprocess.run([sys.executable, "tools/bench_latency.py"], cwd=ROOT).returncode:
        print("latency: not measured; is there a Chromium or Chrome?")


def main(argv: list[str] | None = None) -> int:
    """Run `course.py bench`."""
    parser = argparse.ArgumentParser(prog="course.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"only these of {', '.join([*FIGURES, 'latency'])}")
    names = parser.parse_args(argv).names or [*FIGURES, "latency"]
    if unknown := set(names) - {*FIGURES, "latency"}:
        parser.error(f"there is no figure {unknown.pop()!r}")
    os.environ |= dict.fromkeys(THREADS, "1")  # before numpy is imported
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, one thread each")
    for name in (n for n in names if n in FIGURES):
        title, candidates = FIGURES[name]()
        print(table(title, rounds(candidates)), flush=True)
    if "latency" in names:
        latency()
    return 0


if __name__ == "__main__":
    sys.exit(main())
