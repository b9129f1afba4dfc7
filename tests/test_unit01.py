"""What unit 01 lets you hear, and every number that it states, each worked out another way."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from helpers import audio, coursework
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level, loudest, peak_hz
from tools import notebooks

NAME = "01_arrays_of_sound"
MELODY = [0, 2, 4, 0, 0, 2, 4, 0, 4, 5, 7, None, 4, 5, 7, None]


def notes(y, sr, seconds):
    """The pitch of each note in semitones above 330 Hz, None where it is silent."""
    found = []
    for part in np.split(y, range(round(seconds * sr), len(y), round(seconds * sr))):
        part = np.pad(part * np.hanning(len(part)), (0, 8 * sr))
        quiet = np.abs(part).max() < 1e-3
        found.append(None if quiet else round(12 * math.log2(peak_hz(part, sr) / 330), 1))
    return found


def tracks(unit, name):
    """The tracks of the player that has one of this name."""
    return next(p.tracks for p in unit["players"] if name in p.tracks)


# ---- what is heard ------------------------------------------------------------------------------


def test_the_melody_has_the_notes_of_its_names(unit):
    assert notes(unit["melody"], unit["sr"], 0.25) == MELODY
    assert len(unit["melody"]) == 16 * 4000


def test_a_fifth_is_seven_semitones_by_repeated_roots(unit, page):
    ratio = 1.0
    for _ in range(7):
        ratio *= 2 ** (1 / 12)
    assert f"{440 * ratio:.2f}" == "659.26" and f"{ratio:.4f}" == "1.4983"
    assert "1.4983 is nearly 3 to 2" in page
    heard = notes(
        tracks(unit, "440 Hz, then a fifth above")["440 Hz, then a fifth above"], 16000, 0.5
    )
    assert heard[1] - heard[0] == pytest.approx(7, abs=0.11)


def test_the_scale_is_that_of_the_white_keys(unit):
    heard = notes(tracks(unit, "scale")["scale"], unit["sr"], 0.25)
    assert heard == [0, 2, 4, 5, 7, 9, 11]
    assert notes(tracks(unit, "scale")["every second"], unit["sr"], 0.25) == [0, 4, 7, 11]


def test_a_list_is_repeated_and_an_array_doubled(unit):
    sounds = tracks(unit, "2 * list")
    once = [12 * math.log2(hz / 330) for hz in (330, 415, 494)]
    for name, wanted in (("2 * list", 2 * once), ("2 * array", [n + 12 for n in once])):
        assert notes(sounds[name], unit["sr"], 0.25) == pytest.approx(wanted, abs=0.06)


def test_every_second_sample_is_an_octave_up_and_half_as_long(unit):
    sounds = tracks(unit, "melody[::2]")
    up = [n if n is None else n + 12 for n in MELODY]
    assert notes(sounds["melody[::2]"], unit["sr"], 0.125) == up
    assert 2 * len(sounds["melody[::2]"]) == len(sounds["melody"])
    assert notes(sounds["melody[::-1]"], unit["sr"], 0.25) == MELODY[::-1]
    assert notes(sounds["melody[half:]"], unit["sr"], 0.25) == MELODY[8:]


def test_int16_wraps_as_whole_numbers_modulo_65536_do(unit, page):
    low, high = ([int(x) for x in unit[name]] for name in ("low", "high"))
    sums = [a + b for a, b in zip(low, high, strict=True)]
    wrapped = [(s + 32768) % 65536 - 32768 for s in sums]
    assert unit["both"].tolist() == wrapped
    shown = sums[:240]
    crest = max(shown)
    said = [f"{n:,}".replace(",", " ").replace("-", "−") for n in (crest, crest - 65536)]
    assert "crest would be {}. It becomes {}, which is 65 536 less".format(*said) in page


def test_a_view_silences_its_original_and_a_copy_does_not(unit):
    assert not unit["tune"][:32000].any()
    np.testing.assert_array_equal(unit["tune"][32000:], unit["melody"][32000:])
    np.testing.assert_array_equal(unit["careful"], unit["melody"])


def test_pluck_and_swell_are_mirror_images(unit):
    sounds = tracks(unit, "swell")
    envelope = {k: np.abs(y.reshape(-1, 400)).max(axis=1) for k, y in sounds.items()}
    np.testing.assert_allclose(envelope["pluck"][::-1], envelope["swell"], atol=0.012)
    beats = np.sum(np.diff((envelope["pulse"] > 0.1).astype(int)) == 1)
    assert beats == 6 - 1  # it pulses six times, and the first begins above the limit


def test_the_canon_follows_itself_eight_notes_later(unit):
    left, right = unit["canon"]
    np.testing.assert_array_equal(left[:64000], right[32000:])
    assert not right[:32000].any() and not left[64000:].any()
    np.testing.assert_allclose(
        unit["mono"], [(a + b) / 2 for a, b in zip(left, right, strict=True)]
    )


def test_reversed_rows_keep_their_envelopes_and_reversed_samples_do_not(unit):
    sounds = tracks(unit, "rows reversed")
    for name, early_is_loud in (
        ("plucked", True),
        ("rows reversed", True),
        ("samples reversed", False),
    ):
        first = next(n for n in np.split(sounds[name], 16) if np.abs(n).max() > 0.01)
        assert (np.abs(first[:2000]).max() > np.abs(first[2000:]).max()) == early_is_loud
    heard = notes(sounds["rows reversed"], unit["sr"], 0.25)
    assert heard == notes(sounds["samples reversed"], unit["sr"], 0.25)
    assert [n is None for n in heard] == [n is None for n in MELODY[::-1]]


def test_the_side_holds_no_voice(unit):
    side, left, right = unit["side"], *unit["canon"][:, : len(unit["voice"])]
    np.testing.assert_allclose(side, 0.25 * (left - right), atol=1e-7)
    voice = unit["voice"] / np.linalg.norm(unit["voice"])
    assert abs(side @ voice) < 0.02 * np.linalg.norm(side)
    assert abs(unit["mid"] @ voice) > 0.5 * np.linalg.norm(unit["mid"])


def test_pauses_are_found_frame_by_frame(unit, page):
    frames = [unit["voice"][k : k + 320].astype(float) for k in range(0, 154 * 320, 320)]
    loud = [math.sqrt(sum(x * x for x in frame) / 320) > 0.01 for frame in frames]
    assert unit["loud"].tolist() == loud and f"{sum(loud)} of 154 frames" in page
    np.testing.assert_array_equal(
        unit["kept"], np.concatenate([f for f, keep in zip(frames, loud, strict=True) if keep])
    )
    levels = [20 * math.log10(math.sqrt(sum(x * x for x in frame) / 320)) for frame in frames]
    assert not any(loud[42:47]) and all(loud[36:42]) and all(loud[47:60])  # 0.84 to 0.94 s
    assert min(levels) == levels[43] and "at 0.9 s the lips are shut for the *p*" in page
    assert -69.5 < levels[43] < max(levels) < -18  # "between about -69 and -19 dBFS"
    assert round(sum(levels[:7]) / 7) == -61 and "about −61 dBFS here" in page
    assert f"{20 * math.log10(0.01):.0f}" == "-40"


def test_most_of_a_frame_of_voice_lies_near_0(unit):
    """What the mask over samples takes out of the middle of loud frames."""
    inside = np.abs(unit["frames"][unit["loud"]]) <= 0.01
    assert 0.1 < inside.mean() < 0.4
    assert len(unit["strong"]) < len(unit["kept"])


def test_the_same_seed_cancels_and_another_adds_3_db(unit):
    noise, same, other = (unit["differences"][k] for k in unit["differences"])
    assert not same.any()
    assert level(other) - level(noise) == pytest.approx(3.01, abs=0.2)


def test_rounded_glides_climb_by_semitones(unit):
    for name, y in tracks(unit, "np.floor").items():
        heard = [n + 0.0 for n in notes(y, unit["sr"], 0.08)]
        exact = [k / 3 for k in range(37)]
        ways = {"np.round": round, "np.floor": math.floor, "np.ceil": math.ceil}
        wanted = [ways.get(name, float)(x) for x in exact]
        assert heard == pytest.approx(wanted, abs=0.15)


def test_primes_are_found_by_counting_divisors(unit, page):
    primes = [n for n in range(60) if sum(n % d == 0 for d in range(1, n + 1)) == 2]
    assert unit["primes"] == primes
    y = tracks(unit, "primes")["primes"].reshape(60, -1)
    assert np.flatnonzero(np.abs(y).max(axis=1) > 0.01).tolist() == primes
    assert [n for n in primes if n % 3 == 0] == [3] and "Only the prime 3 falls on a third" in page


def test_echoes_die_stay_or_grow(unit, page):
    for gain, y in zip((0.6, 1.0, 1.1), unit["row_of"].values(), strict=True):
        parts = np.split(y, 10)
        steps = np.diff([level(part) for part in parts[:5]])
        assert steps == pytest.approx([20 * math.log10(gain)] * 4, abs=0.01)
    strengths = [f"{float(Fraction(g) ** 12):.3g}" for g in ("3/5", "1", "11/10")]
    assert strengths == ["0.00218", "1", "3.14"] and "0.002, 1 and 3.14" in page
    first = next(k for k in range(100) if Fraction(11, 10) ** k > 100)
    assert first == 49 and "100 with the 49th" in page


def test_the_tries_are_those_of_halving_and_throb_by_their_distance(unit, page):
    low, high, middles = Fraction(400), Fraction(500), []
    for _ in range(5):
        middles.append((low + high) / 2)
        low, high = (middles[-1], high) if middles[-1] < 440 else (low, middles[-1])
    assert unit["tries"] == [float(m) for m in middles]
    apart = [f"{float(abs(m - 440)):g}" for m in middles]
    assert "throb {}, {}, {}, {} and {} times a second".format(*apart) in page


def test_scales_of_equal_ratios_and_of_equal_hertz(unit, page):
    assert 110 * (1 + 12 / 8) == 275 and "220 Hz on the blue line, 275 Hz on the orange" in page
    sounds = tracks(unit, "equal hertz")
    even = np.diff(notes(sounds["equal ratios"], unit["sr"], 0.25))
    assert even == pytest.approx([2] * 12, abs=0.21)
    uneven = np.diff(notes(sounds["equal hertz"], unit["sr"], 0.25))
    assert uneven[0] > 2 * uneven[-1]


def test_half_a_turn_turns_a_tune_back_and_upside_down(unit):
    sounds = tracks(unit, "half a turn")
    turned = [None if n is None else 7 - n for n in MELODY[::-1]]
    assert notes(sounds["as it was"], unit["sr"], 0.25) == MELODY
    assert notes(sounds["half a turn"], unit["sr"], 0.25) == turned
    assert notes(sounds["mirrored"], unit["sr"], 0.25) == MELODY[::-1]
    assert notes(sounds["every second column"], unit["sr"], 0.25) == MELODY[::2]


def test_the_figure_to_read_has_its_crests_where_its_words_say(unit):
    crests = [1.6 + 3.2 * k for k in range(5)]
    assert unit["words"] and unit["period"] == pytest.approx(crests[1] - crests[0])
    y = np.cos(2 * np.pi * (unit["fine"] - 1.6) / 3.2)
    tops = [k for k in range(1, 1600) if y[k - 1] < y[k] > y[k + 1]]
    assert unit["fine"][tops] == pytest.approx(crests, abs=0.011)
    assert all(abs(c / 0.4 - round(c / 0.4)) < 1e-9 for c in crests)  # each on a fine line
    heard = tracks(unit, "the figure")["the figure"]
    assert peak_hz(heard, unit["sr"]) == pytest.approx(1000 / 3.2, abs=1)


def test_nothing_is_louder_than_the_first_page_promises(unit):
    quiet = level(audio.clip("arctic_slt")[0])
    for player in unit["players"]:
        for y in player.tracks.values():
            mono = np.atleast_2d(y).mean(axis=0)
            longest = mono if len(mono) > 0.4 * player.sr else np.pad(mono, (0, player.sr))
            assert not mono.any() or loudest(longest, player.sr) <= quiet + 14


@pytest.mark.parametrize(("choice", "strength"), [(0, 0), (1, 1.1**12), (2, 1.1)])
def test_a_guess_about_the_echo_is_drawn_where_it_says(
    unit, choice, strength, monkeypatch, tmp_path
):
    (line,) = pages.drawn_with_guess(unit, "01.grow", choice, tmp_path, monkeypatch)
    assert line.get_xydata().tolist() == [[12, pytest.approx(strength, abs=0.005)]]


# ---- the two stages -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "stop", "step", "count"),
    [(0.4, 1.2, 1, 12800), (0.5, 1.5, 2, 8000), (1.0, 2.0, -1, 16000), (2.0, 1.0, 1, 0)],
)
def test_a_dragged_slice_is_what_its_words_say(unit, start, stop, step, count):
    reply = unit["slice_of"](start, stop, step)
    assert f"has {count} samples: {count / 16000:.2f} s" in reply["readout"]
    places = range(round(16000 * start), round(16000 * stop))
    places = list(places)[::step]
    assert len(places) == count
    if count:
        heard = reply["sound"][100 : count - 100]
        np.testing.assert_allclose(heard, unit["loud_voice"][places][100:-100], atol=1e-6)
        assert reply["piece_s"][-1] < count / 16000 <= reply["piece_s"][-1] * 1.01
    assert np.abs(reply["sound"]).max() <= 10 ** (-12 / 20)
    assert bool(reply["solved"]) == (step == 2 and count == 8000)


def test_the_slice_is_won_by_length_and_step_only(unit):
    met = {
        (stop, step)
        for stop in (1.0, 1.48, 1.5, 1.52, 1.6)
        for step in (1, 2, 3, -1)
        if unit["slice_of"](0.5, stop, step)["solved"]
    }
    assert met == {(1.48, 2), (1.5, 2), (1.52, 2)}


@pytest.mark.parametrize("limit", [-80, -70, -40, -35, -34, -32, -27, -15])
def test_a_dragged_limit_keeps_the_frames_above_it(unit, limit):
    reply = unit["gate"](limit)
    power = np.mean(np.square(unit["voice"][: 154 * 320].astype(float)).reshape(154, 320), axis=1)
    above = np.sqrt(power) + 1e-5 >= 10 ** (limit / 20)
    assert f"{above.sum()} of 154 frames stay" in reply["readout"]
    assert np.isfinite(reply["kept"]).sum() == above.sum()
    assert bool(reply["solved"]) == (70.84 < above.sum() < 83.16)  # 46 to 54 %


def test_the_limit_that_leaves_half_can_be_reached(unit):
    assert any(unit["gate"](limit)["solved"] for limit in np.arange(-80, -14.9, 0.5))


# ---- what the page states -----------------------------------------------------------------------


def test_chapters_of_the_diagnosis_are_those_of_the_page_and_all_can_be_advised(page):
    cells = notebooks.read(notebooks.paths(["01"])[0])["cells"]
    text = "\n".join(notebooks.source(c) for c in cells if c["cell_type"] == "markdown")
    headings = re.findall(r"^## (Chapter \d .*)$", text, re.MULTILINE)
    asked = [question["chapter"] for question in catalogue.diagnosis("01")]
    assert list(dict.fromkeys(asked)) == headings and len(headings) == 8
    assert all(asked.count(chapter) == 2 for chapter in headings)
    minutes = [int(re.search(r"\((\d+) minutes\)", chapter)[1]) for chapter in headings]
    assert all(10 <= m <= 30 for m in minutes)  # by tests/test_minutes.py, to five minutes
    stated = int(re.search(r"(\d+) minutes in eight chapters", page)[1])
    assert abs(sum(minutes) - stated) <= 8 * 2.5  # each is rounded to five minutes


DIAGNOSIS = {q["key"]: q for q in catalogue.unit("01")["diagnosis"]}


@pytest.mark.parametrize("question", DIAGNOSIS.values(), ids=DIAGNOSIS)
def test_a_question_of_the_diagnosis_has_one_key_and_a_reason_for_each_option(question):
    options = question["option"]
    right = [option for option in options if option.get("right")]
    assert len(right) == 1 and 3 <= len(options) <= 4
    for option in options:
        assert len(option["says"].split()) >= 12
        assert option["says"].strip().startswith("Yes: ") == ("right" in option)
        assert ("slip" in option) == ("right" not in option)
        if "compute" in option:
            shown = re.search(r"\d[\d ]*(\.\d+)?", option["text"])[0].replace(" ", "")
            assert eval(option["compute"], {}) == pytest.approx(float(shown))
    assert len({option["text"] for option in options}) == len(options)


def test_keys_of_the_diagnosis_are_spread():
    places = [[bool(o.get("right")) for o in q["option"]].index(True) for q in DIAGNOSIS.values()]
    assert (
        max(places.count(k) for k in range(4)) <= 6 and min(places.count(k) for k in range(4)) >= 2
    )


def test_answers_of_the_diagnosis_are_what_python_says():
    tune, steps = ["do", "re", "mi"], {"do": 0, "re": 2, "mi": 4}
    y = np.arange(1000.0)
    z = y
    z *= 0
    assert 7 // 2 + 7 % 2 == 4 and steps[tune[1]] == 2
    assert len(np.arange(1000)[100:200:2]) == 50 and not y.any()
    assert int((np.array([30000], np.int16) + np.array([10000], np.int16))[0]) == -25536
    assert (np.zeros(3)[:, None] * np.zeros(1000)).shape == (3, 1000)
    assert np.zeros((2, 16000)).mean(axis=0).shape == (16000,)
    assert len(list(range(1, 5))) == 4


def test_the_widget_of_the_diagnosis_keeps_quiet_and_stores_apart_from_the_quiz(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    widget = coursework.diagnosis("01")
    stored = widget.stored_text()
    assert all(
        q["prompt"].replace("`", "")[:40] in " ".join(stored.split()) for q in DIAGNOSIS.values()
    )
    assert "Yes:" not in stored
    widget.answers = {"alias": {"chosen": 1, "tried": [1]}}
    assert coursework.diagnosis("01").answers == {"alias": {"chosen": 1, "tried": [1]}}
    assert coursework.quiz("01").answers == {}
    coursework.reset("01")
    assert coursework.diagnosis("01").answers == {}


NUMBERS = [
    ("150 187", 440 * 2**12 / 12),
    ("696.7", 440 * (1 + 7 / 12)),
    ("1.0595", 2 ** (1 / 12)),
    ("494.4", 330 * 2 ** (7 / 12)),
    ("6.28 times", 2 * math.pi),
    ("0.583", 7 / 12),
    ("513", 440 * 2 * 7 / 12),
    ("1.498", 2 ** (7 / 12)),
    ("0.707", math.sqrt(0.5)),
    ("622", 440 * 2 ** (12 / 24)),
    ("0.125; divide", 0.5 * 0.25),
    ("−25536", 40000 - 65536),
    ("3 dB stronger", 10 * math.log10(2)),
    ("1.33", 1.1**3),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    digits = re.match(r"[−\d. ]*\d", text)[0].replace("−", "-").replace(" ", "")
    assert round(value, len(digits.partition(".")[2])) == float(digits)


def test_small_facts_that_the_page_states(page):
    assert len(np.arange(1, 1.3, 0.1)) == 4 and "should end before 1.3 and have three" in page
    assert 0.57 * 100 < 57  # and so int() cuts it to 56
    assert f"{math.sin(2 * math.pi / 16):.2f}, {math.sin(math.pi / 4):.2f}" == "0.38, 0.71"
    assert (
        f"{math.sin(6 * math.pi / 16):.2f}" == "0.92" and "0, 0.38, 0.71, 0.92, 1 and back" in page
    )
    assert f"{330 * 0.01:.1f}" == "3.3" and "10 ms, 3.3 periods of 330 Hz" in page


# ---- solutions ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def solved():
    """The functions of all solutions by name."""
    return pages.solutions("01")


def test_solutions_agree_with_other_ways_to_the_same(solved, rng):
    for n in (-12, 0, 5, 24):
        assert solved["note_hz"](n) ** 12 == pytest.approx(440.0**12 * 2.0**n)
    assert solved["tune_hz"](["b", "?", "a"], {"a": 12, "b": -12}, 100).tolist() == [50, 0, 200]
    y = rng.standard_normal(500)
    pieces = [solved["cut"](y, 100, k, k + 0.5) for k in np.arange(0, 5, 0.5)]
    np.testing.assert_array_equal(np.concatenate(pieces), y)  # nothing twice, nothing lost
    faded = solved["fade_out"](np.ones(20), 5)
    assert faded.tolist() == [1.0] * 15 + [1, 0.75, 0.5, 0.25, 0]
    t = np.arange(800) / 8000
    lines = np.abs(np.fft.rfft(solved["chord"](np.array([200.0, 500, 900]), t))) / 400
    assert np.flatnonzero(lines > 1e-9).tolist() == [20, 50, 90]
    assert lines[[20, 50, 90]] == pytest.approx(1 / 3)
    stereo = solved["pan"](y, 0.3)
    np.testing.assert_allclose(stereo.sum(axis=0), y)
    assert level(stereo[0]) - level(stereo[1]) == pytest.approx(20 * math.log10(0.7 / 0.3))


def test_an_echo_undone_gives_the_sound_back(solved, rng):
    y = rng.standard_normal(100)
    out = solved["echo"](y, 7, 0.8)
    np.testing.assert_allclose(out[7:] - 0.8 * out[:-7], y[7:], atol=1e-12)
    np.testing.assert_array_equal(out[:7], y[:7])


def test_pauses_safety_tuning_and_reading(solved, rng):
    frames = np.repeat(np.array([0.2, 0.01, 0.3])[:, None], 4, axis=1)
    assert solved["without_pauses"](frames, 0.1).tolist() == [0.2] * 4 + [0.3] * 4
    y = rng.uniform(-1, 1, 50)
    assert np.abs(solved["safe"](y)).max() == pytest.approx(0.25)
    np.testing.assert_array_equal(solved["safe"](0.1 * y), 0.1 * y)
    found = solved["tuned"](lambda x: x * x < 2, 1, 2, 30)  # PCP's own equation
    assert found == pytest.approx(math.sqrt(2), abs=2**-30)
    crests = np.arange(7) / 440 * 1000 + 0.3
    assert solved["read_hz"](crests[0], crests[-1], 7) == pytest.approx(440)


def test_the_teachers_page_counts_the_slips_as_they_are(root):
    page = (root / "data/coursework/01/teach.md").read_text(encoding="utf-8")
    names = {
        re.search(r"def (\w+)", exercise.starter)[1]: key
        for key, exercise in catalogue.exercises("01").items()
    }
    said = re.findall(r"`(\w+)`[^|;]*?, (\d+) slips", page)
    assert len(said) >= 7
    for name, count in said:
        assert int(count) == len(catalogue.checks("01")[names[name]].slips), name
