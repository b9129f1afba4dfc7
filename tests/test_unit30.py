"""What unit 30 lets you hear, every number that its pages and its coursework state, and when its
challenge is met. Nothing here leans on the helper that is asked about.
"""

import re

import numpy as np
import pytest
import scipy.signal

torch = pytest.importorskip("torch")

from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "30_how_a_network_learns"
SR = 16000
SEEDS = (0, 1, 2)


def si_sdr(made, voice):
    """SI-SDR [dB], written out."""
    made, voice = np.asarray(made, float), np.asarray(voice, float)
    kept = (made @ voice) / (voice @ voice) * voice
    return 10 * np.log10(np.sum(kept**2) / np.sum((made - kept) ** 2))


def gain(made, pair):
    """How far SI-SDR rises over the mixture [dB]."""
    return si_sdr(made, pair[1]) - si_sdr(pair[0], pair[1])


def plucked(brightness, freq=220.0, decay=0.15, n=6400):
    """The note of the page, partial by partial."""
    t = np.arange(n) / SR
    y = np.zeros(n)
    for k in range(8):
        y += brightness**k * np.sin(2 * np.pi * freq * (k + 1) * t)
    return 0.06 * np.exp(-t / decay) * y


def off(made, target):
    """Squared error as a share of the power of the target."""
    return np.mean((made - target) ** 2) / np.mean(target**2)


# ---- chapter 1: a slope --------------------------------------------------------------------------


def test_the_loss_over_the_gain_is_a_parabola_and_its_slopes_are_those_of_the_figure(unit, page):
    for g in (0.0, 1.0, 2.5, 4.0, 6.5, 8.0):
        assert float(unit["loss"](g)) == pytest.approx((g / 4 - 1) ** 2, abs=1e-12)
    slopes = [2 * (g / 4 - 1) / 4 for g in (1.0, 4.0, 6.5)]
    assert slopes == pytest.approx([-0.375, 0, 0.3125])
    assert float(unit["gain"].grad) == pytest.approx(-0.375, abs=1e-12)
    assert "the loss is 0.5625 at gain 1, 0 at gain 4, 0.39 at 6.5" in page
    assert round((6.5 / 4 - 1) ** 2, 2) == 0.39
    assert level(unit["quiet"].numpy()) == pytest.approx(
        level(unit["voice"].numpy()) - 20 * np.log10(4), abs=0.01
    )


def test_a_small_step_has_an_error_that_falls_and_grows_again():
    """In numbers of another make: the parabola itself, without any sound."""
    y = np.random.default_rng(0).standard_normal(48000)

    def loss(g):
        return np.mean((g * 0.25 * y - y) ** 2) / np.mean(y**2)

    error = [abs((loss(1 + h) - loss(1.0)) / h + 0.375) for h in (1e-1, 1e-4, 1e-7, 1e-14)]
    assert error[0] > 100 * error[1] > 1e4 * error[2]
    assert error[3] > 1e3 * error[2]
    assert error[0] == pytest.approx(0.1 / 16, rel=1e-6)  # half the bend, 1/8, times the step


# ---- chapter 2: downhill -------------------------------------------------------------------------


def by_hand(loss, knob, rate, steps, low, high, h=1e-6):
    """Gradient descent with slopes by small steps on both sides, and no autograd."""
    been = [knob]
    for _ in range(steps):
        slope = (loss(been[-1] + h) - loss(been[-1] - h)) / (2 * h)
        been.append(float(np.clip(been[-1] - rate * slope, low, high)))
    return np.array(been)


def test_the_notes_of_the_beginning_are_those_of_the_descent(unit, page):
    aim = plucked(0.75)
    np.testing.assert_allclose(unit["note"](0.4).numpy(), plucked(0.4), atol=1e-12)
    way = by_hand(lambda b: off(plucked(b), aim), 0.1, 0.05, 40, 0, 0.95)
    np.testing.assert_allclose(way, unit["rolled"], atol=1e-5)
    first = list(unit["found"].values())
    assert way[[0, 6, 12, 20]] == pytest.approx(first, abs=6e-4)
    assert abs(way[20] - 0.75) < 0.001 and "within 0.001 of its place after 20 steps" in page


def test_three_rates_creep_arrive_and_jump(unit, page):
    aim = plucked(0.75)
    small, _, large = unit["ways"].values()
    for rate, way in ((0.002, small), (0.5, large)):
        found = by_hand(lambda b: off(plucked(b), aim), 0.1, rate, 40, 0, 0.95)
        np.testing.assert_allclose(found, way, atol=1e-4)
    assert small[-1] == pytest.approx(0.156, abs=5e-4)
    assert (small[-1] - 0.1) / (0.75 - 0.1) == pytest.approx(1 / 12, abs=0.005)
    places = np.unique(np.round(large[-12:], 3))
    assert places.min() == 0 and "0.156, 0.750" in page
    assert len(places) == 4 and "one of four places" in page
    assert f"from 0.000 to {places.max():.3f}" in page
    assert abs(large[-1] - 0.75) > 0.2


def test_the_decay_comes_near(unit):
    aim = plucked(0.75)
    way = by_hand(lambda d: off(plucked(0.75, decay=d), aim), 0.03, 0.002, 20, 0.001, 0.95)
    np.testing.assert_allclose(unit["been"], way, atol=1e-4)
    assert way[0] == 0.03 and 0.13 < way[-1] < 0.15


def test_brightness_and_decay_lead_home_from_anywhere(page):
    """One valley each: the loss falls up to the target and rises from there."""
    assert "Brightness and decay lead home from anywhere" in page
    aim = plucked(0.75)
    for knob, places, home in (
        ("brightness", np.linspace(0, 0.95, 96), 0.75),
        ("decay", np.geomspace(0.01, 2, 80), 0.15),
    ):
        here = {"brightness": 0.75, "decay": 0.15}
        loss = np.array([off(plucked(**(here | {knob: x})), aim) for x in places])
        rises = np.diff(loss) > 0
        middle = (places[1:] + places[:-1]) / 2
        assert not rises[middle < 0.97 * home].any() and rises[middle > 1.03 * home].all()


def test_over_frequency_only_the_middle_valley_leads_home(unit, page):
    aim = plucked(0.3, decay=1000, n=1600)

    def loss(f):
        return off(plucked(0.3, freq=f, decay=1000, n=1600), aim)

    for start, end in unit["ends"].items():
        f = start  # the smallest of steps: wherever it falls, to the bottom
        step = 0.01 if loss(f + 0.01) < loss(f) else -0.01
        while loss(f + step) < loss(f):
            f += step
        assert end == pytest.approx(f, abs=0.05)
    assert unit["ends"][215.0] == pytest.approx(220, abs=0.02)
    assert unit["ends"][225.0] == pytest.approx(220, abs=0.02)
    assert [round(unit["ends"][f]) for f in (205.0, 245.0)] == [208, 242]
    assert "it stops at 208 and 242 Hz" in page
    assert min(loss(unit["ends"][f]) for f in (205.0, 245.0)) > 1.5
    assert 12 * np.log2(245 / 220) == pytest.approx(1.86, abs=0.01)  # "two semitones too high"


# ---- the stage -----------------------------------------------------------------------------------


def test_the_landscape_of_the_stage_is_the_loss(unit):
    for knob, place in (("brightness", 0.31), ("frequency", 0.62)):
        if knob == "brightness":
            want = off(plucked(0.95 * place), plucked(0.75))
        else:
            made = plucked(0.3, freq=180 + 80 * place, decay=1000, n=1600)
            want = off(made, plucked(0.3, decay=1000, n=1600))
        got = np.interp(place, unit["PLACES"][knob], unit["LAND"][knob])
        assert got == pytest.approx(want, abs=2e-3)


@pytest.mark.parametrize(
    ("knob", "start", "rate", "won"),
    [
        ("frequency", 0.57, 0.0003, True),
        ("frequency", 0.5875, 0.0003, True),  # 7 Hz away
        ("frequency", 0.43, 0.0003, True),
        ("frequency", 0.55, 0.0003, False),  # too near to count
        ("frequency", 0.6, 0.0003, False),  # another valley
        ("frequency", 0.57, 0.0001, False),  # creeps
        ("frequency", 0.57, 0.001, False),  # jumps
        ("frequency", 0.57, 0.1, False),  # thrown to the end
        ("brightness", 0.1, 0.1, False),  # home, and not what is asked
    ],
)
def test_when_the_challenge_is_met(unit, knob, start, rate, won):
    reply = unit["rolling"](knob, start, rate)
    assert bool(reply["solved"]) == won
    assert np.abs(reply["sound"]).max() <= 10 ** (-12 / 20) + 1e-6
    if (knob, rate) == ("brightness", 0.1):
        assert reply["at"][-1] == pytest.approx(0.75 / 0.95, abs=1e-3)


def test_a_rate_for_brightness_throws_frequency_out(unit, page):
    at = unit["rolling"]("frequency", 0.57, 0.1)["at"][-1]
    assert at in (0.0, 1.0) and "0.0003 leads home, from up to 7 Hz away" in page


# ---- chapter 3: a neuron -------------------------------------------------------------------------


def test_a_layer_is_a_filter_with_its_taps_turned_round():
    rng = np.random.default_rng(5)
    y, w = rng.standard_normal(60), rng.standard_normal(7)
    made = torch.nn.functional.conv1d(
        torch.from_numpy(y)[None, None], torch.from_numpy(w)[None, None]
    )
    np.testing.assert_allclose(
        made[0, 0].numpy(), scipy.signal.lfilter(w[::-1], 1, y)[6:], atol=1e-12
    )
    h = np.abs(scipy.signal.freqz(w[::-1], worN=64)[1])
    np.testing.assert_allclose(h, np.abs(np.fft.rfft(w, 128))[:64], atol=1e-12)


def wiener(rain, seconds=43, taps=65):
    """The least-squares filter from voices in rain to voices, by scipy's Toeplitz solver."""
    from helpers import audio

    names = ("librivox_a", "librivox_b", "librivox_c", "italian", "russian")
    voices = np.concatenate([audio.clip(name)[0] for name in names]).astype(float)
    noise = np.resize(rain[: len(rain) // 2], voices.size).astype(float)
    noise *= np.sqrt(np.mean(voices**2) / np.mean(noise**2)) * 10 ** (-2.5 / 20)
    x = voices + noise
    half = taps // 2
    auto = scipy.signal.correlate(x, x, "full")[x.size - 1 :][:taps]
    cross = scipy.signal.correlate(voices, x, "full")[x.size - 1 - half :][:taps]
    return scipy.linalg.solve_toeplitz(auto, cross)


def test_the_trained_neuron_is_near_the_filter_that_is_computed(unit, page):
    ideal = wiener(unit["rain"])
    turned = unit["weights"][::-1]  # a filter's taps, where a layer has weights
    assert np.linalg.norm(turned - ideal) / np.linalg.norm(ideal) < 0.25
    response = 20 * np.log10(np.abs(np.fft.rfft(unit["weights"], 4096)) + 1e-9)
    hertz = np.fft.rfftfreq(4096, 1 / SR)
    assert np.abs(response[(hertz > 60) & (hertz < 500)]).max() < 1.5
    assert response[hertz >= 1500].max() < -10
    assert "takes more than 10 dB off from 1.5 kHz on" in page
    made = np.convolve(unit["stranger"][0], ideal, "same")
    assert gain(made, unit["stranger"]) == pytest.approx(12, abs=0.7)  # "12 dB more"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_neuron_gains_much_in_rain_and_little_behind_a_window(unit, seed):
    in_rain = np.convolve(
        unit["stranger"][0], unit["train_filter"](unit["rain"], seed=seed)[::-1], "same"
    )
    assert gain(in_rain, unit["stranger"]) == pytest.approx(12, abs=0.6)
    weights = unit["train_filter"](unit["inside"], seed=seed)
    for who in ("woman", "man"):
        made = np.convolve(unit[who][0], weights[::-1], "same")
        assert gain(made, unit[who]) == pytest.approx(4.9, abs=0.5)


def test_the_window_takes_six_db_an_octave_off():
    b, a = scipy.signal.butter(1, 500, fs=SR)
    _, h = scipy.signal.freqz(b, a, worN=[1000, 2000], fs=SR)
    fall = 20 * np.log10(np.abs(h[0] / h[1]))
    assert 5 < fall < 7.5


def test_relu_makes_the_partials_of_half_a_wave(unit, page):
    """Fourier series of a half-wave rectified sine of amplitude 0.1."""
    want = {300: 0.05, 600: 0.2 / (3 * np.pi), 1200: 0.2 / (15 * np.pi), 900: 0.0}
    lines = 2 * np.abs(np.fft.rfft(unit["bent"].numpy())) / 16000
    for hertz, amplitude in want.items():
        assert lines[hertz] == pytest.approx(amplitude, abs=1e-5)
    assert "with amplitudes of 0.050, 0.021 and 0.004" in page


# ---- chapter 4: the denoiser ---------------------------------------------------------------------


def test_nobody_and_no_rain_of_the_exams_is_in_a_lesson(unit):
    """The lessons' rain ends where the exams' begins, and no stranger speaks in them."""
    marked = np.concatenate([np.full(48000, 0.01), np.full(48000, 0.02)]).astype(np.float32)
    noisy, clean = unit["lesson"](np.random.default_rng(0), marked, size=32)
    assert np.std((noisy - clean).numpy(), axis=-1).max() < 1e-3  # never from one half to the other
    for who in ("woman", "man"):
        piece = unit[who][1][8000:24000].astype(float)
        fit = scipy.signal.correlate(unit["speech"].astype(float), piece, "valid", method="fft")
        power = scipy.signal.convolve(
            unit["speech"].astype(float) ** 2, np.ones(piece.size), "valid", method="fft"
        )
        near = np.abs(fit) / np.sqrt(np.maximum(power, 1e-6) * np.sum(piece**2))
        assert near.max() < 0.5
    assert len(unit["speech"]) / SR == pytest.approx(43, abs=0.5)


def test_the_network_has_the_weights_that_are_counted(unit, page):
    want = 257 * 64 * 3 + 64 + 64 * 257 * 3 + 257
    found = sum(w.numel() for w in unit["network"].parameters())
    assert found == want == 99009


def test_the_network_of_the_page_beats_the_filter_by_more_than_two_decibels(unit, page):
    for who in ("woman", "man"):
        by_filter = np.convolve(unit[who][0], unit["fixed"][::-1], "same")
        by_network = unit["cleaned"](unit["network"], unit[who][0])
        assert 2 < gain(by_network, unit[who]) - gain(by_filter, unit[who]) < 4
    assert "gains about 3 dB more" in page


def trained(unit, seed, **changes):
    """A network that is trained as on the page from another start, and its losses."""
    torch.manual_seed(seed)
    net = unit["Denoiser"]()
    costs = [c for _, c in unit["fit"](net, unit["magnitude_loss"], seed=seed, **changes)]
    return net, costs


@pytest.mark.parametrize("seed", SEEDS)
def test_it_holds_from_three_starts(unit, seed):
    net, costs = trained(unit, seed)
    for who in ("woman", "man"):
        by_filter = np.convolve(unit[who][0], unit["fixed"][::-1], "same")
        by_network = unit["cleaned"](net, unit[who][0])
        assert gain(by_network, unit[who]) > gain(by_filter, unit[who]) + 1.5
    assert np.mean(costs[-20:]) < 0.5 * costs[0]


def test_the_mask_is_what_is_said_of_it(unit):
    """Between 0 and 1; below 2 kHz higher where the voice is than in its pauses."""
    mask = unit["mask"]
    assert mask.min() >= 0 and mask.max() <= 1
    S = np.abs(scipy.signal.stft(unit["woman"][1], SR, nperseg=512, noverlap=384)[2])
    n = min(S.shape[1], mask.shape[1])
    low = slice(4, 64)  # 125 Hz to 2 kHz
    loud = S[low, :n] > 0.05 * S.max()
    quiet = S[low, :n] < 0.002 * S.max()
    assert mask[low, :n][loud].mean() > mask[low, :n][quiet].mean() + 0.4


def test_a_bare_root_ends_in_nan_after_a_silent_frame():
    mask = torch.tensor([0.5, 0.5], requires_grad=True)
    made = mask * torch.tensor([0.0, 1.0])
    (torch.sqrt(made) - torch.sqrt(torch.tensor([0.0, 0.3]))).square().mean().backward()
    assert torch.isnan(mask.grad[0]) and torch.isfinite(mask.grad[1])


# ---- chapter 5: what it has not seen -------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_rates_and_batches(unit, seed):
    """A small rate is under way, a large one kills the neurons, a batch of one is noisy."""
    right, costs = trained(unit, seed, steps=80)
    good = gain(unit["cleaned"](right, unit["woman"][0]), unit["woman"])
    small, _ = trained(unit, seed, steps=80, rate=0.0001)
    assert gain(unit["cleaned"](small, unit["woman"][0]), unit["woman"]) < good - 1
    large, _ = trained(unit, seed, steps=80, rate=0.03)
    assert gain(unit["cleaned"](large, unit["woman"][0]), unit["woman"]) < good - 1
    S = unit["magnitudes"](unit["woman"][0])
    with torch.no_grad():
        heard = torch.relu(large.listen(S))
        assert large.decide(heard).abs().median() > 100  # "in the hundreds"
        stuck = (large(S) < 0.01) | (large(S) > 0.99)
        assert stuck.float().mean() > 0.99
        assert (heard[0].amax(dim=1) == 0).float().mean() > 0.5  # "more than half ... dead"
        assert (torch.relu(right.listen(S))[0].amax(dim=1) == 0).float().mean() < 0.5
        assert large(S)[0].std(dim=1).mean() < 0.1 * right(S)[0].std(dim=1).mean()
    _, alone = trained(unit, seed, steps=80, size=1)
    assert np.std(alone[-40:]) > 1.5 * np.std(costs[-40:])


@pytest.mark.parametrize("seed", SEEDS)
def test_one_clip_is_learned_by_heart(unit, seed):
    rows = np.array([(own, new) for _, _, own, new in unit["learn_by_heart"](seed=seed)])
    best = rows[:, 1].argmin()
    assert 10 < best < 100  # "turns within the first 100 steps"
    assert rows[-1, 1] > 1.2 * rows[best, 1]
    assert rows[-1, 0] < 0.6 * rows[best, 0]


def test_who_is_best_where(unit):
    pairs = {"own": unit["own_clip"], "man": unit["man"], "woman": unit["woman"]}
    table = {
        name: {where: gain(unit["cleaned"](net, pair[0]), pair) for where, pair in pairs.items()}
        for name, net in unit["kinds"].items()
    }
    early, late, many = table.values()
    assert late["own"] > max(early["own"], many["own"]) + 0.5
    for who in ("man", "woman"):
        assert late[who] < early[who] - 0.5 and many[who] > early[who] + 0.5


# ---- the coursework ------------------------------------------------------------------------------


def test_worked_examples_of_the_exercises(texts):
    solved = pages.solutions("30")
    assert solved["slope"](np.array([1.0, 2.0]), np.array([2.0, 4.0]), 1.0) == -5
    assert "it is −5" in texts
    assert solved["roll"](lambda x: 2 * x, 1.0, 0.25, 3).tolist() == [1, 0.5, 0.25, 0.125]
    y, w = np.array([1.0, 2.0, 0.0, -1.0, 3.0]), np.array([1.0, -0.5])
    assert solved["neuron"](y, w, 0.25).tolist() == [0.25, 2.25, 0.75, 0]
    made, target = torch.tensor([0.09]), torch.tensor([0.16])
    assert float(solved["root_loss"](made, target)) == pytest.approx(0.01, abs=3e-5)
    assert 0.5 / np.sqrt(1e-4) == 50  # the slope of the root at 0, in the reason


def test_a_slope_by_hand_is_the_slope_of_the_loss():
    rng = np.random.default_rng(3)
    y, target = rng.standard_normal((2, 50))
    up, down = (np.mean((g * y - target) ** 2) for g in (0.7 + 1e-5, 0.7 - 1e-5))
    assert pages.solutions("30")["slope"](y, target, 0.7) == pytest.approx((up - down) / 2e-5)


def bins(y):
    """An STFT by scipy."""
    return scipy.signal.stft(np.asarray(y, float), SR, nperseg=512, noverlap=384)[2]


def one_gain_each(S, X):
    """The one gain for each bin that comes nearest to S from X."""
    return np.clip(np.sum(np.real(S * X.conj()), 1) / np.sum(np.abs(X) ** 2, 1), 0, 1)


def test_a_fixed_filter_gets_what_the_exercise_says(unit, texts):
    """One gain for each bin, from the voices of the training, and from the answer itself."""
    assert "A fixed filter gets 4.8, and 5.4 if it has seen the answer." in texts
    noisy, voice = unit["man"]
    rain = np.resize(unit["inside"][:48000], len(unit["speech"])).astype(float)
    rain *= np.sqrt(np.mean(unit["speech"].astype(float) ** 2) / np.mean(rain**2))
    trained = one_gain_each(bins(unit["speech"]), bins(unit["speech"] + rain))
    best = one_gain_each(bins(voice), bins(noisy))
    for gains, want in ((trained, 4.8), (best, 5.4)):
        made = scipy.signal.istft(gains[:, None] * bins(noisy), SR, nperseg=512, noverlap=384)[1]
        assert gain(made[: voice.size], (noisy, voice)) == pytest.approx(want, abs=0.1)
    goal = float(re.search(r"SI-SDR should rise by (\d\.\d) dB", texts)[1])
    assert goal > 5.4  # nothing that is fixed can reach it


def test_what_is_read_of_a_learners_network_leaves_their_chance_alone():
    torch.manual_seed(7)
    before = torch.random.get_rng_state().clone()
    check = catalogue.exercise("30.network")
    assert check.check(pages.solutions("30")["make_network"]).outcome == "correct"
    assert torch.equal(before, torch.random.get_rng_state())


def test_every_sound_is_of_a_level_that_is_safe(unit):
    for player in unit["players"]:
        for y in player.tracks.values():
            assert np.abs(y).max() < 0.95
