"""What pages need of others, and notebooks that have run."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".vendor"
PACKAGES = {  # of npm: version, and the files of it that pages need
    "codemirror": ("5.65.20", ("lib/codemirror.js", "lib/codemirror.css", "mode/python/python.js")),
    "mathjax": ("3.2.2", ("es5/tex-svg.js",)),  # draws its letters itself: it asks for no fonts
}


def fetch(folder: Path = CACHE / "pages") -> dict[str, Path]:
    """Put the scripts into `folder` and return where they lie, by name; what npm gave once is kept
    in `.vendor`.
    """
    paths = {}
    for package, (version, files) in PACKAGES.items():
        kept = {inside: CACHE / f"{package}-{version}" / Path(inside).name for inside in files}
        if not all(path.is_file() for path in kept.values()):
            for inside, raw in files_of_npm(package, version, files).items():
                replace(kept[inside], raw)
        for path in kept.values():
            paths[path.name] = Path(folder) / path.name
            replace(paths[path.name], path.read_bytes())
    return paths


def replace(path: Path, raw: bytes) -> None:
    """Write a file at once, whoever else writes it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_bytes(raw)
    new.replace(path)


def of_npm(package: str, version: str, inside: str) -> bytes:
    """Return one file of a package (see `files_of_npm`)."""
    return files_of_npm(package, version, (inside,))[inside]


def files_of_npm(package: str, version: str, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return files of a package, by way of npm's own settings; RuntimeError says in one line why
    there are none.
    """
    if (npm := shutil.which("npm")) is None:
        raise RuntimeError(
            "npm is not installed (it comes with Node.js); the scripts of a page come through it"
        )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [npm, "pack", f"{package}@{version}"], cwd=folder, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(
                f"npm could not get {package}@{version}; `npm ping` tells if it reaches a registry"
            )
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            return {name: archive.extractfile(f"package/{name}").read() for name in names}


def run(notebook: Path):
    """Return a notebook, executed in an empty folder so that nothing of one learner gets in; it
    holds its widgets.
    """
    import nbformat
    from nbclient import NotebookClient

    nb = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as own:
        client = NotebookClient(
            nb, timeout=300, store_widget_state=True, resources={"metadata": {"path": own}}
        )
        client.execute(
            env=os.environ | {"EARUP_PROGRESS": f"{own}/progress.json", "EARUP_RESULTS": own}
        )
    return nb
