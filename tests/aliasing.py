"""The aliasing explorer: the first customer of `explore.stage`, and what its tests drag."""

import numpy as np

from helpers import explore

SR = 8000  # Hz
AMP = 10 ** (-26 / 20) * np.sqrt(2)  # a sine of -26 dBFS RMS


def heard(tone):
    """Return the frequency [Hz] at which a tone sounds after sampling at SR: folded into 0 ... SR /
    2.
    """
    return abs(tone - SR * round(tone / SR))


def compute(tone):
    """Return what the explorer draws and plays for one tone [Hz]."""
    alias = heard(tone)
    times = np.linspace(0, 4e-3, 1600)  # 4 ms
    at = np.arange(33) / SR
    images = [f for k in range(4) for f in {k * SR - alias, k * SR + alias} if 0 <= f <= 20000]
    solved = tone > SR / 2 and alias == 1000
    return {
        "tone": np.cos(2 * np.pi * tone * times),
        "alias": np.cos(2 * np.pi * alias * times),
        "sample_times": 1000 * at,
        "samples": np.cos(2 * np.pi * tone * at),
        "band_hz": [0, SR / 2],
        "band": [1.8, 1.8],
        "nyquist": [SR / 2],
        "image_hz": images,
        "image_levels": [0.5] * len(images),
        "true_hz": [tone],
        "heard_hz": [alias],
        "sound": AMP
        * np.cos(2 * np.pi * tone * np.arange(SR) / SR),  # one second: whole periods of whole hertz
        "readout": f"Tone {tone:.0f} Hz, sampled at {SR} Hz, heard at {alias:.0f} Hz.",
        "solved": f"{tone:.0f} Hz and 1000 Hz give the same samples." if solved else "",
    }


def aliasing(**options):
    """Return the explorer."""
    time = explore.axis("Time", 0, 4, unit="ms")
    freq = explore.axis("Frequency", 0, 20000, unit="Hz")
    return explore.stage(
        compute,
        title="Drag the tone past the Nyquist frequency",
        alt="Above: the tone, its samples, and the lowest tone through the same samples. "
        "Below: the frequency axis with the tone, the Nyquist frequency, and where the tone is "
        "heard.",
        panels=[
            explore.panel(
                time,
                explore.axis("Amplitude", -1.2, 1.2),
                explore.line("tone", role="reference", label="the tone"),
                explore.line("alias", role="prediction", label="what comes back"),
                explore.dots("samples", x="sample_times", label="its samples"),
            ),
            explore.panel(
                freq,
                explore.axis("", 0, 1.8),
                explore.line(
                    "band", x="band_hz", role="ear", label="what 8000 samples a second can hold"
                ),
                explore.stems(
                    "image_levels",
                    x="image_hz",
                    role="reference",
                    label="tones with the same samples",
                ),
                explore.mark("nyquist", "Nyquist {} Hz", role="error", row=0),
                explore.mark("true_hz", "tone {} Hz", role="signal", row=1),
                explore.mark("heard_hz", "heard {} Hz", role="prediction", row=2, width=2.5),
                height=170,
            ),
        ],
        handles=[
            explore.handle("tone", "Tone", 0, 20000, 5000, step=50, page=1000, unit="Hz", panel=1)
        ],
        sr=SR,
        challenge="make a tone above the Nyquist frequency sound exactly like 1000 Hz.",
        **options,
    )
