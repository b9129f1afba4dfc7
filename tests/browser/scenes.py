"""What the tests of units ask of a page: what its first stage says and sounds, and what its
computation is about.
"""

import threading

import numpy as np

SAYS = """([text, there, i]) =>
  document.querySelectorAll('.earup-scene')[i].innerText.includes(text) === there"""
SAMPLES = """() => { const m = document.querySelector('.earup-scene').__earup;
  if (!m.playing || !m.analyser) return [];
  const y = new Float32Array(m.analyser.fftSize); m.analyser.getFloatTimeDomainData(y); return [...y]; }"""


def says(page, text, there=True, *, scene=0):
    """Wait until a stage says a text, or no longer does."""
    page.wait_for_function(SAYS, arg=[text, there, scene])


def win(page, *steps, scene=0):
    """Play a challenge by keyboard, its near misses too.

    Each step is a control of the stage, keys to press on it, what the stage then says, and whether
    that wins: "PageUp*3 Home" is four keys.
    """
    for control, keys, words, won in steps:
        for key in keys.split():
            name, _, times = key.partition("*")
            for _ in range(int(times or 1)):
                control.press(name)
        says(page, words, scene=scene)
        says(page, "Yes:", won, scene=scene)


def sounds(page, *, above):
    """Wait until the stage plays something with a peak above this."""
    page.wait_for_function(
        f"above => Math.max(0, ...({SAMPLES})().map(Math.abs)) > above", arg=above
    )


def samples(page):
    """Return what the stage is playing at this moment."""
    return np.array(page.evaluate(SAMPLES))


# ---- a computation that takes seconds (helpers.live) ---------------------------------------------

LIVE = """
from helpers.live import Live as _Live
_live = next(value for _, value in sorted(Out.items()) if isinstance(value, _Live))
"""
HOLD = """
def _hold(job, step):
    def held(**values):
        import time
        _live._job = job  # only this once
        for made in job(**values):
            yield made
            while made[0] == step and not _live._stopped:
                time.sleep(0.01)
                yield made
    return held
"""


def until(lab, expression, value):
    """Wait until something of the page's computation has a value in the kernel."""
    for _ in range(3000):
        if (now := lab.python(f"{LIVE}print({expression})").strip()) == str(value):
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"{expression} is {now!r} and not {value!r}")


def chosen(lab, name, value):
    """Wait until the kernel knows of a choice.

    A page sends the next value of a control only when the kernel has answered the one before, but a
    button at once. Start would overtake the choice where the kernel is slow to answer.
    """
    until(lab, f"_live.values[{name!r}]", value)


def hold(lab, step):
    """Let the next run stand at a step until Stop is pressed: whoever waits for a state that passes
    may miss it.
    """
    assert (
        lab.python(f"{LIVE}{HOLD}_live._job, _live.progress.value = _hold(_live._job, {step}), 0")
        == ""
    )


def stands(lab, step):
    """Wait until the run that is held stands at its step."""
    until(lab, "_live.progress.value", step)
