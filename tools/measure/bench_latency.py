"""Measure how soon a picture follows a key press, in a real JupyterLab in headless Chromium.

    python tools/measure/bench_latency.py [--shots FOLDER] [--keys 15]
    python tools/measure/bench_latency.py --units [10 33 ...]

Two ways to show the same picture (a spectrogram of 128 x 216 cells over a line of 2000 points,
600 x 400 pixels): `ipywidgets.interact` with a new figure each time (the peer), and
`helpers.explore.stage`. "Key" is the time from the key press to the
first animation frame after the new picture is decoded; "drag" counts the pictures shown while a
mouse drags the handle for 0.75 s. Medians; nothing here decides a test. `--units` measures instead
every handle and menu of the course's own stages, each unit run whole first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import nbformat
import nbformat.v4 as v4
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "browser"))
from conftest import FLAGS, Lab, find_browser, started

from tools import notebooks

SETUP = """
import numpy as np
from helpers import explore, figures
figures.use()
rng = np.random.default_rng(0)
noise = rng.normal(-75, 6, (128, 216)).astype("float32")
x = np.linspace(0, 1, 2000)
bins = np.arange(128)[:, None]
def image(tone):
    return np.maximum(noise, -20 - 2.0 * np.abs(bins - tone - 8 * np.sin(np.linspace(0, 6, 216))))
def wave(tone):
    return np.sin(2 * np.pi * tone * x / 8)
"""
INTERACT = """
import ipywidgets, matplotlib.pyplot as plt
def peer(tone):
    fig, (a, b) = plt.subplots(2, 1, figsize=(6, 4), dpi=100)
    a.imshow(image(tone), aspect="auto", origin="lower", vmin=-100, vmax=-20)
    b.plot(x, wave(tone))
    plt.show()
_ = ipywidgets.interact(peer, tone=ipywidgets.IntSlider(60, 20, 100))
"""
STAGE = """
def compute(tone):
    return {"image": image(tone), "wave": wave(tone), "readout": f"tone in row {tone:.0f}"}
explore.stage(compute, title="A tone", alt="A spectrogram over a wave.", panels=[
    explore.panel(explore.axis("Frame", 0, 216), explore.axis("Row", 0, 128),
                  explore.image("image", low=-100, high=-20), height=200),
    explore.panel(explore.axis("Time", 0, 1, unit="s"), explore.axis("Amplitude", -1.1, 1.1),
                  explore.line("wave"), height=200)],
    handles=[explore.handle("tone", "Tone", 20, 100, 60, step=1, unit="row", panel=0, along="y")])
"""
WATCH = {
    "img": """() => { window.pictures = [];
      const load = () => requestAnimationFrame(() => window.pictures.push(performance.now()));
      document.addEventListener("load", e => e.target.tagName === "IMG" && load(), true); }""",
    "stage": """() => { window.pictures = [];
      const seen = () => requestAnimationFrame(() => window.pictures.push(performance.now()));
      document.addEventListener("earup-drawn", seen); }""",
}
CASES = {
    "interact + new figure": (INTERACT, "img", "[role=slider]"),
    "stage": (STAGE, "stage", ".earup-scene [role=slider]"),
}


def key_times(page, handle, n) -> list[float]:
    """Time [ms] from each of `n` presses of an arrow key to the new picture."""
    times = []
    page.evaluate(
        "() => document.addEventListener('keydown', () => { window.pressed = performance.now(); }, "
        "true)"
    )
    page.locator(handle).first.focus()
    for i in range(n + 2):
        before = page.evaluate("() => window.pictures.length")
        page.keyboard.press("ArrowRight" if i % 8 < 4 else "ArrowLeft")
        page.wait_for_function("n => window.pictures.length > n", arg=before, polling=10)
        times.append(page.evaluate("n => window.pictures[n] - window.pressed", before))
        page.wait_for_timeout(150)
    return times[2:]  # the first two find out what moves


def drag_count(page, handle) -> int:
    """Pictures shown during a drag of 30 mouse moves, 25 ms apart."""
    box = page.locator(handle).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    before = page.evaluate("() => window.pictures.length")
    for i in range(30):  # there and back, a new value at every step
        way = min(i, 30 - i)
        page.mouse.move(*((x, y + 2.5 * way) if "scene" in handle else (x + 8 * way, y)))
        page.wait_for_timeout(25)
    shown = page.evaluate("() => window.pictures.length") - before
    page.mouse.up()
    return shown


def measure(lab, name, keys, shots) -> tuple[list[float], int]:
    """Open one notebook and measure its widget."""
    _, kind, handle = CASES[name]
    page = lab.open(f"{kind}-{name.split()[0]}.ipynb")
    raised = lab.run_all()
    if raised:
        raise SystemExit("\n".join(raised))
    page.wait_for_selector(handle)
    page.evaluate(WATCH[kind])
    page.wait_for_timeout(1500)
    times, shown = key_times(page, handle, keys), drag_count(page, handle)
    if shots:
        lab.screenshot(Path(shots) / f"latency-{name.split()[0]}.png")
    return times, shown


# The time [ms] from a change to the new picture of stage i; null where nothing changed.
CHANGE = """([i, kind, k, back]) => new Promise((done) => {
  const scene = document.querySelectorAll(".earup-scene")[i];
  const one = scene.querySelectorAll(kind)[k];
  const start = performance.now();
  const end = (ms) => {
    clearTimeout(late);
    scene.removeEventListener("earup-drawn", seen);
    done(ms);
  };
  const seen = () => requestAnimationFrame(() => end(performance.now() - start));
  const late = setTimeout(() => end(null), 3000);
  scene.addEventListener("earup-drawn", seen);
  if (kind === "select") {
    const n = one.options.length;
    one.selectedIndex = (one.selectedIndex + (back ? n - 1 : 1)) % n;
    one.dispatchEvent(new Event("change", { bubbles: true }));
  } else {
    one.focus();
    const key = back ? "ArrowLeft" : "ArrowRight";
    one.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  } })"""


def stage_times(page, turns: int):
    """Yield stage, control and the times [ms] of its changes on the open page."""
    scenes = page.locator(".earup-scene")
    for i in range(scenes.count()):
        title = scenes.nth(i).get_attribute("aria-label") or ""
        for kind in ("[role=slider]", "select"):
            for k in range(scenes.nth(i).locator(kind).count()):
                times = []
                for turn in range(turns + 2):
                    ms = page.evaluate(CHANGE, [i, kind, k, turn % 4 > 1])
                    page.wait_for_timeout(100)
                    times += [ms] if ms is not None and turn > 1 else []
                yield title[:40], f"{kind} {k}", times


def units(names, turns: int) -> None:
    """Print best and median of every control of the stages of the units named, or of all."""
    paths = [p for p in notebooks.paths() if not names or p.stem[:2] in names]
    print(f"{'unit':<6}{'stage':<42}{'control':<18}{'best':>6}{'median':>8}  [ms]")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        for path in paths:
            with tempfile.TemporaryDirectory() as folder, started(folder, browser, [path]) as lab:
                lab.open(path.name)
                if raised := lab.run_all():
                    raise SystemExit("\n".join(raised))
                lab.page.wait_for_timeout(1500)
                for title, control, times in stage_times(lab.page, turns):
                    best = f"{min(times):.0f}" if times else "-"
                    middle = f"{statistics.median(times):.0f}" if times else "-"
                    row = f"{path.stem[:2]:<6}{title:<42}{control:<18}{best:>6}{middle:>8}"
                    print(row, flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shots", help="folder for screenshots")
    parser.add_argument("--keys", type=int, default=15)
    parser.add_argument("--only", choices=list(CASES), action="append")
    parser.add_argument("--units", nargs="*", metavar="NN", help="measure the units' own stages")
    args = parser.parse_args()
    if args.units is not None:
        units(args.units, args.keys)
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        for name, (source, kind, _) in CASES.items():
            notebook = v4.new_notebook(cells=[v4.new_code_cell(SETUP), v4.new_code_cell(source)])
            notebook.metadata["kernelspec"] = {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            }
            (Path(folder) / f"{kind}-{name.split()[0]}.ipynb").write_text(nbformat.writes(notebook))
        lab = Lab(folder, driver.chromium.launch(executable_path=find_browser(), args=list(FLAGS)))
        try:
            lab.wait()
            print(
                f"{'way':<24}{'key [ms]: median':>18}{'least':>8}{'most':>8}"
                f"{'pictures in a drag':>22}"
            )
            for name in args.only or CASES:
                times, shown = measure(lab, name, args.keys, args.shots)
                print(
                    f"{name:<24}{statistics.median(times):>18.0f}{min(times):>8.0f}"
                    f"{max(times):>8.0f}{shown:>22}"
                )
        finally:
            lab.stop()


if __name__ == "__main__":
    main()
