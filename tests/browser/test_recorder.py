"""The recorder in a real browser with a microphone of known content, joined to the Python side of
the widget.
"""

import numpy as np
import pytest
import soundfile

from helpers import audio, listening

FREQ, AMP = 1000.0, 0.25
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

# Bare pages have no kernel: this carries the messages between the page's model and the Python
# widget.
SENT = """() => window.model.sent.splice(0).map(({content, buffers}) => [content, buffers.map(b => {
  let s = ""; for (const v of new Uint8Array(b)) s += String.fromCharCode(v); return btoa(s); })])"""


@pytest.fixture(scope="module")
def microphone(launch, tmp_path_factory):
    """A browser whose microphone hears a tone of known frequency and level, for ever."""
    path = tmp_path_factory.mktemp("mic") / "tone.wav"
    n = np.arange(48000)
    soundfile.write(path, AMP * np.sin(2 * np.pi * FREQ * n / 48000), 48000, subtype="PCM_16")
    return launch(*FAKE, f"--use-file-for-fake-audio-capture={path}")


@pytest.fixture
def bench(widget_page, microphone, tmp_path, monkeypatch):
    """Mount a recorder in an empty folder: ``page, widget, carry = bench(seconds=2)``."""
    monkeypatch.chdir(tmp_path)
    contexts = []

    def mount(browser=microphone, script="", **options):
        import base64

        widget = listening.recorder(**options)
        context = browser.new_context(viewport={"width": 800, "height": 900})
        context.add_init_script(script)
        contexts.append(context)
        page = widget_page(widget, context=context)
        answers = []
        monkeypatch.setattr(
            widget, "send", lambda content, buffers=(): answers.append((content, buffers))
        )

        def carry():
            """Take the page's messages to Python and the answers back; return the answers."""
            page.wait_for_function("""() => { const { part, parts } = window.model.sent.at(-1)?.content ?? {};
                return parts && part + 1 === parts; }""")
            for content, buffers in page.evaluate(SENT):
                widget._on_message(widget, content, [base64.b64decode(b) for b in buffers])
            page.evaluate("saved => window.model.set('saved', saved)", widget.saved)
            got, answers[:] = list(answers), []
            for content, buffers in got:
                page.evaluate(
                    "([c, b]) => window.model.receive(c, b)",
                    [content, [base64.b64encode(b).decode() for b in buffers]],
                )
            return [content for content, _ in got]

        return page, widget, carry

    yield mount
    for context in contexts:
        context.close()


def record(page, seconds):
    """Press Record, wait until `seconds` are in, press Stop."""
    button = page.get_by_role("button", name="Record")
    button.click()
    page.wait_for_function(
        "() => parseFloat(document.querySelector('.earup-recorder .earup-clock').textContent) >= "
        f"{seconds}"
    )
    page.get_by_role("button", name="Stop").click()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def says(page, text):
    page.wait_for_function(
        "t => document.querySelector('.earup-recorder').innerText.includes(t)", arg=text
    )


def frequency(y, sr):
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    return np.argmax(spectrum) * sr / len(y)


@pytest.mark.parametrize("fallback", [False, True])
def test_a_known_sound_arrives_with_its_rate_length_and_level(bench, fallback):
    script = (
        "AudioWorklet.prototype.addModule = () => Promise.reject(new Error('forbidden'));"
        if fallback
        else ""
    )
    page, widget, carry = bench(script=script, seconds=1.5)
    press(page, "Record")
    says(page, "Recorded 1.50 s")  # it stops by itself
    press(page, "Save")
    assert [answer["kind"] for answer in carry()] == ["saved"]
    says(page, "my_voice.wav holds 1.50 s")
    y, sr = audio.clip("my_voice")
    assert (
        sr
        == page.evaluate("() => document.querySelector('.earup-recorder').__earup.take.sr")
        >= 44100
    )
    assert len(y) == round(1.5 * sr)
    steady = y[sr // 2 :]  # the device needs a moment to start
    assert frequency(steady, sr) == pytest.approx(FREQ, abs=1.5)
    assert 20 * np.log10(np.sqrt(np.mean(steady**2))) == pytest.approx(
        20 * np.log10(AMP / np.sqrt(2)), abs=0.5
    )
    assert soundfile.info(widget.path).subtype == "FLOAT"


def test_the_browser_is_asked_for_the_raw_sound(bench):
    script = """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = c => ((window.asked = c), open(c));"""
    page, _, _ = bench(script=script, seconds=5)
    record(page, 0.3)
    asked = page.evaluate("() => window.asked.audio")
    assert [asked[key] for key in ("echoCancellation", "noiseSuppression", "autoGainControl")] == [
        False
    ] * 3


def test_trimming_by_number_and_by_handle_decides_what_is_saved(bench):
    page, widget, carry = bench(seconds=5)
    record(page, 1.0)
    take = page.evaluate(
        "() => { const { take } = document.querySelector('.earup-recorder').__earup; return "
        "take.y.length / take.sr; }"
    )
    page.get_by_label("Keep from [s]").fill("0.5")
    page.get_by_label("Keep from [s]").press("Tab")
    box = page.locator(".earup-take").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9 / take, box["y"] + 40)
    page.mouse.up()
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    carry()
    y, sr = audio.load(widget.path)
    assert len(y) / sr == pytest.approx(0.4, abs=0.02)


def test_what_was_kept_can_be_heard(bench):
    page, _, _ = bench(seconds=5)
    record(page, 1.2)
    press(page, "Listen")
    page.wait_for_function("""() => { const { analyser } = document.querySelector('.earup-recorder').__earup;
        const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y);
        return Math.abs(Math.sqrt(y.reduce((s, v) => s + v * v, 0) / y.length) - 0.25 / Math.SQRT2) < 0.01; }""")
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Listen").is_visible()


def test_an_older_recording_is_replaced_only_when_asked(bench):
    audio.save("my_voice.wav", np.zeros(800), sr=8000)
    page, widget, carry = bench(seconds=5)
    record(page, 0.3)
    press(page, "Save")
    assert [answer["kind"] for answer in carry()] == ["ask"]
    press(page, "Keep the old one")
    assert audio.load(widget.path)[1] == 8000
    press(page, "Save")
    carry()
    press(page, "Replace the old one")
    assert [answer["kind"] for answer in carry()] == ["saved"]
    assert audio.load(widget.path)[1] != 8000


def test_deleting_needs_two_presses(bench):
    audio.save("my_voice.wav", np.full(800, 0.1), sr=8000)
    page, widget, carry = bench()
    press(page, "Delete")
    assert page.evaluate("() => window.model.sent.length") == 0
    press(page, "Delete my_voice.wav for good")
    assert [answer["kind"] for answer in carry()] == ["deleted"]
    assert not widget.path.exists()
    says(page, "There is no my_voice.wav yet.")


def test_clipping_is_pointed_out(bench, launch, tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(
        path, np.sign(np.sin(2 * np.pi * 200 * np.arange(48000) / 48000)), 48000, subtype="PCM_16"
    )
    page, _, _ = bench(launch(*FAKE, f"--use-file-for-fake-audio-capture={path}"), seconds=5)
    record(page, 0.5)
    says(page, "Too loud: the recording clips.")


def test_a_refused_microphone_is_explained_and_a_file_can_be_chosen(bench, launch):
    browser = launch("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    page, _, carry = bench(browser)
    press(page, "Record")
    says(page, "The microphone is not allowed here.")
    sr, y = 22050, np.full((2205, 2), 0.1)
    soundfile.write("of_mine.flac", y, sr)
    page.locator("input[type=file]").set_input_files("of_mine.flac")
    assert [answer["kind"] for answer in carry()] == ["take"]
    says(page, "of_mine.flac: 0.10 s at 22050 Hz.")
    press(page, "Save")
    carry()
    y, sr = audio.clip("my_voice")
    assert (len(y), sr) == (2205, 22050)
    assert np.abs(y - 0.1).max() < 1e-4


def test_a_page_that_is_not_secure_is_explained(bench):
    page, _, _ = bench(
        script="Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
    )
    press(page, "Record")
    says(page, "only on https or localhost")


def test_a_device_that_is_missing_is_explained(bench):
    page, _, _ = bench(
        script="""navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException('none', 'NotFoundError'));"""
    )
    press(page, "Record")
    says(page, "No microphone was found.")


def test_a_file_that_is_no_sound_is_refused_in_words(bench, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear microphone, how are you today?")
    page, _, carry = bench()
    page.locator("input[type=file]").set_input_files("letter.txt")
    assert [answer["kind"] for answer in carry()] == ["error"]
    says(page, "letter.txt is no audio that can be read: it is text")


def test_a_large_file_travels_in_parts(bench):
    rng = np.random.default_rng(0)
    soundfile.write("long.wav", rng.uniform(-0.5, 0.5, 44100 * 30), 44100, subtype="FLOAT")
    page, widget, carry = bench()
    page.locator("input[type=file]").set_input_files("long.wav")
    carry()
    says(page, "long.wav: 30.00 s at 44100 Hz.")
    press(page, "Save")
    page.wait_for_function("() => window.model.sent.length === 6")  # 5.3 MB
    sizes = page.evaluate("() => window.model.sent.map(m => m.buffers[0].byteLength)")
    assert max(sizes) <= 2**20
    carry()
    np.testing.assert_array_equal(audio.load(widget.path)[0], audio.load("long.wav")[0])


def test_recording_silences_players(bench, widget_page):
    page, _, _ = bench(seconds=5)
    n = np.arange(16000)
    widget_page(listening.player({"A": 0.1 * np.sin(n / 5)}, sr=16000, loop=True), page=page)
    page.locator(".earup-play").click()
    press(page, "Record")
    says(page, "Recording, at most 5 s.")
    assert page.evaluate("() => document.querySelector('.earup-player').__earup.playing") is False
    page.locator(".earup-play").click()  # and a player that starts ends the recording
    says(page, "Recorded")


def test_keys_typed_in_the_recorder_do_not_reach_the_notebook(bench):
    page, _, _ = bench(seconds=5)
    page.evaluate(
        "() => { window.seen = []; document.addEventListener('keydown', e => "
        "window.seen.push(e.key)); }"
    )
    record(page, 0.3)
    page.get_by_label("Keep from [s]").focus()
    for key in ("0", "Enter", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("() => window.seen") == []


def test_a_recorder_taken_out_of_the_page_does_not_fail(bench):
    page, _, _ = bench()  # an exported page renders it before it stands in the page
    page.evaluate(
        "() => { document.querySelector('.earup-recorder').remove(); window.model.set('saved', "
        "{seconds: 1}); }"
    )


KEPT = """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => (window.heard = await open(wish));"""
UNPLUG = """() => { const [track] = window.heard.getAudioTracks();
    track.stop(); track.dispatchEvent(new Event("ended")); }"""


def test_a_microphone_that_goes_away_ends_the_recording(bench):
    """What a browser does when the plug is pulled: the track ends, and nothing more comes."""
    page, _, carry = bench(script=KEPT, seconds=8)
    press(page, "Record")
    page.wait_for_function(
        "() => parseFloat(document.querySelector('.earup-recorder .earup-clock').textContent) >= 1"
    )
    page.evaluate(UNPLUG)
    says(page, "The microphone went away; what it gave until then is kept.")
    press(page, "Save")
    assert [answer["kind"] for answer in carry()] == ["saved"]
    y, sr = audio.clip("my_voice")
    assert 0.9 < len(y) / sr < 4
    assert np.abs(y[-sr // 4 :]).max() > 0.8 * AMP  # the tone, and no silence after it


@pytest.mark.parametrize(
    "script",
    [
        """navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException("", "SecurityError"));""",
        "Document.prototype.__defineGetter__('featurePolicy', () => ({allowsFeature: () => false}));",
    ],
)
def test_a_frame_that_forbids_the_microphone_says_what_helps(bench, script):
    page, _, _ = bench(script=script)
    press(page, "Record")
    says(page, "This page does not let notebooks use a microphone. Open the notebook in a browser")
    says(page, "or choose a sound file")
