"""Facts about losses: formulas, gradients, what stays finite, other libraries, and what each loss
refuses.
"""

import csv
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import _weights, audio, losses, mel, metrics, signals, stft
from helpers.losses import base, deep, perceptual, spectral, waveform
from helpers.loudness import weighting
from tools.training import loss_features

auraloss = pytest.importorskip("auraloss")

SR = 16000
DISTANCES = {
    "L1": losses.L1(),
    "L2": losses.L2(),
    "ESR": losses.ESR(),
    "linear L1": losses.Magnitude(),
    "linear L2": losses.Magnitude(p=2),
    "power L1": losses.Magnitude(domain="power"),
    "power L2": losses.Magnitude(domain="power", p=2),
    "log L1": losses.LogMagnitude(),
    "log L2": losses.Magnitude(domain="log", p=2),
    "mel L1": losses.Magnitude(domain="mel", n_mels=20),
    "mel L2": losses.Magnitude(domain="mel", p=2, n_mels=20),
    "log-mel L1": losses.Magnitude(domain="log-mel", n_mels=20),
    "log-mel L2": losses.Magnitude(domain="log-mel", p=2, n_mels=20),
    "convergence": losses.SpectralConvergence(),
    "multi-resolution": losses.MultiResolutionSTFT(),
    "multi-resolution, mel": losses.MultiResolutionSTFT(n_mels=20),
    "multi-resolution, A": losses.MultiResolutionSTFT(a_weighting=True),
    "complex": losses.ComplexSTFT(),
    "phase-sensitive": losses.PhaseSensitive(),
    "pre-emphasis": losses.PreEmphasis(),
    "A-weighting": losses.AWeighting(),
    "deep": losses.DeepFeatures(),
}
RATIOS = {"SNR": losses.SNR(), "SI-SDR": losses.SISDR()}
EVERY = DISTANCES | RATIOS


@pytest.fixture(params=EVERY)
def loss(request):
    """Every loss, in its default form and in others."""
    return EVERY[request.param]


def noise(*shape, seed=0, dtype=torch.float64):
    """Noise at -20 dBFS."""
    return 0.1 * torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def sine(cents=0.0, *, n=SR, phase=0.0, amp=1.0):
    """A tone of 440 Hz, or beside it, as a batch of one."""
    turns = 440 * 2 ** (cents / 1200) * np.arange(n) / SR
    return losses.batch(amp * np.sin(2 * np.pi * turns + phase))


# ---- what all of them have in common -------------------------------------------------------------


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 4001), (2, 3, 3000)])
def test_a_distance_is_zero_at_equality_and_positive_elsewhere(name, dtype, shape):
    target, estimate = noise(*shape, dtype=dtype), noise(*shape, seed=1, dtype=dtype)
    assert DISTANCES[name](target.clone(), target) == 0
    value = DISTANCES[name](estimate, target)
    assert value > 0 and value.shape == () and value.dtype == dtype


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_lowest_at_equality(name):
    target = noise(1, 2, 4000)
    assert (
        RATIOS[name](target.clone(), target)
        < -60
        < 0
        < RATIOS[name](noise(1, 2, 4000, seed=1), target)
    )


@pytest.mark.parametrize(
    "case", ["equality", "silent estimate", "silent target", "both silent", "one sample"]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_are_finite_where_formulas_divide_by_zero(loss, case, dtype):
    target = noise(1, 1, 1 if case == "one sample" else 3000, dtype=dtype)
    silence = torch.zeros_like(target)
    estimate = {"equality": target, "silent target": noise(1, 1, 3000, seed=1, dtype=dtype)}.get(
        case, silence
    )
    estimate = estimate.clone().requires_grad_()
    value = loss(
        estimate, target if case in ("equality", "silent estimate", "one sample") else silence
    )
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(estimate.grad).all()


def test_the_gradient_is_what_finite_differences_say(loss):
    """Along random directions, in double precision, for two channels of odd length."""
    estimate, target = noise(1, 2, 1001, seed=1).requires_grad_(), noise(1, 2, 1001)
    loss(estimate, target).backward()
    for seed in range(3):
        direction = noise(1, 2, 1001, seed=10 + seed)
        with torch.no_grad():
            up, down = (loss(estimate + step * direction, target) for step in (1e-6, -1e-6))
        slope = (up - down) / 2e-6
        assert float((estimate.grad * direction).sum()) == pytest.approx(
            float(slope), rel=2e-4, abs=1e-7
        )


def test_a_batch_is_the_mean_of_its_channels(loss):
    estimate, target = noise(2, 3, 3000, seed=1), noise(2, 3, 3000)
    alone = [
        loss(estimate[b : b + 1, c : c + 1], target[b : b + 1, c : c + 1])
        for b in range(2)
        for c in range(3)
    ]
    assert float(loss(estimate, target)) == pytest.approx(float(sum(alone) / 6), rel=1e-9)


def test_going_down_the_gradient_lowers_it(loss):
    estimate, target = (
        noise(1, 1, 3000, seed=1, dtype=torch.float32).requires_grad_(),
        noise(1, 1, 3000),
    )
    before = loss(estimate, target.float())
    before.backward()
    with torch.no_grad():
        after = loss(estimate - 1e-3 * estimate.grad / estimate.grad.abs().max(), target.float())
    assert after < before


BAD = {
    "lengths": (noise(1, 1, 100), noise(1, 1, 99), r"\(1, 1, 100\) but target \(1, 1, 99\); cut"),
    "channels": (noise(1, 1, 100), noise(1, 2, 100), "but target"),
    "NaN": (
        noise(1, 1, 100) * torch.nan,
        noise(1, 1, 100),
        "estimate holds 100 NaN or infinite values of 100",
    ),
    "infinite": (noise(1, 1, 100), noise(1, 1, 100) / 0, "target holds 100 NaN"),
    "empty": (noise(1, 1, 0), noise(1, 1, 0), r"\(1, 1, 0\), so it is empty"),
    "integers": (
        torch.ones(1, 1, 9, dtype=torch.int16),
        noise(1, 1, 9),
        "int16; pass floats .* / 32768",
    ),
    "complex": (noise(1, 1, 9) + 1j, noise(1, 1, 9), "complex128; pass floats"),
    "one axis": (noise(100), noise(100), r"\(100,\); pass \(batch, channels, n\)"),
    "NumPy": (
        np.ones((1, 1, 9)),
        noise(1, 1, 9),
        r"ndarray, no tensor; pass losses.batch\(estimate\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_with_its_remedy(loss, case):
    estimate, target, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        loss(estimate, target)


def test_options_that_do_not_exist_are_refused():
    for make, words in [
        (lambda: losses.Magnitude(domain="bark"), "no domain 'bark'; choose from linear"),
        (lambda: losses.Magnitude(p=3), "no exponent p 3; choose from 1, 2"),
        (lambda: losses.Magnitude(pad_mode="wrap"), "no pad_mode 'wrap'"),
        (lambda: losses.PreEmphasis(coef=1.5), "coef=1.5"),
        (lambda: losses.MultiResolutionSTFT(resolutions=[]), "resolutions is empty"),
        (lambda: losses.AWeighting(curve="Q")(noise(1, 1, 9), noise(1, 1, 9)), "no weighting 'Q'"),
        (
            lambda: losses.Magnitude(pad_mode="reflect")(noise(1, 1, 9), noise(1, 1, 9)),
            "cannot be mirrored",
        ),
        (lambda: losses.batch(np.arange(4)), "holds int64"),
        (lambda: losses.batch(np.zeros((1, 1, 1, 1))), "shape"),
    ]:
        with pytest.raises(ValueError, match=words):
            make()


def test_batch_adds_the_axes_that_are_missing():
    assert (
        losses.batch([0.5, 0.5]).shape == (1, 1, 2)
        and losses.batch(np.zeros((2, 5), "f4")).dtype == torch.float32
    )
    assert (
        losses.batch(np.zeros((3, 2, 5))).shape == (3, 2, 5)
        and losses.batch(np.zeros(5)).dtype == torch.float64
    )
    assert losses.batch(np.arange(6.0)[::-2]).flatten().tolist() == [5, 3, 1]


def test_every_loss_states_its_formula_or_source():
    for room in (waveform, spectral, perceptual, deep):
        for name in set(losses.__all__) & set(vars(room)):
            thing = vars(room)[name]
            if isinstance(thing, type) and issubclass(thing, base.Loss) and thing is not base.Loss:
                assert (
                    ":math:" in thing.__doc__
                    or ".. math::" in thing.__doc__
                    or "References" in thing.__doc__
                ), name


# ---- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(("degrees", "expected"), [(30, 0.134), (90, 1.0), (180, 2.0)])
def test_a_turned_sine_has_a_squared_error_of_one_minus_the_cosine(degrees, expected):
    phi = np.radians(degrees)
    value = float(losses.L2()(sine(phase=phi), sine()))
    assert value == pytest.approx(1 - np.cos(phi), abs=1e-12) and value == pytest.approx(
        expected, abs=5e-4
    )


@pytest.mark.parametrize("degrees", [30, 90, 180])
def test_the_spectral_convergence_hardly_sees_a_turned_sine(degrees):
    """-35 dB or less with frames of 1024 samples; what is left are the ends, where a cut tone
    leaks.
    """
    loss = losses.SpectralConvergence(n_fft=1024, hop_length=256)
    y = [sine(phase=phi) for phi in (np.radians(degrees), 0.0)]
    assert 20 * np.log10(float(loss(*y)) + 1e-15) <= -35
    D = [loss.stft(x)[..., 4:-4] for x in y]
    assert 20 * np.log10(float(loss.compare(*D)) + 1e-15) <= -60


def test_si_sdr_sees_neither_gain_nor_sign():
    """30.9 dB for e, 10e and -e, where the SNR of e / 2 falls to 6.0 dB."""
    y = sine()
    noisy = y + 0.02 * noise(1, 1, SR) / 0.1
    values = [float(losses.SISDR()(gain * noisy, y)) for gain in (1, 10, -1)]
    assert values == pytest.approx([values[0]] * 3, abs=1e-6) and -values[0] == pytest.approx(
        30.9, abs=0.15
    )
    assert float(losses.SNR()(0.5 * noisy, y)) == pytest.approx(-6.0, abs=0.05)
    assert (
        float(losses.SISDR()(-y, y)) < -100 and float(losses.SISDR()(sine(phase=np.pi / 2), y)) > 79
    )


def checks():
    """Rows of the table of SI-SDR checks."""
    from pathlib import Path

    path = Path(__file__).parents[1] / "data" / "tables" / "si_sdr_checks.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_toy_vector_of_the_table():
    row = checks()[0]
    e, s = (losses.batch([float(v) for v in part]) for part in ((2.5, 0, 2, 8), (3, -0.5, 2, 7)))
    assert -float(losses.SISDR()(e, s)) == pytest.approx(float(row["computed_si_sdr_db"]), abs=1e-6)
    assert -float(losses.SNR()(e, s)) == pytest.approx(float(row["computed_snr_db"]), abs=1e-6)
    zero_mean = float(checks()[1]["computed_si_sdr_db"])
    assert -float(losses.SISDR(zero_mean=True)(e, s)) == pytest.approx(zero_mean, abs=1e-6)
    for gain in (0.1, 0.5, 2.0, -1.0):
        assert -float(losses.SISDR()(gain * e, s)) == pytest.approx(18.402992, abs=1e-5)


@pytest.mark.parametrize("samples", [1, 2])
def test_a_delay_of_a_sine(samples):
    phi = 2 * np.pi * 1000 * samples / SR
    t = np.arange(SR)
    e, s = (losses.batch(np.sin(2 * np.pi * 1000 * (t - d) / SR)) for d in (samples, 0))
    assert -float(losses.SISDR()(e, s)) == pytest.approx(
        10 * np.log10(1 / np.tan(phi) ** 2), abs=1e-6
    )
    assert -float(losses.SNR()(e, s)) == pytest.approx(
        -20 * np.log10(2 * np.sin(phi / 2)), abs=1e-6
    )


def test_an_offset_is_heard_unless_the_mean_is_taken_off():
    y = sine()
    assert -float(losses.SISDR()(y + 0.1, y)) == pytest.approx(16.9897, abs=1e-4)
    assert -float(losses.SISDR(zero_mean=True)(y + 0.1, y)) > 100


def test_a_gain_in_every_domain():
    """Twice the sound: the logarithms differ by log 2, the rest grows with level."""
    y = noise(1, 1, 8000)
    assert float(losses.LogMagnitude()(2 * y, y)) == pytest.approx(np.log(2), abs=1e-6)
    assert float(losses.Magnitude(domain="log-mel", n_mels=20)(2 * y, y)) == pytest.approx(
        np.log(2), abs=1e-6
    )
    assert float(losses.SpectralConvergence()(2 * y, y)) == pytest.approx(1, abs=1e-6)
    S = np.abs(stft.stft(y[0, 0].numpy(), n_fft=512, hop_length=128))
    assert float(losses.Magnitude()(2 * y, y)) == pytest.approx(S.mean(), rel=1e-6)
    assert float(losses.Magnitude(domain="power")(2 * y, y)) == pytest.approx(
        3 * (S**2).mean(), rel=1e-6
    )


def test_phase_sensitive_hears_what_lies_along_the_target_only():
    """An estimate turned by 90 degrees in every bin adds nothing along the target; half of it costs
    the rest.
    """
    S = torch.randn(1, 257, 9, generator=torch.Generator().manual_seed(0), dtype=torch.complex128)
    loss = losses.PhaseSensitive()
    turned = S * (1 + 0.7j)
    assert (
        loss.compare(turned, S).mean() < 1e-20
        and losses.ComplexSTFT().compare(turned, S).mean() > 0.5
    )
    assert float(loss.compare(0.5j * S, S).mean()) == pytest.approx(
        float((S.abs() ** 2).mean()), rel=1e-9
    )


# ---- NumPy's twins -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4000, 4001])
def test_metrics_in_numpy_agree(n):
    e, s = noise(1, 2, n, seed=1), noise(1, 2, n)
    e = (
        0.5 * s + 0.2 * e
    )  # near 0 dB, where the small constants that keep a loss finite do not count
    pair = e[0].numpy(), s[0].numpy()
    twins = {"snr": losses.SNR(), "si_sdr": losses.SISDR()}
    for name, loss in twins.items():
        assert getattr(metrics, name)(*pair).mean() == pytest.approx(-float(loss(e, s)), abs=1e-5)
    esr = 10 ** (-metrics.snr(*pair) / 10)  # the error-to-signal ratio is the SNR upside down
    assert esr.mean() == pytest.approx(float(losses.ESR()(e, s)), rel=1e-6)
    db = metrics.spectral_convergence_db(pair[0][:1], pair[1][:1], n_fft=1024, hop_length=256)[0]
    ours = losses.SpectralConvergence(n_fft=1024, hop_length=256)(e[:, :1], s[:, :1])
    assert db == pytest.approx(20 * np.log10(float(ours)), abs=1e-5)


def test_the_stft_is_the_courses():
    y = noise(1, 1, 5001)
    D = losses.Magnitude(n_fft=1024, hop_length=256, win_length=600).stft(y)[0].numpy()
    np.testing.assert_allclose(
        D, stft.stft(y[0, 0].numpy(), n_fft=1024, hop_length=256, win_length=600), atol=1e-10
    )


def test_mel_bands_are_the_courses():
    y = signals.sweep(100, 7000, sr=SR, duration=0.5, amp=0.1)
    M = losses.Magnitude(domain="mel", n_mels=40, n_fft=1024, hop_length=256).view
    ours = mel.mel_spectrogram(y, sr=SR, n_fft=1024, hop_length=256, n_mels=40, power=1.0)
    loss = losses.Magnitude(domain="mel", n_mels=40, n_fft=1024, hop_length=256)
    theirs = M(loss.stft(losses.batch(np.asarray(y, np.float64))))[0].numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("hz", [50, 100, 1000, 4000, 7000])
def test_a_weighting_is_the_curve_of_the_meter(hz):
    y = losses.batch(0.1 * np.sin(2 * np.pi * hz * np.arange(SR) / SR))
    ratio = losses.AWeighting()(y, torch.zeros_like(y)) / losses.L2()(y, torch.zeros_like(y))
    assert 10 * np.log10(float(ratio)) == pytest.approx(float(weighting([hz])[0]), abs=0.25)


def test_pre_emphasis_has_the_gains_of_the_table():
    """-16.478 dB at 0 Hz and 5.343 dB at half the rate, for 0.85."""
    n = np.arange(4000)
    for y, db in (
        (np.ones(4000), -16.478),
        ((-1.0) ** n, 5.343),
        (np.sin(2 * np.pi * n / 16), -8.184),
    ):
        filtered = base.emphasise(losses.batch(y), 0.85)[0, 0, 160:].numpy()  # whole periods
        assert metrics.level_db(filtered) - metrics.level_db(y[160:]) == pytest.approx(db, abs=2e-3)


# ---- other libraries -----------------------------------------------------------------------------

MIRRORED = {"n_fft": 1024, "hop_length": 256, "pad_mode": "reflect"}
AGREE = {
    "ESR": (losses.ESR(), auraloss.time.ESRLoss()),
    "SNR": (losses.SNR(zero_mean=True), auraloss.time.SNRLoss()),
    "SNR, with its mean": (losses.SNR(), auraloss.time.SNRLoss(zero_mean=False)),
    "SI-SDR": (losses.SISDR(zero_mean=True), auraloss.time.SISDRLoss()),
    "SI-SDR, with its mean": (losses.SISDR(), auraloss.time.SISDRLoss(zero_mean=False)),
    "convergence": (losses.SpectralConvergence(**MIRRORED), auraloss.freq.STFTLoss(w_log_mag=0)),
    "log magnitude": (losses.LogMagnitude(**MIRRORED), auraloss.freq.STFTLoss(w_sc=0)),
    "log magnitude, L2": (
        losses.Magnitude(domain="log", p=2, **MIRRORED),
        auraloss.freq.STFTLoss(w_sc=0, mag_distance="L2"),
    ),
    "linear magnitude": (
        losses.Magnitude(**MIRRORED),
        auraloss.freq.STFTLoss(w_sc=0, w_log_mag=0, w_lin_mag=1),
    ),
    "mel": (
        losses.Magnitude(domain="mel", n_mels=64, **MIRRORED),
        auraloss.freq.MelSTFTLoss(SR, w_sc=0, w_log_mag=0, w_lin_mag=1, n_mels=64),
    ),
    "log-mel": (
        losses.Magnitude(domain="log-mel", n_mels=64, **MIRRORED),
        auraloss.freq.MelSTFTLoss(SR, w_sc=0, n_mels=64),
    ),
    "multi-resolution": (
        losses.MultiResolutionSTFT(pad_mode="reflect"),
        auraloss.freq.MultiResolutionSTFTLoss(),
    ),
    "multi-resolution, mel": (
        losses.MultiResolutionSTFT(pad_mode="reflect", n_mels=20),
        auraloss.freq.MultiResolutionSTFTLoss(sample_rate=SR, scale="mel", n_bins=20),
    ),
    "multi-resolution, linear": (
        losses.MultiResolutionSTFT(pad_mode="reflect", linear=0.5, log=0.1),
        auraloss.freq.MultiResolutionSTFTLoss(w_lin_mag=0.5, w_log_mag=0.1),
    ),
}


@pytest.mark.parametrize("name", AGREE)
@pytest.mark.parametrize("seed", [0, 1])
def test_auraloss_agrees(name, seed):
    ours, theirs = AGREE[name]
    e, s = (
        noise(1, 1, 8000, seed=10 + seed, dtype=torch.float32),
        noise(1, 1, 8000, seed=seed, dtype=torch.float32),
    )
    assert float(ours(e, s)) == pytest.approx(float(theirs(e, s)), rel=1e-5, abs=1e-5)


def test_auraloss_means_over_samples_and_over_a_batch_are_ours():
    e, s = noise(4, 2, 8000, seed=1, dtype=torch.float32), noise(4, 2, 8000, dtype=torch.float32)
    for name in ("ESR", "SI-SDR", "log magnitude", "linear magnitude"):
        ours, theirs = AGREE[name]
        assert float(ours(e, s)) == pytest.approx(float(theirs(e, s)), rel=1e-5, abs=1e-5)


def test_auraloss_takes_one_norm_of_a_batch_and_we_take_one_each():
    """A quiet clip beside a loud one: in one norm it does not count."""
    s = noise(2, 1, 8000, dtype=torch.float32) * torch.tensor([1.0, 0.01]).reshape(2, 1, 1)
    e = s * torch.tensor([1.0, 2.0]).reshape(2, 1, 1)  # the quiet one is wrong by 100 %
    ours, theirs = AGREE["convergence"]
    assert float(ours(e, s)) == pytest.approx(0.5, abs=1e-3) and float(theirs(e, s)) < 0.02


def test_auralosses_high_pass_is_pre_emphasis_one_sample_late():
    """Its filter is z^-1 - c, ours 1 - c z^-1: one magnitude, so they part at the ends only."""
    e, s = noise(1, 1, 8000, seed=1, dtype=torch.float32), noise(1, 1, 8000, dtype=torch.float32)
    theirs = auraloss.time.ESRLoss()(*auraloss.perceptual.FIRFilter("hp", coef=0.85)(e, s))
    assert float(losses.PreEmphasis()(e, s)) == pytest.approx(float(theirs), rel=1e-3)


def test_auralosses_a_weighting_strays_from_the_curve_in_the_bass():
    """101 taps cannot fall by 30 dB at 50 Hz; from 1 kHz on the two agree."""
    fir = auraloss.perceptual.FIRFilter("aw", fs=44100)
    taps = fir.fir.weight.detach().numpy().ravel()
    gain = 20 * np.log10(
        np.abs(
            [taps @ np.exp(-2j * np.pi * hz * np.arange(101) / 44100) for hz in (50, 1000, 4000)]
        )
    )
    curve = weighting([50, 1000, 4000])
    assert np.abs(gain - curve)[1:].max() < 1 < 3 < np.abs(gain - curve)[0]


def test_torchmetrics_agrees():
    audio_metrics = pytest.importorskip("torchmetrics.functional.audio")
    e, s = noise(3, 2, 8000, seed=1, dtype=torch.float32), noise(3, 2, 8000, dtype=torch.float32)
    e = 0.5 * s + 0.2 * e
    pairs = [
        (losses.SISDR(), audio_metrics.scale_invariant_signal_distortion_ratio),
        (losses.SISDR(zero_mean=True), audio_metrics.scale_invariant_signal_noise_ratio),
        (losses.SNR(), audio_metrics.signal_noise_ratio),
    ]
    for ours, theirs in pairs:
        assert -float(ours(e, s)) == pytest.approx(float(theirs(e, s).mean()), abs=1e-5)


def test_torch_agrees():
    e, s = noise(3, 2, 500, seed=1), noise(3, 2, 500)
    assert torch.equal(losses.L1()(e, s), torch.nn.functional.l1_loss(e, s))
    assert torch.equal(losses.L2()(e, s), torch.nn.functional.mse_loss(e, s))


def test_empty_mel_bands_do_not_end_in_infinity():
    """auraloss takes the log of 0 there; with 200 bands at n_fft = 512 and 16 kHz some are
    empty.
    """
    y = noise(1, 1, 8000, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = losses.MultiResolutionSTFT(n_mels=200)
        theirs = auraloss.freq.MultiResolutionSTFTLoss(sample_rate=SR, scale="mel", n_bins=200)
    assert torch.isfinite(ours(2 * y, y)) and not torch.isfinite(theirs(2 * y, y))


def test_a_voice_gives_the_same_in_both_precisions(loss):
    y = audio.clip("voice_a")[0][8000:16000].astype(np.float64)
    e, s = (
        losses.batch(0.8 * y + signals.white_noise(sr=SR, duration=0.5, level_db=-40)),
        losses.batch(y),
    )
    assert float(loss(e.float(), s.float())) == pytest.approx(float(loss(e, s)), rel=1e-3, abs=1e-6)


# ---- the network ---------------------------------------------------------------------------------


def test_the_weights_are_small_and_no_program():
    """A .safetensors file starts with the length of its header; a pickle would start with 0x80."""
    data = deep.WEIGHTS.read_bytes()
    assert len(data) < 200_000
    assert data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data)


def test_missing_or_broken_weights_say_how_to_get_them_back(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*gone.safetensors'"):
        losses.DeepFeatures(tmp_path / "gone.safetensors")
    monkeypatch.setattr(_weights, "FOLDER", tmp_path)  # the course's own
    with pytest.raises(
        FileNotFoundError, match=r"gone.safetensors is missing; get it back with: git checkout"
    ):
        losses.DeepFeatures(tmp_path / "gone.safetensors")
    for name, data in {
        "cut": deep.WEIGHTS.read_bytes()[:5000],
        "text": b"hello",
        "empty": b"",
    }.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
        with pytest.raises(ValueError, match=r"does not hold these weights .* get it back"):
            losses.DeepFeatures(tmp_path / f"{name}.safetensors")
    import safetensors.torch

    safetensors.torch.save_file({"scale": torch.ones(4)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="does not hold these weights"):
        losses.DeepFeatures(tmp_path / "other.safetensors")


def test_the_network_knows_the_changes_of_a_voice_that_it_never_heard():
    """Chance would be one in eight; the shipped voices were not in the training."""
    voices = [audio.clip(name)[0] for name in ("voice_a", "voice_b", "digits")]
    assert loss_features.accuracy(losses.DeepFeatures().network, voices, count=240) > 0.6


def test_each_change_does_something_of_its_own():
    y = audio.clip("voice_a")[0][8000:24000].astype(np.float64)
    made = {kind: loss_features.change(y, kind, np.random.default_rng(0)) for kind in deep.CHANGES}
    np.testing.assert_array_equal(made.pop("nothing"), y)
    for kind, changed in made.items():
        assert changed.shape == y.shape and np.isfinite(changed).all(), kind
        assert metrics.snr(changed, y) < 45, kind
    S = np.abs(np.fft.rfft(made["low-pass"]))
    assert S[4100:].max() < 1e-6 and np.unique(np.round(made["few bits"], 9)).size < 200


def test_training_lowers_the_loss_and_is_the_same_every_time(capsys):
    voices = [audio.clip("voice_a")[0]]
    first, again = (loss_features.train(voices, steps=2, seed=3) for _ in range(2))
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert "step 0: 2." in capsys.readouterr().out  # near log 8, which is chance


def test_unrelated_clips_are_about_one_apart():
    a, b = (losses.batch(audio.clip(name)[0][8000:24000]) for name in ("voice_a", "voice_b"))
    assert 0.5 < float(losses.DeepFeatures()(a, b)) < 1.6
    assert float(losses.DeepFeatures()(-a, a)) == 0  # as deaf to polarity as its mel spectrogram
