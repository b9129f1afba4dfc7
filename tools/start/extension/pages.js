// JupyterLab's part of coming back: what sleeps says so, one button wakes a page, questions hold what follows, an
// untouched page stays unchanged, and the course remembers where you were. No build: frontend.py wraps this file, with
// gate.js, needed.py as NEEDED and pictures.css as PICTURES, into the one script that JupyterLab loads. It is written against JupyterLab 4.

const VIEW = "application/vnd.jupyter.widget-view+json";
// anywidget gives a widget two seconds to begin. One that takes longer, where a computer is busy, is drawn all the same, and
// nothing that Python sends arrives there any more, without a word. Here it has a minute.
const limit = AbortSignal.timeout;
AbortSignal.timeout = (ms) => limit.call(AbortSignal, ms === 2000 ? 60_000 : ms);

const ENDED = ["restarting", "autorestarting", "dead", "terminating"];
const SLEEPS = /Run this cell/; // every stored widget of the course says so in its words
const tagsOf = (cell) => cell.model.getMetadata("tags") ?? [];
const sourceOf = (cell) => cell.model.sharedModel.source;
const outputsOf = (cell) => cell.model.outputs?.toJSON() ?? [];
const isCode = (cell) => cell.model.type === "code";
const showsView = (cell) => outputsOf(cell).some((output) => output.data?.[VIEW]);
const wordsOf = (output) => [output.data?.["text/plain"] ?? ""].flat().join("");
const ON_REQUEST = ["check", "hint", "solution"]; // needed.py runs none of them, so what they show is not asleep
const asked = (cell) => tagsOf(cell).some((tag) => ON_REQUEST.includes(tag));
const isStored = (cell) => !asked(cell) && outputsOf(cell).some((o) => !o.data?.[VIEW] && SLEEPS.test(wordsOf(o)));

function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "on") for (const [event, f] of Object.entries(value)) node.addEventListener(event, f);
    else if (key === "text") node.textContent = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

const STYLE = `.earup-wake { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; padding: 6px 14px;
  border-bottom: 1px solid var(--jp-border-color1); background: var(--jp-layout-color2); color: var(--jp-ui-font-color1);
  font: 14px/1.4 Arial, "Liberation Sans", Helvetica, sans-serif; }
.earup-wake[hidden] { display: none; } .earup-wake p { margin: 0; } .earup-wake p:empty { display: none; }
.earup-wake button { font: inherit; min-height: 32px; padding: 4px 14px; cursor: pointer; border-radius: 4px; color: inherit;
  background: var(--jp-layout-color1); border: 1px solid var(--jp-ui-font-color2); }
.earup-wake button.main { font-weight: bold; color: #FFFFFF; background: #1F5C9A; border-color: #1F5C9A; }
.earup-wake button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
/* the buttons that copy and delete a cell would lie over the words of a page, its title first of all */
.jp-MarkdownCell.jp-mod-rendered .jp-cell-toolbar { display: none; }`;

// ---- one page ----

class Page {
  constructor(app, panel, { NotebookActions }) {
    Object.assign(this, { app, panel, NotebookActions, lost: new Set(), waking: false });
    this.says = el("p", { role: "status" });
    this.where = el("button", { type: "button", hidden: "" });
    this.wakes = el("button", { type: "button", class: "main", text: "Wake this page", on: { click: () => this.wake() } });
    this.banner = el("div", { class: "earup-wake", role: "region", "aria-label": "This page", hidden: "", "data-lm-suppress-shortcuts": "true" }, this.says, this.wakes, this.where);
    (panel.content.node.querySelector(".jp-WindowedPanel-outer") ?? panel.content.node).prepend(this.banner);
    // JupyterLab would give the focus of what lies in no cell to the active cell
    for (const kind of ["focusin", "keydown"]) this.banner.addEventListener(kind, (event) => event.stopPropagation());
    panel.node.addEventListener("earup-wake", () => this.wake());
    panel.node.addEventListener("click", (event) => this.follow(event), true);
    this.before = this.cellsAsText();
    panel.model.stateChanged.connect((model, change) => change.name === "dirty" && change.newValue && this.clean(model));
    this.clean(panel.model);
    panel.sessionContext.statusChanged.connect((_, status) => ENDED.includes(status) && this.ended());
    panel.sessionContext.kernelChanged.connect((_, { oldValue }) => oldValue && this.ended());
    panel.content.model.cells.changed.connect(() => this.soon());
    panel.content.activeCellChanged.connect(() => this.remember());
    NotebookActions.executed.connect((_, { notebook, cell }) => notebook === panel.content && (this.lost.delete(cell), this.soon()));
  }
  get cells() { return this.panel.content.widgets; }

  // Opening a page is no change: what Jupyter itself writes into it (the kernel's name and version) does not count.
  cellsAsText() { return JSON.stringify(this.panel.model.toJSON().cells); }
  clean(model) {
    if (this.before === null || !model.dirty) return;
    if (this.cellsAsText() === this.before) queueMicrotask(() => (model.dirty = false));
    else this.before = null; // the learner has changed something: from now on Jupyter is right
  }

  // A view whose model no kernel has would read "model not found": the picture beside it takes its place.
  async bury() {
    const { sessionContext, model } = this.panel;
    await sessionContext.ready;
    const reply = await sessionContext.session?.kernel?.requestCommInfo({ target_name: "jupyter.widget" });
    const alive = reply?.content.comms ?? {};
    const held = model.getMetadata("widgets")?.["application/vnd.jupyter.widget-state+json"]?.state ?? {};
    const untouched = this.before;
    for (const cell of this.cells.filter(isCode)) {
      outputsOf(cell).forEach((output, i) => {
        const id = output.data?.[VIEW]?.model_id;
        if (!id || id in alive || id in held) return;
        const { [VIEW]: dead, ...rest } = output.data;
        const shown = Object.keys(rest).length ? rest : { "text/plain": "A widget stood here. Run this cell to see it." };
        cell.model.outputs.set(i, { ...output, data: shown });
      });
    }
    if (untouched !== null) { this.before = this.cellsAsText(); model.dirty = false; }
  }

  // The kernel has gone: what it stood behind says that it sleeps.
  ended() {
    for (const cell of this.cells) if (isCode(cell) && showsView(cell) && !asked(cell)) this.lost.add(cell);
    for (const node of this.panel.content.node.querySelectorAll(".earup-lost")) node.dispatchEvent(new CustomEvent("earup-asleep"));
    this.show();
  }
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => !this.panel.isDisposed && this.show(), 150);
  }
  show() {
    const stored = this.cells.filter((cell) => isCode(cell) && isStored(cell)).length;
    const lost = this.cells.filter((cell) => this.lost.has(cell)).length;
    if (!this.waking) {
      const why = lost ? "Python was restarted, so this page sleeps" : "This page sleeps";
      const many = stored + lost, what = many === 1 ? "player, question or picture" : "players, questions and pictures";
      this.says.textContent = many ? `${why}: ${many} ${what} to drag.` : "";
    }
    this.wakes.hidden = !(stored + lost) || this.waking;
    this.banner.toggleAttribute("hidden", !this.says.textContent && this.where.hidden);
    this.hold();
  }

  // ---- questions hold what follows, also before they run ----
  async answers() {
    const path = this.panel.context.path.replace(/[^/]*$/, "progress.json");
    try {
      const file = await this.app.serviceManager.contents.get(path, { type: "file", format: "text", content: true });
      this.guesses = JSON.parse(file.content).predictions ?? {};
    } catch { this.guesses = {}; } // none yet, or it lies elsewhere: the question itself knows once it runs
  }
  hold() {
    for (const cell of this.cells) {
      const tags = tagsOf(cell);
      cell.node.toggleAttribute("data-earup-asked", asked(cell)); // what lies in it offers no button that would not help
      const begins = cell.model.type === "markdown" && /^(#{1,2} |> \*\*Keep\*\*)/m.test(sourceOf(cell));
      if (begins || tags.includes("quiz")) GATE.heads.add(cell.node); else GATE.heads.delete(cell.node);
      if (!tags.includes("predict")) continue;
      const key = /coursework\.predict\("([\w.]+)"\)/.exec(sourceOf(cell))?.[1];
      const given = this.guesses[key];
      if (showsView(cell) || given?.tried?.length || given?.skipped) GATE.release(cell.node);
      else GATE.hold(cell.node, "What follows is closed until you guess or skip.", [["Wake this page to guess", () => this.wake(cell)]]);
    }
    GATE.apply();
  }

  // ---- waking ----
  async needed() {
    const code = this.cells.filter(isCode);
    const cells = code.map((cell) => ({ source: sourceOf(cell), tags: tagsOf(cell), widget: showsView(cell) || isStored(cell) }));
    const text = [NEEDED, "import json as _json, sys as _sys", `_cells = _json.loads(${JSON.stringify(JSON.stringify(cells))})`,
      "_sys.stdout.write(_json.dumps(needed(_cells)))"].join("\n");
    const job = this.panel.sessionContext.session.kernel.requestExecute({
      code: `exec(compile(${JSON.stringify(text)}, "<waking>", "exec"), {})`, store_history: false });
    let said = "";
    job.onIOPub = ({ header, content }) => { if (header.msg_type === "stream" && content.name === "stdout") said += content.text; };
    await job.done;
    return JSON.parse(said).map((k) => code[k]);
  }
  // Run what widgets and later cells need, one cell after the other; one that fails does not stop the others.
  async wake(goal) {
    if (this.waking) return;
    this.waking = true;
    const { panel } = this, { sessionContext, content } = panel, active = content.activeCellIndex;
    const failed = [];
    try {
      this.tell("Waking: Python starts ...");
      await sessionContext.ready;
      if (!sessionContext.session?.kernel) await sessionContext.startKernel();
      const cells = await this.needed();
      for (const [k, cell] of cells.entries()) {
        this.tell(`Waking: ${k + 1} of ${cells.length} ...`);
        const fine = await this.NotebookActions.runCells(content, [cell], sessionContext);
        this.lost.delete(cell);
        if (!fine) failed.push(this.cells.indexOf(cell) + 1);
      }
    } catch (error) {
      failed.push(error.message);
    }
    this.waking = false;
    this.tell(failed.length ? `Awake, but not all of it: look at cell ${failed.join(", ")}.` : "");
    content.activeCellIndex = active;
    this.show();
    if (failed.length) this.tell(`Awake, but not all of it: look at cell ${failed.join(", ")}.`);
    goal?.node.scrollIntoView({ block: "center" });
    goal?.node.querySelector(".earup-quiz input")?.focus();
  }
  tell(text) {
    this.says.textContent = text;
    this.wakes.hidden = this.waking;
    this.banner.toggleAttribute("hidden", !text && this.where.hidden);
  }

  // ---- where you were ----
  remember() {
    const { content, context } = this.panel, { activeCell, activeCellIndex } = content;
    if (!activeCell || activeCellIndex < 3 || !this.settled) return;
    const place = { path: context.path, id: activeCell.model.id, said: this.headingOf(activeCellIndex), title: this.title() };
    localStorage.setItem("earup-here", JSON.stringify(place));
    localStorage.setItem(`earup-at ${context.path}`, JSON.stringify(place));
  }
  title() { return /^# (.+)$/m.exec(sourceOf(this.cells[0]))?.[1] ?? this.panel.title.label; }
  headingOf(index) {
    for (let k = index; k >= 0; k--) {
      const found = this.cells[k].model.type === "markdown" && /^#{1,3} (.+)$/m.exec(sourceOf(this.cells[k]));
      if (found) return found[1];
    }
    return "";
  }
  // On the first page: to the page and cell worked on last. On another: to where this one was left.
  offer() {
    const { context } = this.panel, first = /\/?00_[^/]*$/.test(context.path);
    const read = (name) => { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } };
    const place = first ? read("earup-here") : read(`earup-at ${context.path}`);
    if (!place?.said || (first && place.path === context.path)) return;
    if (!first && !this.cells.some((cell) => cell.model.id === place.id)) return;
    this.where.textContent = first ? `Go on where you were: ${place.title}, "${place.said}"` : `Go on at "${place.said}"`;
    this.where.hidden = false;
    this.where.onclick = () => {
      this.where.hidden = true;
      this.show();
      return this.go(place.path, place.id);
    };
  }
  async go(path, id) {
    const here = path === this.panel.context.path;
    const panel = here ? this.panel : await this.app.commands.execute("docmanager:open", { path, factory: "Notebook" });
    await panel.context.ready;
    await panel.revealed;
    const index = panel.content.widgets.findIndex((cell) => cell.model.id === id);
    if (index < 0) return;
    GATE.reveal(panel.content.widgets[index].node);
    panel.content.activeCellIndex = index;
    await panel.content.scrollToItem(index, "center");
  }
  // A link of the map to a cell: JupyterLab opens the page and forgets the cell.
  follow(event) {
    const link = event.target.closest(".earup-map a[href*='#cell-id=']");
    const found = link && /\/(?:files|lab\/tree)\/([^?#]+)[^#]*#cell-id=([\w-]+)/.exec(link.href);
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    this.go(decodeURIComponent(found[1]), found[2]);
  }

  async begin() {
    await this.answers();
    this.offer();
    this.show();
    await this.bury();
    await this.panel.revealed;
    this.show();
    this.settled = true;
    this.remember(); // a link may have led to a cell already
  }
}

// ---- exercises and figures in the contents ----

function listed(NotebookToCModel) {
  const own = NotebookToCModel?.prototype?.getHeadings;
  if (!own) return;
  NotebookToCModel.prototype.getHeadings = async function () {
    const found = (await own.call(this)) ?? [];
    const cells = this.widget.content.widgets, place = new Map(cells.map((cell, i) => [cell, i]));
    const more = cells.flatMap((cell) => {
      const match = cell.model.type === "markdown" && /^\*\*((?:Exercise|Figure) [\d.]+\d)\.?(?:\*\*)? ?([^*\n]*)/m.exec(sourceOf(cell));
      return match ? [{ text: match[1], level: 4, cellRef: cell, type: 0, raw: match[1], dataset: {}, isRunning: -1, outputIndex: undefined }] : [];
    });
    return [...found, ...more].map((heading, k) => [heading, place.get(heading.cellRef) ?? 0, k])
      .sort((a, b) => a[1] - b[1] || a[2] - b[2]).map(([heading]) => heading);
  };
}

// ---- what JupyterLab asks for ----

async function shared(scope, name) {
  const [version] = Object.values(scope[name]);
  return (await version.get())();
}

async function plugin(scope) {
  const notebook = await shared(scope, "@jupyterlab/notebook");
  return {
    id: "earup:pages",
    autoStart: true,
    requires: [notebook.INotebookTracker],
    activate(app, tracker) {
      document.documentElement.setAttribute("data-earup-wakes", "");
      document.head.append(el("style", { text: STYLE + PICTURES }));
      try { listed(notebook.NotebookToCModel); } catch {} // a JupyterLab that lists its contents otherwise
      let narrow = window.innerWidth < 1000; // the list of files would take a third: once, it makes room (Ctrl B brings it back)
      const attend = async (panel) => {
        await panel.context.ready;
        const ours = panel.content.widgets.some((cell) => isCode(cell) && /\bfrom helpers\b/.test(sourceOf(cell)));
        if (ours && narrow) { narrow = false; app.restored.then(() => app.shell.collapseLeft()); }
        if (ours && !panel.isDisposed) await new Page(app, panel, notebook).begin();
      };
      tracker.forEach(attend);
      tracker.widgetAdded.connect((_, panel) => attend(panel));
    },
  };
}

let scope;
(globalThis._JUPYTERLAB ??= {}).earup = {
  init: (given) => { scope = given; },
  get: async () => { const made = await plugin(scope); return () => ({ __esModule: true, default: made }); },
};
