"""A real browser for the tests: bare pages for one widget, and a whole JupyterLab.

Chromium (or Chrome) must be installed; where it is not, these tests skip with that reason, unless
``EARUP_REQUIRE_BROWSER=1`` says that a skip is a failure (continuous integration does).
"""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tools import notebooks
from tools.site import vendor
from tools.start import frontend

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>widget</title><link rel="icon" href="data:,">
<body class="{theme}" data-jp-theme-light="{light}"><main id="root"></main>
<script>
const revive = v => Array.isArray(v) ? v.map(revive)
  : v && typeof v === "object" ? (v.__b64__ !== undefined ? bytes(v.__b64__)
  : Object.fromEntries(Object.entries(v).map(([k, x]) => [k, revive(x)]))) : v;
function bytes(b64) {{ const s = atob(b64), u = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) u[i] = s.charCodeAt(i); return new DataView(u.buffer); }}
class Model {{
  constructor(state) {{ this.state = revive(state); this.handlers = {{}}; this.sent = []; this.saves = 0; }}
  get(key) {{ return this.state[key]; }}
  set(key, value) {{ if (typeof key === "object") for (const k in key) this.set(k, key[k]);
    else {{ this.state[key] = value; this.emit("change:" + key, this, value); this.emit("change", this); }} }}
  save_changes() {{ this.saves++; }}
  on(event, f) {{ for (const e of event.split(" ")) (this.handlers[e] ??= []).push(f); }}
  off(event, f) {{ if (!event) this.handlers = {{}};
    else if (this.handlers[event]) this.handlers[event] = f ? this.handlers[event].filter(g => g !== f) : []; }}
  emit(event, ...rest) {{ for (const f of [...(this.handlers[event] ?? [])]) f(...rest); }}
  send(content, callbacks, buffers) {{ this.sent.push({{content, buffers: buffers ?? []}}); }}
  receive(content, buffers) {{ this.emit("msg:custom", content, (buffers ?? []).map(b => bytes(b))); }}
}}
window.mount = async (esm, state, css) => {{
  const style = document.createElement("style"); style.textContent = css; document.head.append(style);
  const url = URL.createObjectURL(new Blob([esm], {{type: "text/javascript"}}));
  const module = await import(url), widget = typeof module.default === "function"
    ? await module.default() : module.default;
  const model = new Model(state), el = document.createElement("div");
  document.querySelector("#root").append(el);
  await widget.initialize?.({{model}});
  const dispose = await widget.render({{model, el, experimental: {{invoke: async () => {{}}}}}});
  (window.mounted ??= []).push({{model, el, dispose}}); window.model = model;
}};
</script></body></html>"""


def find_browser():
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def pytest_collection_modifyitems(items):
    """Mark what lies in this folder, so that `-m "not browser"` leaves it out."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_path():
    """Path of the browser; skips, or fails where a browser is required."""
    path = find_browser()
    if path is None:
        why = (
            f"no Chromium or Chrome found (looked for {', '.join(NAMES)}); install one to run the "
            "browser tests"
        )
        pytest.fail(why) if os.environ.get("EARUP_REQUIRE_BROWSER") == "1" else pytest.skip(why)
    return path


@pytest.fixture(scope="session")
def playwright():
    """The Playwright driver."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def launch(playwright, chromium_path):
    """Start a browser with extra flags: ``launch("--flag", ...)``; closed at the end of the
    session.
    """
    started = []

    def start(*flags):
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[*FLAGS, *flags])
        opened = browser.new_context

        def patient(**options):
            context = opened(**options)
            context.set_default_timeout(120_000)  # a busy machine is no broken page
            return context

        browser.new_context = patient
        started.append(browser)
        return browser

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch):
    """A browser shared by the tests that need no special flags; autoplay rules are those of a
    learner.
    """
    return launch()


@pytest.fixture(scope="session")
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
        [sys.executable, "-m", "tools.site", "--out", out],
        cwd=notebooks.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def served(site):
    """The address of a server of the site."""
    from tools.measure import site as measure

    return measure.served(site)


@pytest.fixture(scope="session")
def axe():
    """The program that looks for barriers, as a script for a page."""
    return vendor.of_npm("axe-core", "4.11.0", "axe.min.js").decode()


def _encode(value):
    """Return `value` with bytes as base64, ready for JSON."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"__b64__": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def widget_state(widget):
    """Return the synced traits that a front end would get from `widget`, without ipywidgets'
    own.
    """
    return {
        k: v
        for k, v in widget.get_state().items()
        if not k.startswith("_") and k not in ("layout", "tooltip")
    }


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """A page server on this machine (a microphone needs http://localhost); gives ``(folder,
    address)``.
    """
    folder = tmp_path_factory.mktemp("web")
    for theme in ("light", "dark"):
        page = PAGE.format(theme=theme, light=str(theme == "light").lower())
        (folder / f"{theme}.html").write_text(page, encoding="utf-8")
    from tools.measure import site as measure

    return folder, measure.served(folder)


@pytest.fixture
def widget_page(browser, web):
    """Mount widgets in a bare page: ``page = widget_page(esm, css, state)``; a widget object works
    too.

    Further mounts into the same page: ``widget_page(..., page=page)``. ``page.errors`` collects
    what the page complained of and must be empty at the end of the test; ``window.mounted[i]``
    holds ``{model, el, dispose}``. Options: ``theme="dark"``, ``width=1280``, ``context=`` a
    browser context with permissions of its own.
    """
    contexts, pages = [], []

    def mount(esm, css="", state=None, *, page=None, theme="light", width=1280, context=None):
        if not isinstance(esm, str):  # a widget object brings its own module, style and state
            esm, css, state = (
                str(esm._esm),
                str(getattr(esm, "_css", "")),
                widget_state(esm),
            )
        if page is None:
            if context is None:
                context = browser.new_context(viewport={"width": width, "height": 900})
                contexts.append(context)
            page = context.new_page()
            page.errors = []
            page.on("pageerror", lambda error: page.errors.append(str(error)))
            page.on(
                "console",
                lambda m: page.errors.append(m.text) if m.type == "error" else None,
            )
            page.goto(f"{web[1]}/{theme}.html")
            if theme == "dark":
                page.add_style_tag(
                    content="""body{background:#111;color:#e0e0e0;--jp-layout-color0:#111;--jp-layout-color1:#212121;
                --jp-layout-color2:#303030;--jp-content-font-color1:#ffffffde;--jp-ui-font-color1:#ffffffde;
                --jp-content-font-color2:#ffffffb3;--jp-ui-font-color2:#ffffffb3;--jp-border-color1:#616161;
                --jp-border-color2:#424242;--jp-brand-color1:#2196f3}"""
                )
            pages.append(page)
        page.evaluate(
            "([esm, state, css]) => window.mount(esm, state, css)",
            [esm, _encode(state or {}), css],
        )
        return page

    yield mount
    complaints = [error for page in pages for error in page.errors if "favicon" not in error]
    for context in contexts:
        context.close()
    assert not complaints, complaints


class Lab:
    """A JupyterLab server on this machine, with notebooks opened in a real browser page."""

    QUIET = (
        "favicon",
        "Failed to load resource",
        "net::ERR",
        "workspaces",
    )  # noise of JupyterLab itself

    def __init__(self, folder, browser, beside=False, as_a_learner=False):
        self.folder, self.browser, self.page, self.errors = (
            Path(folder),
            browser,
            None,
            [],
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = self.folder / ".lab" / "settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        tracker = {"windowingMode": "none"}  # keep every cell in the page, seen or not
        (settings / "tracker.jupyterlab-settings").write_text(json.dumps(tracker))
        home = {
            "JUPYTERLAB_SETTINGS_DIR": settings.parents[1],
            "JUPYTERLAB_WORKSPACES_DIR": self.folder / ".lab/work",
        }
        home |= {"JUPYTER_CONFIG_DIR": self.folder / ".lab/config"}
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("EARUP_PROGRESS", "EARUP_RESULTS")
        }
        if (
            not beside
        ):  # in this folder, wherever the tests at large keep theirs; else beside each notebook
            home |= {"EARUP_PROGRESS": self.folder / "progress.json", "EARUP_RESULTS": self.folder}
        self.as_a_learner = as_a_learner  # then questions hold what follows them
        frontend.install(self.folder / ".lab")  # what `course.py lab` puts beside JupyterLab
        home |= {"JUPYTER_PATH": self.folder / ".lab/share/jupyter"}
        home |= {"JUPYTER_CONFIG_PATH": self.folder / ".lab/etc/jupyter"}
        self.home = {name: str(value) for name, value in (env | home).items()}
        options = (
            "--no-browser",
            f"--port={self.port}",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
        )
        options += (
            "--allow-root",
            "--expose-app-in-browser",
            f"--ServerApp.root_dir={self.folder}",
        )
        options += (
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        )
        self.options = options
        self.log = open(self.folder / ".lab" / "server.log", "w")  # noqa: SIM115 - lives as long as the server
        self.begin()

    def begin(self):
        """Start the server; its kernels and settings are those of this folder."""
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *self.options],
            env=self.home,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
        )

    @property
    def address(self):
        """Where the server answers."""
        return f"http://localhost:{self.port}"

    def wait(self, seconds=120):
        """Return when the server answers; raise if it ends or stays silent."""
        for _ in range(seconds * 5):
            if self.server.poll() is not None:
                break
            try:
                return urllib.request.urlopen(f"{self.address}/api", timeout=5).read()
            except OSError:
                threading.Event().wait(0.2)
        raise RuntimeError((self.folder / ".lab" / "server.log").read_text()[-3000:])

    def open(self, name, *, width=1280, height=900, permissions=(), dark=False, browser=None):
        """Open notebook `name` (relative to the folder) in a fresh page and wait for its kernel."""
        self.close_page()
        context = (browser or self.browser).new_context(viewport={"width": width, "height": height})
        context.grant_permissions(list(permissions))
        if not self.as_a_learner:  # a reader who asked to see everything at once
            context.add_init_script("localStorage.setItem('earup-open', '1')")
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("console", lambda m: self._note(m.text) if m.type == "error" else None)
        self.page.goto(f"{self.address}/lab/tree/{name}?reset", timeout=300_000)
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=300_000,
        )
        if dark:
            self.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
        return self.page

    def show(self, name):
        """Open notebook `name` in the page that is there, as a learner goes on to the next one."""
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.command("docmanager:open", {"path": name, "factory": "Notebook"})
        self.page.wait_for_function(
            """name => { const shown = window.jupyterapp.shell.currentWidget;
            return shown?.context?.path === name && shown.context.isReady
              && shown.sessionContext?.session?.kernel?.status === 'idle'; }""",
            arg=name,
            timeout=300_000,
        )

    def _note(self, text):
        if not any(word in text for word in self.QUIET):
            self.errors.append(text)

    def command(self, name, args=None):
        """Run a JupyterLab command and wait until it is done."""
        return self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args ?? {}); "
            "}",
            [name, args],
        )

    def run_all(self):
        """Run the open notebook top to bottom; return the cells that raised, as text."""
        self.page.set_default_timeout(300_000)
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === "
            "'idle'"
        )
        found = [(i, output) for i, outputs in enumerate(self.outputs()) for output in outputs]
        return [
            f"cell {i}: {o['ename']}: {o['evalue']}"
            for i, o in found
            if o["output_type"] == "error"
        ]

    def outputs(self):
        """Return the outputs of every cell of the open notebook, as nbformat holds them."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => "
            "c.model.outputs?.toJSON() ?? [])"
        )

    def python(self, code):
        """Run `code` in the open notebook's kernel and return what it printed."""
        return self.page.evaluate(
            """async code => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const job = kernel.requestExecute({code, store_history: false}); let text = "";
            job.onIOPub = m => { if (m.header.msg_type === "stream") text += m.content.text;
              if (m.header.msg_type === "error") text += m.content.ename + ": " + m.content.evalue; };
            await job.done; return text; }""",
            code,
        )

    def restart(self):
        """Restart the open notebook's kernel, as a learner would after a crash."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"
        )

    def screenshot(self, path):
        """Save what a learner sees in this window."""
        self.page.screenshot(path=str(path))

    def close_page(self):
        """Close the page; its kernel goes with the server."""
        if self.page is not None:
            self.page.context.close()
            self.page = None

    def stop(self):
        """Close the page and end the server."""
        self.close_page()
        self.server.terminate()
        self.server.wait(30)
        self.log.close()


@contextlib.contextmanager
def started(folder, browser, files, **options):
    """A JupyterLab on copies of the given files, in a folder; ended at the end."""
    for file in files:
        shutil.copy(file, folder)
    lab = Lab(folder, browser, **options)
    try:
        lab.wait()
        yield lab
    finally:
        lab.stop()


@pytest.fixture
def lab_on(browser, tmp_path):
    """Start a JupyterLab on copies of the given files: ``lab = lab_on(path, ...)``."""
    with contextlib.ExitStack() as labs:
        yield lambda *files: labs.enter_context(started(tmp_path, browser, files))


class Units:
    """One page of JupyterLab in which units are opened, one after the other, each in its own folder.

    To load JupyterLab anew for each of them would take as long as many a unit itself.
    """

    def __init__(self, lab):
        self.lab, self.root, self.opened = lab, lab.folder, None

    def open(self, path):
        """Return the lab with a unit that has run once for all tests about it, which take turns."""
        if self.opened == path:
            return self.lab
        self.close()
        self.lab.folder = self.root / path.stem
        self.lab.folder.mkdir(exist_ok=True)
        shutil.copy(path, self.lab.folder)
        self.lab.name, self.lab.errors = path.stem, []
        if self.lab.page is None:
            self.lab.open(f"{path.stem}/{path.name}")
        else:
            self.lab.show(f"{path.stem}/{path.name}")
        self.opened = path
        assert self.lab.run_all() == []
        return self.lab

    def close(self):
        """End the kernel of the unit that is open, which holds much, and take it off the page."""
        if self.opened:
            self.lab.page.evaluate(
                """async () => { const shown = window.jupyterapp.shell.currentWidget;
                await shown.sessionContext.shutdown(); shown.context.model.dirty = false;
                shown.dispose(); }"""
            )
        self.opened = None


@pytest.fixture(scope="session")
def units(launch, tmp_path_factory):
    """A JupyterLab for the units, in a browser with a microphone that hears a tone."""
    with started(
        tmp_path_factory.mktemp("units"), launch(*FAKE_MICROPHONE), [], beside=True
    ) as lab:
        OPEN.append(Units(lab))
        yield OPEN[0]
        OPEN.clear()


OPEN = []  # the units' JupyterLab, once there is one


def pytest_runtest_teardown(item, nextitem):
    """Close the last unit's page before tests begin that need none: it would go on drawing."""
    if OPEN and (nextitem is None or nextitem.get_closest_marker("page") is None):
        OPEN[0].close()


@pytest.fixture
def lab(request, units):
    """The notebook that a test names as its parameter `notebook`, or its module as PAGE, run from top to bottom."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return units.open(parameters.get("notebook") or request.module.PAGE)


@pytest.fixture
def notebook_of(tmp_path):
    """Write a throw-away notebook from code cells: ``notebook_of("x = 1", "x")`` -> path."""

    def write(*cells, name="try.ipynb"):
        import nbformat.v4 as v4

        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        nb = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
        nb.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        (folder / name).write_text(
            v4.writes(nb) if hasattr(v4, "writes") else json.dumps(nb), encoding="utf-8"
        )
        return folder / name

    return write
