"""Setting 1 in a page: the same sound as from torch, rain by a slider, and a visitor's own voice."""

import functools
import http.server
import os
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers import audio, metrics, settings
from tests.browser.conftest import FAKE_MICROPHONE
from tools import notebooks
from tools.site import building, enhancer, widgets

pytestmark = pytest.mark.browser
ROOT = notebooks.ROOT
STATIC = building.HERE / "static"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page that holds the enhancer and nothing else, on a server of its own."""
    folder = tmp_path_factory.mktemp("enhancer")
    shelf = widgets.Shelf()
    place = enhancer.place(shelf)
    shelf.write(folder / "widgets")
    (folder / "widgets.js").write_bytes((STATIC / "widgets.js").read_bytes())
    head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>x</title>'
    script = '<script src="widgets.js"></script>'
    (folder / "index.html").write_text(f"{head}{script}<main>{place}</main>", encoding="utf-8")
    handler = type(
        "Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *a: None}
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def page(address, launch):
    """The page, in a browser whose microphone hears a tone; at the end nothing went wrong."""
    browser = launch(*FAKE_MICROPHONE)
    context = browser.new_context()
    page = context.new_page()
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.locator(".earup-enhancer").wait_for()
    page.asked = asked
    yield page
    context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


def noisy(name="arctic_slt", snr_db=5.0):
    """A clip in the rain, as the course mixes it."""
    voice, _ = audio.clip(name)
    rain, _ = audio.clip("rain")
    return audio.mix(voice, rain, snr_db=snr_db).astype(np.float32)


def far(ours, theirs):
    """How far two sounds are apart, re the norm of the second."""
    return np.linalg.norm(np.asarray(ours) - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize(
    ("length", "gain"), [(49_520, 1.0), (16_001, 1.0), (5_000, 0.01), (700, 30.0)]
)
def test_the_page_makes_what_torch_makes(page, length, gain):
    """Whole clips, odd lengths, a sound so quiet that it is brought to another level, a short one."""
    y = (gain * noisy()[:length]).clip(-0.5, 0.5)
    ask = """y => document.querySelector(".earup-enhancer").__earup
      .ask(Float32Array.from(y), () => {}).then((out) => [...out])"""
    ours = page.evaluate(ask, y.tolist())
    theirs = settings.load("setting1_stft").enhance(y, sr=16000)
    assert len(ours) == length
    assert far(ours, theirs) < 1e-4


def tracks(page):
    """What the page plays: noisy, enhanced, clean."""
    page.get_by_text("here in the page").wait_for(timeout=120_000)
    read = """() => document.querySelector(".earup-enhancer").__earup.tracks.map((y) => [...y])"""
    return [np.array(y) for y in page.evaluate(read)]


def weights(asked):
    """The addresses of the weights among those that a page has asked for."""
    shelf = widgets.Shelf()
    key = shelf.put(enhancer.weights())
    return [url for url in asked if url.endswith(f"{key}.js")]


def test_play_loads_the_weights_and_the_slider_rains(page):
    assert weights(page.asked) == []  # nothing comes before it is asked for
    play = page.get_by_role("button", name="Play")
    play.click()
    page.wait_for_function("() => document.querySelector('.earup-enhancer').__earup.playing")
    y, enhanced, clean = tracks(page)
    assert len(weights(page.asked)) == 1
    assert far(y, noisy()) < 1e-3  # the clips came as 16 bits
    theirs = settings.load("setting1_stft").enhance(y.astype(np.float32), sr=16000)
    assert far(enhanced, theirs) < 1e-3
    assert np.abs(enhanced).max() <= np.abs(y).max() + 1e-7
    page.locator(".earup-enhancer label", has_text="Setting 1").click()
    heard = """() => { const { analyser } = document.querySelector(".earup-enhancer").__earup;
      const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y);
      return Math.max(...y.map(Math.abs)) > 0.01; }"""
    page.wait_for_function(heard)
    page.get_by_role("slider", name="Rain").fill("5")
    page.wait_for_function(
        "was => document.querySelector('.earup-enhancer').__earup.tracks[0][9000] !== was",
        arg=y[9000],
    )
    louder, less, _ = tracks(page)
    assert metrics.level_db(louder - clean) == pytest.approx(metrics.level_db(clean) + 5, abs=0.05)
    assert np.abs(less).max() <= np.abs(louder).max() + 1e-7
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-enhancer').__earup.playing")
    assert play.inner_text() == "Play"


def test_a_visitor_speaks(page):
    page.get_by_role("button", name="Speak yourself").click()
    page.get_by_text(" of 8 s, peak").wait_for()
    page.wait_for_function(
        "() => parseFloat(document.querySelector('.earup-enhancer .earup-live').textContent) > 1.2"
    )
    page.get_by_role("button", name="Stop").click()
    _, enhanced, mine = tracks(page)
    assert page.locator(".earup-enhancer select").input_value() == "your voice"
    assert len(mine) > 16_000 and np.std(mine) <= 0.0501 and np.abs(mine).max() <= 0.2501
    assert len(enhanced) == len(mine)


def test_without_a_microphone_one_line_says_so(page):
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = undefined; }")
    page.get_by_role("button", name="Speak yourself").click()
    page.get_by_text("only on https or localhost pages").wait_for()
    page.get_by_text("or take a voice from the list").wait_for()


def test_the_weights_are_the_file(tmp_path):
    """Plain numbers, in the order that is stated."""
    import base64
    import zlib

    made = enhancer.weights()
    raw = np.frombuffer(zlib.decompress(base64.b64decode(made["packed"])), "<f4")
    tensors = load_file(ROOT / "data" / "weights" / "setting1_stft.safetensors")
    at = 0
    for name, count in made["layout"]:
        np.testing.assert_array_equal(raw[at : at + count], tensors[name].ravel())
        at += count
    assert at == raw.size == 102_593
    assert len(made["packed"]) < 600_000


@pytest.mark.skipif(os.environ.get("EARUP_NIGHTLY") != "1", reason="measures a machine: nightly")
def test_how_long_it_takes_where_the_processor_is_six_times_slower(page):
    """Told, and held under twice the clip's length: a phone is about so slow."""
    page.evaluate("text => window.eval(text)", (enhancer.HERE / "network.js").read_text())
    wire = page.context.new_cdp_session(page)
    for rate in (1, 6):
        wire.send("Emulation.setCPUThrottlingRate", {"rate": rate})
        seconds = page.evaluate(MEASURE, [noisy().tolist(), shelf_key(enhancer.weights())])
        print(f"throttled {rate}x: {seconds / (49_520 / 16_000):.2f} s for each second of sound")
    assert seconds < 2 * 49_520 / 16_000


MEASURE = """async ([y, key]) => {
  const { config, layout, packed } = await earup.need(key);
  const raw = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  const all = new Float32Array(await new Response(stream).arrayBuffer()), tensors = {};
  let at = 0;
  for (const [name, count] of layout) tensors[name] = all.slice(at, (at += count));
  const network = makeNetwork({ config, tensors }), sound = Float32Array.from(y);
  await enhance(network, sound.slice(0, 8000));
  const begun = performance.now();
  await enhance(network, sound);
  return (performance.now() - begun) / 1000;
}"""


def shelf_key(value):
    return widgets.Shelf().put(value)
