"""What a learner sees when something breaks: the kernel is killed, no microphone is there, the disk
is full.
"""

import pytest

from helpers import audio, listening

KILL = """() => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  window.states = []; kernel.statusChanged.connect((_, status) => window.states.push(status));
  kernel.requestExecute({code: "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"}).done.catch(() => null); }"""
SETUP = """import time
import numpy as np
from helpers import listening, live

y = 0.1 * np.sin(np.arange(16000) / 5)"""
BLIND = (
    'test = listening.blind_test("abx", {"one": y, "two": y}, sr=16000, name="lost", '
    "n_trials=5)\ntest"
)
TRAINING = """def job():
    for step in range(1, 100_001):
        time.sleep(0.01)
        yield step, 1 / step


live.run(job, title="A long training", steps=100_000)"""
NO_DEVICE = "No microphone was found. Connect one"


def kill(page):
    """Kill the kernel, as a system that is short of memory does; return when JupyterLab has started
    another.
    """
    page.evaluate(KILL)
    page.get_by_text("appears to have died. It will restart automatically.").wait_for()
    page.get_by_role("button", name="Ok", exact=True).click()
    page.wait_for_function("() => window.states.at(-1) === 'idle'")


def answer(page, n):
    for _ in range(n):
        for key in ("a", "b", "x", "1", "Enter"):
            page.keyboard.press(key)


def test_a_kernel_killed_in_a_training_and_in_a_blind_test(lab_on, notebook_of):
    lab = lab_on(notebook_of(SETUP, TRAINING, BLIND))
    page = lab.open("try.ipynb")
    assert lab.run_all() == []
    run, test = page.locator(".earup-running"), page.locator(".earup-blind")
    run.get_by_role("button", name="Start").click()
    run.get_by_text("running, 100000 steps").wait_for()
    test.get_by_role("button", name="Start").click()
    page.wait_for_selector(".earup-blind form")
    answer(page, 2)
    test.get_by_text("Saved in blind_lost.csv.").wait_for()
    rows = (lab.folder / "blind_lost.csv").read_text().splitlines()
    assert len(rows) == 4  # the head, the columns, two answers
    assert run.get_by_text("After a restart, run this cell again.").is_hidden()
    kill(page)
    run.get_by_text("After a restart, run this cell again.").wait_for()
    answer(page, 2)  # the page goes on by itself, and says that these are not kept
    test.get_by_text("Not saved: no running kernel has answered.").wait_for()
    assert (lab.folder / "blind_lost.csv").read_text().splitlines() == rows
    lab.errors.clear()  # what Jupyter's widgets say of a kernel that is gone
    assert lab.run_all() == []
    test.get_by_role("button", name="Go on at 3 of 5").click()
    page.wait_for_selector(".earup-blind form")
    answer(page, 3)
    test.get_by_text("of 5 right").wait_for()
    answers = lab.folder / "blind_lost.csv"
    for _ in range(600):  # the page says the result before Python has written it
        if len(answers.read_text().splitlines()) >= 7:
            break
        page.wait_for_timeout(50)
    assert len(answers.read_text().splitlines()) == 7
    assert (lab.folder / "blind_lost.csv").read_text().splitlines()[:4] == rows
    run.get_by_role("button", name="Start").click()
    run.get_by_text("running, 100000 steps").wait_for()
    run.get_by_role("button", name="Stop").click()
    run.get_by_text("of 100000 steps in").wait_for()
    assert lab.errors == []


@pytest.fixture
def deaf(launch):
    """A browser on a computer without a microphone: nothing pretends to be one."""
    context = launch("--use-fake-ui-for-media-stream").new_context(
        viewport={"width": 800, "height": 900}
    )
    yield context
    context.close()


def test_without_a_microphone_recorder_and_talkback_say_so(
    widget_page, deaf, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    page = widget_page(listening.recorder(), context=deaf)
    widget_page(listening.talkback(), page=page)
    assert (
        page.evaluate("async () => (await navigator.mediaDevices.enumerateDevices()).length") == 0
    )
    page.locator(".earup-recorder").get_by_role("button", name="Record").click()
    page.locator(".earup-recorder").get_by_text(f"{NO_DEVICE}, or choose a sound file").wait_for()
    page.get_by_role("button", name="Open the microphone, muted").click()
    page.locator(".earup-talkback").get_by_text(f"{NO_DEVICE}.").wait_for()
    with pytest.raises(
        ValueError, match=r'no my_voice.wav here yet; .*use clip\("voice_a"\) meanwhile'
    ):
        audio.clip("my_voice")


def test_a_full_disk_is_told_while_a_test_runs(widget_page, tmp_path, monkeypatch):
    monkeypatch.setenv("EARUP_RESULTS", str(tmp_path))
    y = 0.1 * audio.clip("voice_a")[0]
    page = widget_page(
        listening.blind_test("abx", {"one": y, "two": y}, sr=16000, name="full", n_trials=5)
    )
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".earup-blind form")
    answer(page, 1)
    said = (
        "Your answers are kept in this session only: blind_full.csv could not be saved (No space "
        "left on device)."
    )
    page.evaluate("said => window.model.set('fault', said)", said)  # what Python would send
    page.get_by_text(said).wait_for()
    assert page.get_by_text("no running kernel").count() == 0
