"""The learner's progress: one small JSON file on this machine, which is never sent anywhere.

It lies beside the notebooks as ``progress.json`` (in the folder in which the kernel runs), or where
the environment variable ``EARUP_PROGRESS`` says. Every change reads the file again, changes it and
replaces it whole, so two notebooks that are open together keep each other's work, and a power cut
leaves the old file or the new one.

A file of the first edition (version 1) counts the units from 01 to 12. It is read as if it had
today's numbers; the first change writes it in today's form, and keeps the old file as
``progress.first-edition.json``.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from helpers import _storage
from helpers.coursework.catalogue import renumbered

VERSION = 2
# `returns`: questions that were wrong, asked again two units later; a newer part is filled in empty
EMPTY = {"exercises": {}, "quizzes": {}, "predictions": {}, "returns": {}}
# changes that could not be written yet; tried again with the next one
_waiting: list[Callable[[dict], None]] = []


class Unreadable(ValueError):
    """The file holds something that is not our progress."""


def path() -> Path:
    """Return where the progress file lies."""
    return Path(os.environ.get("EARUP_PROGRESS") or Path.cwd() / "progress.json")


def _blank() -> dict:
    return {"version": VERSION, **{part: {} for part in EMPTY}}


def _parse(text: str) -> dict:
    """Return the stored state, with parts that are missing filled in."""
    try:
        state = json.loads(text)
        if not isinstance(state["version"], int) or not all(
            _sound(state.get(part, {})) for part in EMPTY
        ):
            raise Unreadable
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    return {**_blank(), **state}


def _sound(part: object) -> bool:
    """Tell whether a part maps keys to records (predictions: to text)."""
    return isinstance(part, dict) and all(isinstance(value, (dict, str)) for value in part.values())


def _load(file: Path) -> tuple[dict, str]:
    """Return the stored state and one line if something was wrong with it."""
    if file.exists() and not file.is_file():  # a folder or a device, which must not be renamed
        raise OSError(f"{file.name} is no file")
    try:
        state = _parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _blank(), ""
    except ValueError:  # ours, or a text that is no UTF-8
        kept = _storage.set_aside(file, "corrupt").name
        note = f"{file.name} could not be read; it is kept as {kept}, and a new one was begun."
        return _blank(), note
    if state["version"] > VERSION:
        raise OSError(
            f"{file.name} was written by a newer version of the course, so it is left alone"
        )
    return carried_over(state), ""


def carried_over(state: dict) -> dict:
    """Return a state with today's numbers of units; one of the first edition has others."""
    if state["version"] > 1:
        return state
    renamed = {
        part: {renumbered(key): value for key, value in state[part].items()} for part in EMPTY
    }
    for answers in renamed["quizzes"].values():
        if "unit09" in answers:  # the one question that is called after a unit
            answers["unit33"] = answers.pop("unit09")
    return {**state, **renamed, "version": VERSION}


def _keep_first_edition(file: Path) -> None:
    """Copy a file of the first edition aside before it is replaced, if none lies there yet."""
    aside = file.with_name(f"{file.stem}.first-edition{file.suffix}")
    if aside.exists() or not file.exists():
        return
    raw = file.read_bytes()
    if _parse(raw.decode("utf-8"))["version"] <= 1:
        _storage.replace(aside, raw)


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold a lock file while reading and writing; a lock older than two seconds belongs to a dead
    kernel.
    """
    lock = file.with_name(f"{file.name}.lock")
    for _ in range(200):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > 2:
                    lock.unlink()
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def load() -> tuple[dict, str]:
    """Return the progress as it stands, with what could not be written yet, and one line if
    something was wrong.
    """
    try:
        state, note = _load(path())
    except OSError as error:
        state = _blank()
        note = _trouble(error)
    for change in _waiting:
        change(state)
    return state, note


def update(change: Callable[[dict], None]) -> str:
    """Apply `change` to the stored progress and write it; return one line if something was wrong.

    `change` alters the state in place, and may run again on a newer one when the file cannot be
    written now. Nothing is raised: a full disk must not end a lesson.
    """
    _waiting.append(change)
    file = path()
    try:
        with _alone(file):
            state, note = _load(file)
            for pending in _waiting:
                pending(state)
            _keep_first_edition(file)
            text = json.dumps(state, indent=1, ensure_ascii=False, sort_keys=True)
            _storage.replace(file, text.encode("utf-8"))
    except OSError as error:
        return _trouble(error)
    _waiting.clear()
    return note


def worked_on(state: dict, unit: str, key: str) -> None:
    """Note in a state what was worked on last, so that the map can lead back to it."""
    state["last"] = {"unit": unit, "key": key, "day": date.today().isoformat()}


def last(state: dict) -> dict:
    """Return what was worked on last, or nothing where that is not known."""
    found = state.get("last")
    known = isinstance(found, dict) and {"unit", "key"} <= found.keys()
    return {name: str(value) for name, value in found.items()} if known else {}


def _trouble(error: OSError) -> str:
    return _storage.not_saved("progress is", path(), error)
