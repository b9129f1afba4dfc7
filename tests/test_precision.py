"""Small types: levels, logarithms and losses hold in every integer and in half precision; what has
no score is refused before it costs a kernel. Right values come from Python's own numbers.
"""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import audio, mel, metrics

ROOT = Path(__file__).parents[1]
INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8"]


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_do_not_overflow_in_levels(kind):
    top = np.iinfo(kind).max
    values = [1, 16, 100, top]
    got = metrics.amplitude_to_db(np.array(values, kind))
    np.testing.assert_allclose(got, [20 * math.log10(v) for v in values], atol=1e-9)
    got = metrics.power_to_db(np.array(values, kind))
    np.testing.assert_allclose(got, [10 * math.log10(v) for v in values], atol=1e-9)
    got = mel.log_compress(np.array(values, kind))
    np.testing.assert_allclose(got, [10 * math.log10(v) for v in values], atol=1e-9)
    got = metrics.db_to_amplitude(np.array([100, 40], kind))
    np.testing.assert_allclose(got, [1e5, 100], rtol=1e-12)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8"])
def test_the_lowest_integer_has_a_magnitude(kind):
    low = np.iinfo(kind).min
    assert metrics.amplitude_to_db(np.array([low], kind))[0] == pytest.approx(
        20 * math.log10(-low), abs=1e-9
    )


@pytest.mark.parametrize("kind", FLOATS)
def test_half_precision_has_the_levels_of_its_values(kind):
    a = np.array([1e-4, 0.5, 300, 60000], kind)
    want = [20 * math.log10(float(v)) for v in a]
    np.testing.assert_allclose(metrics.amplitude_to_db(a), want, atol=1e-9)
    np.testing.assert_allclose(metrics.power_to_db(a), np.divide(want, 2), atol=1e-9)
    np.testing.assert_allclose(mel.log_compress(a), np.divide(want, 2), atol=1e-5)
    assert mel.log_compress(np.array([0], kind))[0] == pytest.approx(-100, abs=1e-4)


@pytest.mark.parametrize("value", [1e-30, 1e30])
def test_complex_numbers_in_single_precision_do_not_overflow(value):
    got = metrics.amplitude_to_db(np.array([value * 1j], "c8"), floor_db=-1000)[0]
    assert got == pytest.approx(20 * math.log10(value), abs=1e-4)


def test_half_precision_in_cepstra():
    L = np.array([[-80.0], [-40.0], [-20.0], [-60.0]])
    want = -200 / 2  # the sum over the square root of the number of bands
    for kind in (*FLOATS, "i2"):
        assert mel.mfcc(L.astype(kind), n_mfcc=1)[0, 0] == pytest.approx(want, abs=1e-4)
    with pytest.raises(ValueError, match=r"L has shape \(4,\).*L\[:, None\]"):
        mel.mfcc(L[:, 0])


@pytest.mark.parametrize(
    "convert", [metrics.amplitude_to_db, metrics.power_to_db, mel.log_compress]
)
def test_a_reference_is_a_number_and_levels_are_numbers(convert):
    with pytest.raises(ValueError, match=r"ref is a function; call it, as in ref=S.max\(\)"):
        convert([1.0, 2.0], ref=np.max)
    for bad in ("1", None, [1, 2]):
        with pytest.raises(ValueError, match=r"ref=.*must be a positive number"):
            convert([1.0], ref=bad)
    for bad in (["a"], [None], [{}]):
        with pytest.raises(ValueError, match="no real numbers; pass"):
            convert(bad)


def test_a_name_in_other_letters_is_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'voice_a'"):
        audio.clip("voice_A")


# ---- PESQ ----------------------------------------------------------------------------------------


WORST = """
import numpy as np, pesq
rng = np.random.default_rng(0)
for on, off in ((0.21, 0.21), (0.25, 0.25), (0.3, 0.21), (0.4, 0.4)):
    n = int(16000 * (on + off))
    burst = (np.arange(n) < 16000 * on).astype("f4")
    y = np.tile(burst, 99)[: 19 * 16000] * rng.standard_normal(19 * 16000).astype("f4") * 0.1
    noise = 0.001 * rng.standard_normal(len(y)).astype("f4")
    assert 1 < pesq.pesq(16000, y, y + noise, "wb") < 4.7
"""


def test_as_long_as_pesq_takes_its_tables_hold():
    """The package itself, in a process of its own, on the shortest words and pauses there are."""
    pytest.importorskip("pesq")
    done = subprocess.run([sys.executable, "-c", WORST], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert metrics.PESQ_LONGEST_S == 19


def test_pesq_refuses_what_would_end_the_kernel_and_what_has_no_score():
    pytest.importorskip("pesq")
    speech, sr = audio.clip("voice_a")
    words = np.r_[speech[8000:14400], np.zeros(8000, "f4")]
    y = np.tile(words, 66)
    with pytest.raises(ValueError, match=r"room for 50 utterances.*parts of at most 19 s"):
        metrics.pesq(0.9 * y, y, sr=sr)
    with pytest.raises(ValueError, match="estimate is silent, so PESQ has no score"):
        metrics.pesq(0 * speech, speech, sr=sr)
    with pytest.raises(ValueError, match="target is silent"):
        metrics.pesq(speech, 0 * speech, sr=sr)
    y = y[: 18 * sr]
    assert metrics.pesq(y, y, sr=sr) == pytest.approx(4.64, abs=0.01)


# ---- losses --------------------------------------------------------------------------------------


def pairs():
    rng = np.random.default_rng(0)
    y = 0.1 * rng.standard_normal((1, 1, 4000))
    return {"noise": (y, 0.9 * y + 0.01), "silence": (y, 0 * y), "copy": (0.5 * y, y)}


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("pair", ["noise", "silence", "copy"])
def test_losses_in_half_precision_are_those_of_the_same_numbers(kind, pair):
    torch = pytest.importorskip("torch")
    from helpers import losses

    dtype = getattr(torch, kind)
    e, s = (torch.from_numpy(y).to(dtype) for y in pairs()[pair])
    names = ["ESR", "L1", "L2", "SISDR", "SNR", "ComplexSTFT", "LogMagnitude", "Magnitude"]
    names += ["MultiResolutionSTFT", "PhaseSensitive", "SpectralConvergence", "DeepFeatures"]
    for loss in [getattr(losses, name)() for name in names]:
        given = e.clone().requires_grad_()
        got = loss(given, s)
        want = loss(e.float(), s.float())  # exactly the same numbers
        assert got.dtype == torch.float32 and torch.isfinite(got)
        assert float(got.detach()) == pytest.approx(float(want), rel=1e-5), type(loss).__name__
        with torch.autocast("cpu", torch.bfloat16):
            inside = loss(e.float(), s.float())
        assert float(inside) == pytest.approx(float(want), rel=1e-5), type(loss).__name__
        got.backward()
        if pair == "noise":  # a huge slope, as at silence, has no number in float16
            assert torch.isfinite(given.grad).all(), type(loss).__name__


def test_the_loss_of_halves_by_hand():
    torch = pytest.importorskip("torch")
    from helpers import losses

    e = torch.full((1, 1, 4), 0.5, dtype=torch.float16)
    s = torch.tensor([[[1.0, 0.5, 0.5, 0.5]]], dtype=torch.float16)
    # the error is 0.25, the target has the energy 1.75
    assert float(losses.ESR()(e, s)) == pytest.approx(0.25 / 1.75, rel=1e-6)
    assert float(losses.SNR()(e, s)) == pytest.approx(-10 * math.log10(1.75 / 0.25), rel=1e-5)


def test_time_on_the_first_axis_is_refused_in_losses_too():
    torch = pytest.importorskip("torch")
    from helpers import losses

    with pytest.raises(ValueError, match=r"\(16000, 2\), so time is on the first axis; pass y.T"):
        losses.batch(np.zeros((16000, 2)))
    with pytest.raises(ValueError, match="last but one axis"):
        losses.batch(np.zeros((1, 16000, 2)))
    y = torch.zeros(1, 16000, 2)
    with pytest.raises(ValueError, match=r"estimate has shape \(1, 16000, 2\).*swapaxes"):
        losses.L1()(y, y)
    assert losses.batch(np.zeros((2, 16000))).shape == (1, 2, 16000)


def test_the_training_loss_in_half_precision_is_finite():
    torch = pytest.importorskip("torch")
    from helpers.training import enhancement_loss

    y = (0.1 * torch.randn(2, 4000)).half()
    silence = torch.zeros_like(y)
    for clean in (y, silence):
        estimate = (0.9 * y).requires_grad_()
        value = enhancement_loss(estimate, clean)
        value.backward()
        assert torch.isfinite(value)
        assert float(value.detach()) == pytest.approx(
            float(enhancement_loss((0.9 * y).float(), clean.float())), rel=1e-4
        )
