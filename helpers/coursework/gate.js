// What follows a question stays closed until a guess or a skip: in JupyterLab, on the site, in an exported page. Stands
// alone, because all four ask for it: quiz.js, JupyterLab's extension, the site and the exported page.
// Printing opens everything, and so does the box "Show everything at once", which a browser remembers.

const GATE = (globalThis.__earupGate ??= makeGate());

function makeGate() {
  const root = document.documentElement, gates = new Map(), bars = new Map(), watched = new WeakSet(), skipped = new WeakSet();
  const kept = { get: () => { try { return localStorage.getItem("earup-open"); } catch { return null; } },
    set: (on) => { try { localStorage.setItem("earup-open", on ? "1" : ""); } catch {} } }; // a sandboxed frame forbids it
  const style = document.createElement("style");
  style.textContent = `@media not print { html:not([data-earup-open]) .earup-closed { display: none !important; } }
    .earup-gate { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin: 10px 2px 4px; padding: 6px 12px;
      border-left: 4px solid #C8642A; font: 14px/1.45 Arial, "Liberation Sans", Helvetica, sans-serif; color: inherit; }
    .earup-gate button { font: inherit; min-height: 32px; padding: 4px 12px; cursor: pointer; color: inherit; background: transparent;
      border: 1px solid currentColor; border-radius: 4px; }
    .earup-gate button:focus-visible, .earup-gate input:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
    .earup-gate label { display: flex; align-items: center; gap: 6px; cursor: pointer; } .earup-gate p { margin: 0; }
    .jp-Notebook .jp-Cell > .earup-gate { margin-left: 78px; }
    html[data-earup-open] .earup-gate .earup-gate-says { display: none; } @media print { .earup-gate { display: none; } }`;
  document.head.append(style);
  const heads = new WeakSet(); // cells that begin a section, where the page's own program knows better than its elements

  // Where the closed part ends: at the next section, at the quiz, at what is to be kept.
  function ends(node) {
    if (heads.has(node) || node.matches("h1, h2, .tag_quiz, .celltag_quiz, footer")) return true;
    if (node.matches("section") && node.querySelector(":scope > h1, :scope > h2")) return true;
    if (node.matches(".jp-MarkdownCell, .jp-Cell") && node.querySelector(".jp-RenderedMarkdown h1, .jp-RenderedMarkdown h2")) return true;
    const quote = node.matches("blockquote") ? node : node.querySelector("blockquote");
    return quote?.querySelector("strong")?.textContent === "Keep" || !!node.querySelector(".earup-quiz-score");
  }
  // What stands after a cell in its section, however deep sections lie in each other.
  function follows(cell) {
    const found = [];
    for (let node = cell; node; ) {
      if (node.nextElementSibling) {
        node = node.nextElementSibling;
        if (ends(node)) break;
        found.push(node);
      } else {
        node = node.parentElement;
        if (!node?.matches("section") || node.querySelector(":scope > h1, :scope > h2")) break;
      }
    }
    return found;
  }
  const watcher = new MutationObserver(() => apply());
  function apply() {
    const wanted = new Set([...gates].flatMap(([cell, closed]) => (closed && cell.isConnected ? follows(cell) : [])));
    for (const node of document.querySelectorAll(".earup-closed")) if (!wanted.has(node)) node.classList.remove("earup-closed");
    for (const node of wanted) if (!node.classList.contains("earup-closed")) node.classList.add("earup-closed");
  }
  function set(cell, closed) {
    gates.set(cell, closed);
    if (cell.parentElement && !watched.has(cell.parentElement)) {
      watched.add(cell.parentElement);
      watcher.observe(cell.parentElement, { childList: true }); // cells come and go in JupyterLab
    }
    apply();
  }
  // The box that shows everything: real, so that a keyboard and a screen reader reach it.
  function box() {
    const label = document.createElement("label"), input = Object.assign(document.createElement("input"), { type: "checkbox" });
    input.checked = root.hasAttribute("data-earup-open");
    input.addEventListener("change", () => everything(input.checked));
    label.className = "earup-gate-all";
    label.append(input, "Show everything at once, on every page");
    return label;
  }
  function everything(on) {
    root.toggleAttribute("data-earup-open", on);
    kept.set(on);
    for (const input of document.querySelectorAll(".earup-gate-all input")) input.checked = on;
  }
  // A line under a question that cannot be answered yet: the widget takes its place once it is there.
  function hold(cell, says, actions = []) {
    if (bars.has(cell)) return;
    const bar = document.createElement("div"), words = document.createElement("p");
    bar.className = "earup-gate";
    bar.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take Enter for its own
    words.className = "earup-gate-says";
    words.textContent = says;
    const skip = ["Skip the question", () => { skipped.add(cell); release(cell); set(cell, false); }]; // also once it has loaded
    const buttons = [...actions, skip].map(([text, click]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      button.addEventListener("click", click);
      return button;
    });
    bar.append(words, ...buttons, box());
    cell.append(bar);
    bars.set(cell, bar);
    set(cell, true);
  }
  function release(cell) {
    bars.get(cell)?.remove();
    bars.delete(cell);
  }
  // A link that leads into a closed part opens it.
  function reach() {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { name = ""; } // no name of a place
    const target = name ? document.getElementById(name) : null;
    if (target?.closest(".earup-closed") && reveal(target)) target.scrollIntoView();
  }
  function reveal(target) {
    for (const [cell, closed] of gates) if (closed && follows(cell).some((node) => node.contains(target))) set(cell, false);
    return true;
  }
  addEventListener("hashchange", reach);
  if (kept.get()) root.setAttribute("data-earup-open", "");
  return { close: (cell) => skipped.has(cell) || set(cell, true), open: (cell) => set(cell, false), forget: (cell) => { gates.delete(cell); apply(); },
    hold, release, box, everything, heads, reach, reveal, apply };
}
