"""The player and the recorder before any browser sees them: samples, refusals, figures, what a
notebook stores.
"""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from helpers import audio, listening, loudness

HELPERS = Path(__file__).parents[1] / "helpers"

SR = 16000
TIME = np.arange(SR) / SR


def tone(amp=0.1, freq=440.0):
    return (amp * np.sin(2 * np.pi * freq * TIME)).astype(np.float32)


# ---- what is played ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_reach_the_browser_unchanged(dtype):
    rng = np.random.default_rng(0)
    mono, stereo = (
        rng.uniform(-0.2, 0.2, shape).astype(np.float32).astype(dtype) for shape in (1001, (2, 500))
    )
    player = listening.player({"mono": mono, "stereo": stereo}, sr=SR)
    sent = np.frombuffer(player.pcm, dtype="<f4")
    np.testing.assert_array_equal(sent, np.concatenate([mono, *stereo]).astype(np.float32))
    np.testing.assert_array_equal(player.tracks["mono"], mono)
    np.testing.assert_array_equal(player.tracks["stereo"], stereo)


def test_the_callers_array_is_not_changed():
    y = tone()
    before = y.copy()
    listening.player({"A": y}, sr=SR, gain_db=-6)
    np.testing.assert_array_equal(y, before)


def test_quiet_tracks_stay_quiet():
    player = listening.player({"loud": tone(0.2), "quiet": tone(0.0002)}, sr=SR)
    levels = {track["name"]: track["rms_db"] for track in player.index}
    assert levels["loud"] == pytest.approx(20 * np.log10(0.2 / np.sqrt(2)), abs=1e-3)
    assert levels["loud"] - levels["quiet"] == pytest.approx(60, abs=1e-3)
    assert player.index[0]["peak_db"] == pytest.approx(
        20 * np.log10(np.abs(tone(0.2)).max()), abs=1e-3
    )


def test_gain_moves_all_tracks_by_that_much_and_says_so():
    player = listening.player({"A": tone(0.1), "B": tone(0.05)}, sr=SR, gain_db=-20)
    for name, amp in (("A", 0.1), ("B", 0.05)):
        np.testing.assert_allclose(player.tracks[name], tone(amp) / 10, rtol=1e-6)
    assert "All tracks moved by −20.0 dB." in player.notes


def test_matching_by_rms_lowers_to_the_quietest():
    noise = np.random.default_rng(0).standard_normal(SR) * 0.02
    player = listening.player({"A": tone(0.2), "B": noise}, sr=SR, match="rms")
    rms = [np.sqrt(np.mean(y.astype(float) ** 2)) for y in player.tracks.values()]
    assert rms[0] == pytest.approx(rms[1], rel=1e-5)
    np.testing.assert_array_equal(player.tracks["B"], noise.astype(np.float32))
    moved = 20 * np.log10(np.sqrt(np.mean(noise**2)) / (0.2 / np.sqrt(2)))
    assert f"A moved by −{-moved:.1f} dB, B by 0.0 dB." in player.notes[1]
    assert player.notes[0] == "Exact levels; ceiling −1.0 dBFS."  # and not that nothing was moved


def test_matching_by_loudness_equals_what_bs1770_reads():
    low, high = (
        tone(0.1, 60.0),
        tone(0.1, 3000.0),
    )  # of equal RMS, but K weighting hears the second better
    player = listening.player({"low": low, "high": high}, sr=SR, match="loudness")
    readings = [loudness.integrated_loudness(y, sr=SR) for y in player.tracks.values()]
    assert readings[0] == pytest.approx(readings[1], abs=0.01)
    np.testing.assert_array_equal(player.tracks["low"], low)
    expected = loudness.integrated_loudness(low, sr=SR) - loudness.integrated_loudness(high, sr=SR)
    assert expected < -1
    assert f"high by −{-expected:.1f} dB" in player.notes[1]


def test_different_lengths_are_told():
    player = listening.player({"long": tone(), "short": tone()[: SR // 4]}, sr=SR)
    assert "silence follows where one ends: short at 0.25 s" in player.notes[-1]


# ---- what is refused, and the remedy ----

BAD = {
    "no tracks": ({}, {}, "1 to 9 signals"),
    "a bare array": (tone(), {}, "got ndarray"),
    "ten tracks": ({str(i): tone() for i in range(10)}, {}, "got 10 tracks"),
    "an empty name": ({" ": tone()}, {}, "empty or no text"),
    "a number as name": ({1: tone()}, {}, "empty or no text"),
    "a name twice": ({"A": tone(), "A ": tone()}, {}, "used twice"),
    "NaN": ({"A": np.array([0.0, np.nan])}, {}, "track 'A' holds 1 NaN"),
    "int16": ({"A": np.zeros(9, dtype=np.int16)}, {}, "divide"),
    "empty": ({"A": np.zeros(0)}, {}, "0 samples"),
    "time first": ({"A": np.zeros((100, 2))}, {}, "track 'A'.T"),
    "three channels": ({"A": np.zeros((3, 100))}, {}, "3 channels"),
    "a pair": ({"A": (tone(), SR)}, {}, "pass y alone"),
    "eleven minutes": (
        {"A": np.zeros(660 * 3000, dtype=np.float32)},
        {"sr": 3000},
        "660 s together",
    ),
    "a rate in kHz": ({"A": tone()}, {"sr": 44.1}, "sr=44.1"),
    "a rate browsers refuse": ({"A": tone()}, {"sr": 2000}, "browsers accept 3000 to 384000 Hz"),
    "a rate above": ({"A": tone()}, {"sr": 500_000}, "browsers accept"),
    "a ceiling above full scale": ({"A": tone()}, {"ceiling_db": 3.0}, "highest ceiling is 0.0"),
    "a gain of infinity": ({"A": tone()}, {"gain_db": np.inf}, "finite number of decibels"),
    "an unknown match": ({"A": tone()}, {"match": "lufs"}, "match='lufs' must be None"),
    "matching silence": ({"A": tone(), "B": np.zeros(SR)}, {"match": "rms"}, "track 'B' is silent"),
    "loudness of a blink": (
        {"A": tone()[:1000]},
        {"match": "loudness"},
        "track 'A' is too quiet or too short",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_a_reason(case):
    tracks, options, reason = BAD[case]
    with pytest.raises(ValueError, match=re.escape(reason)):
        listening.player(tracks, **{"sr": SR, **options})


LOUD = {
    "over full scale": (tone(1.5), {}),
    "over the ceiling": (np.where(TIME < 0.001, 0.95, 0.0), {}),
    "over a ceiling of one's own": (tone(0.6), {"ceiling_db": -6.0}),
    "loud for 400 ms": (tone(0.5), {}),
    "raised too far": (tone(0.1), {"gain_db": 30.0}),
    "one channel loud": (np.stack([tone(0.5), tone(0.0)]), {}),
}


@pytest.mark.parametrize("case", LOUD)
def test_too_loud_is_refused_and_the_gain_named_makes_it_fit(case):
    y, options = LOUD[case]
    with pytest.raises(ValueError, match="pass gain_db=") as refusal:
        listening.player({"fine": tone(0.01), "loud": y}, sr=SR, **options)
    assert "track 'loud'" in str(refusal.value)
    gain = float(re.search(r"gain_db=(-?[\d.]+)", str(refusal.value)).group(1))
    listening.player({"fine": tone(0.01), "loud": y}, sr=SR, **{**options, "gain_db": gain})
    with pytest.raises(ValueError, match="pass gain_db="):  # and it is no lower than needed
        listening.player(
            {"fine": tone(0.01), "loud": y}, sr=SR, **{**options, "gain_db": gain + 0.11}
        )


def test_the_guard_of_400_ms_can_be_lifted_but_full_scale_cannot():
    with pytest.raises(ValueError, match=re.escape("400 ms at -9.0 dBFS RMS")):
        listening.player({"A": tone(0.5)}, sr=SR)
    assert listening.player({"A": tone(0.5)}, sr=SR, ceiling_db=-1.0).ceiling_db == -1.0
    with pytest.raises(
        ValueError, match=re.escape("peaks at 0.8 dBFS, over the ceiling of 0.0 dBFS")
    ):
        listening.player({"A": tone(1.1)}, sr=SR, ceiling_db=0.0)


def test_a_short_loud_sound_is_judged_by_its_energy_in_400_ms():
    burst = tone(0.5)[: SR // 10]  # -9 dBFS for 100 ms is -15 over 400 ms
    for y in (burst, np.pad(burst, (0, SR)), np.pad(burst, (SR, 0))):
        listening.player({"A": y}, sr=SR)
    with pytest.raises(ValueError, match="400 ms at -11"):
        listening.player({"A": tone(0.5)[: int(0.23 * SR)]}, sr=SR)


# ---- what a notebook stores ----


def test_the_stored_text_is_the_same_on_every_run_and_names_the_levels():
    stored = [
        listening.player({"A": tone(0.1), "B": np.zeros(99)}, sr=SR)._repr_mimebundle_()[0]
        for _ in range(2)
    ]
    assert (
        stored[0]["text/plain"] == "player: A (−23.0 dBFS), B (silence). Run this cell to listen."
    )
    assert stored[0]["text/plain"] == stored[1]["text/plain"]
    assert stored[0]["image/png"] == stored[1]["image/png"]
    assert "application/vnd.jupyter.widget-view+json" in stored[0]


def test_the_stored_picture_has_its_levels_as_alternative_text():
    player = listening.player({"A": tone(0.1)}, sr=SR)
    assert player._repr_mimebundle_()[1]["image/png"]["alt"] == player.stored_text()


@pytest.mark.parametrize("count", [1, 9])
def test_the_stored_picture_is_small_and_shows_a_wave_for_each_track(count):
    rng = np.random.default_rng(0)
    tracks = {f"noise {i}": 0.05 * rng.standard_normal(SR) for i in range(count)}
    data = base64.b64decode(listening.player(tracks, sr=SR)._repr_mimebundle_()[0]["image/png"])
    assert len(data) < 25_000
    picture = np.array(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    blue = (picture[:, 500] == (0x2B, 0x6F, 0xB6)).all(axis=1)
    assert np.count_nonzero(np.diff(blue.astype(int)) == 1) == count
    assert picture.shape[1] <= 800


def test_ipywidgets_7_does_not_pass_over_the_bundle():
    assert listening.Player._ipython_display_ is None
    assert listening.recorder()._ipython_display_ is None


def test_nothing_in_the_state_needs_python_or_a_network():
    code = listening.Player._esm
    assert "import " not in re.sub(r"//.*", "", code)
    assert not re.search(r"https?://", code.replace("https or localhost", ""))
    assert code.rstrip().endswith("export default { render };")


def test_only_the_limited_output_reaches_the_loudspeaker():
    found = {
        path.stem: path.read_text(encoding="utf-8").count(".destination")
        for path in HELPERS.rglob("*.js")
    }
    assert found.pop("core") == 1  # output(), behind the limiter
    # a script processor that runs only when connected, through a gain of zero
    assert found.pop("microphone") == 1
    assert found.pop("sheet") == 1  # a page that leaves the course: it brings a limiter of its own
    assert "limiter).connect" in (HELPERS / "music" / "sheet.js").read_text(encoding="utf-8")
    assert not any(found.values()), found


# ---- the recorder's side of the talk ----


@pytest.fixture
def talk(tmp_path, monkeypatch):
    """A recorder in an empty folder, and a function that sends it a message and returns its
    answers.
    """
    monkeypatch.chdir(tmp_path)
    widget, answers = listening.recorder(), []
    monkeypatch.setattr(
        widget, "send", lambda content, buffers=(): answers.append((content, buffers))
    )

    def say(do, data=b"", **content):
        answers.clear()
        widget._on_message(widget, {"do": do, **content}, [data])
        return answers[-1][0] if answers else None

    say.widget, say.answers = widget, answers
    return say


def test_a_recording_is_written_as_it_came_and_is_my_voice(talk):
    y = np.random.default_rng(0).uniform(-1, 1, 4801).astype(np.float32)
    assert talk.widget.saved == {}
    assert talk("save", y.tobytes(), sr=48000)["text"] == "Saved 0.10 s as my_voice.wav."
    found, sr = audio.clip("my_voice")
    np.testing.assert_array_equal(found, y)
    assert sr == 48000
    assert talk.widget.saved["sr"] == 48000
    assert [path.name for path in talk.widget.path.parent.iterdir()] == ["my_voice.wav"]


def test_parts_are_put_together_and_a_broken_off_upload_is_forgotten(talk):
    y = np.linspace(-0.5, 0.5, 30, dtype=np.float32)
    talk("save", b"\x00" * 8, sr=8000, part=0, parts=3)  # never finished
    for part in range(3):
        talk("save", y[10 * part : 10 * part + 10].tobytes(), sr=8000, part=part, parts=3)
    np.testing.assert_array_equal(audio.load(talk.widget.path)[0], y)


def test_an_older_recording_stays_until_told_otherwise(talk):
    first, second = (np.full(10, v, dtype=np.float32).tobytes() for v in (0.1, 0.2))
    talk("save", first, sr=8000)
    assert talk("save", second, sr=8000)["kind"] == "ask"
    assert audio.load(talk.widget.path)[0][0] == np.float32(0.1)
    assert talk("save", second, sr=8000, replace=True)["kind"] == "saved"
    assert audio.load(talk.widget.path)[0][0] == np.float32(0.2)


def test_delete_removes_the_file_and_says_so(talk):
    talk("save", np.zeros(10, dtype=np.float32).tobytes(), sr=8000)
    assert talk("delete")["text"] == "my_voice.wav is deleted."
    assert not talk.widget.path.exists()
    assert talk.widget.saved == {}
    assert talk("delete")["kind"] == "deleted"  # twice does no harm


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no samples|at least one sample|empty"),
        (np.array([np.nan], "<f4").tobytes(), "NaN"),
        (b"\0" * 7, "multiple"),
    ],
)
def test_what_is_no_recording_is_answered_and_not_written(talk, data, reason):
    answer = talk("save", data, sr=48000)
    assert answer["kind"] == "error"
    assert re.search(reason, answer["text"])
    assert not talk.widget.path.exists()


def test_an_uploaded_file_passes_the_checks_of_load(talk):
    for data, reason in (
        (b"hello there", "it is text"),
        (b"", "empty"),
        (b"\x89PNG\r\n", "a PNG picture"),
    ):
        answer = talk("upload", data, filename="mine.wav")
        assert answer["kind"] == "error"
        assert "mine.wav" in answer["text"]
        assert reason in answer["text"]
    raw = io.BytesIO()
    soundfile.write(raw, np.full((100, 2), [0.2, 0.4]), 22050, format="WAV", subtype="FLOAT")
    answer = talk("upload", raw.getvalue(), filename="mine.wav")
    assert (answer["kind"], answer["sr"]) == ("take", 22050)
    np.testing.assert_allclose(np.frombuffer(talk.answers[-1][1][0], "<f4"), 0.3, rtol=1e-6)


def test_an_uploaded_file_beyond_full_scale_is_lowered_and_that_is_said(talk):
    raw = io.BytesIO()
    soundfile.write(raw, np.array([0.5, -2.0, 1.0]), 8000, format="WAV", subtype="FLOAT")
    answer = talk("upload", raw.getvalue(), filename="hot.wav")
    assert "6.0 dB beyond full scale and was lowered" in answer["text"]
    np.testing.assert_allclose(np.frombuffer(talk.answers[-1][1][0], "<f4"), [0.25, -1.0, 0.5])


@pytest.mark.parametrize("name", ["", "../voice", "my voice", "a" * 41, 3, "voice.wav"])
def test_a_name_must_be_a_plain_file_name(name):
    with pytest.raises(ValueError, match="letters, digits"):
        listening.recorder(name)


@pytest.mark.parametrize("seconds", [0, 61, True, "10", float("nan")])
def test_the_length_must_lie_between_1_and_60_s(seconds):
    with pytest.raises(ValueError, match="between 1 and 60"):
        listening.recorder(seconds=seconds)


def test_the_recorders_stored_text_does_not_depend_on_a_recording(talk):
    before = talk.widget.stored_text()
    talk("save", np.zeros(10, dtype=np.float32).tobytes(), sr=8000)
    assert (
        talk.widget.stored_text()
        == before
        == "recorder: my_voice.wav, up to 10 s. Run this cell to record."
    )
    assert len(talk.widget.stored_picture()) < 25_000
