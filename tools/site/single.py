"""A unit as one HTML file, to keep or to send: everything in it works alone."""

import base64
import copy
import mimetypes
import re
import zlib
from pathlib import Path

from tools import notebooks
from tools.site import vendor, widgets

HERE = Path(__file__).parent
HEAD = HERE / "page_head.html"
# what follows a question stays closed until a guess, also before the question has loaded
GATE = notebooks.ROOT / "helpers" / "coursework" / "gate.js"


def write(nb, page: Path, *, pictures: Path) -> None:
    """Write an executed notebook as one file; `pictures` is where the notebook lay."""
    from nbconvert import HTMLExporter

    shelf = widgets.Shelf()
    nb = widgets.lift(copy.deepcopy(nb), shelf)
    for cell in nb.cells:
        linked_as_pages(cell)
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "folded"]
    elsewhere = ("require_js_url", "mathjax_url", "mermaid_js_url", "mermaid_layout_elk_js_url")
    exporter = HTMLExporter(**dict.fromkeys(elsewhere, ""))
    html, _ = exporter.from_notebook_node(nb, {"metadata": {"name": title(nb) or page.stem}})
    head = HEAD.read_text(encoding="utf-8")
    head = head.replace("GATE_SCRIPT", GATE.read_text(encoding="utf-8"))
    html = html.replace("<head>", head, 1)
    html = re.sub(r'<script src="">\s*</script>', "", html)
    html = re.sub(
        r'(?<= src=")\.\./[^":]+(?=")', lambda link: _inline(Path(pictures) / link[0]), html
    )
    html = re.sub(r"<style[^>]*>.*?</style>", lambda style: lean(style[0]), html, flags=re.DOTALL)
    host = (HERE / "static" / "widgets.js").read_text(encoding="utf-8")
    script = vendor.fetch()["tex-svg.js"].read_bytes()
    packed = base64.b64encode(zlib.compress(script, 9)).decode()
    ends = [
        f"<script>{host}</script>",
        shelf.inline(),
        f'<script type="text/plain" id="mathjax">{packed}</script>',
        f"<script>{UNPACK}</script>",
    ]
    body, end = html.rsplit("</body>", 1)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join([body, *ends, "</body>" + end]), encoding="utf-8")


def lean(style: str) -> str:
    """Return a style without the blanks at the ends of its lines."""
    return re.sub(r"\s*\n\s*", "\n", style)


# formulas are typeset by a script of 2 MB, which takes a third of that when it is packed
UNPACK = """
(async () => {
  const packed = document.getElementById("mathjax").textContent;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const text = await new Response(stream).text();
  document.head.append(Object.assign(document.createElement("script"), { textContent: text }));
})();
"""


def linked_as_pages(cell) -> None:
    """Let links that an output makes to notebooks (the map of units) lead to their pages."""
    for output in cell.get("outputs", []):
        page = output.get("data", {}).get("text/html")
        if page:
            output["data"]["text/html"] = re.sub(
                r'href="(\d\d_\w+)\.ipynb[^"]*"', r'href="\1.html"', page
            )


def title(nb) -> str:
    """Return the first heading of a notebook, or nothing."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    return found[1] if (found := re.search(r"^# (.+)$", text, re.MULTILINE)) else ""


def _inline(picture: Path) -> str:
    """Return a picture of the repository as a link that holds it."""
    payload = base64.b64encode(picture.read_bytes()).decode()
    return f"data:{mimetypes.guess_type(picture)[0]};base64,{payload}"
