"""Facts about test signals: their spectra, levels and errors are known in closed form."""

import itertools

import librosa
import numpy as np
import pytest
import scipy.signal

from helpers import metrics, signals
from tools.measure import make_clips

SR = 16000


def lines(y, sr=SR):
    """Peak amplitude per DFT bin; exact for sines with whole periods."""
    return np.fft.rfftfreq(len(y), 1 / sr), 2 * np.abs(np.fft.rfft(y)) / len(y)


def octaves_db(y, sr=SR):
    """Power in the octave bands 125-250, ... 2000-4000 Hz [dB]."""
    freqs, power = scipy.signal.welch(y, sr, nperseg=4096)
    edges = 125 * 2.0 ** np.arange(6)
    return 10 * np.log10(
        [power[(freqs >= a) & (freqs < b)].sum() for a, b in itertools.pairwise(edges)]
    )


@pytest.mark.parametrize("freq", [100, 1000, 7900])
@pytest.mark.parametrize("amp", [1.0, 0.25])
def test_a_sine_is_one_line_of_its_amplitude(freq, amp):
    freqs, amps = lines(signals.sine(freq, sr=SR, duration=1.0, amp=amp, phase=0.3))
    assert amps[freqs == freq] == pytest.approx(amp, rel=1e-9)
    assert np.sum(amps > 1e-9) == 1


@pytest.mark.parametrize("freq", [9000, 12345, 15999])
def test_a_sine_past_nyquist_is_the_mirrored_sine(freq):
    folded = -signals.sine(SR - freq, sr=SR, duration=0.1)
    np.testing.assert_allclose(signals.sine(freq, sr=SR, duration=0.1), folded, atol=1e-9)


@pytest.mark.parametrize(
    ("sr", "duration", "n"),
    [(16000, 0.5, 8000), (44100, 0.1, 4410), (20, 1.0, 20), (8000, 0.0001, 1)],
)
def test_the_length_is_rounded(sr, duration, n):
    assert len(signals.sine(1, sr=sr, duration=duration)) == n


@pytest.mark.parametrize(("f0", "f1"), [(100, 7000), (7000, 100), (440, 440)])
def test_a_sweep_is_scipy_s_logarithmic_chirp(f0, f1):
    t = np.arange(SR) / SR
    theirs = scipy.signal.chirp(t, f0, 1.0, f1, method="logarithmic", phi=-90)
    np.testing.assert_allclose(
        signals.sweep(f0, f1, sr=SR, duration=1.0, amp=0.5), 0.5 * theirs, atol=1e-8
    )


def test_a_sweep_spends_equal_times_in_equal_ratios():
    y = signals.sweep(100, 1600, sr=SR, duration=4.0)  # four octaves, one second each
    crossings = [np.count_nonzero(np.diff(np.signbit(part))) / 2 for part in y.reshape(4, SR)]
    # the mean frequency of an exponential glide from f to 2f is f / ln 2
    np.testing.assert_allclose(crossings, np.array([100, 200, 400, 800]) / np.log(2), atol=1.1)


def test_harmonics_fall_like_a_sawtooth():
    freqs, amps = lines(signals.harmonics(100, sr=SR, duration=1.0, n=20, amp=0.4))
    for k in range(1, 21):
        assert amps[freqs == 100 * k] == pytest.approx(0.4 / k)
    assert np.sum(amps > 1e-9) == 20
    assert (
        np.abs(signals.harmonics(100, sr=SR, duration=1.0, n=79, amp=1.0)).max() < 1.86
    )  # Si(pi) = 1.852


def test_a_partial_past_nyquist_is_refused():
    assert len(signals.harmonics(1000, sr=SR, duration=0.1, n=7)) == 1600
    with pytest.raises(ValueError, match=r"partial 8 of 1000 Hz lies at 8000 Hz.*use n <= 7"):
        signals.harmonics(1000, sr=SR, duration=0.1, n=8)


@pytest.mark.parametrize("make", [signals.white_noise, make_clips.pink_noise])
def test_noise_has_its_level_and_follows_its_seed(make):
    y = make(sr=SR, duration=1.0, level_db=-23.0, seed=5)
    assert metrics.level_db(y) == pytest.approx(-23.0, abs=1e-9)
    np.testing.assert_array_equal(y, make(sr=SR, duration=1.0, level_db=-23.0, seed=5))
    assert abs(np.corrcoef(y, make(sr=SR, duration=1.0, level_db=-23.0, seed=6))[0, 1]) < 0.2


def test_white_noise_gains_three_decibels_an_octave_and_pink_none():
    white = octaves_db(signals.white_noise(sr=SR, duration=60.0, level_db=-20.0))
    pink = octaves_db(make_clips.pink_noise(sr=SR, duration=60.0, level_db=-20.0, seed=0))
    np.testing.assert_allclose(np.diff(white), 10 * np.log10(2), atol=0.25)
    np.testing.assert_allclose(np.diff(pink), 0.0, atol=0.25)
    one = make_clips.pink_noise(sr=SR, duration=1.0, level_db=-20.0, seed=0)
    assert np.fft.rfft(one)[0] == pytest.approx(0, abs=1e-9)


def test_a_click_holds_every_frequency_equally():
    y = signals.click(sr=SR, duration=0.1, at=0.05, amp=0.5)
    np.testing.assert_allclose(np.abs(np.fft.rfft(y)), 0.5, atol=1e-12)
    assert np.flatnonzero(y) == [800]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4000,), (2, 4001)])
def test_a_fade_leaves_the_middle_and_comes_from_zero(dtype, shape):
    y = signals.fade(np.ones(shape, dtype=dtype), sr=SR, ms=20)
    assert (y.dtype, y.shape) == (dtype, shape)
    assert np.all(y[..., [0, -1]] == 0) and np.all(y[..., 320:-320] == 1)
    np.testing.assert_allclose(y, y[..., ::-1], atol=1e-6)
    # a raised cosine and its mirror image add up to 1 (the fade's first half mirrors its second
    # about 1/2)
    np.testing.assert_allclose(y[..., 1:320] + y[..., 319:0:-1], 1, atol=1e-6)


def test_a_fade_does_not_touch_what_it_is_given():
    y = np.ones(1000)
    signals.fade(y, sr=SR, ms=10)
    assert np.all(y == 1)


# --- quantisation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", range(6, 17))
def test_each_bit_buys_six_decibels(bits):
    y = signals.sine(441.7, sr=SR, duration=4.0, amp=1 - 2.0 ** (1 - bits))
    got = metrics.snr(signals.quantize(y, bits=bits), y)
    level = 20 * np.log10(1 - 2.0 ** (1 - bits))
    assert got == pytest.approx(
        6.0206 * bits + 1.7609 + level, abs=0.15 if bits >= 8 else 0.3
    )  # the error of few steps is no noise


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_there_are_two_to_the_bits_values_on_a_grid_with_zero(bits):
    y = signals.quantize(np.linspace(-1.5, 1.5, 60001), bits=bits)
    values = np.unique(y)
    assert len(values) == 2**bits and 0 in values
    np.testing.assert_allclose(np.diff(values), 2.0 ** (1 - bits))
    assert (values[0], values[-1]) == (-1, 1 - 2.0 ** (1 - bits))


def test_quantising_twice_changes_nothing_and_keeps_the_dtype():
    y = signals.white_noise(sr=SR, duration=0.5, level_db=-20).astype(np.float32)
    once = signals.quantize(y, bits=8)
    assert once.dtype == np.float32
    np.testing.assert_array_equal(signals.quantize(once, bits=8), once)


def test_dither_makes_the_error_a_noise_of_constant_power():
    q = 2.0**-7
    for amp in (0.9, 0.1, 0.01):
        y = signals.sine(441.7, sr=SR, duration=4.0, amp=amp)
        error = signals.quantize(y, bits=8, dither=True) - y
        assert np.mean(error**2) == pytest.approx(q * q / 4, rel=0.03)
        assert abs(np.corrcoef(error, y)[0, 1]) < 0.02


def test_dither_saves_a_tone_below_half_a_step():
    y = signals.sine(1000, sr=SR, duration=4.0, amp=0.4 * 2.0**-7)
    assert np.all(signals.quantize(y, bits=8) == 0)
    freqs, amps = lines(signals.quantize(y, bits=8, dither=True))
    assert amps[freqs == 1000] == pytest.approx(0.4 * 2.0**-7, rel=0.1)
    assert amps[freqs == 3000] < 0.1 * amps[freqs == 1000]  # no third harmonic


# --- mu-law ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mu", [1, 15, 255])
def test_every_code_comes_back(mu):
    codes = np.arange(mu + 1)
    np.testing.assert_array_equal(
        signals.mu_law_encode(signals.mu_law_decode(codes, mu=mu), mu=mu), codes
    )
    assert np.all(np.diff(signals.mu_law_decode(codes, mu=mu)) > 0)


def test_the_curve_is_librosa_s():
    y = np.linspace(-1, 1, 2001)
    theirs = librosa.mu_compress(y, mu=255, quantize=False)
    np.testing.assert_array_equal(signals.mu_law_encode(y), np.floor((theirs + 1) / 2 * 255 + 0.5))
    codes = np.arange(256)
    np.testing.assert_allclose(
        signals.mu_law_decode(codes),
        librosa.mu_expand(2 * codes / 255 - 1, mu=255, quantize=False),
        atol=1e-12,
    )


def test_mu_law_keeps_quiet_sounds_where_linear_steps_lose_them():
    # 38 / 37 / 31 dB against 42 / 22 / 4 dB at 0 / -20 / -40 dB, for a tone that dies away: 440 Hz,
    # exp(-3.2 t), 1 s
    tone = signals.sine(440, sr=SR, duration=1.0) * np.exp(-3.2 * np.arange(SR) / SR)
    for level, mu_law, linear in [(0, 37.8, 41.8), (-20, 37.0, 22.0), (-40, 31.1, 4.1)]:
        y = tone / np.abs(tone).max() * 10 ** (level / 20)
        assert metrics.snr(signals.mu_law_decode(signals.mu_law_encode(y)), y) == pytest.approx(
            mu_law, abs=0.4
        )
        assert metrics.snr(signals.quantize(y, bits=8), y) == pytest.approx(linear, abs=0.4)


def test_mu_law_reaches_its_theoretical_ratio():
    # far above the linear region the SNR is 10 log10(3 L^2 / ln(1 + mu)^2) with L = 256 levels:
    # 38.05 dB
    y = signals.white_noise(sr=SR, duration=20.0, level_db=-12.0)
    y = y[np.abs(y) <= 1]
    got = metrics.snr(signals.mu_law_decode(signals.mu_law_encode(y)), y)
    assert got == pytest.approx(10 * np.log10(3 * 256**2 / np.log(256) ** 2), abs=0.4)


def refusals():
    y = np.zeros(100)
    return [
        (lambda: signals.sine(440, sr=0, duration=1), "sr=0 must be a positive"),
        (lambda: signals.sine(440, sr=np.nan, duration=1), "sr=nan"),
        (lambda: signals.sine(440, sr=SR, duration=0), "duration=0"),
        (lambda: signals.sine(440, sr=SR, duration=1e-6), "at least one sample"),
        (lambda: signals.sweep(0, 100, sr=SR, duration=1), "never reaches 0 Hz"),
        (lambda: signals.harmonics(0, sr=SR, duration=1, n=2), "f0=0"),
        (lambda: signals.click(sr=SR, duration=1, at=1.0), "outside"),
        (lambda: signals.click(sr=SR, duration=1, at=-0.1), "outside"),
        (lambda: signals.fade(y, sr=SR, ms=5), r"do not fit into 6.25 ms; the longest is 3.125"),
        (lambda: signals.quantize(y, bits=0), "bits=0"),
        (lambda: signals.quantize(y, bits=25), "bits=25"),
        (lambda: signals.quantize(y, bits=7.5), "bits=7.5"),
        (lambda: signals.quantize(y.astype(int), bits=8), "int64"),
        (lambda: signals.mu_law_encode(y + 1.5), "peaks at 1.500"),
        (lambda: signals.mu_law_encode(y, mu=0), "mu=0"),
        (lambda: signals.mu_law_decode(y), "integers from 0 to 255"),
        (lambda: signals.mu_law_decode(np.array([256])), "integers from 0 to 255"),
    ]


@pytest.mark.parametrize(("call", "said"), refusals())
def test_bad_numbers_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
