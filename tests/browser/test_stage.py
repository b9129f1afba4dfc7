"""The stage in a real browser: dragged, pressed, answered and heard. Expected values are worked out
by hand.
"""

import base64
import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from helpers import explore
from helpers.figures import ROLES
from tests.aliasing import AMP, SR, aliasing
from tests.test_explore import free
from tests.test_figures import contrast

HANDLE = ".earup-handle"
# a stage is drawn a moment after it is mounted: only then do its handles stand somewhere
DRAWN = """() => [...document.querySelectorAll('.earup-handle')].every(n => n.ariaValueText)"""


@pytest.fixture
def on_stage(widget_page):
    """Mount a stage in a bare page and let its own Python answer."""

    def mount(widget, **options):
        page = widget_page(widget, **options)
        replies, asked = [], []
        widget.send = lambda content, buffers=(): replies.append(
            (content, [bytes(b) for b in buffers])
        )

        def answer(content):
            asked.append(content["values"])
            widget._on_message(content)
            reply, buffers = replies.pop()
            return [reply, [base64.b64encode(b).decode() for b in buffers]]

        page.expose_function(f"answer{id(widget)}", answer)
        page.evaluate(
            """name => { const model = window.mounted.at(-1).model; window.release = null;
            model.send = async content => { const [reply, buffers] = await window[name](content);
              if (window.holding) await new Promise(done => (window.release = done));
              model.receive(reply, buffers); }; }""",
            f"answer{id(widget)}",
        )
        page.asked = asked
        page.wait_for_function(DRAWN)
        return page

    return mount


def cielab(colour):
    """CIE 1976 L*a*b* of an sRGB colour, white point D65."""
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ linear
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])  # all brighter than the linear part
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def now(page):
    return float(page.get_attribute(HANDLE, "aria-valuenow"))


def until_readout(page, text):
    page.wait_for_function(
        "t => document.querySelector('.earup-live').textContent.includes(t)", arg=text
    )


def test_handle_is_a_slider_that_says_where_it_stands(on_stage):
    page = on_stage(aliasing())
    said = page.eval_on_selector(
        HANDLE,
        "n => [n.role, n.tabIndex, n.ariaLabel, n.ariaValueMin, n.ariaValueMax, n.ariaValueText]",
    )
    assert said == ["slider", 0, "Tone", "0", "20000", "5000 Hz"]
    box = page.locator(HANDLE).bounding_box()
    assert box["width"] >= 44 and box["height"] >= 44  # a finger's width
    assert "heard at 3000 Hz" in page.inner_text(".earup-live")


@pytest.mark.parametrize(
    ("key", "tone", "heard"),
    [
        ("ArrowRight", 5050, 2950),
        ("ArrowUp", 5050, 2950),
        ("ArrowLeft", 4950, 3050),
        ("PageUp", 6000, 2000),
        ("PageDown", 4000, 4000),
        ("Home", 0, 0),
        ("End", 20000, 4000),
    ],
)
def test_keys_move_the_tone_and_python_answers(on_stage, key, tone, heard):
    page = on_stage(aliasing())
    page.focus(HANDLE)
    page.keyboard.press(key)
    until_readout(page, f"heard at {heard} Hz")
    assert now(page) == tone and page.asked == [{"tone": tone}]


def test_keys_stay_inside_and_leave_shortcuts_alone(on_stage):
    page = on_stage(aliasing())
    page.evaluate(
        "() => { window.outside = []; document.body.addEventListener('keydown', e => "
        "outside.push(e.key)); }"
    )
    page.focus(HANDLE)
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # already at the end: nothing to ask
    page.keyboard.press("a")
    until_readout(page, "heard at 4000 Hz")
    assert now(page) == 20000 and page.asked == [{"tone": 20000}]
    assert page.evaluate("() => window.outside") == ["a"]
    assert page.eval_on_selector(HANDLE, "n => !!n.closest('[data-lm-suppress-shortcuts]')")


def test_dragging_follows_the_pointer(on_stage):
    page = on_stage(aliasing())
    place = lambda: page.eval_on_selector(HANDLE, "n => parseFloat(n.style.left)")  # noqa: E731
    page.focus(HANDLE)
    ends = {}
    for key in ("Home", "End"):
        page.keyboard.press(key)
        ends[key] = place()
    width = ends["End"] - ends["Home"]
    box = page.locator(HANDLE).bounding_box()
    x, y = box["x"] + 22, box["y"] + 22
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - width * 0.25, y, steps=4)
    page.mouse.move(x - width * 0.4, y + 300, steps=4)  # the pointer may leave the panel
    page.mouse.up()
    assert now(page) == pytest.approx(20000 * 0.6, abs=50)  # one step
    until_readout(page, f"Tone {now(page):.0f} Hz")
    page.mouse.move(x - width * 0.9, y)
    assert now(page) == pytest.approx(20000 * 0.6, abs=50)  # let go


def test_a_handle_nudges_once_when_it_is_first_seen_and_not_where_motion_is_unwanted(
    on_stage, browser
):
    moving = "n => n.getAnimations({subtree: true}).some(a => a.animationName === 'earup-nudge')"
    page = on_stage(aliasing())
    handle = page.wait_for_selector(f"{HANDLE}.earup-nudge")
    assert handle.evaluate(moving)
    handle.evaluate("n => n.getAnimations({subtree: true}).forEach(a => a.finish())")
    page.wait_for_selector(f"{HANDLE}:not(.earup-nudge)")
    page.evaluate("() => document.querySelector('#root').hidden = true")
    page.evaluate("() => document.querySelector('#root').hidden = false")
    page.focus(HANDLE)
    page.keyboard.press("Home")
    until_readout(page, "heard at 0 Hz")
    assert not page.eval_on_selector(HANDLE, moving)
    calm = browser.new_context(reduced_motion="reduce")
    page = on_stage(aliasing(), context=calm)
    handle = page.wait_for_selector(f"{HANDLE}.earup-nudge")
    assert not handle.evaluate(moving)
    calm.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_handle_has_a_colour_of_its_own_with_contrast(on_stage, theme):
    """3:1 on the ground (WCAG 1.4.11), and far from every colour that data have (CIELAB)."""
    page = on_stage(aliasing(), theme=theme)
    page.wait_for_function("() => document.querySelector('.earup-handle')")
    values = page.eval_on_selector(
        ".earup-scene",
        "(n, names) => names.map(name => getComputedStyle(n).getPropertyValue('--' + name).trim())",
        ["grip", "ground", *ROLES],
    )
    grip, ground, *roles = values
    knob = page.eval_on_selector(
        HANDLE, "n => getComputedStyle(n, '::before').backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert tuple(c / 255 for c in knob) == to_rgb(grip)
    assert contrast(grip, ground) >= 3
    assert min(np.linalg.norm(cielab(grip) - cielab(role)) for role in roles) > 40


def test_a_press_on_the_panel_brings_the_handle(on_stage):
    page = on_stage(aliasing())
    box = page.locator(".earup-canvas").nth(1).bounding_box()
    handle = page.locator(HANDLE).bounding_box()
    page.mouse.click(handle["x"] + 22 + 100, box["y"] + 40)
    moved = page.locator(HANDLE).bounding_box()
    assert moved["x"] - handle["x"] == pytest.approx(100, abs=2)
    until_readout(page, f"Tone {now(page):.0f} Hz")


def test_a_free_point_is_dragged_both_ways_and_moved_by_all_arrow_keys(on_stage):
    page = on_stage(free())
    first, second = (page.locator(HANDLE).nth(k) for k in (0, 1))
    start = second.bounding_box()
    assert first.bounding_box() == start  # two sliders in one place
    second.press("ArrowRight")
    second.press("ArrowUp")
    until_readout(page, "at 0.5, 0.5")
    moved = second.bounding_box()
    right, up = moved["x"] - start["x"], start["y"] - moved["y"]
    assert (
        right == pytest.approx(up, abs=0.5) and right > 15
    )  # one unit is equally long on both axes
    x, y = moved["x"] + 22, moved["y"] + 22
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 4 * right, y + 2 * up, steps=4)
    page.mouse.up()
    until_readout(page, "at −1.5, −0.5")
    said = [n.get_attribute("aria-valuetext") for n in (first, second)]
    assert said == ["−1.5", "−0.5"]
    assert [n.get_attribute("aria-valuenow") for n in (first, second)] == ["-1.5", "-0.5"]
    boxes = [page.locator(".earup-canvas").nth(k).bounding_box() for k in (0, 1)]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]


def test_latest_value_wins_with_one_request_under_way(on_stage):
    page = on_stage(aliasing())
    page.evaluate("() => { window.holding = true; }")
    page.focus(HANDLE)
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => window.release")
    assert page.asked == [{"tone": 5050}]  # six more moves wait
    page.evaluate("() => { window.holding = false; window.release(); }")
    until_readout(page, "Tone 5350 Hz")
    assert page.asked == [{"tone": 5050}, {"tone": 5350}]


def test_picture_changes_and_is_the_right_one(on_stage):
    widget = aliasing()
    page = on_stage(widget)

    def orange():
        shot = Image.open(io.BytesIO(page.locator(".earup-canvas").nth(1).screenshot())).convert(
            "RGB"
        )
        red, green, blue = np.asarray(shot, dtype=int).transpose(2, 0, 1)
        return np.flatnonzero(
            ((red > 170) & (green < 130) & (blue < 90)).sum(axis=0) > 20
        )  # columns of the mark

    place = lambda: page.eval_on_selector(HANDLE, "n => parseFloat(n.style.left)")  # noqa: E731
    ends = []
    page.focus(HANDLE)
    for key in ("Home", "End"):  # heard at 0 and at 4000 Hz
        page.keyboard.press(key)
        until_readout(page, {"Home": "Tone 0 Hz", "End": "Tone 20000 Hz"}[key])
        ends.append(orange().mean())
        if key == "Home":  # 0 Hz is heard at 0 Hz: the mark stands on the handle
            assert ends[0] == pytest.approx(place(), abs=1.5)
    page.keyboard.press("PageDown")  # 19 000 Hz is heard at 3000 Hz: three quarters of the way
    until_readout(page, "heard at 3000 Hz")
    assert orange().mean() == pytest.approx(ends[0] + 0.75 * (ends[1] - ends[0]), abs=1.5)


def test_a_fault_is_shown_and_the_next_value_recovers(on_stage):
    def compute(x):
        if x == 2:
            raise ValueError("two is not allowed")
        return {"y": [x, x], "readout": f"x is {x}"}

    flat = explore.panel(explore.axis("A", 0, 1), explore.axis("B", 0, 5), explore.line("y"))
    widget = explore.stage(
        compute,
        title="t",
        alt="a",
        panels=[flat],
        handles=[explore.handle("x", "X", 0, 5, 1, step=1)],
    )
    page = on_stage(widget)
    page.focus(HANDLE)
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".earup-fault:visible")
    assert "ValueError: two is not allowed" in page.inner_text(".earup-fault")
    assert "x = 2" in page.inner_text(".earup-fault")
    page.keyboard.press("ArrowRight")
    until_readout(page, "x is 3")
    assert not page.is_visible(".earup-fault")


def test_the_challenge_is_met_only_above_nyquist(on_stage):
    met = []
    page = on_stage(aliasing(on_solved=met.append))
    page.focus(HANDLE)
    assert page.inner_text(".earup-won") == ""
    for key, tone, won in (("Home", 0, ""), ("PageUp", 1000, ""), ("End", 20000, "")):
        page.keyboard.press(key)
        until_readout(page, f"Tone {tone} Hz")
        assert page.inner_text(".earup-won") == won
    for tone in (19000, 18000, 17000):
        page.keyboard.press("PageDown")
        until_readout(page, f"Tone {tone} Hz")
    assert page.inner_text(".earup-won") == "17000 Hz and 1000 Hz give the same samples."
    assert met == [{"tone": 17000}]


def test_controls_send_their_values(on_stage):
    got = []

    def compute(x, window, dots, gain):
        got.append((window, dots, gain))
        return {"y": [gain, gain], "readout": f"{window} {dots} {gain:.1f}"}

    page = on_stage(
        explore.stage(
            compute,
            title="t",
            alt="a",
            panels=[
                explore.panel(explore.axis("A", 0, 1), explore.axis("B", 0, 5), explore.line("y"))
            ],
            handles=[explore.handle("x", "X", 0, 5, 1, step=1)],
            controls={
                "window": explore.choice("Window", ["hann", "boxcar"]),
                "dots": explore.toggle("Dots"),
                "gain": explore.slider("Gain", 0.0, 2.0, 1.0, step=0.5, unit="dB"),
            },
        )
    )
    page.get_by_label("Window").select_option("boxcar")
    until_readout(page, "boxcar False 1.0")
    page.get_by_label("Dots").check()
    until_readout(page, "boxcar True 1.0")
    page.get_by_label("Gain").focus()
    page.keyboard.press("ArrowRight")
    until_readout(page, "boxcar True 1.5")
    assert page.inner_text("output") == "1.5 dB"


# ---- sound ----

READ = """() => { const a = document.querySelector('.earup-scene').__earup.analyser;
  const y = new Float32Array(a.fftSize); a.getFloatTimeDomainData(y); return [...y]; }"""
SETTLED = """level => { const a = document.querySelector('.earup-scene').__earup.analyser;
  if (!a) return false; const y = new Float32Array(a.fftSize); a.getFloatTimeDomainData(y);
  const part = (i) => Math.sqrt(y.slice(i, i + 1024).reduce((s, v) => s + v * v, 0) / 1024);
  return [0, 2048, 4096, 6144, 7168].every(i => Math.abs(part(i) - level) < 0.02 * level + 1e-7); }"""


def sounding(page, tone_hz):
    """Wait until the analyser holds one steady sound, and return its frequency [Hz] and level [dBFS
    RMS].
    """
    page.wait_for_function(SETTLED, arg=AMP / np.sqrt(2))
    page.wait_for_function(
        """hz => { const w = document.querySelector('.earup-scene').__earup, y = new Float32Array(w.analyser.fftSize);
        w.analyser.getFloatTimeDomainData(y); let crossings = 0;
        for (let i = 1; i < y.length; i++) crossings += (y[i - 1] < 0) !== (y[i] < 0);
        return Math.abs(crossings / 2 / (y.length / w.ctx.sampleRate) - hz) < 5; }""",
        arg=tone_hz,
    )
    y = np.array(page.evaluate(READ))
    level = 20 * np.log10(np.sqrt(np.mean(y**2)))
    rate = page.evaluate("() => document.querySelector('.earup-scene').__earup.ctx.sampleRate")
    spectrum = np.abs(np.fft.rfft(y * np.blackman(y.size)))
    peak = spectrum.argmax()
    rest = np.delete(spectrum, slice(max(0, peak - 5), peak + 6))
    return peak * rate / y.size, level, 20 * np.log10(rest.max() / spectrum.max())


def test_it_sounds_at_the_alias_and_at_its_level(on_stage):
    page = on_stage(aliasing())
    assert (
        page.evaluate("() => document.querySelector('.earup-scene').__earup.ctx") is None
    )  # silent until asked
    page.click("text=Listen")
    freq, level, rest = sounding(page, 3000)
    assert freq == pytest.approx(3000, abs=1.0)
    assert level == pytest.approx(-26.0, abs=0.05)
    assert rest < -60  # one tone and nothing else: the loop has no seam
    page.focus(HANDLE)
    page.keyboard.press("PageUp")  # 6000 Hz
    page.keyboard.press("PageUp")  # 7000 Hz
    freq, level, rest = sounding(page, 1000)
    assert (
        freq == pytest.approx(1000, abs=1.0)
        and level == pytest.approx(-26.0, abs=0.05)
        and rest < -60
    )
    assert page.inner_text(".earup-row button") == "Stop"


def test_escape_silences_and_nothing_plays_twice(on_stage):
    page = on_stage(aliasing())
    page.click("text=Listen")
    sounding(page, 3000)
    page.keyboard.press("Escape")
    page.wait_for_function(SETTLED, arg=0)
    assert page.inner_text(".earup-row button") == "Listen"
    page.click("text=Listen")
    sounding(page, 3000)
    page.click("text=Stop")
    page.wait_for_function(SETTLED, arg=0)


def test_a_second_stage_hushes_the_first(on_stage):
    page = on_stage(aliasing())
    on_stage(aliasing(), page=page)
    buttons = page.locator(".earup-row button")
    buttons.nth(0).click()
    sounding(page, 3000)
    buttons.nth(1).click()
    page.wait_for_function(SETTLED, arg=0)
    assert buttons.all_inner_texts() == ["Listen", "Stop"]


def test_rapid_changes_never_exceed_the_level(on_stage):
    """Cross-fades of equal gain: two tones of amplitude A together never pass A (their gains add to
    one).
    """
    page = on_stage(aliasing())
    page.click("text=Listen")
    sounding(page, 3000)
    page.focus(HANDLE)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    until_readout(page, "Tone 5600 Hz")
    freq, _, _ = sounding(page, 2400)
    assert freq == pytest.approx(2400, abs=1.0)
    assert np.abs(page.evaluate(READ)).max() <= AMP * 1.001


EARS = """() => { const { ctx, analyser } = document.querySelector('.earup-scene').__earup;
    if (!window.ears) {
      const apart = new ChannelSplitterNode(ctx, { numberOfOutputs: 2 });
      window.ears = [0, 1].map((k) => { const one = new AnalyserNode(ctx, { fftSize: 8192 }); apart.connect(one, k); return one; });
      analyser.connect(apart);
    }
    return ears.map((one) => { const y = new Float32Array(8192); one.getFloatTimeDomainData(y);
      let crossings = 0;
      for (let i = 1; i < y.length; i++) crossings += (y[i - 1] < 0) !== (y[i] < 0);
      return crossings / 2 / (y.length / ctx.sampleRate); }); }"""


def two_ears():
    """A stage with a tone of 500 Hz on the left and a tone set by a handle on the right."""
    t = np.arange(8000) / 8000

    def tones(freq):
        sides = AMP * np.sin(2 * np.pi * np.array([[500.0], [freq]]) * t)
        return {
            "freq": [freq],
            "level": [0.5],
            "sound": sides,
            "readout": f"{freq:.0f} Hz on the right",
        }

    panel = explore.panel(
        explore.axis("Tone", 0, 3000, unit="Hz"),
        explore.axis("Level", 0, 1),
        explore.dots("level", x="freq"),
    )
    handle = explore.handle("freq", "Tone", 500, 3000, 1500, step=500, unit="Hz")
    return explore.stage(
        tones, title="Ears", alt="A tone.", panels=[panel], handles=[handle], sr=8000
    )


def test_left_and_right_stay_apart(on_stage):
    page = on_stage(two_ears())
    page.click("text=Listen")
    for right, press in ((1500, "ArrowRight"), (2000, None)):
        page.wait_for_function(
            f"right => {{ const [l, r] = ({EARS})(); return Math.abs(l - 500) < 6 && Math.abs(r - right) < 6; }}",
            arg=right,
        )
        if press:
            page.focus(HANDLE)
            page.keyboard.press(press)


def test_it_works_by_touch_and_at_half_width_in_the_dark(on_stage):
    page = on_stage(aliasing(), theme="dark", width=420)
    page.wait_for_function(
        "() => document.querySelector('.earup-scene').classList.contains('night')"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.eval_on_selector(HANDLE, "n => getComputedStyle(n).touchAction") == "none"


def test_jupyterlab_drags_hears_and_keeps_a_picture(lab_on, notebook_of):
    from pathlib import Path

    source = (Path(__file__).parents[1] / "aliasing.py").read_text(encoding="utf-8")
    lab = lab_on(notebook_of(source, "aliasing()", "1 + 1"))
    lab.open("try.ipynb")
    assert lab.run_all() == []
    page = lab.page
    page.wait_for_selector(".earup-scene")
    cell = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    page.locator(HANDLE).click()
    before = page.evaluate(cell)
    for key in ("Home", "PageUp", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    until_readout(page, "Tone 1000 Hz, sampled at 8000 Hz, heard at 1000 Hz")
    assert page.evaluate(cell) == before  # the arrows moved the tone, not the notebook
    page.click("text=Listen")
    freq, level, _ = sounding(page, 1000)
    assert freq == pytest.approx(1000, abs=1.0) and level == pytest.approx(-26, abs=0.05)
    page.keyboard.press("Escape")
    page.wait_for_function(SETTLED, arg=0)
    data = lab.outputs()[1][0]["data"]
    assert len(base64.b64decode(data["image/png"])) < 28_000
    assert data["text/plain"] == (
        "Drag the tone past the Nyquist frequency. Tone 5000 Hz, sampled at 8000 Hz, heard at 3000 "
        "Hz. "
        "Run this cell to drag it."
    )
    assert not lab.errors


def test_samples_of_an_alias_are_the_same_samples():
    """The explorer's own claim, by definition: cos(2 pi f n / SR) does not know f from SR - f."""
    n = np.arange(64)
    for tone in (7000, 9000, 15000, 17000):
        assert np.allclose(np.cos(2 * np.pi * tone * n / SR), np.cos(2 * np.pi * 1000 * n / SR))
