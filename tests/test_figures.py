"""Facts about the figures: readable colours, right axes, right levels, small pictures, words that
travel along.
"""

import base64
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from PIL import Image

from helpers import diagrams, figures
from helpers._frontend.card import card

FRONTEND = Path(figures.__file__).with_name("_frontend")


def contrast(one, other):
    """WCAG contrast ratio of two colours: text needs 4.5, lines 3."""

    def luminance(c):
        c = np.array(to_rgb(c))
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    low, high = sorted((luminance(one), luminance(other)))
    return float((high + 0.05) / (low + 0.05))


@pytest.fixture(autouse=True)
def paper():
    with plt.rc_context():
        figures.use()
        yield
    plt.close("all")
    figures.use()


def test_every_role_is_readable_as_text():
    for role in [*figures.ROLES, "ink", "text"]:
        assert contrast(figures.colour(role), figures.colour("ground")) >= 4.5  # WCAG 2, level AA


def at_night(colours):
    """What pictures.css makes of colours: invert(0.93), hue-rotate(180deg), as CSS defines them."""
    amount = 0.93
    colours = amount + (1 - 2 * amount) * np.asarray(colours, dtype=float)
    grey = np.array([0.213, 0.715, 0.072])  # a half turn: twice the grey, less the colour
    return np.clip(2 * (colours @ grey)[..., None] - colours, 0, 1)


def test_figures_stay_readable_on_a_dark_page():
    ground = at_night(to_rgb("white"))
    assert np.allclose(ground, 0.07)  # #121212
    for role in [*figures.ROLES, "ink", "text"]:
        assert contrast(at_night(to_rgb(figures.colour(role))), ground) >= 4.5, role
    assert contrast(at_night(to_rgb(figures.colour("mute"))), ground) >= 3  # spines


def test_roles_keep_their_hues_on_a_dark_page():
    """Within 20 degrees of what stages and players show there (see style.css)."""
    style = (FRONTEND / "style.css").read_text(encoding="utf-8").split(".earup.night")[1]
    for role in ("signal", "prediction", "ear"):
        live = re.search(rf"--{role}: (#[0-9A-F]{{6}})", style)[1]
        turn = rgb_to_hsv(at_night(to_rgb(figures.colour(role))))[0] - rgb_to_hsv(to_rgb(live))[0]
        assert abs((turn + 0.5) % 1 - 0.5) < 20 / 360, role


def test_levels_rise_from_the_ground_on_a_dark_page_too():
    colours = at_night(plt.get_cmap("level")(np.linspace(0, 1, 21))[:, :3])
    assert np.allclose(colours[0], 0.07)
    steps = np.diff([contrast(c, colours[0]) for c in colours])
    assert np.all(steps > 0)


@pytest.mark.parametrize("size", [(2, 1), (7.6, 3.6)])
def test_the_style_sheet_knows_pictures_of_the_course_by_their_mark(size):
    style = (FRONTEND / "pictures.css").read_text(encoding="utf-8")
    (mark,) = re.findall(r'src\*="(.+?)"', style)
    fig = plt.figure(figsize=size)
    ours = base64.b64encode(figures.picture(fig)).decode()
    assert ours.count(mark) == 1
    assert mark in base64.b64encode(card("A", [("a", "b", None)], "c")).decode()
    theirs = io.BytesIO()
    fig.savefig(theirs)
    assert mark not in base64.b64encode(theirs.getvalue()).decode()


def test_contrast_is_that_of_wcag():
    assert contrast("#777777", "#FFFFFF") == pytest.approx(
        4.48, abs=0.01
    )  # the standard's own example grey


def test_roles_differ_without_colour():
    looks = {(role.dash, role.width, role.marker) for role in figures.ROLES.values()}
    assert len(looks) == len(figures.ROLES)


def test_level_map_runs_evenly_from_the_ground_to_the_dark():
    colours = plt.get_cmap("level")(np.linspace(0, 1, 11))[:, :3]
    assert tuple(colours[0]) == (1, 1, 1)
    lightness = np.array([116 * np.cbrt((c**2.2) @ [0.2126, 0.7152, 0.0722]) - 16 for c in colours])
    assert np.all(np.diff(lightness) < -6)


@pytest.mark.parametrize("call", [figures.colour, figures.stroke])
def test_unknown_names_are_refused(call):
    with pytest.raises(ValueError, match="purple"):
        call("purple")


def test_waveform_puts_samples_at_their_times():
    ax = figures.waveform([0.0, 1.0, -1.0], sr=2, start=5)
    assert ax.lines[0].get_xdata().tolist() == [5.0, 5.5, 6.0]
    assert ax.get_xlabel() == "Time [s]" and ax.get_ylabel() == "Amplitude [full scale = 1]"


def test_figures_write_true_minus_signs():
    fig, ax = plt.subplots()
    assert plt.rcParams["axes.unicode_minus"]
    assert figures.label(ax, 0, 0, f"{-3.5} dB").get_text() == "−3.5 dB"
    assert figures.point_out(ax, (0, 0), (1, 1), "to -6 dB").get_text() == "to −6 dB"
    figures.claim(fig, "It falls to -12 dB", "from 2-3 kHz, 16-bit")
    assert [t.get_text() for t in fig.texts] == ["It falls to −12 dB", "from 2-3 kHz, 16-bit"]


def test_drawings_go_into_the_axes_given():
    axes = plt.figure().subplots(3)
    y = np.zeros(1024)
    assert figures.waveform(y, sr=100, ax=axes[0]) is axes[0]
    assert figures.spectrum([0, 1], [-3, -6], ax=axes[1], role="error") is axes[1]
    assert figures.spectrogram(y, sr=100, n_fft=64, hop_length=32, ax=axes[2]) is axes[2]
    assert axes[1].get_ylabel() == "Level [dBFS]" and axes[2].get_ylabel() == "Frequency [kHz]"
    assert axes[1].lines[0].get_color() == figures.colour("error")


def test_spectrogram_reads_a_sine_at_its_amplitude_and_place():
    """A sine of amplitude 0.1 on bin 16 reads -20 dBFS there: 20 log10(0.1)."""
    sr, n_fft = 8000, 256
    y = 0.1 * np.sin(2 * np.pi * (16 * sr / n_fft) * np.arange(sr) / sr)
    ax = figures.spectrogram(y, sr=sr, n_fft=n_fft, hop_length=64)
    levels = ax.images[0].get_array()
    middle = levels[:, levels.shape[1] // 2]
    assert middle.argmax() == 16 and middle.max() == pytest.approx(-20, abs=0.01)
    left, right, low, high = ax.images[0].get_extent()
    assert low + 16.5 * (high - low) / levels.shape[0] == pytest.approx(0.5)  # bin 16 is 500 Hz
    assert left + 0.5 * (right - left) / levels.shape[1] == pytest.approx(
        0
    )  # frame 0 is centred on sample 0


def test_spectrogram_shows_a_click_when_it_happens():
    y = np.zeros(8000)
    y[4000] = 1
    ax = figures.spectrogram(y, sr=8000, n_fft=64, hop_length=16)
    image = ax.images[0]
    left, right, _, _ = image.get_extent()
    frame = image.get_array().sum(axis=0).argmax()
    assert left + (frame + 0.5) * (right - left) / image.get_array().shape[1] == pytest.approx(
        0.5, abs=1e-6
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: figures.waveform(np.zeros((2, 9)), sr=8), r"\(2, 9\).*one channel"),
        (lambda: figures.waveform([], sr=8), r"\(0,\)"),
        (lambda: figures.spectrum([1, 2], [1, 2, 3]), "one shape"),
        (
            lambda: figures.spectrogram(np.zeros(99), sr=8, n_fft=8, hop_length=4, low=0, high=0),
            "below",
        ),
        (lambda: figures.hz_axis(plt.gca(), 0, 100), "0 < low"),
        (lambda: diagrams.box(plt.gca(), 0, 0, "x", "cloud"), "cloud"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_hz_axis_ticks_in_octaves_around_1_khz():
    _, ax = plt.subplots()
    figures.hz_axis(ax, 125, 8000)
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_xticklabels()] == [
        "125",
        "250",
        "500",
        "1k",
        "2k",
        "4k",
        "8k",
    ]


def test_claim_keeps_its_room_and_wraps():
    fig, ax = plt.subplots(figsize=(4, 3))
    figures.claim(
        fig, "A finding that is much too long to stand on a single line of this figure", "how"
    )
    fig.canvas.draw()
    lowest = min(text.get_window_extent().y0 for text in fig.texts)
    assert "\n" in fig.texts[0].get_text() and ax.get_window_extent().y1 < lowest
    assert all(text.get_window_extent().x1 <= fig.bbox.x1 for text in fig.texts)


def test_picture_is_small_and_true_to_the_figure():
    fig, ax = plt.subplots()
    figures.spectrogram(
        np.random.default_rng(0).normal(0, 0.01, 16000), sr=16000, n_fft=512, hop_length=128, ax=ax
    )
    png = figures.picture(fig)
    assert len(png) < 60_000
    assert Image.open(io.BytesIO(png)).size == tuple(fig.canvas.get_width_height())


def test_show_gives_picture_and_words_and_closes(monkeypatch):
    shown = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, **more: shown.append((data, more))
    )
    fig, _ = plt.subplots()
    figures.show(fig, alt="A tone of <440 Hz>\n    and its octave.")
    picture, words = shown
    assert picture[0]["text/plain"] == "A tone of <440 Hz> and its octave."
    assert picture[1]["metadata"]["image/png"]["alt"] == "A tone of <440 Hz> and its octave."
    assert "A tone of &lt;440 Hz&gt; and its octave." in words[0]["text/html"]
    assert not plt.fignum_exists(fig.number)


def test_show_wants_words():
    with pytest.raises(ValueError, match="Plot"):
        figures.show(plt.figure(), alt="Plot")


def test_diagram_coordinates_are_inches():
    fig, ax = diagrams.canvas(5, 2)
    diagrams.box(ax, 1, 1, "in", "data")
    diagrams.wire(ax, [(1.5, 1), (3, 1)], "prediction", bold=True)
    x, y = ax.transData.transform((1, 1)) / fig.dpi
    assert (x, y) == pytest.approx((1, 1))
