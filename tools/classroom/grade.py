"""Grade a folder of submissions into a table: one row for each submission and exercise, with a
verdict and the reason.

A submission is a folder with notebooks (and perhaps a progress.json), a single notebook, or a ZIP
archive of either. Nothing stored in it is believed: not an output, not a printed result. As Jupyter
does, a fresh kernel executes the whole notebook as it is, cell by cell, whether cells fail or not;
then each exercise's function is called there on the sounds of the course's own check, and what
comes back is judged in this process. The kernel works on a copy of the course without solutions and
checks. Only quizzes are read from progress.json, and their rows say so.

Limits hold everywhere: memory, processor time, the size of files, processes; a kernel is ended with
all that it started. What else isolates depends on the system, and each run prints it. Linux with
bubblewrap, or with user namespaces and Landlock (5.13 and later): no network, no files but a folder
of its own, the packages and that copy, no other processes. Linux with Landlock alone: the same
files, no TCP. Elsewhere, as on macOS: limits alone, so a submission can read and change what you
can, the solutions too; grade in a container, or as a user who owns nothing. What no system hides:
helpers that compute what an exercise asks for are part of the course, and may be called. Nor can
this tell who wrote the code.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import csv
import hashlib
import hmac
import logging
import multiprocessing
import os
import re
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tools import notebooks
from tools.classroom import submissions

ROOT = notebooks.ROOT
COLUMNS = ("submission", "unit", "item", "verdict", "points", "of", "reason")
NOT_GRADED = "not graded"
LARGEST = 20_000_000  # bytes of a progress file that is still read
Row = collections.namedtuple("Row", COLUMNS)


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


def hider(name: str, shown: str):
    """Return a function that takes a name, and each word of it, out of what a submission said.

    Only whole words go, and only there: what the course says is never touched.
    """
    if name == shown:
        return str
    words = [word for word in re.split(r"[\W_]+", name) if len(word) > 1]
    whole = r"[\W_]+".join(map(re.escape, words))
    parts = "|".join([whole, *map(re.escape, words)])
    if not words:
        return str
    pattern = re.compile(rf"(?<![^\W_])(?:{parts})(?![^\W_])", re.IGNORECASE)
    return lambda text: pattern.sub("[name]", str(text))


# ---- one exercise --------------------------------------------------------------------------------


def name_of(exercise) -> str:
    """Return the name of the function that an exercise asks for."""
    return re.search(r"^def (\w+)\(", exercise.starter, re.MULTILINE)[1]


def error_from(reply: dict, hide) -> BaseException:
    """Return an exception like the one that a submission raised, which `checking` can talk
    about.
    """
    import builtins

    names = [hide(re.sub(r"\W", "", str(n))[:60]) or "Error" for n in list(reply["error"])[:8]]
    names = names or ["Error"]
    text = hide(str(reply["text"])[:600])
    if reply.get("line"):
        number, line, code = reply["line"]
        text += f" (Cell In[{int(number)}], line {int(line)}: {hide(str(code)[:200])})"
    if names[0] == "StdinNotImplementedError":  # it asked for input(), which is no empty function
        names = names[:1]
    known = [getattr(builtins, n, None) for n in names]
    base = next(
        (k for k in known if isinstance(k, type) and issubclass(k, (Exception, SystemExit))),
        Exception,
    )
    try:
        return (base if base.__name__ == names[0] else type(names[0], (base,), {}))(text)
    except TypeError:  # some of Python's own want more than a text
        return type(names[0], (Exception,), {})(text)


class Stand:
    """What a check calls in place of the submission's function: it passes the call on and brings
    the values back.
    """

    def __init__(self, session, request: dict, seconds: float, hide):
        self.session = session
        self.request = request
        self.left = seconds
        self.hide = hide
        self.empty = False

    def __call__(self, *args, **kwargs):
        """Call the function in its kernel; array arguments change here as they changed there."""
        from tools.classroom.inside import values

        functions = []
        request = self.request | {"args": [values.pack(a, functions) for a in args]}
        request["kwargs"] = {k: values.pack(v, functions) for k, v in kwargs.items()}
        before = self.session.watch.processor_seconds()
        reply = self.session.ask(request, self.left, tuple(functions))
        self.left -= self.session.watch.processor_seconds() - before
        if "error" in reply:
            raise error_from(reply, self.hide)
        try:
            value = values.unpack(reply["value"], None)
            after = [values.unpack(a, None) if a else None for a in reply["after"]]
            print(str(reply["printed"])[:4000], end="")  # the check takes it in, as in a notebook
        except Exception as garbled:  # a reply is made by the submission's kernel
            from tools.classroom.session import Ended

            raise Ended("the kernel answers nothing that can be read", by_limit=False) from garbled
        self.empty = reply.get("empty") is True
        _write_back(args, after)
        return value


def _write_back(args: tuple, after: list) -> None:
    """Change array arguments as they were changed elsewhere."""
    import numpy as np

    for mine, theirs in zip(args, after, strict=False):
        arrays = isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray)
        if arrays and mine.shape == theirs.shape and mine.dtype == theirs.dtype:
            mine[...] = theirs


def judge(session, exercise, options: argparse.Namespace, hide) -> tuple[str, str]:
    """Return the verdict on one exercise and the reason; raises where the kernel does not answer.

    What bears the function's name at the end counts; where that is not right, what the notebook
    itself gave to the check.
    """
    best = None
    request = {"name": name_of(exercise), "key": exercise.key}
    for which in ("name", "checked"):
        asked = request | {"which": which}
        found = session.ask(asked, options.seconds)
        if found.get("there") is not True:
            continue
        if found.get("callable") is not True:
            kind = re.sub(r"\W", "", str(found.get("type")))[:40]
            verdict = ("not yet", f"{name_of(exercise)} is a {kind}, not a function.")
        else:
            verdict = _tried(Stand(session, asked, options.seconds, hide), exercise)
        if verdict[0] == "correct":
            return verdict
        best = best if best and best[0] != "not attempted" else verdict
    return best or ("not found", missing(session, name_of(exercise), hide))


def _tried(stand: Stand, exercise) -> tuple[str, str]:
    """Return what the check finds when it tries a function."""
    from helpers.coursework import catalogue, checking
    from helpers.coursework.probing import run_probe
    from tools.site.engine import cutting

    check = catalogue.checks(exercise.unit)[exercise.key]
    if hasattr(check, "reading"):  # what it returns is no data: it is read where it was made
        path = catalogue.DATA / exercise.unit / "checks.py"
        statements = cutting.statements_of(path.read_text(encoding="utf-8"))
        name = check.reading.__name__
        stand.request["reads"] = ["\n".join(cutting.needed(statements, {name})), name]
    trials = []
    for probe in check.probes():
        trials.append(run_probe(stand, probe))
        if trials[-1].error is not None:
            break
    result = check.judge(stand, trials, exercise.texts)
    if stand.empty and result.outcome != checking.CORRECT:
        return checking.NOT_ATTEMPTED, "The function is empty."
    if result.outcome == checking.NOT_ATTEMPTED:
        return result.outcome, "Nothing has been written yet."
    return result.outcome, result.says


def missing(session, name: str, hide) -> str:
    """Say why there is no function of a name: its cell failed, or no cell defines it."""
    for number, (kind, text, source) in session.failed.items():
        if re.search(rf"^[ \t]*(async )?def {name}\b", source, re.MULTILINE):
            first = hide(text.split("\n")[0]).rstrip(".")
            return f"Cell In[{number}], which defines {name}, stops with {kind}: {first}."
    for number, why in session.stopped.items():
        return f"No cell that was run to its end defines {name}; cell {number}: {why}."
    return f"No cell defines {name}."


# ---- one notebook --------------------------------------------------------------------------------


def grade_notebook(
    book: submissions.Notebook, course: Path, options: argparse.Namespace, hide=str
) -> list[tuple[str, str, str]]:
    """Return key, verdict and reason for each exercise of a unit; a kernel that died is followed
    by a new one.
    """
    from helpers.coursework import catalogue
    from tools.classroom import session as sessions

    rows = []
    session = None
    lost = None
    try:
        for key, exercise in catalogue.exercises(book.unit).items():
            if lost:
                rows.append((key, *lost))
                continue
            try:
                if session is None:
                    session = sessions.Session(book.cells, book.beside, course, options)
            except sessions.Ended as ended:
                lost = _lost(ended)
                rows.append((key, *lost))
                continue
            verdict, alive = _asked(session, exercise, options, hide)
            rows.append((key, *verdict))
            if not alive:
                session.close()
                session = None
    finally:
        if session:
            session.close()
    return rows


def _lost(ended) -> tuple[str, str]:
    """Return what is said about every exercise of a notebook whose kernel ended on the way."""
    if ended.by_limit:
        more = "Nothing could be asked; if the notebook is honest, give it more (--help)."
        return NOT_GRADED, f"The notebook was stopped: {ended}. {more}"
    return "not yet", f"The notebook cannot be run to its end: {ended}."


def _asked(session, exercise, options, hide) -> tuple[tuple[str, str], bool]:
    """Return the verdict on one exercise, and whether the kernel can go on."""
    from tools.classroom import session as sessions

    name = name_of(exercise)
    try:
        verdict = judge(session, exercise, options, hide)
    except sessions.Waited as waited:
        more = (
            f"The machine was busy, or the function waits; give --seconds {2 * options.seconds:g}"
        )
        verdict = (NOT_GRADED, f"{name} was not finished when {waited}. {more}.")
    except sessions.Ended as ended:
        return ("not yet", f"{name} was not finished: {ended}."), False
    return verdict, session.alive


def quiz_rows(data: bytes) -> list[tuple[str, int, int]]:
    """Return what a progress file says about each unit's quiz: unit, questions right, questions."""
    from helpers.coursework import report, store

    try:
        state = store.carried_over(store._parse(submissions.text_of(data)))
        return [
            (s.unit, s.right, s.questions)
            for s in report.standings(state)
            if state["quizzes"].get(s.unit)
        ]
    except (ValueError, TypeError, AttributeError, KeyError):
        return []


def grade(
    name: str, shown: str, handed: submissions.Submission, course: Path, options: argparse.Namespace
) -> list[Row]:
    """Return the rows of one submission."""
    from helpers.coursework import catalogue, checking
    from tools.classroom import session as sessions

    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    checking.SECONDS = options.seconds  # what a verdict names; the time itself is taken elsewhere
    sessions.adopt_orphans()
    hide = hider(name, shown)
    counted, refused = submissions.read(handed)
    rows = [Row(shown, "", "", "not read", 0, 0, hide(why)) for why in refused]
    for unit in sorted({*counted, *options.wanted}):
        also = ""
        if unit in counted:
            book, others = counted[unit]
            graded = grade_notebook(book, course, options, hide)
            if others:
                also = (
                    f" (Graded: {hide(book.handed.name)}; also there: {hide(', '.join(others))}.)"
                )
        else:
            keys = catalogue.exercises(unit)
            graded = [(key, "not found", "No notebook of this unit.") for key in keys]
        for key, verdict, why in graded:
            points = "" if verdict == NOT_GRADED else int(verdict == "correct")
            rows.append(Row(shown, unit, key, verdict, points, 1, why + also))
    rows += _stored(shown, handed)
    return rows or [Row(shown, "", "", "not read", 0, 0, hide(_nothing(handed)))]


def _stored(shown: str, handed: submissions.Submission) -> list[Row]:
    """Return rows for the quizzes that a progress file keeps."""
    why = "From progress.json, as the learner's own computer kept it; anybody can edit that file."
    rows = []
    for file in handed.files:
        if file.name.rsplit("/", 1)[-1] == "progress.json" and file.size <= LARGEST:
            rows += [
                Row(shown, unit, f"{unit} quiz", "stored", right, of, why)
                for unit, right, of in quiz_rows(file.read())
            ]
    return rows


def _nothing(handed: submissions.Submission) -> str:
    """Say that there is no notebook, and what there is."""
    names = ", ".join(file.name for file in handed.files[:5])
    there = f" There is: {names}. Ask for the notebook itself (.ipynb)." if names else ""
    return f"No notebook was found.{there}"


# ---- the table -----------------------------------------------------------------------------------


def safe(text: object) -> str:
    """Return a cell of the table: on one line, and no formula for a spreadsheet."""
    text = " ".join(str(text).split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def write(path: Path, rows: list[Row]) -> None:
    """Write all rows; a table that exists is never written over."""
    with open(path, "x", encoding="utf-8", newline="") as file:
        try:
            out = csv.writer(file)
            out.writerow(COLUMNS)
            out.writerows([safe(cell) for cell in row] for row in rows)
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
    add = parser.add_argument
    add("folder", type=Path, help="a folder with a sub-folder, notebook or .zip for each learner")
    add("--csv", type=Path, required=True, help="the table to write; it must not exist yet")
    add("--units", default="", help="list these units also where a submission lacks them: 22,23")
    add("--names", action="store_true", help="show the names of the submissions, not pseudonyms")
    add(
        "--salt", type=Path, help="file that makes the pseudonyms; else the table's name with .salt"
    )
    add("--seconds", type=float, default=10, help="of processor time for each exercise (10)")
    add("--cell-seconds", type=float, default=120, help="of processor time for each cell (120)")
    add("--total-seconds", type=float, default=900, help="of processor time for a notebook (900)")
    add("--memory", type=int, default=4000, help="MB for each notebook (4000)")
    half = max(1, (os.cpu_count() or 2) // 2)
    add("--jobs", type=int, default=half, help=f"submissions at once (half the cores: {half})")
    options = parser.parse_args(argv)
    options.wanted = [unit for unit in options.units.split(",") if unit]
    return options


def refusal(options: argparse.Namespace) -> str | None:
    """Return why this cannot be graded, or None."""
    if os.name == "nt":
        return (
            "Grading limits each process through POSIX; on Windows run it inside WSL or a "
            "container."
        )
    from helpers.coursework import catalogue
    from tools.classroom import sandbox

    if not options.folder.is_dir():
        return f"There is no folder {options.folder}."
    if options.csv.exists():
        return (
            f"{options.csv} exists. Nothing is overwritten: give another name, or remove it first."
        )
    place = options.csv.absolute().parent
    if not place.is_dir():
        return f"There is no folder {place} to write {options.csv.name} into."
    folder = options.folder.resolve()
    known = [Path(root).resolve() for root in sandbox.system()]
    if root := next((r for r in known if folder.is_relative_to(r)), None):
        return (
            f"{options.folder} lies inside {root}, which submissions may read. Move it elsewhere."
        )
    if unknown := set(options.wanted) - set(catalogue.units()):
        return f"There is no unit {unknown.pop()!r}; there are {', '.join(catalogue.units())}."
    return None


def grade_all(found: dict, names: dict[str, str], options: argparse.Namespace) -> list[Row]:
    """Return the rows of all submissions, and say of each how it went."""
    from tools.classroom import sandbox

    table = {}
    with tempfile.TemporaryDirectory(prefix="earup-course-") as folder:
        course = Path(folder).resolve() / "course"
        course.mkdir()
        sandbox.stage(course)
        jobs = [(name, names[name], handed, course, options) for name, handed in found.items()]
        for job, rows in _graded(jobs, options.jobs):
            name, shown, *_ = job
            table[shown, name] = rows
            print(_line(shown, rows), flush=True)
    return [row for key in sorted(table) for row in table[key]]


def _graded(jobs: list[tuple], count: int):
    """Yield each job with its rows, graded here or in processes beside; one that loses its process
    is tried once more, alone.
    """
    if min(count, len(jobs)) < 2:
        yield from ((job, grade(*job)) for job in jobs)
        return
    lost = []
    with _pool(count) as pool:
        futures = [(job, pool.submit(grade, *job)) for job in jobs]
        for job, future in futures:
            try:
                yield job, future.result()
            except concurrent.futures.BrokenExecutor:
                lost.append(job)
    for job in lost:
        try:
            with _pool(1) as pool:
                yield job, pool.submit(grade, *job).result()
        except concurrent.futures.BrokenExecutor:
            why = "Grading it ended the grader's own process; nothing isolates it here (--help)."
            yield job, [Row(job[1], "", "", NOT_GRADED, "", 0, why)]


def _pool(count: int) -> concurrent.futures.Executor:
    """Return processes that share nothing with this one."""
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(count, mp_context=context)


def _line(shown: str, rows: list[Row]) -> str:
    """Return one line about a submission."""
    asked = [row for row in rows if row.item and row.verdict != "stored"]
    line = f"{shown}: {sum(row.points or 0 for row in asked)} of {len(asked)} exercises correct"
    for verdict in (NOT_GRADED, "not read"):
        if count := sum(row.verdict == verdict for row in rows):
            line += f", {count} {verdict}"
    return line


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py grade`."""
    options = options_from(argv)
    if why := refusal(options):
        return why
    from tools.classroom import sandbox

    try:
        salt = b"" if options.names else salt_from(options.salt or options.csv.with_suffix(".salt"))
    except (OSError, ValueError) as error:
        return (
            f"The pseudonyms could not be made ({getattr(error, 'strerror', None) or error}). "
            "Nothing was graded."
        )
    print("\n".join(sandbox.isolation().told()), flush=True)
    found = submissions.find(options.folder)
    names = {name: name if options.names else pseudonym(name, salt) for name in found}
    start = time.monotonic()
    rows = grade_all(found, names, options)
    took = time.monotonic() - start
    try:
        write(options.csv, rows)
    except OSError as error:
        return (
            f"{options.csv} could not be written ({error.strerror}). Make room and grade again; no "
            "half table is left."
        )
    print(f"{options.csv}: {len(rows)} rows, {len(found)} submissions, {took:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
