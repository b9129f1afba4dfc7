"""The first page of the site: something to hear before anything to read, then the units."""

import base64
import html
import tempfile
from pathlib import Path

from helpers.coursework import catalogue
from tools import notebooks
from tools.site import address, enhancer, vendor

TEXT = Path(__file__).with_name("landing.md")


def game() -> str:
    """Return the code of unit 00's first sound: a voice in the rain, in four versions."""
    cells = notebooks.read(notebooks.paths(["00"])[0])["cells"]
    tagged = {tag: [] for tag in ("setup", "sound")}
    for cell in cells:
        for tag in tagged.keys() & set(cell["metadata"].get("tags", [])):
            tagged[tag].append(notebooks.source(cell))
    return f"{tagged['setup'][0]}\n{tagged['sound'][0]}"


def card(path: Path, nb, pictures: Path) -> str:
    """Return a link to a unit, with its question, its minutes and one of its first pictures."""
    number = path.name[:2]
    question, minutes = notebooks.heading(nb)
    pngs = [
        o.data["image/png"]
        for c in nb.cells
        for o in c.get("outputs", [])
        if "image/png" in o.get("data", {})
    ]
    picture = pictures / f"{number}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(base64.b64decode(max(pngs[:6], key=len)))  # the one with most in it
    inside = (
        f'<img src="_static/cards/{number}.png" alt=""/><b>{number}</b> {html.escape(question)}'
    )
    return (
        f'<a class="earup-card" href="notebooks/{path.stem}.html">{inside} <span>{minutes} '
        "minutes</span></a>"
    )


def cards(books: dict, pictures: Path) -> str:
    """Return the cards of all units, part by part, each part with a sentence of its own."""
    made = {path.name[:2]: card(path, nb, pictures) for path, nb in books.items()}
    found = []
    for part in catalogue.parts():
        inside = "\n".join(made[number] for number in part.units if number in made)
        title = f"### {part.digit} · {part.name.capitalize()}"
        found.append(f'{title}\n\n{part.says}\n\n<div class="earup-cards">\n{inside}\n</div>')
    return "\n\n".join(found)


def links() -> dict[str, str]:
    """Return where the course is run."""
    url = address.current()
    repo = address.slug(url)
    return {
        "colab": f"https://colab.research.google.com/github/{repo}/blob/main/notebooks/00_start_here.ipynb",
        "binder": f"https://mybinder.org/v2/gh/{repo}/main?urlpath=lab/tree/notebooks/00_start_here.ipynb",
        "repository": url,
    }


def make(books: dict, trees: str, pictures: Path, shelf):
    """Return the first page as a notebook that has run.

    `books` are the units by path, `trees` the contents of the side bar; the pictures of the units
    go into a folder, what the enhancer is made of onto the shelf.
    """
    import nbformat
    from nbformat import v4

    text = TEXT.read_text(encoding="utf-8")
    filled = {"cards": cards(books, pictures), "trees": trees}
    text = text.format(enhancer=enhancer.place(shelf), **filled, **links())
    above, below = map(v4.new_markdown_cell, text.split("%% player\n"))
    nb = v4.new_notebook(
        cells=[above, v4.new_code_cell(game(), metadata={"tags": ["remove-input"]}), below]
    )
    nb.metadata["kernelspec"] = notebooks.KERNEL
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index.ipynb"
        nbformat.write(nb, file)
        return vendor.run(file)
