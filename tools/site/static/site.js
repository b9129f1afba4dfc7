// What a page of the site adds to its widgets.

// The theme says dark or light in an attribute of its own; widgets watch JupyterLab's.
const told = () => document.body.setAttribute("data-jp-theme-name", document.documentElement.dataset.theme ?? "light");
new MutationObserver(told).observe(document.documentElement, { attributeFilter: ["data-theme"] });

// Where a widget says that moving it needs Python, one link runs the unit.
function offer() {
  const colab = document.querySelector("a[href^='https://colab.research.google.com/']");
  for (const words of document.querySelectorAll(".earup-asleep:not([data-run]), .earup-readout .asleep:not([data-run])")) {
    words.dataset.run = "";
    if (colab) words.append(Object.assign(document.createElement("a"), { href: colab.href, textContent: "Run this unit.", className: "earup-run" }));
  }
}
// What is wider than the page is moved by the keyboard too.
function reach() {
  for (const box of document.querySelectorAll(".bd-article table, .bd-article .cell_output, .bd-article .cell_output figure, .bd-article p")) {
    if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === "auto") box.tabIndex = 0;
  }
}
addEventListener("load", reach);
addEventListener("resize", reach);

// Exercises and figures stand in the contents of a page, beside its headings.
function list() {
  const contents = document.querySelector(".page-toc ul, .bd-toc-nav ul");
  if (!contents) return;
  const items = [...document.querySelectorAll(".bd-article p > strong:first-child")].flatMap((strong) => {
    const name = /^(Exercise|Figure) [\d.]+\d/.exec(strong.textContent)?.[0];
    return name ? [[strong.closest("p"), name]] : [];
  });
  for (const [place, name] of items) {
    const id = (place.id ||= name.toLowerCase().replaceAll(/[ .]/g, "-"));
    let section = place.closest("section[id]"), entry = null;
    for (; section && !entry; section = section.parentElement.closest("section[id]")) // a small section may not be listed
      entry = contents.querySelector(`a[href="#${CSS.escape(section.id)}"]`)?.closest("li");
    // the theme opens the entries of small sections only while they are read, so it stands under the chapter
    for (let above = entry; above; above = above.parentElement.closest("li.toc-entry")) entry = above;
    if (!entry) continue;
    const link = Object.assign(document.createElement("a"), { href: `#${id}`, textContent: name, className: "reference internal nav-link earup-listed" });
    const item = document.createElement("li");
    item.className = "nav-item toc-entry";
    item.append(link);
    let below = entry.querySelector(":scope > .earup-list");
    if (!below) entry.append((below = Object.assign(document.createElement("ul"), { className: "nav section-nav flex-column earup-list" })));
    below.append(item);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  told();
  list();
  for (const cell of document.querySelectorAll(".cell.tag_predict")) GATE.hold(cell, "What follows is closed until you guess or skip.");
  GATE.reach();
  // a screen reader lists the parts of a page: the title and the search belong to one
  const side = document.querySelector(".sidebar-primary-items__start");
  side?.setAttribute("role", "navigation");
  side?.setAttribute("aria-label", "Course");
  offer();
  new MutationObserver(offer).observe(document.body, { childList: true, subtree: true });
});

// Formulas come after all that is seen first; pictures are there when a page is printed.
addEventListener("load", () => {
  for (const { dataset } of document.querySelectorAll("script[data-later]")) {
    document.head.append(Object.assign(document.createElement("script"), { src: dataset.later }));
  }
});
addEventListener("beforeprint", () => {
  for (const picture of document.querySelectorAll("img[loading=lazy]")) picture.loading = "eager";
});

// A phone has no keys: what a widget says about them is left out, wherever it is written.
const KEYS_TOLD = [
  [/ ?Keys?: [^.]*\./g, ""], [/ ?\(keys?:? [^()]*\)/g, ""], [/ \((?:1 or 2|Enter|arrow up and down)\)/g, ""],
  [/ ?(?:Esc|Escape)(?: \w+)? (?:stops|leaves it|closes everything|silences)[^.]*\./g, ""], [/^Keys 1 to 9 [^.]*\./, ""],
];
function withoutKeys(root) {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.parentElement?.closest(".earup") || node.parentElement.closest("style, script")) continue;
    const text = KEYS_TOLD.reduce((now, [found, instead]) => now.replace(found, instead), node.data);
    if (text !== node.data) node.data = text;
  }
}
if (matchMedia("(hover: none) and (pointer: coarse)").matches) {
  document.addEventListener("DOMContentLoaded", () => {
    const look = new MutationObserver((seen) => seen.forEach(({ target }) => withoutKeys(target.nodeType === 1 ? target : target.parentNode ?? document.body)));
    look.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}

// On a narrow page a figure is small, but whole; a press shows it large, to be moved by thumb.
function large(picture) {
  const copy = Object.assign(new Image(), { src: picture.src, alt: picture.alt });
  const box = Object.assign(document.createElement("div"), { tabIndex: 0 }), view = document.createElement("dialog");
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close", onclick: () => view.close() });
  view.className = "earup-large";
  view.setAttribute("aria-label", "Figure, large");
  view.onclose = () => view.remove();
  box.append(copy);
  view.append(box, close);
  document.body.append(view);
  view.showModal();
}
document.addEventListener("DOMContentLoaded", () => {
  for (const picture of document.querySelectorAll(".bd-article .cell_output > img, .bd-article .cell_output figure img, .bd-article p > img[src*='three_settings']")) {
    if (picture.closest("a, .earup-place")) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Show it large", className: "earup-zoom", onclick: () => large(picture) });
    picture.after(button);
  }
});
