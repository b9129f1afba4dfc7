"""The player in a real browser: what sounds, at which level, when, and who may press the keys."""

import numpy as np
import pytest

from helpers import listening
from tests.js import node

SR = 16000
TIME = np.arange(3 * SR) / SR
TONES = {"low": (500.0, 0.2), "high": (1250.0, 0.05)}  # Hz, amplitude

RMS = """const rms = (node) => { const y = new Float32Array(node.fftSize); node.getFloatTimeDomainData(y);
  return Math.sqrt(y.reduce((sum, v) => sum + v * v, 0) / y.length); };"""


def tone(freq, amp):
    return (amp * np.sin(2 * np.pi * freq * TIME)).astype(np.float32)


def tones():
    return listening.player(
        {name: tone(*sound) for name, sound in TONES.items()}, sr=SR, title="Two tones"
    )


def machine(page, i=0, what=""):
    """Read something of player `i`, such as ".position"."""
    return page.evaluate(f"() => document.querySelectorAll('.earup-player')[{i}].__earup{what}")


def until(page, condition, i=0):
    """Wait for a condition on the player `m`."""
    page.wait_for_function(
        f"() => {{ {RMS} const m = document.querySelectorAll('.earup-player')[{i}].__earup; return "
        f"{condition}; }}"
    )


def heard(page, i=0):
    """Return frequency [Hz] and RMS level [dBFS] of the analyser's last half second."""
    y = page.evaluate(
        """i => { const { analyser } = document.querySelectorAll('.earup-player')[i].__earup;
        const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y); return [...y]; }""",
        i,
    )
    spectrum = np.abs(np.fft.rfft(np.array(y) * np.hanning(len(y))))
    return np.argmax(spectrum) * SR / len(y), 20 * np.log10(np.sqrt(np.mean(np.square(y))))


def press_play(page, i=0):
    page.locator(".earup-play").nth(i).click()


# ---- the real sound, read by an analyser node ----


def test_each_track_sounds_at_its_frequency_and_level(widget_page):
    page = widget_page(tones())
    press_play(page)
    for key, (freq, amp) in zip("12", TONES.values(), strict=True):
        page.keyboard.press(key)
        start = machine(page, what=".position")
        until(
            page, f"m.position > {start} + 0.6 || m.position < {start}"
        )  # the analyser holds 0.51 s
        found, level = heard(page)
        assert found == pytest.approx(freq, abs=2)
        assert level == pytest.approx(20 * np.log10(amp / np.sqrt(2)), abs=0.5)


def test_nothing_sounds_before_a_gesture(widget_page):
    page = widget_page(tones())
    assert machine(page, what=".playing") is False
    assert page.evaluate("() => globalThis.__earup.contexts.size") == 0


def test_left_and_right_stay_apart(widget_page):
    page = widget_page(
        listening.player({"both": np.stack([tone(500, 0.2), tone(1250, 0.05)])}, sr=SR)
    )
    press_play(page)
    page.evaluate("""() => { const { ctx, analyser } = document.querySelector('.earup-player').__earup;
        const split = ctx.createChannelSplitter(2); analyser.connect(split);
        window.ears = [0, 1].map(c => { const a = ctx.createAnalyser(); a.fftSize = 4096; split.connect(a, c);
          return a; }); }""")
    until(page, "m.position > 0.6")
    left, right = page.evaluate(f"() => {{ {RMS} return window.ears.map(rms); }}")
    assert left == pytest.approx(0.2 / np.sqrt(2), rel=0.05)
    assert right == pytest.approx(0.05 / np.sqrt(2), rel=0.05)


def test_two_players_never_sound_at_once(widget_page):
    page = widget_page(tones())
    widget_page(tones(), page=page)
    press_play(page, 0)
    until(page, "rms(m.analyser) > 0.05", 0)
    press_play(page, 1)
    assert machine(page, 0, ".playing") is False
    until(page, "rms(m.analyser) > 0.05", 1)
    until(page, "rms(m.analyser) < 1e-6", 0)
    press_play(page, 0)
    assert (machine(page, 0, ".playing"), machine(page, 1, ".playing")) == (True, False)


def test_escape_silences_the_page_from_anywhere(widget_page):
    page = widget_page(tones())
    press_play(page)
    until(page, "rms(m.analyser) > 0.05")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Escape")
    assert machine(page, what=".playing") is False
    until(page, "rms(m.analyser) < 1e-6")


def test_a_removed_player_falls_silent(widget_page):
    page = widget_page(tones())
    page.evaluate("() => { window.kept = document.querySelector('.earup-player').__earup; }")
    press_play(page)
    page.wait_for_function("() => window.kept.position > 0.1")
    page.evaluate("() => window.mounted[0].dispose()")
    assert page.evaluate(
        "() => [window.kept.playing, document.querySelectorAll('.earup').length]"
    ) == [False, 0]


def test_hasty_hands_break_nothing(widget_page):
    page = widget_page(tones())
    press_play(page)
    most = page.evaluate("""async () => {
        const m = document.querySelector('.earup-player').__earup, y = new Float32Array(2048);
        let seed = 1, most = 0;
        const dice = n => (seed = (seed * 48271) % 2147483647) % n;
        const acts = [() => m.play(), () => m.stop(), () => m.seek(dice(30) / 10), () => m.select(dice(2)),
          () => m.setRegion(dice(2) ? { from: dice(10) / 10, to: 1 + dice(20) / 10 } : null)];
        for (let i = 0; i < 150; i++) {
          acts[dice(5)]();
          await new Promise(done => setTimeout(done, dice(40)));
          m.analyser.getFloatTimeDomainData(y);
          most = Math.max(most, ...y.map(Math.abs));
        }
        return most; }""")
    assert 0.05 < most <= 0.2 + 0.05 + 1e-3  # never more than the two tones together
    page.keyboard.press("Escape")
    until(page, "!m.playing && rms(m.analyser) < 1e-6")


# ---- the same code in an offline context: every sample, no clock ----


@pytest.fixture
def offline(widget_page):
    """Render a deck: ``offline(tracks, [(seconds, "m.select(1)"), ...], seconds=1.0)`` ->
    samples.
    """
    source = node.joined("core", "deck")
    page = widget_page(
        source + "export default { render() { window.core = { PAGE, deck, output }; } };"
    )

    def render(tracks, events, *, seconds=1.0, ceiling_db=-1.0):
        out = page.evaluate(
            """async ([tracks, events, seconds, sr, ceilingDb]) => {
            const ctx = new OfflineAudioContext(1, seconds * sr, sr);
            core.PAGE.contexts.set(sr, ctx);
            const m = core.deck(tracks.map(y => [Float32Array.from(y)]), { sr, ceilingDb });
            for (const [at, what] of events) if (at > 0)
              ctx.suspend(at).then(() => { new Function("m", what)(m); ctx.resume(); });
            for (const [at, what] of events) if (at === 0) new Function("m", what)(m);
            return [...(await ctx.startRendering()).getChannelData(0)];
            }""",
            [[np.asarray(y).tolist() for y in tracks], events, seconds, SR, ceiling_db],
        )
        return np.array(out)

    return render


def test_a_switch_between_identical_tracks_cannot_be_heard(offline):
    y = tone(500, 0.2)[:SR]
    out = offline(
        [y, y, y],
        [(0, "m.play()"), (0.3, "m.select(1)"), (0.5, "m.select(2)"), (0.52, "m.select(0)")],
    )
    delay = 160  # events are scheduled 10 ms ahead
    steady = slice(delay + 401, SR - 600)
    np.testing.assert_allclose(out[steady], y[401 : SR - 600 - delay], atol=2e-6)


def test_a_switch_between_different_tracks_keeps_the_time_and_takes_25_ms(offline):
    clock = 0.5 * np.arange(SR) / SR  # the sample's value tells its time
    out = offline([clock, clock + 0.2], [(0, "m.play()"), (0.512, "m.select(1)")])
    heard = out[161:] - clock[: SR - 161 + 0][: len(out) - 161]
    before, after = int(0.512 * SR), int(0.56 * SR)
    assert np.abs(heard[500:before]).max() < 1e-4
    assert np.abs(heard[after : SR - 1000] - 0.2).max() < 1e-4
    moving = np.flatnonzero((heard[before:after] > 1e-3) & (heard[before:after] < 0.199))
    assert 0.020 * SR <= np.ptp(moving) <= 0.026 * SR
    assert np.all(np.diff(heard[before:after]) > -1e-6)


def test_onset_and_offset_are_raised_cosines_of_at_least_20_ms(offline):
    out = offline([np.full(SR, 0.3)], [(0, "m.play()"), (0.512, "m.stop()")])
    up, down = out[: int(0.1 * SR)], out[int(0.5 * SR) : int(0.6 * SR)]
    for edge in (up, down[::-1]):
        assert np.all(np.diff(edge) > -1e-6)
        span = np.flatnonzero((edge > 0.003) & (edge < 0.297))  # 1 % to 99 %
        assert np.ptp(span) >= 0.02 * SR * 0.85
        assert np.abs(np.diff(edge)).max() < 0.3 * np.pi / 2 / (
            0.02 * SR
        )  # no steeper than 20 ms of raised cosine
    assert np.abs(out[int(0.6 * SR) :]).max() == 0


def test_a_track_that_ends_loud_is_faded_and_the_head_rewinds(offline):
    out = offline(
        [np.full(SR // 2, 0.3), np.full(SR // 4, 0.3)], [(0, "m.play()"), (0.128, "m.select(1)")]
    )
    end = SR // 4 + 160
    assert np.abs(np.diff(out)).max() < 0.3 * np.pi / 2 / (0.02 * SR)
    assert out[end - 500] == pytest.approx(0.3, abs=1e-6)
    assert np.abs(out[end:]).max() == 0


def test_a_seek_goes_where_it_was_sent_without_a_click(offline):
    clock = 0.5 * np.arange(2 * SR) / SR
    out = offline([clock], [(0, "m.play()"), (0.256, "m.seek(1.5)")])
    later = out[int(0.4 * SR)]
    assert later == pytest.approx(0.5 * (1.5 + 0.4 - 0.266), abs=1e-3)
    assert np.abs(np.diff(out)).max() < 1.0 * np.pi / 2 / (0.02 * SR)  # the track ends at 1.0


def test_a_loop_repeats_its_region_and_its_seam_does_not_click(offline):
    clock = 0.5 * np.arange(SR) / SR
    out = offline([clock], [(0, "m.setRegion({from: 0.4, to: 0.6}); m.play()")])
    for turn in range(4):
        middle = int((0.01 + 0.2 * turn + 0.1) * SR)
        assert out[middle] == pytest.approx(0.25, abs=1e-3)
    assert out.max() < 0.3
    assert np.abs(np.diff(out)).max() < 0.3 * np.pi / 2 / (0.02 * SR)


@pytest.mark.parametrize("ceiling_db", [-1.0, -20.0, 0.0, 12.0])
def test_the_ceiling_holds_against_a_sound_four_times_full_scale(offline, ceiling_db):
    out = offline([4 * np.sin(2 * np.pi * 440 * TIME)], [(0, "m.play()")], ceiling_db=ceiling_db)
    assert np.abs(out).max() == pytest.approx(10 ** (min(ceiling_db, 0) / 20), abs=1e-6)


def test_below_the_ceiling_the_samples_are_exact(offline):
    y = np.random.default_rng(0).uniform(-0.89, 0.89, SR).astype(np.float32)
    out = offline([y], [(0, "m.play()")])
    np.testing.assert_allclose(out[2000 : SR - 600], y[2000 - 160 : SR - 600 - 160], atol=2e-7)


# ---- the hands ----


def test_keys_act_only_while_the_player_has_the_focus_and_go_no_further(widget_page):
    page = widget_page(tones())
    page.evaluate(
        "() => { window.seen = []; document.addEventListener('keydown', e => "
        "window.seen.push(e.key)); }"
    )
    page.keyboard.press(" ")
    page.keyboard.press("2")
    assert (machine(page, what=".playing"), machine(page, what=".chosen")) == (False, 0)
    page.locator(".earup-stage").focus()
    page.evaluate("() => { window.seen.length = 0; }")
    for key in (" ", "2", "ArrowRight", "Home", "PageUp", "End"):
        page.keyboard.press(key)
    assert (machine(page, what=".playing"), machine(page, what=".chosen")) == (True, 1)
    assert page.evaluate("() => window.seen") == []
    for key in ("j", "9", "Control+s"):
        page.keyboard.press(key)
    assert page.evaluate("() => window.seen") == [
        "j",
        "9",
        "Control",
        "s",
    ]  # the notebook's own shortcuts live on


def test_space_on_a_button_presses_it_once(widget_page):
    page = widget_page(tones())
    page.evaluate(
        "() => { window.seen = []; document.addEventListener('keydown', e => "
        "window.seen.push(e.key)); }"
    )
    page.locator(".earup-play").focus()
    page.keyboard.press(" ")
    assert machine(page, what=".playing") is True
    page.keyboard.press("Enter")
    assert machine(page, what=".playing") is False
    assert page.evaluate("() => window.seen") == []


def test_arrows_in_the_track_list_choose_the_track(widget_page):
    page = widget_page(tones())
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")
    assert machine(page, what=".chosen") == 1
    assert page.locator(".earup-live").inner_text().startswith("high: \u221229.0 dBFS RMS")


def test_every_control_is_reached_by_tab(widget_page):
    page = widget_page(tones())
    found = []
    for _ in range(6):
        page.keyboard.press("Tab")
        found.append(
            page.evaluate(
                "() => { const e = document.activeElement; return e.type || "
                "e.getAttribute('role'); }"
            )
        )
    assert found == ["radio", "slider", "button", "checkbox", "button", "button"]


def test_a_click_on_the_picture_and_the_arrow_keys_move_the_head(widget_page):
    page = widget_page(tones())
    box = page.locator(".earup-stage").bounding_box()
    left, right = box["x"] + 46, box["x"] + box["width"] - 12
    page.mouse.click((left + right) / 2, box["y"] + 100)
    assert machine(page, what=".position") == pytest.approx(1.5, abs=0.01)
    page.keyboard.press("ArrowRight")
    assert machine(page, what=".position") == pytest.approx(1.6, abs=0.01)
    page.keyboard.press("PageDown")
    assert machine(page, what=".position") == pytest.approx(1.1, abs=0.01)
    stage = page.locator(".earup-stage")
    assert stage.get_attribute("aria-valuetext") == "1.10 s of 3.00 s"
    page.keyboard.press("Home")
    assert machine(page, what=".position") == 0


def test_a_drag_shows_the_place_and_seeks_on_release(widget_page):
    page = widget_page(tones())
    box = page.locator(".earup-stage").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 46 + (box["width"] - 58) * 0.75, box["y"] + 100)
    assert machine(page, what=".position") == 0
    assert page.locator(".earup-clock").inner_text() == "2.25 / 3.00 s"
    page.mouse.up()
    assert machine(page, what=".position") == pytest.approx(2.25, abs=0.01)


def test_a_loop_is_drawn_with_shift_or_made_with_buttons(widget_page):
    page = widget_page(tones())
    box = page.locator(".earup-stage").bounding_box()
    at = lambda share: box["x"] + 46 + (box["width"] - 58) * share  # noqa: E731
    page.keyboard.down("Shift")
    page.mouse.move(at(0.5), box["y"] + 50)
    page.mouse.down()
    page.mouse.move(at(0.25), box["y"] + 50)
    page.mouse.up()
    page.keyboard.up("Shift")
    region = machine(page, what=".region")
    assert (region["from"], region["to"]) == (
        pytest.approx(0.75, abs=0.01),
        pytest.approx(1.5, abs=0.01),
    )
    assert page.get_by_label("Loop", exact=True).is_checked()
    page.get_by_label("Loop", exact=True).uncheck()
    assert machine(page, what=".region") is None
    for place, button in ((1.0, "Loop from here"), (1.2, "Loop to here")):
        page.evaluate("t => document.querySelector('.earup-player').__earup.seek(t)", place)
        page.get_by_role("button", name=button).click()
    assert machine(page, what=".region") == {"from": 1.0, "to": pytest.approx(1.2)}
    press_play(page)
    page.wait_for_function("""() => { const m = document.querySelector('.earup-player').__earup, t = m.position;
        if (t < 0.999 || t > 1.201) throw new Error(`left the loop: ${t}`);
        const back = t < (window.last ?? 0) - 0.1; window.last = t; return back; }""")


# ---- the looks ----


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nine_long_names_fit_into_800_pixels_and_silence_has_a_word(widget_page, theme):
    names = [f"a rather long name of a track, number {i}" for i in range(8)]
    tracks = {**{name: tone(300, 0.1)[:SR] for name in names}, "nothing": np.zeros(SR)}
    page = widget_page(listening.player(tracks, sr=SR), theme=theme, width=800)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 800
    assert "silence" in page.locator(".earup-tracks label").last.inner_text()
    night = page.evaluate("() => document.querySelector('.earup').classList.contains('night')")
    assert night is (theme == "dark")


def test_the_picture_shows_the_tone_at_its_frequency(widget_page):
    page = widget_page(tones())
    page.wait_for_function("() => document.querySelector('.earup-stage canvas').dataset.key")
    rows = page.evaluate("""() => { const c = document.querySelector('.earup-stage canvas'), g = c.getContext('2d');
        return Array.from({length: 156}, (_, i) => g.getImageData(c.width / 2, 78 + i, 1, 1).data[0]); }""")
    freq = (
        (1 - (np.argmin(rows[2:-2]) + 2.5) / 156) * SR / 2
    )  # darkest row, 0 to 8 kHz over 156 pixels
    assert freq == pytest.approx(500, abs=60)


PIXELS = """() => { const c = document.querySelector('.earup-stage canvas'), g = c.getContext('2d');
  const { width, height, data } = g.getImageData(0, 0, c.width, c.height);
  return { width, height, data: [...data] }; }"""


def drawn(page):
    """Return the picture of the first player: an array of (rows, columns, 4)."""
    page.wait_for_function("() => document.querySelector('.earup-stage canvas').dataset.key")
    found = page.evaluate(PIXELS)
    shape = (found["height"], found["width"], 4)
    return np.array(found["data"], dtype=np.uint8).reshape(shape)


def blue_heights(page, *, top=4, bottom=68):
    """How many pixels of each column of the waveform are blue."""
    picture = drawn(page)[top:bottom, 47:-13].astype(int)
    return (np.abs(picture[:, :, :3] - (0x2B, 0x6F, 0xB6)).sum(axis=2) < 90).sum(axis=0)


@pytest.mark.parametrize("width", [375, 800])
@pytest.mark.parametrize("freq", [100, 97])
def test_a_steady_tone_is_drawn_steady_and_a_beating_one_beats(widget_page, width, freq):
    """Its envelope is flat, for less than a period falls on a pixel; 3 Hz apart it has nodes."""
    t = np.arange(2 * 44100) / 44100
    tone = 0.1 * np.sin(2 * np.pi * freq * t)
    page = widget_page(listening.player({"tone": tone}, sr=44100), width=width)
    heights = blue_heights(page)
    assert heights.min() >= heights.max() - 1 > 50
    beat = 0.5 * (tone + 0.1 * np.sin(2 * np.pi * (freq + 3) * t))
    heights = blue_heights(widget_page(listening.player({"beat": beat}, sr=44100), width=width))
    nodes = heights < 0.2 * heights.max()
    assert np.count_nonzero(np.diff(nodes.astype(int)) == 1) == 6  # 3 a second for 2 s


def test_low_tones_stand_on_a_log_axis_and_others_on_a_linear_one(widget_page):
    """100 and 200 Hz are an octave apart: one of log2(22050 / 31.25) in the height of the picture."""
    t = np.arange(44100) / 44100
    rows = {}
    for name, low, high in (("low", 100, 200), ("all", 5000, 10000)):
        y = 0.05 * (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t))
        page = widget_page(listening.player({"y": y}, sr=44100), width=800)
        middle = drawn(page)[80:232, 300:400, :3].astype(int).sum(axis=(1, 2))
        dark = middle < (middle.min() + middle.max()) / 2
        (begins,) = np.nonzero(np.diff(np.r_[0, dark.astype(int)]) == 1)
        (ends,) = np.nonzero(np.diff(np.r_[dark.astype(int), 0]) == -1)
        rows[name] = (begins + ends) / 2
    assert len(rows["low"]) == 2 and len(rows["all"]) == 2
    assert -np.diff(rows["low"][::-1]) == pytest.approx(156 / np.log2(22050 / 31.25), abs=2)
    assert -np.diff(rows["all"][::-1]) == pytest.approx(156 * 5000 / 22050, abs=2)
