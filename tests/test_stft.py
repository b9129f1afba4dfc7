"""Facts about many frames: conventions, other libraries, the way back, COLA and NOLA,
consistency.
"""

import tracemalloc
import warnings

import librosa
import numpy as np
import pytest
from scipy.signal import ShortTimeFFT, check_COLA, check_NOLA, get_window

from helpers import audio, spectra, stft
from tests.merit import MERIT, NAMES, table, window_of

RNG = np.random.default_rng(0)
NOISE = RNG.uniform(-1, 1, size=(2, 4001))
# n_fft, hop, win_length, window: even and odd, hops that divide and that do not
SETTINGS = [
    (512, 128, None, "hann"),
    (512, 100, 400, "hamming"),
    (511, 128, None, "hann"),
    (255, 64, 201, "blackman"),
    (64, 32, None, "boxcar"),
]
CASES = pytest.mark.parametrize(("n_fft", "hop", "win", "window"), SETTINGS)


def settings(n_fft, hop, win, window):
    return {"n_fft": n_fft, "hop_length": hop, "win_length": win, "window": window}


# --- conventions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("center", [True, False])
@CASES
def test_the_definition_written_out(n_fft, hop, win, window, center):
    y, win = NOISE[0, :1501], win or n_fft
    w = np.zeros(n_fft)
    w[(n_fft - win) // 2 :][:win] = get_window(window, win)
    start = n_fft // 2 if center else 0
    k, n = np.arange(n_fft // 2 + 1)[:, None], np.arange(n_fft)
    padded = np.pad(y, start)
    frames = [padded[m : m + n_fft] for m in range(0, len(padded) - n_fft + 1, hop)]
    expected = np.exp(-2j * np.pi * k * n / n_fft) @ (w * np.array(frames)).T
    got = stft.stft(y, **settings(n_fft, hop, win, window), center=center)
    np.testing.assert_allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize("n", [1024, 4000, 4001, 4095, 4096])
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (512, 200), (1024, 256)])
def test_frames_and_bins(n, n_fft, hop):
    y = np.resize(NOISE[0], n)
    assert stft.stft(y, n_fft=n_fft, hop_length=hop).shape == (n_fft // 2 + 1, 1 + n // hop)
    whole = stft.stft(y, n_fft=n_fft, hop_length=hop, center=False)
    assert whole.shape == (n_fft // 2 + 1, 1 + (n - n_fft) // hop)
    odd = stft.stft(y, n_fft=n_fft + 1, hop_length=hop)
    assert odd.shape == (n_fft // 2 + 1, 1 + (n - 1) // hop)


@pytest.mark.parametrize("center", [True, False])
def test_a_click_and_a_tone_stand_where_the_axes_say(center):
    sr, at, freq = 8000, 2000, 1250.0
    y = np.zeros(4000)
    y[at] = 1
    D = stft.stft(y, n_fft=512, hop_length=64, center=center)
    freqs, times = stft.axes(D, sr=sr, hop_length=64, center=center)
    assert D.shape == (len(freqs), len(times))
    assert times[np.argmax(np.abs(D).sum(axis=0))] == pytest.approx(at / sr, abs=32 / sr)
    D = stft.stft(
        np.cos(2 * np.pi * freq / sr * np.arange(4000)), n_fft=512, hop_length=64, center=center
    )
    inner = np.abs(D[:, 8:-8])
    assert np.all(freqs[np.argmax(inner, axis=0)] == freq)
    np.testing.assert_allclose(
        inner[80], spectra.window_samples("hann", n=512).sum() / 2, rtol=1e-9
    )


def test_axes_of_an_odd_frame():
    freqs, times = stft.axes(
        stft.stft(NOISE[0], n_fft=511, hop_length=100), sr=8000, hop_length=100, n_fft=511
    )
    np.testing.assert_allclose(freqs, np.arange(256) * 8000 / 511)
    np.testing.assert_allclose(times, np.arange(41) * 100 / 8000)


@pytest.mark.parametrize("n_fft", [64, 256, 1024])
def test_width_in_time_times_width_in_frequency(n_fft):
    """A click fills n_fft samples of frames, a tone 4 bins of sr / n_fft: the product stays."""
    click = np.zeros(8192)
    click[4096] = 1
    D = np.abs(stft.stft(click, n_fft=n_fft, hop_length=1))
    assert (
        np.count_nonzero(D.sum(axis=0) > 1e-12) == n_fft - 1
    )  # the first sample of a Hann window is 0
    tone = np.cos(2 * np.pi * (np.arange(8192) / 4 + 0.1))
    S = np.abs(stft.stft(tone, n_fft=n_fft, hop_length=32)[:, 128])
    assert np.count_nonzero(1e-9 * S.max() < S) == 3  # inside its 4 bins, nulls at both edges


def test_a_gaussian_has_the_smallest_product():
    """Standard deviation in time times that in frequency: 1 / (4 pi) for a Gaussian, more for any
    other window.
    """
    n, products = 1024, {}
    for window in (("gaussian", 80), "hann", "blackman"):
        w2 = spectra.window_samples(window, n=n) ** 2
        t = np.arange(n)
        spread_t = np.sqrt(np.average((t - n // 2) ** 2, weights=w2))
        f = np.linspace(-0.1, 0.1, 8001)
        power = np.abs(spectra.dtft(np.sqrt(w2), f, sr=1)) ** 2
        products[window] = spread_t * np.sqrt(np.average(f**2, weights=power)) * 4 * np.pi
    assert products.pop(("gaussian", 80)) == pytest.approx(1, abs=1e-4)
    assert all(p > 1.001 for p in products.values())


# --- other libraries ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("center", [True, False])
@CASES
def test_librosa_has_the_same(n_fft, hop, win, window, center, dtype):
    y, how = NOISE.astype(dtype), settings(n_fft, hop, win, window)
    D = stft.stft(y, **how, center=center)
    expected = librosa.stft(y, **how, center=center, dtype=np.result_type(dtype, np.complex64))
    assert D.dtype == expected.dtype
    np.testing.assert_allclose(
        D, expected, rtol=0, atol=4 * np.finfo(dtype).eps * np.abs(expected).max()
    )


@CASES
def test_librosa_inverts_the_same(n_fft, hop, win, window):
    """Also for an STFT that no signal has, where the inverse is a choice; librosa makes it by least
    squares too.
    """
    how = settings(n_fft, hop, win, window)
    D = stft.stft(NOISE[0], **how)
    D *= np.exp(2j * np.pi * RNG.uniform(size=D.shape))
    D[0] = D[0].real  # a DFT of real frames is real there
    got = stft.istft(D, **how, length=3800)
    np.testing.assert_allclose(
        got, librosa.istft(D, **how, length=3800), atol=1e-12 * np.abs(got).max()
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("center", [True, False])
@CASES
def test_torch_has_the_same(n_fft, hop, win, window, center, dtype):
    torch = pytest.importorskip("torch")
    y, win = NOISE.astype(dtype), win or n_fft
    w = torch.from_numpy(get_window(window, win).astype(dtype))
    how = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "window": w, "center": center}
    expected = torch.stft(torch.from_numpy(y), **how, pad_mode="constant", return_complex=True)
    D = stft.stft(y, **settings(n_fft, hop, win, window), center=center)
    atol = 20 * np.finfo(dtype).eps * np.sqrt(n_fft)
    np.testing.assert_allclose(D, expected.numpy(), atol=atol)
    if center:
        back = torch.istft(torch.from_numpy(D.copy()), **how, length=3900).numpy()
        np.testing.assert_allclose(
            stft.istft(D, **settings(n_fft, hop, win, window), length=3900), back, atol=atol
        )


@pytest.mark.parametrize(
    ("n_fft", "hop", "window"), [(512, 128, "hann"), (512, 100, "hamming"), (511, 128, "hann")]
)
def test_scipy_has_the_same(n_fft, hop, window):
    """With its slices 0 to n_frames - 1 and without its phase shift."""
    scipys = ShortTimeFFT(get_window(window, n_fft), hop, fs=8000, mfft=n_fft, phase_shift=None)
    D = stft.stft(NOISE, n_fft=n_fft, hop_length=hop, window=window)
    expected = scipys.stft(NOISE, p0=0, p1=D.shape[-1])
    np.testing.assert_allclose(D, expected, atol=1e-11)
    freqs, times = stft.axes(D, sr=8000, hop_length=hop, n_fft=n_fft)
    np.testing.assert_allclose(freqs, scipys.f)
    np.testing.assert_allclose(times, scipys.t(NOISE.shape[-1], p0=0, p1=D.shape[-1]))


# --- and back -------------------------------------------------------------------------------------

WINDOWS = pytest.mark.parametrize("row", MERIT, ids=NAMES)
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}


def all_that_is_seen(D, hop, n, **how):
    """The inverse; only where the hop is long may samples be missing, in the last hop, as said.

    Noise is never 0, so zeros are what is missing.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        back = stft.istft(D, **how)
    lost = np.flatnonzero(back[0] == 0)
    assert np.all(lost >= back.shape[-1] - hop)
    assert bool(said) == (len(lost) > 0)
    if said:
        assert hop >= n // 4 and f"no frame sees {len(lost)} of" in str(said[0].message)
    return back


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n", [120, 121])
@WINDOWS
def test_every_window_and_hop_that_nola_allows_comes_back(row, n, dtype):
    """Hops from 1 sample to the whole window; lengths of which the last samples fall anywhere in
    the last frame.
    """
    window = window_of(row, n)
    tried = 0
    for hop in (1, 7, n // 8, n // 5, n // 4, n // 3, n // 2, 61, 3 * n // 4, n - 12, n - 1, n):
        report = spectra.overlap_report(window, n=n, hop_length=hop)
        for length in (1000, 1001, 1019, 1020, 1021, 1079):
            y = NOISE[:, :length].astype(dtype)
            D = stft.stft(y, n_fft=n, hop_length=hop, window=window)
            if report.weakest < stft.WEAKEST[D.dtype.name]:
                with pytest.raises(ValueError, match=f"hop_length={hop} fails NOLA"):
                    stft.istft(D, n_fft=n, hop_length=hop, window=window, length=length)
                continue
            how = {"n_fft": n, "hop_length": hop, "window": window, "length": length}
            back = all_that_is_seen(D, hop, n, **how)
            assert back.dtype == dtype and back.shape == y.shape
            assert np.abs(back - y)[back != 0].max() < TOLERANCE[dtype]
            tried += 1
    assert tried >= 8 * 6


@pytest.mark.parametrize(("n_fft", "win"), [(256, 200), (255, 200), (256, 201), (255, 201)])
@pytest.mark.parametrize("hop", [50, 64, 100, 150])
def test_a_window_shorter_than_the_frame_comes_back(n_fft, win, hop):
    for length in range(1000, 1150, 7):
        y = NOISE[:, :length]
        D = stft.stft(y, n_fft=n_fft, hop_length=hop, win_length=win)
        how = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "length": length}
        back = all_that_is_seen(D, hop, win, **how)
        assert np.abs(back - y)[back != 0].max() < 1e-10


def test_where_the_hop_is_long_the_end_can_be_lost_and_is_said_to_be():
    """Up to 45 % of a Hann window as hop all comes back; beyond, the last samples may be unseen."""
    for hop, length in ((h, n) for h in (1, 16, 25, 32, 45, 80) for n in range(900, 1000)):
        assert stft.stft(NOISE[0, :length], n_fft=100, hop_length=hop).shape[1] == 1 + length // hop
    lost = np.zeros(1020)
    lost[-1] = 1
    D = stft.stft(lost, n_fft=100, hop_length=80)
    assert not D.any() and not librosa.stft(lost, n_fft=100, hop_length=80).any()
    with pytest.warns(UserWarning, match="no frame sees 10 of 1020 samples, at the ends"):
        stft.istft(D, hop_length=80, length=1020)


@pytest.mark.parametrize("length", [1, 5, 100, 511])
def test_a_sound_shorter_than_a_frame(length):
    y = NOISE[:1, :length]
    D = stft.stft(y, n_fft=512, hop_length=128)
    assert D.shape == (1, 257, 1 + length // 128)
    np.testing.assert_allclose(stft.istft(D, hop_length=128, length=length), y, atol=1e-12)
    with pytest.raises(
        ValueError, match=f"{length} samples, less than one frame of 512; use center=True"
    ):
        stft.stft(y, n_fft=512, hop_length=128, center=False)


def test_without_center_the_ends_are_lost_and_said_to_be():
    D = stft.stft(NOISE, n_fft=512, hop_length=128, center=False)
    with pytest.warns(UserWarning, match=r"no frame sees 34 of 4001 samples.*use center=True"):
        back = stft.istft(D, hop_length=128, length=4001, center=False)
    end = 27 * 128 + 512
    np.testing.assert_allclose(back[:, 1:end], NOISE[:, 1:end], atol=1e-9)
    assert not back[:, 0].any() and not back[:, end:].any()
    changed = np.exp(2j * np.pi * RNG.uniform(size=(513, 9))).astype(np.complex64)
    with pytest.warns(UserWarning, match="no frame sees"):
        back = stft.istft(changed, hop_length=256, center=False)
    foot = (
        spectra.window_samples("hann", n=1024)[:10] < 1e-4
    )  # nothing there can be told from rounding
    np.testing.assert_array_equal(back[:10] == 0, foot)
    boxcar = stft.stft(NOISE, n_fft=512, hop_length=128, center=False, window="boxcar")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # this window is 0 nowhere
        back = stft.istft(boxcar, hop_length=128, center=False, window="boxcar")
    np.testing.assert_allclose(back, NOISE[:, :end], atol=1e-12)


@pytest.mark.parametrize(("n_fft", "hop"), [(8, 3), (9, 2)])
def test_the_inverse_is_the_least_squares_one(n_fft, hop):
    """Against the STFT written as a matrix over both halves of the spectrum, solved by NumPy."""
    length = 30
    shape = stft.stft(np.zeros(length), n_fft=n_fft, hop_length=hop).shape
    D = RNG.normal(size=shape) + 1j * RNG.normal(size=shape)
    D[0] = D[0].real
    if n_fft % 2 == 0:
        D[-1] = D[-1].real
    twice = np.ones(shape[0])
    twice[1 : (n_fft + 1) // 2] = np.sqrt(2)  # bins with a partner count twice

    def flat(X):
        X = (X * twice[:, None]).ravel()
        return np.concatenate([X.real, X.imag])

    A = np.stack([flat(stft.stft(e, n_fft=n_fft, hop_length=hop)) for e in np.eye(length)], axis=1)
    best = np.linalg.lstsq(A, flat(D), rcond=None)[0]
    np.testing.assert_allclose(
        stft.istft(D, n_fft=n_fft, hop_length=hop, length=length), best, atol=1e-12
    )


# --- COLA and NOLA --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    table("windows_cola"),
    ids=lambda r: f"{r['window'][:9]}-{r['parameter'][:9]}-{r['hop'][:4]}",
)
def test_cola_and_nola(row):
    n = 960
    hop = 3 * n // 4 if row["hop"].startswith("3N/4") else n // int(row["hop"].split("/")[1])
    w = spectra.window_samples(window_of(row, n), n=n)
    w = w / w.max()
    report = stft.overlap_report(w, n=n, hop_length=hop)
    for power, column in ((1, "ripple_w_relative_peak_to_peak"), (2, "ripple_w2_relative")):
        ripple = stft.cola_ripple(w, n=n, hop_length=hop, power=power)
        assert ripple == pytest.approx(float(row[column]), rel=6e-4, abs=1e-13)
    assert spectra.fold(w, hop).mean() == pytest.approx(float(row["mean_sum_w"]), abs=6e-7)
    assert report.cola == bool(int(row["cola_w"])) == check_COLA(w, n, n - hop)
    assert report.cola_squared == bool(int(row["cola_w_squared"]))
    assert report.nola == bool(int(row["nola"])) == check_NOLA(w, n, n - hop)


@pytest.mark.parametrize(
    ("window", "divisor", "power", "constant"),
    [
        ("hann", 2, 1, 1.0),
        ("hann", 4, 1, 2.0),
        ("hann", 3, 2, 1.125),
        ("hann", 4, 2, 1.5),
        ("hamming", 2, 1, 1.08),
    ],
)
def test_constants_worth_knowing(window, divisor, power, constant):
    assert stft.cola_ripple(window, n=1200, hop_length=1200 // divisor, power=power) < 1e-14
    sums = spectra.fold(spectra.window_samples(window, n=1200) ** power, 1200 // divisor)
    np.testing.assert_allclose(sums, constant)


def test_windows_that_do_not_add_up():
    assert stft.cola_ripple("hann", n=1200, hop_length=600, power=2) == pytest.approx(
        0.67, abs=0.004
    )
    assert stft.cola_ripple("blackman", n=1200, hop_length=600) == pytest.approx(0.38, abs=0.002)
    assert stft.cola_ripple("blackman", n=1200, hop_length=300, power=2) == pytest.approx(
        0.021, abs=2e-4
    )
    symmetric = {n: stft.cola_ripple(np.hanning(n), n=n, hop_length=n // 2) for n in (1200, 1024)}
    assert symmetric == pytest.approx({1200: 1.3e-3, 1024: 1.5e-3}, abs=5e-5)


def test_a_hop_of_a_whole_window_fails_nola():
    report = stft.overlap_report("hann", n=512, hop_length=512)
    assert not report.nola and report.weakest == 0 and not check_NOLA("hann", 512, 0)
    assert stft.overlap_report("boxcar", n=512, hop_length=512).nola


# --- consistency ----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [4000, 4001, 300])
@pytest.mark.parametrize("center", [True, False])
@CASES
def test_an_stft_is_consistent_and_random_phase_is_not(n_fft, hop, win, window, center, length):
    how = settings(n_fft, hop, win, window)
    D = stft.stft(NOISE[:, : length if center else max(length, n_fft)], **how, center=center)
    assert stft.consistency_db(D, **how) < -290
    assert stft.consistency_db(D.astype(np.complex64), **how) < -130
    if length > 300 and hop * 3 < n_fft:
        scrambled = np.abs(D) * np.exp(2j * np.pi * RNG.uniform(size=D.shape))
        assert -3 < stft.consistency_db(scrambled, **how) < 0


def test_the_random_phase_of_a_voice():
    """0.87 of the norm on the author's synthetic voice; a shipped voice comes close to it."""
    y, _ = audio.clip("voice_a")
    D = stft.stft(y.astype(float), n_fft=1024, hop_length=256)
    scrambled = np.abs(D) * np.exp(2j * np.pi * RNG.uniform(size=D.shape))
    assert 10 ** (stft.consistency_db(scrambled, hop_length=256) / 20) == pytest.approx(
        0.87, abs=0.02
    )
    assert 10 ** (stft.consistency_db(D, hop_length=256) / 20) < 1e-15


def test_twice_is_once():
    """The STFT of the inverse is a projection."""
    D = stft.stft(NOISE[0, :3968], n_fft=256, hop_length=64) * RNG.uniform(size=(129, 63))
    once = stft.stft(stft.istft(D, hop_length=64), n_fft=256, hop_length=64)
    twice = stft.stft(stft.istft(once, hop_length=64), n_fft=256, hop_length=64)
    np.testing.assert_allclose(twice, once, atol=1e-12)


# --- memory ---------------------------------------------------------------------------------------


def peak_bytes(call):
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_stays_below_three_times_the_stft():
    y = np.resize(NOISE[0], 30 * 22050).astype(np.float32)
    D = stft.stft(y, n_fft=1024, hop_length=256)
    assert D.dtype == np.complex64
    assert peak_bytes(lambda: stft.stft(y, n_fft=1024, hop_length=256)) < 3 * D.nbytes
    assert peak_bytes(lambda: stft.istft(D, hop_length=256, length=len(y))) < 3 * D.nbytes


# --- refusals -------------------------------------------------------------------------------------

Y = NOISE[0]
GOOD = stft.stft(Y, n_fft=512, hop_length=128)


def forward(y=Y, **changes):
    return stft.stft(y, **({"n_fft": 512, "hop_length": 128} | changes))


def inverse(D=GOOD, **changes):
    return stft.istft(D, **({"hop_length": 128} | changes))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: forward(hop_length=0),
            "hop_length=0 must be a whole number, from 1 to 512; .*128 is a quarter",
        ),
        (lambda: forward(hop_length=-128), "hop_length=-128 must"),
        (lambda: forward(hop_length=513), "hop_length=513 must .* leap over samples"),
        (lambda: forward(hop_length=301, win_length=300), "hop_length=301 .* from 1 to 300"),
        (lambda: forward(hop_length=12.5), "hop_length=12.5 must be a whole number"),
        (lambda: forward(n_fft=1), "n_fft=1 must be a whole number, at least 2"),
        (lambda: forward(win_length=513), "win_length=513 is longer than n_fft=512; raise n_fft"),
        (lambda: forward(Y + 0j), "y is complex; pass a waveform"),
        (lambda: forward(np.where(Y > 0.99, np.nan, Y)), "NaN or infinite"),
        (lambda: forward(np.array([])), "at least one sample"),
        (lambda: forward(NOISE.T), r"time is on the first axis; pass y.T"),
        (lambda: forward(window="no such"), "window='no such'"),
        (lambda: forward(window=np.ones(500)), r"shape \(500,\); pass a name, or 512"),
        (lambda: inverse(np.abs(GOOD)), r"D holds float64 values; .* S \* np.exp\(1j \* p\)"),
        (lambda: inverse(GOOD * np.nan), "D holds NaN or infinite values"),
        (lambda: inverse(GOOD[:0]), r"D has shape \(0, 32\)"),
        (lambda: inverse(GOOD[0]), r"D has shape \(32,\); pass \(n_freq, n_frames\)"),
        (
            lambda: inverse(GOOD.T, n_fft=512),
            "D has 32 bins, but n_fft=512 has 257; bins come before frames",
        ),
        (lambda: inverse(hop_length=0), "hop_length=0 must"),
        (lambda: inverse(hop_length=600), "hop_length=600 must"),
        (
            lambda: inverse(hop_length=512),
            "hop_length=512 fails NOLA .* reach 0.0e.00, .* smaller hop, such as 128",
        ),
        (lambda: inverse(window=np.r_[np.ones(100), np.zeros(412)]), "fails NOLA .* such as 25"),
        (lambda: inverse(length=0), "length=0 must be a whole number, at least 1"),
        (lambda: stft.consistency_db(0 * GOOD, hop_length=128), "D is silent"),
        (lambda: stft.consistency_db(np.abs(GOOD), hop_length=128), "D holds float64"),
        (lambda: stft.axes(GOOD, sr=-1, hop_length=128), "sr=-1 must be a positive"),
    ],
)
def test_refusals_name_the_value_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
