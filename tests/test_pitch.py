"""Facts about pitch scales: the published values, librosa, both ways, and what is refused."""

import csv
from pathlib import Path

import librosa
import numpy as np
import pytest

from helpers import pitch
from helpers.pitch import SCALES

FREQS = np.concatenate([[0], np.geomspace(1e-2, 1e6, 2001)])
# scale in pitch_scales.csv: our function
OURS = {
    "mel_htk_oshaughnessy": lambda f: pitch.hz_to_mel(f),
    "mel_slaney": lambda f: pitch.hz_to_mel(f, variant="slaney"),
    "mel_fant_1968": lambda f: pitch.hz_to_mel(f, variant="fant"),
    "bark_traunmueller_1990_corrected": lambda f: pitch.hz_to_bark(f),
    "bark_traunmueller_1990": lambda f: pitch.hz_to_bark(f, variant="traunmuller_uncorrected"),
    "bark_zwicker_terhardt_1980": lambda f: pitch.hz_to_bark(f, variant="zwicker"),
    "bark_wang_1992": lambda f: pitch.hz_to_bark(f, variant="wang"),
    "erb_rate_glasberg_moore_1990": lambda f: pitch.hz_to_erb_rate(f),
    "semitone_re_100hz": lambda f: pitch.hz_to_semitones(f, ref=100),
    "cent_re_100hz": lambda f: 100 * pitch.hz_to_semitones(f, ref=100),
}


def table(name):
    """Rows of one table in data/tables, as dicts of text."""
    path = Path(__file__).parents[1] / "data" / "tables" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", OURS)
def test_published_values(name):
    (row,) = [r for r in table("pitch_scales") if r["name"] == name]
    for f in (100, 200, 1000, 10000, 10100):
        assert OURS[name](f) == pytest.approx(float(row[f"v_{f}"]), abs=1e-6)
    low, high = OURS[name](200) - OURS[name](100), OURS[name](10100) - OURS[name](10000)
    assert low == pytest.approx(float(row["d_100_to_200"]), abs=1e-6)
    assert high == pytest.approx(float(row["d_10000_to_10100"]), abs=1e-6)
    assert low / high == pytest.approx(float(row["ratio_of_the_two_distances"]), abs=6e-3)


@pytest.mark.parametrize(
    ("name", "low", "high", "ratio"),
    [
        ("mel_htk_oshaughnessy", 132.74, 10.484, 12.7),
        ("mel_slaney", 1.500, 0.1447, 10.4),
        ("mel_fant_1968", 125.53, 13.056, 9.6),
        ("bark_traunmueller_1990", 1.181, 0.0364, 32.4),
        ("bark_zwicker_terhardt_1980", 0.977, 0.0463, 21.1),
        ("bark_wang_1992", 0.969, 0.0596, 16.3),
        ("erb_rate_glasberg_moore_1990", 2.468, 0.0904, 27.3),
        ("semitone_re_100hz", 12, 0.1723, 69.7),
    ],
)
def test_a_hundred_hertz_is_more_in_the_bass(name, low, high, ratio):
    """100 -> 200 Hz against 10000 -> 10100 Hz."""
    bass, treble = np.diff(OURS[name](np.array([[100, 200], [10000, 10100]])))[:, 0]
    assert bass == pytest.approx(low, rel=5e-4) and treble == pytest.approx(high, rel=1.1e-3)
    assert bass / treble == pytest.approx(ratio, abs=0.06)


@pytest.mark.parametrize(
    "row", table("mel_experimental_data"), ids=lambda r: f"{r['dataset'][:8]}-{r['f_hz']}"
)
def test_mel_beside_the_listeners(row):
    """The table rounds both fits to whole mels."""
    if row["htk_mel"]:
        assert round(float(pitch.hz_to_mel(float(row["f_hz"])))) == int(row["htk_mel"])
        assert round(float(pitch.hz_to_mel(float(row["f_hz"]), variant="fant"))) == int(
            row["fant_mel"]
        )


@pytest.mark.parametrize("row", table("bark_critical_bands"), ids=lambda r: r["band"])
def test_critical_bands(row):
    """Edge number n lies at n Bark: within 0.2 (Zwicker) and 0.15 (Traunmueller); Wang drifts by up
    to 1.9.
    """
    edge, band = float(row["upper_edge_hz"]), int(row["band"])
    columns = {
        "zwicker": "zwicker_terhardt",
        "traunmuller": "traunmueller_corrected",
        "wang": "wang",
    }
    for variant, column in columns.items():
        assert pitch.hz_to_bark(edge, variant=variant) == pytest.approx(
            float(row[f"{column}_at_upper_edge"]), abs=6e-4
        )
    assert abs(pitch.hz_to_bark(edge, variant="zwicker") - band) < 0.2
    assert abs(pitch.hz_to_bark(edge) - band) < 0.15
    assert pitch.erb_bandwidth(float(row["centre_hz"])) == pytest.approx(
        float(row["erb_1990_at_centre_hz"]), abs=0.06
    )


@pytest.mark.parametrize("row", table("auditory_bandwidths"), ids=lambda r: r["f_hz"])
def test_auditory_filters(row):
    f = float(row["f_hz"])
    assert pitch.erb_bandwidth(f) == pytest.approx(
        float(row["erb_glasberg_moore_1990_hz"]), abs=0.006
    )
    # ERB-rate counts filters: one unit at f is about one bandwidth wide (21.4 is rounded, so within
    # 0.4 %)
    step = pitch.erb_rate_to_hz(pitch.hz_to_erb_rate(f) + np.array([-0.005, 0.005]))
    assert np.diff(step)[0] / 0.01 == pytest.approx(pitch.erb_bandwidth(f), rel=4e-3)


# --- both ways ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "variant"), [(u, v) for u, variants in SCALES.items() for v in variants]
)
def test_there_and_back(unit, variant):
    to, back = {
        "mel": (pitch.hz_to_mel, pitch.mel_to_hz),
        "Bark": (pitch.hz_to_bark, pitch.bark_to_hz),
        "Cam": (
            lambda f, variant: pitch.hz_to_erb_rate(f),
            lambda e, variant: pitch.erb_rate_to_hz(e),
        ),
    }[unit]
    values = to(FREQS, variant=variant)
    assert np.all(np.diff(values) > 0)
    np.testing.assert_allclose(back(values, variant=variant), FREQS, rtol=1e-9, atol=1e-12)


def test_semitones_there_and_back():
    values = pitch.hz_to_semitones(FREQS[1:], ref=27.5)
    np.testing.assert_allclose(pitch.semitones_to_hz(values, ref=27.5), FREQS[1:], rtol=1e-12)


def test_the_corrections_join_without_a_step():
    for z in (2.0, 20.1):
        f = pitch.bark_to_hz(z, variant="traunmuller_uncorrected")
        assert pitch.hz_to_bark(f) == pytest.approx(z, abs=1e-12)
        assert pitch.bark_to_hz(z) == pytest.approx(f, rel=1e-12)


def test_the_slaney_mel_joins_without_a_step():
    below, at = pitch.hz_to_mel([1000 - 1e-9, 1000], variant="slaney")
    assert at == 15 and below == pytest.approx(15, abs=1e-9)


@pytest.mark.parametrize(("variant", "htk"), [("htk", True), ("slaney", False)])
def test_librosa_has_the_same_mels(variant, htk):
    np.testing.assert_allclose(
        pitch.hz_to_mel(FREQS, variant=variant),
        librosa.hz_to_mel(FREQS, htk=htk),
        rtol=1e-12,
        atol=1e-12,
    )
    mels = np.linspace(0, 40 if variant == "slaney" else 3000, 500)
    np.testing.assert_allclose(
        pitch.mel_to_hz(mels, variant=variant),
        librosa.mel_to_hz(mels, htk=htk),
        rtol=1e-12,
        atol=1e-12,
    )


def test_librosa_has_the_same_semitones():
    f = FREQS[1:]
    np.testing.assert_allclose(
        pitch.hz_to_semitones(f) + 69, librosa.hz_to_midi(f), rtol=1e-12, atol=1e-9
    )
    np.testing.assert_allclose(
        pitch.semitones_to_hz([-69, 0, 7]), librosa.midi_to_hz([0, 69, 76]), rtol=1e-12
    )


# --- facts ----------------------------------------------------------------------------------------


def test_one_kilohertz_is_not_one_number():
    got = [pitch.hz_to_mel(1000, variant=v) for v in ("htk", "fant", "slaney")]
    np.testing.assert_allclose(got, [999.9855, 1000, 15], atol=1e-4)


def test_doubling_mel_does_not_double_hertz():
    assert pitch.mel_to_hz(2000) > 3 * pitch.mel_to_hz(1000)


def test_octaves_and_fifths():
    assert pitch.hz_to_semitones([220, 880, 660]).tolist() == pytest.approx(
        [-12, 12, 7.01955], abs=1e-5
    )
    assert pitch.semitones_to_hz(1, ref=1000) == pytest.approx(1059.463, abs=1e-3)


def test_shapes():
    for to in OURS.values():
        assert to(440.0).shape == () and to(np.full((2, 3), 440)).shape == (2, 3)
        assert to([440]).dtype == np.float64
    assert pitch.bark_to_hz(np.full((2, 3), 5.0), variant="zwicker").shape == (2, 3)
    assert pitch.mel_to_hz(np.float32(500)).dtype == np.float64


@pytest.mark.parametrize("to", [*OURS.values(), pitch.erb_bandwidth])
@pytest.mark.parametrize(
    ("freqs", "words"),
    [
        (-1.0, "freqs holds -1 Hz.* 1e\\+09 Hz"),
        ([100, np.nan], "freqs holds nan Hz"),
        (np.inf, "freqs holds inf Hz"),
        ([], "freqs is empty"),
        ("440", "pass real numbers"),
        ([1 + 1j], "pass real numbers"),
        ([True], "bool values"),
    ],
)
def test_frequencies_that_are_none(to, freqs, words):
    with pytest.raises(ValueError, match=words):
        to(freqs)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: pitch.hz_to_mel(100, variant="stevens"),
            "no mel variant 'stevens'; choose from htk, slaney, fant",
        ),
        (lambda: pitch.mel_to_hz(100, variant=None), "no mel variant None"),
        (
            lambda: pitch.hz_to_bark(100, variant="htk"),
            "choose from traunmuller, zwicker, wang, traunmuller_uncor",
        ),
        (lambda: pitch.mel_to_hz(-1), "values holds -1 mel; every value must be a number from 0"),
        (
            lambda: pitch.bark_to_hz(26.3, variant="traunmuller_uncorrected"),
            "26.3 Bark.*-0.53 to 26.2799",
        ),
        (
            lambda: pitch.bark_to_hz([1, 26], variant="zwicker"),
            "values holds 26 Bark.*0 to 25.9181",
        ),
        (lambda: pitch.erb_rate_to_hz(np.nan), "values holds nan Cam"),
        (lambda: pitch.erb_rate_to_hz([]), "values is empty"),
        (lambda: pitch.hz_to_semitones(0), "freqs holds 0 Hz.*from 1e-09"),
        (lambda: pitch.hz_to_semitones(440, ref=0), "ref holds 0 Hz"),
        (lambda: pitch.semitones_to_hz(721), "semitones holds 721 semitones.*-720 to 720"),
        (lambda: pitch.semitones_to_hz(0, ref=-1), "ref holds -1 Hz"),
    ],
)
def test_refusals_name_the_remedy(call, words):
    with pytest.raises(ValueError, match=words):
        call()
