"""The talk-back in a real browser, with a microphone of known content: late, capped, muted, stopped
by Escape.
"""

import numpy as np
import pytest
import soundfile

from helpers import listening
from tests.browser.sweep import SHOTS
from tests.browser.test_recorder import FAKE

SR = 48000
STATE = "document.querySelector('.earup-talkback').__earup"
# rms and peak of what leaves, and its level where it was loudest
LEAVES = f"""() => {{ const y = new Float32Array(8192); {STATE}.nodes.out.analyser.getFloatTimeDomainData(y);
  return [Math.sqrt(y.reduce((s, v) => s + v * v, 0) / y.length), Math.max(...y.map(Math.abs))]; }}"""


@pytest.fixture
def talk(widget_page, launch, tmp_path):
    """Mount a talk-back before a microphone that hears `y`: ``page = talk(y)``."""
    contexts = []

    def mount(y=None, *, flags=FAKE, script="", **options):
        if y is not None:
            soundfile.write(tmp_path / "mic.wav", y, SR, subtype="PCM_16")
            flags = (*flags, f"--use-file-for-fake-audio-capture={tmp_path / 'mic.wav'}")
        context = launch(*flags).new_context(viewport={"width": 820, "height": 700})
        context.add_init_script(script)
        contexts.append(context)
        return widget_page(listening.talkback(**options), context=context)

    yield mount
    for context in contexts:
        context.close()


def tone(amp, hz=1000.0):
    """One second of a tone; the fake microphone repeats it."""
    return amp * np.sin(2 * np.pi * hz * np.arange(SR) / SR)


def says(page, text):
    page.wait_for_function(
        "t => document.querySelector('.earup-talkback').innerText.includes(t)", arg=text
    )


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def begin(page):
    """By keyboard: open, say that headphones are on, unmute."""
    button(page, "Open the microphone, muted").press("Enter")
    says(page, "Open and muted.")
    page.get_by_label("I wear headphones").press("Space")
    button(page, "Unmute").press("Enter")
    says(page, "You hear yourself.")


def test_it_starts_muted_and_needs_headphones_to_be_heard(talk):
    page = talk(tone(0.2))
    assert button(page, "Unmute").is_disabled()
    button(page, "Open the microphone, muted").press("Enter")
    says(page, "Open and muted.")
    assert button(page, "Unmute").is_disabled()
    page.wait_for_function(
        "() => Number(document.querySelector('[role=meter]').getAttribute('aria-valuenow')) > -30"
    )
    assert page.evaluate(LEAVES) == [0, 0]
    page.get_by_label("I wear headphones").press("Space")
    button(page, "Unmute").press("Enter")
    wanted = 0.2 / np.sqrt(2) * 10 ** (-12 / 20)
    page.wait_for_function(f"wanted => Math.abs(({LEAVES})()[0] / wanted - 1) < 0.03", arg=wanted)
    page.keyboard.press("m")
    says(page, "Muted.")
    page.wait_for_function(f"() => ({LEAVES})()[1] === 0")


def test_it_comes_back_as_late_as_chosen_and_the_browsers_own_delay_is_added(talk):
    """The delay line is asked by a click of its own: what goes in now leaves so many samples
    later.
    """
    page = talk(np.zeros(SR), delay_ms=100)
    begin(page)
    page.get_by_label("Delay").press("ArrowRight")
    says(page, "110 ms chosen")
    page.wait_for_function(f"() => Math.abs({STATE}.nodes.delay.delayTime.value - 0.110) < 1e-5")
    own = page.evaluate(f"() => 1000 * ({STATE}.ctx.baseLatency + {STATE}.ctx.outputLatency)")
    assert own > 0
    text = page.locator(".earup-sum").inner_text()
    assert "from the browser to the headphones, as it says itself" in text
    parts = [int(word) for word in text.replace(".", " ").split() if word.isdigit()]
    assert parts[0] == 110 and parts[-1] == pytest.approx(sum(parts[:-1]), abs=1)
    lag = page.evaluate(f"""async () => {{ const {{ ctx, nodes }} = {STATE};
      const offline = new OfflineAudioContext(1, 16000, 48000);
      const click = new AudioBuffer({{ length: 1, sampleRate: 48000 }}); click.getChannelData(0)[0] = 1;
      const source = new AudioBufferSourceNode(offline, {{ buffer: click }});
      const line = new DelayNode(offline, {{ maxDelayTime: 0.25, delayTime: nodes.delay.delayTime.value }});
      source.connect(line).connect(offline.destination);
      source.start(); const y = (await offline.startRendering()).getChannelData(0);
      return y.indexOf(Math.max(...y)) / 48; }}""")
    assert lag == pytest.approx(110, abs=0.05)


def test_nothing_leaves_above_the_cap_and_what_is_cut_for_a_second_is_muted(talk):
    page = talk(tone(0.9))
    begin(page)
    page.evaluate(f"""() => {{ window.highest = 0; const look = () => {{ if (!{STATE}.nodes) return;
      window.highest = Math.max(window.highest, ({LEAVES})()[1]); setTimeout(look, 20); }}; look(); }}""")
    says(page, "It was above the cap for a second. Muted.")
    assert page.evaluate("() => window.highest") == pytest.approx(0.1, rel=1e-5)
    page.wait_for_function(f"() => ({LEAVES})()[1] === 0")
    assert page.evaluate(f"() => {STATE}.muted")


def test_a_tone_that_swells_is_muted_as_a_howl(talk):
    n = np.arange(3 * SR)
    page = talk(0.004 * 10 ** (8 * n / SR / 20) * np.sin(2 * np.pi * 800 * n / SR))
    begin(page)
    says(page, "It began to howl")
    page.wait_for_function(f"() => ({LEAVES})()[1] === 0")
    button(page, "Unmute").press("Enter")  # it can be tried again
    says(page, "You hear yourself.")


def test_escape_and_another_sound_end_it(talk, widget_page):
    page = talk(tone(0.1))
    begin(page)
    page.keyboard.press("Escape")
    says(page, "Closed.")
    assert page.evaluate(f"() => {STATE}.nodes === null && {STATE}.muted")
    button(page, "Open the microphone, muted").press("Enter")
    says(page, "Open and muted.")  # muted again
    widget_page(listening.player({"A": 0.1 * np.sin(np.arange(16000) / 5)}, sr=16000), page=page)
    page.locator(".earup-play").click()
    says(page, "Closed.")


def test_a_refused_or_missing_microphone_is_explained(talk):
    page = talk(flags=("--use-fake-device-for-media-stream", "--deny-permission-prompts"))
    button(page, "Open the microphone, muted").click()
    says(page, "The microphone is not allowed here. Allow it in the browser (beside the address).")
    script = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));"""
    page = talk(flags=FAKE, script=script)
    button(page, "Open the microphone, muted").click()
    says(page, "No microphone was found. Connect one.")
    assert button(page, "Unmute").is_disabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_looked_at(talk, launch, widget_page, theme):
    context = launch(*FAKE).new_context(viewport={"width": 820, "height": 420})
    page = widget_page(listening.talkback(), context=context, theme=theme)
    begin(page)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SHOTS / f"talkback_{theme}.png"))
    context.close()
