"""Setting 3 as a program: what a sample can depend on, by formula and by trying; streams; levels;
shipped weights.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import (
    _weights,
    audio,
    metrics,
    settings,
)
from helpers.settings.enhancer import Enhancer
from helpers.settings.setting3 import TasNet
from tools.training.unet import UNet

SR = 16000
SMALL = {"size": 6, "hidden": 8, "kernel": 3, "dilations": [1, 2]}
KINDS = {
    "tasnet": lambda: TasNet(8, 16, 4, 0, **SMALL),
    "tasnet that waits": lambda: TasNet(8, 16, 8, 3, **SMALL),
    "tasnet with a hop of its length": lambda: TasNet(8, 4, 4, 0, **SMALL),
    "tasnet from Fourier": lambda: TasNet(16, 16, 4, 1, **SMALL, start="fourier"),
    "unet": lambda: UNet([4, 6, 8], 2, 0, **SMALL),
    "unet that waits": lambda: UNet([4, 6], 4, 3, **SMALL),
}


def small(kind, seed=0):
    """A small network with random weights, in double precision: a tiny influence must not drown in
    rounding.
    """
    torch.manual_seed(seed)
    return KINDS[kind]().double().eval()


def enhancer(kind):
    """The same in single precision, as a program."""
    return Enhancer(kind, small(kind).float(), {})


def noise(n, seed=0, amp=0.1):
    """White noise, float32."""
    return (amp * np.random.default_rng(seed).normal(size=n)).astype(np.float32)


# ---- what a sample can depend on -----------------------------------------------------------------


@torch.no_grad()
def touched(model, n, places):
    """Return (places, n): which inputs change which outputs, found by trying every input."""
    found = np.zeros((len(places), n), bool)
    for seed in range(3):  # a ReLU that is closed for one sound is open for another
        y = torch.from_numpy(np.random.default_rng(seed).normal(size=n))
        before = model(y[None])
        for part in torch.arange(n).split(100):
            tried = y.repeat(len(part), 1)
            tried[torch.arange(len(part)), part] += 1.0
            found[:, part.numpy()] |= (model(tried) != before)[:, places].T.numpy()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_receptive_field_by_formula_is_the_one_found_by_trying(kind):
    model = small(kind)
    width, ahead = model.receptive_field(), model.lookahead
    places = np.arange(width + 5, width + 5 + model.hop)
    found = [np.flatnonzero(row) for row in touched(model, places[-1] + ahead + 9, places)]
    assert [(row[0], row[-1]) for row in found] == [model.reach(int(place)) for place in places]
    assert max(row[-1] - row[0] + 1 for row in found) == width
    assert (
        max(row[-1] - place for row, place in zip(found, places, strict=True))
        == ahead
        == model.latency - 1
    )


@torch.no_grad()
def test_the_shipped_model_reaches_just_as_far():
    """At its borders: the first and last sample of the field count, the ones beyond do not."""
    model = settings.load("setting3_waveform").model.double()
    place = model.receptive_field() + 1000
    first, last = model.reach(place)
    y = torch.from_numpy(np.random.default_rng(0).normal(size=last + 2000) * 0.1)
    tried = y.repeat(5, 1)
    for row, at in enumerate([first - 1, first, last, last + 1], 1):
        tried[row, at] += 100.0
    out = model(tried)[:, place]
    assert out[1] == out[0] == out[4]
    assert out[2] != out[0] != out[3]
    assert last - first + 1 == model.receptive_field() and model.latency <= 0.032 * SR


# ---- streaming -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 7, 500, 1234])
def test_a_stream_gives_what_the_whole_gives_whatever_the_pieces(kind, n):
    program, y = enhancer(kind), noise(n)
    with torch.no_grad():
        whole = program.model(torch.from_numpy(y)[None])[0].numpy()
    stream, rng = program.stream(), np.random.default_rng(n)
    for longest in (1, program.model.hop, 300):
        parts, at = [], 0
        while at < n:
            step = int(rng.integers(1, longest + 1))
            parts.append(stream.push(y[at : at + step]))
            at += step
        np.testing.assert_allclose(
            np.concatenate([*parts, stream.flush()]), whole, atol=1e-5
        )  # flush starts anew
    np.testing.assert_allclose(program.enhance(y, sr=SR), whole, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_comes_out_one_latency_after_it_came_in(kind):
    stream = enhancer(kind).stream()
    given = np.cumsum([len(stream.push(noise(stream.hop, seed=k))) for k in range(30)])
    fed = stream.hop * np.arange(1, 31)
    np.testing.assert_array_equal(given, np.maximum(0, fed - (stream.latency - stream.hop)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_hour_needs_no_more_memory_than_a_minute(kind):
    stream = enhancer(kind).stream()

    def held(state):
        if isinstance(state, torch.Tensor):
            return state.numel()
        return sum(map(held, state.values() if isinstance(state, dict) else state))

    sizes = set()
    for k in range(4):
        stream.push(noise(3200, seed=k))
        sizes.add((stream._waiting.size, held(stream._state)))
    assert len(sizes) == 1


# ---- what comes in, comes out --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tasnet", "unet"])
@pytest.mark.parametrize("sr", [8000, 44100])
def test_any_rate_keeps_length_and_type(kind, sr):
    for dtype in (np.float32, np.float64):
        y = noise(sr // 3 + 1).astype(dtype)
        out = enhancer(kind).enhance(y, sr=sr)
        assert out.shape == y.shape and out.dtype == dtype


def test_silence_stays_silence():
    np.testing.assert_array_equal(
        enhancer("tasnet").enhance(np.zeros(3000, np.float32), sr=SR), np.zeros(3000)
    )


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        enhancer("tasnet").enhance(np.full(100, np.nan, np.float32), sr=SR)
    with pytest.raises(ValueError, match="one stream for each channel"):
        enhancer("unet").stream().push(np.zeros((2, 128), np.float32))


@pytest.mark.parametrize("hop", [0, 3, 32])
def test_a_hop_that_does_not_fit_the_filters_is_refused(hop):
    with pytest.raises(ValueError, match="hop"):
        TasNet(8, 16, hop, 0, **SMALL)


# ---- the way in and the way back -----------------------------------------------------------------


@pytest.mark.parametrize("hop", [2, 4, 8])
def test_from_fourier_the_way_back_undoes_the_way_in(hop):
    model = TasNet(16, 16, hop, 0, **SMALL, start="fourier").double()
    with torch.no_grad():
        model.middle.onto.weight.zero_()
        model.middle.onto.bias.copy_(
            torch.arange(16) < 8
        )  # a mask of one: nothing is taken, nothing is turned
        y = torch.from_numpy(np.random.default_rng(0).normal(size=200))
        np.testing.assert_allclose(model(y[None])[0], y, atol=1e-6)


def test_a_louder_sound_is_the_same_sound():
    """The network sees logarithms; so a gain moves all of them by one number, and the mask
    hardly.
    """
    program, voice = settings.load("setting3_waveform"), audio.clip("voice_a")[0]
    y = audio.mix(voice, audio.clip("rain")[0], snr_db=5)
    scores = [
        metrics.si_sdr(program.enhance(y * 10 ** (db / 20), sr=SR), voice)
        for db in (-20, -10, 0, 6)
    ]
    assert max(scores) - min(scores) < 1.5


# ---- shipped weights -----------------------------------------------------------------------------


def test_the_shipped_enhancer_is_small_and_says_where_it_comes_from():
    program = settings.load("setting3_waveform")
    assert (_weights.FOLDER / "setting3_waveform.safetensors").stat().st_size < 8e6
    assert {"command", "seed", "speech", "noise", "step", "valid_si_sdr_gain_db"} <= set(
        program.provenance
    )
    assert "helpers.training setting3_waveform" in program.provenance["command"]


def test_the_shipped_enhancer_helps_a_voice_it_never_met():
    voice, program = audio.clip("voice_a")[0], settings.load("setting3_waveform")
    for kind in ("rain", "hum"):
        y = audio.mix(voice, audio.clip(kind)[0], snr_db=5)
        assert metrics.si_sdr(program.enhance(y, sr=SR), voice) > metrics.si_sdr(y, voice) + 4
    assert (
        metrics.si_sdr(program.enhance(voice, sr=SR), voice) > 15
    )  # what is clean already stays so


def test_the_shipped_enhancer_streams_in_hops_as_it_enhances_the_whole():
    program, y = settings.load("setting3_waveform"), noise(12345)
    stream = program.stream()
    parts = [stream.push(y[i : i + stream.hop]) for i in range(0, len(y), stream.hop)]
    np.testing.assert_allclose(
        np.concatenate([*parts, stream.flush()]), program.enhance(y, sr=SR), atol=1e-5
    )


# ---- the comparison of losses --------------------------------------------------------------------


def test_the_table_of_losses_is_made_of_networks_trained_alike(monkeypatch, tmp_path):
    import csv

    from tools.measure import ablate

    voice, rain = audio.clip("voice_a")[0], audio.clip("rain")[0]
    pair = audio.mix(voice, rain, snr_db=5), voice.astype(np.float32)
    seen = []

    class Supply:
        @staticmethod
        def batch(step, indices):
            seen.append(step)
            return tuple(np.stack([y[16000:32000]] * 2).astype(np.float32) for y in pair)

    monkeypatch.setattr(ablate, "mixtures", lambda corpus: (Supply, [pair]))
    assert (
        ablate.main(
            ["losses", "--corpus", "any", "--steps", "2", "--table", str(tmp_path / "t.csv")]
        )
        == 0
    )
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [row["loss"] for row in rows] == ["noisy input", *ablate.losses()]
    assert seen == [0, 1] * 4
    assert float(rows[0]["si_sdr_gain"]) == 0
    assert len({row["log_spectral_distance"] for row in rows}) == 5  # each loss went its own way
