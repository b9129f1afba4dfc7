"""Blind tests in a real browser, by keyboard alone: what sounds behind X, what the page tells and
keeps back.
"""

import re

import numpy as np
import pytest

from helpers.listening import blind

SR = 16_000
TONES = {"low": 500.0, "high": 1250.0, "highest": 2500.0}  # Hz


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EARUP_RESULTS", raising=False)


def tone(freq, amp=0.1):
    return amp * np.sin(2 * np.pi * freq * np.arange(SR) / SR)


def two(n_trials=5, **changed):
    sounds = {name: tone(TONES[name]) for name in ("low", "high")}
    return blind.blind_test("abx", sounds, sr=SR, n_trials=n_trials, match="rms", **changed)


def start(page, button="Start"):
    """Press the first button of the page by keyboard and wait for the first trial."""
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent").startswith(button)
    page.keyboard.press("Enter")
    page.wait_for_selector("form")


def read(page):
    """Wait until what is heard has filled the analyser (0.51 s); return its samples."""
    page.evaluate("() => { const { ctx } = root(); window.from = ctx.currentTime; }")
    page.wait_for_function(
        "() => root().deck.playing && root().ctx.currentTime > window.from + 0.6"
    )
    return np.array(
        page.evaluate("""() => { const { analyser } = root(), y = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(y); return [...y]; }""")
    )


def name_of(y):
    freq = np.argmax(np.abs(np.fft.rfft(y * np.hanning(y.size)))) * SR / y.size
    return min(TONES, key=lambda name: abs(TONES[name] - freq))


def heard(page, key):
    page.keyboard.press(key)
    return name_of(read(page))


@pytest.fixture
def mounted(widget_page):
    """Mount a test and give the page a short name for what it exposes to tests."""

    def mount(test, **options):
        page = widget_page(test, **options)
        page.evaluate(
            "() => { window.root = () => document.querySelector('.earup-blind').__earup; }"
        )
        return page

    return mount


def body(page):
    return page.inner_text(".earup-blind")


# ---- ABX ----


def test_a_whole_abx_by_keyboard_with_x_known_by_its_sound(mounted, tmp_path):
    test = two(name="tones")
    page = mounted(test)
    start(page)
    for trial in range(5):
        assert f"Trial {trial + 1} of 5" in body(page)
        assert (heard(page, "a"), heard(page, "b")) == ("low", "high") or trial
        page.keyboard.press("1" if heard(page, "x") == "low" else "2")
        assert not re.search(r"right|correct|p =|\d of 5 (answers|were)", body(page))
        page.keyboard.press("Enter")
        page.wait_for_function(f"() => model.get('answers').length === {trial + 1}")
    assert "5 of 5 right" in body(page) and "p = 0.031" in body(page)
    test.answers = page.evaluate("() => model.get('answers')")  # what the kernel would receive
    assert (
        test.result == test.verdicts[5]
        and len((tmp_path / "blind_tones.csv").read_text().splitlines()) == 7
    )


def test_a_wrong_answer_counts_as_wrong(mounted):
    page = mounted(two())
    start(page)
    for trial in range(5):
        page.keyboard.press("2" if heard(page, "x") == "low" else "1")
        page.keyboard.press("Enter")
        page.wait_for_function(f"() => model.get('answers').length === {trial + 1}")
    assert "0 of 5 right" in body(page)


def test_the_page_looks_the_same_whatever_x_is(mounted):
    pages = {}
    while len(pages) < 2:  # a new page draws a new X
        page = mounted(two())
        start(page)
        x = heard(page, "x")
        page.evaluate(
            "() => document.querySelector('.earup-warn').remove()"
        )  # may tell of a slow machine
        pages[x] = page.evaluate("() => document.documentElement.outerHTML")
        assert not page.evaluate("() => JSON.stringify(model.get('answers')).includes('x')")
    assert len(set(pages.values())) == 1


def test_x_varies_from_trial_to_trial(mounted):
    page = mounted(two(n_trials=40))
    start(page)
    for _ in range(40):
        for key in ("x", "1", "Enter"):
            page.keyboard.press(key)
    truth = [row["x"] for row in page.evaluate("() => model.get('answers')")]
    assert len(truth) == 40 and 6 <= truth.count("A") <= 34  # outside once in 100,000 runs


def test_switching_between_equal_tracks_changes_nothing(mounted):
    page = mounted(blind.blind_test("abx", {"one": tone(500), "two": tone(500)}, sr=SR, n_trials=5))
    start(page)
    page.keyboard.press("a")
    levels = []
    for keys in ("bx", "ab", "xa"):
        page.wait_for_function(
            "() => root().ctx && root().deck.playing && root().deck.position > 0.1 && "
            "root().deck.position < 0.35"
        )
        for key in keys:
            page.keyboard.press(key)
        y = read(page)
        loud = np.sqrt(np.convolve(y**2, np.ones(160) / 160, "valid"))  # 10 ms: five periods
        levels.append(20 * np.log10(loud / (0.1 / np.sqrt(2))))
    # a loop's seam fades to nothing; elsewhere no switch may rise above the level of the tone
    assert max(level.max() for level in levels) < 0.05
    assert all(np.mean(np.abs(level) < 0.05) > 0.85 for level in levels)


def test_confirming_needs_x_heard_and_an_answer(mounted):
    page = mounted(two())
    start(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert "Listen to X first" in body(page)
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    assert "Trial 2 of 5" in body(page)
    page.keyboard.press("x")
    page.get_by_role("button", name="Confirm").click()
    assert "Choose" in body(page) and len(page.evaluate("() => model.get('answers')")) == 1


def test_escape_silences_and_a_key_sounds_again(mounted):
    page = mounted(two())
    start(page)
    heard(page, "x")
    page.keyboard.press("Escape")
    assert page.evaluate("() => root().deck.playing") is False
    page.wait_for_function("""() => { const { analyser } = root(), y = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(y); return y.every(v => Math.abs(v) < 1e-6); }""")
    assert heard(page, "a") == "low"


def test_keys_act_only_inside_and_never_reach_the_notebook(mounted):
    page = mounted(two())
    start(page)
    page.evaluate("""() => { window.keys = [];
        document.addEventListener('keydown', e => window.keys.push(e.key), true); }""")
    for key in ("a", "x", "1", "ArrowUp", "q", "Shift+Enter"):
        page.keyboard.press(key)
    assert page.evaluate("() => window.keys") == [
        "Shift",
        "Enter",
    ]  # Shift+Enter still runs the cell
    page.evaluate("() => { root().deck.stop(); document.activeElement.blur(); window.keys = []; }")
    page.keyboard.press("x")
    assert (
        page.evaluate("() => window.keys") == ["x"]
        and page.evaluate("() => root().deck.playing") is False
    )


def test_a_started_test_goes_on_and_a_finished_one_shows_its_result(mounted, tmp_path):
    test = two(name="go")
    for n in range(3):
        test.answers = [*test.answers, {"trial": n + 1, "x": "A", "answer": "A"}]
    page = mounted(two(name="go"))
    start(page, "Go on at 4 of 5")
    for key in ("x", "1", "Enter", "x", "1", "Enter"):
        page.keyboard.press(key)
    test.answers = page.evaluate("() => model.get('answers')")
    assert [row["trial"] for row in test.answers] == [1, 2, 3, 4, 5]
    again = mounted(two(name="go"))
    assert f"{sum(r['x'] == r['answer'] for r in test.answers)} of 5 right" in body(again)
    assert "Saved in blind_go.csv." in body(again)
    again.get_by_role("button", name="Take it again").click()
    assert "Start" in body(again) and again.evaluate("() => model.get('answers')") == []


def test_without_a_kernel_the_page_says_that_nothing_is_saved(mounted):
    page = mounted(two(name="alone"))
    start(page)
    for key in ("x", "1", "Enter") * 5:
        page.keyboard.press(key)
    assert "of 5 right" in body(page) and "Not saved: no running kernel" in body(page)


def test_playback_check_measures_what_the_sound_clock_lost(mounted):
    page = mounted(two())
    start(page)
    bursts = [
        [50 * i, 0.03 * int(50 * i / 30)] for i in range(20)
    ]  # a healthy clock that moves on every 30 ms
    lost = [[t, c - (0.06 if t > 500 else 0)] for t, c in bursts]
    assert abs(page.evaluate("s => root().lag(s)", bursts)) <= 20
    assert page.evaluate("s => root().lag(s)", lost) == pytest.approx(60, abs=20)
    says = [
        page.evaluate(
            "f => root().playbackWarning(f)", {"state": state, "lost": lost, "delay": delay}
        )
        for state, lost, delay in [
            ("running", 3, 40),
            ("running", 55, 40),
            ("running", 0, 220),
            ("suspended", 0, 0),
        ]
    ]
    assert (
        says[0] is None
        and "lost 55 ms" in says[1]
        and "220 ms later" in says[2]
        and "not started" in says[3]
    )


# ---- ranking and MUSHRA ----


def test_a_ranking_by_keyboard(mounted):
    test = blind.blind_test(
        "rank", {name: tone(freq) for name, freq in TONES.items()}, sr=SR, match="rms"
    )
    page = mounted(test)
    start(page)
    assert not any(name in body(page) for name in TONES)
    for target, name in enumerate(
        sorted(TONES, key=TONES.get, reverse=True)
    ):  # the highest tone to the top, and so on
        row = next(row for row in range(target, 3) if heard(page, str(row + 1)) == name)
        for _ in range(row - target):
            page.keyboard.press("ArrowUp")
    confirm(page, "123")
    test.answers = page.evaluate("() => model.get('answers')")
    assert test.order == ["highest", "high", "low"] and "low (you heard it as" in body(page)


def confirm(page, rows):
    for key in rows:
        page.keyboard.press(key)
    while page.evaluate("() => document.activeElement.textContent") != "Confirm":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Your order")


def test_letters_do_not_follow_the_order_in_which_tracks_were_given(mounted):
    names = [f"tone {i}" for i in range(8)]
    page = mounted(
        blind.blind_test("rank", {name: tone(400 + 100 * i) for i, name in enumerate(names)}, sr=SR)
    )
    start(page)
    confirm(page, "12345678")
    rows = page.evaluate("() => model.get('answers')")
    assert [row["letter"] for row in rows] == list("ABCDEFGH")
    assert (
        sorted(row["track"] for row in rows) == names != [row["track"] for row in rows]
    )  # 1 in 8! by chance


def test_a_mushra_by_keyboard_where_each_slider_belongs_to_its_sound(mounted):
    one = {
        "reference": tone(TONES["low"]),
        "dull": tone(TONES["high"]),
        "sharp": tone(TONES["highest"]),
    }
    test = blind.blind_test("mushra", {f"clip{i}": one for i in range(6)}, sr=SR, match="rms")
    page = mounted(test)
    start(page)
    points = {"low": 40, "high": -20, "highest": 5}
    sounds = []
    for item in range(6):
        assert (
            f"Item {item + 1} of 6" in body(page)
            and "anchor" not in body(page)
            and "dull" not in body(page)
        )
        if not item:
            assert heard(page, "0") == "low"  # the open reference
        for key in "12345":
            name = heard(page, key) if not item else page.keyboard.press(key)
            sounds.append(name)
            step = points.get(name, 1)
            for _ in range(abs(step)):
                page.keyboard.press("ArrowRight" if step > 0 else "ArrowLeft")
        page.keyboard.press("Enter")
        page.wait_for_function(f"() => model.get('answers').length === {5 * (item + 1)}")
    assert "reference" in body(page) and "need a running kernel" in body(page)
    test.answers = page.evaluate("() => model.get('answers')")
    first = {row["condition"]: row["rating"] for row in test.answers[:5]}
    assert first == {"reference": 90, "low anchor": 90, "mid anchor": 90, "dull": 30, "sharp": 55}
    assert "hidden reference" in test.report
    orders = {tuple(r["condition"] for r in test.answers[5 * i : 5 * i + 5]) for i in range(6)}
    assert len(orders) > 1  # drawn anew for every item: all equal once in 10**10 runs
    page.evaluate("text => model.set('report', text)", test.report)
    assert "hidden reference" in body(page)


def test_a_rating_may_not_be_skipped(mounted):
    one = {"reference": tone(500), "dull": tone(900), "sharp": tone(1500)}
    page = mounted(
        blind.blind_test("mushra", {f"clip{i}": one for i in range(6)}, sr=SR, match=None)
    )
    start(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert "Rate A first" in body(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "Listen to B first" in body(page) and "51, fair" in body(page)


# ---- for everybody ----


@pytest.mark.parametrize("kind", ["abx", "rank", "mushra"])
def test_every_control_has_a_name_and_the_page_fits(mounted, kind):
    one = {"reference": tone(500), "dull": tone(900), "sharp": tone(1500)}
    sounds = {
        "abx": {"a": one["dull"], "b": one["sharp"]},
        "rank": one,
        "mushra": {f"clip{i}": one for i in range(6)},
    }
    page = mounted(blind.blind_test(kind, sounds[kind], sr=SR), width=800)
    start(page)
    unnamed = page.evaluate("""() => [...document.querySelectorAll('.earup-blind :is(button, input)')].filter(n =>
        !(n.getAttribute('aria-label') || n.textContent || n.labels?.[0]?.textContent)).length""")
    assert unnamed == 0 and page.locator("[role=status][aria-live=polite]").count() == 1
    box = page.locator(".earup-blind")
    assert box.evaluate("n => n.scrollWidth <= n.clientWidth")


def test_a_widget_that_goes_takes_its_sound_and_its_keys_along(mounted):
    page = mounted(two())
    start(page)
    page.keyboard.press("a")
    page.evaluate("() => { window.kept = root(); mounted[0].dispose(); }")
    assert page.evaluate("() => window.kept.deck.playing") is False
    page.keyboard.press("a")
    assert page.evaluate("() => window.kept.deck.playing") is False


# ---- in JupyterLab, with a kernel ----


def test_in_jupyterlab_answers_are_saved_and_survive_a_restart_of_the_kernel(lab_on, notebook_of):
    cells = (
        "import numpy as np\nfrom helpers import listening\ny = 0.1 * np.sin(np.arange(16000) / 5)",
        'test = listening.blind_test("abx", {"one": y, "two": y}, sr=16000, name="lab", '
        "n_trials=5)\ntest",
    )
    lab = lab_on(notebook_of(*cells))
    page = lab.open("try.ipynb")
    assert lab.run_all() == []
    page.wait_for_selector(".earup-blind")
    n_cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")

    def take(n, button):
        page.locator(".earup-main", has_text=button).click()
        page.wait_for_selector(".earup-blind form")
        for _ in range(n):
            for key in (
                "a",
                "b",
                "x",
                "1",
                "Enter",
            ):  # in command mode x cuts a cell, a and b add one, Enter edits
                page.keyboard.press(key)

    take(3, "Start")
    page.wait_for_selector("text=Saved in blind_lab.csv.")
    assert (
        page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
        == n_cells
    )
    rows = (lab.folder / "blind_lab.csv").read_text().splitlines()
    assert len(rows) == 5 and lab.python("print(test.result)").startswith("3 of 5 trials answered")
    lab.restart()
    assert lab.run_all() == []
    page.wait_for_selector("text=Go on at 4 of 5")
    take(2, "Go on at 4 of 5")
    page.wait_for_selector("text=of 5 right")
    page.wait_for_selector("text=Saved in blind_lab.csv.")
    assert (lab.folder / "blind_lab.csv").read_text().splitlines()[:5] == rows
    assert lab.python("print(test.result)").split("\n")[0] in body(page)
    assert not lab.errors
