"""Weights on disk: safetensors with configuration, provenance and checksum; what to say when they
are missing.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_bytes

from helpers._checks import DATA, again, place, whole
from helpers._storage import put

__all__ = ["FOLDER", "load", "save"]

FOLDER = DATA / "weights"


def checksum(tensors: dict[str, torch.Tensor]) -> str:
    """Return a hash of names, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype}".encode())
        digest.update(tensors[name].contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save(
    path, model: torch.nn.Module, *, config: dict, provenance: dict, half: bool = False
) -> None:
    """Write the weights of a model, and how to build it.

    Parameters
    ----------
    path : path
        File to write, ``.safetensors``.
    model : torch.nn.Module
        Its state is written.
    config : dict
        What its class is called with; plain numbers, texts and lists.
    provenance : dict
        Where the weights come from: command, seed, corpus, scores; plain values.
    half : bool, default False
        Keep half precision.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: value.detach().cpu().to(dtype).contiguous()
        for name, value in model.state_dict().items()
    }
    notes = {
        "config": json.dumps(config),
        "provenance": json.dumps(provenance),
        "checksum": checksum(tensors),
    }
    put(Path(path), save_bytes(tensors, metadata=notes))


def load(path) -> tuple[dict[str, torch.Tensor], dict, dict]:
    """Return weights (float32), configuration and provenance.

    Parameters
    ----------
    path : path, or str
        File; a bare name stands for a file of ``data/weights``.

    Returns
    -------
    tensors, config, provenance : dict
        As they were given to `save`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, or its checksum does not fit.
    """
    path = FOLDER / f"{path}.safetensors" if isinstance(path, str) else path
    whole(path)  # there is such a file
    try:
        with safe_open(path, "pt") as file:
            notes, tensors = (
                file.metadata() or {},
                {name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
            )
        config, provenance, stated = (
            json.loads(notes["config"]),
            json.loads(notes["provenance"]),
            notes["checksum"],
        )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{place(path)} is damaged ({error}); {again(path)}") from error
    if checksum(tensors) != stated:
        raise ValueError(f"{place(path)} is damaged: its checksum does not fit; {again(path)}")
    return {name: value.float() for name, value in tensors.items()}, config, provenance
