"""The howl detector of the talk-back, in Node, on real voices and noises and on rooms that feed
back.
"""

import numpy as np
import pytest

from helpers import audio, listening
from tests.js import node

SR = 48000


def test_the_detector_hears_a_howl_and_nothing_else(tmp_path):
    for name in ("voice_a", "voice_b", "digits", "babble", "rain", "hum"):
        y, sr = audio.clip(name)
        audio.resample(y, sr=sr, to=SR)[: 4 * SR].astype("<f4").tofile(tmp_path / f"{name}.f32")
    np.zeros(3 * SR, "<f4").tofile(tmp_path / "silence.f32")
    (0.001 * np.random.default_rng(0).standard_normal(4 * SR)).astype("<f4").tofile(
        tmp_path / "whisper.f32"
    )
    source = node.joined("core", "microphone", "talkback").replace(
        "export default { render };", "export { heard, howlDetector };"
    )
    (tmp_path / "talkback.mjs").write_text(source, encoding="utf-8")
    node.run("talkback.test.mjs", tmp_path)


@pytest.mark.parametrize("wrong", [0, 5, 210, 55, 50.0, True, "50", None])
def test_a_delay_that_cannot_be_chosen_is_refused(wrong):
    with pytest.raises(ValueError, match="must be 10 to 200"):
        listening.talkback(delay_ms=wrong)
