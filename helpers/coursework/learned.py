"""Check functions that need PyTorch: they are called with tensors or networks, and numbers are read
off what they return, for example a loss and its slope, or the weights after a step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

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
