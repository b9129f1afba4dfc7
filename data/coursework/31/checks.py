"""What the checks of unit 31 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import audio, stft
from helpers.coursework.checking import Check
from helpers.coursework.learned import learned, slopes
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound

SR = 16000


def _noise(n: int, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n)


def si_sdr_probes() -> list[Probe]:
    """Return the example of the page, then noisy copies at several levels, with an offset and
    upside down.
    """
    toy = np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])
    probes = [Probe(toy, "the four samples of the example")]
    for seed, (n, gain, noise) in enumerate(
        ((1000, 1.0, 0.1), (333, 0.3, 0.1), (512, 2.5, 1.2), (801, -0.7, 0.2))
    ):
        target = _noise(n, seed) + 0.03
        estimate = gain * target + noise * _noise(n, 100 + seed)
        probes.append(
            Probe((estimate, target), f"a noisy copy of {n} samples at {gain:g} times the level")
        )
    return probes


def _ratio(estimate, target, *, above=True, below=True, alpha=None, factor=10.0, log=np.log10):
    alpha = estimate @ target / (target @ target) if alpha is None else alpha
    kept, rest = (alpha if above else 1) * target, estimate - (alpha if below else 1) * target
    return factor * log(kept @ kept / (rest @ rest))


SI_SDR_SLIPS = (
    ("plain SNR", lambda e, s: _ratio(e, s, alpha=1.0)),
    ("target not scaled above", lambda e, s: _ratio(e, s, above=False)),
    ("error from the unscaled target", lambda e, s: _ratio(e, s, below=False)),
    ("divided by the estimate", lambda e, s: _ratio(e, s, alpha=e @ s / (e @ e))),
    ("means taken off", lambda e, s: _ratio(e - e.mean(), s - s.mean())),
    ("20 instead of 10", lambda e, s: _ratio(e, s, factor=20)),
    ("natural logarithm", lambda e, s: _ratio(e, s, log=np.log)),
    ("upside down", lambda e, s: _ratio(e, s, factor=-10)),
    ("norms instead of energies", lambda e, s: _ratio(e, s, factor=5)),
)


def multi_probes() -> list[Probe]:
    """Return noise and a changed copy, for several lengths and sets of sizes; some lengths end with
    a frame.
    """
    probes = []
    for seed, (n, sizes) in enumerate(
        ((640, [64, 128]), (639, [32, 64]), (500, [128, 48, 100]), (415, [64, 32, 16]))
    ):
        target = _noise(n, seed)
        estimate = 0.7 * target + 0.4 * _noise(n, 200 + seed)
        say = f"{n} samples of noise, a changed copy, and sizes = {sizes}"
        probes.append(Probe((estimate, target, sizes), say))
    return probes


def _frames(y, n_fft):
    w = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2  # Hann
    return np.abs(
        np.fft.rfft([w * y[s : s + n_fft] for s in range(0, len(y) - n_fft + 1, n_fft // 4)])
    )


def _convergence(E, S, by=None):
    return np.linalg.norm(S - E) / np.linalg.norm(S if by is None else by)


def _log(E, S):
    return np.mean(np.abs(np.log(E / S)))


def _multi(
    estimate, target, sizes, *, one=lambda E, S: _convergence(E, S) + _log(E, S), over=np.mean
):
    return over([one(_frames(estimate, n), _frames(target, n)) for n in sizes])


def _with(one=None, over=np.mean):
    """Return a model that takes another distance at each size, or another sum over the sizes."""
    changes = {"over": over} if one is None else {"one": one, "over": over}
    return lambda e, s, sizes: _multi(e, s, sizes, **changes)


MULTI_SLIPS = (
    ("summed over the sizes", _with(over=np.sum)),
    ("first size only", _with(over=lambda x: x[0])),
    ("last size only", _with(over=lambda x: x[-1])),
    ("convergence only", _with(_convergence)),
    ("logarithms only", _with(_log)),
    ("log10", _with(lambda E, S: _convergence(E, S) + _log(E, S) / np.log(10))),
    ("normed by the estimate", _with(lambda E, S: _convergence(E, S, by=E) + _log(E, S))),
    ("squared logarithms", _with(lambda E, S: _convergence(E, S) + np.mean(np.log(E / S) ** 2))),
    ("powers instead of magnitudes", _with(lambda E, S: _convergence(E**2, S**2) + _log(E, S))),
    (
        "differences without absolute value",
        _with(lambda E, S: _convergence(E, S) + np.mean(np.log(S / E))),
    ),
    (
        "differences without absolute value",
        _with(lambda E, S: _convergence(E, S) + np.mean(np.log(E / S))),
    ),
)


def fool_probes() -> list[Probe]:
    """Return noise of several lengths and several ratios."""
    return [
        Probe((_noise(n, seed), db), f"{n} samples of noise and snr_db = {db:g}")
        for seed, (n, db) in enumerate(
            ((400, 20 * np.log10(2)), (300, 20.0), (77, 3.0), (500, 35.5))
        )
    ]


def _fool(target, snr_db, *, sign=-1, per=20.0, turn=1.0):
    return turn * (1 + sign * 10 ** (-snr_db / per)) * target


FOOL_SLIPS = (
    ("louder instead of quieter", lambda y, db: _fool(y, db, sign=1)),
    ("power instead of amplitude", lambda y, db: _fool(y, db, per=10)),
    ("the error itself", lambda y, db: y * 10 ** (-db / 20)),
    ("upside down", lambda y, db: _fool(y, db, turn=-1)),
    ("decibels upside down", lambda y, db: _fool(y, db, per=-20)),
)

# ---- a loss to order ----------------------------------------------------------------------------


def _voice() -> np.ndarray:
    """Return half a second like a voice: a gliding buzz with two formants, in two syllables."""
    t = np.arange(SR // 2) / SR
    turn = 2 * np.pi * np.cumsum(120 + 40 * t) / SR
    y = np.zeros(t.size)
    for k in range(1, 30):
        formants = np.exp(-(((140 * k - 600) / 500) ** 2))
        formants += 0.2 * np.exp(-(((140 * k - 1800) / 600) ** 2))
        y += formants * np.cos(k * turn + k**2)
    y *= np.sqrt(np.clip(np.sin(2 * np.pi * 4 * t), 0, None))
    return 0.05 * y / np.std(y) + _faint(9)


def _faint(seed: int) -> np.ndarray:
    """Return half a second of noise at −100 dBFS, so that no magnitude is 0."""
    return 1e-5 * np.random.default_rng(seed).standard_normal(SR // 2)


def _click(at: int) -> np.ndarray:
    return _faint(5) + 0.3 * (np.arange(SR // 2) == at)


def _tone(cents: float) -> np.ndarray:
    t = np.arange(SR // 2) / SR
    ramp = np.minimum(1, np.minimum(t, t[-1] - t) / 0.02)
    return 0.1 * ramp * np.sin(2 * np.pi * 440 * 2 ** (cents / 1200) * t) + _faint(5)


def _in_noise(y: np.ndarray, seed: int) -> np.ndarray:
    """Return y with white noise 20 dB under it."""
    noise = np.random.default_rng(seed).standard_normal(y.size)
    return y + 0.1 * noise * np.sqrt(np.mean(y**2) / np.mean(noise**2))


def design_probes() -> list[Probe]:
    """Return a voice and its changes, then a click and a tone, each with noise to compare with."""
    voice, click, tone = _voice(), _click(4000), _tone(0)
    pairs = {
        "a voice and itself": (voice, voice),
        "a voice with noise": (_in_noise(voice, 1), voice),
        "a voice upside down": (-voice, voice),
        "a voice at half the level": (voice / 2, voice),
        "a voice 1 ms late": (np.pad(voice, (16, 0))[: voice.size], voice),
        "a click with noise": (_in_noise(click, 2), click),
        "a click 5 ms late": (_click(4080), click),
        "a tone with noise": (_in_noise(tone, 3), tone),
        "a tone 30 cents high": (_tone(30), tone),
    }
    return [Probe(pair, name) for name, pair in pairs.items()]


def _shares(got: list) -> dict[str, float]:
    """Return how much a loss rises for each change, as a share of its rise for the noise."""
    same, noise, flip, half, late, click_noise, click, tone_noise, tone = got
    rises = {"flip": flip, "half": half, "late": late}
    shares = {name: (value - same) / (noise - same) for name, value in rises.items()}
    shares["click"] = click / click_noise
    shares["tone"] = tone / tone_noise
    return shares


def _design_measured(got: list) -> str:
    names = {"flip": "upside down", "half": "half the level", "late": "1 ms late"}
    names |= {"click": "the late click", "tone": "the high tone"}
    shares = _shares(got).items()
    if not np.isfinite([share for _, share in shares]).all():
        return ""  # noise costs nothing, so nothing can be compared with it
    found = ", ".join(f"{names[name]} {share:.2f}" for name, share in shares)
    return f"re noise 20 dB down, {found}.".replace("-", "−")


DESIGN_GOALS = (
    (
        "equal sounds cost",
        lambda got: abs(got[0]) > 1e-9 or min(got[1], got[5], got[7]) <= 1e-9,
    ),
    ("hears polarity", lambda got: not abs(_shares(got)["flip"]) < 0.1),
    ("deaf to level", lambda got: not _shares(got)["half"] > 1),
    ("hears a delay", lambda got: not abs(_shares(got)["late"]) < 0.5),
    ("misses the click", lambda got: not _shares(got)["click"] > 3),
    ("misses the tone", lambda got: not _shares(got)["tone"] > 4.5),
)


def _design(estimate, target, sizes=(512, 1024, 2048)):
    return _multi(estimate, target, sizes, one=_convergence)


DESIGN_SLIPS = (
    ("equal sounds cost", lambda e, s: -np.mean(e * s)),
    ("hears polarity", lambda e, s: np.mean((e - s) ** 2)),
    ("deaf to level", lambda e, s: 1 - np.minimum(1, (e @ s) ** 2 / (e @ e) / (s @ s))),
    ("hears a delay", lambda e, s: _design(e, s, (128,))),
    ("misses the click", lambda e, s: _design(e, s, (2048,))),
    ("misses the tone", lambda e, s: _design(e, s, (512,))),
)

# ---- the loss that trained ours -----------------------------------------------------------------


def train_probes() -> list[Probe]:
    """Return noisy copies of noise, a copy without fault, and silence."""
    probes = []
    for seed, (gain, noise) in enumerate(((1.0, 0.0), (0.9, 0.3), (0.5, 1.5), (0.0, 0.0))):
        clean = _noise(1400, 60 + seed)
        estimate = gain * clean + noise * _noise(1400, 160 + seed)
        say = f"{gain:g} times the clean sound with {noise:g} times as much noise"
        say = {0: "the clean sound itself", 3: "silence"}.get(seed, say)
        probes.append(Probe((estimate, clean), say))
    return probes


def _read_training(fn, estimate, clean):
    """Return a loss and the slope of each sample; 0 where no slope comes back."""
    if isinstance(estimate, str):
        return _heard_training(fn)
    return slopes(fn, estimate, clean)


def _training_loss(estimate, clean, *, weight=10.0, snr=1.0, floor=1e-3, per=10.0, over="mean",
                   log="log10", power=0.15, bend=None):  # fmt: skip
    import torch

    def compressed(y):
        window = torch.hann_window(512, dtype=y.dtype)
        D = torch.stft(y, 512, 128, window=window, return_complex=True)
        return (D.real.square() + D.imag.square() + 1e-6) ** power

    rms = clean.square().mean().sqrt()
    off = compressed(estimate / rms) - compressed(clean / rms)
    off = off.square() if bend is None else bend(off)
    error, energy = (estimate - clean).square().sum(), clean.square().sum()
    ratio = getattr(torch, log)((error + floor * energy) / energy)
    return snr * per * ratio + weight * (off.sum() if over == "sum" else off.mean())


def _as_read(fn):
    """Return a model that takes tensors from a learner's call, and arrays from a comparison."""
    return lambda estimate, clean: (
        _read_training(fn, estimate, clean)
        if isinstance(estimate, np.ndarray)
        else fn(estimate, clean)
    )


def _trained_with(**changes):
    return _as_read(functools.partial(_training_loss, **changes))


TRAIN_SLIPS = (
    ("no slope", _as_read(lambda e, s: _training_loss(e, s).detach())),
    ("no floor", _trained_with(floor=0.0)),
    ("SNR alone", _trained_with(weight=0.0)),
    ("magnitudes alone", _trained_with(snr=0.0)),
    ("the ten forgotten", _trained_with(weight=1.0)),
    ("SNR upside down", _trained_with(snr=-1.0)),
    ("20 instead of 10", _trained_with(per=20.0)),
    ("natural logarithm", _trained_with(log="log")),
    ("summed", _trained_with(over="sum")),
    ("not squared", _trained_with(bend=lambda off: off.abs())),
    ("a root too many", _as_read(lambda e, s: _training_loss(e, s, weight=0.0)
                                 + 10 * (_training_loss(e, s, snr=0.0) / 10).sqrt())),
)  # fmt: skip


def _heard_training(fn):
    """Return what 60 steps with a loss make of a mixture that no step has heard."""
    import torch

    frames = {"n_fft": 512, "hop_length": 128}
    voice = audio.clip("librivox_a")[0][16000:48000].astype(float)
    rain = audio.clip("rain")[0].astype(float)
    lesson = audio.mix(voice, rain[: voice.size], snr_db=0)
    X = torch.from_numpy(stft.stft(lesson, **frames))[None]
    clean = torch.from_numpy(voice)
    window = torch.hann_window(512, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = torch.nn.Conv1d(257, 32, 3, padding=1), torch.nn.ReLU()
        last = torch.nn.Conv1d(32, 257, 1), torch.nn.Sigmoid()
        network = torch.nn.Sequential(*layers, *last).double()
        adam = torch.optim.Adam(network.parameters(), lr=4e-3)
        for _ in range(60):
            D = network((X.abs() + 1e-3).log()) * X
            made = torch.istft(D, 512, 128, window=window, length=clean.numel())
            cost = fn(made[0], clean)
            adam.zero_grad()
            cost.backward()
            adam.step()
    X = torch.from_numpy(stft.stft(_exam()[0], **frames))[None]
    with torch.no_grad():
        D = (network((X.abs() + 1e-3).log()) * X)[0].numpy()
    return stft.istft(D, hop_length=128, length=_exam()[0].size)


def _exam():
    """Return a mixture that no step has heard, and its voice."""
    voice = audio.clip("arctic_awb")[0][:32000].astype(float)
    rain = audio.clip("rain")[0].astype(float)
    return audio.mix(voice, rain[32000:64000], snr_db=0), voice


def _training_heard(own, right, *args):
    noisy, voice = _exam()
    by_snr = _heard_training(functools.partial(_training_loss, weight=0.0))
    return {"noisy": noisy, "by your loss": own, "by the SNR alone": by_snr, "voice": voice}


# ---- what a right function makes ----------------------------------------------------------------


def si_sdr_view():
    """Return levels of noise [dB re the target], and such noisy copies at half the level."""
    levels = np.arange(-40.0, 11, 2)
    target, noise = _noise(2000, 1), _noise(2000, 2)
    return levels, [(0.5 * (target + 10 ** (db / 20) * noise), target) for db in levels]


def landscape_view():
    """Return detunings [cents] and tones that are so much too high, beside the tone itself."""
    cents = np.arange(-300.0, 301, 20)
    return cents, [(_tone(c), _tone(0), [256, 1024]) for c in cents]


def tones_view():
    """Return the same detunings and tones, for a loss that needs no sizes."""
    cents, calls = landscape_view()
    return cents, [call[:2] for call in calls]


def fool_view():
    """Return ratios [dB] for which a sound is to be made."""
    ratios = np.arange(3.0, 41, 1)
    return ratios, [(_noise(500, 3), db) for db in ratios]


def _levels(sounds):
    return 20 * np.log10(np.std(sounds, axis=-1) / np.std(_noise(500, 3)))


CHECKS = {
    "31.si_sdr": Check(
        si_sdr_probes,
        _ratio,
        SI_SDR_SLIPS,
        atol=1e-6,
        shows=Curve(si_sdr_view, "level of the noise [dB re the target]", "SI-SDR [dB]"),
    ),
    "31.multi": Check(
        multi_probes,
        _multi,
        MULTI_SLIPS,
        atol=1e-9,
        shows=Curve(landscape_view, "detuning of a tone [cents]", "loss"),
    ),
    "31.fool": Check(
        fool_probes,
        _fool,
        FOOL_SLIPS,
        atol=1e-9,
        shows=Curve(fool_view, "SNR [dB]", "level [dB re the target]", _levels),
    ),
    "31.trained": learned(
        _read_training,
        "a tensor that holds one number",
        train_probes,
        functools.partial(_read_training, _training_loss),
        TRAIN_SLIPS,
        atol=1e-7,
        seconds=30.0,  # PyTorch wakes up slowly on a busy machine
        shows=Sound(lambda: ("train", ""), _training_heard, SR),
    ),
    "31.design": Check(
        design_probes,
        _design,
        DESIGN_SLIPS,
        atol=1e-9,
        goals=DESIGN_GOALS,
        measured=_design_measured,
        shows=Curve(
            tones_view,
            "detuning of a tone [cents]",
            "loss",
            other="ours",
        ),
    ),
}
