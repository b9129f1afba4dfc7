"""What a page of the site costs a phone, and what a thumb does not find there.

python3 -m tools.measure.site SITE [names]: a table in Markdown. Pages are served from this machine,
not compressed (a host that compresses sends a third to a half), to Chromium as a phone of 360 px.
"""

import argparse
import functools
import http.server
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

PHONE = {
    "viewport": {"width": 360, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
LEAST = 44  # of a target [CSS px]
# of the line until the first paint: 10 Mbit/s and 40 ms
LINE = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 10e6 / 8,
    "uploadThroughput": 1e6,
}
LOOK = Path(__file__).with_name("thumb.js")


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # five is Python's own: a page that asks for more at once waits long


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words) -> None:
        """Say nothing of each request."""


def served(folder: Path) -> str:
    """Serve a folder on this machine, and return its address."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}"


class Visit:
    """A page as a phone opens it; counts the bytes that it gets."""

    def __init__(self, browser, address: str):
        self.context = browser.new_context(**PHONE)
        self.context.add_init_script("localStorage.setItem('earup-open', '1')")
        self.context.add_init_script(path=LOOK)
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)  # a busy machine is no broken page
        self.got = 0
        wire = self.context.new_cdp_session(self.page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda e: self._count(e["encodedDataLength"]))
        wire.send("Network.emulateNetworkConditions", LINE)
        self.page.goto(address, wait_until="load")
        self.page.wait_for_function("() => measured.painted()")

    def _count(self, size: float) -> None:
        self.got += size


def to_sound(visit: Visit) -> str:
    """Press the first player; return MB and seconds until it sounds."""
    visit.page.evaluate(
        "() => { const p = document.querySelectorAll('.earup-place');"
        "return Promise.all([...p].slice(0, 3).map((place) => earup.wake(place))); }"
    )
    play = visit.page.locator(".earup-player button", has_text="Play").first
    if not play.count():
        return "-"
    play.tap()
    visit.page.wait_for_function("() => measured.sounds()", timeout=60_000)
    return f"{visit.got / 1e6:.2f}"


def to_answer(visit: Visit) -> str:
    """Move the first stage; return MB until it has answered, and how long that took."""
    place = visit.page.locator(".earup-place[data-stage]").first
    if not place.count():
        return "-"
    place.evaluate("place => earup.wake(place)")
    told = place.locator(".earup-live").first
    begun = time.perf_counter()
    told.wait_for()
    place.evaluate("place => measured.ask(place)")
    visit.page.wait_for_function("() => window.answered", timeout=120_000)
    return f"{visit.got / 1e6:.2f} ({time.perf_counter() - begun:.1f} s)"


def thumb(visit: Visit) -> tuple[list, list, list, list]:
    """Return what is too wide, cut, or too small for a thumb, and what tells of keys."""
    visit.page.evaluate("() => earup.wakeAll()")
    visit.page.wait_for_function(
        "() => [...document.querySelectorAll('.earup-place')].every((p) => p.dataset.awake === '')",
        timeout=120_000,
    )
    over, cut = visit.page.evaluate("() => measured.wide()")
    small = visit.page.evaluate("least => measured.small(least)", LEAST)
    keys = visit.page.evaluate("() => measured.keys()")
    return [over] if over > 0 else [], cut, small, keys


def row(browser, address: str, name: str, told: list) -> str:
    """Return one line of the table."""
    visit = Visit(browser, f"{address}/{name}.html")
    paint = f"{visit.page.evaluate('() => measured.painted()') / 1e6:.2f}"
    sound = to_sound(visit)
    visit.context.close()
    visit = Visit(browser, f"{address}/{name}.html")
    answer = to_answer(visit)
    visit.context.close()
    visit = Visit(browser, f"{address}/{name}.html")
    found = thumb(visit)
    visit.context.close()
    told += [f"{name}: {text}" for part in found for text in part]
    counts = " | ".join(str(len(part)) for part in found)
    return f"| {name.removeprefix('notebooks/')} | {paint} | {sound} | {answer} | {counts} |"


def main() -> None:
    """Print the table, then what it counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    pages = sorted(p.relative_to(options.site) for p in options.site.rglob("*.html"))
    skip = {"files", "_static"}
    names = [str(p.with_suffix("")) for p in pages if not skip & set(p.parts)]
    names = [n for n in names if not options.names or any(want in n for want in options.names)]
    address, told = served(options.site), []
    costs = "| page | first paint [MB] | first sound [MB] | first answer [MB]"
    print(f"{costs} | too wide | cut | small | keys |")
    print("|---|---|---|---|---|---|---|---|")
    with sync_playwright() as play:
        from tests.browser.conftest import FLAGS, find_browser

        browser = play.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        for name in names:
            try:
                print(row(browser, address, name, told), flush=True)
            except Exception as error:
                print(
                    f"| {name} | {type(error).__name__}: {str(error).splitlines()[0]} |", flush=True
                )
        browser.close()
    print("\n".join(told))


if __name__ == "__main__":
    main()
