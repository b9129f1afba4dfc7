# ruff: noqa: D101, D102, D103, D105
"""Stand-ins for what a browser's Python lacks, so that the course's own code runs in a page.

Imported before the course. numpy is real. What only draws (matplotlib, widgets) takes every call
and does nothing. Of scipy there is what stages and exercises use, written with numpy; its tests
compare it with scipy. Samples of clips are handed in by the page.
"""

import importlib.machinery
import signal
import sys
import types
from pathlib import Path

import numpy as np

# name, or folder and name in data: samples (n,) or (channels, n), rate [Hz]
CLIPS: dict[str, tuple[np.ndarray, int]] = {}
ASKED: list[str] = []  # the clips that were asked for


class Nothing:
    """Takes every call, and does nothing."""

    def __init__(self, *args, **options):
        pass

    def __call__(self, *args, **options):
        return Nothing()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __mro_entries__(self, bases):
        return (object,)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Faces:
    """Finds modules that only draw, or that no browser has."""

    names = (
        "matplotlib",
        "IPython",
        "PIL",
        "soundfile",
        "soxr",
        "torch",
        "safetensors",
        "tqdm",
        "librosa",
        "numba",
        "pesq",
        "mir_eval",
    )

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        made = types.ModuleType(spec.name)
        made.__version__ = "0"

        def lacking(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Nothing()

        made.__getattr__ = lacking
        return made

    def exec_module(self, module):
        pass


def module(name: str, **contents) -> types.ModuleType:
    """Make a module of the given contents, and have it found under its name."""
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, made)
    return made


# ---- scipy ----


def _as_given(x, y: np.ndarray) -> np.ndarray:
    """Return a transform in single precision where its input was, as scipy does."""
    if np.asarray(x).dtype not in (np.float32, np.complex64):
        return y
    return y.astype(np.complex64 if np.iscomplexobj(y) else np.float32)


def rfft(x, n=None, axis=-1, **_):
    return _as_given(x, np.fft.rfft(x, n, axis))


def irfft(x, n=None, axis=-1, **_):
    return _as_given(x, np.fft.irfft(x, n, axis))


def fft(x, n=None, axis=-1, **_):
    return _as_given(x, np.fft.fft(x, n, axis))


def ifft(x, n=None, axis=-1, **_):
    return _as_given(x, np.fft.ifft(x, n, axis))


def next_fast_len(target: int, real: bool = False) -> int:
    return 1 << (int(target) - 1).bit_length()


COSINES = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "boxcar": (1,),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def get_window(window, Nx: int, fftbins: bool = True) -> np.ndarray:
    n = Nx + 1 if fftbins else Nx
    if isinstance(window, tuple) and window[0] == "kaiser":
        y = np.kaiser(n, window[1])
    elif isinstance(window, tuple) and window[0] == "gaussian":
        y = np.exp(-((np.arange(n) - (n - 1) / 2) ** 2) / (2 * window[1] ** 2))
    elif window in ("bartlett", "triang"):
        y = np.bartlett(n)
    else:
        t = 2 * np.pi * np.arange(n) / (n - 1)
        y = sum((-1) ** k * a * np.cos(k * t) for k, a in enumerate(COSINES[window]))
    return y[:Nx]


def upfirdn(h, x, up: int = 1) -> np.ndarray:
    h = np.asarray(h)
    y = np.zeros((len(x) - 1) * up + len(h))
    for k, value in enumerate(x):
        y[k * up : k * up + len(h)] += value * h
    return y


class CubicSpline:
    """A cubic through points with the not-a-knot condition, as scipy's by default."""

    def __init__(self, x, y, **_):
        self.x = np.asarray(x, dtype=float)
        self.y = np.asarray(y, dtype=float)
        h = np.diff(self.x)
        slope = np.diff(self.y, axis=0) / h.reshape(-1, *[1] * (self.y.ndim - 1))
        n = len(self.x)
        left = np.zeros((n, n))
        right = np.zeros_like(self.y)
        for k in range(1, n - 1):
            left[k, k - 1 : k + 2] = h[k], 2 * (h[k - 1] + h[k]), h[k - 1]
            right[k] = 3 * (h[k] * slope[k - 1] + h[k - 1] * slope[k])
        for k, side in ((0, 1), (-1, -1)):  # the third derivative goes on across the second knot
            a, b = (h[0], h[1]) if side == 1 else (h[-1], h[-2])
            c, d = (slope[0], slope[1]) if side == 1 else (slope[-1], slope[-2])
            left[k, k], left[k, k + side] = b, a + b
            right[k] = ((a + 2 * (a + b)) * b * c + a**2 * d) / (a + b)
        self.slopes = np.linalg.solve(left, right)

    def __call__(self, at):
        at = np.asarray(at, dtype=float)
        k = np.clip(np.searchsorted(self.x, at, side="right") - 1, 0, len(self.x) - 2)
        h = (self.x[k + 1] - self.x[k]).reshape(*at.shape, *[1] * (self.y.ndim - 1))
        u = (at - self.x[k]).reshape(h.shape) / h
        ends = (2 * u**3 - 3 * u**2 + 1) * self.y[k] + (3 * u**2 - 2 * u**3) * self.y[k + 1]
        s = self.slopes
        return ends + h * ((u**3 - 2 * u**2 + u) * s[k] + (u**3 - u**2) * s[k + 1])


def _scipy() -> None:
    module("scipy", __version__="0", __path__=[])
    module(
        "scipy.fft",
        rfft=rfft,
        irfft=irfft,
        fft=fft,
        ifft=ifft,
        rfftfreq=np.fft.rfftfreq,
        fftfreq=np.fft.fftfreq,
        fftshift=np.fft.fftshift,
        next_fast_len=next_fast_len,
    )
    module("scipy.signal", get_window=get_window, upfirdn=upfirdn)
    module("scipy.signal.windows")
    module("scipy.interpolate", CubicSpline=CubicSpline)
    for name in ("optimize", "special", "ndimage", "stats", "io", "linalg"):
        module(f"scipy.{name}")
    for part in (sys.modules["scipy"], *[m for n, m in sys.modules.items() if n[:6] == "scipy."]):

        def lacking(name, part=part):
            if name.startswith("__"):
                raise AttributeError(name)

            def missing(*args, **options):
                raise NotImplementedError(f"{part.__name__}.{name} is not in this page")

            return missing

        part.__getattr__ = lacking


# ---- widgets: enough for a stage to be made and to answer ----


class Trait(Nothing):
    """A trait is an attribute."""

    def __set_name__(self, owner, name):
        setattr(owner, name, None)

    def tag(self, **_):
        return None


def observe(*names, **_):
    return lambda method: method


class AnyWidget:
    """Keeps its traits; what it is asked and says goes through the worker."""

    def __init__(self, **traits):
        self.__dict__.update(traits)

    def on_msg(self, hear):
        pass


class Control:
    """A control of ipywidgets: what it was made of."""

    def __init__(self, *, description="", value=None, **rest):
        self.__dict__.update(rest)
        self.description = description
        self.value = value


class Dropdown(Control):
    @property
    def index(self):
        return [value for _, value in self.options].index(self.value)


def _widgets() -> None:
    kinds = {k: type(k, (Control,), {}) for k in ("IntSlider", "FloatSlider", "Checkbox")}
    kinds["FloatLogSlider"] = type("FloatLogSlider", (Control,), {})
    nothing = dict.fromkeys(("VBox", "HBox", "Image", "Button", "IntProgress"), Control)
    module("ipywidgets", Dropdown=Dropdown, Widget=Control, **kinds, **nothing)
    module("anywidget", AnyWidget=AnyWidget)
    traits = dict.fromkeys(("Bytes", "List", "Int", "Float", "Unicode", "Bool", "Dict"), Trait)
    module("traitlets", observe=observe, **traits)


def use() -> None:
    """Put everything into its place, and have clips come from the page."""
    for name in [n for n in sys.modules if n.partition(".")[0] in (*Faces.names, "scipy")]:
        del sys.modules[name]
    sys.meta_path.insert(0, Faces())
    if not hasattr(signal, "setitimer"):  # the page ends what does not end
        signal.setitimer = lambda *args: None
    _scipy()
    _widgets()
    from helpers import audio

    def clip(name):
        ASKED.append(name)
        y, sr = CLIPS[name]
        return y.copy(), sr

    read = audio.load

    def load(path, **options):
        name = "/".join(Path(path).with_suffix("").parts[-2:]) if isinstance(path, Path) else ""
        return clip(name) if name in CLIPS and not options else read(path, **options)

    audio.clip = clip
    audio.load = load
