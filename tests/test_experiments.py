"""The experiments as a learner keeps them: saved at every answer, taken up again, never mixed with
a simulation.
"""

import base64
import csv
import io

import numpy as np
import pytest
from PIL import Image

from helpers import experiments, figures
from helpers.experiments.bisection import SimulatedBisector
from helpers.experiments.staircases import SimulatedEar

ISO40 = {125: 20.4, 1000: 0.0, 4000: -3.3}
MAKERS = [experiments.equal_loudness, experiments.bisect_pitch, experiments.tone_in_noise]
LISTENERS = {
    "loudness": lambda: SimulatedEar(ISO40.get, seed=4),
    "pitch": lambda: SimulatedBisector("Bark", seed=4),
    "masking": lambda: experiments.SimulatedDetector(seed=4),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EARUP_RESULTS", raising=False)
    return tmp_path


def send(experiment, **message):
    """What the page's message does, by the way the page's messages take."""
    experiment._handle_custom_msg(message, [])


def answer(experiment, n=1000):
    """Answer up to `n` trials as the page does."""
    listener = LISTENERS[experiment.spec["kind"]]()
    send(experiment, do="begin")
    while experiment.screen["at"] == "trial" and n:
        screen = experiment.screen
        played = [tone["db"] for tone in screen.get("tones", [])]
        send(experiment, do="answer", n=screen["n"], answer=listener.answer(screen), played=played)
        n -= 1
    return experiment


def rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0], list(csv.DictReader(io.StringIO("\n".join(lines[1:]))))


@pytest.mark.parametrize("make", MAKERS)
def test_every_answer_is_saved_and_a_new_kernel_goes_on_where_it_stopped(make, folder):
    first = answer(make(name="mine", seed=1), n=3)
    head, saved = rows(folder / "ear_mine.csv")
    assert len(saved) == 3 and head.startswith("# earup ear experiment, version 1")
    again = make(name="mine", seed=77)
    assert again.procedure.rows == first.procedure.rows
    assert (
        again.screen["at"] == "start"
        and again.screen["go"] == f"Go on at 4 of {again.procedure.of}"
    )
    with pytest.raises(ValueError, match=f"3 of {again.procedure.of} trials"):
        _ = again.result
    answer(again)
    assert (
        again.screen["at"] == "done"
        and again.screen["words"] == again.words
        and again.picture[:4] == b"\x89PNG"
    )
    finished = make(name="mine")
    assert finished.screen["at"] == "done" and finished.words == again.words
    assert not list(folder.glob("*.part"))


def test_the_environment_says_where_results_lie(folder, monkeypatch):
    monkeypatch.setenv("EARUP_RESULTS", str(folder / "results"))
    answer(experiments.bisect_pitch(name="there", seed=1), n=1)
    assert [path.name for path in (folder / "results").iterdir()] == ["ear_there.csv"]


def test_without_a_name_nothing_is_written(folder):
    answer(experiments.bisect_pitch(name=None, seed=1))
    assert not list(folder.iterdir())


@pytest.mark.parametrize("make", MAKERS)
def test_a_changed_volume_begins_anew_and_loses_nothing(make, folder):
    experiment = answer(make(name="mine", seed=1), n=3)
    send(experiment, do="volume")
    assert (
        experiment.screen["at"] == "start"
        and experiment.screen["go"] == "Start"
        and not experiment.procedure.rows
    )
    assert "You changed the volume" in experiment.note
    assert (
        len(rows(folder / "ear_mine.earlier-1.csv")[1]) == 3
        and not (folder / "ear_mine.csv").exists()
    )


@pytest.mark.parametrize(
    "text", ["", "hello", "# earup ear experiment, version 1, kind loudness, test x\ntrial\n"]
)
def test_a_file_that_does_not_fit_is_set_aside(folder, text):
    (folder / "ear_mine.csv").write_text(text, encoding="utf-8")
    experiment = experiments.equal_loudness(name="mine")
    assert (
        not experiment.procedure.rows and "the old answers are kept in ear_mine." in experiment.note
    )
    assert len(list(folder.glob("ear_mine.*-1.csv"))) == 1


def test_another_mode_does_not_go_on_with_these_answers(folder):
    answer(experiments.bisect_pitch(name="mine", seed=1), n=2)
    other = experiments.bisect_pitch("full", name="mine")
    assert not other.procedure.rows and (folder / "ear_mine.earlier-1.csv").exists()


def test_an_answer_counts_once_and_only_for_its_own_trial():
    experiment = answer(experiments.equal_loudness(name=None, seed=1), n=2)
    played = [tone["db"] for tone in experiment.screen["tones"]]
    for n in (1, 2, 4, None):
        send(experiment, do="answer", n=n, answer=1, played=played)
    assert len(experiment.procedure.rows) == 2 and experiment.screen["n"] == 3


def test_a_tone_that_the_page_held_back_is_not_counted():
    experiment = answer(experiments.equal_loudness(name=None, seed=1), n=2)
    played = [tone["db"] - 3 for tone in experiment.screen["tones"]]
    send(experiment, do="answer", n=3, answer=1, played=played)
    send(experiment, do="answer", n=3, answer=1)
    assert len(experiment.procedure.rows) == 2 and "does not count" in experiment.note


def test_late_messages_do_no_harm():
    experiment = answer(experiments.bisect_pitch(name=None, seed=1))
    given = list(experiment.procedure.rows)
    for message in (
        {"do": "begin"},
        {"do": "answer", "n": 7, "answer": 500.0},
        {"do": "nonsense"},
        {},
    ):
        send(experiment, **message)
    assert experiment.procedure.rows == given and experiment.screen["at"] == "done"


@pytest.mark.parametrize("make", MAKERS)
def test_a_simulated_listener_is_labelled_and_leaves_your_answers_alone(make, folder):
    experiment = answer(make(name="mine", seed=1), n=3)
    before = (folder / "ear_mine.csv").read_bytes()
    send(experiment, do="simulate")
    assert (
        experiment.screen["words"][0] == "A simulated listener, not you."
        and "Nothing was saved" in experiment.note
    )
    assert (folder / "ear_mine.csv").read_bytes() == before
    send(experiment, do="again")
    assert (
        experiment.screen["go"] == f"Go on at 4 of {experiment.procedure.of}"
        and not experiment.simulated
    )
    unsaved = answer(make(name=None, seed=1), n=3)
    with pytest.raises(ValueError, match="no file keeps"):
        unsaved.simulate()


def test_the_page_is_told_the_same_limits():
    known = {
        125: -13.6,
        250: -17.7,
        500: -24.9,
        1000: -28.0,
        2000: -28.8,
        4000: -31.3,
        8000: -16.4,
    }  # dBFS
    for make in MAKERS:
        table = make("full", name=None).spec["table"]
        told = {freq: ceiling for freq, ceiling, _ in table}
        assert {freq: told[freq] for freq in known} == pytest.approx(known, abs=0.1)
        for freq, ceiling, level in table:
            assert level + 5.98 < ceiling <= -7.5 and 125 <= freq <= 8000
        assert (
            np.abs(np.diff([level for *_, level in table])).max() < 0.5
        )  # fine enough to be read without a line


def test_the_words_of_the_start_say_what_has_to_be_said():
    for make in MAKERS:
        spec = make(name=None).spec
        assert all(
            word in spec["intro"]
            for word in ("not a hearing test", "Escape", "minutes", "quiet speech")
        )
        assert spec["tone_ms"] == 400


@pytest.mark.parametrize("mode", ["quick", "full"])
def test_the_time_promised_is_kept(mode):
    """Sound and pauses of all trials, and 0.9 s for each decision."""
    experiment = experiments.equal_loudness(mode, name=None)
    spec = experiment.spec
    seconds = experiment.procedure.of * (
        (spec["lead_ms"] + 2 * spec["tone_ms"] + spec["gap_ms"]) / 1000 + 0.9
    )
    assert seconds < {"quick": 120, "full": 330}[mode]


def test_points_are_drawn_where_the_result_says(folder):
    experiment = experiments.equal_loudness(name=None, seed=1).simulate(LISTENERS["loudness"]())
    ax = experiment.figure().axes[0]
    markers = [line for line in ax.lines if line.get_marker() == "D"]
    drawn = sorted((float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in markers)
    result = experiment.result
    freqs, levels, _ = result.points
    np.testing.assert_allclose(drawn, np.column_stack([freqs, levels - result.offset_db]))
    assert {line.get_color() for line in markers} == {figures.colour("prediction")}
    texts = " ".join(text.get_text() for text in [*experiment.figure().texts, *ax.texts])
    assert "a simulated listener" in texts and "40 phon" in texts and "125 Hz needs" in texts


def test_middles_are_drawn_over_every_scale():
    experiment = experiments.bisect_pitch("full", name=None, seed=1).simulate(LISTENERS["pitch"]())
    ax = experiment.figure().axes[0]
    (own,) = [line for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(own.get_ydata(), experiment.result.points[0])
    for scale in ("linear", "mel (HTK)", "mel (Slaney)", "Bark", "ERB-rate", "octaves"):
        assert scale in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("make", MAKERS)
def test_a_stored_notebook_shows_the_same_words_and_a_small_picture(make):
    shown = [make()._repr_mimebundle_() for _ in range(2)]
    first, second = (bundle[0] if isinstance(bundle, tuple) else bundle for bundle in shown)
    assert first["text/plain"] == second["text/plain"] and first["text/plain"].endswith(
        "Run this cell to take it."
    )
    raw = base64.b64decode(first["image/png"])
    assert len(raw) < 25_000 and Image.open(io.BytesIO(raw)).format == "PNG"


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("bad", "names"), [({"mode": "slow"}, "quick, full"), ({"name": "../x"}, "file name")]
)
def test_bad_arguments_are_refused(make, bad, names):
    with pytest.raises(ValueError, match=names):
        make(**bad)
