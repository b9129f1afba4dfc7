"""Notebooks to pages: run them, lay out what Sphinx reads, let it write."""

import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from helpers.coursework import catalogue
from tools import notebooks
from tools.site import address, enhancer, landing, lighter, single, vendor, widgets
from tools.site.engine import exercises, packing

ROOT, HERE = notebooks.ROOT, Path(__file__).parent
KEPT = ROOT / ".site" / "executed"  # notebooks that have run, by what they were made of
PAGES = HERE / "pages"
BESIDE = {
    "Beside the units": "companion glossary notation references",
    "Run and teach": "compatibility faults access classes",
}  # fmt: skip


def made_of(path: Path) -> str:
    """Return a hash of all that an executed notebook depends on."""
    digest = hashlib.sha256(path.read_bytes())
    folders = (ROOT / "helpers", ROOT / "data")
    for file in sorted(
        file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts
    ):
        if file.is_file():
            digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def kept_at(path: Path) -> Path:
    """Return where a notebook lies that has run, as it and all that it depends on are now."""
    return KEPT / f"{path.stem}-{made_of(path)}.ipynb"


def keep(nb, path: Path) -> None:
    """Keep a notebook that has run in place of older runs; tests/runs.py keeps its own here too."""
    import nbformat

    kept = kept_at(path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{path.stem}-*.ipynb"):
        old.unlink()
    new = kept.with_suffix(f".{os.getpid()}")
    nbformat.write(nb, new)
    new.replace(kept)


def executed(path: Path):
    """Return one notebook, run; what has not changed since the last time is not run again."""
    import nbformat

    kept = kept_at(path)
    if kept.is_file():
        return nbformat.read(kept, as_version=4)
    nb = vendor.run(path)
    keep(nb, path)
    print(f"{path.name} has run", flush=True)
    return nb


def execute(paths: list[Path]) -> dict:
    """Return all notebooks: these run, two at a time, the others as they are stored."""
    import nbformat

    os.environ |= {"OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    with ProcessPoolExecutor(2) as pool:
        run = dict(zip(paths, pool.map(executed, paths), strict=True))
    return {path: run.get(path) or nbformat.read(path, as_version=4) for path in notebooks.paths()}


def staged(nb, stem: str):
    """Return a notebook as the site shows it: folded where Jupyter folds, pictures with their
    words.
    """
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        if (
            cell.cell_type == "markdown"
        ):  # a file that is no page of the site is looked at where the course lies
            cell.source = re.sub(
                r"\]\(\.\./(?!data/badges)", f"]({address.current()}/blob/main/", cell.source
            )
        tags = cell.metadata.setdefault("tags", [])
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*tags, "hide-input"]
        alts = [
            o.get("metadata", {}).get("image/png", {}).get("alt") for o in cell.get("outputs", [])
        ]
        single.linked_as_pages(cell)
        if said := next(filter(None, alts), None):
            cell.metadata["mystnb"] = {"image": {"alt": said}}
    first = nb.cells[0]
    link = f'<a class="earup-file" href="../files/{stem}.html" download>This page in one file</a>'
    first.source = re.sub(
        r"(?m)^(\[!\[Open in Colab\].*)$", lambda line: f"{line[0]} {link}", first.source
    )
    return nb


def pages() -> dict[str, Path]:
    """Return the pages beside the units by their place in the site."""
    found = {path.relative_to(PAGES).as_posix(): path for path in sorted(PAGES.rglob("*.md"))}
    teach = sorted((ROOT / "data" / "coursework").glob("[0-9][0-9]/teach.md"))
    return found | {f"teach/{path.parent.name}.md": path for path in teach}


def page(place: str, path: Path) -> str:
    """Return a page of ours, its links made for where it lies in the site."""
    up = "../" * place.count("/")
    text = re.sub(
        r"data/coursework/(\d\d)/teach\.md", r"teach/\1.md", path.read_text(encoding="utf-8")
    )
    return text.replace(
        "../../../", up
    )  # ours lie three folders deep, wherever the site shows them


def contents(books: dict) -> dict[str, list[str]]:
    """Return what the side bar lists, by caption: the units part by part, then the pages beside
    them.
    """
    listed = {}
    for part in catalogue.parts():
        name = f"{part.digit} · {part.name.capitalize()}"
        listed[name] = [f"notebooks/{path.stem}" for path in books if path.stem[:2] in part.units]
    for caption, names in BESIDE.items():
        listed[caption] = [name for name in names.split() if (PAGES / f"{name}.md").exists()]
    listed["Teacher's pages"] = [
        place.removesuffix(".md") for place in pages() if place.startswith("teach/")
    ]
    return {caption: docs for caption, docs in listed.items() if docs}


def tree(caption: str, docs: list[str]) -> str:
    """Return a table of contents that only the side bar shows."""
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *docs, "```", ""])


def engine(books: dict, shelf: widgets.Shelf) -> dict[str, dict]:
    """Put Python for the pages on the shelf, and return what it answers; nothing without it."""
    try:
        packing.put(shelf)
    except RuntimeError as error:
        print(f"Nothing computes in these pages: {error}", flush=True)
        return {}
    return packing.alive(books)


def speaking(nb, shelf: widgets.Shelf) -> None:
    """Put Setting 1, which hears a visitor at once, where a recorder could save nothing."""
    for cell in nb.cells:
        if "recorder" in cell.metadata.get("tags", []) and cell.get("outputs"):
            cell.outputs[-1]["data"] = {"text/html": enhancer.place(shelf)}


def stage(books: dict, source: Path, shelf: widgets.Shelf) -> None:
    """Lay out what Sphinx reads; what widgets are made of goes onto the shelf."""
    import nbformat

    (source / "notebooks").mkdir(parents=True)
    alive = engine(books, shelf)
    for path, nb in books.items():
        live = alive.get(path.stem, {"stages": {}, "exercises": {}})
        shown = staged(nb, path.stem)
        exercises.place(shown, live["exercises"], shelf)
        lifted = widgets.lift(shown, shelf, "../_static/widgets", live["stages"])
        if path.stem.startswith("00"):  # other units need the recording, not what comes of it
            speaking(lifted, shelf)
        nbformat.write(lifted, source / "notebooks" / path.name)
    for place, path in pages().items():
        goal = source / place
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(page(place, path), encoding="utf-8")
    for name in ("data/badges", "data/look"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copy(ROOT / "data" / "references.bib", source / "data")
    trees = "\n".join(tree(caption, docs) for caption, docs in contents(books).items())
    first = landing.make(books, trees, source / "_static" / "cards", shelf)
    nbformat.write(widgets.lift(first, shelf, "_static/widgets"), source / "index.ipynb")


def build(books: dict, out: Path) -> None:
    """Write the site; what was there before goes. RuntimeError holds what Sphinx complained of."""
    with tempfile.TemporaryDirectory() as folder:
        source, html = Path(folder) / "source", Path(folder) / "html"
        shelf = widgets.Shelf()
        stage(books, source, shelf)
        vendor.fetch(source / "_static")
        shutil.copytree(HERE / "static", source / "_static", dirs_exist_ok=True)
        shutil.copy(single.GATE, source / "_static")
        options = [
            "-q",
            "-W",
            "--keep-going",
            "-D",
            f"html_static_path={source / '_static'}",
            "-c",
            HERE,
        ]
        command = [sys.executable, "-m", "sphinx", *options, source, html]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"Sphinx could not build the site:\n{done.stdout}{done.stderr}".rstrip()
            )
        shelf.write(html / "_static" / "widgets")
        for written in html.rglob("*.html"):
            lighter.lighten(written)
        lighter.leave_out(html)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(html, out)
        (out / ".nojekyll").touch()  # so that GitHub serves folders whose names begin with _
