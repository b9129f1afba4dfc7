"""Pretrained vocoders of the Hugging Face hub, through the optional library transformers.

``load_vocoder("hub:microsoft/speecht5_hifigan")`` fetches a HiFi-GAN [1]_ of 12.7 million
parameters that was trained on GPUs for days; ``load_vocoder("hub:/my/folder")`` loads one from a
folder. Its mel is not ours: other edges, another logarithm, another floor. The vocoder owns it, so
nothing else changes.

.. [1] J. Kong, J. Kim and J. Bae, "HiFi-GAN: generative adversarial networks for efficient and high
   fidelity speech synthesis", NeurIPS 2020.
"""

import logging
import os
import socket
from pathlib import Path
from urllib.request import getproxies

import torch
from torch import nn

from helpers.vocoders.vocoder import MelFormat, Vocoder

__all__ = ["load_hub"]

FALLBACK = 'the shipped load_vocoder("gan") needs none of this'


class HubVocoder(nn.Module):
    """A vocoder of the transformers library behind the course's interface."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        hop = int(torch.tensor(model.config.upsample_rates).prod())
        self.form = MelFormat(
            sr=model.config.sampling_rate,
            n_fft=4 * hop,
            hop_length=hop,
            n_mels=model.config.model_in_dim,
            fmin=80.0,
            fmax=min(7600.0, model.config.sampling_rate / 2),
            log="10",
            floor=1e-10,
        )

    def generate(self, log_mel, n: int, *, seed: int = 0):
        """Return waveforms (B, n) of log-mels (B, n_mels, T); nothing is drawn, so `seed` changes
        nothing.
        """
        y = self.inner(log_mel.transpose(1, 2))
        # its sample 0 belongs to the beginning of frame 0, and our frames are centred
        y = y[:, self.form.hop_length // 2 :]
        return nn.functional.pad(y, (0, max(0, n - y.shape[1])))[:, :n]


def load_hub(name: str) -> Vocoder:
    """Return a pretrained vocoder from the hub, or from a folder that holds one.

    Parameters
    ----------
    name : str
        Such as ``"microsoft/speecht5_hifigan"``, or a folder with config.json and weights.

    Returns
    -------
    Vocoder
        With its own mel.
    """
    try:
        from transformers import AutoConfig, SpeechT5HifiGan
    except ImportError as error:
        raise ImportError(
            f"vocoders of the hub need transformers: pip install transformers; {FALLBACK}"
        ) from error
    # its retries would stand in the notebook, line by line
    logging.getLogger("huggingface_hub").setLevel("ERROR")
    here = {"local_files_only": Path(name).is_dir() or _offline()}
    try:
        config = AutoConfig.from_pretrained(name, **here)
        kind = config.model_type
        if kind == "speecht5_hifigan":
            model = SpeechT5HifiGan.from_pretrained(name, config=config, **here)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0][:150]
        raise ValueError(
            f"{name!r} could not be loaded ({reason}); without a network {FALLBACK}"
        ) from error
    if kind != "speecht5_hifigan":
        raise ValueError(
            f"{name!r} is a {kind}, and only speecht5_hifigan can be loaded; {FALLBACK}"
        )
    wrapped = HubVocoder(model).eval()
    return Vocoder(f"hub:{name}", wrapped, wrapped.form, {"source": name})


def _offline() -> bool:
    """Tell whether the hub cannot be reached: its library would try again for most of a minute."""
    if getproxies() or "HF_ENDPOINT" in os.environ:  # another way out
        return False
    try:
        socket.create_connection(("huggingface.co", 443), timeout=3).close()
    except OSError:
        return True
    return False
