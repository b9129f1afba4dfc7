"""What a unit costs a computer: the measured table, the page that repeats it, and that the
measuring is right.
"""

import re
import sys

import pytest

from tools import notebooks
from tools.measure import bench_units

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="peaks are read from /proc, which only Linux has"
)
UNITS = [path.name[:2] for path in notebooks.paths()]


@pytest.fixture(scope="module")
def table():
    """What is true of the whole run, and the row of each unit."""
    about, rows = bench_units.stored()
    return about, {row["unit"]: row for row in rows}


def test_every_row_is_a_unit_and_no_unit_has_two(table):
    """All units are measured anew before a release; a unit that is younger has no row yet."""
    rows = [row["unit"] for row in bench_units.stored()[1]]
    assert rows == sorted(set(rows)) == list(table[1])
    assert set(rows) <= set(UNITS) and len(rows) >= 13


@pytest.mark.parametrize("unit", [row["unit"] for row in bench_units.stored()[1]])
def test_no_unit_takes_more_than_was_promised(table, unit):
    row = table[1][unit]
    assert 50 < row["peak_mb"] < 1200 and 50 < row["moved_mb"] < 1200
    assert 0.5 < row["cpu_s"] < 120 and row["cells"] > 5


def test_all_notebooks_on_two_cores_and_a_clone_are_as_small_as_was_promised(table):
    about = table[0]
    wall, processor = map(int, re.findall(r"(\d+) s", about["two at once"]))
    assert processor / 2 < wall < 8 * 60
    fetched, files = (float(about[f"clone, {part}"].split()[0]) for part in ("fetched", "files"))
    assert fetched + files < 80 and float(about["clone with all history, fetched"].split()[0]) < 80


def test_the_page_for_classes_says_what_was_measured(table):
    about, rows = bench_units.stored()
    page = bench_units.PAGE.read_text(encoding="utf-8")
    assert bench_units.fill(page, bench_units.for_page(about, rows)) == page
    shown = re.findall(r"^\| (\d\d) \| (\d+) MB \| (\d+) MB \| (\d+) \|$", page, re.MULTILINE)
    assert [row[0] for row in shown] == [row["unit"] for row in rows]
    for unit, peak, moved, seconds in shown:
        row = table[1][unit]
        assert (float(peak), float(moved)) == (row["peak_mb"], row["moved_mb"])
        assert float(seconds) == pytest.approx(row["cpu_s"], abs=0.51)


def test_the_limits_for_a_hub_hold_what_is_to_be_reserved(table):
    about, rows = bench_units.stored()
    page = bench_units.PAGE.read_text(encoding="utf-8")
    guarantee, limit = (
        float(re.search(rf'c\.Spawner\.mem_{word} = "([\d.]+)G"', page)[1])
        for word in ("guarantee", "limit")
    )
    assert guarantee >= bench_units.reserve(about, rows, kernels=1)
    assert limit >= bench_units.reserve(about, rows, kernels=2)
    assert f"memory: {{limit: {limit}G, guarantee: {guarantee}G}}" in page


def test_a_reserve_is_the_largest_kernels_and_the_server_and_a_quarter():
    rows = [{"peak_mb": 200.0, "moved_mb": value} for value in (500.0, 300.0, 100.0)]
    about = {"JupyterLab": "100 MB"}
    assert bench_units.reserve(about, rows, kernels=1) == 0.8  # 1.25 * 600 MB = 750 MB
    assert bench_units.reserve(about, rows, kernels=2) == 1.2  # 1.25 * 900 MB = 1125 MB


def test_a_page_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match="memory table"):
        bench_units.fill("no place here", "x\n")
    page = "a\n% memory table: begin (x)\nold\n% memory table: end\nb\n"
    assert bench_units.fill(page, r"new \1" + "\n") == page.replace("old", r"new \1")


def test_what_is_stored_is_read_back(tmp_path):
    row = {
        "unit": "22",
        "peak_mb": 201.0,
        "moved_mb": 250.0,
        "cpu_s": 7.5,
        "wall_s": 9.1,
        "cells": 12.0,
        "load": 1.2,
    }
    bench_units.store({"date": "2026-01-02", "machine": "x: y"}, [row], tmp_path / "t.csv")
    assert bench_units.stored(tmp_path / "t.csv") == (
        {"date": "2026-01-02", "machine": "x: y"},
        [row],
    )


# ---- the measuring itself ------------------------------------------------------------------------

CHILD = """import subprocess, sys
code = {code!r}
subprocess.run([sys.executable, "-c", code], check=True)"""
HELD = """import os, time
x = bytearray(b"1") * 200_000_000
while not os.path.exists({path!r}): time.sleep(0.01)"""


def measured(notebook_file, *cells):
    """The cost of a notebook with these cells."""
    import nbformat.v4 as v4

    book = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    notebook_file.write_text(v4.writes(book), encoding="utf-8")
    return bench_units.cost(notebook_file)


@pytest.mark.nightly
@linux
def test_memory_and_processor_time_are_those_of_the_cells(tmp_path):
    small = measured(tmp_path / "00_small.ipynb", "x = 1")
    large = measured(tmp_path / "10_large.ipynb", "x = bytearray(b'1') * 250_000_000", "del x", "")
    assert (
        220 < large["peak_mb"] - small["peak_mb"] < 320
    )  # freed again, and still counted; a kernel varies
    assert (small["unit"], small["cells"]) == ("00", 1) and (large["unit"], large["cells"]) == (
        "10",
        2,
    )
    busy = measured(
        tmp_path / "11_busy.ipynb", "import time\nwhile time.process_time() < 6.0: pass"
    )
    asleep = measured(tmp_path / "12_asleep.ipynb", "import time; time.sleep(2)")
    assert 5.9 < busy["cpu_s"] < 12 and busy["wall_s"] > 5
    assert (
        asleep["cpu_s"] < busy["cpu_s"] - 2 and asleep["wall_s"] > 2
    )  # starting a kernel takes about one second


@linux
def test_memory_of_a_process_that_a_cell_starts_is_counted(tmp_path, monkeypatch):
    small, real = measured(tmp_path / "00_small.ipynb", "x = 1"), bench_units.peak_of

    def looked(pid):
        peak = real(pid)
        if peak > 200_000_000:
            (
                tmp_path / "seen"
            ).touch()  # and only then the process ends, however slow the machine is
        return peak

    monkeypatch.setattr(bench_units, "peak_of", looked)
    held = HELD.format(path=str(tmp_path / "seen"))
    large = measured(tmp_path / "10_child.ipynb", CHILD.format(code=held))
    assert 185 < large["peak_mb"] - small["peak_mb"] < 260


@linux
def test_moving_every_control_is_asked_for_and_only_then(tmp_path):
    cell = "import os; assert os.environ['NOTEBOOK_SWEEP'] == {!r}"
    for moved in (False, True):
        import nbformat.v4 as v4

        book = v4.new_notebook(cells=[v4.new_code_cell(cell.format(str(int(moved))))])
        (tmp_path / "00_x.ipynb").write_text(v4.writes(book), encoding="utf-8")
        assert bench_units.cost(tmp_path / "00_x.ipynb", moved=moved)["cells"] == 1


def test_elsewhere_than_on_linux_it_says_that_it_cannot(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "darwin")
    bench_units.measure(write=True)
    assert "measured on Linux only" in capsys.readouterr().out
