"""What unit 00 lets you hear is what it says: levels, spectra, the one difference of two clips."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.pages import ROOT, band, code_cells, level, loudest

NAME = "00_start_here"


def test_the_first_voice_has_the_level_that_sets_the_volume(unit):
    assert level(unit["voice"]) == pytest.approx(-26, abs=1.5)


def si_sdr(estimate, target):
    """Written out: what of the estimate is the target, over what is not [dB]."""
    estimate, target = np.float64(estimate), np.float64(target)
    fit = np.dot(estimate, target) / np.dot(target, target) * target
    return 10 * np.log10(np.sum(fit**2) / np.sum((estimate - fit) ** 2))


@pytest.fixture
def game(unit):
    """The four versions of the sentence, where PyTorch is here to make them."""
    if importlib.util.find_spec("torch") is None:
        assert list(unit["game"]) == ["noisy"]
        pytest.skip("without PyTorch there is only the noisy voice")
    return unit["game"]


def test_the_game_has_one_voice_in_four_versions_at_one_level(unit, game):
    assert list(game) == ["noisy", "Setting 1", "Setting 2", "Setting 3"]
    assert {len(y) for y in game.values()} == {len(unit["voice"])}
    levels = [level(y) for y in game.values()]
    assert max(levels) - min(levels) < 2 and max(levels) == pytest.approx(-26, abs=1)
    assert max(np.abs(y).max() for y in game.values()) < 10 ** (-9 / 20)
    added = game["noisy"] - unit["voice"]
    assert level(unit["voice"]) - level(added) == pytest.approx(5, abs=0.01)


def test_the_programs_do_what_the_table_says(unit, game):
    voice, sr = unit["voice"], unit["sr"]
    pause = slice(round(0.02 * sr), round(0.12 * sr))  # before the first word
    quiet = {name: level(y[pause]) for name, y in game.items()}
    assert quiet["noisy"] > -36
    assert quiet["Setting 1"] == pytest.approx(-48, abs=2)  # a little rain stays
    assert quiet["Setting 2"] < -70 and quiet["Setting 3"] < -54
    score = {name: si_sdr(y, voice) for name, y in game.items()}
    assert score["noisy"] == pytest.approx(5, abs=0.1)
    assert score["Setting 1"] > 12 and score["Setting 3"] > 14
    assert score["Setting 2"] < score["noisy"] - 20  # the meter that calls it far worse


def test_another_meter_calls_all_three_better(unit, game):
    pesq = pytest.importorskip("pesq").pesq
    score = {name: pesq(16000, unit["voice"], y, "wb") for name, y in game.items()}
    assert score["noisy"] < 1.1
    assert min(score[f"Setting {k}"] for k in (1, 2, 3)) > 1.25


WITHOUT_TORCH = """
import sys
class No:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, No())
"""


def test_without_pytorch_the_noisy_voice_is_there_and_a_line_says_what_to_do(tmp_path):
    cells = [*code_cells(NAME, tag="setup"), code_cells(NAME, tag="sound")[0], "print(*game)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([WITHOUT_TORCH, *cells])],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "course.py setup" in said[0] and said[-1] == "noisy"


def test_without_a_recording_a_man_stands_in_and_with_one_it_is_yours(unit):
    assert unit["speaker"] == "arctic_awb"
    assert np.abs(unit["mine"]).max() == pytest.approx(0.25, abs=1e-6)


def test_one_stripe_takes_the_whistle_and_leaves_the_voice(unit):
    painted = unit["painted"]
    columns = -(-unit["parts"].shape[2] // 4)
    keep = np.ones((32, columns), bool)
    whole = painted(keep, "what is left")
    assert not whole["solved"] and "0% of the whistle" in whole["readout"]
    keep[14] = False  # 1750 to 1875 Hz
    left, taken = painted(keep, "what is left"), painted(keep, "what you took away")
    assert left["solved"] and left["readout"] == taken["readout"]
    np.testing.assert_allclose(left["sound"] + taken["sound"], whole["sound"], atol=1e-6)
    sr = unit["sr"]
    tone = np.exp(-2j * np.pi * 1800 * np.arange(len(unit["voice"])) / sr)
    before, after = (abs(np.mean(y * tone)) for y in (whole["sound"], left["sound"]))
    assert 20 * np.log10(after / before) < -25
    np.testing.assert_allclose(before, 0.6 * 0.06 / 2, rtol=0.05)
    keep[:] = False
    assert not painted(keep, "what is left")["solved"]  # all gone is no solution


def test_the_machine_says_what_the_man_says_with_less_above_4_khz(unit):
    share = [
        band(unit[who], unit["sr"], 4000, 8000) - level(unit[who]) for who in ("person", "machine")
    ]
    assert share[0] - share[1] == pytest.approx(8, abs=1)


def test_each_side_sounds_where_its_name_says(unit):
    sides = unit["sides"]
    assert not sides["left"][1].any() and sides["left"][0].any()
    assert not sides["right"][0].any() and sides["right"][1].any()
    np.testing.assert_array_equal(sides["both"][0], sides["both"][1])


def test_the_flipped_pair_differs_in_one_sign_only(unit):
    both, flipped = unit["sides"]["both"], unit["sides"]["one side flipped"]
    assert level(both) == level(flipped)
    np.testing.assert_array_equal(flipped[0], both[0])
    np.testing.assert_array_equal(flipped[1], -both[1])


def test_half_is_6_db_and_the_same_sound(unit):
    voice, half = unit["voice"], unit["half"]
    assert level(half) - level(voice) == pytest.approx(20 * np.log10(0.5), abs=1e-6)
    np.testing.assert_allclose(2 * half, voice)


def test_the_dull_voice_has_lost_its_top_and_nothing_else(unit):
    voice, dull, sr = unit["voice"], unit["dull"], unit["sr"]
    assert band(dull, sr, 100, 3000) == pytest.approx(band(voice, sr, 100, 3000), abs=0.1)
    assert band(dull, sr, 4500, 8000) < band(voice, sr, 4500, 8000) - 25


def test_no_player_exceeds_the_level_that_the_first_page_promises(unit):
    sounds = [y for value in unit.values() if isinstance(value, dict) for y in value.values()]
    sounds = [y for y in sounds if isinstance(y, np.ndarray) and y.shape[-1] > 1000]
    assert sounds
    for y in sounds:
        assert (
            loudest(np.sqrt(np.mean(np.atleast_2d(y) ** 2, axis=0)), unit["sr"])
            <= level(unit["voice"]) + 14
        )
