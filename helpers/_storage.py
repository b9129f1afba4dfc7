"""Files that are whole at any moment: a learner's answers to a test, and any bytes."""

import csv
import io
import os
import re
import tempfile
from pathlib import Path

VERSION = 1


class AnswerFile:
    """A CSV file such as ``blind_<name>.csv``; its first line says which test the answers belong
    to.

    It lies in the working directory, which is the notebook's folder, or where the environment
    variable EARUP_RESULTS says. Every change writes the whole file beside it and moves it into
    place, so that a crash leaves the old or the new one. A file of another test, or a damaged one,
    is set aside under a new name and not deleted.

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

    Raises
    ------
    ValueError
        If the name does not fit for a file.
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
        if name is not None and not (
            isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name)
        ):
            raise ValueError(
                f"name={name!r} becomes part of a file name: use letters, digits, - and _ only"
            )
        self.path = (
            name
            and Path(os.environ.get("EARUP_RESULTS", ".")).resolve()
            / f"{what.split()[0]}_{name}.csv"
        )
        self._is = f"# earup {what}, "
        self.head = f"{self._is}version {VERSION}, kind {kind}, test {key}"
        self.columns = columns

    @property
    def label(self) -> str:
        """Name of the file, without its folder; empty where nothing is kept."""
        return self.path.name if self.path else ""

    def load(self, accept) -> tuple[list[dict], str]:
        """Return the answers given so far.

        Parameters
        ----------
        accept : callable
            Takes the list of rows and says whether they can be answers to this test.

        Returns
        -------
        rows : list of dict
            One per line; empty if there is no usable file.
        note : str
            What was set aside, or empty.
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
        except (
            ValueError,
            TypeError,
            KeyError,
            csv.Error,
        ):  # ValueError: also an empty file and bad UTF-8
            return [], self.set_aside("damaged", f"{self.path.name} could not be read")
        return rows, ""

    def _row(self, row: dict) -> dict:
        if set(row) != set(self.columns):
            raise ValueError("wrong columns")
        return {key: kind(row[key]) for key, kind in self.columns.items()}

    def save(self, rows: list[dict]) -> None:
        """Write all answers.

        Parameters
        ----------
        rows : list of dict
            One per line, with the keys of `columns`.
        """
        if not self.path:
            return
        text = io.StringIO()
        text.write(self.head + "\n")
        writer = csv.DictWriter(text, list(self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(
            prefix=self.path.stem, suffix=".part", dir=self.path.parent
        )
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        finally:
            Path(beside).unlink(missing_ok=True)

    def trouble(self, error: OSError) -> str:
        """Return one line for the learner: why the answers are not saved, and what to do.

        Parameters
        ----------
        error : OSError
            What `save` raised.

        Returns
        -------
        str
            The line.
        """
        kept = (
            f"Your answers are kept in this session only: {self.label} could not be saved "
            f"({error.strerror})"
        )
        return f"{kept}. Mend that and go on: the next answer saves the earlier ones too."

    def set_aside(self, word: str, why: str) -> str:
        """Move the file out of the way.

        Parameters
        ----------
        word : str
            Goes into the new name: ``blind_<name>.<word>-1.csv``.
        why : str
            Begins the sentence that is returned.

        Returns
        -------
        str
            What was done, for the learner; empty if there was no file.
        """
        if not self.path or not self.path.exists():
            return ""
        numbers = range(1, 1000)
        free = next(
            p for i in numbers if not (p := self.path.with_suffix(f".{word}-{i}.csv")).exists()
        )
        os.replace(self.path, free)
        return f"{why}: the old answers are kept in {free.name}, and the test starts anew."


def put(path: Path, data) -> None:
    """Replace a file by other bytes in one step; if that fails, say why, and leave the old file as
    it was.
    """
    beside = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        kept = "what it held before is untouched" if path.exists() else "there is no such file yet"
        why = (
            f"{path.name} could not be saved ({error.strerror}), {kept}; make room or choose "
            "another folder"
        )
        raise OSError(error.errno, why) from error
    finally:
        beside.unlink(missing_ok=True)
