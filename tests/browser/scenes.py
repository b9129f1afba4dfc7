"""What the tests of units ask the first stage of a page: what it says, whether it sounds, and how."""

import numpy as np

SAYS = "([text, there]) => document.querySelector('.earup-scene').innerText.includes(text) === there"
SAMPLES = """() => { const m = document.querySelector('.earup-scene').__earup;
  if (!m.playing || !m.analyser) return [];
  const y = new Float32Array(m.analyser.fftSize); m.analyser.getFloatTimeDomainData(y); return [...y]; }"""


def says(page, text, there=True):
    """Wait until the stage says a text, or no longer does."""
    page.wait_for_function(SAYS, arg=[text, there])


def sounds(page, *, above):
    """Wait until the stage plays something with a peak above this."""
    page.wait_for_function(f"above => Math.max(0, ...({SAMPLES})().map(Math.abs)) > above", arg=above)


def samples(page):
    """Return what the stage is playing at this moment."""
    return np.array(page.evaluate(SAMPLES))
