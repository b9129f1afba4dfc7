"""Facts about the shipped clips: their stated measures, what each sounds like, and that they can be
made again.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers import audio
from tools.measure import make_clips, recordings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = audio.DATA / "clips"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
CLIPS = MANIFEST["clips"]
PEOPLE = [name for name, stated in CLIPS.items() if "notice" in stated]
TIMES = audio.table("clip_times")


def spectrum(name, channel=0, start=0.0, stop=None):
    """Return frequencies [Hz] and power in dB below the strongest bin, Hann window over the
    part.
    """
    y, sr = audio.clip(name)
    y = np.atleast_2d(y)[channel][round(start * sr) : None if stop is None else round(stop * sr)]
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)), 4 * len(y))) ** 2
    return np.fft.rfftfreq(4 * len(y), 1 / sr), 10 * np.log10(power / power.max() + 1e-12)


def peak_near(name, low, high, **part):
    """Return the frequency of the strongest bin in a band, and its level below the strongest of all
    [dB].
    """
    freqs, db = spectrum(name, **part)
    band = (freqs >= low) & (freqs <= high)
    best = np.argmax(np.where(band, db, -np.inf))
    return freqs[best], db[best]


def frames_db(name):
    y, sr = audio.clip(name)
    m = round(0.01 * sr)
    return 10 * np.log10(np.mean(y[: len(y) // m * m].reshape(-1, m) ** 2, axis=1) + 1e-12)


# --- measures -------------------------------------------------------------------------------------


def test_folder_and_list_agree_and_are_small():
    files = sorted(path.stem for path in FOLDER.glob("*.flac"))
    assert files == sorted(CLIPS) == [name for name in audio.clips() if name != "my_voice"]
    assert len(files) <= 25
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < 2_900_000
    assert sum(CLIPS[name]["bytes"] for name in PEOPLE) < 1_200_000


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_has_its_stated_measures(name):
    stated = CLIPS[name]
    assert hashlib.sha256((FOLDER / f"{name}.flac").read_bytes()).hexdigest() == stated["sha256"]
    y, sr = audio.clip(name)
    assert (sr, y.shape[-1] / sr, y.dtype) == (
        stated["sr"],
        pytest.approx(stated["seconds"], abs=1e-3),
        np.float32,
    )
    assert y.shape[:-1] == (() if stated["channels"] == 1 else (stated["channels"],))
    assert 2 <= stated["seconds"] <= 13
    assert (FOLDER / f"{name}.flac").stat().st_size == stated["bytes"]
    peak = 20 * np.log10(np.abs(y).max())
    assert peak == pytest.approx(stated["peak_db"], abs=0.01) and peak <= -6
    assert 10 * np.log10(np.mean(y.astype(np.float64) ** 2)) == pytest.approx(
        stated["rms_db"], abs=0.01
    )


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_plays_at_the_common_level_or_peaks_at_minus_six(name):
    y, sr = audio.clip(name)
    m = round(0.032 * sr)
    power = np.mean(
        np.atleast_2d(y)[:, : y.shape[-1] // m * m].reshape(-1, m).astype(np.float64) ** 2, axis=1
    )
    active = 10 * np.log10(np.mean(power[power > power.max() * 1e-3]))
    assert active == pytest.approx(CLIPS[name]["active_db"], abs=0.1)
    assert active == pytest.approx(-26, abs=0.1) or (active < -26 and CLIPS[name]["peak_db"] > -6.1)


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_starts_and_ends_in_silence(name):
    y, sr = audio.clip(name)
    y = np.atleast_2d(y)
    assert np.all(y[:, [0, -1]] == 0)
    n = round(0.001 * sr)
    assert max(np.abs(y[:, :n]).max(), np.abs(y[:, -n:]).max()) < 0.01 * np.abs(y).max() + 1 / 32768


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_has_no_offset_and_is_not_clipped(name):
    y = np.atleast_2d(audio.clip(name)[0]).astype(np.float64)
    assert np.all(np.abs(y.mean(axis=1)) < 0.01 * y.std())
    assert np.all(np.sum(np.abs(y) == np.abs(y).max(axis=1, keepdims=True), axis=1) < 5)


@pytest.mark.parametrize("name", CLIPS)
def test_the_readme_states_the_same(name):
    text = (audio.DATA / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
    c = CLIPS[name]
    numbers = [
        f"{c['sr']} Hz",
        str(c["channels"]),
        f"{c['seconds']:.2f} s",
        *(f"{c[key]:.1f} dB" for key in ("active_db", "peak_db", "rms_db")),
        f"{c['lufs']:.1f} LUFS",
        f"{c['bytes'] / 1000:.0f} kB",
    ]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[4:-1] == numbers and cells[2] == c["what"]
    assert ("achine voice" in row) == (c["origin"] == "flite")
    if name in PEOPLE:
        assert cells[3] == f"{c['origin']}; {c['licence']}"


@pytest.mark.parametrize("name", CLIPS)
def test_its_loudness_is_that_of_another_meter(name):
    pyln = pytest.importorskip("pyloudnorm")
    y, sr = audio.clip(name)
    measured = pyln.Meter(sr).integrated_loudness(y.T.astype(np.float64))
    assert measured == pytest.approx(CLIPS[name]["lufs"], abs=0.3)


# --- people ---------------------------------------------------------------------------------------


def test_nine_clips_are_people_s_and_no_licence_is_inherited():
    assert sorted(PEOPLE) == sorted(recordings.RECORDINGS)
    assert len(PEOPLE) == 9
    free = {"CMU ARCTIC", "BSD-2-Clause", "CC BY 3.0", "CC0"}
    assert {CLIPS[name]["licence"] for name in PEOPLE} == free
    assert {CLIPS[name]["licence"] for name in set(CLIPS) - set(PEOPLE)} == {"CC BY 4.0"}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_notice_lies_beside_it_and_names_it(name):
    text = (FOLDER / "LICENSES" / CLIPS[name]["notice"]).read_text(encoding="utf-8")
    package, version = CLIPS[name]["origin"].split(" ")
    assert f"{name}.flac" in text and f"{package} {version}" in text and "Changed" in text
    own = {
        "CMU ARCTIC": "hereby granted without fee",
        "BSD-2-Clause": "Redistributions in binary form must reproduce",
        "CC BY 3.0": "Attribution 3.0 Unported",
        "CC0": "Statement of Purpose",
    }
    assert own[CLIPS[name]["licence"]] in text
    assert "ShareAlike 3.0" not in text and "General Public License" not in text


def test_packages_are_pinned_by_version_and_checksum():
    for client, version, file, digest in recordings.PACKAGES.values():
        assert client in ("pip", "apt") and version in file and re.fullmatch("[0-9a-f]{64}", digest)
    with_package = {package for _, package, *_ in recordings.RECORDINGS.values()}
    assert with_package == set(recordings.PACKAGES)


def test_a_package_with_another_checksum_is_refused(tmp_path):
    for _, _, file, _ in recordings.PACKAGES.values():
        (tmp_path / file).write_bytes(b"something else")
    with pytest.raises(ValueError, match="checksum"):
        recordings.packages(tmp_path)


def times_of(name):
    """Rows of a clip: words, phones, starts and ends in samples."""
    rows = [row for row in TIMES if row["clip"] == name]
    sr = CLIPS[name]["sr"]
    spans = [[round(float(row[key]) * sr) for key in ("start_s", "end_s")] for row in rows]
    return [row["word"] for row in rows], [row["phone"] for row in rows], np.array(spans)


READ = ["librivox_a", "librivox_b", "librivox_c"]


@pytest.mark.parametrize("name", READ)
def test_phone_times_cover_the_sentence_without_a_gap(name):
    words, phones, spans = times_of(name)
    assert spans[0, 0] == 0
    assert np.all(spans[1:, 0] == spans[:-1, 1]) and np.all(spans[:, 0] < spans[:, 1])
    assert spans[-1, 1] / CLIPS[name]["sr"] == pytest.approx(CLIPS[name]["seconds"], abs=0.03)
    said = re.search('"(.*)"', CLIPS[name]["what"])[1].lower().replace("mr ", "mister ")
    heard = [w for k, w in enumerate(words) if k == 0 or w != words[k - 1] or "sil" in phones[k]]
    heard = [w for w in heard if w not in ("sil", "[noise]")]
    spelled = re.findall("[a-z]+", said)
    missing = [w for w in spelled if w not in heard]
    assert missing == [] and len(heard) - len(spelled) in (0, 1)  # "a more a amiable" was read


@pytest.mark.parametrize("name", READ)
def test_phones_are_where_their_sound_is(name):
    """Vowels are far louder than silence; S is high and vowels are low: no alignment of ours."""
    _, phones, spans = times_of(name)
    y, sr = audio.clip(name)
    level, centre = {}, {}
    for phone, (start, end) in zip(phones, spans, strict=True):
        piece = y[start:end].astype(np.float64)
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
        middle = np.sum(power * np.fft.rfftfreq(len(piece), 1 / sr)) / max(power.sum(), 1e-12)
        level.setdefault(phone, []).append(10 * np.log10(np.mean(piece**2) + 1e-12))
        centre.setdefault(phone, []).append(middle)
    vowels = [p for p in level if re.fullmatch("AA|AE|AO|AX|EH|ER|EY|IY|UW|OW|AY", p)]
    loud = np.median(np.concatenate([level[p] for p in vowels]))
    assert loud > np.median(level["SIL"]) + 18
    low = np.median(np.concatenate([centre[p] for p in vowels]))
    assert np.median(centre["S"]) > 2 * low


@pytest.mark.parametrize("name", ["italian", "russian"])
def test_a_sentence_and_nine_digits_stand_apart(name):
    words, _, spans = times_of(name)
    assert words == ["sentence", *"123456789"]
    y, sr = audio.clip(name)
    inside = np.zeros(len(y), bool)
    for start, end in spans:
        inside[start:end] = True
        assert np.mean(y[start:end] ** 2) > 1e-4
    assert np.abs(y[~inside]).max() < 2e-3 and (~inside).sum() == pytest.approx(2.7 * sr, abs=20)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("arctic_slt", 170, 215),
        ("russian", 190, 235),
        ("arctic_awb", 100, 135),
        ("librivox_a", 80, 120),
        ("italian", 140, 195),
    ],
)
def test_two_women_and_three_men(name, low, high):
    """Another library's estimate of the pitch."""
    import librosa

    y, sr = audio.clip(name)
    f0, _, _ = librosa.pyin(y[: 3 * sr], fmin=60, fmax=400, sr=sr, hop_length=512)
    assert low < np.nanmedian(f0) < high


# --- what each sounds like ------------------------------------------------------------------------


def test_hum_is_fifty_hertz_and_its_multiples():
    for k, level in [(1, 0.0), (2, -5.2), (3, -9.1), (7, -18.4), (13, -30.5)]:
        freq, db = peak_near("hum", 50 * k - 10, 50 * k + 10)
        assert freq == pytest.approx(50 * k, abs=0.1) and db == pytest.approx(level, abs=0.2)
    assert peak_near("hum", 60, 90)[1] < -50


def test_flute_holds_an_a():
    freq, db = peak_near("flute", 400, 480, start=0.5, stop=2.2)
    assert freq == pytest.approx(440, abs=4) and db > -12  # within 16 cents
    for k in (2, 3):
        assert peak_near("flute", 440 * k - 30, 440 * k + 30, start=0.5, stop=2.2)[
            0
        ] == pytest.approx(k * freq, rel=0.01)


def test_cello_starts_on_its_lowest_string():
    assert peak_near("cello", 55, 75, start=0.2, stop=0.9)[0] == pytest.approx(65.4, abs=1)


def test_violin_starts_on_g_and_ends_on_it():
    for part in ({"start": 0.1, "stop": 0.5}, {"start": 3.2, "stop": 3.9}):
        assert peak_near("violin", 360, 430, **part)[0] == pytest.approx(392, abs=5)


@pytest.mark.parametrize(
    ("at", "pitches"),
    [(0, (130.8, 196.0, 329.6, 523.3)), (2, (87.3, 220.0, 349.2)), (4, (130.8, 261.6, 392.0))],
)
def test_piano_plays_its_chords(at, pitches):
    for pitch in pitches:
        freq, db = peak_near(
            "piano_chords", pitch * 0.97, pitch * 1.03, start=at + 0.05, stop=at + 0.9
        )
        assert freq == pytest.approx(pitch, rel=0.01) and db > -35


@pytest.mark.parametrize(
    ("name", "beats"), [("castanets", (0.5, 1.5, 2.5, 2.75, 3, 4.5, 5, 5.25, 5.5))]
)
def test_castanets_strike_on_their_beats_and_are_short(name, beats):
    db = frames_db(name)
    strikes = np.flatnonzero((db[1:] > db.max() - 6) & (np.diff(db) > 12)) + 1
    starts = strikes[np.diff(strikes, prepend=-9) > 3] * 0.01
    np.testing.assert_allclose(starts, np.array(beats) / 2, atol=0.025)
    assert (
        CLIPS[name]["peak_db"] - CLIPS[name]["rms_db"] > 20
    )  # a transient: its peak towers over its mean


def test_drums_repeat_every_four_seconds_of_eighths():
    db = frames_db("drum_loop")
    for beat in (0, 1, 2, 3, 4, 5, 6, 7):
        at = round(beat * 50)
        assert (
            db[at : at + 8].max() > db[max(0, at + 18) : at + 24].max() + 3
        )  # loud on the beat, softer before the next


def test_rain_is_broad_and_steady():
    freqs, db = spectrum("rain")
    octaves = [
        np.mean(10 ** (db[(freqs >= f) & (freqs < 2 * f)] / 10)) for f in (500, 1000, 2000, 4000)
    ]
    assert max(octaves) / min(octaves) < 10 ** (15 / 10)
    y, sr = audio.clip("rain")
    seconds = np.sqrt(np.mean(y[: 5 * sr].reshape(5, sr) ** 2, axis=1))
    assert seconds.max() / seconds.min() < 1.15
    flat = np.exp(np.mean(np.log(10 ** (db / 10)))) / np.mean(10 ** (db / 10))
    assert flat > 0.2  # spectral flatness: noise, where a voice has less than 0.02


def test_babble_has_no_gaps_where_one_voice_has():
    def dynamics(name):
        db = frames_db(name)[5:-5]
        return np.percentile(db, 95) - np.percentile(db, 5)

    assert dynamics("babble") < 14 < 25 < dynamics("voice_a")


@pytest.mark.parametrize(
    ("name", "low", "high"), [("voice_a", 130, 250), ("voice_b", 80, 180), ("digits", 130, 250)]
)
def test_voices_have_a_voice_s_pitch(name, low, high):
    y, sr = audio.clip(name)
    m = round(0.04 * sr)
    pitches = []
    for frame in y[: len(y) // m * m].reshape(-1, m):
        r = np.correlate(frame, frame, "full")[m - 1 :]
        lag = np.argmax(r[sr // 400 : sr // 60]) + sr // 400
        if r[0] > 0 and r[lag] > 0.5 * r[0] and np.mean(frame**2) > 1e-4:
            pitches.append(sr / lag)
    assert len(pitches) > 15 and low < np.median(pitches) < high


def test_ten_digits_are_ten_words():
    loud = frames_db("digits") > -50
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)).reshape(-1, 2)
    edges[1:][
        edges[1:, 0] - edges[:-1, 1] <= 11
    ] = -1  # a stop inside a word ("eight", "six") is a shorter gap
    assert np.sum(edges[:, 0] >= 0) == 10


def test_left_is_left_and_right_is_right():
    y, sr = audio.clip("left_right")
    power = np.mean(y[:, : y.shape[-1] // 160 * 160].reshape(2, -1, 160) ** 2, axis=-1) > 1e-6
    runs = ["LRB"[2 if a and b else 0 if a else 1] for a, b in power.T if a or b]
    assert re.fullmatch("L+R+B+", "".join(runs))
    assert min(runs.count(side) for side in "LRB") > 10
    np.testing.assert_allclose(y[0, -sr // 4 * 3 :], y[1, -sr // 4 * 3 :], atol=1 / 32768)


def test_duet_keeps_its_players_apart():
    assert peak_near("duet", 500, 700, channel=0, start=0.2, stop=0.9)[0] == pytest.approx(
        587, abs=8
    )
    assert peak_near("duet", 80, 120, channel=1, start=0.1, stop=0.45)[0] == pytest.approx(
        98, abs=2
    )
    y, _ = audio.clip("duet")
    assert abs(np.corrcoef(y)[0, 1]) < 0.05
    levels = 10 * np.log10(np.mean(y.astype(np.float64) ** 2, axis=1))
    assert levels[0] == pytest.approx(levels[1], abs=0.1)


# --- made again -----------------------------------------------------------------------------------


@pytest.mark.nightly
def test_a_second_run_gives_the_same_bytes(tmp_path):
    missing = [tool for tool in ("flite", "fluidsynth", "ffmpeg") if shutil.which(tool) is None]
    files = [file for _, _, file, _ in recordings.PACKAGES.values()]
    missing += [file for file in files if not (recordings.SCRATCH / file).is_file()]
    missing += [] if make_clips.SOUND_FONT.is_file() else ["fluid-soundfont-gm"]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    here = make_clips.versions()
    other = [
        f"{k} {here[k]} instead of {v}" for k, v in MANIFEST["versions"].items() if here[k] != v
    ]
    if other:
        pytest.skip(f"the clips were made with other versions: {', '.join(other)}")
    make_clips.main(tmp_path)
    table = tmp_path / "clip_times.csv"
    assert table.read_bytes() == (audio.DATA / "tables" / table.name).read_bytes()
    table.unlink()
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in FOLDER.glob("*.*")}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name


def test_midi_bytes_are_a_song_with_every_note():
    song = make_clips.midi([(0, 1, 60, 100), (1, 0.5, 64, 90)], program=40)
    assert song[:14] == b"MThd\0\0\0\x06\0\0\0\x01\x01\xe0"  # one track, 480 ticks a beat
    assert song[14:18] == b"MTrk" and int.from_bytes(song[18:22], "big") == len(song) - 22
    assert bytes([0xC0, 40]) in song and song.endswith(b"\x00\xff\x2f\x00")
    assert song.count(bytes([0x90, 60, 100])) == song.count(bytes([0x80, 60, 0])) == 1
    off_60, on_64 = song.index(bytes([0x80, 60, 0])), song.index(bytes([0x90, 64, 90]))
    assert off_60 < on_64 and song[off_60 - 2 : off_60] == bytes([0x80 | 480 >> 7, 480 & 0x7F])
