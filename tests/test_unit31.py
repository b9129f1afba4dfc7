"""What unit 31 lets you hear, and every number that its pages and its coursework state."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import audio, listening, losses, mel, metrics, psychophysics
from helpers.coursework import catalogue
from tests.pages import ROOT, SHARED, code_cells, level, loudest, with_guess
from tools.training import loss_features

pytest.importorskip("pesq")

NAME = "31_losses"
VOICE_DB = -27.0  # the voice that set the volume [dBFS RMS]


# ---- what is heard -------------------------------------------------------------------------------


def test_nothing_is_more_than_14_db_above_the_voice(unit):
    assert len(unit["players"]) == 7  # the last is that of the live run
    for player in unit["players"]:
        for name, y in player.tracks.items():
            assert loudest(y, player.sr) <= VOICE_DB + 14, name
    assert len(unit["stages"]) == 1


def test_two_copies_have_one_error_and_two_sounds(unit):
    voice, turned, noisy = unit["players"][0].tracks.values()
    errors = [np.mean((y.astype(np.float64) - voice) ** 2) for y in (turned, noisy)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-5)
    assert errors[0] / unit["power"] == pytest.approx(0.1, rel=1e-3)
    assert (
        metrics.log_spectral_distance(turned, voice)
        < 0.12
        < 20
        < metrics.log_spectral_distance(noisy, voice)
    )
    assert (
        metrics.pesq(turned, voice, sr=16000) > 4.6 and metrics.pesq(noisy, voice, sr=16000) < 1.1
    )


def test_upside_down_is_four_times_the_power_and_silence_once(unit, page):
    voice = unit["voice"]
    assert unit["mse"](-voice, voice) / unit["power"] == pytest.approx(4)
    assert unit["mse"](0 * voice, voice) / unit["power"] == pytest.approx(1)
    assert "silence is four times better than a perfect copy upside down" in page


def test_made_up_phases_have_the_magnitudes_and_not_the_samples(unit, page):
    assert unit["value"](losses.SpectralConvergence(), unit["made_up"]) < 0.03
    assert unit["mse"](unit["made_up"], unit["voice"]) > unit["power"]  # worse than silence
    assert "right within 3 %" in page and "worse than silence" in page


def test_the_telephone_and_the_hiss(unit, page):
    value, log, sc = unit["value"], losses.LogMagnitude(), losses.SpectralConvergence()
    assert value(sc, unit["dull"]) == pytest.approx(0.1, abs=0.01)  # "a tenth"
    lost = unit["mse"](unit["dull"], unit["voice"]) / unit["power"]
    assert lost == pytest.approx(0.01, abs=0.001) and "to MSE a hundredth of the power" in page
    assert value(sc, unit["hissing"]) < 0.01
    assert value(log, unit["hissing"]) / value(log, unit["dull"]) == pytest.approx(1 / 5, abs=0.02)
    hiss = unit["hissing"] - unit["voice"]
    assert (
        level(unit["voice"]) - level(hiss) == pytest.approx(48.0, abs=0.2)
        and "48 dB under the voice" in page
    )


def test_the_click_is_5_ms_late_and_the_tone_30_cents_high(unit):
    assert np.argmax(unit["late"]) - np.argmax(unit["click"]) == 80
    for y, hz in ((unit["clean"], 440), (unit["high"], 440 * 2 ** (30 / 1200))):
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 16 * len(y)))
        assert np.argmax(spectrum) / 16 == pytest.approx(hz, abs=0.2)


def test_the_eight_faults_have_one_error_and_no_loud_one(unit):
    voice = unit["voice"]
    assert len(unit["faults"]) == 8
    for name, y in unit["faults"].items():
        assert np.mean((y - voice) ** 2) / unit["power"] == pytest.approx(0.1, rel=1e-3), name
        assert np.abs(y).max() < 0.3, name
    assert metrics.si_sdr(unit["faults"]["quieter"], voice) > 200
    assert 20 * np.log10(1 - np.sqrt(0.1)) == pytest.approx(-3.3, abs=0.01)
    assert 1e6 * unit["delay"] / 16000 == pytest.approx(75, abs=1)
    assert unit["cutoff"] == pytest.approx(697, abs=1)


# ---- facts of the loss family --------------------------------------------------------------------


def tone(cents=0.0, phase=0.0):
    """One second of a sine at 440 Hz and 16 kHz, amplitude 1."""
    return np.sin(2 * np.pi * 440 * 2 ** (cents / 1200) * np.arange(16000) / 16000 + phase)


def of(loss, estimate, target):
    """A loss of NumPy sounds."""
    return float(loss(losses.batch(estimate), losses.batch(target)))


def test_a_turned_sine_to_the_spectral_convergence_and_to_si_sdr():
    """-35 dB or less (1024 and 256 samples); +261 dB upside down and -271 dB at 90 degrees, by
    NumPy's rounding.
    """
    for degrees in (30, 90, 180):
        turned = tone(phase=np.radians(degrees))
        assert metrics.spectral_convergence_db(turned, tone()) <= -35
        assert 20 * np.log10(of(losses.SpectralConvergence(n_fft=1024), turned, tone())) <= -35
    assert (
        metrics.si_sdr(tone(phase=np.pi), tone()) > 200
        and metrics.si_sdr(tone(phase=np.pi / 2), tone()) < -200
    )


def test_squared_error_saturates_within_ten_cents():
    values = [of(losses.L2(), tone(c), tone()) for c in (5, 10, 20, 50, 100, 400, 1200)]
    assert min(values) > 0.85 and max(values) < 1.1
    assert of(losses.L2(), tone(1), tone()) < 0.4


@pytest.mark.parametrize(("n_fft", "flat"), [(512, 400), (2048, 200)])
def test_magnitudes_rise_until_four_bins_and_then_are_flat(n_fft, flat):
    """By 300 to 400 cents with 512 samples, by 200 with 2048."""
    loss = losses.Magnitude(n_fft=n_fft)
    near = [of(loss, tone(c), tone()) for c in np.linspace(flat / 8, flat * 0.6, 5)]
    far = [of(loss, tone(c), tone()) for c in (flat, 2 * flat, 3 * flat)]
    assert np.all(np.diff(near) > 0) and near[-1] > 2 * near[0]
    assert (max(far) - min(far)) / max(far) < 0.06
    assert near[0] < 0.4 * far[0]


def test_the_log_mel_distance_is_not_monotone():
    """0.45 at 50 cents and 0.39 at 100: 1024 and 256 samples, 80 bands, powers, natural logarithm
    of power + 1e-5.
    """

    def view(cents):
        M = mel.mel_spectrogram(
            tone(cents), sr=16000, n_fft=1024, hop_length=256, n_mels=80, power=2.0
        )
        return np.log(M + 1e-5)

    values = [np.abs(view(c) - view(0)).mean() for c in (50, 100)]
    assert values == pytest.approx([0.45, 0.39], abs=0.01)
    ours = [of(losses.Magnitude(domain="log-mel", n_fft=1024), tone(c), tone()) for c in (50, 100)]
    assert (
        ours[0] > 2 * ours[1]
    )  # of magnitudes, with a lower floor: other numbers, the same valley


@pytest.mark.parametrize(("c", "printed"), [(5, "0.88"), (50, "1.01"), (400, "1.00")])
def test_the_printed_table_of_detunings(unit, c, printed):
    assert f"{of(losses.L2(), tone(c), tone()):.2f}" == printed
    np.testing.assert_allclose(unit["sine"][c], tone(c), atol=1e-9)


def test_si_sdr_of_the_worked_example(page):
    s, n = np.zeros(4), np.zeros(4)
    s[0], n[1] = 1.0, 0.1
    assert metrics.si_sdr(0.5 * s + n, s) == pytest.approx(10 * np.log10(25)) and "= 14 dB" in page
    assert metrics.snr(0.5 * s + n, s) == pytest.approx(5.85, abs=0.01) and "= 5.9 dB" in page


# ---- the table of deafness -----------------------------------------------------------------------


def test_who_is_deaf_to_what(unit):
    names = list(unit["changes"])
    deaf = {
        loss: {n for n, d in zip(names, row, strict=True) if d}
        for loss, row in zip(unit["tested"], unit["truth"], strict=True)
    }
    phase = {"upside down", "1 ms late", "turned by 90°"}
    assert deaf == {
        "L1": set(),
        "L2": set(),
        "SI-SDR": {"half the level", "upside down"},
        "ESR, pre-emphasis": {"offset 0.01"},
        "complex STFT": set(),
        "magnitude": phase - {"1 ms late"},
        "log magnitude": phase | {"offset 0.01"},
        "log-mel": phase | {"offset 0.01"},
        "multi-resolution": phase,
        "deep features": phase,
    }


def test_the_plain_magnitude_hears_the_delay_a_little(unit, page):
    """By librosa: what a delay of 1 ms costs, beside noise 20 dB under the voice."""
    import librosa

    def cost(y):
        S, E = (np.abs(librosa.stft(x, n_fft=512, hop_length=128)) for x in (unit["voice"], y))
        return np.mean(np.abs(E - S))

    least = cost(unit["copy"])
    found = cost(unit["changes"]["1 ms late"]) - least
    found /= cost(unit["quiet_noise"]) - least
    assert found == pytest.approx(0.13, abs=0.01) and "a little, 0.13" in page


def test_a_guess_is_counted(unit):
    names = {k: unit[k] for k in ("tested", "np", "truth")}
    right = {
        name: "".join("x" if d else "." for d in row)
        for name, row in zip(unit["tested"], unit["truth"], strict=True)
    }
    for guess, wanted in (
        (right, 70),
        ({name: "" for name in right}, 70 - int(unit["truth"].sum())),
    ):
        source = next(c for c in code_cells(NAME) if "mine = " in c.split("truth =")[0])
        space = names | {"guess": guess, "heard": unit["heard"]}
        exec(source.split("truth =")[0], space)
        assert np.sum(space["mine"] == unit["truth"]) == wanted


def test_the_changes_are_what_their_names_say(unit):
    voice, changes = unit["copy"], unit["changes"]
    np.testing.assert_array_equal(changes["1 ms late"][16:], voice[:-16])
    np.testing.assert_allclose(changes["half the level"], voice / 2)
    assert abs(np.sum(changes["turned by 90°"] * voice)) < 1e-6 * np.sum(voice**2)
    up, n = (
        changes["50 cents up"],
        np.arange(8000),
    )  # its sample n is the voice's at n times a ratio
    np.testing.assert_allclose(
        up[n], np.interp(n * 2 ** (50 / 1200), np.arange(len(voice)), voice), atol=1e-12
    )


# ---- windows and slopes --------------------------------------------------------------------------


def test_one_window_is_deaf_where_the_other_hears(unit, page):
    click, high = unit["seen"].values()
    assert np.all(np.diff(click) < 0) and np.all(np.diff(high) > 0)
    for text, value in {"0.05": high[0], "0.07": click[-1]}.items():
        assert f"{value:.2f}" == text and text in page
    assert [f"{x:.2f}" for x in unit["both"]] == ["0.58", "0.28"]


def test_the_reach_of_each_loss(unit):
    far = {name: unit["reach"](curve) for name, curve in unit["curves"].items()}
    assert (
        max(far["SI-SDR"], far["L2"], far["log-mel"])
        <= 20
        < 200
        <= min(far["magnitude, 32 ms"], far["multi-resolution"])
    )


@pytest.mark.parametrize(("option", "panels"), [(0, [1]), (1, [0]), (2, [3]), (3, [0, 1, 2, 3, 4])])
def test_the_guess_stands_on_its_curve(unit, monkeypatch, tmp_path, option, panels):
    drawn = [with_guess(unit, "31.slope", k, tmp_path, monkeypatch) for k in (None, option)]
    before, after = ([len(ax.lines) for ax in fig.axes] for fig in drawn)
    assert np.flatnonzero(np.array(after) - before).tolist() == panels
    kinds = ("SI-SDR", "L2", "log-mel", "magnitude, 32 ms", "multi-resolution")
    assert tuple(unit["curves"]) == kinds
    for k in panels:
        x, y = (v[0] for v in drawn[1].axes[k].lines[-1].get_data())
        assert x == 200
        assert y == pytest.approx(unit["curves"][kinds[k]][list(unit["cents"]).index(200)])
        assert any("guess" in text.get_text() for text in drawn[1].axes[k].texts)


def test_reach_and_downhill_on_curves_that_can_be_done_in_the_head(unit):
    cents = unit["cents"]
    valley = np.abs(cents) / 400
    assert unit["reach"](valley) == 400 and unit["downhill"](valley, 300) == 0
    bump = np.where(np.abs(cents) <= 100, np.abs(cents) / 400, 0.2)  # flat outside
    assert unit["reach"](bump) == 100 and unit["downhill"](bump, 300) == 300
    assert unit["downhill"](np.abs(cents - 200) / 400, 300) == 200


def test_the_challenge_can_be_won_and_not_by_every_choice(unit):
    won = {
        (k, n): bool(unit["slope"](300, k, n)["solved"])
        for k in unit["KINDS"]
        for n in (128, 512, 2048)
    }
    assert {choice for choice, yes in won.items() if yes} == {
        ("convergence", 128),
        ("convergence", 512),
    }
    assert won["convergence", 512] and not any(
        won[k, n] for k, n in won if k in ("SI-SDR", "L2", "log-mel")
    )
    assert not unit["slope"](200, "magnitude", 128)["solved"]  # too near to count


@pytest.mark.parametrize("cents", [-400, -52, 0, 400])
def test_the_loop_of_the_stage_is_kind_and_has_no_seam(unit, cents):
    sound = unit["slope"](cents, "L2", 512)["sound"]
    assert np.abs(sound).max() < 0.25 and abs(sound[0]) < 1e-9 and abs(sound[-1]) < 1e-9


def test_filters_before_a_loss(page):
    for hz, db in ((100, -16.232), (4000, 2.362)):
        gain = 20 * np.log10(abs(1 - 0.85 * np.exp(-2j * np.pi * hz / 16000)))
        assert gain == pytest.approx(db, abs=1e-3)
    assert "lowers 100 Hz by 16.2 dB and raises 4 kHz by 2.4 dB" in page and "31.5 dB more" in page


# ---- the network, ranking, the descent -----------------------------------------------------------


def test_how_many_changes_the_network_knows(page):
    """On the recordings that were held back."""
    files = sorted((SHARED / "corpus" / "speech" / "valid").glob("*.flac"))
    if not files:
        pytest.skip("the corpus of real recordings is not here (../shared/corpus)")
    sounds = [y for file in files if (y := audio.load(file, sr=16000)[0]).size > 16000]
    assert (
        f"{100 * loss_features.accuracy(losses.DeepFeatures().network, sounds):.0f} %" == "81 %"
        and "81 % of them" in page
    )


def test_how_large_a_correlation_of_eight_must_be(page):
    order = np.arange(8)
    rng = np.random.default_rng(0)
    found = {psychophysics.rank_correlation(order, rng.permutation(8)) for _ in range(120)}
    assert min(abs(rho) for rho, p in found if p < 0.05) == pytest.approx(0.738, abs=0.03)
    assert "about 0.74" in page


def test_a_ranking_replaces_the_stand_in(unit):
    quality = {name: 100 - 10 * k for k, name in enumerate(unit["faults"])}
    test = listening.blind_test("rank", unit["faults"], sr=16000, match=None)
    test.simulate(psychophysics.SimulatedListener(quality=quality))
    space = dict(unit) | {"ranking": test}
    exec(next(c for c in code_cells(NAME) if c.startswith("def or_none")), space)
    assert list(space["yours"]) == [1, 2, 3, 4, 5, 6, 7, 8] and space["who"] == "you"
    assert unit["who"] == "PESQ"


def test_without_the_package_a_guess_stands_in(unit, monkeypatch):
    def missing(*args, **kw):
        raise ImportError("no pesq")

    monkeypatch.setattr(metrics, "pesq", missing)
    space = dict(unit)
    exec(next(c for c in code_cells(NAME) if c.startswith("def or_none")), space)
    assert space["who"] == "a guess" and len(space["yours"]) == 8


@pytest.fixture(scope="module")
def ends(unit):
    """Loss at the start, loss and sound after 300 steps from noise."""
    found = {}
    for name in ("L2", "convergence", "SI-SDR", "magnitude", "deep features", "log magnitude"):
        rows = list(unit["descend"](unit["pool"][name], "noise"))
        assert [step for step, _, kept in rows if kept is not None] == [0, 10, 30, 100, 300]
        found[name] = rows[0][1], rows[-1][1], rows[-1][2].astype(np.float64)
    return found


def test_what_300_steps_leave_is_what_the_loss_does_not_hear(unit, ends, page):
    sound, target = {name: y for name, (_, _, y) in ends.items()}, unit["target"]
    assert metrics.snr(sound["L2"], target) > 55
    assert metrics.si_sdr(sound["SI-SDR"], target) > 30 > 6 > metrics.snr(sound["SI-SDR"], target)
    assert (
        metrics.snr(sound["magnitude"], target) < 0
        and ends["magnitude"][1] < 0.12 * ends["magnitude"][0]
    )
    assert ends["deep features"][1] == pytest.approx(ends["deep features"][0] / 8, rel=0.1)
    # "noise, with the outline of the sentence in it", and "The loss falls to half"
    sounds = (unit["starts"]["noise"], sound["log magnitude"])
    before, after = (metrics.stoi(y, target, sr=16000) for y in sounds)
    assert before < 0.4 and after > 0.7
    assert ends["log magnitude"][1] == pytest.approx(ends["log magnitude"][0] / 2, rel=0.1)
    printed = {
        "L2": 4.6,
        "convergence": 4.4,
        "SI-SDR": 4.0,
        "magnitude": 2.6,
        "deep features": 1.0,
        "log magnitude": 1.0,
    }
    for name, score in printed.items():
        assert metrics.pesq(sound[name], target, sr=16000) == pytest.approx(score, abs=0.25), name
        assert f"{name} | {score} |" in page


@pytest.mark.parametrize("start", ["noise", "filtered copy", "detuned copy"])
def test_every_loss_goes_down_but_logarithms_near_the_target(unit, start):
    """Steps of one size are large for a quiet bin."""
    risen = set()
    for name in unit["pool"]:
        values = [loss for _, loss, _ in unit["descend"](unit["pool"][name], start, steps=12)]
        risen |= {name} if values[-1] >= values[0] else set()
    assert risen == ({"log magnitude", "multi-resolution"} if start == "detuned copy" else set())


def test_what_is_heard_of_a_descent_is_never_loud(unit):
    loud = unit["preview"](
        10, {"L2, noise": np.ones(16000, np.float32) * np.tile([1, -1], 8000).astype(np.float32)}
    )
    assert "L2, noise (lowered)" in loud.tracks
    assert level(loud.tracks["L2, noise (lowered)"]) < -19.9
    assert list(unit["preview"](10, {"L2, noise": unit["target"]}).tracks) == [
        "target",
        "L2, noise",
    ]


# ---- tables --------------------------------------------------------------------------------------


def test_the_systems_stand_in_the_table_with_their_source(page):
    text = (ROOT / "data" / "tables" / "loss_in_systems.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 10
    for row in rows:
        assert len(row["commit"]) == 40 and "/" in row["repository"] and row["status"] == "read"
        assert len(row["second_commit"]) == (40 if row["second_file"] else 0)
        assert row["system"].split(" (")[0].split()[0] in page


def test_the_row_of_si_sdr_does_not_depend_on_an_epsilon(unit, page):
    """Written out, with any small number in it or none: half the level is exactly no change."""
    v = unit["voice"].astype(np.float64)
    copy, noisy = unit["copy"], unit["quiet_noise"]
    assert 10 * np.log10(np.mean((copy - v) ** 2) / np.mean(v**2)) == pytest.approx(-60, abs=0.01)

    def loss(e, eps):
        kept = (e @ v) / (v @ v) * v
        return -10 * np.log10((kept @ kept) / ((e - kept) @ (e - kept) + eps))

    for eps in (0, 1e-12, 1e-8):
        rise = loss(noisy, eps) - loss(copy, eps)
        assert rise == pytest.approx(40, abs=0.5)
        assert abs(loss(0.5 * copy, eps) - loss(copy, eps)) / rise < 0.01
    shares = dict(zip(unit["changes"], unit["heard"]["SI-SDR"], strict=True))
    assert abs(shares["half the level"]) < 1e-3 and abs(shares["upside down"]) < 1e-3
    assert "Both rises begin at a copy with noise 60 dB under the voice" in page


def test_a_falling_rate_turns_the_ranking_round(unit, page):
    """The descent of the page, with Adam's rate falling along half a cosine."""
    from helpers import losses

    ends = {}
    for name, loss in (("SI-SDR", losses.SISDR()), ("L2", losses.L2())):
        goal = losses.batch(unit["target"]).float()
        y = losses.batch(unit["starts"]["noise"]).float().requires_grad_()
        adam = torch.optim.Adam([y], lr=2e-3)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 301)
        for _ in range(300):
            adam.zero_grad()
            loss(y, goal).backward()
            adam.step()
            falling.step()
        ends[name] = metrics.pesq(y.detach().numpy()[0, 0], unit["target"], sr=16000)
    assert ends["SI-SDR"] > ends["L2"] + 0.5
    assert f"SI-SDR ends at {ends['SI-SDR']:.1f} and L2 at {ends['L2']:.1f}" in page


def test_what_two_recipes_add_to_their_loss(page):
    """As the authors' own files say: ae.gin weighs both parts with 1, launch_valentini.sh turns
    the STFT loss on.
    """
    text = (ROOT / "data" / "tables" / "loss_in_systems.csv").read_text(encoding="utf-8")
    rows = {row["system"]: row for row in csv.DictReader(text.splitlines())}
    assert "log magnitudes with weight 1 each" in rows["DDSP"]["loss"]
    assert rows["DDSP"]["second_file"] == "ddsp/training/gin/models/ae.gin"
    assert "STFT in the recipe for Valentini's data" in rows["denoiser"]["loss"]
    assert rows["denoiser"]["second_file"] == "launch_valentini.sh"
    # each file was read at a commit of its own
    assert rows["DDSP"]["second_commit"].startswith("0975209c")
    assert rows["denoiser"]["second_commit"].startswith("c0bed050")
    assert "| DDSP | synthesis | L1 of magnitudes and of log magnitudes, of equal weight" in page
    assert "and multi-resolution STFT in its authors' recipe for Valentini's data |" in page


def test_the_deep_features_were_taught_four_of_the_eight_faults(unit, page):
    told = (ROOT / "tools" / "training" / "loss_features.py").read_text(encoding="utf-8")
    taught = [kind for kind in ("white noise", "hum", "echo", "low-pass") if f'"{kind}"' in told]
    assert len(taught) == 4 and "white noise, hum, echo and low-pass are among them" in page
    assert all(any(name.startswith(kind) for name in unit["faults"]) for kind in taught)


def test_losses_on_samples_agree_on_seven_of_eight(unit, page):
    values = [metrics.si_sdr(y, unit["voice"]) for y in unit["faults"].values()]
    assert sum(9.5 < v < 10.2 for v in values) == 7
    pesq = [metrics.pesq(y, unit["voice"], sr=16000) for y in unit["faults"].values()]
    assert min(pesq) < 1.1 and max(pesq) > 4.6
    assert f"PESQ gives them everything from {min(pesq):.2f} to {max(pesq):.2f}" in page


def test_numbers_of_the_exercises():
    e, s = np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])
    assert metrics.si_sdr(e, s) == pytest.approx(18.40, abs=5e-3)
    space = {"np": np}
    exec(catalogue.exercises("31")["31.fool"].solution, space)
    half = space["fool"](s, 6.02)
    np.testing.assert_allclose(half, s / 2, rtol=1e-3)  # "At 6.02 dB it is half the target"
    assert metrics.snr(half, s) == pytest.approx(6.02) and metrics.si_sdr(half, s) > 200


def test_the_loss_to_order_by_librosa_and_what_one_window_misses():
    """The customer's shares again, with magnitudes of another hand."""
    import librosa

    sr = 16000
    t = np.arange(sr // 2) / sr
    rng = np.random.default_rng(3)
    voice = sum(np.cos(2 * np.pi * 130 * k * t + k**2) / k for k in range(1, 20))
    voice = 0.05 * voice * np.abs(np.sin(2 * np.pi * 3 * t)) + 1e-5 * rng.standard_normal(t.size)
    ramp = np.minimum(1, np.minimum(t, t[-1] - t) / 0.02)
    tones = [0.1 * ramp * np.sin(2 * np.pi * 440 * 2 ** (c / 1200) * t) for c in (0, 30)]
    clicks = [1e-5 * rng.standard_normal(t.size) + 0.3 * (t * sr == at) for at in (4000, 4080)]

    def loss(e, s, sizes):
        found = 0
        for n in sizes:
            E, S = (np.abs(librosa.stft(x, n_fft=n, hop_length=n // 4)) for x in (e, s))
            found += np.linalg.norm(E - S) / np.linalg.norm(S)
        return found

    def with_noise(y):
        noise = rng.standard_normal(y.size)
        return y + 0.1 * noise * np.sqrt(np.mean(y**2) / np.mean(noise**2))

    def shares(sizes):
        pairs = {"flip": (-voice, voice), "half": (voice / 2, voice)}
        pairs |= {"late": (np.pad(voice, (16, 0))[: t.size], voice)}
        pairs |= {"click": clicks[::-1], "tone": tones[::-1]}
        return {k: loss(e, s, sizes) / loss(with_noise(s), s, sizes) for k, (e, s) in pairs.items()}

    kept = shares((512, 1024, 2048))
    assert kept["flip"] < 0.1 and kept["late"] < 0.5 and kept["half"] > 1
    assert kept["click"] > 3 and kept["tone"] > 4.5
    assert shares((128,))["late"] > 0.5 and shares((2048,))["click"] < 3
    assert shares((512,))["tone"] < 4.5


# ---- the loss that trained ours


def test_the_loss_of_the_exercise_is_the_one_that_trained_the_networks():
    """By NumPy, with sums written out, by the helper, and by the solution of 31.trained."""
    torch = pytest.importorskip("torch")
    from helpers import training

    rng = np.random.default_rng(3)
    clean = 0.1 * rng.standard_normal(4000)
    window = np.sin(np.pi * np.arange(512) / 512) ** 2

    def compressed(y):
        padded = np.pad(y, 256, mode="reflect")
        starts = range(0, len(padded) - 511, 128)
        spectra = [np.fft.rfft(window * padded[s : s + 512]) for s in starts]
        return (np.abs(spectra) ** 2 + 1e-6) ** 0.15

    space = {"torch": torch}
    exec(catalogue.exercises("31")["31.trained"].solution, space)
    for estimate in (clean, clean / 2, 0 * clean, -clean, clean + rng.standard_normal(4000)):
        energy, error = np.sum(clean**2), np.sum((estimate - clean) ** 2)
        rms = np.sqrt(energy / 4000)
        off = compressed(estimate / rms) - compressed(clean / rms)
        wanted = 10 * np.log10((error + 1e-3 * energy) / energy) + 10 * np.mean(off**2)
        pair = [torch.from_numpy(y) for y in (estimate, clean)]
        assert float(space["training_loss"](*pair)) == pytest.approx(wanted, abs=1e-9)
        batch = [y[None] for y in pair]
        assert float(training.enhancement_loss(*batch)) == pytest.approx(wanted, abs=1e-3)


def test_what_the_page_says_of_that_loss():
    """36 dB more for a voice upside down: 10 lg(4.001) above the floor of -30."""
    assert 10 * np.log10(4 + 1e-3) + 30 == pytest.approx(36, abs=0.03)
    assert 10 * np.log10(1 + 1e-3) + 30 == pytest.approx(30, abs=0.01)
    page = "".join(code_cells("31_losses"))
    assert "training.enhancement_loss" in page
