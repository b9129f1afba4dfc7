"""Blind tests without a browser: what is refused, how levels are made equal, and how answers
survive.
"""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from helpers import loudness, metrics, psychophysics
from helpers._storage import AnswerFile
from helpers.listening import blind, stimuli
from helpers.psychophysics import SimulatedListener

SR = 16_000
RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(SR) * 0.05


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EARUP_RESULTS", raising=False)


def tone(freq, amp=0.1, seconds=1.0, sr=SR):
    return amp * np.sin(2 * np.pi * freq * np.arange(round(seconds * sr)) / sr)


def abx(name=None, **changed):
    return blind.blind_test(
        "abx", {"low": tone(440), "high": tone(880, 0.2)}, sr=SR, name=name, **changed
    )


def items(n=6):
    return {
        f"clip{i}": {"reference": NOISE, "dull": NOISE * 0.5, "rough": np.roll(NOISE, i + 1)}
        for i in range(n)
    }


def mushra(n=6, name=None, **changed):
    return blind.blind_test("mushra", items(n), sr=SR, name=name, **changed)


def answer(test, *right):
    """Give ABX answers as the page does: the whole list, one longer each time."""
    for is_right in right:
        row = {"trial": len(test.answers) + 1, "x": "A", "answer": "A" if is_right else "B"}
        test.answers = [*test.answers, row]


def played(test, item=0):
    """Return name -> samples as the browser gets them."""
    tracks = test.sounds[item]["tracks"]
    return {
        t["name"]: np.stack([np.frombuffer(c, "<f4") for c in t["channels"]]).squeeze()
        for t in tracks
    }


# ---- what is refused ----

GOOD = {"a": tone(440), "b": tone(880)}


@pytest.mark.parametrize(
    ("tracks", "changed", "says"),
    [
        ({"a": tone(440)}, {}, "abx compares 2 tracks, got 1"),
        (GOOD | {"c": tone(500)}, {}, "abx compares 2 tracks, got 3"),
        ({"a": tone(440)}, {"kind": "rank"}, "2 to 9"),
        ({"a": tone(440), "b": tone(880, seconds=0.5)}, {}, r"differ in shape.*resample"),
        ({"a": tone(440), "b": np.stack([tone(880)] * 2)}, {}, "differ in shape"),
        ({"a": (tone(440), 8000), "b": tone(880)}, {}, r"'a' is a pair.*sr=16000"),
        ({"a": tone(440), "b": np.zeros(SR)}, {}, "'b' is silent"),
        ({"a": tone(440), "b": np.full(SR, np.nan)}, {}, "'b'.*NaN"),
        ({"a": tone(440), "b": (tone(880) * 32767).astype(np.int16)}, {}, "int16"),
        ({"a": tone(440, 0.95), "b": tone(880, 0.95)}, {}, "gain_db=-"),
        (GOOD, {"n_trials": 4}, "n_trials=4"),
        (GOOD, {"n_trials": 101}, "n_trials=101"),
        (GOOD, {"n_trials": 16.0}, "n_trials=16.0"),
        (GOOD, {"kind": "AB"}, "'AB'; choose from abx, rank, mushra"),
        (GOOD, {"match": "peak"}, "match='peak'"),
        (GOOD, {"gain_db": np.inf}, "gain_db"),
        (GOOD, {"name": "../x"}, "letters, digits"),
        (GOOD, {"sr": 100}, "sr=100"),
        (GOOD, {"kind": "mushra"}, "dict of items"),
        (items(5), {"kind": "mushra"}, "5 items are too few.*take 6"),
        (
            items() | {"clip5": {"reference": NOISE, "dull": NOISE}},
            {"kind": "mushra"},
            "'clip5'.*the same ones",
        ),
        ({k: {"dull": NOISE, "rough": NOISE} for k in items()}, {"kind": "mushra"}, "'reference'"),
        (
            {k: v | {"low anchor": NOISE} for k, v in items().items()},
            {"kind": "mushra"},
            "made here",
        ),
        (items(), {"kind": "mushra", "sr": 8000}, "anchor needs sr above"),
    ],
)
def test_bad_tests_are_refused_with_a_remedy(tracks, changed, says):
    with pytest.raises(ValueError, match=says):
        blind.blind_test(
            changed.get("kind", "abx"),
            tracks,
            **({"sr": SR} | {k: v for k, v in changed.items() if k != "kind"}),
        )


def test_two_equal_tracks_are_allowed_in_abx():
    same = played(blind.blind_test("abx", {"one": NOISE, "two": NOISE}, sr=SR))
    np.testing.assert_array_equal(same["one"], same["two"])


# ---- levels ----


@pytest.mark.parametrize("match", ["loudness", "rms"])
def test_the_louder_track_is_lowered_and_the_quieter_one_left(match):
    sounds = played(abx(match=match))
    level = metrics.level_db if match == "rms" else lambda y: loudness.integrated_loudness(y, sr=SR)
    assert level(sounds["low"]) == pytest.approx(level(sounds["high"]), abs=0.01)
    np.testing.assert_allclose(sounds["low"], tone(440), atol=1e-7)
    assert np.abs(sounds["high"]).max() < 0.2


def test_the_note_says_how_far_each_track_moved():
    assert (
        abx(match="rms").note
        == "Lowered to the RMS level of the quietest: low 0.0 dB, high -6.0 dB."
    )
    assert "reference -6.0 dB, dull 0.0 dB, rough -6.0 dB" in mushra(match="rms").note
    assert "known by its level" in abx(match=None).note


def test_a_sound_too_short_for_loudness_is_matched_by_rms():
    short = {"a": tone(440, 0.1, 0.2), "b": tone(880, 0.2, 0.2)}
    test = blind.blind_test("abx", short, sr=SR)
    assert "RMS level" in test.note
    assert metrics.level_db(played(test)["a"]) == pytest.approx(
        metrics.level_db(played(test)["b"]), abs=1e-3
    )


@pytest.mark.parametrize("match", ["loudness", "rms", None])
def test_stereo_keeps_its_balance(match):
    pair = {
        "a": np.stack([tone(440), tone(440, 0.05)]),
        "b": np.stack([tone(880, 0.2), tone(880, 0.1)]),
    }
    sounds = played(blind.blind_test("abx", pair, sr=SR, match=match))
    for y in sounds.values():
        assert metrics.level_db(y[0]) - metrics.level_db(y[1]) == pytest.approx(
            20 * np.log10(2), abs=1e-3
        )


# ---- anchors ----


@pytest.mark.parametrize("sr", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("cutoff", [3500.0, 7000.0])
def test_an_anchor_keeps_the_pass_band_and_drops_the_rest(sr, cutoff):
    impulse = np.zeros(4096)
    impulse[2048] = 1.0
    response = stimuli.anchor(impulse, sr=sr, cutoff=cutoff)
    np.testing.assert_allclose(
        response[1:], response[1:][::-1], atol=1e-12
    )  # symmetric about the impulse: no delay
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(response, 1 << 16)) + 1e-12)
    freqs = np.fft.rfftfreq(1 << 16, 1 / sr)
    assert np.abs(gain_db[freqs <= cutoff]).max() < 0.1  # ITU-R BS.1534: ripple in the pass band
    assert gain_db[freqs >= cutoff + 500].max() < -50  # and this only from 1 kHz above it on


def test_anchors_belong_to_the_matched_reference():
    sounds = played(mushra(match="rms"))
    for name, cutoff in (("low anchor", 3500), ("mid anchor", 7000)):
        spectrum, wanted = (np.abs(np.fft.rfft(sounds[key])) for key in (name, "reference"))
        band = np.fft.rfftfreq(SR, 1 / SR) < cutoff - 500
        assert np.sqrt(np.mean(spectrum[band] ** 2) / np.mean(wanted[band] ** 2)) == pytest.approx(
            1, abs=0.01
        )


def test_an_anchor_of_stereo_is_that_of_each_channel():
    y = np.stack([NOISE, NOISE[::-1]])
    both = stimuli.anchor(y, sr=SR, cutoff=3500.0)
    np.testing.assert_allclose(
        both, [stimuli.anchor(c, sr=SR, cutoff=3500.0) for c in y], atol=1e-12
    )


def test_the_reference_comes_first_wherever_it_was_listed():
    turned = {item: dict(reversed(sounds.items())) for item, sounds in items().items()}
    assert next(iter(played(blind.blind_test("mushra", turned, sr=SR)))) == "reference"


def test_a_test_in_which_nothing_can_be_shown_says_so():
    three = {k: v | {"thin": NOISE * 0.9} for k, v in items().items()}
    assert "at least 7 items" in blind.blind_test("mushra", three, sr=SR).note
    assert "items are needed" not in mushra().note


# ---- answers: saved, resumed, never lost ----


def test_every_answer_is_on_disk_at_once(tmp_path):
    test = abx("notes")
    assert not list(tmp_path.iterdir())
    for n in range(1, 4):
        answer(test, True)
        head, columns, *rows = (tmp_path / "blind_notes.csv").read_text().splitlines()
        assert "version 1" in head and columns == "trial,x,answer" and len(rows) == n == test.saved
    assert [p.name for p in tmp_path.iterdir()] == ["blind_notes.csv"]


def test_a_new_object_goes_on_where_the_last_one_stopped():
    answer(abx("go"), True, False, True)
    test = abx("go")
    assert len(test.answers) == 3 and test.saved == 3 and "3 of 16" in test.result
    answer(test, *[True] * 13)
    assert abx("go").done and abx("go").result.startswith("15 of 16 right")


def test_ratings_and_order_survive_too():
    listener = SimulatedListener(
        quality={"dull": 40, "rough": 70, "low anchor": 10, "mid anchor": 20}, noise=5
    )
    first, again = mushra(name="rate").simulate(listener), mushra(name="rate")
    assert again.answers == first.answers and again.report == first.report != ""
    ranked = blind.blind_test("rank", GOOD, sr=SR, name="rank").simulate(
        SimulatedListener(quality={"a": 10})
    )
    assert blind.blind_test("rank", GOOD, sr=SR, name="rank").order == ranked.order == ["b", "a"]


CHANGES = [{"n_trials": 20}, {"match": "rms"}, {"gain_db": -3.0}]


@pytest.mark.parametrize("changed", CHANGES)
def test_a_changed_test_starts_anew_and_keeps_the_old_answers(tmp_path, changed):
    answer(abx("x"), True)
    old = (tmp_path / "blind_x.csv").read_text()
    test = abx("x", **changed)
    assert (
        test.answers == [] and "have changed" in test.note and "blind_x.earlier-1.csv" in test.note
    )
    answer(test, True, True)
    assert (tmp_path / "blind_x.earlier-1.csv").read_text() == old
    assert len((tmp_path / "blind_x.csv").read_text().splitlines()) == 4


def test_a_changed_sound_starts_anew():
    answer(abx("x"), True)
    other = {"low": tone(440), "high": tone(881, 0.2)}
    assert "have changed" in blind.blind_test("abx", other, sr=SR, name="x").note


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "hello",
        lambda text: text.replace("trial,x,answer", "trial,answer"),
        lambda text: text.replace("2,A,B", "3,A,B"),
        lambda text: text.replace("2,A,B", "2,A,C"),
        lambda text: text.replace("2,A,B", "2,A"),
        lambda text: text.replace("2,A,B", "two,A,B"),
        lambda text: text[:-3] + "\x00\x00",
        lambda text: text + "".join(f"{n},A,A\n" for n in range(3, 40)),
        lambda text: text.encode() + b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_set_aside_and_not_lost(tmp_path, spoil):
    answer(abx("x"), True, False)
    path = tmp_path / "blind_x.csv"
    spoiled = spoil(path.read_text())
    spoiled = spoiled if isinstance(spoiled, bytes) else spoiled.encode()
    path.write_bytes(spoiled)
    test = abx("x")
    assert test.answers == [] and "could not be read" in test.note
    assert (tmp_path / "blind_x.damaged-1.csv").read_bytes() == spoiled and not path.exists()
    path.write_text("again")
    assert "blind_x.damaged-2.csv" in abx("x").note


def test_a_second_go_keeps_the_first(tmp_path):
    test = abx("x", n_trials=5)
    answer(test, *[True] * 5)
    test.answers = []
    assert (
        "blind_x.earlier-1.csv" in test.note
        and not test.done
        and abx("x", n_trials=5).answers == []
    )
    answer(test, *[False] * 5)
    assert test.result.startswith("0 of 5") and len(list(tmp_path.iterdir())) == 2


def test_without_a_name_nothing_is_written(tmp_path):
    test = abx()
    answer(test, True)
    test.answers = []
    assert test.file == "" and not list(tmp_path.iterdir())


def test_the_environment_names_another_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EARUP_RESULTS", str(tmp_path / "deep" / "results"))
    answer(abx("x"), True)
    assert (tmp_path / "deep" / "results" / "blind_x.csv").is_file()


def test_a_folder_that_cannot_be_written_is_reported_and_the_test_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EARUP_RESULTS", str(tmp_path / "file"))
    test = abx("x", n_trials=5)
    answer(test, *[True] * 5)
    assert "could not be saved" in test.fault and test.saved == 0 and test.done


@pytest.mark.parametrize(
    "rows",
    [
        [{"trial": 2, "x": "A", "answer": "A"}],
        [{"trial": 1, "x": "A", "answer": "C"}],
        [{"trial": n + 1, "x": "A", "answer": "A"} for n in range(17)],
    ],
)
def test_what_cannot_be_an_answer_is_not_saved(tmp_path, rows):
    test = abx("x")
    test.answers = rows
    assert not list(tmp_path.iterdir()) and test.saved == 0


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    test = abx("x")
    answer(test, True)
    before = (tmp_path / "blind_x.csv").read_text()
    monkeypatch.setattr(
        "os.replace", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    answer(test, True)
    assert "No space left" in test.fault
    assert [p.name for p in tmp_path.iterdir()] == ["blind_x.csv"] and (
        tmp_path / "blind_x.csv"
    ).read_text() == before


def test_names_with_commas_and_quotes_come_back(tmp_path):
    file = AnswerFile("n", kind="rank", key="k", columns={"rank": int, "track": str})
    rows = [{"rank": 1, "track": 'a "quoted", name'}, {"rank": 2, "track": "Größe"}]
    file.save(rows)
    assert file.load(lambda found: True) == (rows, "")


# ---- no peeking; results ----


def test_no_score_before_the_end():
    test = abx()
    answer(test, *[True] * 15)
    for text in (test.result, repr(test), str(test), test.stored_text(), test.report, test.note):
        assert "right" not in text and "15 of 15" not in text and "p =" not in text
    answer(test, False)
    assert test.result == psychophysics.abx_verdict(15, 16)


def test_no_order_and_no_ratings_before_the_end():
    with pytest.raises(ValueError, match="at the end"):
        _ = mushra().ratings
    with pytest.raises(ValueError, match="at the end"):
        _ = abx().order


def test_the_page_can_count_without_a_kernel():
    assert abx().verdicts == [psychophysics.abx_verdict(k, 16) for k in range(17)]


@pytest.mark.parametrize("ability", [0.5, 0.9])
def test_simulated_listeners_pass_the_widget_as_often_as_stated(ability):
    test, listener, runs = abx(), SimulatedListener(p_correct=ability, seed=11), 400
    found = 0
    for _ in range(runs):
        test.simulate(listener)
        found += "told A from B" in test.result
        test.answers = []
    stated = psychophysics.abx_power(16, ability)
    assert abs(found / runs - stated) < 4 * np.sqrt(stated * (1 - stated) / runs)


def test_x_is_a_as_often_as_b():
    test = abx(n_trials=100).simulate(SimulatedListener(seed=2))
    assert abs(sum(row["x"] == "A" for row in test.answers) - 50) < 20


def test_simulated_ratings_and_ranks_show_the_quality():
    quality = {"dull": 30, "rough": 60, "low anchor": 5, "mid anchor": 15}
    test = mushra(8).simulate(SimulatedListener(quality=quality, noise=3, seed=1))
    for name, worth in quality.items():
        assert test.ratings[name].mean() == pytest.approx(worth, abs=4)
    assert "dull minus rough" in test.result and "this listener heard a difference" in test.result
    assert "simulated listener" in test.note
    letters = [row["letter"] for row in test.answers if row["condition"] == "reference"]
    assert len(set(letters)) > 1  # hidden behind another letter in other items


def test_a_simulated_listener_does_not_mix_with_answers_of_yours():
    test = abx("mine")
    answer(test, True)
    with pytest.raises(ValueError, match="answers already"):
        test.simulate(SimulatedListener())


@pytest.mark.parametrize("make", [abx, mushra])
def test_a_stored_notebook_shows_the_same_words_and_a_small_picture(make):
    shown = [make()._repr_mimebundle_() for _ in range(2)]
    first, second = (bundle[0] if isinstance(bundle, tuple) else bundle for bundle in shown)
    assert (
        first["text/plain"] == second["text/plain"]
        and "Run this cell to take it." in first["text/plain"]
    )
    png = first["image/png"]
    raw = base64.b64decode(png) if isinstance(png, str) else png
    assert len(raw) < 25_000 and Image.open(io.BytesIO(raw)).format == "PNG"
