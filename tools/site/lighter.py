"""Take out of a page of the site what it need not wait for."""

import re
import shutil
import struct
from pathlib import Path

# of the theme: icons as a script of 1.6 MB, which the style sheet has as letters too ...
ICONS = re.compile(r"<script[^>]*fontawesome\.js[^>]*>\s*</script>\s*")
# ... and the index of all words, which only the page of the search needs
SEARCH = re.compile(
    r'<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^>]*>\s*</script>\s*'
)
FORMULAS = re.compile(r'<script defer="defer" src="([^"]*tex-svg\.js[^"]*)">\s*</script>')
# a corner of a table that heads nothing is no heading
CORNER = re.compile(r'<th class="head([^"]*)"><p></p></th>')
PICTURE = re.compile(r'<img ([^>]*src="([^"]*_images/[^"]*\.png)"[^>]*)/>')


def lighten(page: Path) -> None:
    """Rewrite a page: formulas come after all else, pictures when they are nearly seen."""
    text = page.read_text(encoding="utf-8")
    text = ICONS.sub("", text)
    text = CORNER.sub(r'<td class="head\1"></td>', text)
    if page.name != "search.html":
        text = SEARCH.sub("", text)
    text = FORMULAS.sub(r'<script type="text/plain" data-later="\1"></script>', text)
    text = PICTURE.sub(lambda found: _lazy(found, page.parent), text)
    page.write_text(text, encoding="utf-8")


def _lazy(found: re.Match, folder: Path) -> str:
    """Return a picture with its size, so that nothing moves when it comes."""
    with (folder / found[2]).open("rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])  # as every PNG begins
    return f'<img {found[1]} width="{width}" height="{height}" loading="lazy"/>'


def leave_out(site: Path) -> None:
    """Remove what Sphinx and the theme put into a site and no page asks for."""
    for folder in (".doctrees", "_static/locales"):
        shutil.rmtree(site / folder, ignore_errors=True)
    unused = {*site.glob("_static/**/*.map"), *site.glob("_static/scripts/fontawesome.js*")}
    for file in unused:
        file.unlink()
