"""The lead sheet: each helper is what a notebook teaches and what libraries find, the sheet of a
song of ours is right, and its page holds its sounds, below its ceiling.
"""

import ast
import base64
import csv
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path

import librosa
import mir_eval
import numpy as np
import pytest
import scipy.ndimage
import soundfile

from helpers import audio, music, stft
from helpers.music import decompose, harmony, melody, rhythm, sheet, sheet_page, structure
from tests import pages

SR = 22050
STEPS = {"maj": (0, 4, 7), "min": (0, 3, 7)}


def taught(name, *wanted, **given):
    """Return functions and constants of a notebook, cut out of its cells by name."""
    names = {"np": np, "librosa": librosa, "music": music, "stft": stft, "sr": SR, **given}
    path = pages.ROOT / "notebooks" / f"{name}.ipynb"
    if not path.exists():
        pytest.skip(f"{name} is not here")
    for source in pages.code_cells(name):
        if source.startswith("%") or "tests" in source:
            continue
        for node in ast.parse(source).body:
            of = [node.name] if isinstance(node, ast.FunctionDef) else []
            of += [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
            if set(of) & set(wanted):
                exec(compile(ast.Module([node], []), name, "exec"), names)
    return [names[key] for key in wanted]


@pytest.fixture(scope="module")
def song():
    """A song of the course, its sound, and its sheet."""
    score = music.piece("song")
    y = music.play(score)
    return score, y, music.lead_sheet(y, sr=SR, title="song")


# ---- the helpers are what the notebooks teach ----------------------------------------------------


def test_beats_by_rule_are_those_of_unit_52():
    given = {"n_fft": 1024, "hop_length": 256, "rate": SR / 256}
    new_in, pulse, chain = taught("52_beats", "new_in", "pulse", "chain", **given)
    for seed in (3, 5):
        y = music.play(music.random_song(seed))
        nov, rate = rhythm.onset_strength(y, sr=SR)
        assert np.abs(nov - new_in(y)).max() < 1e-12
        bpm = music.tempo(nov, rate=rate)
        assert bpm == pulse(nov, rate)
        found = music.beat_chain(nov, period=60 * rate / bpm)
        assert found.tolist() == chain(nov, 60 * rate / bpm).tolist()
        assert np.allclose(music.beat_track(y, sr=SR, by="rule"), found / rate)


def test_beats_by_network_are_those_of_unit_52():
    names = ("W", "seen", "layer", "elu", "beat_activation")
    from helpers import mel

    *_, activation = taught("52_beats", *names, mel=mel)
    y = music.play(music.random_song(4))
    assert np.abs(music.beat_activation(y, sr=SR)[0] - activation(y)).max() < 1e-6


def test_chords_are_those_of_unit_53_and_of_librosa():
    given = {"hop_length": 2048, "NAMES": list(music.scores.NAMES)}
    names = ("CHORDS", "pattern", "T", "cosines", "low_first", "emissions", "staying", "best_path")
    CHORDS, _, T, cosines, low_first, emissions, staying, best_path = taught(
        "53_chords", *names, **given
    )
    assert tuple(CHORDS) == music.CHORDS
    assert np.allclose(T, harmony.templates())
    y = music.play(music.random_song(6))
    C = music.low_chroma(y, sr=SR)
    assert np.allclose(C, low_first(y))
    log_E, log_A = np.log(emissions(cosines(C))), np.log(staying(0.05))
    path = music.chord_path(C)
    assert path.tolist() == best_path(log_E, log_A).tolist()
    theirs = librosa.sequence.viterbi(np.exp(log_E), np.exp(log_A), p_init=np.full(24, 1 / 24))
    assert path.tolist() == theirs.tolist()


def test_letters_are_those_of_unit_54():
    (letters,) = taught("54_structure", "letters", itertools=itertools)
    rng = np.random.default_rng(0)
    for _ in range(20):
        parts = [rng.random((12, 8)) for _ in range(3)]
        X = np.hstack([parts[k] for k in rng.integers(3, size=6)])
        X = structure.unit_columns(X + 0.05 * rng.random(X.shape))
        seams = list(range(0, 49, 8))
        assert structure.letters(X, seams) == letters(X, seams)


def test_the_tune_is_that_of_unit_56_and_its_partials_are_librosas():
    given = {"n_fft": 4096, "hop_length": 512}
    y = music.play(music.random_song(7))
    S = np.sqrt(np.abs(librosa.stft(y, n_fft=4096, hop_length=512)))
    Z = melody.harmonic_sum(S, np.array([69.0]), sr=SR)
    freqs = librosa.fft_frequencies(sr=SR, n_fft=4096)
    f0 = np.full(S.shape[1], 440.0)
    theirs = librosa.f0_harmonics(S, freqs=freqs, f0=f0, harmonics=np.arange(1, 7))
    assert np.abs(0.6 ** np.arange(6) @ theirs - Z[0]).max() < 1e-6 * Z.max()
    harmonic_sum, _, line_of = taught("56_melody", "harmonic_sum", "track", "line_of", **given)
    assert np.allclose(
        harmonic_sum(S, melody.PITCHES), melody.harmonic_sum(S, melody.PITCHES, sr=SR)
    )
    line, mine = line_of(y), music.melody_line(y, sr=SR)[1]
    assert (np.isnan(line) == np.isnan(mine)).mean() > 0.995
    assert np.mean(np.abs(line - mine)[~np.isnan(line + mine)] < 0.3) > 0.995


def test_masks_of_what_sounds_on_and_what_is_struck_are_librosas():
    y = music.play(music.random_song(1003))[: 4 * SR]
    S = np.abs(stft.stft(y, n_fft=2048, hop_length=512))
    H, P = music.hpss_masks(S)
    theirs = librosa.decompose.hpss(S, mask=True, power=2)
    loud = 1e-6 * S.max() < S
    for mine, other in zip((H, P), theirs, strict=True):
        assert np.abs(mine - other)[loud].max() < 1e-9


# ---- each stage against what holds without us ----------------------------------------------------


def test_a_flute_alone_is_followed():
    score = music.random_song(1005).played_on("flute", "piano", "bass")
    score = replace(score, parts=score.parts[:1])
    y = music.play(score)
    times, pitch = music.melody_line(y, sr=SR)
    truth = np.zeros(len(times))
    for start, end, note, _ in score.notes():
        truth[(times >= start) & (times < end)] = 440 * 2 ** ((note - 69) / 12)
    guess = np.nan_to_num(440 * 2 ** ((pitch - 69) / 12))
    found = mir_eval.melody.evaluate(times, truth, times, guess)
    assert found["Raw Pitch Accuracy"] > 0.9


def test_keys_turn_with_the_music_and_scales_have_theirs():
    chords = [music.CHORDS.index(x) for x in ("C:maj", "A:min", "F:maj", "G:maj", "C:maj")]
    _, r = music.key_of(np.array(chords))
    for up in range(12):
        turned = [12 * (k // 12) + (k + up) % 12 for k in chords]
        label, r_up = music.key_of(np.array(turned))
        assert label == f"{music.scores.NAMES[up]}:maj"
        assert np.allclose(np.roll(r[:12], up), r_up[:12])
    minor = [music.CHORDS.index(x) for x in ("A:min", "D:min", "E:maj", "A:min")]
    assert music.key_of(np.array(minor))[0] == "A:min"


def test_a_mean_for_each_beat_is_the_mean():
    rng = np.random.default_rng(1)
    X, times = rng.random((3, 50)), np.arange(50) / 10
    edges = np.array([0.05, 1.0, 1.02, 2.7])
    got = music.beat_sync(X, times, edges)
    assert np.allclose(got[:, 0], X[:, 1:10].mean(axis=1))
    assert np.allclose(got[:, 1], X[:, 10])
    assert np.allclose(got[:, 2], X[:, 11:27].mean(axis=1))


def test_bars_begin_where_chords_change():
    chords = np.repeat([0, 5, 7, 0, 9], [3, 4, 4, 4, 4])
    assert music.first_downbeat(chords) == 3
    assert music.first_downbeat(np.repeat([0, 5, 7], 3), meter=3) == 0


def test_a_song_of_a_form_says_its_phrases_again():
    score = music.song_of_form(1001, "ABA")
    first, last = ([n for n in score.parts[0].notes if 0 <= n[0] - at < 16] for at in (0, 32))
    assert [(n[0], *n[2:]) for n in first] == [(n[0] - 32, *n[2:]) for n in last]
    between = [n for n in score.parts[0].notes if 16 <= n[0] < 32]
    assert [n[2] for n in between] != [n[2] for n in first]
    labels = [name for *_, name in score.chords()]
    assert labels[:4] == labels[8:] and len(labels) == 12


# ---- the sheet -----------------------------------------------------------------------------------


def test_the_sheet_of_the_song_is_right(song):
    score, _, found = song
    beats = mir_eval.beat.f_measure(score.beats(), found.beats[:-1])
    assert beats > 0.98
    assert found.key == "C:maj" and found.meter == 4 and abs(found.bpm - 112) < 2
    truth = [label for *_, label in score.chords()]
    cells = [found.bar_text(bar) for bar in found.bars()]
    assert cells[: len(truth)] == [sheet.chord_name(label) for label in truth]
    assert [name for *_, name in found.sections] == ["A", "B", "B", "C", "B", "D"]
    starts = [a for a, *_ in found.sections]
    assert starts == [a for a, *_ in score.section_beats]
    assert str(found).splitlines()[2] == "B | C | Am | F | G |"


def test_the_sheet_plays_in_step_with_the_recording(song):
    _, _, found = song
    late = replace(found, beats=found.beats + 1.37, notes=())
    for some in (found, late):
        score = some.score()
        lead = score.length - len(some.chords)
        assert np.allclose(score.seconds(np.arange(len(some.beats)) + lead), some.beats)
    tune = found.score().parts[0]
    times = [found.score().seconds(note[0]) for note in tune.notes]
    assert np.allclose(times, [note[0] for note in found.notes])


def test_keys_are_spelled_as_musicians_do(song):
    found = song[2]
    told = {"C:maj": "C major", "A#:maj": "Bb major", "E:min": "E minor", "C:min": "C minor",
            "F#:maj": "F# major", "F:min": "F minor", "C#:min": "C# minor"}  # fmt: skip
    for key, words in told.items():
        assert replace(found, key=key).headline().startswith(words + ",")
    chords = ("A#:maj",) * len(found.chords)
    assert replace(found, key="F:maj", chords=chords).bar_text((0, 4)) == "Bb"
    assert replace(found, key="B:min", chords=chords).bar_text((0, 4)) == "A#"


def test_beats_of_your_own_are_taken_as_they_are(song):
    score, y, _ = song
    mine = score.beats()[1::2]
    found = music.lead_sheet(np.stack([y, y]), sr=SR, beats=mine, meter=2)
    assert np.array_equal(found.beats[:-1], mine)
    assert len(found.chords) == len(mine)
    assert all(b - a <= 2 for a, b in found.bars())


def test_another_rate_gives_the_same_chords(song):
    _, y, found = song
    z = audio.resample(y[: 20 * SR], sr=SR, to=44100)
    there = music.lead_sheet(z, sr=44100)
    assert there.chords[:32] == found.chords[:32]


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"y": np.zeros(5 * SR)}, "silent"),
        ({"y": np.ones(SR) * 0.1}, "2 s to 180 s"),
        ({"beats": np.array([1.0, 0.5])}, "rise"),
        ({"beats": np.array([1.0])}, "two times or more"),
        ({"meter": 0}, "meter"),
    ],
)
def test_what_makes_no_sheet_is_refused(change, remedy, song):
    given = {"y": song[1][: 4 * SR], "sr": SR} | change
    with pytest.raises(ValueError, match=remedy):
        music.lead_sheet(given.pop("y"), **given)


def test_other_bad_input_says_what_to_do(song, tmp_path):
    with pytest.raises(ValueError, match=r"\.html"):
        music.save_sheet(song[2], song[1], sr=SR, path=tmp_path / "sheet.txt")
    with pytest.raises(ValueError, match="capital letters"):
        music.song_of_form(1, "a b")
    with pytest.raises(ValueError, match="between 0 and 1"):
        music.chord_path(np.ones((12, 3)), leave=0)
    with pytest.raises(ValueError, match="0 to 23"):
        music.key_of(np.array([24]))
    with pytest.raises(ValueError, match="nothing new"):
        music.tempo(np.zeros(500), rate=50.0)


# ---- the page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A short recording, its sheet, and the page of both."""
    score = music.random_song(1003)
    y = music.play(score)[: 10 * SR]
    found = music.lead_sheet(y, sr=SR, title="Song <1003> & more")
    path = music.save_sheet(found, y, sr=SR, path=tmp_path_factory.mktemp("page") / "a.html")
    return y, found, path.read_text(encoding="utf-8")


def sounds_of(page):
    """The sounds in a page, decoded by libsndfile."""
    found = re.findall(r'id="audio-(\w+)"[^>]*src="data:audio/flac;base64,([^"]+)"', page)
    return {name: soundfile.read(io.BytesIO(base64.b64decode(data))) for name, data in found}


def test_the_page_asks_nobody_and_its_title_is_text(saved):
    page = saved[2]
    assert "Song &lt;1003&gt; &amp; more" in page and "<1003>" not in page
    without = re.sub(r"base64,[^\"]+", "", page)
    assert not re.search(r"(https?:)?//[a-z]+\.", without)
    assert "default-src 'none'" in page
    assert len(page) < 2.5e6


def test_three_parts_of_the_page_add_up_to_the_recording_and_all_six_stay_below_the_ceiling(saved):
    y, _, page = saved
    sounds = sounds_of(page)
    assert {sr for _, sr in sounds.values()} == {SR} and len(sounds) == 6
    parts = [sounds[name][0] for name in ("melody", "accompaniment", "drums")]
    whole = sum(parts)
    inner = slice(1000, -1000)  # the ends are faded
    gain = whole[inner] @ y[inner] / (y[inner] @ y[inner])
    assert np.abs(whole - gain * y)[inner].max() < 3 / 32768
    everything = np.sum([np.abs(z) for z, _ in sounds.values()], axis=0)
    assert 20 * np.log10(everything.max()) <= -0.99
    level = 10 * np.log10(np.mean(whole**2))
    said = float(re.search(r"plays at \u2212([\d.]+) dBFS", page)[1])
    assert level == pytest.approx(-said, abs=0.06) and level < -22.9


def test_parts_hold_what_their_names_say():
    score = music.song_of_form(1003, "AA", drums=True)
    y = music.play(score)
    found = music.lead_sheet(y, sr=SR)
    tracks = sheet_page.sheet_tracks(found, y, sr=SR)
    for name in ("drums", "melody"):
        alone = replace(score, parts=tuple(p for p in score.parts if p.name == name))
        rest = replace(score, parts=tuple(p for p in score.parts if p.name != name))
        like = [np.corrcoef(tracks[name], music.play(s))[0, 1] for s in (alone, rest)]
        assert like[0] > 0.6 and like[0] > like[1] + 0.2


def test_every_bar_says_its_chords_and_is_a_button_on_the_page_and_none_in_a_notebook(saved):
    _, found, page = saved
    said = re.findall(r'<button class="bar"[^>]*aria-label="(Bar \d+: [^"]+)"', page)
    assert len(said) == len(found.bars())
    for k, (a, b) in enumerate(found.bars()):
        for label in found.chords[a:b]:
            assert sheet.chord_name(label, flats=found.flats) in said[k].split(";")[0]
    drawn = found._repr_html_()
    assert (
        "<button" not in drawn and "data:" not in drawn and drawn.count('class="bar"') == len(said)
    )


# ---- the table of the notebook -------------------------------------------------------------------


def test_a_row_of_the_table_is_scored_again():
    from tools.measure import score_sheet

    with open(Path(audio.DATA) / "tables" / "lead_sheets.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * len(score_sheet.SEEDS)
    seed, form = 1005, score_sheet.FORMS[1005 % 4]
    score = music.song_of_form(seed, form)
    y = music.play(score)
    for kind, beats in score_sheet.kinds_of_beats(score, y).items():
        (row,) = [r for r in rows if r["seed"] == str(seed) and r["beats"] == kind]
        again = score_sheet.scores(score, music.lead_sheet(y, sr=SR, beats=beats))
        stored = [float(row[name]) for name in score_sheet.COLUMNS[3:]]
        assert np.allclose(again, stored, atol=0.011)


def test_the_median_of_the_masks_is_scipys_reflected_at_the_ends():
    S = np.random.default_rng(2).random((40, 50))
    H, P = decompose.hpss_masks(S, length=5)
    a = scipy.ndimage.median_filter(S, (1, 5), mode="reflect")[20, 25]
    assert a == np.median(S[20, 23:28])
    assert np.allclose(H + P, 1)


def test_the_chapter_states_what_the_table_holds():
    if not (pages.ROOT / "notebooks/57_decomposition.ipynb").exists():
        pytest.skip("57 is not here")
    with open(Path(audio.DATA) / "tables" / "lead_sheets.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    mean = {}
    for kind in ("true", "half", "off-beat", "network", "rule"):
        of_kind = [row for row in rows if row["beats"] == kind]
        assert len({row["seed"] for row in of_kind}) == 24
        for stage in ("F_bars", "chords", "key", "tune", "F_form"):
            mean[kind, stage] = round(np.mean([float(row[stage]) for row in of_kind]), 2)
    assert [mean["true", k] for k in ("F_bars", "chords", "key", "F_form")] == [1, 0.97, 1, 1]
    assert [mean["half", k] for k in ("F_bars", "chords", "F_form")] == [0.71, 0.94, 0.08]
    assert [mean["rule", k] for k in ("F_bars", "chords", "F_form")] == [0.77, 0.93, 0.73]
    assert [mean["off-beat", k] for k in ("F_bars", "chords", "F_form")] == [0, 0.85, 0.64]
    assert {mean[kind, "key"] for kind in ("true", "half", "off-beat", "rule")} == {1}
    tunes = [mean[kind, "tune"] for kind in ("true", "half", "off-beat", "rule")]
    assert (min(tunes), max(tunes)) == (0.84, 0.89)
    network = [mean["network", k] for k in ("F_bars", "chords", "key", "tune", "F_form")]
    assert network == [1, 0.96, 0.98, 0.89, 0.99]


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """What the cells of the chapter leave behind, run alone after the setup."""
    import matplotlib as mpl

    mpl.use("agg")
    folder = tmp_path_factory.mktemp("chapter")
    names = pages.run(pages.code_cells("57_decomposition", tag="setup"), folder)
    cells = pages.code_cells("57_decomposition", tag="lead-sheet")
    kept = [cell for cell in cells if "figures.show" not in cell]
    return pages.run(kept, folder, names) | {"folder": folder}


def test_the_chapter_stands_alone_and_its_steps_make_the_sheet_of_one_call(chapter):
    made = chapter["own_sheet"]
    assert (chapter["folder"] / "my_sheet.html").stat().st_size > 1e6
    names = [music.CHORDS[k] for k in chapter["own_chords"]]
    assert len(names) <= len(made.chords)
    same = np.mean([a == b for a, b in zip(names, made.chords, strict=False)])
    assert same > 0.95 and made.key == chapter["own_key"]
    assert [x for *_, x in chapter["own_phrases"]] == ["A", "A", "B", "A"]
    ears = chapter["ears"]
    assert np.abs(ears).max() <= 0.51
    levels = 10 * np.log10(np.mean(ears**2, axis=1))
    assert np.all(levels < -24) and np.all(levels > -33)


def test_the_guess_stands_in_the_figure_at_its_height(chapter, tmp_path, monkeypatch):
    from helpers.coursework import catalogue

    for k, option in enumerate(catalogue.prediction("57.half")["options"]):
        _, said = pages.figure_with_guess(chapter, "57.half", k, tmp_path, monkeypatch)
        assert said.xy == (1.1, option["value"])
    pages.figure_with_guess(chapter, "57.half", None, tmp_path, monkeypatch)


def test_one_chord_a_bar_is_as_right_as_one_a_beat(chapter):
    """The solution of 57.sheet on a song whose chords last a bar."""
    bar_chords = pages.solutions("57")["bar_chords"]
    score, edges = chapter["own_score"], chapter["own_edges"]
    bars = np.append(score.beats()[::4], score.seconds(score.length))
    voted = bar_chords(edges, chapter["own_chords"], bars)
    right = chapter["right_seconds"]
    assert right(score, bars, voted) >= right(score, edges, chapter["own_chords"]) - 0.02


# ---- three recordings ----------------------------------------------------------------------------

CORPUS = pages.SHARED / "corpus/music"


@pytest.mark.skipif(not CORPUS.exists(), reason="needs the corpus beside the repository")
@pytest.mark.parametrize(
    ("name", "bpm", "key", "agree"),
    [("vibeace", 130, "A:min", 0.09), ("fishin", 176, "A#:maj", 0.93),
     ("brahms", 158, "A#:maj", 0.74)],
)  # fmt: skip
def test_three_recordings_give_what_the_chapter_says_of_them(name, bpm, key, agree, tmp_path):
    y, sr = soundfile.read(CORPUS / f"{name}.flac")
    found = music.lead_sheet(y.T, sr=sr, title=name)
    assert round(found.bpm) == bpm and found.key == key
    C = librosa.feature.chroma_cqt(y=y, sr=sr, hop_length=2048, norm=None, tuning=0.0)
    times = np.arange(C.shape[1]) * 2048 / sr
    X = music.beat_sync(structure.unit_columns(C), times, found.beats)
    other = [music.CHORDS[k] for k in music.chord_path(X, leave=0.4, sharp=30)]
    assert np.mean(np.array(other) == found.chords) == pytest.approx(agree, abs=0.04)
    page = music.save_sheet(found, y.T, sr=sr, path=tmp_path / "a.html")
    assert 0.5e6 < page.stat().st_size < 2e6
