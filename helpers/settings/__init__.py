"""The three settings of audio ML as programs that enhance speech: one interface, weights by name.

- `helpers.settings.setting1`: Setting 1, a model on the magnitude (or mel) spectrogram with the
  phase that came in.
- `helpers.settings.masknet`: the network in it; `helpers.settings.masks`: ideal (oracle) masks.
- `helpers.settings.setting2`: Setting 2, a model on the spectrogram, and a new phase;
  `helpers.vocoders`.
- `helpers.settings.setting3`: Setting 3, from samples to samples.
- `helpers.settings.enhancer`: what every enhancer can do; `helpers._weights`: files in
  data/weights.

An unknown name and a damaged file raise ValueError, a missing file FileNotFoundError.

>>> enhancers()
['setting1_stft', 'setting1_mel', 'setting2_griffin_lim', 'setting2_vocoder', 'setting3_waveform']
"""

from helpers import _weights
from helpers._checks import check_name
from helpers.settings.enhancer import Enhancer
from helpers.settings.setting1 import Masking
from helpers.settings.setting2 import ITS_OWN, Cleaner, PhaseRebuilder
from helpers.settings.setting3 import TasNet
from helpers.vocoders import load_vocoder, vocoders

__all__ = [
    "Enhancer",
    "build",
    "configuration",
    "enhancers",
    "load",
    "load_file",
    "load_vocoder",
    "vocoders",
]

# bins of the linear magnitude in each band of the network: 125 Hz wide up to 1 kHz, 250 Hz up to 3
# kHz, 500 Hz above
BINS = [4] * 8 + [8] * 8 + [16] * 7 + [49]
TASNET = {"filters": 256, "span": 256, "hop": 64, "ahead": 4, "start": "fourier"}
TASNET |= {"size": 192, "hidden": 384, "kernel": 3, "dilations": [1, 2, 4, 8, 16, 32] * 2}
RECIPES = {
    "setting1_stft": (Masking, {"bands": BINS, "size": 48, "hidden": 64, "blocks": 2}),
    "setting1_mel": (
        Masking,
        {"bands": [4] * 20, "n_mels": 80, "size": 48, "hidden": 64, "blocks": 2},
    ),
    "setting2_griffin_lim": (
        Cleaner,
        {"rows": "linear", "size": 192, "hidden": 576, "blocks": 6, "vocoder": "griffin_lim"},
    ),
    "setting2_vocoder": (
        Cleaner,
        {"rows": "mel", "size": 192, "hidden": 576, "blocks": 6, "vocoder": "gan_tuned"},
    ),
    "setting3_waveform": (TasNet, TASNET),
}


def enhancers() -> list[str]:
    """Return the names that `load` knows, in the order of the units.

    Returns
    -------
    list of str
        Setting 1 first.
    """
    return list(RECIPES)


def configuration(name: str) -> dict:
    """Return what the network of an enhancer is built with, unless its weights say otherwise."""
    return dict(RECIPES[check_name(name, RECIPES, what="enhancer")][1])


def build(name: str, **config):
    """Return the network of an enhancer, with fresh weights.

    Parameters
    ----------
    name : str
        One of `enhancers()`.
    **config
        Instead of its own `configuration`.

    Returns
    -------
    torch.nn.Module
        From noisy waveforms (B, n) at 16 kHz to enhanced ones.
    """
    network = RECIPES[check_name(name, RECIPES, what="enhancer")][0]
    return network(**(configuration(name) | config))


def load(name: str, *, vocoder=ITS_OWN) -> Enhancer:
    """Return a trained enhancer, with the weights of ``data/weights``.

    Parameters
    ----------
    name : str
        One of `enhancers()`.
    vocoder : str or Vocoder, optional
        For setting2_vocoder: another vocoder than the one that it was trained with.

    Returns
    -------
    Enhancer
        Ready to enhance.
    """
    return load_file(name, name, vocoder=vocoder)


def load_file(name: str, file, *, vocoder=ITS_OWN) -> Enhancer:
    """Return an enhancer as `load` does, with the weights in a file that training wrote.

    Parameters
    ----------
    name : str
        One of `enhancers()`: the kind of network that the weights belong to.
    file : str or Path
        A path; a bare name, without a folder and an ending, is one of ``data/weights``.
    vocoder
        As for `load`.

    Returns
    -------
    Enhancer
        Ready to enhance.
    """
    network = RECIPES[check_name(name, RECIPES, what="enhancer")][0]
    if vocoder != ITS_OWN and name != "setting2_vocoder":
        raise ValueError(
            f"{name} uses no vocoder, so leave vocoder= out; setting2_vocoder uses one"
        )
    model, provenance = _weights.restore(network, file)
    if network is Cleaner:
        return PhaseRebuilder(name, model, provenance, vocoder)
    return Enhancer(name, model, provenance)
