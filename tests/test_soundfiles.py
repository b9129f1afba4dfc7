"""Files that libsndfile reads wrongly without a word, and files that it cannot read: each is read
whole, or named with what to do. The right value is what was written into the file.
"""

import io
import warnings

import numpy as np
import pytest
import soundfile

from helpers import audio, signals

SR = 16000


def tone(seconds, sr=SR, freq=440.0, amp=0.3):
    """A sine made here, so that no helper says what is right."""
    return amp * np.sin(2 * np.pi * freq * np.arange(round(seconds * sr)) / sr)


def written(y, sr, kind, **how):
    out = io.BytesIO()
    soundfile.write(out, y, sr, format=kind, **how)
    return out.getvalue()


def vbr(y, sr):
    """A variable-rate mp3 without the frame that states its length, and how many frames it has."""
    raw = written(y, sr, "MP3", bitrate_mode="VARIABLE", compression_level=0.9)
    at = raw.find(b"Xing")
    n = int.from_bytes(raw[at + 8 : at + 12], "big")
    second = raw.index(raw[:2], at)
    return raw[second:], n


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("front", ["", "ID3", "junk"])
def test_a_vbr_mp3_without_a_length_is_read_whole(sr, channels, front):
    quiet = np.zeros(6 * sr)
    rng = np.random.default_rng(0)
    y = np.concatenate([0.1 * rng.standard_normal(sr // 2), quiet, tone(3, sr)])  # many, few bits
    raw, n_frames = vbr(np.stack([y] * channels, axis=1), sr)
    before = {"": b"", "ID3": b"ID3\3\0\0\0\0\0\x14" + bytes(20), "junk": bytes(300)}[front]
    got, rate = audio.load(before + raw)
    frame = 1152 if sr >= 32000 else 576
    assert rate == sr
    assert len(y) <= len(got) + 529 <= n_frames * frame + 1152  # a decoder drops its own delay, 529
    end = got[-sr // 2 : -sr // 4]
    peak_hz = np.argmax(np.abs(np.fft.rfft(end * np.hanning(len(end))))) * sr / len(end)
    assert peak_hz == pytest.approx(440, abs=4)
    assert np.abs(end).max() == pytest.approx(0.3, abs=0.08)  # few bits are coarse


def test_damage_in_the_middle_of_an_mp3_costs_no_end():
    raw, _ = vbr(np.concatenate([np.zeros(4 * SR), tone(4)]), SR)
    middle = len(raw) // 2
    got, _ = audio.load(raw[:middle] + bytes(100) + raw[middle:])
    assert len(got) == pytest.approx(8 * SR, abs=0.2 * SR)


def test_an_mp3_that_states_its_length_is_not_touched():
    raw = written(tone(2), SR, "MP3")
    want, _ = soundfile.read(io.BytesIO(raw), dtype="float32")
    np.testing.assert_allclose(audio.load(raw)[0], want, atol=1e-6)


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path):
    y = np.round(32768 * tone(70)) / 32768  # longer than a block
    raw = bytearray(written(y, SR, "FLAC"))
    raw[21] &= 0xF0  # the number of samples has 36 bits; 0 says unknown
    raw[22:26] = bytes(4)
    (tmp_path / "p.flac").write_bytes(raw)
    for source in (tmp_path / "p.flac", bytes(raw)):
        got, _ = audio.load(source, max_seconds=None)
        np.testing.assert_array_equal(got, y.astype(np.float32))
    with pytest.raises(ValueError, match=r"p.flac lasts at least .* s, longer than 30 s; cut it"):
        audio.load(tmp_path / "p.flac", max_seconds=30)


@pytest.mark.parametrize("kind", ["WAV", "MP3"])
def test_a_file_that_was_cut_off_says_so(kind):
    raw = written(tone(4), SR, kind)
    with pytest.warns(UserWarning, match="it was cut off"):
        y, _ = audio.load(raw[: len(raw) // 2])
    assert len(y) == pytest.approx(2 * SR, abs=0.1 * SR)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(audio.load(raw)[0]) == pytest.approx(4 * SR, abs=1200)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF024])
def test_a_wav_from_a_pipe_is_whole_and_quiet(size):
    raw = bytearray(written(tone(1), SR, "WAV"))
    at = raw.find(b"data")
    raw[at + 4 : at + 8] = size.to_bytes(4, "little")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(audio.load(bytes(raw))[0]) == SR


# ---- what is passed ------------------------------------------------------------------------------


def test_bytes_of_every_kind_are_taken_and_an_open_file_twice(tmp_path):
    want = tone(0.1).astype(np.float32)
    raw = written(want, SR, "WAV", subtype="FLOAT")
    for data in (raw, bytearray(raw), memoryview(raw)):
        np.testing.assert_array_equal(audio.load(data)[0], want)
    just_written = io.BytesIO()
    soundfile.write(just_written, want, SR, format="WAV", subtype="FLOAT")
    just_written.seek(0, io.SEEK_END)
    np.testing.assert_array_equal(audio.load(just_written)[0], want)
    (tmp_path / "a.wav").write_bytes(raw)
    with open(tmp_path / "a.wav", "rb") as file:
        for _ in range(2):
            np.testing.assert_array_equal(audio.load(file)[0], want)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (None, "path is NoneType, no file; pass its path"),
        (3, "path is int"),
        ({"path": "a.wav", "array": []}, r"is read already: y, sr = path\[\"array\"\]"),
        ("https://example.org/speech.wav", "speech.wav stands at an address.*download it first"),
        (io.StringIO("text"), r"open it with open\(path, 'rb'\)"),
    ],
)
def test_what_is_no_file_is_named(path, said):
    with pytest.raises(ValueError, match=said):
        audio.load(path)


@pytest.mark.parametrize("most", [0, -1, "60", np.nan])
def test_a_limit_is_a_number_or_none(most):
    with pytest.raises(ValueError, match=r"max_seconds=.* None for no limit"):
        audio.load(written(tone(0.1), SR, "WAV"), max_seconds=most)


# ---- codecs --------------------------------------------------------------------------------------


def wav_of(tag):
    raw = bytearray(written(np.zeros(800), SR, "WAV"))
    raw[20:22] = tag.to_bytes(2, "little")
    return bytes(raw)


def ogg_of(packet):
    return b"OggS\0\2" + bytes(20) + bytes([1, len(packet)]) + packet + bytes(400)


CODECS = {  # what it is: (its bytes, what the message calls it), after the registries of both
    "aac": (wav_of(0x00FF), "AAC"),
    "wma": (wav_of(0x0161), "WMA"),
    "yamaha": (wav_of(0x0020), "Yamaha ADPCM"),
    "g726": (wav_of(0x0045), "G.726"),
    "unknown": (wav_of(0x4321), "0x4321"),
    "oggflac": (ogg_of(b"\x7fFLAC\1\0\0\1fLaC"), "FLAC in an Ogg"),
    "speex": (ogg_of(b"Speex   1.2"), "Speex"),
    "avi": (b"RIFF\x00\x10\0\0AVI LIST" + bytes(600), "AVI"),
    "webp": (b"RIFF\x00\x10\0\0WEBPVP8 " + bytes(600), "WebP"),
    "asf": (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9" + bytes(600), "WMA or ASF"),
}


@pytest.mark.parametrize("kind", CODECS)
def test_a_codec_that_is_not_known_is_no_damage(kind):
    raw, name = CODECS[kind]
    with pytest.raises(ValueError, match=rf"{name}.*ffmpeg") as caught:
        audio.load(raw)
    assert "damaged" not in str(caught.value)


# ---- what a file holds ---------------------------------------------------------------------------


def test_opposite_channels_warn_in_the_mono_mix():
    y = tone(0.5)
    with pytest.warns(UserWarning, match="cancel in the mono mix.*mono=False"):
        mixed, _ = audio.load(written(np.stack([y, -y], axis=1), SR, "WAV"))
    assert np.abs(mixed).max() <= 1 / 32768
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (SR, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audio.load(written(noise, SR, "WAV"))
        audio.load(written(np.zeros((99, 2)), SR, "WAV"))
        audio.load(written(np.stack([y, -y], axis=1), SR, "WAV"), mono=False)


def test_nan_in_a_file_has_a_remedy_that_can_be_followed(tmp_path):
    y = np.array([0.1, np.nan, 0.2])
    soundfile.write(tmp_path / "n.wav", y, SR, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"n.wav holds 1 NaN.*soundfile.read"):
        audio.load(tmp_path / "n.wav")
    again, _ = soundfile.read(tmp_path / "n.wav")
    np.testing.assert_allclose(np.nan_to_num(again), [0.1, 0, 0.2], atol=1e-7)


@pytest.mark.parametrize("over", [1.0000001, 1.0004, 2.0])
def test_the_remedy_of_a_peak_beyond_full_scale_helps(tmp_path, over):
    y = np.array([0.0, over, -0.5])
    with pytest.raises(ValueError, match=r"scale it first: y / np.abs\(y\).max\(\)"):
        audio.save(tmp_path / "a.wav", y, sr=SR)
    audio.save(tmp_path / "a.wav", y / np.abs(y).max(), sr=SR)
    assert soundfile.read(tmp_path / "a.wav")[0].max() == 1.0
    with pytest.raises(ValueError, match=r"scale it first: y / np.abs\(y\).max\(\)"):
        signals.mu_law_encode(y)
    assert signals.mu_law_encode(y / np.abs(y).max()).max() == 255


@pytest.mark.parametrize("sr", [8000, 65535, 65540, 96000, 192000, 655350])
def test_flac_holds_what_it_can(tmp_path, sr):
    audio.save(tmp_path / "a.flac", np.zeros((8, 9)), sr=sr)
    found = soundfile.info(tmp_path / "a.flac")
    assert (found.samplerate, found.channels, found.frames) == (sr, 8, 9)


@pytest.mark.parametrize(
    ("shape", "sr", "said"),
    [
        ((9, 99), SR, "9 channels and FLAC.*at most 8"),
        ((9,), 96001, "sr=96001.*resample"),
        ((9,), 768000, "sr=768000 Hz; save it as .wav"),
    ],
)
def test_what_flac_cannot_hold_is_named(tmp_path, shape, sr, said):
    with pytest.raises(ValueError, match=said):
        audio.save(tmp_path / "a.flac", np.zeros(shape), sr=sr)
    audio.save(tmp_path / "a.wav", np.zeros(shape), sr=sr)


def test_saving_knows_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    audio.save("~/a.wav", np.zeros(9), sr=SR)
    assert soundfile.info(tmp_path / "a.wav").frames == 9
