"""What was handed in: which files belong to whom, and the code cells of each notebook.

Whatever cannot be read becomes a row that says what to do; nothing is left out in silence.
"""

import collections
import datetime
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tools import notebooks

LARGEST = 300_000_000  # bytes of a notebook or of what an archive holds that are still read
BESIDE = 50_000_000  # bytes of the files beside a notebook that its kernel gets, too
CHECK = re.compile(r"coursework\.check\(\s*[\"'](\d\d\.\w+)")
SYSTEM = re.compile(r"^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)|\.ipynb_checkpoints")
NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)
# how a name ends -> what it is and what to do; in the folder itself these may be somebody's work
STRANGE = {
    ".7z .rar .tar .tgz .gz .bz2 .xz": "an archive that is not read; unpack it, or pack it as .zip",
    ".py": "a Python script; ask for the notebook itself (.ipynb)",
    ".html .htm .pdf": "a page made from a notebook; ask for the notebook itself (.ipynb)",
    ".docx .odt .txt .md .rtf": "a text; ask for the notebook itself (.ipynb)",
    ".json": "of nobody: it lies outside a learner's folder; move it into one",
}
KINDS = {ending: what for endings, what in STRANGE.items() for ending in endings.split()}


@dataclass(frozen=True)
class Handed:
    """One file that was handed in, on the disk or in an archive there."""

    name: str  # within the submission
    when: float  # it was changed last
    size: int
    path: Path
    member: str = ""  # of an archive

    def read(self) -> bytes:
        """Return its bytes."""
        if not self.member:
            return self.path.read_bytes()
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.member)

    @property
    def is_notebook(self) -> bool:
        """Whether it is called like a notebook."""
        return bool(NOTEBOOK.search(self.name))


@dataclass
class Submission:
    """What one learner handed in, and what of it cannot be read."""

    files: list[Handed] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # sentences


@dataclass(frozen=True)
class Notebook:
    """The code of one notebook, and what lies beside it."""

    handed: Handed
    unit: str
    cells: list[str]
    beside: dict[str, bytes]


# ---- whose is what -------------------------------------------------------------------------------


def find(folder: Path) -> dict[str, Submission]:
    """Return each submission by its name: a sub-folder, a notebook, or an archive of either."""
    found = collections.defaultdict(Submission)
    for path in sorted(folder.iterdir()):
        if SYSTEM.search(path.name):
            continue
        name = owner(path)
        if path.is_symlink():
            found[name].refused.append(f"{path.name} is a link; hand in the file itself.")
        elif path.is_dir():
            _take_folder(path, found[name])
        elif path.is_file():
            _take_file(path, found, name)
    return dict(sorted(found.items()))


def owner(path: Path) -> str:
    """Return whose a file or a folder in the folder of a class is: its name without endings."""
    if path.is_dir():
        return path.name
    short = NOTEBOOK.sub("", path.name)
    return short if short != path.name else path.stem


def _take_file(path: Path, found: dict[str, Submission], name: str) -> None:
    """Take a file that lies in the folder of the class itself."""
    if NOTEBOOK.search(path.name):
        found[name].files.append(_from_disk(path, path.name))
    elif path.suffix.lower() == ".zip":
        _take_archive(path.name, path, found[name])
    elif what := KINDS.get(path.suffix.lower()):
        found[name].refused.append(f"{path.name} is {what}.")


def _take_folder(folder: Path, into: Submission) -> None:
    """Take all files of one learner."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        linked = any(folder.joinpath(*parts[: i + 1]).is_symlink() for i in range(len(parts)))
        if any(SYSTEM.search(part) for part in parts):
            continue
        name = "/".join(parts)
        if linked and not path.is_dir():
            into.refused.append(f"{name} is a link; hand in the file itself.")
        elif path.is_file() and path.suffix.lower() == ".zip":
            _take_archive(name, path, into)
        elif path.is_file():
            into.files.append(_from_disk(path, name))


def _from_disk(path: Path, name: str) -> Handed:
    state = path.stat()
    return Handed(name, state.st_mtime, state.st_size, path)


def _take_archive(name: str, path: Path, into: Submission) -> None:
    """Take what a ZIP archive holds, without unpacking it to the disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        into.refused.append(f"{name} is a damaged archive; ask for it again, or unpack it.")
        return
    members = [m for m in members if not any(map(SYSTEM.search, m.filename.split("/")))]
    if sum(m.file_size for m in members) > LARGEST or len(members) > 5000:
        into.refused.append(f"{name} holds more than {LARGEST // 1_000_000} MB; unpack it.")
        return
    books = [m for m in members if NOTEBOOK.search(m.filename)]
    owners = {PurePosixPath(m.filename).parts[0] for m in books if "/" in m.filename}
    names = [PurePosixPath(m.filename).name for m in books]
    if len(owners) > 1 and len(set(names)) < len(names):
        into.refused.append(
            f"{name} holds the work of several learners ({len(owners)} folders); unpack it."
        )
        return
    if any(m.flag_bits & 1 for m in books):
        into.refused.append(f"{name} is locked with a password; unpack it.")
        return
    if not books:
        into.refused.append(f"{name} holds no notebook.")
    into.files += [_from_archive(path, name, member) for member in members]


def _from_archive(path: Path, name: str, member: zipfile.ZipInfo) -> Handed:
    try:
        when = datetime.datetime(*member.date_time).timestamp()
    except ValueError:  # some archives hold no time
        when = 0.0
    return Handed(f"{name}/{member.filename}", when, member.file_size, path, member.filename)


# ---- what a notebook holds -----------------------------------------------------------------------


def text_of(data: bytes) -> str:
    """Return bytes as text, with or without a mark of the byte order in front."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def cells_of(handed: Handed) -> list[str]:
    """Return the code cells of a notebook; ValueError says why it cannot be read and what to do."""
    import nbformat

    if handed.size > LARGEST:
        raise ValueError(
            f"it has {handed.size // 1_000_000} MB, and {LARGEST // 1_000_000} are read at most; "
            "clear all outputs and save it again"
        )
    again = "open it in Jupyter, save it there and hand it in again"
    try:
        data = handed.read()
        if data[:2] == b"PK":
            raise ValueError("it is a ZIP archive with the name of a notebook; call it .zip")
        loaded = json.loads(text_of(data))
    except json.JSONDecodeError as error:
        merge = " (git left a conflict in it)" if b"\n<<<<<<< " in data else ""
        raise ValueError(f"its JSON breaks off in line {error.lineno}{merge}; {again}") from None
    except (UnicodeError, RecursionError, MemoryError, OSError, zipfile.BadZipFile):
        raise ValueError(f"it is no notebook; {again}") from None
    try:
        for cell in loaded.get("cells", []):  # of no use here, and often nearly all of a file
            cell["outputs"] = []
        if loaded.get("nbformat", 4) < 4:
            loaded = nbformat.convert(nbformat.from_dict(loaded), 4)
        return ["".join(c["source"]) for c in loaded["cells"] if c["cell_type"] == "code"]
    except Exception:  # JSON of anything else
        raise ValueError(f"it is JSON, but no notebook; {again}") from None


def unit_of(name: str, cells: list[str]) -> str | None:
    """Return which unit a notebook belongs to, by what its cells check, else by its name without
    the number.

    Numbers of the first edition are read as those of today.
    """
    from helpers.coursework import catalogue

    known = {key for unit in catalogue.units() for key in catalogue.exercises(unit)}
    asked = CHECK.findall("\n".join(cells))
    keys = [key if key in known else catalogue.renumbered(key) for key in asked]
    if found := collections.Counter(key[:2] for key in keys if key in known):
        return found.most_common(1)[0][0]
    today = {path.stem[3:]: path.stem[:2] for path in notebooks.paths()}
    short = name.rsplit("/", 1)[-1]
    return next((unit for stem, unit in today.items() if re.match(rf"\d\d_{stem}", short)), None)


def read(submission: Submission) -> tuple[dict[str, tuple[Notebook, list[str]]], list[str]]:
    """Return the notebook that counts for each unit, with the names of its older copies, and what
    could not be read.
    """
    from helpers.coursework import catalogue

    found = collections.defaultdict(list)
    refused = list(submission.refused)
    for handed in submission.files:
        if not handed.is_notebook:
            continue
        try:
            cells = cells_of(handed)
            unit = unit_of(handed.name, cells)
            if unit not in catalogue.units():
                raise ValueError(
                    "none of its cells checks an exercise, and its name is that of no unit"
                )
        except ValueError as error:
            refused.append(f"{handed.name} was left out: {error}.")
            continue
        found[unit].append((handed, cells))
    counted = {}
    for unit, copies in found.items():
        copies.sort(key=lambda c: (c[0].when, not _is_copy(c[0].name), c[0].name))
        handed, cells = copies[-1]
        others = [h.name for h, theirs in copies[:-1] if theirs != cells]
        counted[unit] = (Notebook(handed, unit, cells, _beside(handed, submission)), others)
    return counted, refused


def _is_copy(name: str) -> bool:
    """Tell whether a name says that a file is a copy of another."""
    return bool(re.search(r"-Copy\d+|\(\d+\)| copy", name))


def _beside(handed: Handed, submission: Submission) -> dict[str, bytes]:
    """Return the files in a notebook's own folder, by name, as far as there is room."""
    home, _, _ = handed.name.rpartition("/")
    found = {}
    room = BESIDE
    for other in submission.files:
        place, _, name = other.name.rpartition("/")
        plain = not other.is_notebook and name not in ("progress.json", "helpers", "data")
        if place == home and plain and other.size <= room:
            try:
                found[name] = other.read()
            except (OSError, zipfile.BadZipFile, RuntimeError):
                continue
            room -= other.size
    return found
