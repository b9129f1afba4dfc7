// The words under the curves of a run. Picture, menus and sliders are core widgets, which offer no way to set an
// alt text or to name a slider for a screen reader; this view does both for the box it lies in.

function nameParts(box, model) {
  // without the attribute JupyterLab takes the arrow keys of menus and handles for its own
  for (const part of box.querySelectorAll("select, [role=slider]")) {
    part.setAttribute("data-lm-suppress-shortcuts", true);
  }
  const image = box.querySelector("img.widget-image, .widget-image img");
  if (image) image.alt = `${model.get("title")}. ${model.get("text")}`;
  for (const row of box.querySelectorAll(".widget-inline-hbox")) {
    const label = row.querySelector(".widget-label")?.textContent;
    const value = row.querySelector(".widget-readout")?.textContent;
    for (const handle of row.querySelectorAll("[role=slider], .ui-slider-handle")) {
      handle.setAttribute("aria-label", label);
      if (value) handle.setAttribute("aria-valuetext", value);
    }
  }
}

function render({ model, el: root }) {
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  words.setAttribute("aria-live", "polite");
  const asleep = document.createElement("div"); // seen only where no kernel is there
  asleep.className = "asleep";
  asleep.textContent = "Moving this needs a running notebook: Python draws what you see. After a restart, run this cell again.";
  const fault = document.createElement("pre");
  root.classList.add("earup-readout");
  root.append(words, asleep, fault);
  const show = () => {
    words.textContent = model.get("text");
    fault.textContent = model.get("fault");
    fault.hidden = !model.get("fault");
    root.classList.toggle("stale", !fault.hidden);
    const box = root.closest(".earup-running");
    if (box) nameParts(box, model);
  };
  model.on("change:text change:fault", show);
  show();
  const later = requestAnimationFrame(show); // the siblings are in the page only after this view is
  return () => cancelAnimationFrame(later);
}

export default { render };
