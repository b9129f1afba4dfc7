"""A learner's own result, drawn or played beside the right one."""

import base64
import io
import re

import numpy as np
import pytest

from helpers.coursework import catalogue, checking
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve, Sound
from tests import pages

SHOWN = {
    (n, key): check
    for n in catalogue.units()
    for key, check in catalogue.checks(n).items()
    if check.shows and pages.runs_here(catalogue.exercise(key))
}
TEXTS = {"right": "Yes.", "half": "Half."}


def square(shows, truth=np.square):
    """A check of a small exercise that shows itself in this way."""
    probes = lambda: [Probe((np.arange(4.0),), "0 to 3")]  # noqa: E731
    return checking.Check(probes, truth, (("half", lambda x: x**2 / 2),), 1e-9, shows=shows)


CURVE = Curve(lambda: (np.arange(5.0), [(np.arange(5.0),)]), "x", "square")


def solved(key):
    """The solution of an exercise, as a function."""
    exercise = catalogue.exercise(key)
    space = pages.space()
    exec(exercise.solution, space)
    return exercise, space[re.search(r"def (\w+)", exercise.starter)[1]]


def pixels(shown):
    from PIL import Image

    png = base64.b64decode(re.search(r"base64,([^\"]+)", shown)[1])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)


def test_nothing_is_called_for_a_picture_before_somebody_looks():
    calls = []

    def mine(x):
        calls.append(len(x))
        return x**2

    result = square(CURVE)(mine, TEXTS)
    assert result.outcome == "correct" and calls == [4]  # the probe alone
    assert "data:image/png" in result._repr_html_() and calls == [4, 5]


def test_right_values_lie_on_the_line_and_wrong_ones_beside_it():
    right, wrong = (
        square(CURVE)(fn, TEXTS)._repr_html_() for fn in (np.square, lambda x: x**2 / 2)
    )
    assert "Your square over x as a line, the right values as dots on it." in right
    assert "the right values as dots, up to 8 away from it." in wrong  # 16 less 8
    line = np.array([200, 88, 20])  # near the colour of "prediction"
    near = [np.abs(pixels(shown) - line).sum(axis=-1) < 60 for shown in (right, wrong)]
    top = [np.min(np.flatnonzero(seen.any(axis=1))[20:]) for seen in near]
    assert top[0] != top[1]


@pytest.mark.parametrize(
    "fn",
    [lambda x: 1 / 0, lambda x: x[:2], lambda x: "no", lambda x: x * np.nan],
    ids=["an error", "another shape", "text", "NaN"],
)
def test_what_cannot_be_drawn_is_left_out(fn):
    wrong = lambda x: fn(x) if len(x) == 5 else x**2 / 2  # noqa: E731
    shown = square(CURVE)(wrong, TEXTS)._repr_html_()
    assert "Half." in shown and "<img" not in shown


def test_a_sound_is_played_where_it_is_right_and_only_there(capsys):
    tone = 0.1 * np.sin(np.arange(8000) / 3)
    sound = Sound(
        lambda: (tone,), lambda own, right, y: {"in": y, "yours": own, "right": right}, 8000
    )
    check = square(sound, truth=lambda y: y / 2)
    right, wrong = check(lambda y: y * 0.5, TEXTS), check(lambda y: y / 4, TEXTS)
    assert wrong.played is None
    player = right.played()
    assert list(player.tracks) == ["in", "yours", "right"]
    np.testing.assert_allclose(player.tracks["yours"], player.tracks["right"], atol=1e-7)
    levels = [np.sqrt(np.mean(y**2)) for y in player.tracks.values()]
    assert np.ptp(levels) < 1e-6  # at one level
    with pytest.raises(NotImplementedError):  # and Jupyter takes the other forms
        wrong._ipython_display_()


@pytest.mark.parametrize("number", ["12", "13", "20", "21"])
def test_every_exercise_from_pitch_to_leakage_shows_itself(number):
    shown = {key for n, key in SHOWN if n == number}
    assert set(catalogue.exercises(number)) == shown


@pytest.mark.parametrize("key", [key for _, key in SHOWN])
def test_every_solution_shows_itself(key):
    exercise, fn = solved(key)
    result = exercise.check(fn)
    assert result.outcome == "correct"
    if result.played:
        tracks = result.played().tracks
        assert len(tracks) >= 3 and all(np.abs(y).max() < 0.9 for y in tracks.values())
    else:
        shown = result.drawn()
        assert "on it." in shown or "ours as dots." in shown
        assert len(shown) < 30_000


def test_the_first_units_show_every_exercise():
    first = [key for n in ("00", "01", "02", "10", "11") for key in catalogue.exercises(n)]
    assert len(first) == 29
    assert set(first) <= {key for _, key in SHOWN}


def test_where_the_level_is_the_point_it_is_kept():
    exercise, fn = solved("00.half")
    tracks = exercise.check(fn).played().tracks
    rms = {name: np.sqrt(np.mean(np.square(y, dtype=float))) for name, y in tracks.items()}
    assert rms["yours"] == pytest.approx(rms["as it was"] / 2, rel=1e-6)
    assert rms["as it was"] < 10 ** (-23 / 20)  # and nothing was turned up for it


def test_the_last_units_show_what_is_a_curve_or_a_sound():
    late = [
        key for n in ("30", "31", "32", "33", "34", "35", "36") for key in catalogue.exercises(n)
    ]
    late = [key for key in late if pages.runs_here(catalogue.exercise(key))]
    shown = {key for _, key in SHOWN}
    assert set(late) - shown == {"34.reach", "36.ship"}  # two whole numbers, and a row


def test_units_22_and_23_show_what_is_a_curve_or_a_sound():
    keys = [key for n in ("22", "23") for key in catalogue.exercises(n)]
    shown = {key for _, key in SHOWN}
    assert set(keys) - shown == {"22.read", "23.cause"}  # names of places in pictures


def drawn(key, fn):
    """What the picture of an exercise says of a function, whether its check is right or not."""
    check = next(check for (_, name), check in SHOWN.items() if name == key)
    return check.shows(fn, check.truth)


@pytest.mark.parametrize(
    ("key", "wrong", "away"),
    [
        # the first of four frames left out: the middle of the rest is half a frame later
        ("22.times", lambda s, m, n, hop: np.arange(s // hop - 3, s // hop + 1) + 0.5, 0.5),
        ("22.ripple", lambda w, hop: 0.0, 2.0),  # Hann at its full length: from 0 to twice the mean
        ("23.triangle", lambda freqs, low, centre, high: np.zeros(len(freqs)), 1.0),
        ("23.log", lambda M, floor, ref: np.full(M.shape, -100.0), 120.0),  # 20 dB is the highest
        ("23.empty", lambda edges, sr, n_fft: 0, None),
    ],
)
def test_a_picture_says_how_far_away_a_wrong_result_lies(key, wrong, away):
    said = float(re.search(r"up to ([\d.]+) away", drawn(key, wrong))[1])
    if away is None:  # at 128 samples bins lie 125 Hz apart: count the filters that miss them
        corners = 700 * (10 ** (np.linspace(0, np.log10(1 + 8000 / 700), 130)) - 1)
        away = sum(
            not any(low < 125 * k < high for k in range(65))
            for low, high in zip(corners[:-2], corners[2:], strict=True)
        )
    assert said == pytest.approx(away, rel=1e-2)
