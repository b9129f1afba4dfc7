"""How a check names the way from a right result to a wrong one, with functions written for it."""

import math

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers import coursework
from helpers.coursework import catalogue, feedback, stale, store
from helpers.coursework.checking import Check, Probe, Result

TEXTS = {"right": "Yes."}


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(store, "_waiting", [])


def probes():
    """Return random values of both signs, none of them whole, in several lengths."""
    calls = [(np.random.default_rng(n).uniform(-9, 9, n), 8000 + n) for n in (5, 8, 13)]
    return [Probe(args, f"{len(args[0])} values") for args in calls]


def positive():
    """Return the same, above 0."""
    return [Probe((np.abs(p.args[0]) + 0.1, p.args[1]), p.say) for p in probes()]


def truth(x, sr):
    return 2 * x


def says(fn, source=probes):
    result = Check(source, truth, (), 1e-6)(fn, TEXTS)
    assert result.outcome == "not yet"
    return result.says


VALUES = {
    "wrong sign": lambda x: -x,
    "1000 times": lambda x: 1000 * x,
    "1/1000 of": lambda x: x / 1000,
    "100 times": lambda x: 100 * x,
    "1/3.142 of": lambda x: x / math.pi,
    "3.7 times": lambda x: 3.7 * x,
    "with the sign turned round": lambda x: -3.7 * x,
    "degrees stand where radians": np.degrees,
    "ln(10)": lambda x: x * math.log(10),
    "too large by the same number, 3": lambda x: x + 3,
    "too small by the same number, 0.25": lambda x: x - 0.25,
    "order is reversed": lambda x: x[::-1],
    "one place too late": lambda x: np.roll(x, 1),
    "one place too early": lambda x: np.roll(x, -1),
    "another order": np.sort,
    "rounded to whole numbers": np.round,
    "rounded down": np.floor,
    "lose what comes after": np.trunc,
    "rounded to 2 digits": lambda x: np.round(x, 2),
    "rounded to 1 digit after": lambda x: np.round(x, 1),
    "the square of": np.square,
    "the sign (or the phase) is lost": np.abs,
    "comes out as 0": lambda x: np.maximum(x, 0),
    "1 minus": lambda x: 1 - x,
    "1 over": lambda x: 1 / x,
    "The last value is missing": lambda x: x[:-1],
    "The first value is missing": lambda x: x[1:],
    "The last value is too many": lambda x: np.append(x, 0),
    "The first value is too many": lambda x: np.append(0, x),
    "first and the last value are missing": lambda x: x[1:-1],
    "always one value more": lambda x: np.linspace(0, 1, len(x) + 1),
    "the number of values": lambda x: np.ones(7) * x[0],
    "only an axis of length 1": lambda x: x[None],
    "Fewer numbers come out": np.sum,
    "take their real part, `.real`": lambda x: x + 0j,
    "True and False": lambda x: x > 0,
    "make numbers of it, `.astype(float)`": lambda x: x.astype(object),
    "of objects or texts": lambda x: x.astype(str),
    "things that are no numbers: look for None": lambda x: np.array([None, *x[1:]], dtype=object),
    "list of the right numbers": lambda x: list(x),
    "All values but the first": lambda x: np.append(0.5, x[1:]),
    "All values but the last": lambda x: np.append(x[:-1], 0.5),
    "Only the first value is right": lambda x: x * (1 + np.arange(len(x)) ** 2 / 7),
    "off by the same number": lambda x: x - x.mean(),
    "You are near": lambda x: x + 1e-4 * np.sin(x),
}


@pytest.mark.parametrize("words", VALUES)
def test_a_relation_is_named(words):
    assert words in says(lambda x, sr: VALUES[words](truth(x, sr)))


POSITIVE = {
    "20·log10": lambda x: 20 * np.log10(x),
    "10·log10": lambda x: 10 * np.log10(x),
    "amplitude ratios": lambda x: 10 ** (x / 20),
    "power ratios": lambda x: 10 ** (x / 10),
    "is log2 of": np.log2,
    "the root of": np.sqrt,
    "take `np.abs`": lambda x: x * np.exp(1j * x),
}


@pytest.mark.parametrize("words", POSITIVE)
def test_a_relation_of_positive_values_is_named(words):
    assert words in says(lambda x, sr: POSITIVE[words](truth(x, sr)), positive)


def test_samples_for_seconds_and_lengths_are_factors_that_an_argument_has():
    text = says(lambda x, sr: truth(x, sr) * sr)
    assert "a factor that is the second argument (8005 at first). Samples instead of" in text
    assert "too small by a factor that is the second argument" in says(lambda x, sr: x * 2 / sr)
    assert "the length of the first argument" in says(lambda x, sr: truth(x, sr) / len(x))


def test_other_axis_transposition_and_exchanged_arguments():
    shapes = ((2, 3), (5, 4), (3, 3))
    arrays = [np.random.default_rng(i).standard_normal(s) for i, s in enumerate(shapes)]
    table = Check(lambda: [Probe((a,), "a table") for a in arrays], lambda a: a.mean(1), (), 1e-9)
    assert "along the other axis" in table(lambda a: a.mean(0), TEXTS).says
    same = Check(lambda: [Probe((a,), "a table") for a in arrays], lambda a: 2 * a, (), 1e-9)
    assert "it is transposed" in same(lambda a: 2 * a.T, TEXTS).says
    pairs = [Probe(p, f"{p}") for p in ((1.0, 2.0), (3.0, 5.0), (2.5, 0.3))]
    minus = Check(lambda: pairs, lambda a, b: a / (b + 1), (), 1e-9)
    text = minus(lambda a, b: b / (a + 1), TEXTS).says
    assert "with the first and the second argument exchanged" in text


def test_one_wrong_value_alone_is_no_evidence():
    off = Check(probes, truth, (("a slip", lambda x, sr: np.append(2 * x[:-1], 1.0)),), 1e-6)

    def wrong_once(x, sr):
        y = truth(x, sr)
        y[-1] = 1.0 if len(x) == 5 else y[-1]
        return y

    assert off(wrong_once, {**TEXTS, "a slip": "Slip."}).says != "Slip."
    assert off(lambda x, sr: np.append(2 * x[:-1], 1.0), {**TEXTS, "a slip": "Slip."}).says == (
        "Slip."
    )


def test_a_slip_that_explains_one_group_only_is_not_named():
    groups = [*probes(), Probe((np.linspace(1.05, 2.1, 6), 16000), "six values", "other")]
    check = Check(lambda: groups, truth, (("slip", lambda x, sr: 2 * np.abs(x)),), 1e-6)
    texts = {**TEXTS, "slip": "Slip."}
    assert check(lambda x, sr: 2 * np.abs(x), texts).says == "Slip."
    half = check(lambda x, sr: 2 * np.abs(x) if sr < 16000 else x, texts)
    assert half.says != "Slip."


@pytest.mark.parametrize("off", [1e-3, 1e-5, 3e-8])
def test_two_numbers_are_never_shown_alike(off):
    check = Check(probes, truth, (), 1e-9)
    text = check(lambda x, sr: truth(x, sr) * (1 + off * np.sin(x)), TEXTS).says
    got, want = text.split(" of your result is ")[1].split(" would be right")[0].split(", and ")
    assert got != want


# ---------------------------------------------------------------- stops, prints, older functions


def test_numpy_is_offered_where_math_or_nothing_stands():
    def one_number(low, high):
        return 12 * math.log2(high / low)

    def bare(low, high):
        return 12 * log2(high / low)  # noqa: F821

    texts = [coursework.check("12.semitones", fn).says for fn in (one_number, bare)]
    assert "`math.log2` takes one number and got an array; `np.log2` takes a whole" in texts[0]
    assert "write `np.log2`" in texts[1]


def test_prints_are_shown_and_few_of_them():
    def talks(low, high):
        print("shape", low.shape)
        return high

    result = coursework.check("12.semitones", talks)
    assert result.printed.startswith("shape (")
    for shown in (repr(result), result._repr_markdown_(), result._repr_html_()):
        assert "Your function printed" in shown
    many = Result("not yet", "No.", printed="line\n" * 50)
    assert repr(many).count("line") == 6
    assert "returns None: it prints" in coursework.check("12.semitones", lambda a, b: print(a)).says


def test_correct_has_a_colour_and_a_mark_and_the_same_words():
    right = Result("correct", "Here `a < b` & more.")
    page = right._repr_html_()
    assert "✓" in page and "Correct." in page
    assert "<code>a &lt; b</code> &amp; more." in page
    assert repr(right) == "Correct. Here `a < b` & more."
    assert Result("not attempted", "Replace.")._repr_html_() is None


@pytest.mark.parametrize("colour", [colour for _, colour in feedback.LOOKS.values()])
def test_a_mark_is_seen_on_white_and_on_black(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]  # WCAG 2.2
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.05 >= 3


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr(stale, "_shell", lambda: shell)
    shell.run_cell("import numpy as np", store_history=True)
    return shell


OLD = "def semitones(low, high):\n    return high - low\n"


def test_a_function_whose_new_cell_failed_is_called_older(shell, capsys):
    shell.run_cell(OLD, store_history=True)
    shell.run_cell("def semitones(low, high):\n    return 12 *\n", store_history=True)
    text = coursework.check("12.semitones", shell.user_ns["semitones"]).says
    assert text.startswith("The cell that you ran last failed (SyntaxError), so this is about an o")


def test_a_new_function_below_which_a_line_fails_is_new(shell, capsys):
    shell.run_cell(OLD + "1 / 0\n", store_history=True)
    assert "older" not in coursework.check("12.semitones", shell.user_ns["semitones"]).says


def test_a_misspelt_name_is_noticed_and_other_names_are_not(shell):
    shell.run_cell(OLD, store_history=True)
    assert "misspelt" not in coursework.check("12.semitones", shell.user_ns["semitones"]).says
    shell.run_cell("def semitone(low, high):\n    return low\n", store_history=True)
    text = coursework.check("12.semitones", shell.user_ns["semitones"]).says
    assert text.startswith("Since then you have defined `semitone`; what is checked here is")
    shell.run_cell(OLD, store_history=True)
    assert "misspelt" not in coursework.check("12.semitones", shell.user_ns["semitones"]).says


# ---------------------------------------------------------------- unit 22


def test_a_spectrogram_that_is_cut_at_80_db_is_not_accepted():
    librosa = pytest.importorskip("librosa")
    librosa.amplitude_to_db(np.ones(3))  # loaded before the time of a check runs

    def spectrogram_db(y, n_fft, hop_length):
        w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        starts = range(0, len(y) - n_fft + 1, hop_length)
        frames = np.stack([y[s : s + n_fft] for s in starts], axis=1)
        D = np.abs(np.fft.rfft(frames * w[:, None], axis=0)) / (w.sum() / 2)
        return librosa.amplitude_to_db(D)

    exercise = catalogue.exercise("22.spectrogram")
    assert exercise.check(spectrogram_db).says == exercise.texts["cut at 80 dB"]
