"""Run every notebook and build a site of them: players, blind tests and quizzes work in it without
a kernel.
"""

import argparse
import sys
import time
from pathlib import Path

from tools import notebooks
from tools.site import building, single


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py site`."""
    parser = argparse.ArgumentParser(prog="course.py site", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="only these notebooks, such as 10 11; all if none is given"
    )
    parser.add_argument(
        "--out", type=Path, default=notebooks.ROOT / ".site" / "html", help="folder of the site"
    )
    parser.add_argument(
        "--without-files", action="store_true", help="leave out the pages in one file"
    )
    options = parser.parse_args(argv)
    begun = time.perf_counter()
    try:
        paths = notebooks.paths(options.names)
        books = building.execute(paths)
        building.build(books, options.out)
        if not options.without_files:
            for path in paths:
                page = options.out / "files" / f"{path.stem}.html"
                single.write(books[path], page, pictures=path.parent)
    except (ValueError, RuntimeError) as error:
        return str(error)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{len(paths)} units, {size // 10**6} MB, {time.perf_counter() - begun:.0f} s")
    print(f"Open {options.out / 'index.html'}: no server is needed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
