"""A lead sheet as a page of its own, from a file and offline: it plays, parts are muted, Escape
silences, bars are reached by keyboard; nothing is asked of anybody, by day and by night.
"""

import time

import pytest

from helpers import music
from tests.browser.sweep import shot

SR = 22050
# what reaches the loudspeaker is heard by an analyser as well
TAP = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.ear ??= new AnalyserNode(this.context, { fftSize: 4096 });
    connect.call(this, window.ear);
  }
  return connect.call(this, to, ...rest);
};
window.heard = () => {
  if (!window.ear) return 0;
  const y = new Float32Array(4096);
  window.ear.getFloatTimeDomainData(y);
  return Math.sqrt(y.reduce((sum, v) => sum + v * v, 0) / y.length);
};
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page of eight bars of a song."""
    y = music.play(music.random_song(1003))
    sheet = music.lead_sheet(y, sr=SR, title="A song")
    return music.save_sheet(sheet, y, sr=SR, path=tmp_path_factory.mktemp("page") / "sheet.html")


def opened(browser, path, width, scheme):
    """The page in a browser that has no network, and what it asked for and complained about."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.add_init_script(TAP)
    context.set_offline(True)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    return page, asked, errors


def until(page, words, seconds=60):
    """Wait until something holds on the page, which lets no test put conditions into it."""
    ends = time.monotonic() + seconds
    while not page.evaluate(words):
        assert time.monotonic() < ends, f"never: {words}"
        page.wait_for_timeout(50)


def test_it_plays_mutes_and_falls_silent(browser, path):
    page, asked, errors = opened(browser, path, 1280, "light")
    page.keyboard.press("Space")
    until(page, "heard() > 0.01")
    until(page, "document.querySelector('.now .number').textContent === '2'")
    assert page.locator("[aria-current]").count() == 1
    shot(page.locator("main"), "sheet_page_playing")
    for name in ("melody", "accompaniment", "drums"):
        page.locator(f"[data-part={name}]").press("Enter")
    until(page, "sheetState().playing && heard() < 1e-4")
    page.get_by_role("button", name="chords and bass").press("Enter")
    until(page, "heard() > 0.005")
    page.keyboard.press("Escape")
    until(page, "heard() < 1e-4")
    assert page.locator("#said").inner_text().startswith("Stopped at ")
    at = page.evaluate("sheetState().at")
    page.wait_for_timeout(200)
    assert page.evaluate("sheetState().at") == at > 1
    assert page.get_by_role("button", name="Play", exact=True).count() == 1
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_bars_play_from_where_they_are_and_the_end_stops(browser, path):
    page, _, errors = opened(browser, path, 1280, "light")
    bars = page.locator("button.bar")
    bars.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Bar 3: ")
    page.keyboard.press("Enter")
    until(page, "sheetState().playing")
    until(page, "document.querySelector('.now .number').textContent === '3'")
    page.locator("#at").evaluate("slider => { slider.value = slider.max - 0.5;"
                                 " slider.dispatchEvent(new Event('input')); }")  # fmt: skip
    until(page, "!sheetState().playing && sheetState().at === 0")
    until(page, "heard() < 1e-4")
    assert errors == []


def test_one_part_alone_stops_the_rest(browser, path):
    page, _, errors = opened(browser, path, 1280, "light")
    page.keyboard.press("Space")
    until(page, "sheetState().playing")
    page.locator("summary").click()
    page.locator("#audio-tune").evaluate("sound => sound.play()")
    until(page, "!sheetState().playing")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('#audio-tune').paused")
    assert errors == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (375, "light"), (375, "dark")])
def test_it_fits_and_can_be_read(browser, path, axe, width, scheme):
    page, _, errors = opened(browser, path, width, scheme)
    shot(page.locator("main"), f"sheet_page_{width}_{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("button").all():
        size = box.bounding_box()
        assert size["height"] >= 44 and size["x"] + size["width"] <= width
    page.evaluate(axe)
    faults = page.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + v.nodes.map(n => n.html)))"
    )
    assert faults == []
    assert errors == []
