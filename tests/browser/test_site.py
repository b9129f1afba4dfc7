"""The site: every page without a kernel, without a network, at three widths, in both themes, by
file and by server.
"""

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pytest

from tools import notebooks
from tools.site import building, vendor

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots" / "site"
UNITS = [f"notebooks/{path.stem}" for path in notebooks.paths()]
PAGES = sorted(place.removesuffix(".md") for place in building.pages())
EVERY = ["index", "search", *PAGES, *UNITS]
# without --nightly, where nothing of the site has changed, a page of each kind; the whole site is built all the same
SOME = {"index", "glossary", PAGES[-1], UNITS[len(UNITS) // 2]}
WIDTHS = (1280, 800, 375)
NIGHTLY = os.environ.get("EARUP_NIGHTLY") == "1"
pytestmark = pytest.mark.site
# every place of a widget holds one; scripts stay in the page beside what they have made
AWAKE = """() => document.readyState === "complete" &&
  [...document.querySelectorAll('script[type$="widget-view+json"]')]
  .every((s) => s.parentElement.querySelector(".lm-Widget")?.childElementCount)"""
TOO_WIDE = """() => {
  const w = document.documentElement.clientWidth;
  const rolls = (e) => ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX);
  const held = (e) => { for (let p = e.parentElement; p; p = p.parentElement) if (rolls(p)) return true; };
  const wide = (e) => { const r = e.getBoundingClientRect(); return r.width && r.right > w + 1 && !held(e); };
  return [...document.querySelectorAll(".bd-article *")].filter(wide).map((e) => `${e.tagName}.${e.className}`);
}"""


def dear(names, some):
    """Parameters of which all but some run only at night, or when something of the site has changed."""
    return [pytest.param(name, marks=[pytest.mark.nightly] * (name not in some)) for name in names]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site, every notebook run, or the one that EARUP_SITE names; skips where npm gives
    no scripts.
    """
    if there := os.environ.get("EARUP_SITE"):
        return Path(there).resolve()
    try:
        vendor.fetch()
    except RuntimeError as error:
        (pytest.fail if os.environ.get("EARUP_REQUIRE_BROWSER") == "1" else pytest.skip)(str(error))
    out = tmp_path_factory.mktemp("site") / "html"
    done = subprocess.run(
        [sys.executable, "-m", "tools.site", "--out", out], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def served(site):
    """The address of a server of the site."""
    handler = type(
        "Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *a: None}
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(site))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def axe():
    """The program that looks for barriers, as a script for a page."""
    return vendor.of_npm("axe-core", "4.11.0", "axe.min.js").decode()


@pytest.fixture
def visit(browser):
    """Open a page: ``visit(address)``; at the end nothing was asked of elsewhere, and nothing went
    wrong.
    """
    opened, asked, errors = [], [], []

    def go(address, *, width=1280):
        context = browser.new_context(viewport={"width": width, "height": 900})
        opened.append(context)
        # a reader who asked to see everything at once: all of a page is looked at
        context.add_init_script("localStorage.setItem('earup-open', '1')")
        page = context.new_page()
        context.on("request", lambda r: asked.append(r.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(address, wait_until="commit")
        page.wait_for_function(AWAKE, timeout=120_000)
        page.add_style_tag(
            content="* { transition: none !important; }"
        )  # no colour is caught on its way
        return page

    yield go
    for context in opened:
        context.close()
    assert [
        url for url in asked if not url.startswith(("file:", "blob:", "data:", "http://localhost:"))
    ] == []
    assert errors == []


def barriers(page, axe, rules=None):
    """What stands in the way of somebody who cannot see, hear or point, be it minor."""
    page.evaluate(axe)
    options = {"resultTypes": ["violations"], "preload": False} | (
        {"runOnly": rules} if rules else {}
    )
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        (v["impact"], v["id"], node["target"], node["html"][:120])
        for v in found
        for node in v["nodes"]
    ]


def keep(page, name, **options):
    """Keep a picture of a page, at night."""
    if NIGHTLY:
        path = SHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(path), **options)


def theme(page, name):
    """Have the page light or dark, as its own button does."""
    page.evaluate(
        "name => { const { dataset } = document.documentElement; dataset.theme = dataset.mode = "
        "name; }",
        name,
    )
    told = "name => document.body.getAttribute('data-jp-theme-name') === name"
    page.wait_for_function(told, arg=name)
    night = (
        "on => [...document.querySelectorAll('.earup')].every((w) => w.classList.contains('night') "
        "=== on)"
    )
    page.wait_for_function(night, arg=name == "dark")


@pytest.mark.parametrize("name", dear(EVERY, SOME))
def test_a_page_is_whole_readable_and_open_to_all(site, visit, axe, name):
    page = visit(f"{(site / name).as_uri()}.html")
    assert page.locator("h1:visible").count() == 1
    for colours, rules in (
        ("dark", ["color-contrast"]),
        ("light", None),
    ):  # a theme changes nothing but colours
        theme(page, colours)
        assert barriers(page, axe, rules) == []
        keep(page, f"{name}_{colours}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(TOO_WIDE) == [], width
        keep(page, f"{name}_{width}", full_page=name not in UNITS)


@pytest.mark.parametrize("name", dear(UNITS, SOME))
def test_a_unit_works_without_a_kernel(site, served, visit, name):
    """Over http: as many widgets as the notebook shows, a player that sounds, a question that
    answers.
    """
    page = visit(f"{served}/{name}.html")
    (kept,) = building.KEPT.glob(f"{Path(name).stem}-*.ipynb")
    nb = nbformat.read(kept, as_version=4)
    outputs = [o for cell in nb.cells for o in cell.get("outputs", []) if "data" in o]
    shown = sum("application/vnd.jupyter.widget-view+json" in o["data"] for o in outputs)
    assert page.locator("script[type$='widget-view+json']").count() == shown > 5
    sounds(page)
    answers(page)
    assert (
        page.locator(".earup-asleep:visible a, .asleep:visible a").count() >= 1
    )  # where to run what needs Python


def sounds(page):
    """The first player sounds, stays under the ceiling, and Escape silences it."""
    player = page.locator(".earup-player").first
    player.get_by_role("button", name="Play").click()
    heard = """() => { const { analyser, playing } = document.querySelector(".earup-player").__earup;
      const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y);
      const rms = Math.sqrt(y.reduce((a, v) => a + v * v, 0) / y.length);
      return playing && rms > 1e-3 && Math.max(...y.map(Math.abs)) < 0.9; }"""
    page.wait_for_function(heard)
    page.keyboard.press("Escape")
    page.wait_for_function('() => !document.querySelector(".earup-player").__earup.playing')


def answers(page):
    """The first question of the quiz says why an answer is right or wrong."""
    quiz = page.locator(".earup-quiz").filter(has=page.locator(".earup-quiz-score")).first
    question = quiz.locator("fieldset").first
    question.locator("input").first.check()
    question.get_by_role("button", name="Check").click()
    assert len(question.locator("[aria-live]").inner_text()) > 20


def test_the_first_page_makes_one_listen(site, visit):
    """Its two tones have the stated level to the decibel, and one link leads into each unit."""
    page = visit(f"{(site / 'index').as_uri()}.html")
    player = page.locator(".earup-player")
    player.get_by_role("button", name="Play").click()
    for name, freq in (("100 Hz", 100), ("3150 Hz", 3150)):
        player.get_by_text(name, exact=True).click()
        start = page.evaluate(
            "() => document.querySelector('.earup-player').__earup.ctx.currentTime"
        )
        page.wait_for_function(
            f"() => document.querySelector('.earup-player').__earup.ctx.currentTime > {start} + 0.7"
        )
        y = page.evaluate("""() => { const { analyser } = document.querySelector(".earup-player").__earup;
            const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y); return [...y]; }""")
        spectrum = np.abs(np.fft.rfft(np.array(y) * np.hanning(len(y))))
        assert np.argmax(spectrum) * 16000 / len(y) == pytest.approx(freq, abs=2)
        assert 20 * np.log10(np.sqrt(np.mean(np.square(y)))) == pytest.approx(-30, abs=0.5)
    assert page.locator(".earup-card").evaluate_all(
        "cards => cards.map((c) => c.getAttribute('href'))"
    ) == [f"{name}.html" for name in UNITS]
    page.get_by_text("Start here", exact=True).last.click()
    page.wait_for_url("**/00_start_here.html")


def test_the_search_finds_a_word_and_leads_to_it(site, served, visit):
    for where in (site.as_uri(), served):
        page = visit(f"{where}/search.html?q=scalloping")
        page.get_by_role("link", name=re.compile("^21 · ")).last.wait_for()


def test_a_page_leads_on_and_back(site, visit):
    page = visit(f"{(site / 'notebooks' / '11_loudness').as_uri()}.html")
    page.locator("a.right-next").click()
    page.wait_for_url("**/12_pitch.html")
    page.locator("a.left-prev").click()
    page.wait_for_url("**/11_loudness.html")


def test_the_theme_is_changed_by_its_button(site, visit):
    page = visit(f"{(site / UNITS[0]).as_uri()}.html")
    for name in ("dark", "light"):
        page.locator("button.theme-switch-button:visible").first.click()
        page.locator(f"button.theme-change-button[data-mode={name}]:visible").first.click()
        page.wait_for_function("name => document.documentElement.dataset.theme === name", arg=name)


@pytest.mark.parametrize("name", dear([UNITS[0], UNITS[2], UNITS[-1]], UNITS[:1]))
def test_a_unit_in_one_file_works_wherever_it_is_put(site, visit, tmp_path, name):
    file = tmp_path / "alone.html"
    file.write_bytes((site / "files" / f"{Path(name).stem}.html").read_bytes())
    page = visit(file.as_uri())
    page.wait_for_selector(".earup-player")
    sounds(page)
    asked = page.evaluate("() => performance.getEntriesByType('resource').map((e) => e.name)")
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == []


class Links(HTMLParser):
    """Collects where a page leads, what it loads, and the names of its parts."""

    def __init__(self, text):
        super().__init__()
        self.to, self.loads, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.update(filter(None, [attrs.get("id"), attrs.get("name")]))
        for key, target in attrs.items():
            if key in ("href", "src") and target:
                (self.to if tag == "a" else self.loads).append(target)


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    files = [
        path
        for path in site.rglob("*.html")
        if not {"files", "_static"} & set(path.relative_to(site).parts)
    ]
    parsed = {path: Links(path.read_text(encoding="utf-8")) for path in files}
    for path, links in parsed.items():
        assert [t for t in links.loads if re.match(r"(https?:)?//", t)] == [], path.name
        for target in links.to + links.loads:
            parts = urlsplit(target)
            if parts.scheme or target.startswith("//"):
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert goal.exists(), f"{path.name}: {target}"
            if parts.fragment and goal in parsed:
                assert unquote(parts.fragment) in parsed[goal].ids, f"{path.name}: {target}"
    assert {f"{name}.html" for name in EVERY} <= {
        path.relative_to(site).as_posix() for path in parsed
    }


def test_nothing_of_this_machine_is_in_the_site(site):
    for path in site.rglob("*.html"):
        text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", path.read_text(encoding="utf-8"))
        assert str(ROOT) not in text and str(Path.home()) + "/" not in text, path.name


def test_the_site_is_small_enough_to_be_published(site):
    """GitHub's pages take 1 GB. Most of a page is sound: unit 36 holds two blind tests of nine
    tracks each, 18 MB.
    """
    sizes = {
        path.relative_to(site).as_posix(): path.stat().st_size
        for path in site.rglob("*")
        if path.is_file()
    }
    assert sum(sizes.values()) < 500e6 and max(sizes.values()) < 35e6
    assert (
        max(
            size
            for name, size in sizes.items()
            if name.startswith("notebooks/") and "/36_" not in name
        )
        < 13e6
    )


@pytest.mark.parametrize(("arguments", "told"), [(["99"], "no notebook is called '99'")])
def test_a_wrong_name_is_refused_in_one_line(arguments, told):
    done = subprocess.run(
        [sys.executable, "-m", "tools.site", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1 and told in done.stderr and done.stderr.count("\n") == 1
