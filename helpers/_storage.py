"""Files that are complete at any moment: a learner's answers to a test, and any bytes.

A change writes the file anew beside the old one and moves it into place, so that a crash leaves the
old or the new one. A damaged file is set aside under a new name and never deleted.
"""

import csv
import io
import os
import re
from pathlib import Path

VERSION = 1


def replace(path: Path, data) -> None:
    """Replace a file by other bytes in one step, after they have reached the disk."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_file(path: Path, data) -> None:
    """Do as `replace`; if that fails, say why, and what became of the old file."""
    try:
        replace(path, data)
    except OSError as error:
        kept = "what it held before is untouched" if path.exists() else "there is no such file yet"
        raise OSError(
            error.errno,
            f"{path.name} could not be saved ({error.strerror}), {kept}; make room or choose "
            "another folder",
        ) from error


def set_aside(path: Path, word: str) -> Path:
    """Move a file out of the way, to ``<name>.<word>-1.<suffix>`` or the next free number."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.{word}-{number}{path.suffix}")).exists():
        number += 1
    os.replace(path, aside)
    return aside


def not_saved(what: str, path: Path, error: OSError) -> str:
    """Return one line for the learner: why something is kept in this session only."""
    why = error.strerror or str(error)
    return (
        f"Your {what} kept in this session only: {path.name} could not be saved ({why}). "
        "Mend that and go on: the next answer saves the earlier ones too."
    )


class AnswerFile:
    """A CSV file such as ``blind_<name>.csv``; its first line says which test they belong to.

    It lies in the working directory, which is the notebook's folder, or where the environment
    variable EARUP_RESULTS says.

    Parameters
    ----------
    name : str or None
        Letters, digits, dashes and underscores; None keeps nothing.
    kind : str
        The kind of test.
    key : str
        What tells this test from others: answers under another key are not continued.
    columns : dict of str to type
        Name and type, `int`, `float` or `str`, of each column.
    what : str, default "blind test"
        What the file calls itself; its first word begins the file's name.
    """

    def __init__(
        self,
        name: str | None,
        *,
        kind: str,
        key: str,
        columns: dict[str, type],
        what: str = "blind test",
    ):
        self.path = None
        if name is not None:
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
                raise ValueError(
                    f"name={name!r} becomes part of a file name: use letters, digits, - and _ only"
                )
            folder = Path(os.environ.get("EARUP_RESULTS", ".")).resolve()
            self.path = folder / f"{what.split()[0]}_{name}.csv"
        self._is = f"# earup {what}, "
        self.head = f"{self._is}version {VERSION}, kind {kind}, test {key}"
        self.columns = columns

    @property
    def label(self) -> str:
        """Name of the file, without its folder; empty where nothing is kept."""
        return self.path.name if self.path else ""

    def load(self, accept) -> tuple[list[dict], str]:
        """Return the rows of answers given so far, and what was set aside, or "".

        `accept` takes the list of rows and says whether they can be answers to this test.
        """
        if not self.path or not self.path.is_file():
            return [], ""
        try:
            head, _, table = self.path.read_text(encoding="utf-8").partition("\n")
            if head != self.head and head.startswith(self._is):
                return [], self.set_aside(
                    "earlier", "The sounds or settings of this test have changed"
                )
            rows = [self._row(row) for row in csv.DictReader(io.StringIO(table))]
            if head != self.head or not accept(rows):
                raise ValueError("not answers to this test")
        # ValueError: also an empty file and bad UTF-8
        except (ValueError, TypeError, KeyError, csv.Error):
            return [], self.set_aside("damaged", f"{self.path.name} could not be read")
        return rows, ""

    def _row(self, row: dict) -> dict:
        if set(row) != set(self.columns):
            raise ValueError("wrong columns")
        return {key: kind(row[key]) for key, kind in self.columns.items()}

    def save(self, rows: list[dict]) -> None:
        """Write all answers, one row for each, with the keys of `columns`."""
        if not self.path:
            return
        text = io.StringIO()
        text.write(self.head + "\n")
        writer = csv.DictWriter(text, list(self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        replace(self.path, text.getvalue().encode("utf-8"))

    def trouble(self, error: OSError) -> str:
        """Return one line for the learner: why `save` failed, and what to do."""
        return not_saved("answers are", self.path, error)

    def set_aside(self, word: str, why: str) -> str:
        """Move the file out of the way; return `why` and what was done, or "" without a file."""
        if not self.path or not self.path.exists():
            return ""
        aside = set_aside(self.path, word)
        return f"{why}: the old answers are kept in {aside.name}, and the test starts anew."
