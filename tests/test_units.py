"""What the units let you hear is what they say: levels, spectra, and the one thing in which two
clips differ.
"""

import numpy as np
import pytest
import soundfile

from tests.pages import SHARED, band, code_cells, level, peak_hz, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder for the kernel, with a progress file of its own."""
    folder = tmp_path_factory.mktemp("units")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARUP_PROGRESS", str(folder / "progress.json"))
        patch.setenv("EARUP_RESULTS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def unit00(folder):
    """Every name that unit 00 leaves behind."""
    return run(code_cells("00_start_here"), folder)


@pytest.fixture(scope="module")
def unit10(folder):
    """Every name that unit 10 leaves behind."""
    return run(code_cells("10_sound_and_samples"), folder)


def test_the_first_voice_has_the_level_that_sets_the_volume(unit00):
    assert level(unit00["voice"]) == pytest.approx(-26, abs=1.5)


def test_each_side_sounds_where_its_name_says(unit00):
    sides = unit00["sides"]
    assert not sides["left"][1].any() and sides["left"][0].any()
    assert not sides["right"][0].any() and sides["right"][1].any()
    np.testing.assert_array_equal(sides["both"][0], sides["both"][1])


def test_the_flipped_pair_differs_in_one_sign_only(unit00):
    both, flipped = unit00["sides"]["both"], unit00["sides"]["one side flipped"]
    assert level(both) == level(flipped)
    np.testing.assert_array_equal(flipped[0], both[0])
    np.testing.assert_array_equal(flipped[1], -both[1])


def test_half_is_6_db_and_the_same_sound(unit00):
    voice, half = unit00["voice"], unit00["half"]
    assert level(half) - level(voice) == pytest.approx(20 * np.log10(0.5), abs=1e-6)
    np.testing.assert_allclose(2 * half, voice)


def test_the_dull_voice_has_lost_its_top_and_nothing_else(unit00):
    voice, dull, sr = unit00["voice"], unit00["dull"], unit00["sr"]
    assert band(dull, sr, 100, 3000) == pytest.approx(band(voice, sr, 100, 3000), abs=0.1)
    assert band(dull, sr, 4500, 8000) < band(voice, sr, 4500, 8000) - 25


def test_every_tenth_sample_folds_what_the_filter_removes(unit10):
    sr, violin, tenth, filtered = (
        unit10[name] for name in ("violin_sr", "violin", "tenth", "filtered")
    )
    nyquist = sr / 20
    assert len(tenth) == len(filtered) == len(violin)
    wanted = band(violin, sr, 50, 0.9 * nyquist)
    assert band(filtered, sr, 50, 0.9 * nyquist) == pytest.approx(wanted, abs=0.2)
    assert band(filtered, sr, 1.1 * nyquist, sr / 2) < wanted - 50
    folded = level(tenth - filtered)  # what only the unfiltered copy has
    assert folded == pytest.approx(band(violin, sr, nyquist, sr / 2), abs=1.5)
    assert folded > wanted - 10  # loud enough to be heard


def test_four_bits_leave_sixteen_values_at_most(unit10):
    assert len(np.unique(unit10["coarse"])) <= 16


def test_the_sweep_turns_round_at_nyquist_only_without_a_filter(unit10):
    sr, sweeps = unit10["sr"], unit10["sweeps"]
    assert len({y.shape for y in sweeps.values()}) == 1
    t = np.log(5500 / 100) / np.log(7900 / 100) * 3.0  # when the exponential sweep passes 5500 Hz
    here = slice(int(sr * t) - 256, int(sr * t) + 256)
    assert peak_hz(sweeps["sweep"][here], sr) == pytest.approx(5500, abs=120)
    assert peak_hz(sweeps["every 2nd sample"][here], sr) == pytest.approx(2500, abs=120)
    assert level(sweeps["filtered first"][here]) < level(sweeps["sweep"][here]) - 60
    early = slice(0, sr)
    assert level(sweeps["filtered first"][early]) == pytest.approx(
        level(sweeps["sweep"][early]), abs=0.1
    )


def test_beats_come_four_times_a_second(unit10):
    sr, beats = unit10["sr"], unit10["beats"]
    envelope = np.convolve(beats**2, np.ones(sr // 100), mode="same")
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    assert np.argmax(spectrum[:40]) * sr / len(beats) == 4


def test_dither_keeps_a_tone_that_rounding_erases(unit10):
    sr, fading, plain, dithered = (unit10[name] for name in ("sr", "fading", "plain", "dithered"))
    last = slice(int(2.4 * sr), int(3.4 * sr))
    assert np.abs(fading[last]).max() < 2.0**-6  # below half a step
    assert not plain[last].any()
    carrier = np.exp(-2j * np.pi * 440 * np.arange(sr) / sr)
    there, kept = (abs(np.mean(y[last] * carrier)) for y in (fading, dithered))
    assert kept == pytest.approx(there, rel=0.25)


def test_dither_makes_more_noise_but_no_overtones(unit10):
    sr, fading = unit10["sr"], unit10["fading"]
    first = slice(sr // 2, sr // 2 + sr)
    errors = {name: unit10[name][first] - fading[first] for name in ("plain", "dithered")}
    assert level(errors["dithered"]) - level(errors["plain"]) == pytest.approx(4.8, abs=1.0)
    third = {name: band(error, sr, 1310, 1330) for name, error in errors.items()}
    assert third["plain"] > third["dithered"] + 6


def test_three_tones_of_equal_energy(unit10):
    sr, tones = unit10["sr"], unit10["equal"]
    levels = [level(y) for y in tones.values()]
    assert max(levels) - min(levels) < 0.02
    for name, y in tones.items():
        assert peak_hz(y, sr) == pytest.approx(float(name.split()[0]), abs=2)


@pytest.mark.parametrize("unit", ["unit00", "unit10"])
def test_no_player_exceeds_the_level_that_the_first_page_promises(unit, request):
    names = request.getfixturevalue(unit)
    voice_level = level(request.getfixturevalue("unit00")["voice"])
    sounds = [y for value in names.values() if isinstance(value, dict) for y in value.values()]
    sounds = [y for y in sounds if isinstance(y, np.ndarray) and y.shape[-1] > 1000]
    assert sounds
    for y in sounds:
        block = int(0.4 * names["sr"])
        power = np.convolve(
            np.mean(np.atleast_2d(y) ** 2, axis=0), np.ones(block) / block, mode="valid"
        )
        assert 10 * np.log10(power.max() + 1e-20) <= voice_level + 14


def recordings(tmp_path):
    """Real recordings in several formats and rates, made from the corpus."""
    files = sorted((SHARED / "corpus" / "speech" / "valid").rglob("*.flac"))[:1]
    files += sorted((SHARED / "corpus" / "music").glob("brahms*.flac"))[:1]
    if len(files) < 2:
        pytest.skip(
            "the corpus of real recordings is not here (../shared/corpus); our own clips are "
            "tested elsewhere"
        )
    for file in files:
        yield file
        y, sr = soundfile.read(file, frames=5 * 22050, dtype="float32")
        for name, rate, data in (
            ("cd.wav", 44100, y),
            ("phone.wav", 8000, y[::2]),
            ("studio.flac", 96000, np.stack([y, y], axis=1)),
            ("web.ogg", sr, y),
            ("web.mp3", sr, np.stack([y, -y], axis=1)[:, :1]),
        ):
            path = tmp_path / f"{file.stem}_{name}"
            soundfile.write(path, data, rate)
            yield path


def test_the_cell_for_a_file_of_your_own_takes_real_recordings(unit10, folder, tmp_path):
    cells = code_cells("10_sound_and_samples", tag="own-file")
    assert cells and 'my_file = ""' in cells[0]
    for path in recordings(tmp_path):
        chosen = [cells[0].replace('my_file = ""', f"my_file = {str(path)!r}"), *cells[1:]]
        names = run(chosen, folder, dict(unit10))
        info = soundfile.info(path)
        assert names["mine_sr"] == info.samplerate
        assert len(names["mine"]) == pytest.approx(info.frames, abs=2500)  # mp3 pads its ends
        assert names["mine"].dtype == np.float32 and np.isfinite(names["mine"]).all()
