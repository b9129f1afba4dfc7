"""Facts about a stage that need no browser."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers import explore
from helpers._frontend import minus
from helpers.explore import controls
from helpers.explore.stage import CEILING_DB, _draw_panel, rows_of
from tests.aliasing import aliasing

# ---- controls ----


def test_a_menu_refuses_the_option_that_would_mean_no_choice():
    with pytest.raises(ValueError, match="no choice"):
        explore.choice("Norm", {"none": None, "area": "slaney"})


@pytest.mark.parametrize(
    ("low", "high", "start", "more", "says"),
    [
        (0, 10, 11, {}, "start=11"),
        (0, 10, -1, {}, "start=-1"),
        (5, 5, 5, {}, "low=5"),
        (0, 10, 5, {"step": 0}, "step=0"),
        (0, 10, 5, {"log": True}, "low > 0"),
    ],
)
def test_slider_refuses_what_ipywidgets_would_bend(low, high, start, more, says):
    with pytest.raises(ValueError, match=says):
        explore.slider("Tone", low, high, start, **{"step": 1, "unit": "Hz"} | more)


def test_slider_says_its_unit_and_keeps_whole_numbers_whole():
    assert explore.slider("Tone", 0, 10, 5, step=1, unit="Hz").description == "Tone [Hz]"
    assert isinstance(explore.slider("N", 0, 10, 5, step=1, unit="").value, int)
    assert explore.slider("Gain", 0, 1, 0.5, step=0.05, unit="dB").readout_format == ".2f"


def test_log_slider_reaches_both_ends_in_octaves():
    slider = explore.slider("Tone", 125, 8000, 1000, step=0.5, unit="Hz", log=True)
    assert slider.value == pytest.approx(1000)
    low, high, *inner = controls.sample_values(slider, 5, np.random.default_rng(0))
    assert (low, high) == pytest.approx((125, 8000)) and all(125 <= x <= 8000 for x in inner)


def test_choice_and_toggle():
    assert (
        explore.choice("Window", {"Hann": "hann", "none": "boxcar"}, start="boxcar").value
        == "boxcar"
    )
    assert explore.toggle("Dither", start=True).value is True
    with pytest.raises(ValueError, match="two options"):
        explore.choice("Window", ["hann"])
    with pytest.raises(ValueError, match="kaiser"):
        explore.choice("Window", ["hann", "boxcar"], start="kaiser")


CONTROLS = {
    "menu": explore.choice("Window", ["hann", "boxcar"], start="boxcar"),
    "box": explore.toggle("Dither", start=True),
    "whole": explore.slider("N", 0, 10, 5, step=1, unit=""),
    "real": explore.slider("Gain", 0.0, 2.0, 0.5, step=0.1, unit="dB"),
    "log": explore.slider("Tone", 125, 8000, 1000, step=0.5, unit="Hz", log=True),
}


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS.keys())
def test_what_a_front_end_sends_back_is_what_was_meant(control):
    spec, sent = controls.to_frontend("x", control)
    assert spec["name"] == "x" and controls.from_frontend(control, sent) == pytest.approx(
        control.value
    )
    assert type(controls.from_frontend(control, sent)) is type(control.value)


# ---- stage ----


def unpacked(contents, buffer):
    flat, at, arrays = np.frombuffer(buffer, dtype="<f4"), 0, {}
    for name, shape in contents:
        arrays[name] = flat[at : at + int(np.prod(shape))].reshape(shape)
        at += arrays[name].size
    assert at == flat.size
    return arrays


def test_stage_answers_with_one_buffer():
    widget, sent = aliasing(), []
    widget.send = lambda content, buffers: sent.append((content, buffers))
    widget._on_message({"n": 4, "values": {"tone": 7000}})
    ((content, (buffer,)),) = sent
    arrays = unpacked(content["contents"], buffer)
    assert content["n"] == 4 and "heard at 1000 Hz" in content["readout"] and content["solved"]
    n = np.arange(8000)
    assert np.allclose(
        arrays["sound"], arrays["sound"][0] * np.cos(2 * np.pi * 1000 * n / 8000), atol=1e-6
    )


def test_what_a_stage_says_has_true_minus_signs():
    """A screen reader says "minus" to U+2212, and "dash" or nothing to a hyphen."""
    made = flat(
        lambda x: {"y": [0, 1], "readout": f"{-x} dB, {x - 9:.1f} to 2-3", "solved": "at -inf dB"},
        challenge="Reach -20 dB with 16-bit samples.",
    )
    assert made.readout == "−1 dB, −8.0 to 2-3"
    assert made.solved == "at −inf dB"
    assert made.spec["challenge"] == "Reach −20 dB with 16-bit samples."
    assert made.stored_text() == "t. −1 dB, −8.0 to 2-3 Run this cell to drag it."


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("-6 dB", "−6 dB"),
        ("(-.5, -1)", "(−.5, −1)"),
        ("[-1, +2]", "[−1, +2]"),
        ("1e-5, 2-3, x-1, y[0]-1, f(x)-1, gain_db=-6", None),
        ("2026-11-30, a well-known --3", None),
    ],
)
def test_a_hyphen_before_a_number_is_a_minus_sign_but_not_in_code_or_ranges(text, right):
    assert minus(text) == (right or text)


def test_stage_shows_its_first_frame_without_a_kernel():
    widget = aliasing()
    arrays = unpacked(widget.contents, widget.frame)
    assert arrays["heard_hz"].tolist() == [3000] and widget.values == {"tone": 5000}
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"].endswith("heard at 3000 Hz. Run this cell to drag it.")
    assert len(widget.stored_picture()) < 28_000


def flat(reply, **more):
    panel = explore.panel(explore.axis("A", 0, 1), explore.axis("B", 0, 1), explore.line("y"))
    handle = explore.handle("x", "X", 0, 5, 1, step=1)
    return explore.stage(
        lambda x: reply(x), title="t", alt="a", panels=[panel], handles=[handle], **more
    )


@pytest.mark.parametrize(
    ("reply", "more", "says"),
    [
        (lambda x: {"z": [0, 1], "readout": "r"}, {}, r"draws 'y'.*\['z'\]"),
        (lambda x: {"y": [0, 1]}, {}, "readout"),
        (lambda x: {"y": [0], "sound": [0.0], "readout": "r"}, {}, "needs both"),
        (lambda x: {"y": [0], "readout": "r"}, {"sr": 8000}, "needs both"),
        (lambda x: {"y": [0], "sound": [0.5], "readout": "r"}, {"sr": 8000}, "peaks at -6.0 dBFS"),
        (lambda x: {"y": [0], "sound": [np.nan], "readout": "r"}, {"sr": 8000}, "finite"),
        (lambda x: {"y": [0], "sound": [[0.0]] * 3, "readout": "r"}, {"sr": 8000}, "left and"),
    ],
)
def test_stage_refuses_what_it_cannot_show_or_should_not_play(reply, more, says):
    with pytest.raises(ValueError, match=says):
        flat(reply, **more)


def free(*, partner="y", along="y", panel=0):
    """A point to drag freely: two handles that name each other, the second with what is given."""
    plane = explore.panel(
        explore.axis("A", -2, 2),
        explore.axis("B", -1, 1),
        explore.dots("b", x="a"),
        width=200,
        equal=True,
    )
    beside = explore.panel(
        explore.axis("A", 0, 1), explore.axis("B", -1, 1), explore.line("b"), width=300
    )
    first = explore.handle("x", "X", -2, 2, 0, step=0.5, partner=partner)
    second = explore.handle("y", "Y", -1, 1, 0, step=0.5, along=along, panel=panel, partner="x")
    return explore.stage(
        lambda x, y: {"a": [x], "b": [y], "readout": f"at {x:g}, {y:g}"},
        title="Free", alt="A dot.", panels=[plane, beside], handles=[first, second],
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"partner": "z"}, {"along": "x"}, {"panel": 1}])
def test_partners_name_each_other_in_one_panel_and_along_two_axes(wrong):
    assert free().readout == "at 0, 0"
    with pytest.raises(ValueError, match="handle"):
        free(**wrong)


def test_panels_with_a_width_share_a_row_while_there_is_room():
    widths = [200, 300, None, 400, 400]
    rows = rows_of([{"width": w} for w in widths])
    assert [[p["width"] for p in row] for row in rows] == [[200, 300], [None], [400], [400]]


def test_a_still_names_what_the_front_end_names_in_its_keys():
    panel = explore.panel(
        explore.axis("Time", -1, 1, unit="s"),
        explore.axis("Level", 0, 1),
        explore.line("y", label="your tone"),
        explore.line("z", role="reference"),
        explore.dots("d", x="at", role="prediction", label="here"),
        explore.mark("m", "first {}", role="error"),
        title="What you hear",
    )
    arrays = {"y": np.ones(3), "z": np.zeros(3), "d": np.ones(1) / 2, "at": np.zeros(1)}
    ax = Figure().subplots()
    _draw_panel(ax, panel, arrays | {"m": np.array([-0.5])})
    assert [words.get_text() for words in ax.get_legend().get_texts()] == ["your tone", "here"]
    assert [words.get_text() for words in ax.texts] == ["first −0.5"]
    bare = Figure().subplots()
    _draw_panel(
        bare, explore.panel(*(explore.axis("A", 0, 1) for _ in "xy"), explore.line("y")), arrays
    )
    assert bare.get_legend() is None


def test_an_axis_may_follow_what_is_shown():
    """The two numbers in the array that it names are its ends, in the stored picture too."""
    panel = explore.panel(
        explore.axis("A", 0, 1), explore.axis("B", 0, 1, ends="ends"), explore.dots("y")
    )
    more = {"title": "t", "alt": "a", "panels": [panel]}
    handles = [explore.handle("x", "X", 0, 5, 1, step=1)]
    reply = lambda x: {"y": [x], "ends": [x - 1, x + 3], "readout": "r"}  # noqa: E731
    widget = explore.stage(reply, handles=handles, **more)
    axes = Figure().subplots()
    _draw_panel(axes, panel, widget.arrays)
    assert axes.get_ylim() == (0, 4) and axes.get_xlim() == (0, 1)
    with pytest.raises(ValueError, match=r"draws 'ends', but compute returned only \['y'\]"):
        explore.stage(lambda x: {"y": [x], "readout": "r"}, handles=handles, **more)


def test_a_sweep_tries_every_option_and_both_ends(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SWEEP", "1")
    seen = set()

    def watch(x, kind, wide, gain):
        seen.add((x, kind, wide, gain))
        return {"y": [0, x], "readout": "r"}

    panel = explore.panel(explore.axis("A", 0, 1), explore.axis("B", 0, 1), explore.line("y"))
    explore.stage(
        watch,
        title="t",
        alt="a",
        panels=[panel],
        handles=[explore.handle("x", "X", 0, 5, 1, step=1)],
        controls={
            "kind": explore.choice("Kind", ["flat", "steep", "round"]),
            "wide": explore.toggle("Wide"),
            "gain": explore.slider("Gain", 0, 6, 3, step=1, unit="dB"),
        },
    )
    places, kinds, widths, gains = (set(some) for some in zip(*seen, strict=True))
    assert {0, 5} < places and {0, 6} <= gains
    assert kinds == {"flat", "steep", "round"} and widths == {True, False}


def test_stage_sweep_finds_the_position_that_raises(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SWEEP", "1")
    with pytest.raises(RuntimeError, match=r"t: computing failed at \{'x': 5"):
        flat(lambda x: {"y": [1 / (5 - x)], "readout": "r"})
    aliasing()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: explore.handle("x", "X", 0, 5, 6, step=1), "6"),
        (lambda: explore.handle("x", "X", 0, 5, 1, step=0), "step=0"),
        (lambda: explore.axis("A", 1, 1), "low=1"),
        (lambda: explore.axis("A", 0, 1, log=True), "low > 0"),
        (lambda: explore.line("y", role="pink"), "pink"),
        (lambda: explore.image("y", low=0, high=0), "low=0"),
    ],
)
def test_parts_refuse_what_makes_no_sense(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_ceiling_of_a_loop_is_low():
    assert CEILING_DB <= -12
