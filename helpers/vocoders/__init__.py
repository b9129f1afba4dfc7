"""Vocoders: from a mel spectrogram to sound, by four ideas behind one interface.

- `vocoder`: the interface, the mel format that each vocoder owns, and Griffin-Lim as the baseline.
- `wavenet`: one sample after the other. `waveglow`: an invertible map.
- `gan`: a spectrum at once, taught by an adversary.
- `hub`: pretrained ones from the hub, through an optional library.

An unknown name and a damaged file raise ValueError, a missing file FileNotFoundError.
"""

from functools import partial

from helpers import _weights
from helpers._checks import check_name
from helpers.vocoders.gan import Generator
from helpers.vocoders.hub import load_hub
from helpers.vocoders.vocoder import GriffinLim, MelFormat, Vocoder
from helpers.vocoders.waveglow import WaveGlow
from helpers.vocoders.wavenet import WaveNet

__all__ = [
    "MelFormat",
    "Vocoder",
    "build",
    "configuration",
    "load_file",
    "load_vocoder",
    "vocoders",
]

# class, and what it is built with beside the mel: {"form": MelFormat's fields}
RECIPES = {
    "griffin_lim": (GriffinLim, {}),
    "wavenet": (WaveNet, {}),
    "waveglow": (WaveGlow, {}),
    "gan": (Generator, {}),
    "gan_40": (Generator, {"form": {"n_mels": 40}, "size": 192, "hidden": 576}),
    "gan_tuned": (Generator, {}),
}


def vocoders() -> list[str]:
    """Return the names that `load_vocoder` knows.

    Returns
    -------
    list of str
        Griffin-Lim first.
    """
    return list(RECIPES)


def configuration(name: str) -> dict:
    """Return what a vocoder is built with, unless its weights say otherwise; ``form`` holds the
    fields of its `MelFormat`, where they are not the usual ones.
    """
    return dict(RECIPES[check_name(name, RECIPES, what="vocoder")][1])


def build(name: str, **config):
    """Return the model of a vocoder, with fresh weights.

    Parameters
    ----------
    name : str
        One of `vocoders()`.
    **config
        Instead of its own `configuration`; ``form`` holds fields of its `MelFormat`.

    Returns
    -------
    torch.nn.Module or GriffinLim
        With ``generate`` and ``form``; what has weights also has ``forward`` and ``loss``, for
        training.
    """
    model = RECIPES[check_name(name, RECIPES, what="vocoder")][0]
    config = configuration(name) | config
    return model(MelFormat(**config.pop("form", {})), **config)


def load_vocoder(name: str) -> Vocoder:
    """Return a vocoder, with the weights of ``data/weights`` if it has any.

    Parameters
    ----------
    name : str
        One of `vocoders()`, or ``"hub:"`` and the name of a model on the Hugging Face hub.

    Returns
    -------
    Vocoder
        Ready to synthesize.
    """
    if isinstance(name, str) and name.startswith("hub:"):
        return load_hub(name.removeprefix("hub:"))
    model = RECIPES[check_name(name, RECIPES, what="vocoder")][0]
    if model is not GriffinLim:
        return load_file(name, name)
    baseline = build(name)  # it has nothing to learn, so there is no file
    return Vocoder(name, baseline, baseline.form, {})


def load_file(name: str, file) -> Vocoder:
    """Return a vocoder as `load_vocoder` does, with the weights in a file that training wrote."""
    model, provenance = _weights.restore(partial(build, name), file)
    return Vocoder(name, model, model.form, provenance)
