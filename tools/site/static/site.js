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

document.addEventListener("DOMContentLoaded", () => {
  told();
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
