"""Call a learner's function safely, on copies and within a time limit; whatever happens is data."""

from __future__ import annotations

import _thread
import contextlib
import copy
import dis
import io
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np


class TooLong(BaseException):
    """Raised in a learner's function that runs past the limit; no `Exception`, so `except
    Exception` misses it.
    """


@dataclass(frozen=True)
class Probe:
    """One call that a check makes; probes of one `group` test one idea, easy groups first."""

    args: tuple
    say: str
    group: str = ""
    kwargs: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """What came back from one call."""

    probe: Probe
    value: object = None
    error: BaseException | None = None
    changed: bool = False
    printed: str = ""


class _Prints(io.StringIO):
    """Keeps the beginning of what is printed; an endless loop may print without end."""

    def write(self, text: str) -> int:
        """Keep `text` while there is room."""
        if self.tell() < 4000:
            super().write(text[:4000])
        return len(text)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after `seconds`; only Python's main thread can be stopped,
    others run on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif hasattr(signal, "SIGALRM"):

        def ring(signum, frame):
            raise TooLong

        before = signal.signal(signal.SIGALRM, ring)
        # rings again, should a bare `except` swallow the first
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    else:  # Windows: the same interruption that the stop button sends
        rang = []

        def interrupted(signum, frame):
            raise TooLong if rang else KeyboardInterrupt

        # a handler of its own: one started in the background of a shell ignores interruptions
        before = signal.signal(signal.SIGINT, interrupted)
        timer = threading.Timer(seconds, lambda: (rang.append(True), _thread.interrupt_main()))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            signal.signal(signal.SIGINT, before)


def run_probe(fn: Callable, probe: Probe) -> Trial:
    """Call `fn` on copies of the probe's arguments, keep what it prints and drop its warnings."""
    args = copy.deepcopy(probe.args)
    prints = _Prints()
    try:
        with (
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(prints),
        ):
            warnings.simplefilter("ignore")
            value = fn(*args, **copy.deepcopy(probe.kwargs))
    except (Exception, SystemExit, TooLong) as error:
        return Trial(probe, error=error, printed=prints.getvalue())
    changed = not all(np.array_equal(a, b) for a, b in zip(args, probe.args, strict=True))
    return Trial(probe, value=value, changed=changed, printed=prints.getvalue())


def as_numbers(value: object, *, like: object) -> np.ndarray | None:
    """Return `value` as an array of numbers, complex where `like` is; None if it is not numbers (a
    list is not).
    """
    if isinstance(value, (bool, str, bytes, list, tuple)):
        return None
    try:
        array = np.asarray(value)
        if np.iscomplexobj(like):
            return array.astype(np.complex128) if array.dtype.kind in "fiuc" else None
        return array.astype(np.float64) if array.dtype.kind in "fiu" else None
    except Exception:  # a learner's own class may fail in any way
        return None


def agrees(value: object, want: object, atol: float) -> bool:
    """Tell whether `value` is numbers of the wanted shape within `atol`; NaN and infinities must
    match in place.
    """
    want = np.asarray(want)
    if want.dtype.kind not in "biufc":  # names, or a function
        return False
    got = as_numbers(value, like=want)
    return (
        got is not None
        and got.shape == want.shape
        and bool(np.allclose(got, want, 0, atol, equal_nan=True))
    )


def _operations(fn: object) -> list[str]:
    """Return the names of the byte code of `fn`, without their operands."""
    return [i.opname for i in dis.get_instructions(fn)] if hasattr(fn, "__code__") else []


def is_unfilled(fn: object, trial: Trial) -> bool:
    """Tell whether nothing has been written yet: `...`, an empty body, or NotImplementedError."""
    if isinstance(trial.error, NotImplementedError) or trial.value is Ellipsis:
        return True
    if isinstance(trial.error, (TypeError, AttributeError)):
        return "ellipsis" in str(trial.error).lower()  # it counted on with what `...` gave it
    returns_none = trial.error is None and trial.value is None
    return returns_none and _operations(fn) == _operations(lambda: None)
