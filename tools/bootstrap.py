"""Make the course importable in a kernel that has not installed it: Colab, or a notebook file on
its own.

A notebook's first cell runs this after it fetched the repository. Packages that the platform brings
stay untouched; only what is missing is installed, and never at the price of another numpy or
ipywidgets.
"""

import importlib.metadata as metadata
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def missing(requirements: list[str]) -> list[str]:
    """Return the requirements whose package is not installed at all."""
    have = {plain(d.metadata["Name"]) for d in metadata.distributions() if d.metadata["Name"]}
    return [r for r in requirements if plain(re.match(r"[\w.-]+", r)[0]) not in have]


def plain(name: str) -> str:
    """Return a package's name as an index compares it: mir_eval is mir-eval."""
    return re.sub(r"[-_.]+", "-", name).lower()


def install(requirements: list[str]) -> None:
    """Install requirements, while every package that is there keeps its version."""
    with tempfile.TemporaryDirectory() as folder:
        frozen = Path(folder) / "frozen.txt"
        kept = {
            f"{d.metadata['Name']}=={d.version}"
            for d in metadata.distributions()
            if d.metadata["Name"]
        }
        frozen.write_text("\n".join(sorted(kept)), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "-c", str(frozen), *requirements],
            check=True,
        )


def main() -> None:
    """Install what is missing, and enter the course's folder of notebooks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if needed := missing(project["dependencies"]):
        print("Installing", ", ".join(needed))
        install(needed)
    sys.path.insert(0, str(ROOT))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    os.chdir(ROOT / "notebooks")
    print("The course is ready.")


if __name__ == "__main__":
    main()
