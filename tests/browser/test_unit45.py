"""Unit 45 in a real JupyterLab: a coffee is ordered by microphone and answered by voice, and turns
are laid over a meeting until the error rate is low.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers import audio
from tests.browser.conftest import FAKE_MICROPHONE
from tests.browser.scenes import says, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "notebooks" / "45_assistant.ipynb"
NEEDED = {"setup", "assistant", "live"}


def scene():
    """Two seconds of a room, the wake word and an order by machine voices, and the room again."""

    def cut(name, chosen):
        y, _ = audio.load(audio.DATA / "words" / f"{name}.flac")
        row = next(row for row in audio.table(name) if chosen(row))
        return y[int(row["start"]) : int(row["stop"])]

    call = cut("commands", lambda row: (row["word"], row["take"]) == ("computer", "1"))
    order = cut("orders", lambda row: row["text"].startswith("can i get a large mocha"))
    parts = [np.zeros(32000), call, np.zeros(8000), order, np.zeros(40 * 16000)]
    y = np.concatenate(parts)
    return y + 1e-4 * np.random.default_rng(0).standard_normal(len(y))


@pytest.fixture(scope="module")
def microphone(launch, tmp_path_factory):
    """A browser whose microphone hears that scene, once a minute."""
    path = tmp_path_factory.mktemp("mic") / "scene.wav"
    soundfile.write(path, audio.resample(scene(), sr=16000, to=48000), 48000, subtype="PCM_16")
    return launch(*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={path}")


def cells():
    """The code of the notebook that the assistant needs, cell by cell."""
    found = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    wanted = [cell for cell in found if NEEDED & set(cell["metadata"].get("tags", []))]
    return ["".join(cell["source"]) for cell in wanted]


def test_a_coffee_is_ordered_by_microphone_and_answered_aloud(
    lab_on, notebook_of, microphone, tmp_path
):
    path = notebook_of(*cells(), name="barista.ipynb")
    lab = lab_on(path)
    page = lab.open(path.name, permissions=["microphone"], browser=microphone)
    page.set_default_timeout(120_000)
    assert lab.run_all() == []
    talk = page.locator(".earup-conversation")
    talk.get_by_role("button", name="Start listening").click()
    log = talk.get_by_role("log")
    log.get_by_text("wake word").wait_for()
    log.get_by_text("order: can i get a large mocha with soy milk").wait_for()
    log.get_by_text("says").wait_for()
    page.wait_for_function(
        "() => document.querySelector('.earup-conversation').__earup.playing === false"
    )
    shot(talk, "45_conversation")
    talk.get_by_role("button", name="Stop listening").click()
    talk.get_by_text("The microphone is closed.").wait_for()
    lab.python("np.save('talk.npy', talk.sound().astype('float32'))")
    heard, said = np.load(next(lab.folder.rglob("talk.npy")))
    lines = log.locator("li").all_inner_texts()
    folder = Path(os.environ.get("EARUP_RECORD", tmp_path))
    soundfile.write(folder / "conversation.wav", np.stack([heard, said], axis=1), 16000)
    (folder / "conversation.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # what came in is the scene, at its level; what went out begins when the log says so
    assert np.abs(heard).max() == pytest.approx(np.abs(scene()).max(), rel=0.15)
    when = next(float(line.split(" s")[0]) for line in lines if "order" in line)
    begins = np.flatnonzero(np.abs(said) > 1e-3)[0] / 16000
    assert when - 0.2 <= begins <= when + 0.6
    assert np.sqrt(np.mean(said[said != 0] ** 2)) > 0.02 and np.abs(said).max() < 0.51
    assert lab.errors == []


def test_the_microphone_that_is_refused_is_said(lab_on, notebook_of, launch):
    path = notebook_of(
        "from helpers import listening\nlistening.conversation(dict)", name="refused.ipynb"
    )
    lab = lab_on(path)
    page = lab.open(path.name)
    assert lab.run_all() == []
    talk = page.locator(".earup-conversation")
    talk.get_by_role("button", name="Start listening").click()
    talk.get_by_text("microphone").first.wait_for()
    talk.get_by_role("alert").filter(has_text="icrophone").wait_for()
    assert talk.get_by_role("button", name="Start listening").is_visible()


def test_the_timeline_is_solved_by_keys(lab):
    lab.page.set_default_timeout(120_000)
    stage = lab.page.locator(".earup-scene").first
    stage.scroll_into_view_if_needed()
    says(lab.page, "DER")
    borders = [stage.get_by_role("slider", name=f"Border {k}") for k in (1, 2, 3, 4)]
    lab.page.get_by_label("Who speaks in turn 3").select_option("Scot")
    win(
        lab.page,
        (borders[0], "ArrowRight*10", "DER", False),
        (borders[1], "ArrowLeft*11", "DER", False),
        (borders[2], "ArrowRight*9", "DER", False),
        (borders[3], "ArrowLeft*8", "DER", True),
        (borders[3], "End", "DER", False),
    )
    shot(stage, "45_timeline")
    assert stage.bounding_box()["height"] <= 620
    assert lab.errors == []
