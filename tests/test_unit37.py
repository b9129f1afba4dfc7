"""What unit 37 lets you hear, and every number that its pages and its coursework state."""

import csv

import numpy as np
import pytest

pytest.importorskip("torch")

from helpers import audio
from tests import pages
from tests.pages import level

NAME = "37_after_the_three"
TABLES = audio.DATA / "tables"
HELDOUT = pages.SHARED / "heldout"


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def of(name, column, **where):
    """One number of a table."""
    (row,) = [r for r in read(name) if all(r[k] == v for k, v in where.items())]
    return float(row[column])


def si_sdr(made, clean):
    """SI-SDR, written out."""
    share = (made @ clean) / (clean @ clean) * clean
    return 10 * np.log10((share @ share) / ((made - share) @ (made - share)))


# ---- masks and filters ---------------------------------------------------------------------------


@pytest.mark.skipif(not (HELDOUT / "manifest.csv").is_file(), reason="needs ../shared/heldout")
def test_the_ceilings_of_the_masks_come_out_of_another_stft_too():
    import librosa
    import soundfile

    found = {"ratio mask": [], "phase-sensitive mask": [], "complex mask to 1": []}
    for path in sorted((HELDOUT / "clean").glob("*.flac")):
        clean, noisy = (soundfile.read(p)[0] for p in (path, HELDOUT / "noisy_05dB" / path.name))
        S, Y = (librosa.stft(y, n_fft=512, hop_length=128) for y in (clean, noisy))
        M = S / np.where(np.abs(Y) > 1e-9, Y, 1)
        masks = [np.abs(S) / np.sqrt(np.abs(S) ** 2 + np.abs(Y - S) ** 2 + 1e-20)]
        masks += [np.clip(M.real, 0, 1), M / np.maximum(np.abs(M), 1)]
        for scores, mask in zip(found.values(), masks, strict=True):
            made = librosa.istft(mask * Y, hop_length=128, length=len(clean))
            scores.append(si_sdr(made, clean))
    for name, scores in found.items():
        stated = of("oracle_masks", "si_sdr", oracle=name, snr_db="5")
        assert np.mean(scores) == pytest.approx(stated, abs=0.15), name


def test_the_page_states_what_the_table_of_ceilings_says():
    for name, db in (
        ("ratio mask", 14.5),
        ("phase-sensitive mask", 16.6),
        ("complex mask to 1", 25.0),
        ("complex mask to 2", 36.7),
        ("complex mask to 10", 54.1),
        ("1 tap held for 2 frames", 21.8),
        ("5 taps held for 10 frames", 20.1),
    ):
        assert of("oracle_masks", "si_sdr", oracle=name, snr_db="5") == pytest.approx(db, abs=0.06)
    five, one = (
        of("oracle_masks", "si_sdr", oracle=f"{n} held for 10 frames", snr_db="5")
        for n in ("5 taps", "1 tap")
    )
    assert five - one == pytest.approx(5.6, abs=0.06)


def test_two_ways_to_the_best_filter_agree(unit):
    """The page solves each bin by least squares, the command all at once by normal equations."""
    from tools.measure import oracles

    rng = np.random.default_rng(0)
    Y, S = rng.normal(size=(2, 4, 40)) + 1j * rng.normal(size=(2, 4, 40))
    ours = unit["best_filter"](Y, S, 3, 10)
    np.testing.assert_allclose(oracles.deep_filter(Y, S, taps=3, hold=10), ours, atol=1e-4)
    past = unit["past"](Y, 3)
    np.testing.assert_array_equal(past[:, 5, 2], Y[:, 3])
    np.testing.assert_array_equal(past[:, 1, 2], 0)


def test_the_worked_example_of_the_mask():
    lengths = 2 / abs(2 + 2j)
    assert lengths == pytest.approx(0.71, abs=0.005)
    assert abs(2j - lengths * (2 + 2j)) == pytest.approx(1.53, abs=0.005)
    assert abs(2j - 0.5 * (2 + 2j)) == pytest.approx(1.41, abs=0.005)


# ---- the flow ------------------------------------------------------------------------------------


def test_the_mean_velocity_of_a_ring_is_a_ratio_of_bessel_functions(unit):
    from scipy.special import ive

    angles = 2 * np.pi * np.arange(2000) / 2000
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = np.random.default_rng(1).normal(size=(40, 2))
    for t in (0.0, 0.3, 0.6):
        length = np.hypot(*x.T)
        kappa = t * length / (1 - t) ** 2
        want = ((ive(1, kappa) / ive(0, kappa) / length)[:, None] * x - x) / (1 - t)
        np.testing.assert_allclose(unit["exact"](x, t, circle), want, atol=1e-9)


def test_one_step_is_the_mean_and_many_reach_the_ring(unit):
    away = {n: np.abs(np.hypot(*x.T) - 1).mean() for n, x in unit["arrived"].items()}
    assert np.abs(unit["arrived"][1].mean(axis=0)).max() < 0.15
    assert away[1] > 0.6 and away[32] < 0.12
    assert away[1] > away[2] > away[4] > away[32]


def test_even_the_exact_mean_leaves_a_loss_of_0_92():
    """From pairs at random, and Bessel functions for the mean."""
    from scipy.special import ive

    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 100_000)
    x1 = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x0 = rng.normal(size=x1.shape)
    t = rng.uniform(0, 0.9999, (len(x1), 1))
    x = (1 - t) * x0 + t * x1
    length = np.hypot(*x.T)
    kappa = t[:, 0] * length / (1 - t[:, 0]) ** 2
    mean = (ive(1, kappa) / ive(0, kappa) / length)[:, None] * x
    loss = np.mean(((mean - x) / (1 - t) - (x1 - x0)) ** 2)
    assert loss == pytest.approx(0.92, abs=0.01)


def test_seven_steps_solve_the_walk_whatever_is_drawn_and_six_nearly(unit):
    for shape in ("a ring", "two answers", "four answers"):
        for draw in ("draw 1", "draw 2", "draw 3"):
            reply = unit["the_walk"](7, shape, draw, False)
            assert reply["solved"], (shape, draw)
            away = unit["away_from"](
                np.stack([reply["end_x"], reply["end"]], axis=1), unit["SHAPES"][shape]
            )
            assert np.mean(away < 0.1) > 0.95


def test_the_walk_is_solved_with_few_steps_and_by_nothing_else(unit):
    walk = unit["the_walk"]
    for shape in ("a ring", "two answers", "four answers"):
        assert walk(6, shape, "draw 1", True)["solved"]
    for steps, shape in ((1, "a ring"), (4, "a ring"), (12, "a ring"), (1, "two answers")):
        assert not walk(steps, shape, "draw 1", False)["solved"], (steps, shape)
    middle = walk(1, "two answers", "draw 2", True)
    assert np.abs(middle["end_x"]).max() < 1e-9  # between the answers, where none is


def test_the_network_of_the_page_is_the_one_that_was_trained(unit):
    import torch

    from tools.training import flow

    theirs = flow.load()
    rng = torch.Generator().manual_seed(5)
    x, noisy = torch.randn(2, 3, 80, 50, generator=rng)
    t = torch.rand(3, generator=rng)
    with torch.no_grad():
        torch.testing.assert_close(unit["model"](x, noisy, t), theirs(x, noisy, t))
    size = sum(p.numel() for p in unit["model"].parameters())
    assert size == 364_208
    assert (audio.DATA / "weights/flow.safetensors").stat().st_size < 1_000_000


def test_a_draw_is_farther_from_the_truth_than_the_mean_of_draws(unit):
    assert 1.5 < unit["ratio"] < 2.3
    many, voice = unit["many"], unit["log_mels"]["voice"]
    one = np.mean([(M - voice) ** 2 for M in many])
    assert one > 1.4 * np.mean((many.mean(axis=0) - voice) ** 2)


def test_draws_differ_most_where_the_rain_is_stronger(unit):
    spreads, misses = unit["spreads"], unit["misses"]
    assert spreads[0] > 1.25 * spreads[-1]
    assert misses[0] > 1.25 * misses[-1]
    assert (round(spreads[0]), round(spreads[-1])) == (11, 6)
    assert (round(misses[0]), round(misses[-1])) in {(14, 11), (15, 11)}


def test_the_loss_of_the_training_is_that_of_the_exercise():
    import torch

    from helpers.coursework import catalogue
    from tools.training import flow

    names = pages.space()
    exec(catalogue.exercise("37.loss").solution, names)
    rng = torch.Generator().manual_seed(3)
    clean, noisy = torch.randn(2, 4, 80, 30, generator=rng)
    model = flow.load()
    with torch.no_grad():
        ours = flow.loss_of(model, noisy, clean, generator=torch.Generator().manual_seed(1))
        again = torch.Generator().manual_seed(1)
        start = torch.randn(clean.shape, generator=again)
        t = torch.rand(4, generator=again)[:, None, None]
        net = lambda x, t: model(x, noisy, t[:, 0, 0])  # noqa: E731
        torch.testing.assert_close(names["flow_loss"](net, start, clean, t), ours)


# ---- tokens --------------------------------------------------------------------------------------


def test_tokens_are_those_that_scipy_finds(unit):
    from scipy.cluster.vq import vq

    left = unit["T"].copy()
    for book, column in zip(unit["books"], unit["tokens"].T, strict=True):
        codes, _ = vq(left, book)
        np.testing.assert_array_equal(codes, column)
        left = left - book[codes]
    np.testing.assert_allclose(
        left, unit["T"] - unit["sum_of"](unit["tokens"], unit["books"]), atol=1e-9
    )


def test_each_book_takes_off_less_than_the_one_before_takes_off_on_average(unit):
    errors = np.array(unit["errors"])
    assert np.all(np.diff(errors) < 0)
    assert 0.5 < errors[-1] / errors[0] < 0.65  # a little more than half is left
    assert errors[0] == pytest.approx(9.0, abs=0.1)
    assert 6 * 62.5 == 375 and pytest.approx(683, abs=0.5) == 16 * 16000 / 375


def test_one_large_book_is_better_for_those_who_taught_and_not_for_a_new_voice(unit):
    from scipy.cluster.vq import vq

    def rms(left):
        return 20 / np.log(10) * np.sqrt(np.mean(left**2))

    def flat(Z):
        return rms(Z - unit["flat"][vq(Z, unit["flat"])[0]])

    def twice(Z):
        first = Z - unit["two"][0][vq(Z, unit["two"][0])[0]]
        return rms(first - unit["two"][1][vq(first, unit["two"][1])[0]])

    assert flat(unit["X"]) < twice(unit["X"]) - 1
    assert abs(flat(unit["T"]) - twice(unit["T"])) < 0.3


# ---- measures ------------------------------------------------------------------------------------


def test_a_recording_that_is_late_is_worthless_by_si_sdr_and_perfect_by_pesq(unit):
    pesq = pytest.importorskip("pesq")
    voice, late = unit["voice"], unit["sounds"]["2 ms late"]
    assert si_sdr(late, voice) < 0
    assert pesq.pesq(16000, voice, late, "wb") > 4.4
    np.testing.assert_array_equal(late[32:], voice[:-32])


def test_what_is_said_of_the_six_sounds_is_in_their_table():
    def row(sound):
        (found,) = [r for r in read("six_sounds") if r["sound"] == sound]
        return {key: float(value) for key, value in found.items() if key != "sound"}

    gate = row("a hard gate")
    assert (round(gate["bak"], 1), round(gate["sig"], 1)) == (3.8, 2.1)
    assert gate["words"] == pytest.approx(8 / 9, abs=0.001)
    assert row("backwards")["ovrl"] > row("20 dB of rain")["ovrl"]
    assert row("backwards")["words"] == row("another sentence")["words"] == 1
    assert row("voice alone")["words"] == 0
    assert abs(row("another sentence")["ovrl"] - row("voice alone")["ovrl"]) < 0.3
    assert row("voice alone")["ovrl"] - row("2 ms late")["ovrl"] == pytest.approx(0.2, abs=0.02)


def test_words_are_counted_as_jiwer_counts_them():
    from tools.measure.score_field import wrong_words

    assert wrong_words(["a", "b", "c"], ["a", "b", "c"]) == 0
    assert wrong_words([], ["a", "b"]) == 1
    assert wrong_words(["a", "x", "c", "d"], ["a", "b", "c"]) == pytest.approx(2 / 3)
    jiwer = pytest.importorskip("jiwer")
    rng = np.random.default_rng(0)
    for _ in range(20):
        said, truth = (rng.choice(list("abcd"), rng.integers(1, 8)).tolist() for _ in range(2))
        assert wrong_words(said, truth) == pytest.approx(jiwer.wer(" ".join(truth), " ".join(said)))


def test_our_networks_score_here_as_in_their_own_table():
    """Another command made the other table."""
    for name in ("setting1_stft", "setting1_mel"):
        for snr in ("0", "5", "10"):
            there = of("setting1_heldout", "pesq", method=name, noise="all", snr_db=snr)
            (row,) = [r for r in read("field") if (r["system"], r["snr_db"]) == (name, snr)]
            if row["n"] == "19":
                assert float(row["pesq"]) == pytest.approx(there, abs=0.03)


def test_the_means_of_the_field_are_those_of_its_files():
    scores = read("field_scores")
    for row in read("field"):
        some = [r for r in scores if (r["system"], r["snr_db"]) == (row["system"], row["snr_db"])]
        assert len(some) == int(row["n"])
        for measure in ("pesq", "stoi", "ovrl"):
            mean = np.mean([float(r[measure]) for r in some])
            assert float(row[measure]) == pytest.approx(mean, abs=0.002)
            assert (
                float(row[measure + "_low"]) <= float(row[measure]) <= float(row[measure + "_high"])
            )


def test_the_delay_of_a_peer_is_found_and_taken_off():
    from tools.measure import peers

    y = audio.clip("arctic_awb")[0][:32000].astype(float)
    for late in (0, 7, 320, 1203):
        made = np.concatenate([np.zeros(late), 0.5 * y, np.zeros(50)])
        assert peers.late_by(made, y) == late
        call = peers.in_time(lambda y, made=made: made, late)
        np.testing.assert_allclose(call(y), 0.5 * y, atol=1e-6)
    assert set(peers.installed()) <= set(peers.PEERS)


def test_rooms_and_telephones_are_what_they_are_called():
    from tools.measure import oracles

    click = np.zeros(16000)
    click[0] = 1
    wet = oracles.in_a_room(click, 0.6)
    decay = 10 * np.log10(np.cumsum(wet[::-1] ** 2)[::-1] + 1e-30)
    fall = decay[int(0.05 * 16000)] - decay[int(0.35 * 16000)]
    assert fall == pytest.approx(30, abs=3)  # 60 dB in 0.6 s
    assert np.sum(wet**2) == pytest.approx(1, rel=0.01)
    times = np.arange(16000) / 16000
    for hz, db in ((100, -30), (1000, 0), (6000, -30)):
        tone = oracles.telephone(np.sin(2 * np.pi * hz * times))[8000:]
        loss = level(tone) + 3.01
        assert abs(loss) < 0.5 if db == 0 else loss < db, hz


# ---- the page ------------------------------------------------------------------------------------


def test_nothing_is_loud(unit):
    for name in ("first", "filtered", "heard", "tracks", "spoken", "sounds"):
        for y in unit[name].values():
            assert np.abs(y).max() < 1.0
            assert level(np.asarray(y, float)) < -15


def test_the_guess_stands_in_the_figure_of_the_ceilings(unit, tmp_path, monkeypatch):
    for option, db in enumerate((15, 17, 25, 30)):
        fig, said = pages.figure_with_guess(unit, "37.oracle", option, tmp_path, monkeypatch)
        assert said.xy[0] == db
        assert fig.axes[0].lines[-1].get_xdata()[0] == db
    pages.figure_with_guess(unit, "37.oracle", None, tmp_path, monkeypatch)


def test_without_peers_one_line_says_so(unit, capsys, monkeypatch):
    from tools.measure import peers

    monkeypatch.setattr(peers, "installed", dict)
    (source,) = [text for text in pages.code_cells(NAME, tag="own") if "peers" in text]
    exec(source, dict(unit))
    assert capsys.readouterr().out.count("\n") == 1


def test_the_page_says_what_the_tables_of_the_field_and_of_robustness_say(unit):
    ranks = dict(
        zip((unit["names"][k] for k in unit["phased"]), unit["ranks"].tolist(), strict=True)
    )
    assert ranks["DTLN"][0] == 1 and ranks["setting1_stft"][:2] == [2, 6]
    assert ranks["DeepFilterNet3"][1] == 1 and ranks["setting1_stft"][5] == 8
    assert ranks["RNNoise"][:3] == [8, 8, 8] and ranks["RNNoise"][5] == 2
    assert all(
        {a, b} == {9, 10}
        for a, b in zip(ranks["flow, 1 step"], ranks["flow, 8 steps"], strict=True)
    )

    def gain(system, condition):
        return of("robustness", "si_sdr", system=system, condition=condition)

    assert gain("DTLN", "-55 dBFS") == pytest.approx(-12, abs=0.5)
    for name in ("setting1_stft", "setting3_waveform"):
        levels = [gain(name, f"{db} dBFS") for db in (-55, -45, -35, -15, -5)]
        assert max(levels) - min(levels) < 0.5
    room = {
        n: gain(n, "room 0.6 s") for n in ("setting1_stft", "GTCRN", "DTLN", "setting3_waveform")
    }
    assert [round(db) for db in room.values()] == [2, 2, 1, 0]
    for name in room:
        for condition in ("telephone", "clipped"):
            assert 1.9 < gain(name, "10 dB") - gain(name, condition) < 4.1


def test_which_systems_lead_and_what_masks_of_both_kinds_gain(unit):
    names = [unit["names"][k] for k in unit["phased"]]
    best = [names[np.argmin(column)] for column in np.array(unit["ranks"]).T]
    deep, dual = "DeepFilterNet3", "DTLN"
    assert best == [dual, deep, dual, deep, deep, deep]
    assert of("field", "si_sdr", system="GTCRN", snr_db="5") == pytest.approx(6.0, abs=0.05)
    assert of("field", "si_sdr", system="setting1_stft", snr_db="5") == pytest.approx(6.6, abs=0.05)


def test_whom_the_recogniser_understands_better_utterance_by_utterance():
    words = {}
    for row in read("field_scores"):
        if row["words"]:
            words.setdefault(row["system"], {})[row["utterance"]] = float(row["words"])
    said = sorted(words["noisy"])
    draws = np.random.default_rng(0).integers(len(said), size=(4000, len(said)))
    saved, sure = {}, set()
    for name, wrong in words.items():
        gains = np.array([words["noisy"][one] - wrong[one] for one in said])
        saved[name] = 100 * gains.mean()
        if name != "noisy" and np.quantile(gains[draws].mean(axis=1), 0.025) > 0:
            sure.add(name)
    assert sure == {"GTCRN", "RNNoise", "setting1_stft"}
    assert [round(saved[name]) for name in ("GTCRN", "RNNoise")] == [13, 9]
    assert 6 < saved["setting1_stft"] < 7


def test_words_were_counted_on_fourteen_utterances():
    rows = [r for r in read("field") if r["words"]]
    assert {r["words_n"] for r in rows} == {"14"}
    for row in rows:
        assert 0.12 < float(row["words_high"]) - float(row["words"]) < 0.18
