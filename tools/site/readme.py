"""Write README's table of units anew, from the notebooks' first cells and data/coursework: python3
-m tools.site.readme.
"""

import argparse
import re
import sys

from helpers.coursework import catalogue
from tools import notebooks

README = notebooks.ROOT / "README.md"
TABLE = re.compile(r"^\| part \| unit \|.*?(?=^$)", re.MULTILINE | re.DOTALL)


def table() -> str:
    """Return the table: a row for each unit, and in each part a row for what is still to come."""
    rows = ["| part | unit | question | minutes |", "|---|---|---|---|"]
    paths = {path.name[:2]: path for path in notebooks.paths()}
    for part in catalogue.parts():
        label = f"{part.digit} {part.name}"
        for number in part.units:
            name = catalogue.unit(number)["short"]
            question, minutes = notebooks.heading(notebooks.read(paths[number]))
            link = f"[{number} {name}](notebooks/{paths[number].name})"
            rows.append(f"| {label} | {link} | {question} | {minutes} |")
            label = ""
        if part.to_come:
            names = ", ".join(f"{number} {name}" for number, name in part.to_come.items())
            rows.append(f"| {label} | *to come:* | {names} | |")
    return "\n".join(rows).replace("|  |", "| |") + "\n"


def main(argv: list[str] | None = None) -> int:
    """Replace the table in README.md."""
    argparse.ArgumentParser(prog="python3 -m tools.site.readme", description=__doc__).parse_args(
        argv
    )
    text = README.read_text(encoding="utf-8")
    README.write_text(TABLE.sub(lambda _: table(), text), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
