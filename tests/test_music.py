"""Scores, one-shots, the sampler and the chroma: what they must be, without their help."""

import csv
import shutil

import numpy as np
import pytest
import soundfile

from helpers import audio, music
from helpers.music import sampler, scores, synth

FOLDER = audio.DATA / "music"
SR = 22050
NOTES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"
STEPS = {"maj": {0, 4, 7}, "min": {0, 3, 7}, "dim": {0, 3, 6}, "7": {0, 4, 7, 10}}


def table():
    """The table of one-shots, read without the course."""
    with open(audio.DATA / "tables/one_shots.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def one_note(pitch=60, start=1.3, bpm=97.0, instrument="piano"):
    part = music.Part("a", instrument, ((start, 1.0, pitch, 100),))
    return music.Score("one", (part,), ((0, bpm),), 4)


# ---- the bank ------------------------------------------------------------------------------------


def test_the_bank_is_small_and_its_notice_lies_beside_it():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.flac")) <= 2_500_000
    notice = (FOLDER / "LICENSES/fluidr3.txt").read_text(encoding="utf-8")
    assert "Frank Wen" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_every_note_begins_at_its_sample_0_and_is_as_loud_as_the_table_says():
    for row in table():
        y, sr = soundfile.read(FOLDER / f"{row['instrument']}.flac")
        assert (sr, y.ndim) == (SR, 1)
        y = y[int(row["start"]) : int(row["stop"])]
        peak = np.abs(y).max()
        assert abs(y[0]) > 10 ** (-50.5 / 20) * peak  # above -50 dB at once, and not before
        assert peak < 10 ** (-3.9 / 20)
        level = 10 * np.log10(np.mean(y[: SR // 2] ** 2))
        assert level == pytest.approx(float(row["level_db"]), abs=0.1)
        assert level < -19.9


@pytest.mark.parametrize("name", ["strings", "organ", "piano", "oboe", "drums"])
def test_how_long_a_note_takes_to_rise_is_measured_again(name):
    """A running sum of squares over 10 ms, by a loop: when it first has a quarter of its top."""
    for row in (r for r in table() if r["instrument"] == name):
        place = {"start": int(row["start"]), "stop": int(row["stop"])}
        y = soundfile.read(FOLDER / f"{name}.flac", **place)[0]
        sums = np.concatenate([[0.0], np.cumsum(y[: round(0.6 * SR)] ** 2)])
        energy = sums[220:] - sums[:-220]
        first = next(k for k, e in enumerate(energy) if e >= energy.max() / 4)
        assert 1000 * first / SR == pytest.approx(float(row["attack_ms"]), abs=1)
        assert float(row["attack_ms"]) < 370


@pytest.mark.parametrize("name", ["clarinet", "organ", "choir", "piano"])
def test_how_alike_both_ends_of_a_loop_were_is_measured_again(name):
    """The end was faded into what comes before the loop: take the fade back, then compare."""
    for row in (r for r in table() if r["instrument"] == name):
        place = {"start": int(row["start"]), "stop": int(row["stop"])}
        y = soundfile.read(FOLDER / f"{name}.flac", **place)[0]
        start = int(row["loop"])
        before = y[start - 1024 : start]
        share = np.arange(1024) / 1023
        was = (y[-1024:] - share * float(row["gain"]) * before)[:-8] / (1 - share[:-8])
        cosine = before[:-8] @ was / np.sqrt((before[:-8] ** 2).sum() * (was**2).sum())
        assert cosine == pytest.approx(float(row["alike"]), abs=0.02)
        assert cosine > 0.5
        step = abs(y[-1] - float(row["gain"]) * y[start - 1])  # the fade ends where the loop begins
        assert step < 2 / 32768


def test_notes_stand_every_fifth_semitone_and_the_parts_of_a_file_touch():
    by_name = {}
    for row in table():
        by_name.setdefault(row["instrument"], []).append(row)
    assert sorted(by_name) == music.instruments()
    for name, rows in by_name.items():
        assert [r["start"] for r in rows[1:]] == [r["stop"] for r in rows[:-1]]
        assert int(rows[-1]["stop"]) == soundfile.info(FOLDER / f"{name}.flac").frames
        if name != "drums":
            assert set(np.diff([int(r["pitch"]) for r in rows])) == {5}


@pytest.mark.parametrize("name", ["flute", "organ", "clarinet", "strings", "choir", "piano"])
def test_a_loop_has_no_click_at_its_seam(name):
    """What one sample predicts of the next errs no more at the seams than elsewhere."""
    y = music.one_shot(name, 60, seconds=5.0)
    (row,) = [r for r in table() if (r["instrument"], r["pitch"]) == (name, "60")]
    long, start = int(row["stop"]) - int(row["start"]), int(row["loop"])
    seams = np.arange(long, len(y) - SR // 5, long - start)
    assert len(seams) >= 3
    bend = np.abs(np.diff(y, 2))
    for seam in seams:
        around = bend[seam - 400 : seam + 400]
        assert bend[seam - 3 : seam + 2].max() <= 1.5 * np.percentile(around, 99)


def test_what_is_held_stays_as_loud_and_what_rings_dies_away():
    for name in ("flute", "organ", "clarinet", "trumpet"):
        y = music.one_shot(name, 65, seconds=6.0)
        early, late = (np.sqrt(np.mean(y[k * SR : (k + 1) * SR] ** 2)) for k in (1, 4))
        assert 20 * np.log10(late / early) == pytest.approx(0, abs=2)
    y = music.one_shot("piano", 60, seconds=6.0)
    levels = [np.sqrt(np.mean(y[k * SR : (k + 1) * SR] ** 2)) for k in range(5)]
    assert np.all(np.diff(levels) < 0)


def test_a_note_between_two_recorded_ones_has_its_own_pitch():
    for pitch in (58, 59, 60, 61, 62, 60.4):
        y = music.one_shot("organ", pitch, seconds=2.0)
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 8 * len(y)))
        freqs = np.fft.rfftfreq(8 * len(y), 1 / SR)
        want = 440 * 2 ** ((pitch - 69) / 12)
        near = (freqs > want * 0.97) & (freqs < want * 1.03)
        found = freqs[near][spectrum[near].argmax()]
        assert 1200 * np.log2(found / want) == pytest.approx(6.5, abs=3)  # the organ is sharp


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="needs fluidsynth and FluidR3")
def test_some_notes_can_be_made_again():
    from tools.measure import make_instruments as maker

    if not maker.SOUND_FONT.is_file():
        pytest.skip("needs Debian's fluid-soundfont-gm")
    for name, pitch in (("flute", 75), ("piano", 60)):
        (row,) = [r for r in table() if (r["instrument"], r["pitch"]) == (name, str(pitch))]
        program, _, _, seconds = maker.INSTRUMENTS[name]
        y = maker.note(pitch, program=program, seconds=seconds)
        y, start, gain, _ = maker.looped(y, rings=name in maker.RING)
        assert (str(start), f"{gain:.4f}") == (row["loop"], row["gain"])
        stored = soundfile.read(FOLDER / f"{name}.flac")[0][int(row["start"]) : int(row["stop"])]
        np.testing.assert_allclose(stored, y, atol=1.1 / 32768)


# ---- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", music.pieces())
def test_a_piece_holds_together(name):
    score = music.piece(name)
    chords = score.chord_beats
    assert chords[0][0] == 0 and chords[-1][1] == score.length
    assert [c[0] for c in chords[1:]] == [c[1] for c in chords[:-1]]
    if score.section_beats:
        edges = score.section_beats
        assert edges[0][0] == 0 and edges[-1][1] == score.length
        assert [s[0] for s in edges[1:]] == [s[1] for s in edges[:-1]]
    for part in score.parts:
        last = {}
        for start, length, pitch, _ in sorted(part.notes):
            assert start >= last.get(pitch, 0) - 1e-9, f"{part.name}: {pitch} is struck twice"
            last[pitch] = start + length
    for start, end, label in chords:
        root, kind = label.split(":")
        want = {(NOTES.index(root) + step) % 12 for step in STEPS[kind]}
        heard = {
            pitch % 12
            for part in score.parts
            if part.instrument != "drums"
            for at, _, pitch, _ in part.notes
            if start <= at < end
        }
        assert want - {(NOTES.index(root) + 10) % 12} <= heard, (name, start, label)


def test_seconds_add_up_the_beats():
    """A ritardando summed in a loop, in small steps."""
    score = music.piece("ballad_slow")
    assert len(score.tempo) == 64
    tempo = dict(score.tempo)
    now, times = 0.0, []
    for k in range(64 * 16):
        times.append(now)
        now += 60 / tempo[k // 16] / 16
    np.testing.assert_allclose(score.seconds(np.arange(64 * 16) / 16), times, atol=1e-9)
    np.testing.assert_allclose(score.beats(), times[::16], atol=1e-9)


def test_truth_in_seconds_is_that_of_the_beats():
    score = music.piece("song")
    assert score.beats()[:3] == pytest.approx([0, 60 / 112, 120 / 112])
    assert [label for _, _, label in score.sections()] == list("IAABAO")
    assert score.sections()[1][0] == pytest.approx(8 * 60 / 112)
    notes = score.notes()
    assert len(notes) == sum(len(p.notes) for p in score.parts if p.instrument != "drums")
    assert np.all(np.diff(notes[:, 0]) >= 0) and np.all(notes[:, 1] > notes[:, 0])
    assert len(score.notes(drums=True)) > len(notes)


@pytest.mark.parametrize("synthetic", [False, True])
@pytest.mark.parametrize("instrument", ["piano", "strings", "drums"])
def test_the_first_sample_of_a_note_lies_at_its_onset(instrument, synthetic):
    score = one_note(36 if instrument == "drums" else 60, instrument=instrument)
    y = music.play(score, synthetic=synthetic)
    onset = round(score.notes(drums=True)[0, 0] * SR)
    assert onset == round(1.3 * 60 / 97 * SR)
    assert not y[:onset].any()
    assert np.abs(y[onset : onset + 3]).max() > 0


def test_levels_are_those_asked_for():
    for y, want in (
        (music.play(music.piece("chorale").played_on("organ"), level_db=-26.0), -26),
        (music.play(music.random_song(2), level_db=-35.0), -35),
    ):
        assert 10 * np.log10(np.mean(y**2)) == pytest.approx(want, abs=0.01)
        assert np.abs(y).max() < 10 ** (-6 / 20) + 1e-9
    loud = music.play(music.piece("song"), level_db=0.0)
    assert np.abs(loud).max() == pytest.approx(10 ** (-6 / 20))
    half = music.play(one_note(), sr=11025)
    assert abs(len(half) - len(music.play(one_note())) / 2) <= 1


def test_a_part_is_as_loud_in_the_mix_as_alone():
    from dataclasses import replace

    song = music.random_song(1, drums=False)
    alone = [music.play(replace(song, parts=(part,)), level_db=None) for part in song.parts]
    np.testing.assert_allclose(sum(alone), music.play(song, level_db=None), atol=1e-12)


def test_a_transposed_piece_is_rolled():
    score = music.piece("chorale")
    up = score.transposed(5)
    assert [c[2] for c in up.chords()[:2]] == ["F:maj", "C:maj"]
    np.testing.assert_array_equal(up.notes()[:, 2], score.notes()[:, 2] + 5)
    a, b = (music.chroma(music.play(s), sr=SR).sum(axis=1) for s in (score, up))
    shifts = [np.corrcoef(np.roll(a, k), b)[0, 1] for k in range(12)]
    assert np.argmax(shifts) == 5
    drums = music.piece("song").transposed(2).parts[-1]
    assert drums == music.piece("song").parts[-1]


def test_other_instruments_play_the_same_notes():
    song = music.piece("song")
    other = song.played_on("oboe", "organ", "bass")
    assert [p.instrument for p in other.parts] == ["oboe", "organ", "bass", "drums"]
    np.testing.assert_array_equal(song.notes(), other.notes())
    with pytest.raises(ValueError, match=r"2 instruments for 3 parts \(melody, chords, bass\)"):
        song.played_on("oboe", "organ")


# ---- songs by seed -------------------------------------------------------------------------------


def test_a_seed_is_a_song_and_an_arrangement_a_cover():
    song = music.random_song(7)
    assert song == music.random_song(7) != music.random_song(8)
    cover = music.random_song(7, arrangement=8)
    moved = {int(p) for p in (cover.parts[0].notes[0][2] - song.parts[0].notes[0][2],)}
    (shift,) = moved
    for k in (0, 2):  # melody and bass are music
        ours = [(a, n, p + shift, v) for a, n, p, v in song.parts[k].notes]
        assert ours == list(cover.parts[k].notes)
    assert cover.transposed(-shift).chord_beats == song.chord_beats
    assert cover.tempo != song.tempo


def test_songs_are_many_and_sound():
    songs = [music.random_song(seed) for seed in range(40)]
    assert len({song.chord_beats for song in songs}) >= 38
    assert len({song.parts[0].instrument for song in songs}) == 5
    with_drums = sum(song.parts[-1].instrument == "drums" for song in songs)
    assert 15 <= with_drums <= 33
    for song in songs:
        for part in song.parts[:3]:
            low, high = min(n[2] for n in part.notes), max(n[2] for n in part.notes)
            for pitch in (low, high):
                assert music.one_shot(part.instrument, pitch, seconds=0.05).any()


def test_a_synthetic_note_has_the_partials_that_are_written_down():
    y = synth.note("clarinet", 57, seconds=2.0, rng=np.random.default_rng(0))[2000:-3000]
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 2**19))
    freqs = np.fft.rfftfreq(2**19, 1 / SR)
    sizes = [spectrum[np.abs(freqs - 220 * k) < 5].max() for k in range(1, 8)]
    want = [1, 0.15 / 2, 1 / 3, 0.15 / 4, 1 / 5, 0.15 / 6, 1 / 7]
    np.testing.assert_allclose(np.array(sizes) / sizes[0], want, rtol=0.01)


def test_a_synthetic_song_is_another_sound_of_the_same_chords():
    song = music.random_song(5, drums=False)
    a, b = (music.play(song, synthetic=s) for s in (False, True))
    assert len(a) == len(b)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.5
    ours, theirs = (music.chroma(y, sr=SR).sum(axis=1) for y in (a, b))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.8


# ---- chroma and tuning ---------------------------------------------------------------------------


def test_classes_are_those_of_names():
    import librosa

    names = ["C4", "C#4", "E3", "F#2", "A4", "A0", "B8", "G#5"]
    freqs = librosa.note_to_hz(names)
    want = librosa.note_to_midi(names) % 12
    np.testing.assert_array_equal(music.pitch_class(freqs), want)
    sharp = freqs * 2 ** (45 / 1200)
    np.testing.assert_array_equal(music.pitch_class(sharp, cents=45), want)
    np.testing.assert_array_equal(music.pitch_class(freqs * 2 ** (60 / 1200)), (want + 1) % 12)


def test_chroma_by_plain_loops():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(9000)
    C = music.chroma(y, sr=SR, n_fft=2048, hop_length=1024)
    padded = np.pad(y, 1024)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    want = np.zeros((12, 1 + 9000 // 1024))
    for m in range(want.shape[1]):
        X = np.fft.rfft(padded[1024 * m : 1024 * m + 2048] * window)
        for k in range(1, 1025):
            pitch = round(69 + 12 * np.log2(k * SR / 2048 / 440))
            if pitch >= 0:
                want[pitch % 12, m] += abs(X[k]) ** 2
    np.testing.assert_allclose(C, want, rtol=1e-9)


def test_chroma_is_libfmps():
    c3 = pytest.importorskip("libfmp.c3", reason=PEER)
    import librosa

    y = music.play(music.piece("chorale"))[: 20 * SR]
    S = np.abs(librosa.stft(y, n_fft=4096, hop_length=2048, pad_mode="constant")) ** 2
    pooled, _ = c3.compute_spec_log_freq(S, SR, 4096)
    want = c3.compute_chromagram(pooled)
    ours = music.chroma(y, sr=SR)
    assert np.abs(ours - want).max() < 1e-12 * want.max()


@pytest.mark.parametrize("cents", [-40, -25, 0, 10, 33, 45])
def test_the_tuning_of_a_detuned_piano_is_found(cents):
    score = music.random_song(11, drums=False).played_on("piano")
    found = music.estimate_tuning(music.play(score, cents=cents), sr=SR)
    assert found == pytest.approx(cents, abs=2)


def test_tuning_knows_no_more_than_a_turn():
    score = music.random_song(11, drums=False).played_on("piano")
    assert music.estimate_tuning(music.play(score, cents=60), sr=SR) == pytest.approx(-40, abs=2)


# ---- sonification --------------------------------------------------------------------------------


def test_a_shepard_tone_has_octaves_only_and_no_height():
    y = music.shepard(4, sr=SR, seconds=2.0)
    assert 10 * np.log10(np.mean(y**2)) == pytest.approx(-20, abs=0.01)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    freqs = np.fft.rfftfreq(len(y), 1 / SR)
    octaves = [440 * 2 ** ((p - 69) / 12) for p in range(28, 125, 12)]
    near = np.zeros(len(freqs), dtype=bool)
    for f in octaves:
        near |= np.abs(freqs - f) < 4
    assert spectrum[near].sum() > 0.999 * spectrum.sum()
    np.testing.assert_array_equal(y, music.shepard(16, sr=SR, seconds=2.0))


def test_clicks_begin_at_their_times():
    times = [0.1, 0.37, 0.9]
    y = music.clicks(times, sr=8000, seconds=1.0)
    quiet = np.abs(y) < 1e-6
    for time in times:
        first = round(time * 8000)
        assert quiet[first - 20 : first + 1].all() and not quiet[first + 1]
    assert 20 * np.log10(np.abs(y).max()) == pytest.approx(-12, abs=1.5)


def test_the_chroma_of_a_sounding_chroma_is_like_it():
    C = np.zeros((12, 30))
    C[[0, 4, 7], :15] = 1.0
    C[[5, 9, 0], 15:] = [[1.0], [0.5], [0.25]]
    y = music.chroma_sound(C, sr=SR, hop_length=2048)
    back = music.chroma(y, sr=SR)
    for m in (5, 10, 20, 25):
        a, b = C[:, m], back[:, m]
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.95
    assert np.abs(y).max() <= 10 ** (-6 / 20) + 1e-9


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: music.one_shot("flut", 60), "did you mean 'flute'"),
        (lambda: music.one_shot("flute", 40), "flute plays from 53 to 97, not 40; transpose"),
        (lambda: music.one_shot("drums", 39), r"there is no drum 39; choose from \[36"),
        (lambda: music.one_shot("flute", 60, seconds=0), "seconds=0 must be a positive number"),
        (lambda: music.piece("choral"), "did you mean 'chorale'"),
        (lambda: music.random_song(1, bars=6), "bars=6 must be 4, 8, 12"),
        (lambda: music.pitch_class([0.0]), "freqs holds 0 Hz"),
        (lambda: music.chroma(np.zeros((2, 9000)), sr=SR), r"pass one channel"),
        (lambda: music.estimate_tuning(np.zeros(9000), sr=SR), "y is silent"),
        (lambda: music.chroma_sound(np.zeros((12, 4)), sr=SR, hop_length=100), "not all zero"),
        (lambda: music.chroma_sound(np.ones((4, 12)), sr=SR, hop_length=100), r"pass power, \(12"),
        (lambda: music.clicks([-1.0], sr=SR, seconds=1.0), "times holds -1 s"),
        (lambda: scores.Score("x", (), ((0, 120),), 4), "'x' has no note"),
        (lambda: one_note(pitch=130), "pitch from 0 to 127"),
        (lambda: one_note(bpm=0.0), "tempo=0.0 must be a positive number"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_damaged_bank_is_not_played(monkeypatch, tmp_path):
    from helpers import _checks

    shutil.copytree(audio.DATA, tmp_path / "data")
    path = tmp_path / "data/music/flute.flac"
    path.write_bytes(path.read_bytes()[:-5] + b"other")
    monkeypatch.setattr(_checks, "DATA", tmp_path / "data")
    sampler._bank.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"flute.flac is damaged"):
            music.instruments()
    finally:
        sampler._bank.cache_clear()
