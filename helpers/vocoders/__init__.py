"""Vocoders: from a mel spectrogram to sound, by four ideas behind one interface.

- `vocoder`: the interface, the mel format that each vocoder owns, and Griffin-Lim as the baseline.
- `wavenet`: one sample after the other. `waveglow`: an invertible map.
- `gan`: a spectrum at once, taught by an adversary.
- `hub`: pretrained ones from the hub, through an optional library.
"""

try:
    import torch  # noqa: F401 - asked for first, so that its absence is said in one line
except ImportError as error:
    remedy = (
        "run `python3 course.py setup`, or here `%pip install torch safetensors tqdm`, and restart "
        "the kernel"
    )
    raise ImportError(f"vocoders need PyTorch, which is not installed here: {remedy}") from error

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
    """Return what a vocoder is built with, unless its weights say otherwise.

    Parameters
    ----------
    name : str
        One of `vocoders()`.

    Returns
    -------
    dict
        For `build`; ``form`` holds the fields of its `MelFormat`, where they are not the usual
        ones.
    """
    return dict(_recipe(name)[1])


def build(name: str, *, form: dict | None = None, **config):
    """Return the model of a vocoder, with fresh weights.

    Parameters
    ----------
    name : str
        One of `vocoders()`.
    form : dict, optional
        Fields of its `MelFormat`.
    **config
        Instead of its own `configuration`.

    Returns
    -------
    torch.nn.Module or GriffinLim
        With ``generate`` and ``form``; what has weights also has ``forward`` and ``loss``, for
        training.
    """
    kind, usual = _recipe(name)
    whole = usual | config | ({} if form is None else {"form": form})
    return kind(MelFormat(**whole.pop("form", {})), **whole)


def load_vocoder(name: str) -> Vocoder:
    """Return a vocoder.

    Parameters
    ----------
    name : str
        One of `vocoders()`, or ``"hub:"`` and the name of a model on the Hugging Face hub.

    Returns
    -------
    Vocoder
        With the weights of ``data/weights``, if it has any.

    Raises
    ------
    ValueError
        If there is no vocoder of that name, or its file is damaged.
    FileNotFoundError
        If its file is missing.
    """
    if isinstance(name, str) and name.startswith("hub:"):
        return load_hub(name.removeprefix("hub:"))
    if not hasattr(_recipe(name)[0], "loss"):  # nothing to learn
        model = build(name)
        return Vocoder(name, model, model.form, {})
    return load_file(name, name)


def load_file(name: str, file) -> Vocoder:
    """Return a vocoder with weights of your own training.

    Parameters
    ----------
    name : str
        One of `vocoders()`: what was trained.
    file : path
        The file that training wrote.

    Returns
    -------
    Vocoder
        With those weights.
    """
    tensors, config, provenance = _weights.load(file)
    model = build(name, **config)
    model.load_state_dict(tensors)
    return Vocoder(name, model.eval(), model.form, provenance)


def _recipe(name):
    check_name(name, RECIPES, what="vocoder")
    return RECIPES[name]
