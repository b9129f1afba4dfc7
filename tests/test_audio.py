"""Facts about files, rates and mixtures: what comes out is what went in, and what is no sound is
refused.
"""

import io
import os
import threading
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers import _storage, audio, metrics, signals

SHARED = Path(os.environ.get("EARUP_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def peak_hz(y, sr):
    return np.argmax(np.abs(np.fft.rfft(y * np.hanning(len(y))))) * sr / len(y)


# --- what counts as audio -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 5)])
def test_good_audio_passes_unchanged_and_uncopied(dtype, shape):
    y = np.full(shape, 1.5, dtype=dtype)  # beyond full scale is allowed
    assert audio.check(y) is y


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.zeros(4, dtype=np.int16), "int16.*y / 32768"),
        (np.zeros(4, dtype=np.uint8), r"uint8.*\(y - 128.0\) / 128"),
        (np.zeros(4, dtype=np.int32), "y / 2147483648"),
        (np.zeros(4, dtype=complex), "complex.*real part"),
        (np.zeros(4, dtype=bool), "bool"),
        (["a", "b"], "not samples"),
        (np.array([0.0, np.nan, np.inf]), "2 NaN or infinite values of 3.*nan_to_num"),
        (np.zeros((100, 2)), r"shape \(100, 2\).*y\.T"),
        (np.zeros((1, 2, 3)), r"shape \(1, 2, 3\)"),
        (np.float64(0.5), r"shape \(\)"),
        (np.zeros(0), "0 samples"),
        (np.zeros((2, 0)), "shape"),
    ],
)
def test_what_is_no_audio_is_refused_with_the_remedy(y, said):
    with pytest.raises(ValueError, match=said):
        audio.check(y)


def test_the_message_carries_the_caller_s_name_and_need():
    with pytest.raises(ValueError, match=r"noise has shape .*512 samples"):
        audio.check(np.zeros(100), name="noise", min_samples=512)


@pytest.mark.parametrize("sr", [1000, 16000, 44100.0, np.int64(768000)])
def test_rates_are_whole_numbers_of_hertz(sr):
    assert audio.check_rate(sr) == sr and type(audio.check_rate(sr)) is int


@pytest.mark.parametrize(
    "sr", [0, -16000, 44.1, 999, 768001, 22050.5, np.nan, np.inf, "16000", None, True]
)
def test_absurd_rates_are_refused(sr):
    with pytest.raises(ValueError, match=r"sr=.*such as 16000"):
        audio.check_rate(sr)


# --- loading --------------------------------------------------------------------------------------

FORMATS = {  # kind: (subtype, error allowed in the amplitude, rates that the format knows)
    "wav": ("PCM_16", 1e-4, (8000, 22050, 44100, 96000)),
    "WAV": ("PCM_U8", 1e-2, (8000, 44100)),
    "aiff": ("PCM_24", 1e-6, (44100,)),
    "flac": ("PCM_16", 1e-4, (8000, 44100, 96000)),
    "ogg": ("VORBIS", 0.05, (8000, 16000, 44100, 48000)),
    "mp3": ("MPEG_LAYER_III", 0.05, (16000, 22050, 44100, 48000)),
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("kind", "sr"), [(kind, sr) for kind, (_, _, rates) in FORMATS.items() for sr in rates]
)
def test_every_format_gives_back_its_tone(tmp_path, kind, sr, channels):
    subtype, error, _ = FORMATS[kind]
    tone = signals.fade(signals.sine(440, sr=sr, duration=1.0, amp=0.5), sr=sr)
    path = tmp_path / f"tone.{kind}"
    soundfile.write(
        path, np.stack([tone] * channels, axis=1), sr, subtype=subtype, format=kind.upper()
    )
    y, got = audio.load(path)
    assert (got, y.dtype, y.ndim) == (sr, np.float32, 1)
    assert len(y) == pytest.approx(sr, abs=2400)  # mp3 adds up to two frames
    middle = y[sr // 4 : sr // 4 * 3]
    assert peak_hz(middle, sr) == pytest.approx(440, abs=2.5)
    assert metrics.rms(middle) == pytest.approx(0.5 / np.sqrt(2), rel=error)


def test_integers_are_divided_by_full_scale(tmp_path):
    soundfile.write(tmp_path / "i.wav", np.array([-32768, -1, 0, 16384], dtype=np.int16), 8000)
    y, _ = audio.load(tmp_path / "i.wav")
    np.testing.assert_array_equal(y, np.float32([-1, -1 / 32768, 0, 0.5]))


def test_mono_is_the_average_and_channels_come_first(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.array([[0.5, -0.25]] * 6), 8000, subtype="FLOAT")
    np.testing.assert_array_equal(audio.load(tmp_path / "s.wav")[0], np.full(6, 0.125))
    both, _ = audio.load(tmp_path / "s.wav", mono=False)
    np.testing.assert_array_equal(both, [[0.5] * 6, [-0.25] * 6])


def test_a_rate_that_is_asked_for_is_given(tmp_path):
    audio.save(tmp_path / "a.wav", signals.sine(1000, sr=44100, duration=1.0, amp=0.5), sr=44100)
    y, sr = audio.load(tmp_path / "a.wav", sr=16000)
    assert (sr, len(y), y.dtype) == (16000, 16000, np.float32)
    assert peak_hz(y, sr) == pytest.approx(1000, abs=1)


def test_values_beyond_full_scale_are_kept_and_named(tmp_path):
    soundfile.write(tmp_path / "hot.wav", np.array([0.0, -2.0, 0.5]), 8000, subtype="FLOAT")
    with pytest.warns(UserWarning, match=r"hot.wav peaks at 2.000 \(\+6.0 dBFS\)"):
        y, _ = audio.load(tmp_path / "hot.wav")
    np.testing.assert_array_equal(y, [0.0, -2.0, 0.5])


def test_values_at_full_scale_are_silent(tmp_path):
    soundfile.write(tmp_path / "full.wav", np.array([1.0, -1.0]), 8000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audio.load(tmp_path / "full.wav")


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_bytes_of_an_upload_load_like_the_file(tmp_path, kind):
    path = tmp_path / f"x.{kind.lower()}"
    soundfile.write(path, signals.sine(440, sr=16000, duration=0.5, amp=0.5), 16000, format=kind)
    y, sr = audio.load(path)
    again, sr_again = audio.load(io.BytesIO(path.read_bytes()))
    np.testing.assert_array_equal(y, again)
    assert sr == sr_again


def as_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")


BAD = {  # name: (writer, what the refusal says)
    "notes.wav": (
        lambda p: p.write_text("These are my notes about the sound."),
        "it is text, starting with 'These are",
    ),
    "page.mp3": (
        lambda p: p.write_text("<!DOCTYPE html><p>ä" + "x" * 600),
        "it is text, starting with '<!DOCTYPE",
    ),
    "cover.flac": (
        lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40)),
        "it is a PNG picture",
    ),
    "phone.m4a": (lambda p: p.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(40)), "MP4 or M4A.*ffmpeg"),
    "chrome.webm": (lambda p: p.write_bytes(b"\x1aE\xdf\xa3" + bytes(40)), "WebM.*ffmpeg"),
    "pack.ogg": (as_zip, "ZIP archive"),
    "noise.bin": (
        lambda p: p.write_bytes(bytes([0xF3, 0x28, 0x80]) * 300),
        "first bytes are f3 28 80",
    ),
    "samples.raw": (lambda p: p.write_bytes(bytes([0xF3, 0x28, 0x80]) * 300), "first bytes are"),
    "void.wav": (lambda p: p.write_bytes(b""), "empty .0 bytes."),
    "torn.flac": (lambda p: p.write_bytes(b"fLaC\0\0\0\x22" + bytes(9)), "damaged"),
    "headeronly.wav": (lambda p: soundfile.write(p, np.zeros(0), 8000), "no samples"),
    "nan.wav": (
        lambda p: soundfile.write(p, np.array([0, np.nan]), 8000, subtype="FLOAT"),
        "nan.wav holds 1 NaN",
    ),
    "inf.wav": (
        lambda p: soundfile.write(p, np.array([0, np.inf]), 8000, subtype="FLOAT"),
        "1 NaN or infinite",
    ),
    "slow.wav": (
        lambda p: soundfile.write(p, np.zeros(9), 250),
        "slow.wav's header, sr=250 is no sampling rate",
    ),
    "fast.wav": (lambda p: soundfile.write(p, np.zeros(9), 999_999), "sr=999999"),
    "long.wav": (
        lambda p: soundfile.write(p, np.zeros(1000 * 3700, np.int16), 1000),
        "lasts 3700 s, longer than 3600",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_sound_says_what_it_is(tmp_path, name):
    make, said = BAD[name]
    make(tmp_path / name)
    with pytest.raises(ValueError, match=said) as caught:
        audio.load(tmp_path / name)
    assert name in str(caught.value) and str(tmp_path) not in str(caught.value)
    if name != "void.wav":
        with pytest.raises(ValueError, match=r"the upload|header"):
            audio.load(io.BytesIO((tmp_path / name).read_bytes()))


def test_a_long_file_loads_when_it_is_asked_for(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(1000 * 3700, dtype=np.int16), 1000)
    assert len(audio.load(tmp_path / "long.wav", max_seconds=4000)[0]) == 3_700_000


def test_a_missing_file_names_its_neighbours(tmp_path):
    audio.save(tmp_path / "my_guitar.wav", np.zeros(9), sr=8000)
    with pytest.raises(FileNotFoundError, match=r"did you mean my_guitar.wav"):
        audio.load(tmp_path / "my_gitar.wav")
    with pytest.raises(FileNotFoundError, match="no folder"):
        audio.load(tmp_path / "nowhere" / "a.wav")
    with pytest.raises(ValueError, match=r"is a folder; pick one of its files: my_guitar.wav"):
        audio.load(tmp_path)


# --- saving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1000,), (2, 1000)])
def test_wav_loses_nothing(tmp_path, shape):
    y = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    audio.save(tmp_path / "a.wav", y, sr=48000)
    back, sr = audio.load(tmp_path / "a.wav", mono=False)
    np.testing.assert_array_equal(back, y)
    assert sr == 48000


def test_flac_rounds_to_the_nearest_of_65536_values(tmp_path):
    y = np.linspace(-1, 1 - 1 / 32768, 4001)
    audio.save(tmp_path / "a.flac", y, sr=48000)
    back, _ = audio.load(tmp_path / "a.flac")
    assert np.abs(back - y).max() <= 0.5 / 32768 + 1e-9
    np.testing.assert_array_equal(back * 32768, np.round(back * 32768))


@pytest.mark.parametrize(
    ("name", "y", "said"),
    [
        ("a.wav", np.array([0, 1, 2]), "int64.*divide"),
        ("a.wav", np.array([0.0, 2.0]), r"clipped; scale it first: y / np.abs\(y\).max\(\)"),
        ("a.flac", np.array([0.0, -1.001]), "clipped"),
        ("a.mp3", np.zeros(4), "must end in .wav .float. or .flac"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(tmp_path, name, y, said):
    with pytest.raises(ValueError, match=said):
        audio.save(tmp_path / name, y, sr=8000)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    audio.save(tmp_path / "a.wav", np.zeros(4), sr=8000)
    before = (tmp_path / "a.wav").read_bytes()

    def break_off(*args):
        raise OSError(28, "disk full")

    monkeypatch.setattr(_storage.os, "fsync", break_off)
    with pytest.raises(
        OSError, match=r"a.wav could not be saved \(disk full\), what it held before is untouched"
    ):
        audio.save(tmp_path / "a.wav", np.ones(4), sr=8000)
    assert (tmp_path / "a.wav").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing"):
        audio.save(tmp_path / "missing" / "a.wav", np.zeros(4), sr=8000)


# --- resampling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sr", "to"), [(44100, 16000), (16000, 44100), (48000, 24000), (22050, 16000), (8000, 96000)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tone_below_both_nyquists_survives(sr, to, dtype):
    y = signals.sine(1000, sr=sr, duration=1.0, amp=0.5).astype(dtype)
    out = audio.resample(y, sr=sr, to=to)
    assert (out.dtype, len(out)) == (dtype, to)
    expected = signals.sine(1000, sr=to, duration=1.0, amp=0.5)
    inside = slice(to // 10, -to // 10)  # the ends ring: the tone starts and stops there
    assert np.abs(out - expected)[inside].max() < 1e-5


@pytest.mark.parametrize("freq", [9000, 12000, 20000])
def test_a_tone_above_the_new_nyquist_dies_instead_of_folding(freq):
    y = signals.fade(signals.sine(freq, sr=44100, duration=1.0), sr=44100, ms=100)
    out = audio.resample(y, sr=44100, to=16000)
    assert metrics.level_db(out[2000:-2000]) < -115
    naive = y[::3]  # dropping samples folds it back at full strength instead
    assert metrics.level_db(naive) > -10


@pytest.mark.parametrize("n", [1, 2, 3, 440, 441, 442, 12345])
@pytest.mark.parametrize(("sr", "to"), [(44100, 16000), (16000, 44100), (8000, 8000)])
def test_the_length_is_the_rounded_share(n, sr, to):
    assert audio.resample(np.ones((2, n)) if n > 1 else np.ones(n), sr=sr, to=to).shape[-1] == max(
        1, int(n * to / sr + 0.5)
    )


def test_channels_do_not_mix():
    y = np.random.default_rng(0).standard_normal((2, 4410))
    both = audio.resample(y, sr=44100, to=16000)
    for channel in range(2):
        np.testing.assert_allclose(
            both[channel], audio.resample(y[channel], sr=44100, to=16000), atol=1e-12
        )


def test_there_and_back_is_the_same_where_nothing_was_lost():
    y = np.sum(
        [signals.sine(f, sr=16000, duration=1.0, amp=0.1) for f in (100, 1234, 6000)], axis=0
    )
    back = audio.resample(audio.resample(y, sr=16000, to=48000), sr=48000, to=16000)
    assert np.abs(back - y)[800:-800].max() < 1e-6


def test_bad_rates_are_named():
    with pytest.raises(ValueError, match="to=0"):
        audio.resample(np.zeros(4), sr=8000, to=0)


# --- mixing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-20, -3.5, 0, 10, 40])
@pytest.mark.parametrize("m", [100, 999, 1000, 5000])
def test_a_mixture_has_the_ratio_that_was_asked_for(snr_db, m):
    rng = np.random.default_rng(1)
    speech, noise = 0.3 * rng.standard_normal(1000), rng.standard_normal(m)
    y = audio.mix(speech, noise, snr_db=snr_db)
    added = y - speech
    assert 10 * np.log10(np.sum(speech**2) / np.sum(added**2)) == pytest.approx(snr_db, abs=1e-9)
    repeated = np.resize(noise, 1000)  # repeated from its beginning, or cut
    assert np.corrcoef(added, repeated)[0, 1] == pytest.approx(1)


def test_stereo_mixes_and_float32_stays():
    rng = np.random.default_rng(1)
    speech, noise = (
        rng.standard_normal((2, 500)).astype(np.float32),
        rng.standard_normal((2, 90)).astype(np.float32),
    )
    y = audio.mix(speech, noise, snr_db=6)
    assert (y.shape, y.dtype) == ((2, 500), np.float32)
    assert 10 * np.log10(np.sum(speech**2) / np.sum((y - speech) ** 2)) == pytest.approx(
        6, abs=1e-3
    )


@pytest.mark.parametrize(
    ("speech", "noise", "snr_db", "said"),
    [
        (np.zeros(9), np.ones(9), 0, "speech is silent"),
        (np.ones(9), np.zeros(9), 0, "noise is silent"),
        (np.ones(3), np.array([0.0] * 3 + [1.0]), 0, "noise is silent over these 3"),
        (np.ones((2, 9)), np.ones(9), 0, "same channels"),
        (np.ones(9), np.ones(9), np.inf, "finite"),
        (np.ones(9, dtype=np.int16), np.ones(9), 0, "speech holds int16"),
    ],
)
def test_mixtures_without_a_ratio_are_refused(speech, noise, snr_db, said):
    with pytest.raises(ValueError, match=said):
        audio.mix(speech, noise, snr_db=snr_db)


# --- clips and examples ---------------------------------------------------------------------------


def test_my_voice_is_a_clip_once_it_is_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "my_voice" not in audio.clips()
    with pytest.raises(ValueError, match=r'record it in unit 00, or use clip\("voice_a"\)'):
        audio.clip("my_voice")
    audio.save(audio.voice_path(), np.full(480, 0.25), sr=48000)
    assert audio.clips()[-1] == "my_voice"
    y, sr = audio.clip("my_voice")
    assert (sr, y.shape, float(y.max())) == (48000, (480,), 0.25)


def test_an_unknown_clip_names_the_near_one():
    with pytest.raises(ValueError, match="no clip 'violine'; did you mean 'violin'"):
        audio.clip("violine")


def test_a_recording_comes_from_the_net_where_there_is_one(tmp_path, monkeypatch, capsys):
    import librosa

    audio.save(tmp_path / "real.wav", np.full(100, 0.5), sr=22050)
    monkeypatch.setattr(librosa, "ex", lambda name: str(tmp_path / "real.wav"))
    y, sr = audio.example("libri1")
    assert (sr, len(y), capsys.readouterr().out) == (22050, 100, "")


@pytest.mark.parametrize("name", audio.EXAMPLES)
def test_without_a_network_the_shipped_clip_and_one_line(name, monkeypatch, capsys):
    import librosa

    def offline(name):
        raise OSError("no route to host")

    monkeypatch.setattr(librosa, "ex", offline)
    y, sr = audio.example(name)
    clip, clip_sr = audio.clip(audio.EXAMPLES[name])
    np.testing.assert_array_equal(y, clip)
    assert sr == clip_sr and y.ndim == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and audio.EXAMPLES[name] in said


def test_a_network_that_hangs_does_not_hold_you_up(monkeypatch, capsys):
    import librosa

    release = threading.Event()
    monkeypatch.setattr(librosa, "ex", lambda name: release.wait())
    monkeypatch.setattr(audio, "PATIENCE_S", 0.01)
    audio.example("libri1")
    release.set()
    assert "shipped clip" in capsys.readouterr().out


def test_only_free_recordings_are_offered():
    import librosa.util.files

    known = getattr(librosa.util.files, "__TRACKMAP")
    assert set(audio.EXAMPLES) <= set(known)
    for name in set(known) - set(audio.EXAMPLES):  # the four whose text file says "Noncommercial"
        with pytest.raises(ValueError, match="no free recording"):
            audio.example(name)


# --- real recordings ------------------------------------------------------------------------------


def recordings():
    if not (SHARED / "corpus").is_dir():
        reason = (
            "no real recordings here: they lie beside the repository, or where EARUP_SHARED says"
        )
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    speech = sorted((SHARED / "corpus" / "speech" / "valid").glob("*.flac"))[:4]
    music = sorted((SHARED / "corpus" / "music").glob("*.flac"))
    noise = sorted((SHARED / "corpus" / "noise" / "valid").glob("*.ogg"))[:2]
    return [pytest.param(path, id=path.stem) for path in [*speech, *music[::5], *noise]]


@pytest.mark.parametrize("path", recordings())
def test_real_recordings_load_from_every_format_and_rate(tmp_path, path):
    full, sr = audio.load(path)
    full, n = full[: 3 * sr], min(len(full), 3 * sr)
    reference = metrics.level_db(full)
    for kind, to in [
        ("WAV", 44100),
        ("FLAC", 8000),
        ("OGG", 48000),
        ("MP3", 22050),
        ("MP3", 44100),
        ("WAV", 96000),
    ]:
        moved = audio.resample(full, sr=sr, to=to)
        stereo = np.stack([moved, moved], axis=1) * min(1.0, 0.99 / np.abs(moved).max())
        copy = tmp_path / f"copy{to}.{kind.lower()}"
        soundfile.write(copy, stereo, to, format=kind)
        y, got = audio.load(copy)
        assert got == to and len(y) == pytest.approx(n * to / sr, abs=2500)
        back, _ = audio.load(copy, sr=sr)
        assert np.all(np.isfinite(back)) and abs(len(back) - n) < 3000
        kept = metrics.level_db(stereo.T)[0]
        assert metrics.level_db(y) == pytest.approx(
            kept, abs=0.8
        )  # the codecs drop a little of the treble
        if to >= sr:
            assert kept == pytest.approx(reference, abs=1.0)
