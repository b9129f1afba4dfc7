"""What a unit costs a computer: memory, processor time and seconds of every notebook; the size of a
clone.

`python3 course.py bench memory` measures and prints, `--write` also stores it:
data/tables/units_cost.csv, and the table of the page for classes. Memory is what Linux counts as
resident, in MB of 10**6 bytes. It holds the pages of shared libraries in full, so two kernels of
one image need less than twice as much.
"""

import csv
import datetime
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import notebooks

ROOT = notebooks.ROOT
TABLE = ROOT / "data" / "tables" / "units_cost.csv"
PAGE = ROOT / "tools" / "site" / "pages" / "classes.md"
COLUMNS = ("unit", "peak_mb", "moved_mb", "cpu_s", "wall_s", "cells", "load")
AT = re.compile(r"(% memory table: begin[^\n]*\n).*(% memory table: end)", re.DOTALL)
# of the four times the last two are those of children that have ended
PROBE = """import os as _os
with open("/proc/self/status") as _file:
    _peak = next(int(line.split()[1]) for line in _file if line.startswith("VmHWM"))
print(_os.getpid(), _peak * 1024, sum(_os.times()[:4]))"""

SAID = """

Measured on {about[date]}: {about[machine]}; one thread in each kernel. The load average was {low} to {high}:
{beside}. All cells of all units took {wall} s one after the other, and {both} with two units at once and
every control moved.

Reserve **{one} GB** for each student with one notebook open, and {two} GB where a second one stays open: the largest
kernels ({big}), JupyterLab itself ({about[JupyterLab]}), and a quarter more as a margin.
Reserve half a core: all cells of the longest unit ({long}) then take {twice} s, and {seconds} s on a whole one.
"""  # noqa: E501


def peak_of(pid: int) -> int:
    """Return the most bytes that a process has held so far; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    found = []
    try:
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, listed.read_text().split())
    except OSError:
        pass  # it has ended meanwhile, or a thread of it has
    return found + [below for child in found for below in children_of(child)]


class Watch(threading.Thread):
    """Looks twenty times a second at what a kernel has started, and keeps the peak of each that it
    sees twice.

    A process that was just forked still shows its parent's memory; the next look finds its own.
    """

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.peaks, self.over = client, {}, threading.Event()

    def run(self):
        """Look until told that it is over."""
        while not self.over.wait(0.05):
            kernel = getattr(getattr(self.client.km, "provisioner", None), "pid", None)
            for pid in children_of(kernel) if kernel else []:
                self.peaks[pid] = (peak_of(pid) or self.peaks[pid]) if pid in self.peaks else 0


def cost(path: Path, *, moved: bool = False) -> dict:
    """Run a notebook in a kernel of its own and return what that took; `moved` moves every control
    as well.

    ``peak_mb`` is the kernel's own peak, exact, plus those of the processes that it started and
    that lived for 50 ms.
    """
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    cells = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in book.cells)
    book.cells.append(nbformat.v4.new_code_cell(PROBE))
    where = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        book, timeout=600, kernel_name="python3", store_widget_state=False, resources=where
    )
    with tempfile.TemporaryDirectory() as own:
        env = {**os.environ, "EARUP_PROGRESS": f"{own}/progress.json", "EARUP_RESULTS": own}
        watch, start = Watch(client), time.perf_counter()
        watch.start()
        client.execute(env=env | {"NOTEBOOK_SWEEP": str(int(moved))})
        wall = time.perf_counter() - start
        watch.over.set()
    said = "".join(output.get("text", "") for output in book.cells[-1].outputs).split()
    peak = int(said[1]) + sum(watch.peaks.values())
    return {
        "unit": path.stem[:2],
        "peak_mb": peak / 1e6,
        "cpu_s": float(said[2]),
        "wall_s": wall,
        "cells": cells,
    }


def lab_peak() -> float:
    """Return the peak [MB] of a JupyterLab server that has shown its page and opened nothing."""
    from tests.browser.conftest import Lab

    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(folder, None)
        try:
            lab.wait()
            urllib.request.urlopen(f"{lab.address}/lab", timeout=60).read()
            return peak_of(lab.server.pid) / 1e6
        finally:
            lab.stop()


def clone_sizes() -> dict[str, float]:
    """Return the size [MB] of what a clone fetches and of its files, as the README clones it and
    with all history.
    """
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in (("clone", ["--depth", "1"]), ("clone with all history", [])):
            to = Path(folder) / name
            subprocess.run(
                ["git", "clone", "--quiet", *options, f"file://{ROOT}", str(to)], check=True
            )
            every = {path: path.lstat().st_size for path in to.rglob("*") if path.is_file()}
            inner = sum(size for path, size in every.items() if path.is_relative_to(to / ".git"))
            sizes[f"{name}, fetched"], sizes[f"{name}, files"] = (
                inner / 1e6,
                (sum(every.values()) - inner) / 1e6,
            )
    return sizes


def processor() -> str:
    """Return the processor's name, if Linux knows one."""
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def gather() -> tuple[dict[str, str], list[dict]]:
    """Measure everything: what is true of the whole run, and the rows of the table."""
    rows = []
    for path in notebooks.paths():
        rows.append(cost(path) | {"load": os.getloadavg()[0]})
        print(
            "  unit {unit}: {peak_mb:.0f} MB, {cpu_s:.1f} s of processor".format(**rows[-1]),
            flush=True,
        )
    longest_first = sorted(
        notebooks.paths(), key=lambda path: -rows[notebooks.paths().index(path)]["wall_s"]
    )
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        moved = {
            row["unit"]: row for row in pool.map(lambda path: cost(path, moved=True), longest_first)
        }
    both, load = time.perf_counter() - start, os.getloadavg()[0]
    used = sum(row["cpu_s"] for row in moved.values())
    for row in rows:
        row["moved_mb"] = moved[row["unit"]]["peak_mb"]
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}",
        "threads": "one in each kernel",
        "two at once": f"{both:.0f} s, {used:.0f} s of processor; every control moved; load "
        f"average {load:.1f}",
        "JupyterLab": f"{lab_peak():.0f} MB",
    }
    return about | {name: f"{size:.1f} MB" for name, size in clone_sizes().items()}, rows


def stored(path: Path = TABLE) -> tuple[dict[str, str], list[dict]]:
    """Read what `gather` returned from the table."""
    lines = path.read_text(encoding="utf-8").splitlines()
    about = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return about, [
        {key: value if key == "unit" else float(value) for key, value in row.items()}
        for row in rows
    ]


def store(about: dict[str, str], rows: list[dict], path: Path = TABLE) -> None:
    """Write the table: what is true of the whole run as comments, then one row a unit."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("".join(f"# {name}: {value}\n" for name, value in about.items()))
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            digits = dict.fromkeys(COLUMNS, 1) | {"peak_mb": 0, "moved_mb": 0, "cells": 0}
            writer.writerow(
                {k: row[k] if k == "unit" else f"{row[k]:.{digits[k]}f}" for k in COLUMNS}
            )


def most(row: dict) -> float:
    """Return the memory [MB] that a unit's kernel takes at most."""
    return max(row["peak_mb"], row["moved_mb"])


def reserve(about: dict[str, str], rows: list[dict], *, kernels: int) -> float:
    """Return the memory [GB] for so many of the largest kernels and JupyterLab, a quarter more, up
    to a whole 0.1.
    """
    largest = sorted(map(most, rows))[-kernels:]
    return math.ceil(1.25 * (float(about["JupyterLab"].split()[0]) + sum(largest)) / 100) / 10


def for_page(about: dict[str, str], rows: list[dict]) -> str:
    """Return the part of the page for classes that says what a student needs."""
    big = max(rows, key=most)
    long = max(rows, key=lambda row: row["cpu_s"])
    loads = sorted(row["load"] for row in rows)
    lines = [
        "| unit | peak memory of its kernel | with every control moved | processor seconds for all "
        "cells |"
    ]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| {r['unit']} | {r['peak_mb']:.0f} MB | {r['moved_mb']:.0f} MB | {r['cpu_s']:.0f} |"
        for r in rows
    ]
    said = SAID.format(
        about=about,
        low=f"{loads[0]:.1f}",
        high=f"{loads[-1]:.1f}",
        # one kernel that is never idle makes a load of 1
        beside="other work ran beside it and lengthened the seconds"
        if loads[-1] > 1.5
        else "nothing else ran",
        both=about["two at once"].partition(",")[0],
        wall=f"{sum(row['wall_s'] for row in rows):.0f}",
        one=f"{reserve(about, rows, kernels=1):.1f}",
        two=f"{reserve(about, rows, kernels=2):.1f}",
        big=f"unit {big['unit']} takes {most(big):.0f} MB",
        long=long["unit"],
        seconds=f"{long['cpu_s']:.0f}",
        twice=f"{2 * long['cpu_s']:.0f}",
    )
    return "\n".join(lines) + said


def fill(page: str, part: str) -> str:
    """Return the page with that part of it replaced."""
    if not AT.search(page):
        raise ValueError("the page has no '% memory table: begin' ... '% memory table: end'")
    return AT.sub(lambda found: found[1] + part + found[2], page)


def measure(*, write: bool = False) -> None:
    """Print what every unit costs and, if asked, store it."""
    print("memory: every notebook in a kernel of its own")
    if sys.platform != "linux":
        print("memory: measured on Linux only; peaks are read from /proc")
        return
    about, rows = gather()
    print(*(f"  {name}: {value}" for name, value in about.items()), for_page(about, rows), sep="\n")
    if write:
        store(about, rows)
        PAGE.write_text(
            fill(PAGE.read_text(encoding="utf-8"), for_page(*stored())),
            encoding="utf-8",
            newline="\n",
        )
        print(f"written: {TABLE.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
