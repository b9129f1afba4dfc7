"""Facts about a computation that runs beside a notebook: its slices, its end, what it keeps, what
goes wrong.
"""

import asyncio

import ipywidgets as widgets
import pytest

from helpers import explore, live


@pytest.fixture(autouse=True)
def no_loop():
    """Hide the event loop that a browser test before this one left running in this thread."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(before)


def falling(rate=0.5, broken=False):
    """A loss that falls by some rate; every second step has a snapshot."""
    for k in range(9):
        if broken and k == 3:
            raise ValueError("step 3 is broken")
        yield k, rate**k, f"{rate} at {k}" if k % 2 == 0 else None


def preview(step, snapshots):
    return widgets.HTML(f"{step}: {snapshots}")


def made(**more):
    controls = {"rate": explore.choice("Rate", [0.5, 0.9, 0.7])}
    return live.run(
        falling,
        title="A fall",
        steps=8,
        controls=controls,
        preview=preview,
        preview_steps=(0, 2, 4, 6, 8),
        **more,
    )


def test_without_a_loop_it_runs_to_its_end():
    box = made()
    box.start()
    steps, losses, kept = box.runs["0.5"]
    assert (
        steps == list(range(9))
        and losses == [0.5**k for k in range(9)]
        and list(kept) == [0, 2, 4, 6, 8]
    )
    assert (
        box.progress.value == 8
        and not box.start_button.disabled
        and box.stop_button.disabled
        and live.Live.running is None
    )
    assert "0.5: 8 of 8 steps" in box.readout.text and "Loss from 1 to 0.003906" in box.readout.text


def test_the_slider_goes_through_what_was_made():
    box = made(keep_runs=2)
    box.start()
    assert box.step_slider.options == (0, 2, 4, 6, 8) and box.step_slider.value == 8
    box.controls["rate"].value = 0.9
    box.start()
    assert list(box.runs) == ["0.5", "0.9"]
    box.step_slider.value = 4
    assert box.preview_box.children[0].value == "4: {'0.5': '0.5 at 4', '0.9': '0.9 at 4'}"
    assert "after step 4." in box.readout.text


def test_the_slider_stops_at_seven_places_unless_told():
    """They stay the same from the start: JupyterLab's slider keeps to the ends that it began
    with.
    """
    box = live.run(falling, title="T", steps=120, preview=preview)
    assert box.step_slider.options == (0, 20, 40, 60, 80, 100, 120)
    box.start()
    assert box.step_slider.value == 0
    assert box.preview_box.children[0].value == "0: {'run': '0.5 at 0'}"


def test_what_cannot_be_heard_says_why():
    def silent(step, snapshots):
        raise ValueError("too loud")

    box = live.run(falling, title="T", steps=8, preview=silent)
    box.start()
    assert box.readout.fault == "ValueError: too loud" and not box.start_button.disabled


def test_the_oldest_run_goes_and_a_repeated_one_takes_its_own_place():
    box = made(keep_runs=2)
    for rate in (0.5, 0.9, 0.7, 0.7):
        box.controls["rate"].value = rate
        box.start()
    assert list(box.runs) == ["0.9", "0.7"]


def test_in_a_loop_other_work_goes_on_and_stop_keeps_what_is_there(monkeypatch):
    monkeypatch.setattr(live, "SLICE", 0)  # listen after every step
    monkeypatch.setattr(live, "REDRAW", 0)
    pictures = []

    async def learner():
        box = made()
        box.picture.observe(lambda change: pictures.append(change["new"]), "value")
        box.start()
        while len(box.runs.get("0.5", [[]])[0]) < 4:
            await asyncio.sleep(0)
        box.stop_button.click()
        await box.task
        return box

    box = asyncio.run(learner())
    assert 4 <= len(box.runs["0.5"][0]) < 9
    assert not box.start_button.disabled and box.stop_button.disabled
    assert len(set(pictures)) > 2 and box.step_slider.value <= box.runs["0.5"][0][-1]


def test_a_start_elsewhere_ends_the_run_that_is_on(monkeypatch):
    monkeypatch.setattr(live, "SLICE", 0)

    async def learner():
        first, second = made(), made()
        first.start()
        while not first.runs:
            await asyncio.sleep(0)
        second.start()
        await asyncio.gather(first.task, second.task)
        return first, second

    first, second = asyncio.run(learner())
    assert len(first.runs["0.5"][0]) < 9 == len(second.runs["0.5"][0]) and live.Live.running is None


def test_a_fault_is_read_and_the_next_start_works():
    box = live.run(
        falling, title="T", steps=8, controls={"broken": explore.toggle("Broken", start=True)}
    )
    box.start()
    assert box.readout.fault == "ValueError: step 3 is broken" and len(box.runs["True"][0]) == 3
    assert not box.start_button.disabled
    box.controls["broken"].value = False
    box.start()
    assert box.readout.fault == "" and len(box.runs["False"][0]) == 9


def test_a_sweep_takes_steps_with_every_option(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SWEEP", "1")
    tried = []

    def job(rate):
        tried.append(rate)
        if rate == 0.7:
            raise RuntimeError("no")
        yield 0, rate

    with pytest.raises(RuntimeError, match=r"no at rate = 0.7"):
        live.run(
            job, title="T", steps=1, controls={"rate": explore.choice("Rate", [0.5, 0.9, 0.7])}
        )
    assert tried == [0.5, 0.9, 0.7]
    tried.clear()
    fine = live.run(
        lambda rate: iter([(0, rate)]),
        title="T",
        steps=1,
        controls={"rate": explore.choice("Rate", [1, 2])},
    )
    assert not fine.runs and fine.controls["rate"].value == 1


def test_the_first_steps_are_taken_at_once_and_stored_with_their_words():
    box = made(warmup=3)
    data, metadata = box._repr_mimebundle_()
    assert box.runs["0.5"][0] == [0, 1, 2] and "0.5, Loss after 3 steps" in data["text/plain"]
    assert data["image/png"] and metadata["image/png"]["alt"] == data["text/plain"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id


@pytest.mark.parametrize("bad", [{"steps": 0}, {"keep_runs": 0}])
def test_nothing_to_do_is_refused(bad):
    with pytest.raises(ValueError, match="at least 1"):
        live.run(falling, **{"title": "T", "steps": 8, **bad})
