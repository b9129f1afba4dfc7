"""What moves the weights: AdamW, or Muon for the matrices inside a network and AdamW for the rest."""

import torch

__all__ = ["Both", "optimizer"]

SMALLEST = 8  # rows and columns: taps and other short lists of numbers are no matrices for Muon


class Both:
    """Muon for some parameters and AdamW for all others, which look like one optimizer.

    Muon [1]_ takes the mean slope of a matrix and makes all its singular values 1 before it goes that way, so that no
    direction waits for the others. It is meant for matrices between hidden layers. Here its steps are as long as those
    of AdamW, as a root mean square, so one rate serves both [2]_.

    Parameters
    ----------
    matrices, others : list of torch.nn.Parameter
        What Muon moves, each of two dimensions, and what AdamW does.
    rate : float
        First learning rate; later ones are written into `param_groups`.

    References
    ----------
    .. [1] K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
    .. [2] J. Liu and others, "Muon is scalable for LLM training", 2025.
    """

    def __init__(self, matrices, others, rate: float):
        same = {"lr": rate, "weight_decay": 0.01}
        muon = torch.optim.Muon(matrices, adjust_lr_fn="match_rms_adamw", **same)
        self.parts = [muon, torch.optim.AdamW(others, **same)]

    @property
    def param_groups(self) -> list[dict]:
        """The groups of both."""
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, **how) -> None:
        """Forget the slopes."""
        for part in self.parts:
            part.zero_grad(**how)

    def step(self) -> None:
        """Move all weights."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict:
        """Return what both remember."""
        return {"muon": self.parts[0].state_dict(), "adamw": self.parts[1].state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Remember that."""
        for part, name in zip(self.parts, ("muon", "adamw"), strict=True):
            part.load_state_dict(state[name])


def optimizer(model: torch.nn.Module, plan):
    """Return what moves the weights of a model: AdamW, but Muon for all matrices under ``plan.muon``.

    Parameters
    ----------
    model : torch.nn.Module
        Whose weights.
    plan : Plan
        With `rate` and `muon`.

    Raises
    ------
    ValueError
        If no matrix has a name that begins so, or PyTorch is older than 2.9 and has no Muon.
    """
    if not plan.muon:
        return torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=0.01)
    if not hasattr(torch.optim, "Muon"):
        raise ValueError(f"--muon needs PyTorch 2.9 or later, and this is {torch.__version__}; leave it out")
    matrices, others = [], []
    for name, p in model.named_parameters():
        inside = name.startswith(plan.muon) and p.ndim == 2 and min(p.shape) >= SMALLEST
        (matrices if inside else others).append(p)
    if not matrices:
        raise ValueError(f"no matrix of this network has a name that begins with {plan.muon!r}; leave --muon out")
    return Both(matrices, others, plan.rate)
