"""Facts about explore and stage that need no browser."""

import io

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from helpers import explore, figures
from helpers.explore import controls
from helpers.explore.frames import Frames
from helpers.explore.stage import CEILING_DB, rows_of
from tests.aliasing import aliasing


def draw(fig):
    top, low = fig.subplots(2)
    image = top.imshow(np.zeros((8, 9)), vmin=0, vmax=10, aspect="auto")
    (line,) = low.plot([0, 1, 2], [0, 0, 0])
    note = low.text(1, 0.5, "note")
    low.set_ylim(-1, 11)

    def update(height, kind="flat", wide=False):
        if height == 7:
            raise RuntimeError("seven is broken")
        image.set_data(np.full((8, 9), float(height)))
        line.set_ydata([0, height, 0])
        note.set_text(f"{kind} {height}")
        low.set_xlim(0, 4 if wide else 2)
        return f"{kind} at {height}"

    return update


def made(**more):
    height = explore.slider("Height", 0, 10, 3, step=1, unit="m")
    return explore.explore(draw, title="A hill", height=height, **more)


# ---- frames: the fast picture equals the slow one ----


def assert_true(frames, figure):
    """Compare with a full draw; Agg renders the edges of a letter a little differently after other
    drawing.
    """
    fast = np.array(frames.next(), dtype=int)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert np.abs(fast - np.asarray(canvas.buffer_rgba())).max() < 100
    figure.set_canvas(frames.canvas)


def scene():
    fig = Figure(figsize=(5, 4), layout="constrained")
    top, low = fig.subplots(2)
    parts = {
        "image": top.imshow(np.zeros((8, 9)), vmin=0, vmax=1, aspect="auto"),
        "over": top.plot([0, 8], [0, 7], color="k")[0],
        "line": low.plot([0, 1, 2], [0, 1, 0])[0],
        "note": low.annotate("here", (1, 1), xytext=(0.2, 0.5), arrowprops={"arrowstyle": "->"}),
        "name": fig.text(0.5, 0.99, "name", va="top"),
        "bars": low.bar([0.5, 1.5], [0.2, 0.4]),
        "low": low,
    }
    low.legend([parts["line"]], ["line"])
    return fig, parts


CHANGES = {
    "image": lambda p: p["image"].set_data(np.eye(8, 9)),
    "what lies under another": lambda p: p["image"].set_cmap("gray"),
    "line": lambda p: p["line"].set_ydata([1, 0, 1]),
    "colour": lambda p: p["line"].set_color("red"),
    "hidden": lambda p: p["line"].set_visible(False),
    "text": lambda p: p["note"].set_text("there"),
    "arrow": lambda p: setattr(p["note"], "xy", (0, 0)) or p["note"].set_x(0.5),
    "figure text": lambda p: p["name"].set_text("another name"),
    "bar": lambda p: p["bars"][0].set_height(0.9),
    "limits": lambda p: p["low"].set_xlim(0, 5),
    "ticks": lambda p: p["low"].set_xticks([0, 1.5]),
    "scale": lambda p: p["low"].set_yscale("symlog"),
    "axis label": lambda p: p["low"].set_xlabel("Time [s]"),
    "title": lambda p: p["low"].set_title("new title"),
    "new artist": lambda p: p["low"].plot([0, 2], [1, 1]),
    "lost artist": lambda p: p["over"].remove(),
}


@pytest.mark.parametrize("styled", [False, True], ids=["plain", "styled"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_fast_picture_equals_a_full_draw(change, styled):
    with mpl.rc_context():
        mpl.rcdefaults()
        if styled:
            figures.use()
        fig, parts = scene()
    frames = Frames(fig)
    for i in range(2):  # find out what moves, so that the next picture takes the fast way
        parts["line"].set_ydata([0, 0.5 + 0.1 * i, 0])
        frames.next()
    change(parts)
    assert_true(frames, fig)
    change(parts) if change not in (CHANGES["lost artist"],) else None
    assert_true(frames, fig)
    assert_true(frames, fig)  # and once more when nothing changed


def test_a_menu_refuses_the_option_that_would_mean_no_choice():
    with pytest.raises(ValueError, match="no choice"):
        explore.choice("Norm", {"none": None, "area": "slaney"})


def test_moving_takes_no_full_draw():
    fig, parts = scene()
    frames = Frames(fig)
    parts["line"].set_ydata([0, 0.5, 0])
    frames.next()
    known = frames.full_draws
    for height in (0.2, 0.4, 0.6):
        parts["line"].set_ydata([0, height, 0])
        before = np.array(frames.canvas.buffer_rgba())
        assert not np.array_equal(before, np.array(frames.next()))
    assert frames.full_draws == known
    parts["low"].set_xlim(0, 1)
    frames.next()
    assert frames.full_draws == known + 1


def test_axes_that_overlap_are_drawn_in_full():
    fig = Figure()
    ax = fig.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    twin = ax.twinx()
    twin.plot([0, 1], [1, 0], lw=20)
    frames = Frames(fig)
    for height in (0.5, 0.7):
        line.set_ydata([height, height])
        assert_true(frames, fig)


# ---- controls ----


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
    low, high, *inner = controls.places(slider, 5, np.random.default_rng(0))
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
    spec, sent = controls.describe("x", control)
    assert spec["name"] == "x" and controls.understand(control, sent) == pytest.approx(
        control.value
    )
    assert type(controls.understand(control, sent)) is type(control.value)


# ---- explore ----


def test_a_move_changes_picture_and_words():
    box = made()
    first = box.picture.value
    assert box.readout.text == "flat at 3"
    box.controls["height"].value = 9
    assert box.readout.text == "flat at 9" and box.picture.value != first
    rgb = np.asarray(Image.open(io.BytesIO(box.picture.value)))
    assert rgb.shape[2] == 3 and rgb.std() > 5
    assert isinstance(box.picture, widgets.Image)


def test_a_fault_is_shown_and_the_next_value_recovers():
    box = made()
    box.controls["height"].value = 7
    assert (
        "RuntimeError: seven is broken" in box.readout.fault and "height = 7" in box.readout.fault
    )
    assert box.readout.text == "flat at 3"
    box.controls["height"].value = 8
    assert box.readout.fault == "" and box.readout.text == "flat at 8"


def test_stored_notebook_keeps_picture_and_words():
    box = made()
    data, metadata = box._repr_mimebundle_()
    assert data["text/plain"] == "A hill. flat at 3 Run this cell to move the controls."
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert box._repr_mimebundle_()[0]["image/png"] == data["image/png"]  # the same on every run


def test_sweep_finds_the_position_that_raises(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SWEEP", "1")
    with pytest.raises(RuntimeError, match=r"A hill: drawing failed at \{'height': 7") as caught:
        explore.explore(
            draw, title="A hill", height=explore.slider("Height", 0, 7, 3, step=1, unit="m")
        )
    assert isinstance(caught.value.__cause__, RuntimeError)
    fine = explore.slider("Height", 0, 6, 3, step=1, unit="m")
    assert explore.explore(draw, title="A hill", height=fine).readout.text == "flat at 3"


def test_sweep_tries_every_option():
    seen = set()

    def watch(fig):
        update = draw(fig)

        def moved(height, kind, wide):
            seen.add((height, kind, wide))
            return update(height, kind, wide)

        return moved

    height = explore.slider("Height", 0, 6, 3, step=1, unit="m")
    kind, wide = explore.choice("Kind", ["flat", "steep", "round"]), explore.toggle("Wide")
    explore.explore(watch, title="A hill", height=height, kind=kind, wide=wide).sweep()
    assert {k for _, k, _ in seen} == {"flat", "steep", "round"} and {w for _, _, w in seen} == {
        True,
        False,
    }
    assert {0, 6} <= {h for h, _, _ in seen}


@pytest.mark.parametrize("n", [0, 5])
def test_one_to_four_controls(n):
    many = {f"c{i}": explore.toggle("t") for i in range(n)}
    with pytest.raises(ValueError, match=f"got {n}"):
        explore.explore(draw, title="t", **many)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (lambda fig: None, "must return a function"),
        (lambda fig: lambda tone: "x", "does not fit the controls"),
        (lambda fig: lambda height: None, "must return the sentence"),
    ],
)
def test_a_drawing_function_of_the_wrong_kind_is_refused(bad, says):
    with pytest.raises(TypeError, match=says):
        explore.explore(bad, title="t", height=explore.slider("H", 0, 1, 0, step=1, unit=""))


def test_still_shows_the_same_figure_by_hand(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.figures.show", lambda fig, alt: shown.append((fig, alt)))
    explore.still(draw, height=5)
    fig, alt = shown[0]
    assert alt == "flat at 5" and fig.axes[1].lines[0].get_ydata()[1] == 5


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
    widget._asked({"n": 4, "values": {"tone": 7000}})
    ((content, (buffer,)),) = sent
    arrays = unpacked(content["contents"], buffer)
    assert content["n"] == 4 and "heard at 1000 Hz" in content["readout"] and content["solved"]
    n = np.arange(8000)
    assert np.allclose(
        arrays["sound"], arrays["sound"][0] * np.cos(2 * np.pi * 1000 * n / 8000), atol=1e-6
    )


def test_stage_shows_its_first_frame_without_a_kernel():
    widget = aliasing()
    arrays = unpacked(widget.contents, widget.frame)
    assert arrays["heard_hz"].tolist() == [3000] and widget.values == {"tone": 5000}
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"].endswith("heard at 3000 Hz. Run this cell to drag it.")
    assert len(widget.stored_picture()) < 25_000


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
    second = explore.handle(
        "y", "Y", -1, 1, 0, step=0.5, along=along, panel=panel, partner="x", role="ear"
    )
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
        (lambda: explore.handle("x", "X", 0, 5, 1, step=1, role="pink"), "pink"),
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
