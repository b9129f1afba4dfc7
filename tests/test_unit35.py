"""What unit 35 lets you hear, every number that its pages and its coursework state, and when its
challenge is met.
"""

import importlib.util
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import audio, metrics, settings
from helpers.coursework import catalogue
from tests.pages import SHARED, level

NAME = "35_setting3_end_to_end"
SR = 16000


# ---- what is heard -------------------------------------------------------------------------------


def test_the_first_player_holds_a_mixture_at_0_db_and_better_ones(unit):
    noisy, one, three, voice = unit["tracks"].values()
    assert level(noisy - voice) == pytest.approx(level(voice), abs=0.01)
    for made in (one, three):
        assert metrics.si_sdr(made, voice) > metrics.si_sdr(noisy, voice) + 4
    for y in (noisy, one, three, voice):
        assert np.abs(y).max() < 0.9


def test_the_glide_is_played_at_its_level(unit):
    glide = unit["gliding"]["glide"]
    assert np.abs(glide).max() == pytest.approx(0.1, abs=1e-3) and abs(glide[0]) < 1e-3
    turns = np.flatnonzero(np.diff(np.signbit(glide.astype(float)))) / SR
    early, late = (np.sum((turns > t) & (turns < t + 0.2)) / 0.4 for t in (0.05, 2.75))
    assert early == pytest.approx(330, abs=6) and late == pytest.approx(
        870, abs=6
    )  # the means over 0.2 s


def test_setting_3_is_ahead_in_this_rain_as_the_page_says(unit, page):
    _, one, three, voice = unit["tracks"].values()
    ahead = metrics.si_sdr(three, voice) - metrics.si_sdr(one, voice)
    assert round(float(ahead), 1) == 2.6 and "there Setting 3 is 2.6 dB ahead" in page


def test_the_guess_stands_over_the_lines_that_were_expected(unit, monkeypatch):
    import matplotlib.pyplot as plt

    from helpers import coursework

    (asked,) = (it for it in catalogue.unit("35")["predict"] if it["key"] == "35.tone")
    wanted = {0: [], 8000: [1.0], 250: [0.25 * k for k in range(1, 17)], 1000: [1.0, 2.0, 3.0, 4.0]}
    assert [option["value"] for option in asked["option"]] == list(wanted)
    for value, lines in wanted.items():
        monkeypatch.setattr(coursework, "guess", lambda key, value=value: float(value))
        fig, ax = plt.subplots()
        unit["mark_guess"](ax)
        assert ax.lines[0].get_xdata().tolist() == lines and "your guess" in ax.texts[0].get_text()
        plt.close(fig)


# ---- the setting by hand -------------------------------------------------------------------------


def test_worked_examples(page):
    assert [3 - 1, 4 - 1] == [2, 3] and "3 − 1 = 2, the second 4 − 1 = 3" in page
    assert 2 * 1 + 2 * 2 + 2 * 4 + 1 == 15 and "field is 15 samples" in page
    assert 2 * 192 * 384 == 147456 and "147 456 multiply-adds a frame" in page
    assert round(147456 * 250 / 1e6) == 37 and "37 million" in page
    assert 256 * 192 * SR / 64 == 12_288_000


def test_the_filters_began_as_an_even_grid_and_an_exact_pair(unit, page):
    found = unit["centres"](unit["grid_start"])
    inner = slice(2, -2)  # at 0 and 8 kHz a line leans on its own mirror image
    np.testing.assert_allclose(found[::2][inner], (31.25 + 62.5 * np.arange(128))[inner], atol=4)
    np.testing.assert_allclose(
        found[1::2], found[::2], atol=51
    )  # a sine peaks where its cosine does, nearly
    assert "62.5 Hz apart: 25 % of them below 2 kHz" in page
    noise = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    np.testing.assert_allclose(
        unit["there_and_back"](unit["matrices"]["before training"], noise), noise, atol=1e-4
    )


def test_a_random_start_goes_to_the_bass_and_an_even_grid_stays(unit):
    below = {name: np.mean(found < 2000) for name, found in unit["kinds"].items()}
    assert below["random, before"] < 0.4 and below["random, after 200 steps"] > 0.8
    assert abs(below["ours, trained"] - 0.25) < 0.1
    mels = 2595 * np.log10(1 + np.array([2000, 8000]) / 700)
    assert below["mel bank"] == pytest.approx(mels[0] / mels[1], abs=0.02)
    assert np.min(unit["alike"]) > 0.8


def test_pairs_are_turned_and_stretched_as_complex_numbers(unit):
    """The mask of the setting is a complex gain, so it can move a phase; written out with complex
    numbers.
    """
    model, y = unit["model"], unit["noisy"]
    w = unit["way_in"](y)
    z = w[:, :128] + 1j * w[:, 128:]
    with torch.no_grad():
        energies = np.log(np.abs(z) ** 2 + 1e-7) / 4 + 1
        mask = model.middle(torch.from_numpy(energies)[None].float())[0][0].numpy()[model.ahead :]
    gain = mask[:, :128] + 1j * mask[:, 128:]
    out = z[: len(gain)] * gain
    made = unit["way_back"](np.hstack([out.real, out.imag]))[: len(y)]
    np.testing.assert_allclose(made, unit["enhanced"], atol=1e-5)
    assert np.abs(np.angle(gain[np.abs(out) > np.quantile(np.abs(out), 0.9)])).max() > 0.1


def test_the_strongest_pairs_are_turned_a_little_and_that_helps_a_little(unit, page):
    model, y, voice = unit["model"], unit["noisy"], unit["voice"]
    assert 5 < np.median(unit["turns"]) < 15 and "It turns by some ten degrees" in page
    gained = metrics.si_sdr(unit["enhanced"], voice) - unit["straight"]
    assert gained == pytest.approx(0.3, abs=0.05) and "gains 0.3 dB here" in page

    def real(x, state=None):  # another way to forbid turning: inside the network
        mask, state = middle(x, state)
        return mask * (torch.arange(256) < 128), state

    middle = model.middle
    try:
        model.middle = torch.nn.Module()
        model.middle.forward = real
        with torch.no_grad():
            made = model(torch.from_numpy(y)[None])[0].numpy()
    finally:
        model.middle = middle
    assert metrics.si_sdr(made, voice) == pytest.approx(unit["straight"], abs=1e-3)


# ---- receptive field and latency -----------------------------------------------------------------


def test_the_shipped_numbers_are_those_of_the_page_and_of_the_quiz(unit, page, texts):
    model = unit["model"]
    assert (model.span, model.hop, model.ahead, model.latency, model.lookahead) == (
        256,
        64,
        4,
        512,
        511,
    )
    assert 1000 * model.latency / SR == 32 and "at most 511 samples *ahead*" in page
    assert model.receptive_field() == 16576 and "its field is 16 576 samples" in texts
    assert [block.dilation for block in model.middle.blocks] == unit["dilations"]


CHOICES = [
    (kernel, pattern, layers, stride, causal)
    for kernel in (2, 3, 5)
    for pattern in ("1, 1, 1, 1", "1, 2, 4, 8", "8, 4, 2, 1", "4, 4, 4, 4")
    for layers in (1, 3, 4)
    for stride in (1, 2, 4)
    for causal in (False, True)
]


def test_formula_and_trying_agree_at_every_setting_and_every_output(unit):
    for kernel, pattern, layers, stride, causal in CHOICES:
        dilations = unit["PATTERNS"][pattern][:layers]
        found = unit["touched"](kernel, dilations, stride, causal)
        for n in (0, 1, 2, 3, 20, 63):
            there = np.flatnonzero(found[n]) - unit["LEFT"]
            first, last, latency = unit["formula"](n, kernel, dilations, stride, causal)
            assert (there[0], there[-1]) == (first, last), (
                kernel,
                pattern,
                layers,
                stride,
                causal,
                n,
            )
            assert last - n < latency
        assert (
            max(unit["formula"](n, kernel, dilations, stride, causal)[1] - n for n in range(4))
            == latency - 1
        )


def test_autograd_finds_the_same_field(unit):
    """Another way to measure: the slope of one output with respect to every input."""
    for choice in ((3, (1, 2, 4), 1, False), (3, (1, 2, 4, 8), 4, True), (5, (4, 4, 4), 2, False)):
        network = unit["random_network"].__wrapped__  # without its no_grad
        y = torch.from_numpy(unit["piece"])[None, None].requires_grad_()
        with torch.enable_grad():
            network(y, *choice)[0, unit["LEFT"] + 20].backward()
        there = np.flatnonzero(y.grad[0, 0].numpy()) - unit["LEFT"]
        first, last, _ = unit["formula"](20, *choice)
        assert (there[0], there[-1]) == (first, last)
        np.testing.assert_array_equal(
            there, np.flatnonzero(unit["touched"](*choice)[20]) - unit["LEFT"]
        )


def test_the_drawn_ways_end_at_the_samples_that_count(unit):
    for n, choice in (
        (20, (3, (1, 2, 4), 1, False)),
        (21, (5, (4, 4, 4, 4), 4, True)),
        (3, (2, (1, 2), 2, True)),
    ):
        ends = [b[0] for _, b in unit["ways"](n, *choice) if b[1] == 0]
        first, last, _ = unit["formula"](n, *choice)
        assert (min(ends), max(ends)) == (first, last)


def test_what_the_page_says_about_the_stage(unit, page):
    says = lambda *a: unit["drag"](*a)["readout"]  # noqa: E731
    both, causal = (says(20, "1, 2, 4, 8", 3, 3, 1, c) for c in (False, True))
    assert (
        "Field by formula: 15 samples; by trying: 15, 15 of them count" in both
        and "latency: 8 samples" in both
    )
    assert "15 samples" in causal and "latency: 1 samples" in causal
    assert "15 samples with a latency of 8 become 15 with a latency of 1" in page
    turned = says(20, "8, 4, 2, 1", 4, 3, 1, False)
    assert turned == says(20, "1, 2, 4, 8", 4, 3, 1, False)
    holes = unit["drag"](20, "4, 4, 4, 4", 3, 3, 1, False)
    np.testing.assert_array_equal(np.diff(holes["lit_x"]), 4)  # every fourth
    assert "DISAGREES" not in both + causal + turned + holes["readout"]


def test_the_challenge_is_won_by_few_settings(unit):
    won = []
    for kernel, pattern, layers, stride, causal in CHOICES:
        reply = unit["drag"](20, pattern, layers, kernel, stride, causal)
        if reply["solved"]:
            won.append((kernel, pattern, layers, stride, causal))
    doubling = [
        (5, "1, 2, 4, 8", 4, 4, True),
        (5, "8, 4, 2, 1", 3, 4, True),
        (5, "8, 4, 2, 1", 4, 4, True),
    ]
    assert won == doubling  # three large dilations do: the frames overlap, so no hole is left
    assert unit["drag"](20, "1, 2, 4, 8", 4, 5, 4, True)["solved"] == (
        "Yes: 252 samples, every one counts, latency 8 samples."
    )


# ---- losses --------------------------------------------------------------------------------------


def test_lessons_never_meet_the_exam(unit):
    rng = np.random.default_rng(3)
    voice = unit["voice"]
    for _ in range(5):
        _, clean = unit["lesson"](rng)
        for y in clean.numpy():
            n = len(voice) + len(y)
            match = np.fft.irfft(np.fft.rfft(voice, n) * np.conj(np.fft.rfft(y, n)), n).max()
            assert match < 0.7 * np.linalg.norm(voice) * np.linalg.norm(y)


def test_each_loss_ends_where_the_page_says(unit):
    made = {name: unit["judge"](y) for name, y in unit["made_by"].items()}
    assert abs(made["SI-SDR"][1]) > 6
    assert all(abs(made[name][1]) < 2 for name in ("L1", "STFT", "SI-SDR + 10 STFT"))
    assert min(made, key=lambda name: made[name][0]) == "STFT"
    alone = unit["made_by"]["SI-SDR"]
    for gain in (0.1, -1.0):  # and the loss does not notice
        assert metrics.si_sdr(gain * alone, unit["voice"]) == pytest.approx(
            made["SI-SDR"][0], abs=1e-3
        )


def test_what_the_page_says_of_the_longer_runs_is_in_their_table(unit, page):
    rows = unit["longer"]
    assert list(rows) == ["noisy input", "waveform L1", "SI-SDR", "multi-resolution STFT", LAST]
    assert all(
        row["steps"] == 1200 and 400 < row["seconds"] < 720
        for name, row in rows.items()
        if name != "noisy input"
    )
    for what in ("si_sdr_gain", "pesq", "stoi", "log_spectral_distance"):
        ranked = sorted(
            rows, key=lambda name: rows[name][what], reverse=what != "log_spectral_distance"
        )
        assert ranked[0] == BEST[what], what
    gain, pesq, stoi, far = (
        {name: row[what] for name, row in rows.items()}
        for what in ("si_sdr_gain", "pesq", "stoi", "log_spectral_distance")
    )
    noisy, l1, sdr, spectral, both = rows
    assert (
        f"SI-SDR is {-gain[spectral]:.1f} dB *below*" in page
        and f"highest PESQ, {pesq[spectral]:.2f}" in page
    )
    assert (
        f"gains most in SI-SDR, {gain[sdr]:.1f} dB" in page
        and f"{far[sdr]:.1f} dB, twice that of any other loss" in page
    )
    assert (
        all(far[sdr] > 2 * far[name] for name in (l1, spectral, both))
        and far[sdr] > 1.7 * far[noisy]
    )
    assert min(pesq, key=pesq.get) == l1 and "has the lowest PESQ" in page
    assert round(gain[sdr] - gain[both], 1) == 0.1 and round(pesq[spectral] - pesq[both], 2) == 0.03
    assert {name for name in pesq if pesq[name] > pesq[noisy]} == {spectral, both}
    assert max(stoi, key=stoi.get) == noisy


LAST = "SI-SDR + 5 x multi-resolution STFT"
BEST = {
    "si_sdr_gain": "SI-SDR",
    "pesq": "multi-resolution STFT",
    "stoi": "noisy input",
    "log_spectral_distance": LAST,
}


def test_a_gain_alone_makes_the_spectral_distance_that_the_page_names(unit, page):
    voice = unit["voice"]
    assert (
        round(float(metrics.log_spectral_distance(10 * voice, voice))) == 18
        and "20 dB alone makes one of 18 dB" in page
    )
    if importlib.util.find_spec("pesq") and importlib.util.find_spec("pystoi"):
        for measure, near in (
            (metrics.pesq, 0.02),
            (metrics.stoi, 1e-3),
        ):  # they take the level out
            quiet, loud = (measure(g * unit["tracks"]["noisy"], voice, sr=SR) for g in (0.1, 1.0))
            assert quiet == pytest.approx(loud, abs=near)


def test_the_longer_runs_trained_the_network_that_the_page_names(page):
    from helpers.settings.setting3 import TasNet
    from tools.measure import ablate

    network = TasNet(128, 256, 64, 4, **ablate.SMALL)
    assert sum(p.numel() for p in network.parameters()) == 535968 and "535 968 weights" in page


# ---- what a spectrogram model does not do --------------------------------------------------------


def test_images_of_a_tone_lie_on_multiples_of_250_hz_only(unit):
    found = unit["through"]["Setting 3"]
    grid = np.arange(len(found)) % (SR // 64) == 0
    assert found[~grid].max() < -120
    assert np.sort(found[grid])[-3] > -100  # others than the tone are there
    first = unit["through"]["Setting 1"]
    away = np.abs(np.arange(len(first)) - 1000) > 100
    assert (found[grid & away].max() - found[1000]) > (first[away].max() - first[1000]) + 10


def test_levels_of_lines_and_of_the_mean(unit, page):
    """By projection on each sine, and by the mean itself."""
    y = settings.load("setting3_waveform").enhance(unit["tone"], sr=SR)[2 * SR : 3 * SR]
    y = y.astype(np.float64)
    t = np.arange(SR) / SR

    def sine_db(hz):
        return 20 * np.log10(np.abs(2 * np.mean(y * np.exp(-2j * np.pi * hz * t))))

    found = unit["through"]["Setting 3"]
    for hz in (250, 750, 1000, 1250):
        assert found[hz] == pytest.approx(sine_db(hz), abs=0.05)
    assert found[0] == pytest.approx(20 * np.log10(abs(y.mean())), abs=0.05)
    assert round(20 * np.log10(abs(y.mean()))) == -67
    heard = {hz: sine_db(hz) for hz in range(250, 8000, 250) if hz != 1000}
    assert round(sine_db(1000) - max(heard.values())) == 15  # "about 15 dB below the tone"
    assert "lies about 15 dB below the tone" in page
    assert round(-20 - sine_db(1000)) == 37 and "lowered the tone itself by 37 dB" in page
    assert found[0] > max(heard.values())  # "The mean, at 0 Hz, is stronger"


def test_one_output_period_is_one_stride(unit):
    """Another way to say the same: with four periods a stride, the output repeats every 64
    samples.
    """
    y = (
        settings.load("setting3_waveform")
        .enhance(unit["tone"], sr=SR)[2 * SR : 2 * SR + 6400]
        .reshape(100, 64)
    )
    assert np.abs(y - y[0]).max() < 1e-6
    halves = y[0].reshape(4, 16)
    assert np.abs(halves - halves[0]).max() > 1e-6  # and not every 16, as the tone does


def test_only_a_whole_stride_leaves_setting3_as_it_was(unit):
    moved, three, one = unit["moved"], unit["three"], unit["one"]
    assert moved(three, 128) > 70
    for k in (1, 16, 32):
        assert moved(three, k) < 45
    assert moved(one, 1) > moved(three, 1) + 10


def test_a_click_spreads_by_one_frame_in_setting3(unit, page):
    click = np.zeros(SR, np.float32)
    click[8000] = 0.25
    sounding = np.flatnonzero(unit["three"].enhance(click, sr=SR)) - 8000
    assert sounding[0] == -192 and sounding[-1] <= 255 and 1000 * 192 / SR == 12
    assert "192 samples before it in Setting 3, 12 ms" in page
    earlier = np.flatnonzero(unit["one"].enhance(click, sr=SR))[0] - 8000
    assert -512 < earlier < -384


# ---- cost ----------------------------------------------------------------------------------------


def test_what_it_costs(unit, page):
    sizes = {
        name: sum(p.numel() for p in unit[name].model.parameters()) for name in ("one", "three")
    }
    assert (
        sizes["three"] / sizes["one"] == pytest.approx(20, abs=1)
        and "Twenty times the weights" in page
    )
    work = {name: unit["counted"](unit[name].model) for name in ("one", "three")}
    assert (
        work["three"] / work["one"] == pytest.approx(2.2, abs=0.3)
        and "only about twice the work" in page
    )
    weights = sum(
        p.numel() for p in unit["three"].model.parameters() if p.ndim == 2 and p.shape[0] > 3
    )
    assert work["three"] == pytest.approx(weights * SR / 64, rel=0.03)  # every weight, once a frame
    assert unit["one"].stream().latency == unit["three"].stream().latency == 512


def test_mels_of_the_last_question(texts):
    mels = [2595 * np.log10(1 + f / 700) for f in (2000, 8000)]
    assert [round(m) for m in mels] == [1521, 2840] and "1521 of 2840 mel" in texts
    assert re.search(r"49 152 for one frame", texts) and 256 * 192 == 49152


# ---- what the network is given, what turning is worth, what filters leave ------------------------


def test_what_turning_is_worth_on_real_recordings(page):
    rows = {(r["snr_db"], r["measure"]): r for r in audio.table("turning_heldout")}
    assert {r["n"] for r in rows.values()} == {"19"}
    gain = {key: float(r["difference"]) for key, r in rows.items()}
    said = f"worth **{gain['all', 'si_sdr']:.2f} dB and {gain['all', 'pesq']:.2f} PESQ**"
    assert said in page and float(rows["all", "si_sdr"]["low"]) > 0
    assert float(rows["all", "pesq"]["low"]) > 0
    assert f"It is worth {gain['0', 'si_sdr']:.2f} dB where the noise is as strong" in page
    assert f"and {gain['10', 'si_sdr']:.2f} dB at 10 dB" in page
    assert (round(gain["5", "si_sdr"], 2), round(gain["5", "pesq"], 2)) == (0.38, 0.05)
    stored = audio.table("three_settings_heldout")
    heldout = {(r["method"], r["noise"], r["snr_db"]): r for r in stored}
    for snr in ("0", "5", "10"):  # "as it is" is the network of the other table
        whole = float(heldout["setting3_waveform", "all", snr]["si_sdr"])
        assert float(rows[snr, "si_sdr"]["as_it_is"]) == pytest.approx(whole, abs=0.006)


def test_turning_helps_on_some_recordings_again_with_complex_numbers(unit):
    """Four of the mixtures at 10 dB, with the mask as a complex gain and as its real part."""
    import csv

    import soundfile

    folder = SHARED / "heldout"
    if not (folder / "manifest.csv").exists():
        pytest.skip("the held-out recordings are not here")
    rows = [r for r in csv.DictReader((folder / "manifest.csv").open()) if r["snr_db"] == "10"]
    gained = []
    for row in rows[:4]:
        y, voice = (soundfile.read(folder / row[k], dtype="float32")[0] for k in ("noisy", "clean"))
        w = unit["way_in"](y)
        z = w[:, :128] + 1j * w[:, 128:]
        a, b = unit["mask_for"](z.real, z.imag)
        scores = []
        for gain in (a + 1j * b, a + 0j):
            out = z[: len(gain)] * gain
            made = unit["way_back"](np.hstack([out.real, out.imag]))[: len(y)]
            scores.append(metrics.si_sdr(made.astype(np.float32), voice))
        gained.append(scores[0] - scores[1])
    assert np.mean(gained) > 0.2


def test_the_mask_is_made_of_energies_and_of_nothing_else(unit, page):
    """Another waveform with the same energies of all pairs gets the same mask, in PyTorch."""
    model = unit["model"]
    w = torch.from_numpy(unit["way_in"](unit["noisy"])).float()
    turn = torch.exp(2j * torch.pi * torch.rand(w.shape[0], 128))
    z = torch.complex(w[:, :128], w[:, 128:]) * turn
    pairs = (w[:, :128], w[:, 128:]), (z.real, z.imag)
    energies = [torch.log(x**2 + y**2 + 1e-7) / 4 + 1 for x, y in pairs]
    with torch.no_grad():
        one, other = (model.middle(e[None])[0] for e in energies)
    assert (one - other).abs().max() < 1e-3 < one.abs().max()
    assert "this network never sees the waveform" in page and "128 log energies a frame" in page


def test_images_of_the_filters_alone(unit, page):
    """With the mask held open: by conv1d and its transpose, and by projection on the tone."""
    model = unit["model"]
    into = model.filters.detach()[:, None]
    out = model.decoder.weight.detach().T.contiguous()[:, None]
    t = np.arange(3 * SR) / SR
    below = []
    for hertz in range(250, 2001, 250):
        y = torch.from_numpy(0.1 * np.sin(2 * np.pi * hertz * t)).float()[None, None]
        w = torch.nn.functional.conv1d(y, into, stride=64)
        made = torch.nn.functional.conv_transpose1d(w, out, stride=64)[0, 0].double().numpy()
        made = made[SR : 2 * SR]  # one second: whole periods of the tone and of all images
        part = np.stack([np.cos(2 * np.pi * hertz * t[:SR]), np.sin(2 * np.pi * hertz * t[:SR])])
        tone = part.T @ (part @ made) / (SR / 2)
        below.append(10 * np.log10(np.sum(tone**2) / np.sum((made - tone) ** 2)))
    assert 12.5 < min(below) < 13.5 and 18 < max(below) < 19.5
    assert "leave images 13 to 19 dB below the tone" in page
    np.testing.assert_allclose(list(unit["held_open"].values()), below, atol=0.5)


def test_the_stride_is_read_off_what_setting_3_makes_of_a_tone(unit):
    """The solution, on the network of the course: 64 samples."""
    space = {"np": np}
    exec(catalogue.exercises("35")["35.stride"].solution, space)
    y = unit["three"].enhance(unit["tone"], sr=SR)[2 * SR : 3 * SR]
    assert space["stride_of"](y, SR, 1000) == pytest.approx(64)


def test_the_figure_names_the_loss_that_its_table_holds(unit):
    assert LAST == "SI-SDR + 5 x multi-resolution STFT" and unit["short"][-1] == "SI-SDR + 5 STFT"
