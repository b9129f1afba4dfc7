"""Steps, validation, the best weights, a log, and going on after a stop.

Several processes (``torchrun --nproc_per_node=2 -m tools.training ...``) share a batch and average
their gradients, which gives the same steps as one process with the whole batch.
"""

import csv
import io
import math
import os
import pickle
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from helpers._checks import check_positive, check_whole
from helpers._storage import write_file

__all__ = ["Plan", "device", "train"]


SMALLEST = 8  # rows and columns: taps and other short lists of numbers are no matrices for Muon


class MuonWithAdamW:
    """Muon for some parameters and AdamW for all others, which look like one optimizer.

    Muon [1]_ takes the mean gradient of a matrix and makes all its singular values 1 before it goes
    that way, so that no direction waits for the others. It is meant for matrices between hidden
    layers. Here its steps are as long as those of AdamW, as a root mean square, so one rate serves
    both [2]_.

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
        """Forget the gradients."""
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


def make_optimizer(model: torch.nn.Module, plan):
    """Return the optimizer: AdamW, but Muon for all matrices under ``plan.muon``.

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
        raise ValueError(
            f"--muon needs PyTorch 2.9 or later, and this is {torch.__version__}; leave it out"
        )
    matrices, others = [], []
    for name, p in model.named_parameters():
        inside = name.startswith(plan.muon) and p.ndim == 2 and min(p.shape) >= SMALLEST
        (matrices if inside else others).append(p)
    if not matrices:
        raise ValueError(
            f"no matrix of this network has a name that begins with {plan.muon!r}; leave --muon out"
        )
    return MuonWithAdamW(matrices, others, plan.rate)


@dataclass
class Plan:
    """What a run does; more `steps` in a later call let it go on.

    Attributes
    ----------
    steps, batch : int
        Number of steps, and mixtures in each, over all processes.
    rate : float
        Highest learning rate, as `rate_at` says.
    clip : float
        Longest gradient; longer ones are shortened.
    valid_every : int
        Steps between validations.
    keep_s : float
        Longest time between two checkpoints [s]: what a kill can cost.
    seed : int
        Seed of the first weights.
    average : float
        Share of the past in a running mean of the weights over steps, which is validated and kept
        in their place; 0 for none.
    bfloat16 : bool
        Multiply in 16 bits on a CPU too, as always on a GPU: quicker where the processor knows how
        to.
    muon : str
        How the names of the parameters begin whose matrices are moved by Muon; none if empty.
    """

    steps: int = 5000
    batch: int = 6
    rate: float = 2e-3
    clip: float = 3.0
    valid_every: int = 250
    keep_s: float = 50.0
    seed: int = 0
    average: float = 0.0
    bfloat16: bool = False
    muon: str = ""

    def check(self) -> None:
        """Raise ValueError for numbers that no run can have."""
        for key in ("steps", "batch", "valid_every"):
            remedy = "it counts, so take 1 or more"
            check_whole(getattr(self, key), name=option(key), low=1, remedy=remedy)
        check_positive(self.clip, name="--clip")
        if not 0 <= self.rate < math.inf:
            raise ValueError(f"--rate={self.rate} must be a number from 0, such as 0.002")
        if not 0 <= self.average < 1:
            raise ValueError(f"{option('average')}={self.average} must lie from 0 to less than 1")


def option(key: str) -> str:
    """Return how the command line calls an attribute of a plan."""
    return "--" + key.replace("_", "-")


def device() -> torch.device:
    """Return the GPU of this process if there is one, else the CPU."""
    return (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def rate_at(step: int, plan: Plan) -> float:
    """Return the learning rate of a step: it rises for 200 steps, stays, and falls to 0 in the last
    third.
    """
    rise = (step + 1) / min(200, max(1, plan.steps // 10))
    return plan.rate * min(1.0, rise, 3 * (1 - step / plan.steps))


def _workers() -> tuple[int, int]:
    """Return this process's number and how many there are, after torchrun has started them."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def step_once(model, optimizer, loss, batch, plan: Plan, *, share: float = 1.0) -> float:
    """Take one step and return the loss; `share` is this process's part of the batch."""
    where = next(model.parameters()).device
    noisy, clean = (torch.from_numpy(part).to(where) for part in batch)
    with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda" or plan.bfloat16):
        estimate = model(noisy)
    value = loss(to_float32(estimate), clean) * share
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    if dist.is_initialized():
        for p in [q for q in model.parameters() if q.grad is not None]:
            dist.all_reduce(p.grad)
        value = value.detach().clone()
        dist.all_reduce(value)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
    if torch.isfinite(norm):  # one bad batch must not cost the run
        optimizer.step()
    return float(value.detach())


def to_float32(estimate):
    """Return the outputs of a model in single precision: one tensor, or several."""
    return tuple(map(to_float32, estimate)) if isinstance(estimate, tuple) else estimate.float()


def train(
    model,
    loss,
    mixtures,
    plan: Plan,
    *,
    out,
    validate,
    on_best=None,
    quiet: bool = False,
    run: dict | None = None,
) -> list[dict]:
    """Train a model, or go on where an earlier run in the same folder stopped.

    Parameters
    ----------
    model : torch.nn.Module
        Noisy waveforms (B, n) in, estimates (B, n) out, or whatever the loss takes.
    loss : callable
        ``loss(estimate, clean)``: a mean over the batch. If it learns too, as an adversary does,
        its ``state_dict`` travels with the checkpoint.
    mixtures : Mixtures, or Crops
        Where ``batch(step, indices)`` gives what goes in and what should come out.
    plan : Plan
        How long, how fast.
    out : path
        Folder for checkpoint.pt and log.csv.
    validate : callable
        ``validate(model)``: a number, the higher the better.
    on_best : callable, optional
        Called as ``on_best(model, step, score)`` whenever validation is better than ever.
    quiet : bool, default False
        Show no progress bar.
    run : dict, optional
        What the run is, besides its plan: name of the network, hashes of the corpora. A checkpoint
        of another one is refused.

    Returns
    -------
    list of dict
        The log: step, seconds, loss (mean since the last row), valid.

    Raises
    ------
    ValueError
        If the checkpoint in `out` belongs to another plan or another run, or the plan has numbers
        that no run can have.
    """
    plan.check()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rank, world = _workers()
    torch.manual_seed(plan.seed)
    optimizer = make_optimizer(model, plan)
    parts = {"model": model, "optimizer": optimizer}
    eval_model = model
    if plan.average:
        mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(plan.average))
        parts["mean"] = mean
        eval_model = mean.module
    if hasattr(loss, "load_state_dict"):
        parts["loss"] = loss
    state = _resume(out / "checkpoint.pt", parts, plan, run)
    saved = time.monotonic()
    started = saved - state["seconds"]
    mine = range(rank, plan.batch, world)
    bar = tqdm(
        total=plan.steps,
        initial=state["step"],
        disable=quiet or rank > 0,
        desc="training",
        mininterval=2,
    )
    while state["step"] < plan.steps:
        step = state["step"]
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, plan)
        value = step_once(
            model, optimizer, loss, mixtures.batch(step, mine), plan, share=len(mine) / plan.batch
        )
        if plan.average:
            mean.update_parameters(model)
        state["step"] += 1
        if math.isfinite(value):
            state["sum"] += value
            state["n"] += 1
        else:
            state["skipped"] = state.get("skipped", 0) + 1
        bar.update()
        bar.set_postfix(loss=f"{_mean_loss(state):.3f}", refresh=False)
        if state["step"] % plan.valid_every == 0 or state["step"] == plan.steps:
            _log(
                state,
                validate(eval_model),
                time.monotonic() - started,
                on_best if rank == 0 else None,
                eval_model,
            )
            if rank == 0:
                _write_log(out / "log.csv", state["log"])
            saved = -plan.keep_s
        if rank == 0 and time.monotonic() - saved > plan.keep_s:
            state["seconds"] = time.monotonic() - started
            _save(out / "checkpoint.pt", parts, state, plan, run)
            saved = time.monotonic()
    bar.close()
    if state.get("skipped"):
        warnings.warn(
            f"{state['skipped']} of {state['step']} steps had a loss that is no number and were "
            "skipped; a lower --rate may help",
            stacklevel=2,
        )
    return state["log"]


def _mean_loss(state) -> float:
    """Return the mean loss since the last row of the log; NaN if all steps were skipped."""
    return state["sum"] / state["n"] if state["n"] else math.nan


def _log(state, score, seconds, on_best, model):
    row = {
        "step": state["step"],
        "seconds": round(seconds, 1),
        "loss": _mean_loss(state),
        "valid": score,
    }
    state["log"].append(row)
    state["sum"] = 0.0
    state["n"] = 0
    if score > state["best"]:
        state["best"] = score
        if on_best:
            on_best(model, row["step"], score)


def _write_log(path, rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, text.getvalue().encode())


def _save(path, parts, state, plan, run=None):
    """Write beside the old checkpoint, then change places: a kill or a full disk leaves one that
    is complete.
    """
    checkpoint = {name: part.state_dict() for name, part in parts.items()}
    checkpoint |= {"state": state, "plan": asdict(plan), "run": run or {}}
    raw = io.BytesIO()
    torch.save(checkpoint, raw)
    write_file(path, raw.getbuffer())


def _resume(path, parts, plan, run=None):
    if not path.is_file():
        return {"step": 0, "seconds": 0.0, "sum": 0.0, "n": 0, "best": -float("inf"), "log": []}
    try:
        checkpoint = torch.load(
            path, map_location=next(parts["model"].parameters()).device, weights_only=True
        )
    except (RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged; remove it, and the training starts anew") from error
    was_run = checkpoint.get("run", {})  # older ones do not say
    for what in sorted(set(was_run) & set(run or {})):
        if was_run[what] != run[what]:
            raise ValueError(
                f"{path} belongs to a run with {what} {was_run[what]}, and this is {run[what]}; "
                "name another folder with --out"
            )
    was = asdict(Plan()) | checkpoint["plan"]  # a checkpoint may be older than an option
    other = {
        k: v
        for k, v in was.items()
        if v != asdict(plan)[k] and k not in ("keep_s", "valid_every", "steps")
    }
    if other:
        raise ValueError(
            f"{path} belongs to a run with {other}; give the same options, or another folder"
        )
    try:
        for name, part in parts.items():
            part.load_state_dict(checkpoint[name])
    except (RuntimeError, ValueError) as error:
        why = " ".join(str(error).split()[:20])
        raise ValueError(
            f"{path} belongs to another network ({why} ...); name another folder with --out"
        ) from error
    return checkpoint["state"]
