"""Grade a folder of submissions into a table: one row for each submission and exercise, with a
verdict and the reason.

A submission is a folder with notebooks (and perhaps a progress.json), or a single notebook. Nothing
stored in it is believed: not an output, not a printed result. For each exercise the function is
taken from the cells, with what it names, and called on the sounds of the course's own check; the
verdict is made here, from the values that come back. Only quizzes are read from progress.json, and
their rows say so.

What is protected. Each notebook's code runs in a process of its own, on nothing but a temporary
folder, with limits on time, memory, file size, open files and new processes; it is killed with all
that it started. On Linux 5.13 and later the kernel (Landlock) refuses it every file but that
folder, the Python packages, and the course's helpers without the coursework; elsewhere only
Python's audit hooks do. What is not: this is no container. Without Landlock somebody who knows
CPython well gets past the hooks and can do what you can do; run it then as a user who owns nothing,
or in a container. Nor can it tell who wrote the code.
"""

import argparse
import collections
import contextlib
import csv
import ctypes
import hashlib
import hmac
import json
import os
import re
import secrets
import select
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tools import notebooks
from tools.classroom import grade_worker as wire

ROOT = notebooks.ROOT
COLUMNS = ("submission", "unit", "item", "verdict", "points", "of", "reason")
LARGEST = 20_000_000  # bytes of a notebook or a progress file that is still read
CHECK = re.compile(r"coursework\.check\(\s*[\"'](\d\d\.\w+)")
Row = collections.namedtuple("Row", COLUMNS)


# ---- submissions ---------------------------------------------------------------------------------


def submissions(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each submission by its name: a sub-folder, or a notebook that lies in the
    folder itself.
    """
    found = collections.defaultdict(list)
    for path in sorted(folder.rglob("*")):
        wanted = path.suffix == ".ipynb" or path.name == "progress.json"
        parts = path.relative_to(folder).parts
        plain = not any(folder.joinpath(*parts[: i + 1]).is_symlink() for i in range(len(parts)))
        if wanted and plain and path.is_file() and ".ipynb_checkpoints" not in parts:
            found[parts[0] if len(parts) > 1 else path.stem].append(path)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            found.setdefault(path.name, [])
    return dict(sorted(found.items()))


def cells_of(path: Path) -> list[str]:
    """Return the code cells of a notebook; ValueError says why it cannot be read."""
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"it has {path.stat().st_size // 1_000_000} MB, and {LARGEST // 1_000_000} are read at "
            "most"
        )
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError, OSError) as error:
        raise ValueError(f"it is no notebook ({type(error).__name__})") from None


def unit_of(path: Path, cells: list[str]) -> str | None:
    """Return which unit a notebook belongs to, by what its cells check, else by its name without
    the number.

    A notebook of the first edition has other numbers: "32.ratio" for what is "32.ratio" now.
    """
    from helpers.coursework import catalogue

    known = {key for unit in catalogue.units() for key in catalogue.exercises(unit)}
    asked = CHECK.findall("\n".join(cells))
    keys = [key if key in known else catalogue.renumbered(key) for key in asked]
    if found := collections.Counter(key[:2] for key in keys if key in known):
        return found.most_common(1)[0][0]
    today = {name.stem[3:]: name.stem[:2] for name in notebooks.paths()}
    return next(
        (unit for name, unit in today.items() if re.match(rf"\d\d_{name}", path.name)), None
    )


def pseudonym(name: str, salt: bytes) -> str:
    """Return a name that is the same in every table made with this salt, and leads nobody back
    without it.
    """
    return (
        "s-"
        + hmac.new(salt, name.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:10]
    )


def salt_from(path: Path) -> bytes:
    """Return the salt in a file, which is made for its owner alone where there is none."""
    with contextlib.suppress(FileExistsError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(fd, secrets.token_hex(32).encode() + b"\n")
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(fd)
    salt = path.read_text(encoding="utf-8").strip().encode()
    if len(salt) < 16:  # with a salt that can be guessed, so can the names
        raise ValueError(
            f"{path} holds no salt of 16 characters or more; remove it, and a new one is made"
        )
    return salt


# ---- the other process ---------------------------------------------------------------------------


class ProcessEnded(Exception):
    """The submission's process is gone, or says what cannot be understood."""


class Worker:
    """A process with a submission's code, and the functions in it."""

    def __init__(self, cells: list[str], options: argparse.Namespace):
        self.options, self.folder = options, tempfile.TemporaryDirectory(prefix="earup-grade-")
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        environment = {
            name: os.environ[name]
            for name in ("LD_LIBRARY_PATH", "SYSTEMROOT")
            if name in os.environ
        }
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [
            sys.executable,
            "-I",
            "-B",
            str(ROOT / "tools/classroom/grade_worker.py"),
            str(to_child),
            str(from_child),
        ]
        self.process = subprocess.Popen(
            command,
            cwd=self.folder.name,
            env=environment | threads | {"HOME": self.folder.name, "TMPDIR": self.folder.name},
            pass_fds=(to_child, from_child),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_child)
        os.close(from_child)
        seconds = 60 + options.seconds  # a cold disk may take a while to give numpy
        self.kernel = self.ask(confinement(self.folder.name, options), seconds)["kernel"]
        self.ask({"cells": cells}, seconds)

    def ask(self, message: dict, seconds: float, functions: list | None = None) -> dict:
        """Send a request and return the reply, serving the calls that come before it."""
        number = secrets.token_hex(8)
        try:
            wire.send(self._out, message | {"id": number})
            while True:
                if not select.select([self._in], [], [], seconds)[0]:
                    raise ProcessEnded(f"no answer within {seconds:g} seconds")
                reply = wire.receive(self._in)
                if reply.get("id") != number:
                    raise ValueError("a reply to no question")
                if "call" not in reply:
                    return reply
                wire.send(self._out, self._serve(reply, functions or []))
        except (OSError, ValueError, EOFError, TypeError, struct.error) as error:
            raise ProcessEnded(self._epitaph(error)) from None

    def _serve(self, request: dict, functions: list) -> dict:
        """Call one of the check's own functions, which an exercise may hand over, for the
        submission.
        """
        try:
            args = [wire.unpack(a, None) for a in request["args"]]
            return {"value": wire.pack(functions[request["call"]](*args), None)}
        except Exception as error:
            return {"error": str(error)[:300]}

    def _epitaph(self, error: Exception) -> str:
        """Return how the process ended, as far as that is known."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self.process.wait(5)
            if -status in (signal.SIGXCPU, signal.SIGKILL):
                return "the process was stopped by a limit on time or memory"
            return f"the process ended with status {status} before it answered"
        return f"the process answers nothing that can be read ({type(error).__name__})"

    def close(self) -> None:
        """End the process and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for fd in (self._in, self._out):
            with contextlib.suppress(OSError):
                os.close(fd)
        end_orphans(self.options.kept)
        self.folder.cleanup()


def confinement(folder: str, options: argparse.Namespace) -> dict:
    """Return what a worker may still have: folders, bytes, seconds."""
    return {
        "folder": folder,
        "readable": readable(),
        "listable": [str(ROOT / "helpers"), str(ROOT / "data")],
        "memory": options.memory * 2**20,
        "cpu": int(
            60 + 30 * options.seconds
        ),  # the whole notebook; each exercise has its own limit
        "file": 50_000_000,
    }


def readable() -> list[str]:
    """Return the folders that code may read: Python, its packages, and the course's helpers without
    the coursework.
    """
    system = [
        sys.prefix,
        sys.base_prefix,
        sysconfig.get_path("stdlib"),
        "/usr/lib",
        "/lib",
        "/lib64",
        "/usr/share",
    ]
    system += [
        "/etc/ld.so.cache",
        "/dev/null",
        "/dev/urandom",
        "/proc/cpuinfo",
        "/sys/devices/system/cpu",
    ]
    ours = [
        path
        for room in ("helpers", "data")
        for path in (ROOT / room).iterdir()
        if path.name != "coursework"
    ]
    return system + [str(path) for path in ours]


def adopt_orphans() -> None:
    """Let processes that lose their parent become ours (Linux), so that none can hide from being
    ended.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children() -> set[int]:
    """Return the processes that are ours (Linux)."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(map(int, listed.read_text().split())) if listed.exists() else set()


def end_orphans(kept: set[int]) -> None:
    """End what a submission started outside its own process group, child by child, but not what was
    there before.
    """
    for _ in range(100):
        if not (pids := children() - kept):
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


# ---- one exercise --------------------------------------------------------------------------------


def name_of(exercise) -> str:
    """Return the name of the function that an exercise asks for."""
    return re.search(r"^def (\w+)\(", exercise.starter, re.MULTILINE)[1]


def error_from(reply: dict) -> BaseException:
    """Return an exception like the one that a submission raised, which `checking` can talk
    about.
    """
    import builtins

    names = [re.sub(r"\W", "", str(n))[:60] or "Error" for n in list(reply["error"])[:8]] or [
        "Error"
    ]
    known = [getattr(builtins, n, None) for n in names]
    base = next(
        (k for k in known if isinstance(k, type) and issubclass(k, (Exception, SystemExit))),
        Exception,
    )
    try:
        return (base if base.__name__ == names[0] else type(names[0], (base,), {}))(
            str(reply["text"])[:600]
        )
    except TypeError:  # some of Python's own want more than a text
        return type(names[0], (Exception,), {})(str(reply["text"])[:600])


class Stand:
    """What a check calls in place of the submission's function: it passes the call on and brings
    the values back.
    """

    def __init__(self, worker: Worker, seconds: float):
        self.worker, self.seconds, self.empty, self.dead = worker, seconds, False, ""

    def __call__(self, *args, **kwargs):
        """Call the function in the other process; array arguments change here as they changed
        there.
        """
        import numpy as np

        functions = []
        request = {"args": [wire.pack(a, functions) for a in args]}
        request["kwargs"] = {k: wire.pack(v, functions) for k, v in kwargs.items()}
        try:
            reply = self.worker.ask(request, self.seconds + 5, functions)
            error = error_from(reply) if "error" in reply else None
            if error is None:
                self.empty = reply["empty"] is True
                value = wire.unpack(reply["value"], None)
                after = [wire.unpack(a, None) if a else None for a in reply["after"]]
        except ProcessEnded as ended:
            self.dead = str(ended)
            raise
        except (KeyError, ValueError, TypeError) as garbled:
            self.dead = "the process answers nothing that can be read"
            raise ProcessEnded(self.dead) from garbled
        if error is not None:
            raise error
        for mine, theirs in zip(args, after, strict=False):
            if (
                isinstance(mine, np.ndarray)
                and isinstance(theirs, np.ndarray)
                and mine.shape == theirs.shape
            ):
                mine[...] = theirs
        return value


def judge(worker: Worker, exercise, seconds: float) -> tuple[str, str, bool]:
    """Return the verdict on one exercise, the reason, and whether the process can go on."""
    from helpers.coursework import checking

    try:
        found = worker.ask({"name": name_of(exercise)}, seconds)
    except ProcessEnded as error:
        return "not yet", f"What {name_of(exercise)} needs could not be run: {error}.", False
    if "missing" in found:
        return "not found", f"{str(found['missing'])[:300]}.", True
    if "error" in found:
        error = error_from(found)
        return (
            "not yet",
            f"What {name_of(exercise)} needs stops with {type(error).__name__}: {error}",
            True,
        )
    if not found.get("callable"):
        return (
            "not yet",
            f"{name_of(exercise)} is a {str(found.get('type'))[:40]}, not a function.",
            True,
        )
    stand = Stand(worker, seconds)
    result = exercise.check(stand)
    slow = f"after {checking.SECONDS:g} seconds" in result.says
    if stand.dead:
        return "not yet", f"{name_of(exercise)} was not finished: {stand.dead}.", False
    if stand.empty and result.outcome != checking.CORRECT:
        return checking.NOT_ATTEMPTED, "The function is empty.", True
    says = (
        "Nothing has been written yet." if result.outcome == checking.NOT_ATTEMPTED else result.says
    )
    return result.outcome, says, not slow


def grade_notebook(
    cells: list[str], unit: str, options: argparse.Namespace
) -> list[tuple[str, str, str]]:
    """Return key, verdict and reason for each exercise of a unit; a process that died is followed
    by a new one.
    """
    from helpers.coursework import catalogue

    rows, worker = [], None
    try:
        for key, exercise in catalogue.exercises(unit).items():
            try:
                worker = worker or Worker(cells, options)
                options.kernel = worker.kernel is True
                verdict, why, alive = judge(worker, exercise, options.seconds)
            except ProcessEnded as error:
                verdict, why, alive = (
                    "not yet",
                    f"The notebook's code could not be taken in: {error}.",
                    False,
                )
            rows.append((key, verdict, why))
            if not alive and worker:
                worker.close()
                worker = None
    finally:
        if worker:
            worker.close()
    return rows


def quiz_rows(path: Path) -> list[tuple[str, int, int]]:
    """Return what a progress file says about each unit's quiz: unit, questions right, questions."""
    from helpers.coursework import report, store

    if path.stat().st_size > LARGEST:
        return []
    try:
        state = store.carried_over(store._parse(path.read_text(encoding="utf-8")))
        return [
            (s.unit, s.right, s.questions)
            for s in report.standings(state)
            if state["quizzes"].get(s.unit)
        ]
    except (ValueError, TypeError, AttributeError, KeyError, OSError):
        return []


def grade(name: str, paths: list[Path], units: list[str], options: argparse.Namespace) -> list[Row]:
    """Return the rows of one submission."""
    from helpers.coursework import catalogue

    rows, seen = [], {}
    for path in sorted(paths, key=lambda p: p.stat().st_mtime):  # the newest of a unit counts
        if path.suffix == ".ipynb":
            try:
                cells = cells_of(path)
                if (unit := unit_of(path, cells)) not in catalogue.units():
                    raise ValueError(
                        "none of its cells checks an exercise, and its name begins with no unit's "
                        "number"
                    )
                seen[unit] = cells
            except ValueError as error:
                rows.append(
                    Row(name, "", "", "not read", 0, 0, f"{path.name} was left out: {error}.")
                )
    for unit in sorted({*seen, *units}):
        if unit in seen:
            graded = grade_notebook(seen[unit], unit, options)
        else:
            graded = [
                (key, "not found", "No notebook of this unit.") for key in catalogue.exercises(unit)
            ]
        rows += [
            Row(name, unit, key, verdict, int(verdict == "correct"), 1, why)
            for key, verdict, why in graded
        ]
    for path in (p for p in paths if p.name == "progress.json"):
        why = (
            "From progress.json, as the learner's own computer kept it; anybody can edit that file."
        )
        rows += [
            Row(name, u, f"{u} quiz", "stored", right, of, why) for u, right, of in quiz_rows(path)
        ]
    return rows or [Row(name, "", "", "not read", 0, 0, "No notebook was found.")]


# ---- the table -----------------------------------------------------------------------------------


def safe(text: object, hide: str, show: str) -> str:
    """Return a cell of the table: on one line, no formula for a spreadsheet, and without a name it
    must not tell.
    """
    text = " ".join(str(text).split())
    text = (
        re.sub(re.escape(hide), show, text, flags=re.IGNORECASE)
        if len(hide) > 2 and hide != show
        else text
    )
    return f"'{text}" if text[:1] in "=+-@" else text


def write(path: Path, table: list[tuple[str, str, list[Row]]]) -> None:
    """Write all rows; a table that exists is never written over."""
    with open(path, "x", encoding="utf-8", newline="") as file:
        try:
            out = csv.writer(file)
            out.writerow(COLUMNS)
            for name, shown, rows in table:
                out.writerows(
                    [safe(cell, name, shown) for cell in row._replace(submission=shown)]
                    for row in rows
                )
            file.flush()
        except OSError:  # half a table would be believed
            path.unlink()
            raise


def options_from(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="course.py grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=Path, help="a folder with one sub-folder or one notebook for each submission"
    )
    parser.add_argument(
        "--csv", type=Path, required=True, help="the table to write; it must not exist yet"
    )
    parser.add_argument(
        "--units", default="", help="list these units also where a submission lacks them: 22,23"
    )
    parser.add_argument(
        "--names", action="store_true", help="show the names of the submissions, not pseudonyms"
    )
    parser.add_argument(
        "--salt", type=Path, help="file that makes the pseudonyms; else the table's name with .salt"
    )
    parser.add_argument("--seconds", type=float, default=10, help="for each exercise (10)")
    parser.add_argument("--memory", type=int, default=3000, help="MB for each process (3000)")
    options = parser.parse_args(argv)
    options.kept = children()  # of whoever called us, before any submission ran
    return options


def refusal(options: argparse.Namespace) -> str | None:
    """Return why this cannot be graded, or None."""
    if os.name == "nt":
        return (
            "Grading limits each process through POSIX; on Windows run it inside WSL or a "
            "container."
        )
    if not options.folder.is_dir():
        return f"There is no folder {options.folder}."
    if options.csv.exists():
        return (
            f"{options.csv} exists. Nothing is overwritten: give another name, or remove it first."
        )
    if not options.csv.absolute().parent.is_dir():
        return (
            f"There is no folder {options.csv.absolute().parent} to write {options.csv.name} into."
        )
    folder = options.folder.resolve()
    if root := next((r for r in readable() if folder.is_relative_to(Path(r).resolve())), None):
        return (
            f"{options.folder} lies inside {root}, which submissions may read. Move it elsewhere."
        )
    return None


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py grade`."""
    options = options_from(argv)
    options.kernel = True
    if why := refusal(options):
        return why
    from helpers.coursework import catalogue, checking

    checking.SECONDS = options.seconds
    units = [unit for unit in options.units.split(",") if unit]
    if unknown := set(units) - set(catalogue.units()):
        return f"There is no unit {unknown.pop()!r}; there are {', '.join(catalogue.units())}."
    try:
        salt = b"" if options.names else salt_from(options.salt or options.csv.with_suffix(".salt"))
    except (OSError, ValueError) as error:
        return (
            f"The pseudonyms could not be made ({getattr(error, 'strerror', None) or error}). "
            "Nothing was graded."
        )
    adopt_orphans()
    table = []
    for name, paths in submissions(options.folder).items():
        rows, shown = (
            grade(name, paths, units, options),
            name if options.names else pseudonym(name, salt),
        )
        table.append((name, shown, rows))
        asked = [row for row in rows if row.item and row.verdict != "stored"]
        print(
            f"{shown}: {sum(row.points for row in asked)} of {len(asked)} exercises correct",
            flush=True,
        )
    try:
        write(options.csv, sorted(table, key=lambda entry: entry[1]))
    except OSError as error:
        return (
            f"{options.csv} could not be written ({error.strerror}). Make room and grade again; no "
            "half table is left."
        )
    print(f"{options.csv}: {sum(len(rows) for *_, rows in table)} rows, {len(table)} submissions")
    if not options.kernel:
        print(
            "This system has no Landlock: files were guarded by Python alone. See course.py grade "
            "--help."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
