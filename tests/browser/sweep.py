"""What every unit is asked in a real JupyterLab: every control moves, every player sounds as it says.

One track of each player is heard: that a track sounds at its frequency and level is proven by the
player's own tests, and here it is about the wires. With ``EARUP_NIGHTLY=1`` (``course.py test
--nightly``) every track is heard, and pictures of the pages are kept.
"""

import json
import os
from pathlib import Path

import numpy as np

SHOTS = Path(__file__).parent / "shots"
NIGHTLY = os.environ.get("EARUP_NIGHTLY") == "1"

# In the kernel: what stretch of which track should be heard, as level and strongest frequency.
EXPECT = """
import json as _json, numpy as _np
from helpers.listening import Player as _Player
_shown = [w for _, v in sorted(Out.items()) for w in (v.preview_box.children if hasattr(v, "preview_box") else [v])]
_players = [value for value in _shown if isinstance(value, _Player)]
def _expected(player, track, end, size):
    y = _np.atleast_2d(list(_players[player].tracks.values())[track]).mean(axis=0)
    sr = _players[player].sr
    y = _np.pad(y, (0, max(map(_np.size, _players[player].tracks.values()))))  # silence follows a short one
    part = y[max(0, round(end * sr) - size) : round(end * sr)]
    spectrum = _np.abs(_np.fft.rfft(part * _np.hanning(len(part))))
    near = [y[max(0, round((end + d) * sr) - size) : round((end + d) * sr)] for d in (-0.02, 0, 0.02)]
    levels = [float(_np.sqrt(_np.mean(some**2))) for some in near]
    print(_json.dumps([levels, int(_np.argmax(spectrum)) * sr / len(part), sr]))
"""
# In the page: look until the head is far enough, and take sound and place in the same moment. A
# page that was busy then says so: a click may already be leaving the half second that the analyser
# holds.
CATCH = """i => { const m = document.querySelectorAll('.earup-player')[i].__earup; let begun = false;
  const from = Math.min(0.8, 0.75 * m.duration);
  window.caught = null;
  const look = () => {
    begun ||= m.playing;
    if (begun && (!m.playing || m.position > from + 0.15)) { window.caught = "late"; return; }
    if (!m.playing || m.position <= from) { setTimeout(look, 10); return; }
    const y = new Float32Array(m.analyser.fftSize), end = m.position; m.analyser.getFloatTimeDomainData(y);
    window.caught = { end, y: [...y] }; };
  look(); }"""


def sweep(lab):
    """Move and hear everything on the open page, and at night keep what it looks like."""
    lab.page.set_default_timeout(300_000)
    move_every_slider(lab.page)
    move_every_handle(lab.page)
    scrub_every_loop(lab.page)
    hear_every_player(lab)
    assert lab.errors == []
    if NIGHTLY:
        look_at(lab)


def move_every_slider(page):
    """Take each slider of each explorable to both ends by keyboard; the read-out follows and
    nothing faults.
    """
    boxes = page.locator(".earup-running")
    for i in range(boxes.count()):
        box = boxes.nth(i)
        sliders = box.locator("[role=slider]")
        assert sliders.count()
        for k in range(sliders.count()):
            for key in ("End", "Home", "ArrowRight"):
                before = box.locator("[role=status]").inner_text()
                value = sliders.nth(k).get_attribute("aria-valuenow")
                sliders.nth(k).press(key)
                if sliders.nth(k).get_attribute("aria-valuenow") != value:
                    page.wait_for_function(
                        "([i, before]) => document.querySelectorAll('.earup-running')[i]"
                        ".querySelector('[role=status]').innerText !== before",
                        arg=[i, before],
                    )
        assert "Error" not in box.inner_text()


def move_every_handle(page):
    """Take each handle of each stage to both ends by keyboard; the read-out follows and nothing
    faults.
    """
    scenes = page.locator(".earup-scene")
    for i in range(scenes.count()):
        handles = scenes.nth(i).locator("[role=slider]")
        brushes = scenes.nth(i).locator("[role=application]")
        sliders = scenes.nth(i).locator(".earup-controls input[type=range]")
        assert handles.count() + brushes.count() + sliders.count()
        if brushes.count():
            paint(page, i, brushes)
        for k in range(handles.count()):
            for key in ("End", "Home"):
                before = scenes.nth(i).inner_text()
                value = handles.nth(k).get_attribute("aria-valuenow")
                handles.nth(k).press(key)
                if handles.nth(k).get_attribute("aria-valuenow") == value:
                    continue  # it stood at that end already
                page.wait_for_function(
                    "([i, before]) => document.querySelectorAll('.earup-scene')[i].innerText !== "
                    "before",
                    arg=[i, before],
                )
        for k in range(sliders.count() if not handles.count() else 0):
            for key in ("End", "Home"):
                before = scenes.nth(i).inner_text()
                value = sliders.nth(k).input_value()
                sliders.nth(k).press(key)
                if sliders.nth(k).input_value() == value:
                    continue
                page.wait_for_function(
                    "([i, before]) => document.querySelectorAll('.earup-scene')[i].innerText !== "
                    "before",
                    arg=[i, before],
                )
        assert "Error" not in scenes.nth(i).inner_text()


def scrub_every_loop(page):
    """Take each loop to both ends by keyboard; its words follow, and no Python is asked."""
    films = page.locator(".earup-film")
    for i in range(films.count()):
        bar = films.nth(i).locator("input[type=range]")
        for key in ("End", "Home"):
            before = films.nth(i).locator(".earup-live").inner_text()
            bar.press(key)
            page.wait_for_function(
                "([i, before]) => document.querySelectorAll('.earup-film')[i]"
                ".querySelector('.earup-live').innerText !== before",
                arg=[i, before],
            )


def paint(page, i, brush):
    """Remove everything with the largest brush, and take it back; the read-out follows both."""
    said = (
        "i => document.querySelectorAll('.earup-scene')[i].querySelector('.earup-live').innerText"
    )
    first = page.evaluate(said, i)
    sizes = page.locator(".earup-scene").nth(i).locator("input[type=range]")
    for k in range(sizes.count()):
        sizes.nth(k).press("End")
    brush.press("Space")
    page.wait_for_function(f"([i, first]) => ({said})(i) !== first", arg=[i, first])
    brush.press("u")
    page.wait_for_function(f"([i, first]) => ({said})(i) === first", arg=[i, first])


def hear_every_player(lab):
    """Play each player and compare what the analyser reads with the samples in the kernel: another track each time."""
    page = lab.page
    assert lab.python(EXPECT) == ""
    for i in range(page.locator(".earup-player").count()):
        player = page.locator(".earup-player").nth(i)
        tracks = player.locator("input[type=radio]")
        count = max(1, tracks.count())
        for k in range(count) if NIGHTLY else [i % count]:
            if tracks.count():
                tracks.nth(k).check()
            compare(lab, player, i, k)


def catch(page, player, i):
    """Play player `i` from its beginning; return a moment of it: where its head was, and the
    samples that sounded.
    """
    button = player.locator(".earup-play")
    for _ in range(9):
        button.focus()
        page.keyboard.press("Home")
        page.evaluate(CATCH, i)
        button.click()
        heard = page.wait_for_function("() => window.caught").json_value()
        if page.evaluate("i => document.querySelectorAll('.earup-player')[i].__earup.playing", i):
            button.click()
        page.wait_for_function(
            "i => !document.querySelectorAll('.earup-player')[i].__earup.playing", arg=i
        )
        if heard != "late":
            return heard
    raise AssertionError(f"player {i} was nine times too far on when the page came to look")


def compare(lab, player, i, k):
    """Play track `k` of player `i` for a moment; level and strongest frequency are those of the
    samples.
    """
    heard = catch(lab.page, player, i)
    levels, peak, sr = json.loads(
        lab.python(f"_expected({i}, {k}, {heard['end']}, {len(heard['y'])})")
    )
    y = np.array(heard["y"][-min(len(heard["y"]), int(heard["end"] * sr)) :])
    if levels[1] < 1e-4:
        assert np.sqrt(np.mean(y**2)) < 2e-4
        return
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    # within 1 dB; the place is known to 20 ms, in which a voice can begin
    level = 20 * np.log10(np.sqrt(np.mean(y**2)))
    low, high = 20 * np.log10(min(levels)), 20 * np.log10(max(levels))
    assert low - 1 < level < high + 1, (lab.name, i, k, level, low, high)
    bins = peak * len(y) / sr
    near = slice(max(0, round(0.97 * bins) - 2), round(1.03 * bins) + 3)
    assert spectrum[near].max() > 0.5 * spectrum.max(), (lab.name, i, k, peak)


def shot(what, name):
    """Keep a picture of something on the page, at night."""
    if NIGHTLY:
        SHOTS.mkdir(exist_ok=True)
        what.scroll_into_view_if_needed()
        what.screenshot(path=str(SHOTS / f"{name}.png"))


def look_at_the_stage(lab, name, *, height):
    """Keep what a learner sees of the first stage, in both themes, at night."""
    for theme in ("Light", "Dark") if NIGHTLY else ():
        lab.command("apputils:change-theme", {"theme": f"JupyterLab {theme}"})
        lab.page.set_viewport_size({"width": 1280, "height": height})
        lab.page.locator(".earup-scene").first.scroll_into_view_if_needed()
        SHOTS.mkdir(exist_ok=True)
        lab.screenshot(SHOTS / f"{name}_{theme.lower()}.png")


def look_at(lab):
    """Keep what a learner sees, at two widths and in both themes."""
    SHOTS.mkdir(exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.command("apputils:change-theme", {"theme": f"JupyterLab {theme}"})
        for width in (1280, 800):
            lab.page.set_viewport_size({"width": width, "height": 1600})
            lab.page.evaluate("() => document.querySelector('.jp-Cell').scrollIntoView()")
            lab.screenshot(SHOTS / f"{lab.name}_{theme.lower()}_{width}.png")
