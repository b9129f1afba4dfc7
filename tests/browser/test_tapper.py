"""The tapper in a real browser: what it stamps is checked against the clocks of the page and of the
sound.
"""

import numpy as np
import pytest

from helpers import listening
from tests.browser.sweep import shot

SR = 22050
SECONDS = 7.0
BEATS = np.arange(0.5, 6.6, 0.5)

# Taps at given places, by events of the page's own making: when each was made, on both clocks.
DRUM = """([places, deck]) => new Promise(done => {
  const it = document.querySelector('.earup-tapper').__earup, pad = document.querySelector('.earup-pad');
  const made = [], left = [...places];
  const step = () => {
    if (!it.run) return done(made);
    if (left.length && it[deck].position >= left[0]) {
      const place = left.shift(), event = new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true });
      const at = performance.now() - 1000 * (it[deck].position - place); // a busy page comes late, a tap does not
      Object.defineProperty(event, 'timeStamp', { value: at });
      made.push([at / 1000, place]);
      pad.dispatchEvent(event);
    }
    setTimeout(step, 1);
  };
  step();
})"""
TAPS = "() => document.querySelector('.earup-tapper').__earup.taps"
PEAK = """() => { const { analyser: a, run } = document.querySelector('.earup-tapper').__earup;
  if (!run || !a) return 0;
  const y = new Float32Array(a.fftSize); a.getFloatTimeDomainData(y);
  return Math.max(...y.map(Math.abs)); }"""


def noise():
    return 0.02 * np.random.default_rng(0).standard_normal(round(SECONDS * SR))


def says(page, text):
    page.wait_for_function(
        "t => document.querySelector('.earup-tapper').innerText.includes(t)", arg=text
    )


@pytest.fixture
def tapping(widget_page):
    """A tapper in a bare page."""
    return widget_page(listening.tapper(noise(), sr=SR, beats=BEATS, title="Noise"))


def test_taps_lie_where_they_were_made_to_a_millisecond(tapping):
    """Measured here: 0.1 ms against the clock of the page, 2 ms against steps of the sound's."""
    page = tapping
    assert "beats have a tap" not in page.locator(".earup-tapper").inner_text()
    page.get_by_role("button", name="Play and tap").press("Enter")
    made = np.array(page.evaluate(DRUM, [BEATS.tolist(), "sound"]))
    says(page, f"{len(BEATS)} taps, one every 0.50 s: 120 a minute.")
    taps = np.array(page.evaluate(TAPS))
    assert len(taps) == len(BEATS)
    steady = (taps - taps[0]) - (made[:, 0] - made[0, 0])  # against the clock of the page
    assert steady.std() < 1e-3
    heard = taps - made[:, 1]  # what is heard is behind what is computed, by the same all the time
    assert -0.3 < heard.mean() <= 0.005
    assert heard.std() < 0.01
    assert page.evaluate("() => window.model.get('taps')") == pytest.approx(taps.tolist())
    assert page.evaluate("() => window.model.saves") == 1


def test_what_the_clicks_show_is_taken_off_afterwards(tapping):
    page = tapping
    late = 0.1
    page.get_by_role("button", name="Calibrate").press("Enter")
    page.evaluate(DRUM, [(late + 0.6 * np.arange(2, 16)).tolist(), "clicks"])
    says(page, "the click, give or take")
    page.get_by_role("button", name="Play and tap").press("Enter")
    page.evaluate(DRUM, [(BEATS + late).tolist(), "sound"])
    says(page, "13 of 13 beats have a tap within 70 ms: F = 1.00")
    assert np.abs(np.array(page.evaluate(TAPS)) - BEATS).max() < 0.03
    assert page.evaluate("() => window.model.get('lag_ms')") != 0


def test_a_calibration_that_scatters_is_refused(tapping):
    page = tapping
    page.get_by_role("button", name="Calibrate").press("Enter")
    places = 0.6 * np.arange(2, 16) + np.where(np.arange(14) % 2, 0.13, -0.13)
    page.evaluate(DRUM, [places.tolist(), "clicks"])
    says(page, "too much to calibrate by")
    assert page.evaluate("() => globalThis.__earup.lag") is None


def test_pointer_and_screen_reader_tap_and_escape_silences(tapping):
    page = tapping
    page.get_by_role("button", name="Play and tap").press("Enter")
    page.wait_for_function(f"() => ({PEAK})() > 0.02")
    assert page.evaluate("() => document.activeElement.className") == "earup-pad"
    page.get_by_role("button", name="Tap here").click()
    page.get_by_role("button", name="Tap here").evaluate("pad => pad.click()")
    page.keyboard.press("Space")
    assert (
        page.evaluate("() => document.querySelector('.earup-tapper').__earup.run.taps.length") == 3
    )
    page.keyboard.press("Escape")
    says(page, "3 taps")
    assert page.evaluate("() => document.querySelector('.earup-tapper').__earup.run") is None
    assert page.evaluate("() => document.activeElement.textContent") == "Play and tap"
    page.keyboard.press("Space")  # plays again, from the beginning
    page.wait_for_function("() => document.querySelector('.earup-tapper').__earup.run")
    page.keyboard.press("Escape")
    says(page, "No taps.")


@pytest.mark.parametrize("width", [1280, 800, 375])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_says_what_to_do(widget_page, width, theme):
    page = widget_page(listening.tapper(noise(), sr=SR, beats=BEATS), width=width, theme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    says(page, "Calibrate once")
    box = page.locator(".earup-tapper").bounding_box()
    assert box["height"] <= 620
    assert box["x"] + box["width"] <= width
    page.evaluate("() => window.model.emit('comm_live_update')")
    says(page, "Asleep")
    shot(page.locator(".earup-tapper"), f"tapper_{width}_{theme}")
