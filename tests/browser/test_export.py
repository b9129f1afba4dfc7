"""A notebook as one file: no kernel, no request to anything, and every sound at its frequency and
level.
"""

import io
import os
import re

import numpy as np
import pytest
import soundfile

from tools.site import single, vendor, widgets

SR = 16_000
TONES = {"low": (440.0, -26.0), "high": (880.0, -32.0)}  # Hz, dBFS RMS
SETUP = f"""import numpy as np
from helpers import coursework, explore, listening, live
t = np.arange(3 * {SR}) / {SR}
tones = {{name: 10 ** (db / 20) * 2**0.5 * np.sin(2 * np.pi * hz * t) for name, (hz, db) in {TONES!r}.items()}}"""
STAGE = """panel = explore.panel(explore.axis("Time", 0, 1), explore.axis("Height", -1, 1), explore.line("wave"))
explore.stage(
    lambda turns: {"wave": np.sin(2 * np.pi * turns * t), "readout": f"{turns:.0f} turns."},
    title="Turns", alt="A wave.", panels=[panel], handles=[explore.handle("turns", "Turns", 0, 1, 1, step=1)],
)"""
LIVE = (
    """live.run(lambda: ((k, 1 / (1 + k)) for k in range(9)), title="A fall", steps=8, warmup=3)"""
)
CELLS = [
    ("markdown", "# A page of its own\n\n$\\sqrt{2}$ ![badge](../data/badges/colab.svg)"),
    ("folded", SETUP),
    ("code", f"listening.player(tones, sr={SR})"),
    ("code", 'coursework.quiz("00")'),
    ("code", f'listening.blind_test("abx", tones, sr={SR}, n_trials=5, match=None)'),
    ("code", STAGE),
    ("code", LIVE),
    ("markdown", "## A question"),
    ("predict", 'coursework.predict("12.treble")'),
    ("markdown", "The answer stands here."),
    ("markdown", "### Deeper\n\nMore of it."),
    ("markdown", "## Afterwards\n\nOpen to all."),
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The notebook, run, with the state of its widgets."""
    import nbformat
    import nbformat.v4 as v4

    folder = tmp_path_factory.mktemp("notebooks")
    make = {"markdown": v4.new_markdown_cell}
    nb = v4.new_notebook(cells=[make.get(kind, v4.new_code_cell)(source) for kind, source in CELLS])
    for (kind, _), cell in zip(CELLS, nb.cells, strict=True):
        cell.metadata["tags"] = ["predict"] if kind == "predict" else []
    nb.cells[1].metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(nb, folder / "try.ipynb")
    return vendor.run(folder / "try.ipynb")


@pytest.fixture(scope="module")
def page_file(web, root, ran):
    """The page in the folder of the page server; skips where npm gives no script, unless a browser
    is required (CI).
    """
    try:
        vendor.fetch()
    except RuntimeError as error:
        (pytest.fail if os.environ.get("EARUP_REQUIRE_BROWSER") == "1" else pytest.skip)(str(error))
    page = web[0] / "exported" / "try.html"
    single.write(ran, page, pictures=root / "notebooks")
    return page


@pytest.fixture(params=["file", "http"])
def page(request, browser, web, page_file):
    """The page, opened as a file and from a server; at the end it has asked for nothing else and
    had no errors.
    """
    here = web[0].as_uri() if request.param == "file" else web[1]
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    asked, errors, page = [], [], context.new_page()
    context.on("request", lambda r: asked.append(r.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{here}/{page_file.relative_to(web[0]).as_posix()}")
    page.evaluate("() => window.earup.wakeAll()")
    page.wait_for_function("() => document.querySelectorAll('.earup').length === 5")
    yield page
    context.close()
    others = [url for url in asked if not url.startswith(("blob:", "data:"))]
    assert set(others) == {f"{here}/{page_file.relative_to(web[0]).as_posix()}"}
    assert errors == []


def heard(page, root):
    """Frequency [Hz] and RMS level [dBFS] of what a widget sounds, once the analyser (0.51 s) is
    full of it.
    """
    node = f"document.querySelector('{root}').__earup"
    start = page.evaluate(f"() => {node}.ctx.currentTime")
    page.wait_for_function(f"() => {node}.ctx.currentTime > {start} + 0.7")
    y = page.evaluate(f"""() => {{ const {{ analyser }} = {node}, y = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(y); return [...y]; }}""")
    spectrum = np.abs(np.fft.rfft(np.array(y) * np.hanning(len(y))))
    return np.argmax(spectrum) * SR / len(y), 20 * np.log10(np.sqrt(np.mean(np.square(y))))


def test_the_player_plays_and_switches_at_exact_levels(page):
    player = page.locator(".earup-player")
    player.get_by_label(
        "Loop", exact=True
    ).check()  # so that it still plays however slow the machine is
    player.get_by_role("button", name="Play").click()
    for name, tone in TONES.items():
        player.get_by_text(name, exact=True).click()
        assert heard(page, ".earup-player") == (
            pytest.approx(tone[0], abs=2),
            pytest.approx(tone[1], abs=0.5),
        )
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.querySelector('.earup-player').__earup.playing") is False


def test_the_quiz_says_why(page):
    question = page.locator(".earup-quiz fieldset").first
    question.get_by_label("Start low, raise it until it is comfortable").check()
    question.get_by_role("button", name="Check").click()
    assert question.locator(".earup-quiz-tag").inner_text() == "right"
    assert len(question.locator("[aria-live]").inner_text()) > 30
    assert "Score 1/5" in page.locator(".earup-quiz-score").inner_text()


def test_a_whole_blind_test_runs_to_its_result(page):
    test = page.locator(".earup-blind")
    test.get_by_role("button", name="Start").click()
    for trial in range(1, 6):
        test.get_by_text(f"Trial {trial} of 5").first.wait_for()
        test.get_by_role("button", name="Play X").click()
        x = "A" if heard(page, ".earup-blind")[0] < 660 else "B"
        test.get_by_label(f"X is {x}").check()
        test.get_by_role("button", name="Confirm").click()
    test.get_by_text(
        "5 of 5 right"
    ).wait_for()  # what follows was counted by Python before the page was made
    assert "p = 0.031" in test.inner_text()  # 1 / 2^5


def test_what_needs_python_shows_its_first_frame_and_says_so(page):
    stage = page.locator(".earup-scene")
    assert stage.get_by_text("1 turns.").is_visible()
    assert stage.get_by_text("Moving this needs a running notebook").is_visible()
    blue = """c => { const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
        let n = 0; for (let i = 0; i < data.length; i += 4) n += data[i + 2] > data[i] + 60; return n; }"""
    assert stage.locator("canvas").evaluate(blue) > 500  # the wave is drawn
    assert (
        page.locator(".earup-running")
        .get_by_text("Moving this needs a running notebook")
        .is_visible()
    )
    assert (
        page.locator(".earup-asleep:visible").count() == 1
    )  # player, quiz and blind test need nothing


ANSWER, LATER = "The answer stands here.", "Open to all."


def test_what_follows_a_question_stays_closed_until_the_guess_and_the_guess_is_kept(page):
    question = page.locator(".earup-quiz", has_text="This is my guess")
    deeper = page.get_by_text("More of it.")
    question.get_by_text("What follows is closed until you guess or skip.").wait_for()
    assert not page.get_by_text(ANSWER).is_visible() and not deeper.is_visible()
    assert page.get_by_text(LATER).is_visible()
    assert page.locator(".earup-gate:visible").count() == 0  # the widget has taken its place
    question.get_by_label("About 1", exact=True).check()
    question.get_by_role("button", name="This is my guess").click()
    assert page.get_by_text(ANSWER).is_visible() and deeper.is_visible()
    others = question.locator("details")
    assert others.get_attribute("open") is None  # one sentence about this guess, the others folded
    assert others.locator("p").count() == 3
    page.reload()
    page.locator(".earup-quiz .chosen", has_text="About 1").wait_for()
    assert page.get_by_text(ANSWER).is_visible()


def test_a_skip_opens_too(page):
    page.get_by_role("button", name="Skip", exact=True).click()
    assert page.get_by_text(ANSWER).is_visible()


def test_who_prints_or_asks_for_it_sees_everything(page):
    question = page.locator(".earup-quiz", has_text="This is my guess")
    page.emulate_media(media="print")
    assert page.get_by_text(ANSWER).is_visible()
    page.emulate_media(media="screen")
    assert not page.get_by_text(ANSWER).is_visible()
    box = question.get_by_role("checkbox", name="Show everything at once, on every page")
    box.focus()
    page.keyboard.press("Space")
    assert page.get_by_text(ANSWER).is_visible()
    page.reload()
    box.wait_for()
    assert box.is_checked() and page.get_by_text(ANSWER).is_visible()  # for the next page too
    box.focus()
    page.keyboard.press("Space")
    assert not page.get_by_text(ANSWER).is_visible()


def test_the_answer_is_closed_also_before_the_question_has_loaded(browser, page_file):
    """As on a page whose scripts are late, or never come: a line with a skip stands there."""
    context = browser.new_context()
    page = context.new_page()
    late = "window.IntersectionObserver = class { observe() {} unobserve() {} };"
    page.add_init_script(late)  # nothing comes near the window
    page.goto(page_file.as_uri())
    bar = page.locator(".earup-gate")
    bar.get_by_text("What follows is closed until you guess or skip.").wait_for()
    assert not page.get_by_text(ANSWER).is_visible()
    bar.get_by_role("button", name="Skip the question").click()
    assert page.get_by_text(ANSWER).is_visible()
    page.evaluate("() => window.earup.wakeAll()")
    page.locator(".earup-quiz", has_text="This is my guess").wait_for()
    assert page.get_by_text(ANSWER).is_visible()
    context.close()


def test_a_link_into_a_closed_part_opens_it(page):
    page.locator(".earup-quiz", has_text="This is my guess").wait_for()
    assert not page.get_by_text("More of it.").is_visible()
    page.evaluate("() => { location.hash = '#Deeper'; }")
    page.get_by_text("More of it.").wait_for()


def test_formulas_pictures_and_folded_cells(page):
    page.wait_for_selector("mjx-container svg")
    assert page.locator("img[alt=badge]").evaluate("i => i.naturalWidth") > 20
    setup = page.get_by_text("tones = ")
    assert not setup.is_visible()
    page.locator(".celltag_folded .jp-Cell-inputWrapper").click()
    assert setup.is_visible()


def test_the_browser_gets_every_sample(page, ran):
    """What the player plays is what Python computed, rounded to 16 bits, sample for sample."""
    page.evaluate("""() => {
      const { copyToChannel } = AudioBuffer.prototype;
      window.played = [];
      AudioBuffer.prototype.copyToChannel = function (y, ...rest) {
        window.played.push([...y]);
        return copyToChannel.call(this, y, ...rest);
      };
    }""")
    page.locator(".earup-player").get_by_role("button", name="Play").click()
    page.wait_for_function("() => window.played.length >= 2")
    held = [np.array(y) for y in page.evaluate("() => window.played.slice(0, 2)")]
    page.keyboard.press("Escape")
    t = np.arange(3 * SR) / SR
    for y, (freq, level) in zip(held, TONES.values(), strict=True):
        tone = 10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * freq * t)
        inside = slice(SR // 10, -SR // 10)  # the edges are faded
        assert np.abs(y - tone)[inside].max() <= 2**-16 + 1e-7
        np.testing.assert_array_equal(y[inside] * 2**15, np.round(y[inside] * 2**15))


@pytest.mark.parametrize(("level", "bits"), [(-20.0, 16), (-60.0, 24), (-90.0, 24), (0.0, 16)])
def test_a_sound_is_stored_to_16_bits_or_to_24_where_it_is_quiet(level, bits):
    """By another reader, which says what it finds: the error is at most half a step."""
    rng = np.random.default_rng(0)
    y = np.clip(rng.standard_normal((2, 5000)) * 10 ** (level / 20), -1, 1)
    back, sr = soundfile.read(io.BytesIO(widgets.flac(y, 22_050)), dtype="float64")
    assert (sr, back.shape) == (22_050, (5000, 2))
    step = 2.0 ** (1 - bits)
    assert np.abs(back.T - np.clip(y, -1, 1 - step)).max() <= step / 2 * 1.0001
    silent, _ = soundfile.read(io.BytesIO(widgets.flac(np.zeros((1, 100)), 8000)))
    assert not silent.any()


def test_equal_sounds_and_scripts_are_stored_once(ran):
    """The player and the blind test hold the same two tones."""
    shelf = widgets.Shelf()
    widgets.lift(ran, shelf, "there")
    sounds = [text for text in shelf.scripts.values() if text.startswith('"ZkxhQ')]  # fLaC
    assert len(sounds) == 2
    widgets.lift(ran, shelf, "there")
    assert len([text for text in shelf.scripts.values() if text.startswith('"ZkxhQ')]) == 2


def test_the_page_names_nothing_elsewhere_and_stays_small(page_file):
    html = page_file.read_text(encoding="utf-8")
    named = r"""(?:src|href)="(?:https?:)?//|url\(["']?https?:|import\(["']http"""
    assert re.findall(named, html) == []
    assert not re.search(r"cdnjs|jsdelivr|unpkg", html)
    assert "<title>A page of its own</title>" in html
    assert page_file.stat().st_size < 2.5e6  # of which formulas take 1 MB


@pytest.mark.parametrize(
    ("npm", "told"), [(None, "npm is not installed"), ("exit 1", "npm could not get codemirror")]
)
def test_without_npm_or_network_one_line_says_so(tmp_path, monkeypatch, npm, told):
    if npm and os.name == "nt":
        pytest.skip("the npm of this test is a shell script")
    if npm:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "npm").chmod(0o755)
    monkeypatch.setattr(vendor, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=told) as error:
        vendor.fetch(tmp_path / "there")
    assert "\n" not in str(error.value)


def test_where_python_runs_nothing_says_that_it_does_not(lab_on, notebook_of):
    """The same sentences are hidden in JupyterLab."""
    file = notebook_of(SETUP, STAGE, LIVE, "listening.recorder()")
    lab = lab_on(file)
    page = lab.open(file.name)
    assert lab.run_all() == []
    for widget in (".earup-scene", ".earup-readout", ".earup-recorder"):
        page.wait_for_selector(widget)
    sentences = page.get_by_text("needs a running notebook")
    assert (sentences.count(), [s.is_visible() for s in sentences.all()]) == (3, [False] * 3)
