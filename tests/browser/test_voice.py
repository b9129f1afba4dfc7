"""Your own voice, from a microphone of known content through unit 00 in JupyterLab to unit 10."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
FREQ, AMP = 1000.0, 0.25
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def microphone(launch, tmp_path_factory):
    """A browser whose microphone hears a tone of known frequency and level."""
    path = tmp_path_factory.mktemp("mic") / "tone.wav"
    soundfile.write(
        path, AMP * np.sin(2 * np.pi * FREQ * np.arange(48000) / 48000), 48000, subtype="PCM_16"
    )
    return launch(*FAKE, f"--use-file-for-fake-audio-capture={path}")


def cells_of(name):
    """Return the code of a notebook, cell by cell."""
    cells = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def source_of(name, tag):
    """Return the code of a notebook's cells with `tag`, one after the other."""
    cells = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    return "\n".join(
        "".join(cell["source"]) for cell in cells if tag in cell["metadata"].get("tags", [])
    )


def test_a_voice_recorded_in_unit_00_is_used_in_unit_10(lab_on, microphone):
    first = "00_start_here.ipynb"
    lab = lab_on(ROOT / "notebooks" / first)
    page = lab.open(first, permissions=["microphone"], browser=microphone)
    assert lab.run_all() == []
    recorder = page.locator(".earup-recorder")
    recorder.get_by_role("button", name="Record").click()
    page.wait_for_function(
        "() => parseFloat(document.querySelector('.earup-recorder .earup-clock').textContent) >= 2"
    )
    recorder.get_by_role("button", name="Stop").click()
    recorder.get_by_role("button", name="Save", exact=True).click()
    recorder.get_by_text("my_voice.wav holds").wait_for()
    take = page.evaluate(
        "() => (({ y, sr }) => [y.length, "
        "sr])(document.querySelector('.earup-recorder').__earup.take)"
    )
    said = lab.python(
        "y, sr = audio.clip('my_voice'); import json; half = y[sr : 2 * sr]\n"
        "up = np.flatnonzero((half[:-1] < 0) & (half[1:] >= 0))\n"
        "at = up - half[up] / (half[up + 1] - half[up])\n"
        "tone = sr / np.median(np.diff(at))\n"  # a median: a busy machine may lose a block of sound
        "print(json.dumps([len(y), sr, metrics.level_db(half).item(), tone]))"
    )
    length, sr, level, tone = json.loads(said)
    assert [length, sr] == take
    assert level == pytest.approx(20 * np.log10(AMP / np.sqrt(2)), abs=0.5)
    assert tone == pytest.approx(FREQ, abs=2)
    again = next(cell for cell in cells_of(first) if "speaker, name = " in cell)
    said = lab.python(again + "\nprint(speaker, len(mine), metrics.level_db(mine))").split()
    assert said[-3] == "my_voice" and int(said[-2]) == pytest.approx(length * 16000 / sr, abs=1)
    assert float(said[-1]) == pytest.approx(-26, abs=0.1)
    lab.python(source_of("10_sound_and_samples.ipynb", "setup"))
    own = source_of("10_sound_and_samples.ipynb", "own-file")
    said = lab.python(own.replace('my_file = ""', 'my_file = "my_voice.wav"'))
    assert f"s at {sr} Hz" in said and "Error" not in said
    assert lab.python("print(len(mine), mine_sr)") == f"{length} {sr}\n"
    assert lab.errors == []
