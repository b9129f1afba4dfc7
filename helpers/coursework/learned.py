"""Check functions that need PyTorch: they are called with tensors or networks, and numbers are read
off what they return, for example a loss and its slope, or the weights after a step.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from helpers.coursework.checking import Check


class Seen:
    """A learner's function, called and read by `reads`; what it is made of shows through."""

    def __init__(self, fn: Callable, reads: Callable):
        self.fn = fn
        self.reads = reads
        if hasattr(fn, "__code__"):
            self.__code__ = fn.__code__

    def __call__(self, *args):
        """Return numbers, or what came back where that is nothing to read."""
        return self.reads(self.fn, *args)


class Unfit(Exception):
    """Raised where a function runs and gives something that cannot be read; says what is needed."""


def learned(reads: Callable, needs: str, *fields, **more) -> Check:
    """Return a check whose probes are given to `reads` with the learner's function."""

    class Learned(Check):
        reading = staticmethod(reads)  # a grader calls it where the function lives

        def seen(self, fn):
            return Seen(fn, reads)

        def __call__(self, fn, texts):
            with contextlib.suppress(ImportError):  # a check says what is missing
                importlib.import_module("torch")  # before its clock runs: this may take long
            return super().__call__(self.seen(fn) if callable(fn) else fn, texts)

        def judge(self, fn, trials, texts):
            result = super().judge(fn, trials, texts)
            # what a check refuses is no error of the learner's function
            says = re.sub(
                r", your function stops with Unfit.*?: `(.*?)`\..*", r", \1.", result.says
            )
            for words in ("one real number", "a NumPy array of real numbers"):
                says = says.replace(f"and {words} is needed", f"and {needs} is needed")
                capital = words[0].upper() + words[1:]
                says = says.replace(
                    f"{capital} is needed", f"{needs[0].upper()}{needs[1:]} is needed"
                )
            return replace(result, says=says)

    return Learned(*fields, **more)


def module(reads: Callable) -> Callable:
    """Return a reader of functions that build a module: `reads` gets it, made from a fixed seed,
    with the arguments it was made from.
    """

    @functools.wraps(reads)  # a grader asks for it by this name
    def read(fn, *args):
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = fn(*args)
            if network is None or network is Ellipsis or isinstance(network, (list, tuple, str)):
                return network
            if not isinstance(network, torch.nn.Module):
                kind = type(network).__name__
                raise Unfit(f"an object of type {kind} comes out, and a module is needed")
            return reads(network, *args)

    return read


def slopes(fn: Callable, made: np.ndarray, target: np.ndarray, joined: Callable | None = None):
    """Return a loss and its slope for each value of `made` (0 without a way back) in a row, or
    `joined` of the two (a slope of None without a way back); what is no loss comes back as it is.
    """
    import torch

    given = made.copy()
    first = fn(torch.from_numpy(made), torch.from_numpy(target))
    if isinstance(first, (float, np.floating)):
        first = torch.tensor(float(first))  # the right number, perhaps, and no way back
    if not torch.is_tensor(first) or not np.array_equal(given, made):
        return first
    one_number(first)
    leaf = torch.from_numpy(made).clone().requires_grad_()
    value = torch.as_tensor(fn(leaf, torch.from_numpy(target)), dtype=leaf.dtype)
    slope = None
    if value.requires_grad:
        value.backward()
        slope = leaf.grad.numpy()
    if joined is not None:
        return joined(float(value.detach()), slope)
    return np.append(float(value.detach()), np.zeros(made.size) if slope is None else slope)


def one_number(loss) -> None:
    """Refuse a tensor that is not a single number."""
    if loss.ndim:
        shape = tuple(loss.shape)
        raise Unfit(f"a tensor of shape {shape} comes out, and one number is needed: take the mean")
