"""The experiments in a real browser: what sounds and how loud, keys alone, and simulated
listeners all the way.
"""

import base64
import json
import re

import numpy as np
import pytest

from helpers import experiments
from helpers.experiments.bisection import SimulatedBisector
from helpers.experiments.staircases import SimulatedEar

ISO40 = {
    125: 20.4,
    250: 10.3,
    500: 3.1,
    1000: 0.0,
    2000: -0.8,
    4000: -3.3,
    8000: 11.6,
}  # dB re 1 kHz
QUICK = {"tone_ms": 40, "lead_ms": 0, "gap_ms": 10, "rest_ms": 20}
ROOT = "document.querySelector('.earup-trials').__earup"
PEAK = f"""async () => {{ let peak = 0; const r = {ROOT}, y = new Float32Array(r.analyser.fftSize);
  const look = () => {{ r.analyser.getFloatTimeDomainData(y); y.forEach(v => (peak = Math.max(peak, Math.abs(v)))); }};
  do {{ await new Promise(requestAnimationFrame); look(); }} while (r.playing); return peak; }}"""


@pytest.fixture
def mounted(widget_page, tmp_path, monkeypatch):
    """Mount an experiment in a bare page; ``page.show(screen)`` is what Python would send."""
    monkeypatch.chdir(tmp_path)

    def mount(make, **spec):
        experiment = make(name=None, seed=1)
        experiment.spec = {**experiment.spec, **spec}
        page = widget_page(experiment)
        page.show = lambda screen: page.evaluate("s => model.set('screen', s)", screen)
        page.sent = lambda: page.evaluate("() => model.sent.map(m => m.content)")
        page.experiment = experiment
        return page

    return mount


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def words(page):
    return page.inner_text(".earup-trials")


def heard(page):
    page.wait_for_function(f"() => {ROOT}.ready && !{ROOT}.playing")


def set_volume(page):
    """From anywhere before the widget: play the tone to its end, then start."""
    page.locator(".earup-trials button").first.focus()
    press(page, "r")
    heard(page)
    press(page, "Tab", "Enter")


def trial(*tones, n=1):
    return {"at": "trial", "n": n, "of": 44, "shown": n, "tones": list(tones)}


REFERENCE = {"freq": 1000, "db": -40, "track": "reference", "before": -40}


# ---- how loud ----


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ({"freq": 125, "db": 0.0, "before": 0.0}, -13.6),
        ({"freq": 4000, "db": 12.0, "before": 12.0}, -31.3),
        ({"freq": 125, "db": -14.0, "before": -40.0}, -34.0),
        ({"freq": 250, "db": -30.0, "before": -36.0}, -30.0),
    ],
)
def test_no_request_sounds_louder_than_its_ceiling_or_6_db_above_the_last_one(
    mounted, asked, limit
):
    page = mounted(experiments.equal_loudness)
    set_volume(page)
    page.show(trial(REFERENCE, {"track": "x", **asked}))
    peak = 20 * np.log10(page.evaluate(PEAK))
    assert peak == pytest.approx(limit, abs=0.1)
    assert page.evaluate(f"() => {ROOT}.played") == pytest.approx([-40, limit], abs=0.06)


def test_a_track_climbs_by_6_db_at_most_whatever_python_claims_was_before(mounted):
    page = mounted(experiments.equal_loudness, **QUICK)
    set_volume(page)
    climbed = []
    for n in range(1, 8):
        page.show(
            trial(
                {"freq": 125, "db": 0.0, "before": -40.0 if n == 1 else 0.0, "track": "125"},
                REFERENCE,
                n=n,
            )
        )
        climbed.append(page.evaluate(f"() => {ROOT}.played")[0])
    assert climbed == pytest.approx([-34, -28, -22, -16, -13.6, -13.6, -13.6], abs=0.05)


def test_the_last_limit_holds_even_where_the_table_is_wrong(mounted):
    page = mounted(experiments.equal_loudness, table=[[20000, 40.0, 40.0]])
    set_volume(page)
    page.show(trial({"freq": 500, "db": 30.0, "before": 30.0, "track": "x"}, REFERENCE))
    assert 20 * np.log10(page.evaluate(PEAK)) == pytest.approx(-7.5, abs=0.05)
    for n, db in ((2, None), (3, "loud")):
        page.show(trial({"freq": 500, "db": db, "before": 0, "track": f"y{n}"}, n=n))
        assert page.evaluate(PEAK) < 1e-6 or n == 2  # what still rings in the analyser from before
        assert page.evaluate(f"() => {ROOT}.played[0]") in (None, float("-inf"))


def test_the_volume_is_set_with_the_reference_and_nothing_else(mounted):
    page = mounted(experiments.equal_loudness)
    page.locator(".earup-trials button").first.focus()
    press(page, "Tab", "Enter")
    assert "Play the tone to its end" in words(page) and page.sent() == []
    press(page, "r")
    assert 20 * np.log10(page.evaluate(PEAK)) == pytest.approx(-40, abs=0.1)
    press(page, "Enter")
    assert page.sent() == [{"do": "begin"}]


def test_tones_are_sines_with_raised_cosine_edges_of_20_ms(mounted):
    page = mounted(experiments.equal_loudness)
    made = page.evaluate(f"""() => {{ const s = {{tone_ms: 400, lead_ms: 100, gap_ms: 250}};
        const {{y, starts}} = {ROOT}.sequence([{{freq: 1000, level: -20}}, {{freq: 500, level: -40}}], 48000, s);
        const short = {ROOT}.sequence([{{freq: 1000, level: 0}}], 48000, {{tone_ms: 1, lead_ms: 0, gap_ms: 0}});
        return {{y: [...y], starts, short: short.y.length}}; }}""")
    y, n, edge = np.array(made["y"]), 19_200, 960
    assert made["starts"] == pytest.approx([0.1, 0.75]) and y.size == 36_000 + n
    assert made["short"] == 2 * edge  # a shorter tone would have no room for its edges
    i = np.arange(n)
    envelope = 0.5 - 0.5 * np.cos(np.pi * np.minimum(np.minimum(i, n - 1 - i), edge) / edge)
    for start, freq, amp in ((4800, 1000, 0.1), (36_000, 500, 0.01)):
        np.testing.assert_allclose(
            y[start : start + n], amp * np.sin(2 * np.pi * freq * i / 48_000) * envelope, atol=1e-7
        )
    assert not y[:4800].any() and not y[4800 + n : 36_000].any()


# ---- the trial on the page ----


def test_escape_stops_and_r_plays_again(mounted):
    page = mounted(experiments.equal_loudness)
    set_volume(page)
    page.show(trial(REFERENCE, {"freq": 250, "db": -35.0, "before": -40.0, "track": "250"}))
    assert page.evaluate(f"() => {ROOT}.playing")
    press(page, "Escape")
    assert not page.evaluate(f"() => {ROOT}.playing") and "Stopped. Press r" in words(page)
    press(page, "1")
    assert "Listen to the end first" in words(page) and page.sent()[-1] == {"do": "begin"}
    press(page, "r")
    heard(page)
    press(page, "2")
    assert page.sent()[-1] == {"do": "answer", "n": 1, "answer": 2, "played": [-40, -35]}


def test_levels_and_frequencies_stand_nowhere_on_the_page(mounted):
    page = mounted(experiments.equal_loudness, **QUICK)
    set_volume(page)
    page.show(trial({"freq": 4000, "db": -38.5, "before": -40.0, "track": "4000"}, REFERENCE))
    heard(page)
    html = page.evaluate("() => document.querySelector('.earup-trials').outerHTML")
    assert not re.search(r"38|4000|-40|−40|dB|Hz", html)
    assert sorted(re.findall(r"\d+", words(page))) == ["1", "1", "2", "44"]


def test_without_python_the_page_says_so_in_one_sentence(mounted):
    page = mounted(experiments.equal_loudness, **QUICK)
    set_volume(page)
    page.wait_for_selector("text=Python does not answer: run this cell again")


def test_a_changed_volume_is_told_to_python(mounted):
    page = mounted(experiments.bisect_pitch, **QUICK)
    set_volume(page)
    page.show({"at": "trial", **page.experiment.procedure.trial()})
    page.get_by_role("button", name="I changed the volume").focus()
    press(page, "Enter")
    assert page.sent()[-1] == {"do": "volume"}


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_the_middle_tone_moves_by_arrows_and_page_keys_and_sounds_where_it_stands(mounted, order):
    page = mounted(experiments.bisect_pitch, **QUICK | {"tone_ms": 200})
    set_volume(page)
    screen = {
        "n": 1,
        "of": 6,
        "low": 200,
        "high": 3200,
        "order": order,
        "slider": [250, 2500],
        "start": 1000,
    }
    page.show({"at": "trial", **screen})
    slider = page.get_by_role("slider", name="Middle tone")
    assert page.evaluate("() => document.activeElement.type") == "range"  # the focus waits on it
    start = int(slider.input_value())
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert int(slider.input_value()) == start + 1
    press(page, "PageUp")
    assert int(slider.input_value()) - start > 5
    heard(
        page
    )  # a key has taken `ready` away, and only a sound that comes to its end gives it back
    press(page, "Enter")
    message = page.sent()[-1]
    assert message["answer"] == pytest.approx(
        250 * 10 ** (int(slider.input_value()) / int(slider.get_attribute("max")))
    )
    known = [
        ISO40[125],
        0,
    ]  # levels follow the 40-phon contour: between those of 125 Hz and of 1 kHz
    outer = message["played"][0 if order == "ascending" else 2]
    assert -40 + known[1] < outer < -40 + known[0]
    assert (
        not re.search(r"\d{3}", words(page)) and slider.get_attribute("aria-valuetext") == "listen"
    )


def test_names_roles_and_live_regions(mounted):
    page = mounted(experiments.bisect_pitch, **QUICK)
    assert page.get_by_role("group", name="Bisect the interval").count() == 1
    assert page.locator(".earup-trials [role=status][aria-live=polite]").count() == 1
    set_volume(page)
    page.show({"at": "trial", **page.experiment.procedure.trial()})
    assert page.get_by_role("progressbar", name="Progress").count() == 1
    experiment = page.experiment.simulate()
    page.evaluate(
        "b => { model.state.picture = bytes(b); }", base64.b64encode(experiment.picture).decode()
    )
    page.show(experiment.screen)
    assert page.get_by_role("img", name="A simulated listener, not you.").count() == 1
    assert "Finished." in page.inner_text("[role=status]")


# ---- a whole experiment, in JupyterLab, by keys ----


def opened(lab_on, notebook_of, make, **more):
    lab = lab_on(notebook_of("from helpers import experiments\nx = "
                             f"experiments.{make}(name='mine', seed=1)\n"
                             f"x.spec = {{**x.spec, **{QUICK}}}\nx", "# the next cell"))  # fmt: skip
    page = lab.open("try.ipynb")
    assert lab.run_all() == []
    page.wait_for_selector(".earup-trials")
    set_volume(page)
    return lab, page


def screen_of(lab, page):
    """What Python says, once the page shows it and has played it."""
    screen = json.loads(lab.python("import json; print(json.dumps(x.screen))"))
    if screen["at"] == "trial":
        count = f"{screen['n']} of {screen['of']}"
        page.wait_for_function(
            f"""() => [...document.querySelectorAll(".earup-trials span")].some(s => s.textContent === "{count}")
            && {ROOT}.ready && !{ROOT}.playing"""
        )
    return screen


def started(lab, page):
    page.wait_for_selector(".earup-trials progress")
    return screen_of(lab, page)


def colours_at(page, x, y):
    """Colours of the picture within 4 pixels of a place (the layout may settle by that much when it
    is saved).
    """
    data = page.evaluate(
        """([x, y]) => { const i = document.querySelector(".earup-trials img"), c = document.createElement("canvas");
        c.width = i.naturalWidth, c.height = i.naturalHeight; const g = c.getContext("2d"); g.drawImage(i, 0, 0);
        return [...g.getImageData(x - 4, y - 4, 9, 9).data]; }""",
        [x, y],
    )
    return np.reshape(data, (-1, 4))[:, :3]


def drawn(lab, page):
    """Check that the picture on the page has the learner's colour at each estimate; return the
    estimates.
    """
    page.wait_for_function("() => document.querySelector('.earup-trials img')?.naturalWidth > 0")
    places = json.loads(
        lab.python("""import json, numpy as np
fig = x.figure(); ax = fig.axes[0]
own = [line for line in ax.lines if line.get_marker() == "D"]
at = np.concatenate([np.column_stack([l.get_xdata(), l.get_ydata()]) for l in own]).astype(float)
px = ax.transData.transform(at); px[:, 1] = fig.bbox.height - px[:, 1]
print(json.dumps({"data": at.tolist(), "px": px.round().astype(int).tolist()}))""")
    )
    for x, y in places["px"]:
        apart = np.abs(colours_at(page, x, y) - np.array([0xBE, 0x57, 0x12])).max(axis=1)
        assert np.sum(apart < 20) > 15  # a diamond, not a line that passes
    return np.array(places["data"])


def test_a_simulated_listener_measures_its_contour_through_the_page(lab_on, notebook_of):
    lab, page = opened(lab_on, notebook_of, "equal_loudness")
    ear, screen = SimulatedEar(ISO40.get, noise=1.5, seed=8), started(lab, page)
    for n in range(1, 45):
        assert screen["n"] == n
        press(
            page,
            str(ear.answer(screen))
            if n % 2
            else ["ArrowLeft", "ArrowRight"][ear.answer(screen) - 1],
        )
        page.wait_for_function(
            f"""() => {{ const t = document.querySelector(".earup-trials").innerText;
            return t.includes("{n + 1} of 44") || t.includes("Measure again"); }}"""
        )
        screen = screen_of(lab, page)
    at = drawn(lab, page)
    truth = np.array([ISO40[int(f)] for f in at[:, 0]])
    assert sorted(at[:, 0]) == [125, 1000, 4000] and np.abs(at[:, 1] - truth).max() < 3.5
    said = words(page)
    assert "As loud as 1 kHz" in said and "125 Hz: +" in said and "Saved in ear_mine.csv." in said
    assert len((lab.folder / "ear_mine.csv").read_text().splitlines()) == 46
    assert (
        page.locator(".jp-Cell").count() == 2 and page.locator(".jp-CodeCell").count() == 2
    )  # keys stayed here
    assert not lab.errors


def test_a_simulated_listener_bisects_through_the_page_and_goes_on_after_a_restart(
    lab_on, notebook_of
):
    lab, page = opened(lab_on, notebook_of, "bisect_pitch")
    listener, screen = (
        SimulatedBisector("ERB-rate", noise=0.3, hysteresis=0.5, seed=8),
        started(lab, page),
    )
    for n in range(1, 7):
        if n == 4:  # the kernel is lost: the cell runs again and goes on
            lab.restart()
            assert lab.run_all() == []
            page.wait_for_selector("text=Go on at 4 of 6")
            set_volume(page)
            screen = started(lab, page)
        assert screen["n"] == n
        low, high = screen["slider"]
        slider = page.get_by_role("slider", name="Middle tone")
        slider.focus()
        ends = int(slider.get_attribute("max"))
        wanted = round(ends * np.log(listener.answer(screen) / low) / np.log(high / low))
        while (value := int(slider.input_value())) != wanted:
            far = abs(wanted - value) > ends / 10 + 1
            press(
                page,
                {(1, 1): "PageUp", (0, 1): "PageDown", (1, 0): "ArrowRight", (0, 0): "ArrowLeft"}[
                    wanted > value, far
                ],
            )
        heard(page)
        press(page, "Enter")
        page.wait_for_function(
            f"""() => {{ const t = document.querySelector(".earup-trials").innerText;
            return t.includes("{n + 1} of 6") || t.includes("Measure again"); }}"""
        )
        screen = screen_of(lab, page)
    at = drawn(lab, page)
    assert (
        np.abs(at[:, 1] - [4.8, 3.6, 1.8]).max() < 0.8
    )  # semitones above the octave middle, on the ERB-rate scale
    assert "These middles lie where ERB-rate puts them." in words(page)
    assert not lab.errors


# ---- noise that Python makes ----


SILENT = f"""() => {{ const a = {ROOT}.analyser, y = new Float32Array(a.fftSize);
  a.getFloatTimeDomainData(y); return y.every(v => v === 0); }}"""


def show_sound(page, y, n):
    """Send a trial whose sound is `y`, as Python does, once the one before has died away."""
    page.wait_for_function(SILENT)
    raw = base64.b64encode(y.astype(np.float32).tobytes()).decode()
    screen = {"at": "trial", "shown": n, **page.experiment.procedure.trial(), "n": n}
    page.evaluate(
        "([raw, screen]) => { model.set('sound', bytes(raw)); model.set('screen', screen); }",
        [raw, screen],
    )


def test_noise_sounds_as_it_came_is_answered_by_keys_and_never_too_loud(mounted):
    page = mounted(experiments.tone_in_noise)
    set_volume(page)
    y = page.experiment.procedure.sound()
    show_sound(page, y, 1)
    assert page.evaluate(PEAK) == pytest.approx(np.abs(y).max(), rel=0.05)
    heard(page)
    press(page, "2")
    assert page.sent()[-1] == {"do": "answer", "n": 1, "answer": 2, "played": []}
    show_sound(page, 20 * y, 2)  # past the last limit
    assert page.evaluate(PEAK) == 0
    show_sound(page, y * np.nan, 3)
    assert page.evaluate(PEAK) == 0
    assert page.errors == []


def test_an_early_answer_to_noise_does_not_count(mounted):
    page = mounted(experiments.tone_in_noise)
    set_volume(page)
    show_sound(page, page.experiment.procedure.sound(), 1)
    press(page, "1")
    assert [m["do"] for m in page.sent()] == ["begin"]
    assert "Listen to the end first" in words(page)
