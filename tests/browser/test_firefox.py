"""The site in Firefox: the same sound, the same answers, and no complaints. Skipped where there is
none.
"""

import base64
import json

import nbformat
import numpy as np
import pytest

from helpers.coursework import catalogue
from tests.browser import firefox
from tools import notebooks
from tools.site import building, widgets
from tools.site.engine import answering, cutting

pytestmark = [pytest.mark.site, pytest.mark.nightly]
UNITS = {path.stem[:2]: path.stem for path in notebooks.paths()}
LOOKED_AT = ["index", *(f"notebooks/{UNITS[unit]}" for unit in ("10", "21", "30", "36", "40"))]
AWAKE = """async () => { await earup.wakeAll();
  return [...document.querySelectorAll(".earup-place")].every((place) => place.dataset.awake === ""); }"""


@pytest.fixture(scope="module")
def fox(tmp_path_factory):
    """One Firefox for all; the reader asked to see everything at once."""
    if (program := firefox.find()) is None:
        pytest.skip("there is no Firefox (EARUP_FIREFOX names one that lies elsewhere)")
    fox = firefox.Firefox(program, tmp_path_factory.mktemp("firefox"))
    yield fox
    fox.close()


@pytest.fixture
def page(fox, served):
    """Open a page of the site, with all of its widgets awake; at the end nothing went wrong."""

    def go(name):
        fox.go(f"{served}/{name}.html")
        if fox.evaluate("() => localStorage.getItem('earup-open')") is None:
            fox.evaluate("() => localStorage.setItem('earup-open', '1')")
            fox.go(f"{served}/{name}.html")
        fox.wait(AWAKE)
        return fox

    fox.errors.clear()
    yield go
    assert fox.errors == []


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_is_whole(page, name):
    """Every widget awake, no complaint, one heading that is seen, nothing wider than the page."""
    fox = page(name)
    seen = "() => [...document.querySelectorAll('h1')].filter((h1) => h1.offsetParent).length"
    assert fox.evaluate(seen) == 1
    over = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert fox.evaluate(over) <= 0
    assert (
        fox.evaluate(
            "() => [...document.images].filter((i) => i.complete && !i.naturalWidth).length"
        )
        == 0
    )


def tracks(nb):
    """Every track of a notebook by its key on the shelf: rate, and samples (channels, n)."""
    found, shelf = {}, widgets.Shelf()
    for model in nb.metadata["widgets"][widgets.STATE]["state"].values():
        for buffer in model.get("buffers", []):
            if buffer["path"][0] not in widgets.SOUNDS:
                continue
            y, state = np.frombuffer(base64.b64decode(buffer["data"]), "<f4"), model["state"]
            for track in state.get("index") or [{"channels": 1, "samples": y.size}]:
                count = track["channels"] * track["samples"]
                own, y = y[:count].reshape(track["channels"], -1), y[count:]
                flac = widgets.flac(own, state["sr"])
                found[shelf.put(base64.b64encode(flac).decode())] = (state["sr"], own)
    return found


@pytest.mark.parametrize("unit", ["00", "10", "22"])
def test_sounds_come_out_as_they_went_in(site, page, unit):
    """To 16 bits; a quiet track to 24."""
    (kept,) = building.KEPT.glob(f"{UNITS[unit]}-*.ipynb")
    wanted = tracks(nbformat.read(kept, as_version=4))
    stored = {key for key in wanted if (site / f"_static/widgets/{key}.js").is_file()}
    assert len(stored) > 3
    fox = page(f"notebooks/{UNITS[unit]}")
    for key in sorted(stored)[:20]:
        sr, y = wanted[key]
        text = fox.evaluate(
            """async (key, sr) => {
            const bytes = new Uint8Array((await earup.samples(key, sr)).buffer); let text = "";
            for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
            return btoa(text); }""",
            key,
            sr,
        )
        there = np.frombuffer(base64.b64decode(text), "<f4").reshape(y.shape)
        assert np.abs(there - y.clip(-1, 1 - 2.0**-15)).max() <= 2.0**-16 * 1.001


def test_the_first_page_sounds(page):
    fox = page("index")
    fox.evaluate("""() => [...document.querySelectorAll(".earup-player button")]
      .find((button) => /Play/.test(button.textContent)).click()""")
    state = """() => document.querySelector(".earup-player").__earup.analyser?.context.state"""
    try:
        fox.wait(f"() => ({state})() === 'running'", seconds=15)
    except TimeoutError:
        pytest.skip("Firefox finds nothing here that plays sound")
    fox.wait("""() => { const { analyser, playing } = document.querySelector(".earup-player").__earup;
      const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y);
      const rms = Math.sqrt(y.reduce((a, v) => a + v * v, 0) / y.length);
      return playing && rms > 1e-3 && Math.max(...y.map(Math.abs)) < 0.25; }""")


def test_a_stage_answers_as_in_the_notebook(page):
    """Its handle is moved by keys; the words are those of the course's own packages."""
    fox = page(f"notebooks/{UNITS['21']}")
    stage = "document.querySelector('.earup-place[data-stage]')"
    fox.evaluate(f"() => {stage}.querySelector('.earup-handle').focus()")
    fox.press("\ue012", "\ue014", "\ue014")  # left, right, right
    fox.wait(f"() => {stage}.innerText.includes('Python runs in this page.')", seconds=240)
    title, read, now = fox.evaluate(f"""() => [{stage}.querySelector(".earup-title").innerText,
      {stage}.querySelector(".earup-live").innerText, Object.fromEntries([...{stage}.querySelectorAll(".earup-handle")]
        .map((h) => [h.getAttribute("aria-label"), Number(h.getAttribute("aria-valuenow"))]))]""")
    nb = nbformat.read(notebooks.paths(["21"])[0], as_version=4)
    sources = ["\n".join(texts) for texts in cutting.stages(nb).values()]
    (source,) = [s for s in sources if title in s]
    answering.make("here", source)
    made = answering.MADE["here"]
    values = made.values | {h["name"]: now[h["label"]] for h in made.spec["handles"]}
    text, _ = answering.answer("here", json.dumps({"n": 1, "values": values}))
    wanted = json.loads(text)["readout"]
    fox.wait(f"(wanted) => {stage}.querySelector('.earup-live').innerText === wanted", wanted)
    assert read


def test_an_exercise_is_checked(page):
    fox = page(f"notebooks/{UNITS['21']}")
    box = "document.querySelector('.earup-exercise')"
    fox.evaluate(f"() => {box}.scrollIntoView()")
    fox.wait(f"() => Boolean({box}.querySelector('.CodeMirror'))")
    key = fox.evaluate(f"async () => (await earup.need({box}.dataset.part)).key")
    for code, said in (
        (None, "Not attempted."),
        (catalogue.exercise(key).solution, "Correct."),
    ):
        if code:
            fox.evaluate(
                f"(code) => {box}.querySelector('.CodeMirror').CodeMirror.setValue(code)", code
            )
        fox.evaluate(f"() => {box}.querySelector('.earup-check').click()")
        fox.wait(f"(said) => {box}.innerText.includes(said)", said, seconds=240)
