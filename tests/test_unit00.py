"""What unit 00 lets you hear is what it says: levels, spectra, the one difference of two clips."""

import numpy as np
import pytest

from tests.pages import band, level, loudest

NAME = "00_start_here"


def test_the_first_voice_has_the_level_that_sets_the_volume(unit):
    assert level(unit["voice"]) == pytest.approx(-26, abs=1.5)


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
