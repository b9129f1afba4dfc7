"""The experiment on masking: what its sounds hold, and listeners whose thresholds are known."""

import numpy as np
import pytest

from helpers import experiments
from helpers.experiments import masking
from tests.pages import band, level

SR = masking.SR


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- what sounds ---------------------------------------------------------------------------------


def test_noise_has_its_level_and_its_edges():
    y = masking.noise(0.4, 0.0, rng())
    assert level(y) == pytest.approx(-36, abs=0.01)
    assert band(y, SR, 0, 400) < -150 and band(y, SR, 1600, SR / 2) < -150


def test_a_notch_takes_its_part_and_leaves_each_hertz_alone():
    open_noise, notched = (masking.noise(1.0, notch, rng()) for notch in (0.0, 150.0))
    assert band(notched, SR, 851, 1150) < -150
    assert band(notched, SR, 400, 850) == pytest.approx(band(open_noise, SR, 400, 850))
    assert level(notched) == pytest.approx(-36 + 10 * np.log10(0.75), abs=0.02)


@pytest.mark.parametrize("track", masking.TRACKS)
def test_the_tone_is_all_that_two_intervals_differ_by(track):
    without, with_tone = (masking.interval(track, -40.0, tone, rng()) for tone in (False, True))
    tone = with_tone - without
    assert 20 * np.log10(np.abs(tone).max()) == pytest.approx(-40, abs=0.05)
    spectrum = np.abs(np.fft.rfft(tone, 4 * SR))
    assert np.argmax(spectrum) / 4 == pytest.approx(1000, abs=5)


def test_the_short_tone_begins_5_and_100_ms_after_the_noise_has_ended():
    for track, gap in (("soon", 0.005), ("late", 0.1)):
        noise = np.flatnonzero(masking.interval(track, -40.0, False, rng()))
        both = masking.interval(track, -40.0, True, rng())
        tone = np.flatnonzero(both - masking.interval(track, -40.0, False, rng()))
        assert (tone[0] - noise[-1]) / SR == pytest.approx(gap, abs=0.001)


@pytest.mark.parametrize("track", masking.TRACKS)
def test_nothing_begins_or_ends_with_a_click(track):
    y = masking.interval(track, masking.CEILING_DB, True, rng())
    assert y[0] == 0 and abs(y[-1]) < 1e-4
    assert np.abs(np.diff(y[:24])).max() < 0.01 * np.abs(y).max()


@pytest.mark.parametrize("mode", masking.MODES)
def test_no_trial_is_louder_than_is_allowed_whatever_is_answered(mode):
    for wrong in (False, True):  # up to the ceiling, or down to the floor
        procedure = masking.NoiseMasking(mode, seed=1)
        while not procedure.done:
            trial = procedure.trial()
            right = trial["tone_interval"]
            y = procedure.sound()
            assert np.abs(y).max() < 10 ** (-7.5 / 20)
            assert masking.FLOOR_DB <= trial["level_db"] <= masking.CEILING_DB
            np.testing.assert_array_equal(y, procedure.sound())  # the same when heard again
            procedure.answer(3 - right if wrong else right)


def test_intervals_stand_where_the_page_lights_them():
    procedure = masking.NoiseMasking("quick", seed=2)
    y = procedure.sound()
    starts = [round(s * SR) for s in procedure.trial()["starts"]]
    assert not y[: starts[0]].any()
    for start in starts:
        assert level(y[start : start + SR // 5]) > -45
        assert not y[start - SR // 5 : start].any()


# ---- staircases and thresholds -------------------------------------------------------------------


def test_two_right_answers_go_down_and_one_wrong_goes_up():
    track = masking.TwoDown(-40.0)
    answers = (True, True, True, True, False, True, True, False)
    levels = [track.answer(right) for right in answers]
    assert levels == [-40, -46, -46, -52, -49, -49, -50.5, -49]


def test_the_staircase_settles_at_71_percent():
    """Two in a row with a chance of one half: p² = 1/2."""
    track = masking.TwoDown(-40.0)
    chance = rng(5)
    visited = []
    for _ in range(6000):
        p = 0.5 + 0.5 / (1 + np.exp(-(track.level + 50) / 1.5))
        visited.append(p)
        track.answer(chance.random() < p)
    assert np.mean(visited[50:]) == pytest.approx(np.sqrt(0.5), abs=0.02)


def found(mode, runs, **thresholds):
    results = []
    for seed in range(runs):
        procedure = masking.NoiseMasking(mode, seed=seed)
        listener = masking.SimulatedDetector(thresholds, seed=500 + seed)
        while not procedure.done:
            procedure.answer(listener.answer(procedure.trial()))
        results.append(procedure.result())
    return results


def test_known_listeners_are_found_without_bias_and_intervals_hold():
    drops = np.array([r.drop("open", "notch") for r in found("quick", 40)])
    assert drops[:, 0].mean() == pytest.approx(14, abs=1.5)
    assert drops[:, 0].std() < 4.5
    assert np.mean(np.abs(drops[:, 0] - 14) < drops[:, 1]) > 0.85


def test_who_has_no_filters_is_not_given_any():
    drops = np.array([r.drop("open", "notch") for r in found("quick", 20, notch=-44.0)])
    assert abs(drops[:, 0].mean()) < 1.5
    assert "do not show that the notch helps" in found("quick", 1, notch=-44.0)[0].title


def test_a_coin_gets_no_threshold():
    deaf = found("quick", 6, open=0.0, notch=0.0)
    assert all(r.drop("open", "notch") is None for r in deaf)
    assert all("beyond limit (above what may be played)" in r.words[0] for r in deaf)
    assert deaf[0].title == "No threshold was found within the limits"


def test_answers_can_be_taken_up_again_and_forged_ones_are_refused():
    first = masking.NoiseMasking("full", seed=3)
    listener = masking.SimulatedDetector(seed=3)
    while not first.done:
        first.answer(listener.answer(first.trial()))
    again = masking.NoiseMasking("full", seed=99)
    assert again.accept(first.rows) and again.done
    assert again.result().matches == first.result().matches
    for key, value in (("level_db", -20.0), ("answer", 3), ("track", "x"), ("trial", 7)):
        forged = [dict(row) for row in first.rows]
        forged[4][key] = value
        assert not again.accept(forged) and again.rows == []


@pytest.mark.parametrize("answer", [0, 3, True, "1"])
def test_other_answers_are_refused(answer):
    with pytest.raises(ValueError, match="must be 1"):
        masking.NoiseMasking("quick", seed=1).answer(answer)


def test_an_unknown_mode_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"quick, full"):
        experiments.tone_in_noise("slow", name=None)


def test_the_words_hold_every_threshold_and_the_picture_is_one():
    experiment = experiments.tone_in_noise("full", name=None, seed=1).simulate()
    result = experiment.result
    for match in result.matches.values():
        assert f"{match.level:.1f} dBFS".replace("-", "−") in experiment.words[1]
    assert len(experiment.words) == 4 and experiment.picture[:4] == b"\x89PNG"
