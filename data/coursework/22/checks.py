"""What the checks of unit 22 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio, stft
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound

_SHAPES = (
    (16000, 16000, 512, 128),
    (4001, 8000, 256, 100),
    (1024, 22050, 1024, 256),
    (999, 44100, 301, 50),
)


def times_probes() -> list[Probe]:
    """Return samples in the middle, at both ends, and on the edges of frames."""
    calls = (
        (1000, 122, 512, 128),
        (0, 20, 64, 16),
        (768, 122, 512, 128),
        (767, 30, 512, 256),
        (333, 9, 100, 37),
        (395, 9, 100, 37),
        (50, 40, 33, 33),
    )
    say = "sample {}, {} frames, n_fft = {} and hop_length = {}"
    return [Probe(call, say.format(*call)) for call in calls]


def _seen(sample, n_frames, n_fft, hop_length, *, before=0, after=0, shift=0):
    begins = np.arange(n_frames) * hop_length - shift
    inside = (begins + before <= sample) & (sample < begins + n_fft + after)
    return np.flatnonzero(inside)


def _unbounded(sample, n_frames, n_fft, hop_length):
    return np.arange((sample - n_fft) // hop_length + 1, sample // hop_length + 1)


def _marks(sample, n_frames, n_fft, hop_length):
    marks = np.zeros(n_frames)
    marks[_seen(sample, n_frames, n_fft, hop_length)] = 1
    return marks


TIMES_SLIPS = (
    ("one frame too many at the front", lambda s, m, n, hop: _seen(s, m, n, hop, after=1)),
    ("the last frame missing", lambda s, m, n, hop: _seen(s, m, n, hop, before=1)),
    ("centred frames", lambda s, m, n, hop: _seen(s, m, n, hop, shift=n // 2)),
    ("frames that do not exist", _unbounded),
    ("true and false", _marks),
    ("how many", lambda s, m, n, hop: len(_seen(s, m, n, hop))),
    ("samples for frames", lambda s, m, n, hop: _seen(s, m, n, hop) * hop),
    ("whole windows apart", lambda s, m, n, hop: np.array([s // n])),
    ("one frame only", lambda s, m, n, hop: np.array([s // hop])),
    ("one frame only", lambda s, m, n, hop: s // hop),
    ("one frame only", lambda s, m, n, hop: _seen(s, m, n, hop)[:1]),
    ("all that have begun", lambda s, m, n, hop: np.flatnonzero(np.arange(m) * hop <= s)),
    ("all that have not ended", lambda s, m, n, hop: np.flatnonzero(np.arange(m) * hop + n > s)),
    (
        "a window on both sides",
        lambda s, m, n, hop: np.flatnonzero(np.abs(np.arange(m) * hop - s) < n),
    ),
    ("all frames", lambda s, m, n, hop: np.arange(m)),
    ("from one too early", lambda s, m, n, hop: np.arange(s // hop - n // hop, s // hop + 1)),
    ("from a window", lambda s, m, n, hop: np.arange(s // n, s // hop + 1)),
    (
        "both ends wrong",
        lambda s, m, n, hop: _seen(s, m, n, hop, before=1, after=1),
    ),
)


def spectrogram_probes() -> list[Probe]:
    """Return noise of several lengths, so that no bin is empty and no frame is like another."""
    probes = []
    for seed, (n, n_fft, hop) in enumerate(
        ((1024, 64, 16), (511, 128, 128), (703, 100, 37), (300, 33, 10))
    ):
        rng = np.random.default_rng(seed)
        y = rng.uniform(0.05, 0.3) * rng.standard_normal(n)
        probes.append(
            Probe((y, n_fft, hop), f"{n} samples of noise, n_fft = {n_fft} and hop_length = {hop}")
        )
    y = 1e-7 * np.random.default_rng(9).standard_normal(1200)
    y[:400] *= 10**6.5
    say = "400 samples of noise, then 800 that are 130 dB weaker, n_fft = 64 and hop_length = 32"
    return [*probes, Probe((y, 64, 32), say, "wide range")]


def _magnitude(y, n_fft, hop_length, window="hann"):
    return np.abs(stft.stft(y, n_fft=n_fft, hop_length=hop_length, window=window, center=False))


def _spectrogram(y, n_fft, hop_length, *, window="hann", scale=None, factor=20.0):
    scale = n_fft / 4 if scale is None else scale  # half the sum of a periodic Hann window
    return factor * np.log10(_magnitude(y, n_fft, hop_length, window) / scale)


def _cut(y, n_fft, hop_length, scale):
    """Return what librosa.amplitude_to_db makes: cut at 0.00001 and 80 dB below the maximum."""
    D = np.maximum(_magnitude(y, n_fft, hop_length) / scale, 1e-5)
    S_db = 20 * np.log10(D)
    return np.maximum(S_db, S_db.max() - 80)


SPECTROGRAM_SLIPS = (
    ("no window", lambda y, n, hop: _spectrogram(y, n, hop, window="boxcar", scale=n / 2)),
    ("no window", lambda y, n, hop: _spectrogram(y, n, hop, window="boxcar")),
    ("no window", lambda y, n, hop: _spectrogram(y, n, hop, window="boxcar", scale=1)),
    ("not scaled", lambda y, n, hop: _spectrogram(y, n, hop, scale=1)),
    ("scaled by the length", lambda y, n, hop: _spectrogram(y, n, hop, scale=n)),
    ("scaled by the sum", lambda y, n, hop: _spectrogram(y, n, hop, scale=n / 2)),
    ("10 instead of 20", lambda y, n, hop: _spectrogram(y, n, hop, factor=10)),
    ("power and 20", lambda y, n, hop: _spectrogram(y, n, hop, factor=40)),
    (
        "relative to the maximum",
        lambda y, n, hop: _spectrogram(y, n, hop, scale=_magnitude(y, n, hop).max()),
    ),
    ("cut at 80 dB", lambda y, n, hop: _cut(y, n, hop, n / 4)),
    ("cut at 80 dB", lambda y, n, hop: _cut(y, n, hop, 1.0)),
    ("cut at 80 dB", lambda y, n, hop: _cut(y, n, hop, n / 2)),
    ("bins and frames exchanged", lambda y, n, hop: _spectrogram(y, n, hop).T),
    (
        "symmetric window",
        lambda y, n, hop: _spectrogram(y, n, hop, window=np.hanning(n), scale=(n - 1) / 4),
    ),
    ("natural logarithm", lambda y, n, hop: _spectrogram(y, n, hop, factor=20 * np.log(10))),
)


def overlap_probes() -> list[Probe]:
    """Return the example of the page, then random frames that overlap little and much, evenly and
    not.
    """
    probes = [
        Probe(
            (np.array([[1.0, 10], [2, 20], [3, 30], [4, 40]]), 2),
            "the two columns of the example and hop 2",
        )
    ]
    for seed, (n_fft, n_frames, hop) in enumerate(((8, 5, 2), (7, 9, 3), (16, 4, 12), (6, 30, 1))):
        frames = np.random.default_rng(seed).uniform(0.1, 1, (n_fft, n_frames))
        frames[1::2] *= -1
        probes.append(Probe((frames, hop), f"{n_frames} frames of {n_fft} samples and hop {hop}"))
    return probes


def _place(frames, hop, put):
    """Go through frames and slices of the sum; `put(old, frame)` is what the slice becomes."""
    n_fft, n_frames = frames.shape
    y = np.full((n_frames - 1) * hop + n_fft, np.nan)
    for m in range(n_frames):
        part = y[m * hop : m * hop + n_fft]
        part[:] = put(part, frames[:, m])
    return y


def _add(frames, hop):
    return np.nan_to_num(_place(frames, hop, lambda old, new: np.nan_to_num(old) + new))


def _stacked(frames, hop):
    return np.append(frames.sum(axis=1), np.zeros((frames.shape[1] - 1) * hop))


OVERLAP_SLIPS = (
    ("the last frame wins", lambda frames, hop: _place(frames, hop, lambda old, new: new)),
    (
        "the first frame wins",
        lambda frames, hop: _place(frames, hop, lambda old, new: np.where(old == old, old, new)),
    ),
    ("end to end", lambda frames, hop: frames.T.ravel()),
    ("averaged", lambda frames, hop: _add(frames, hop) / _add(np.ones(frames.shape), hop)),
    ("rows taken for frames", lambda frames, hop: _add(frames.T, hop)),
    ("one on top of the other", _stacked),
    ("backwards in time", lambda frames, hop: _add(frames[:, ::-1], hop)),
)


def ripple_probes() -> list[Probe]:
    """Return windows whose hop divides their length, then others."""
    rng = np.random.default_rng(0)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8)
    even = [
        (hann, 8, "a Hann window of 8 samples and hop 8"),
        (hann, 4, "a Hann window of 8 samples and hop 4"),
    ]
    for n, hop in ((12, 3), (60, 15), (64, 32)):
        even.append((rng.uniform(0.1, 2, n), hop, f"a window of {n} random samples and hop {hop}"))
    odd = [
        (rng.uniform(0.1, 2, n), hop, f"{n} random samples and hop {hop}")
        for n, hop in ((13, 5), (50, 49), (7, 2))
    ]
    return [
        Probe((w, hop), say, group)
        for group, some in (("even", even), ("odd", odd))
        for w, hop, say in some
    ]


def _sums(window, hop):
    return np.array([np.sum(window[start::hop]) for start in range(hop)])


def _ripple(window, hop):
    return np.ptp(_sums(window, hop)) / _sums(window, hop).mean()


def _with_ends(window, hop, copies):
    total = _add(np.repeat(np.reshape(window, (-1, 1)), copies, axis=1), hop)
    return np.ptp(total) / total.mean()


def _two(window, hop):
    total = _sums(window[: 2 * hop], hop)
    return np.ptp(total) / total.mean()


def _hops(window, hop_length):
    """Return the sum of the windows at each sample of one hop."""
    return np.array([np.sum(window[k::hop_length]) for k in range(hop_length)])


RIPPLE_SLIPS = (
    ("squares", lambda w, hop: _ripple(np.square(w), hop)),
    ("not over the mean", lambda w, hop: np.ptp(_sums(w, hop))),
    ("over the largest", lambda w, hop: np.ptp(_sums(w, hop)) / _sums(w, hop).max()),
    *[("ends included", lambda w, hop, k=k: _with_ends(w, hop, k)) for k in (5, 10, 20, 50, 100)],
    ("standard deviation", lambda w, hop: _sums(w, hop).std() / _sums(w, hop).mean()),
    ("two windows only", _two),
    ("the rest cut off", lambda w, hop: _ripple(w[: len(w) // hop * hop], hop)),
    ("over the mean of the window", lambda w, hop: np.ptp(_hops(w, hop)) / np.mean(w)),
    ("the window alone", lambda w, hop: np.ptp(w)),
    ("the window alone", lambda w, hop: np.ptp(w) / np.mean(w)),
    ("largest over the mean", lambda w, hop: np.max(_hops(w, hop)) / np.mean(_hops(w, hop))),
    ("largest over smallest", lambda w, hop: np.max(_hops(w, hop)) / np.min(_hops(w, hop))),
    ("variance", lambda w, hop: np.var(_hops(w, hop))),
    ("overlap alone", lambda w, hop: hop / len(w)),
    ("half the difference", lambda w, hop: np.ptp(_hops(w, hop)) / 2),
)

_SORTS = {"A": 2, "B": 3, "C": 1, "D": 1, "E": 2, "F": 3, "G": 1}  # of Figure 22.5


def read_probes() -> list[Probe]:
    """Return the seven letters of the figure."""
    return [Probe((letter,), f"the letter {letter}") for letter in _SORTS]


def _as(**sorts):
    """Return a reading with other numbers for vowels, fricatives and silences."""
    table = dict(zip((1, 2, 3), (sorts["vowel"], sorts["hiss"], sorts["gap"]), strict=True))
    return lambda letter: table[_SORTS[letter]]


READ_SLIPS = (
    ("vowel and fricative exchanged", _as(vowel=2, hiss=1, gap=3)),
    ("silence and fricative exchanged", _as(vowel=1, hiss=3, gap=2)),
    ("silence and vowel exchanged", _as(vowel=3, hiss=2, gap=1)),
    ("counted from 0", _as(vowel=0, hiss=1, gap=2)),
    ("voice or not", _as(vowel=1, hiss=2, gap=2)),
    ("voice or not", _as(vowel=1, hiss=3, gap=3)),
    ("sound or not", _as(vowel=1, hiss=1, gap=3)),
    ("sound or not", _as(vowel=2, hiss=2, gap=3)),
    ("silences taken for vowels", _as(vowel=1, hiss=2, gap=1)),
)

# ---- what a right function makes ----------------------------------------------------------------

SR = 16000


def stripe_view():
    """Return samples, and calls for frames of 512 with hop 128: each is seen by four."""
    samples = np.arange(1000, 2600, 16)
    return samples, [(int(sample), 122, 512, 128) for sample in samples]


def _middle(frames):
    """Return the middle of the frames that see a sample."""
    return np.mean(frames, axis=-1)


def column_view():
    """Return frequencies [Hz] and a tone on a bin, another 20 dB below it, and faint noise."""
    t = np.arange(1024) / SR
    y = np.sin(2 * np.pi * 2000 * t) + 0.1 * np.sin(2 * np.pi * 5000 * t)
    y += 1e-4 * np.random.default_rng(3).standard_normal(t.size)
    return np.fft.rfftfreq(64, 1 / SR), [(y, 64, 16)]


def _column(pictures):
    """Return the tenth frame of a picture."""
    return pictures[0][:, 10]


def voice_frames():
    """Return a voice cut into frames that wear a Hann window, every half window, and the hop."""
    y = audio.clip("arctic_slt")[0][: 2 * SR].astype(float)
    frames = np.lib.stride_tricks.sliding_window_view(y, 512)[::256].T
    return frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512))[:, None], 256


def _joined(own, right, frames, hop):
    return {"yours": own, "the right sum": right, "frames end to end": frames.T.ravel()}


def hops_view():
    """Return all hops of a Hann window of 48 samples."""
    hops = np.arange(1, 49)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(48) / 48)
    return hops, [(hann, int(hop)) for hop in hops]


# "22.read" has no view: its seven numbers are names of places in a picture that stands above
CHECKS = {
    "22.times": Check(
        times_probes,
        _seen,
        TIMES_SLIPS,
        atol=1e-9,
        shows=Curve(stripe_view, "sample at which a click lies", "middle of its frames", _middle),
    ),
    "22.spectrogram": Check(
        spectrogram_probes,
        _spectrogram,
        SPECTROGRAM_SLIPS,
        atol=1e-6,
        shows=Curve(column_view, "frequency [Hz]", "level of one frame [dB]", _column),
    ),
    "22.read": Check(read_probes, lambda letter: _SORTS[letter], READ_SLIPS, atol=1e-9),
    "22.overlap": Check(
        overlap_probes,
        _add,
        OVERLAP_SLIPS,
        atol=1e-9,
        shows=Sound(voice_frames, _joined, SR),
    ),
    "22.ripple": Check(
        ripple_probes,
        _ripple,
        RIPPLE_SLIPS,
        atol=1e-9,
        shows=Curve(hops_view, "hop of a Hann window of 48 samples", "ripple"),
    ),
}
