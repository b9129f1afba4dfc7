"""Weights on disk: safetensors with configuration, provenance and checksum.

The rooms that need PyTorch import this one first, so that its absence is said in one line.
A file that is missing raises FileNotFoundError, a damaged one ValueError; both say how to get it
back.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

try:
    import safetensors.torch
    import torch
    from safetensors import SafetensorError, safe_open
except ImportError as error:
    raise ImportError(
        "losses, settings and vocoders need PyTorch, which is not installed here: run `python3 "
        "course.py setup`, or here `%pip install torch safetensors tqdm`, and restart the kernel"
    ) from error

from helpers import _checks
from helpers._checks import DATA, display_path, read_verified, restore_hint
from helpers._storage import write_file

__all__ = ["FOLDER", "load", "restore", "restore_bare", "save"]

FOLDER = DATA / "weights"


def checksum(tensors: dict[str, torch.Tensor]) -> str:
    """Return a hash of names, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save(
    path, model: torch.nn.Module, *, config: dict, provenance: dict, half: bool = False
) -> None:
    """Write the weights of a model (at half precision on request), and how to build it.

    `config` is what its class is called with, `provenance` where the weights come from (command,
    seed, corpus, scores); both hold plain numbers, texts and lists.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: value.cpu().to(dtype if value.is_floating_point() else value.dtype).contiguous()
        for name, value in model.state_dict().items()
    }
    notes = {
        "config": json.dumps(config),
        "provenance": json.dumps(provenance),
        "checksum": checksum(tensors),
    }
    write_file(Path(path), safetensors.torch.save(tensors, metadata=notes))


def _is_ours(path: Path) -> bool:
    """Tell whether a file belongs to the course."""
    return path.is_relative_to(FOLDER) or path.is_relative_to(_checks.DATA)


def find(path) -> Path:
    """Return the file that is meant: a bare name is one of ``data/weights``, all else a path."""
    bare = isinstance(path, str) and path == Path(path).stem
    path = FOLDER / f"{path}.safetensors" if bare else Path(path).expanduser()
    if not _is_ours(path) and not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r} with weights; look for its folder")
    return path


def load(path) -> tuple[dict[str, torch.Tensor], dict, dict]:
    """Return weights (float32), configuration and provenance as they were given to `save`.

    `path` is a file, or a bare name: a file of ``data/weights``.
    """
    path = find(path)
    read_verified(path)
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = json.loads(notes["config"])
        provenance = json.loads(notes["provenance"])
        stated = notes["checksum"]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{display_path(path)} is damaged, or no file of weights ({error}); {_remedy(path)}"
        ) from error
    if checksum(tensors) != stated:
        raise ValueError(
            f"{display_path(path)} is damaged: its checksum does not fit; {_remedy(path)}"
        )
    return {name: value.float() for name, value in tensors.items()}, config, provenance


def _remedy(path: Path) -> str:
    """Return what to do about a file: git brings back only those of the course."""
    if _is_ours(path):
        return restore_hint(path)
    return "pass a .safetensors file that tools.training wrote, or train again"


def restore(build: Callable[..., torch.nn.Module], path) -> tuple[torch.nn.Module, dict]:
    """Return the model that ``build(**config)`` makes, with the weights of a file, and where these
    come from.
    """
    tensors, config, provenance = load(path)
    try:
        model = build(**config)
        model.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        meant = provenance.get("command", "").partition(".training ")[2].split(" ")[0]
        found = f", of {meant}" if meant else ""
        raise ValueError(
            f"{display_path(find(path))} holds weights of another network{found}: they do not fit "
            f"{getattr(build, '__name__', 'this one')}; pass the name that they were trained for"
        ) from error
    return model.eval(), provenance


def restore_bare(model: torch.nn.Module, path: Path) -> torch.nn.Module:
    """Return a model with the weights of a file that holds nothing else."""
    path = find(path)
    raw = read_verified(path)
    try:
        tensors = {name: value.float() for name, value in safetensors.torch.load(raw).items()}
        model.load_state_dict(tensors)
    except (SafetensorError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(
            f"{display_path(path)} does not hold these weights ({why}); {_remedy(path)}"
        ) from error
    return model.eval()
