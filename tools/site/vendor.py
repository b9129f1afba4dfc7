"""What pages need of others, and notebooks that have run."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".vendor"
PACKAGES = {  # of npm: version, and the one file of it that a page needs
    "mathjax": ("3.2.2", "es5/tex-svg.js"),  # draws its letters itself, so it asks for no fonts
}


def names() -> dict[str, str]:
    """Return the file names of the scripts, by package; each says its version."""
    return {
        package: f"{Path(inside).stem}-{version}.js"
        for package, (version, inside) in PACKAGES.items()
    }


def fetch(folder: Path = CACHE) -> dict[str, Path]:
    """Put the scripts into `folder` and return where they lie; what npm gave once is kept in
    `.vendor`.
    """
    paths = {package: Path(folder) / name for package, name in names().items()}
    for package, path in paths.items():
        kept, new = CACHE / path.name, CACHE / f"{path.name}.{os.getpid()}"
        for place in (kept, path):
            place.parent.mkdir(parents=True, exist_ok=True)
        if not kept.is_file():
            new.write_bytes(of_npm(package, *PACKAGES[package]))
            new.replace(kept)
        if path.resolve() != kept:
            shutil.copyfile(kept, path)
    return paths


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
