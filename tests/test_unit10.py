"""What unit 10 lets you hear is what it says: levels, spectra, the one difference of two clips."""

import itertools

import numpy as np
import pytest
import scipy.signal
import soundfile

from helpers import audio
from helpers.coursework import catalogue
from tests.pages import SHARED, band, code_cells, drawn_with_guess, level, loudest, peak_hz, run

NAME = "10_sound_and_samples"


def test_every_tenth_sample_folds_what_the_filter_removes(unit):
    sr, violin, tenth, filtered = (
        unit[name] for name in ("violin_sr", "violin", "tenth", "filtered")
    )
    nyquist = sr / 20
    assert len(tenth) == len(filtered) == len(violin)
    wanted = band(violin, sr, 50, 0.9 * nyquist)
    assert band(filtered, sr, 50, 0.9 * nyquist) == pytest.approx(wanted, abs=0.2)
    assert band(filtered, sr, 1.1 * nyquist, sr / 2) < wanted - 50
    folded = level(tenth - filtered)  # what only the unfiltered copy has
    assert folded == pytest.approx(band(violin, sr, nyquist, sr / 2), abs=1.5)
    assert folded > wanted - 10  # loud enough to be heard


def test_four_bits_leave_sixteen_values_at_most(unit):
    assert len(np.unique(unit["coarse"])) <= 16


def test_the_sweep_turns_round_at_nyquist_only_without_a_filter(unit):
    sr, sweeps = unit["sr"], unit["sweeps"]
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


def test_sincs_on_the_dots_draw_the_tone_and_no_staircase(unit, page):
    """Against an FFT that makes four samples of one, over whole periods."""
    samples = np.cos(2 * np.pi * 3000 * np.arange(400) / 8000)
    between = scipy.signal.resample(samples, 1600)[1:4]
    places = np.array([0.25, 0.5, 0.75])
    np.testing.assert_allclose(between, np.cos(2 * np.pi * 0.375 * places), atol=1e-9)
    drawn = np.sinc(places[:, None] - unit["looks"]) @ unit["seen"]
    np.testing.assert_allclose(drawn, between, atol=1e-3)
    assert "no staircase" in page


def test_three_weights_pass_what_is_steady_and_stop_the_nyquist_frequency(unit):
    freqs, response = scipy.signal.freqz(unit["weights"], worN=[0.0, np.pi / 2, np.pi])
    np.testing.assert_allclose(np.abs(response), np.cos(freqs / 2) ** 2, atol=1e-12)  # 1, 1/2, 0
    np.testing.assert_allclose(np.abs(response), [1, 0.5, 0], atol=1e-12)


def test_a_spectrum_is_explained_above_the_first_one(page):
    assert page.index("**spectrum**") < page.index("**Figure 10.4.")


def test_dither_keeps_a_tone_that_rounding_erases(unit):
    sr, fading, plain, dithered = (unit[name] for name in ("sr", "fading", "plain", "dithered"))
    last = slice(int(2.4 * sr), int(3.4 * sr))
    assert np.abs(fading[last]).max() < 2.0**-6  # below half a step
    assert not plain[last].any()
    carrier = np.exp(-2j * np.pi * 440 * np.arange(sr) / sr)
    there, kept = (abs(np.mean(y[last] * carrier)) for y in (fading, dithered))
    assert kept == pytest.approx(there, rel=0.25)


def test_dither_makes_more_noise_but_no_overtones(unit):
    sr, fading = unit["sr"], unit["fading"]
    first = slice(sr // 2, sr // 2 + sr)
    errors = {name: unit[name][first] - fading[first] for name in ("plain", "dithered")}
    assert level(errors["dithered"]) - level(errors["plain"]) == pytest.approx(4.8, abs=1.0)
    third = {name: band(error, sr, 1310, 1330) for name, error in errors.items()}
    assert third["plain"] > third["dithered"] + 6


def spectrum_of_the_figure(y, sr):
    """Peak amplitude of a tone in each bin of 1 Hz [dB], Hann over the second from 0.5 s."""
    part = y[sr // 2 : sr // 2 + sr] * np.hanning(sr)
    return 20 * np.log10(4 * np.abs(np.fft.rfft(part)) / sr + 1e-12)


def test_the_line_of_the_faded_tone_is_where_the_figure_says(unit):
    t = np.arange(4 * 16_000) / 16_000
    faded = 0.12 * np.exp(-t) * np.sin(2 * np.pi * 440 * t)
    peak = spectrum_of_the_figure(faded, 16_000).max()
    assert f"{peak:.0f}".replace("-", "−") in unit["how_dither"]
    assert peak == pytest.approx(-27.0, abs=0.1)


@pytest.mark.parametrize(("k", "lands"), [(37, 280), (35, 600), (39, 1160)])
def test_overtones_above_nyquist_fold_to_where_they_are_marked(unit, page, k, lands):
    assert abs(440 * k - 16_000) == lands
    near = slice(lands - 5, lands + 6)
    plain, dithered = (spectrum_of_the_figure(unit[y], 16_000) for y in ("plain", "dithered"))
    around = np.median(plain[lands - 60 : lands + 60])
    assert plain[near].max() > around + 20
    assert dithered[near].max() < np.median(dithered[lands - 60 : lands + 60]) + 15
    if k == 37:
        assert "16 280 Hz and lands at 280 Hz" in page


def test_levels_per_bin_and_in_all(unit, page):
    fading, sr = unit["fading"], unit["sr"]
    shown = slice(sr // 2, sr // 2 + sr)
    total = [level((unit[name] - fading)[shown]) for name in ("plain", "dithered")]
    assert f"dithered error is {total[1] - total[0]:.0f} dB stronger" in page
    quiet = [np.median(spectrum_of_the_figure(unit[n], sr)[:4000]) for n in ("plain", "dithered")]
    assert quiet[1] - quiet[0] == pytest.approx(17, abs=1)


def test_what_dither_does_and_does_not_make_independent():
    rng = np.random.default_rng(0)
    places = rng.uniform(-8, 8, 400_000)  # in steps
    boxes = rng.uniform(-0.5, 0.5, (2, len(places)))

    def error(x, noise):
        return np.round(x + noise) - x

    bare = np.mean(error(places, 0) ** 2)
    for noise, cost in ((boxes.sum(axis=0), 4.8), (boxes[0], 3.0)):
        rise = 10 * np.log10(np.mean(error(places, noise) ** 2) / bare)
        assert rise == pytest.approx(cost, abs=0.05)
    power = {}
    for x in (0.0, 0.25, 0.5):
        found = error(x, boxes.sum(axis=0))
        assert np.mean(found) == pytest.approx(0, abs=0.01)
        power[x] = np.mean(found**2)
        if x == 0.5:
            assert set(np.abs(found)) == {0.5}
        if x == 0.0:
            assert set(np.abs(found)) == {0.0, 1.0}
    np.testing.assert_allclose(list(power.values()), 0.25, rtol=0.02)
    swells = [np.mean(error(x, boxes[0]) ** 2) for x in (0.0, 0.5)]
    assert swells[0] < 1e-9 and swells[1] == pytest.approx(0.25)


def test_nearly_all_of_the_voice_is_left_of_the_crossing(unit, page):
    t = np.arange(16_000) / 16_000
    better = []
    for peak in range(-50, 1, 2):
        y = 10 ** (peak / 20) * np.sin(2 * np.pi * 441 * t)
        even = np.round(y * 128) / 128
        bent = np.round((np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) + 1) * 127.5)
        bent = bent / 127.5 - 1
        bent = np.sign(bent) * (256 ** np.abs(bent) - 1) / 255
        better.append(level(bent - y) < level(even - y))
    np.testing.assert_array_equal(better, np.arange(-50, 1, 2) < -12)
    sizes = np.abs(audio.clip("arctic_slt")[0])
    larger = sum(float(size) > 10 ** (-12 / 20) for size in sizes)
    said = f"Of the {len(sizes):,} samples of our voice only {larger} are larger than that"
    assert said.replace(",", " ") in page


@pytest.mark.parametrize(("choice", "khz"), [(0, 5), (1, 3), (3, 1)])
def test_a_guess_about_the_climbing_tone_is_drawn_into_the_sweep(
    unit, choice, khz, monkeypatch, tmp_path
):
    (line,) = drawn_with_guess(unit, "10.alias_where", choice, tmp_path, monkeypatch)
    ((when, heard),) = line.get_xydata()
    assert 100 * (7900 / 100) ** (when / 3) == pytest.approx(5000) and heard == khz


def test_a_guess_of_silence_draws_nothing(unit, monkeypatch, tmp_path):
    assert drawn_with_guess(unit, "10.alias_where", 2, tmp_path, monkeypatch) == []


def test_the_three_voices_differ_in_clipping_alone(unit):
    clean = unit["voice"] / np.abs(unit["voice"]).max()
    for name, y in unit["hot"].items():
        assert level(y) == pytest.approx(-27, abs=0.05)
        excess = 0 if name == "it fits" else float(name.split()[0])
        flat = np.mean(np.abs(y) > 0.9999 * np.abs(y).max())
        assert flat == pytest.approx(np.mean(np.abs(clean) >= 10 ** (-excess / 20)), abs=1e-3)


def test_a_clipped_sine_has_the_odd_overtones_of_its_fourier_series_and_they_fold(unit):
    """Coefficients by the integral over one period, against what the page finds in its lines."""
    turn = (np.arange(200_000) + 0.5) / 200_000
    flat = np.clip(2 * np.sin(2 * np.pi * turn), -1, 1)
    for k, lands in ((1, 1500), (3, 4500), (5, 7500)):
        size = abs(2 * np.mean(flat * np.sin(2 * np.pi * k * turn)))
        # what folds on top of it lies far below
        assert unit["lines"][lands] == pytest.approx(20 * np.log10(size), abs=0.9)
    assert [abs(1500 * k - 16_000) for k in (7, 9)] == [5500, 2500]
    assert unit["lines"][5500] > -40 and unit["lines"][5499] < -100


def test_eight_times_as_often_is_an_eighth_of_the_noise_and_shaping_far_less(unit, page):
    errors = [level((y - unit["fading"])[200:-200]) for y in unit["six"].values()]
    assert errors[0] - errors[1] == pytest.approx(10 * np.log10(8), abs=0.5)
    # noise through 1 - 1/z, between 0 and an eighth of Nyquist: its power by numerical integration
    f = (np.arange(4000) + 0.5) / 4000 / 16
    left = np.mean(4 * np.sin(np.pi * f) ** 2) / 8
    assert errors[0] - errors[2] == pytest.approx(-10 * np.log10(left), abs=1.5)
    assert "nearly 23 dB" in page and errors[0] - errors[2] == pytest.approx(22.6, abs=0.3)
    steps = unit["coded"]["and shaped"] * 32
    np.testing.assert_array_equal(steps, np.round(steps))


@pytest.mark.parametrize("seed", range(3))
def test_clipped_samples_are_those_of_flat_tops(seed):
    solve = {}
    exec(catalogue.exercise("10.clipped").solution, {"np": np}, solve)
    y = np.random.default_rng(seed).integers(-3, 4, 400) / 8
    rows = [(value, len(list(row))) for value, row in itertools.groupby(y)]
    assert solve["clipped"](y) == sum(n for v, n in rows if n >= 3 and abs(v) == 3 / 8)


def test_three_tones_of_equal_energy(unit):
    sr, tones = unit["sr"], unit["equal"]
    levels = [level(y) for y in tones.values()]
    assert max(levels) - min(levels) < 0.02
    for name, y in tones.items():
        assert peak_hz(y, sr) == pytest.approx(float(name.split()[0]), abs=2)


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


def test_the_cell_for_a_file_of_your_own_takes_real_recordings(unit, tmp_path):
    cells = code_cells("10_sound_and_samples", tag="own-file")
    assert cells and 'my_file = ""' in cells[0]
    for path in recordings(tmp_path):
        chosen = [cells[0].replace('my_file = ""', f"my_file = {str(path)!r}"), *cells[1:]]
        names = run(chosen, tmp_path, dict(unit))
        info = soundfile.info(path)
        assert names["mine_sr"] == info.samplerate
        assert len(names["mine"]) == pytest.approx(info.frames, abs=2500)  # mp3 pads its ends
        assert names["mine"].dtype == np.float32 and np.isfinite(names["mine"]).all()


def test_no_player_exceeds_the_level_that_the_first_page_promises(unit):
    sounds = [y for value in unit.values() if isinstance(value, dict) for y in value.values()]
    sounds = [y for y in sounds if isinstance(y, np.ndarray) and y.shape[-1] > 1000]
    assert sounds
    ceiling = level(audio.clip("arctic_slt")[0]) + 14
    for y in sounds:
        assert loudest(np.sqrt(np.mean(np.atleast_2d(y) ** 2, axis=0)), unit["sr"]) <= ceiling
