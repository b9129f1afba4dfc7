"""The howl detector of the talk-back, in Node, on real voices and noises and on rooms that feed back."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from helpers import audio, listening

FRONTEND = Path(__file__).parents[2] / "helpers" / "frontend"
SR = 48000


def test_the_detector_hears_a_howl_and_nothing_else(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; install Node.js 20 or newer to run the JavaScript tests")
    for name in ("voice_a", "voice_b", "digits", "babble", "rain", "hum"):
        y, sr = audio.clip(name)
        audio.resample(y, sr=sr, to=SR)[: 4 * SR].astype("<f4").tofile(tmp_path / f"{name}.f32")
    np.zeros(3 * SR, "<f4").tofile(tmp_path / "silence.f32")
    (0.001 * np.random.default_rng(0).standard_normal(4 * SR)).astype("<f4").tofile(tmp_path / "whisper.f32")
    parts = ("core", "microphone", "talkback")
    source = "".join((FRONTEND / f"{part}.js").read_text(encoding="utf-8") for part in parts)
    source = source.replace("export default { render };", "export { heard, howlDetector };")
    (tmp_path / "talkback.mjs").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [node, "--test", str(Path(__file__).with_name("talkback.test.mjs"))],
        env=os.environ | {"EARUP_JS_TEST": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout


@pytest.mark.parametrize("wrong", [0, 5, 210, 55, 50.0, True, "50", None])
def test_a_delay_that_cannot_be_chosen_is_refused(wrong):
    with pytest.raises(ValueError, match="must be 10 to 200"):
        listening.talkback(delay_ms=wrong)
