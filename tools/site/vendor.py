"""Make pages out of notebooks: widgets, sounds and formulas work in them without a kernel and
without a network.
"""

import base64
import mimetypes
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib import metadata
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".vendor"
HEAD = Path(__file__).with_name("page_head.html")
# what follows a question stays closed until a guess, also before the question has loaded
GATE = Path(__file__).resolve().parents[2] / "helpers" / "coursework" / "gate.js"
PACKAGES = {  # of npm: version, and the one file of it that a page needs
    "requirejs": ("2.3.8", "require.js"),
    "@jupyter-widgets/html-manager": ("1.0.15", "dist/embed-amd.js"),
    "mathjax": ("3.2.2", "es5/tex-svg.js"),  # draws its letters itself, so it asks for no fonts
}


def names() -> dict[str, str]:
    """Return the file names of the scripts, by package; each says its version."""
    every = PACKAGES | {"anywidget": (metadata.version("anywidget"), "anywidget.js")}
    return {
        package: f"{Path(inside).stem}-{version}.js" for package, (version, inside) in every.items()
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
            new.write_bytes(
                _of_pip() if package == "anywidget" else of_npm(package, *PACKAGES[package])
            )
            new.replace(kept)
        if path.resolve() != kept:
            shutil.copyfile(kept, path)
    return paths


def _of_pip() -> bytes:
    """Return the page script that the installed anywidget carries."""
    inside = "nbextensions/anywidget/index.js"
    script = (
        next(f for f in metadata.files("anywidget") if f.as_posix().endswith(inside))
        .locate()
        .read_bytes()
    )
    # a page with a dozen widgets takes longer than the two seconds that anywidget waits for each
    return script.replace(b"AbortSignal.timeout(2e3)", b"AbortSignal.timeout(6e4)")


def of_npm(package: str, version: str, inside: str) -> bytes:
    """Return one file of a package, by way of npm's own settings; RuntimeError says in one line why
    there is none.
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
            script = archive.extractfile(f"package/{inside}").read()
    # it brings a style sheet whose fonts it does not bring: so nothing may ask for them
    return script.replace(
        b'@font-face{font-family:"Font Awesome 5', b'@font-face{font-family:"No Font Awesome 5'
    )


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


def title(nb) -> str:
    """Return the first heading of a notebook, or nothing."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    return found[1] if (found := re.search(r"^# (.+)$", text, re.MULTILINE)) else ""


def export(notebook: Path, page: Path, vendor: Path) -> None:
    """Run a notebook and write it as an HTML page.

    The page names the scripts in `vendor` (see `fetch`) relative to itself: keep the two together.
    """
    folder = Path(os.path.relpath(Path(vendor).resolve(), Path(page).resolve().parent)).as_posix()
    write(run(notebook), page, folder=folder, pictures=Path(notebook).parent)


def write(nb, page: Path, *, folder: str, pictures: Path) -> None:
    """Write an executed notebook as an HTML page that names the scripts in `folder`; `pictures` is
    where it lay.
    """
    from nbconvert import HTMLExporter

    for cell in nb.cells:
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "folded"]
    require, renderer, mathjax, anywidget = (f"{folder}/{name}" for name in names().values())
    scripts = {"require_js_url": require, "widget_renderer_url": renderer, "mathjax_url": mathjax}
    scripts |= {
        "mermaid_js_url": "",
        "mermaid_layout_elk_js_url": "",
    }  # by default elsewhere; no unit needs it
    html, _ = HTMLExporter(**scripts).from_notebook_node(
        nb, {"metadata": {"name": title(nb) or Path(page).stem}}
    )
    head = HEAD.read_text(encoding="utf-8").replace("ANYWIDGET", anywidget[:-3])
    head = head.replace("GATE_SCRIPT", GATE.read_text(encoding="utf-8"))
    html = html.replace("<head>", head, 1)
    html = re.sub(
        r'(?<= src=")\.\./[^":]+(?=")', lambda link: _inline(Path(pictures) / link[0]), html
    )
    Path(page).parent.mkdir(parents=True, exist_ok=True)
    Path(page).write_text(html, encoding="utf-8")


def in_one_file(page: Path) -> None:
    """Put the scripts that a page of `write` names into the page itself, so that it can be sent or
    kept alone.
    """
    html = Path(page).read_text(encoding="utf-8")
    require, renderer, mathjax, anywidget = (_script(CACHE / name) for name in names().values())
    anywidget = anywidget.replace(
        "define([", 'define("anywidget",[', 1
    )  # asked for by its name, so it must say it
    for pattern, script in (
        (r'<script src="[^"]*/require-', require),
        (r'<script src="[^"]*/tex-svg-', mathjax),
    ):
        html = re.sub(
            pattern + r'[^"]*">\s*</script>', lambda _, script=script: script, html, count=1
        )
    # the renderer's, from a file
    loader = r"<script>\s*\(function\(\) \{\s*function addWidgetsRenderer.*?</script>"
    html = re.sub(loader, "", html, count=1, flags=re.DOTALL)
    body, end = html.rsplit("</body>", 1)
    Path(page).write_text(f"{body}{anywidget}{renderer}</body>{end}", encoding="utf-8")


def _script(file: Path) -> str:
    """Return a script of ours or of others as an element of a page."""
    text = file.read_text(encoding="utf-8").replace("</script", r"<\/script")
    return f"<script>{text}</script>"


def _inline(picture: Path) -> str:
    """Return a picture of the repository as a link that holds it."""
    payload = base64.b64encode(picture.read_bytes()).decode()
    return f"data:{mimetypes.guess_type(picture)[0]};base64,{payload}"
