"""The names that other people's tools call: each is called, with a fact that it must keep."""

import inspect

import numpy as np
import pytest

from helpers import (
    audio,
    coursework,
    explore,
    listening,
    loudness,
    mel,
    metrics,
    phase,
    pitch,
    spectra,
    stft,
)

SR = 16000
FRAMES = {"n_fft": 512, "hop_length": 128}
TONE = np.sin(2 * np.pi * 1000 * np.arange(SR) / SR)


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path):
    """Keep what a check stores away from other tests."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("EARUP_RESULTS", str(tmp_path))


def test_audio(tmp_path):
    assert "voice_a" in audio.clips()
    y, sr = audio.clip("voice_a")
    assert y.ndim == 1 and sr == SR
    audio.save(tmp_path / "a.wav", 0.5 * TONE, sr=SR)
    again, sr = audio.load(tmp_path / "a.wav", sr=None, mono=True)
    assert sr == SR and np.abs(again - 0.5 * TONE).max() < 2**-15
    assert audio.resample(TONE, sr=SR, to=8000).shape == (8000,)
    noisy = audio.mix(TONE, np.cos(TONE), snr_db=20)
    rest = noisy - TONE
    assert 10 * np.log10(np.mean(TONE**2) / np.mean(rest**2)) == pytest.approx(20)
    assert len(audio.table("si_sdr_checks")) > 0
    with pytest.raises(ValueError, match="no table 'nothing'"):
        audio.table("nothing")
    assert list(inspect.signature(audio.example).parameters) == ["name"]  # fetches, so not called


def test_loudness():
    # the contour of n phon passes through n dB SPL at 1 kHz, by definition
    assert loudness.equal_loudness_contour(40, [1000.0], edition=2023) == pytest.approx(40, abs=0.1)
    assert loudness.loudness_level(60, 1000.0) == pytest.approx(60, abs=0.1)
    assert loudness.weighting(1000.0, curve="A") == pytest.approx(0, abs=0.01)
    assert loudness.phon_to_sone(50) == pytest.approx(2)  # ten phon more are twice as loud
    assert loudness.sone_to_phon(4) == pytest.approx(60)
    # EBU Tech 3341, case 1: a stereo sine of -23 dBFS at 1 kHz reads -23 LUFS
    sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(20 * 48000) / 48000)
    assert loudness.integrated_loudness(np.stack([sine, sine]), sr=48000) == pytest.approx(
        -23, abs=0.1
    )


def test_pitch():
    there_and_back = (
        (pitch.hz_to_mel, pitch.mel_to_hz),
        (pitch.hz_to_bark, pitch.bark_to_hz),
        (pitch.hz_to_erb_rate, pitch.erb_rate_to_hz),
    )
    for to, back in there_and_back:
        assert back(to(440.0)) == pytest.approx(440)
    assert pitch.erb_bandwidth(1000.0) == pytest.approx(24.7 * (4.37 + 1))
    assert pitch.hz_to_semitones(880.0, ref=440.0) == pytest.approx(12)


def test_transforms():
    freqs, amplitude = spectra.amplitude_spectrum(TONE, sr=SR)
    assert freqs[np.argmax(amplitude)] == 1000 and amplitude.max() == pytest.approx(1, abs=1e-3)
    direct = np.sum(TONE * np.exp(-2j * np.pi * 1000 * np.arange(SR) / SR))
    assert spectra.dtft(TONE, [1000.0], sr=SR) == pytest.approx(direct)
    assert spectra.window_properties("hann", n=1024).enbw_bins == pytest.approx(1.5)
    assert spectra.estimate_frequency(TONE[:4096], sr=SR) == pytest.approx(1000, abs=0.1)
    D = stft.stft(TONE, **FRAMES)
    assert np.allclose(stft.istft(D, hop_length=128, length=SR), TONE)
    assert stft.cola_ripple("hann", n=512, hop_length=128) == pytest.approx(0, abs=1e-12)
    assert stft.consistency_db(D, hop_length=128) < -200
    S = np.abs(D)
    assert phase.griffin_lim(S, hop_length=128, n_iter=2, length=SR).shape == (SR,)
    bank = mel.filterbank(sr=SR, n_fft=512, n_mels=40)
    M = mel.mel_spectrogram(TONE, sr=SR, n_mels=40, **FRAMES)
    np.testing.assert_allclose(M, bank @ S**2, rtol=1e-6, atol=1e-9)
    assert mel.mel_to_magnitude(M, sr=SR, n_fft=512).shape == S.shape


def test_metrics():
    noisy = TONE + 0.1 * np.cos(2 * np.pi * 3000 * np.arange(SR) / SR)
    assert metrics.snr(noisy, TONE) == pytest.approx(20)
    assert metrics.si_sdr(0.5 * noisy, TONE) == pytest.approx(20)
    assert metrics.log_spectral_distance(TONE, TONE) == 0
    assert metrics.spectral_convergence_db(noisy, TONE) == pytest.approx(-20, abs=1)
    y, sr = audio.clip("voice_a")
    pytest.importorskip("pesq")
    assert metrics.pesq(y, y, sr=sr) > 4.5
    pytest.importorskip("pystoi")
    assert metrics.stoi(y, y, sr=sr) == pytest.approx(1, abs=1e-6)


def test_the_face():
    listening.player({"tone": 0.05 * TONE}, sr=SR)
    assert callable(listening.recorder) and callable(listening.blind_test)
    assert callable(explore.stage)
    wrong = coursework.check("32.ratio", lambda S, N: S)
    assert wrong.outcome == "not yet"
    assert repr(coursework.hint("32.ratio")).startswith("Hint 1 of 3.")
    solved = {"np": np}
    code = repr(coursework.solution("32.ratio")).partition("\n\n")[2]
    exec(code[: code.index("\n\n")] if "\n\n" in code else code, solved)
    assert solved["ratio_mask"](np.array([3.0]), np.array([4.0])) == pytest.approx(0.6)
    assert len(coursework.quiz("32").spec["questions"]) > 5
    assert len(coursework.predict("10.dither").spec["questions"]) == 1
    assert "Unit 32: exercises" in repr(coursework.progress())


def test_learning():
    torch = pytest.importorskip("torch")
    from helpers import losses, settings

    assert "setting1_stft" in settings.enhancers() and "gan" in settings.vocoders()
    y, sr = audio.clip("voice_a")
    enhancer = settings.load("setting1_stft")
    assert enhancer.enhance(y[:SR], sr=sr).shape == (SR,)
    stream = enhancer.stream()
    assert len(stream.push(y[:SR])) + len(stream.flush()) == SR
    vocoder = settings.load_vocoder("gan")
    M = vocoder.mel(y[:SR], sr=sr)
    assert vocoder.synthesize(M).ndim == 1 and vocoder.sr > 0
    one = torch.ones(1, 1, 100)
    assert float(losses.L1()(0 * one, one)) == pytest.approx(1)
