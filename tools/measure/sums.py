"""Write data/SHA256SUMS: what the tables, the list of clips, the music and the weights of the
learned loss hold.

`python3 -m tools.measure.sums` after a table was made anew. The clips have their own list
(data/clips/manifest.json), and all other weights carry a checksum inside. `helpers._checks.whole`
refuses what differs, so no damaged table is believed. Tables for maintainers are not on the list:
no notebook reads them, and none should stop because of them.
"""

import argparse
import hashlib
import sys
from pathlib import Path

from tools.notebooks import ROOT

FILE = ROOT / "data" / "SHA256SUMS"
FOR_MAINTAINERS = ("compatibility.csv", "listening_seconds.csv", "units_cost.csv")
PATTERNS = (
    "tables/*.csv",
    "clips/manifest.json",
    "music/*.flac",
    "music/scores/*.csv",
    "weights/loss_features.safetensors",
    "lexicon/words.txt.gz",
)


def lines() -> list[str]:
    """Return what the list should say."""
    paths = sorted(path for pattern in PATTERNS for path in FILE.parent.glob(pattern))
    paths = [path for path in paths if path.name not in FOR_MAINTAINERS]
    return [f"{digest(path)}  {path.relative_to(FILE.parent).as_posix()}" for path in paths]


def digest(path: Path) -> str:
    """Return the sha256 of a file, of a text without the carriage returns that some systems put at
    ends of lines.
    """
    raw = path.read_bytes()
    return hashlib.sha256(
        raw.replace(b"\r", b"") if path.suffix in (".csv", ".json") else raw
    ).hexdigest()


def main(argv: list[str] | None = None) -> int | str:
    """Write the list, or compare it."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.measure.sums", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="only say which files differ from the list"
    )
    wanted, stated = (
        lines(),
        FILE.read_text(encoding="utf-8").splitlines() if FILE.is_file() else [],
    )
    differ = sorted({line[66:] for line in {*wanted} ^ {*stated}})
    if parser.parse_args(argv).check:
        return (
            f"not as data/SHA256SUMS says: {', '.join(differ)}; if so meant: python3 -m "
            "tools.measure.sums"
            if differ
            else 0
        )
    FILE.write_text("\n".join(wanted) + "\n", encoding="utf-8", newline="\n")
    print(f"data/SHA256SUMS: {len(wanted)} files, {len(differ)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
