// What a page of the site costs, and what a thumb does not find; put into each page by site.py.
window.measured = {
  painted() { // bytes that had come when the page first painted
    const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    const parts = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
    return painted && parts.filter((e) => e.responseEnd <= painted).reduce((n, e) => n + e.encodedBodySize, 0);
  },
  sounds() {
    const found = document.querySelector(".earup-player")?.__earup;
    if (!found?.analyser || !found.playing) return false;
    const y = new Float32Array(found.analyser.fftSize);
    found.analyser.getFloatTimeDomainData(y);
    return y.some((v) => Math.abs(v) > 1e-3);
  },
  ask(place) { // move the first handle, slider or menu of a stage
    window.answered = false;
    const told = place.querySelectorAll(".earup-scene > .earup-live, .earup-scene .earup-quiet"); // words, or the level of the sound
    const hear = new MutationObserver(() => { window.answered = true; });
    for (const node of told) hear.observe(node, { childList: true, characterData: true, subtree: true });
    const menu = place.querySelector("select"), knob = place.querySelector("[role=slider], input[type=range]");
    const brush = place.querySelector(".earup-brush"), press = (node, key) => node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    if (brush) { press(brush, " "); press(brush, "ArrowUp"); press(brush, " "); }
    else if (knob?.type === "range") { knob.stepUp(); knob.dispatchEvent(new Event("input")); }
    else if (knob) {
      const at = () => knob.getAttribute("aria-valuenow"), begun = at();
      for (const key of ["ArrowLeft", "ArrowRight", "ArrowRight"]) press(knob, key);
      if (at() === begun) press(knob, "ArrowLeft"); // one that begins at its highest value is back there
    }
    else { menu.selectedIndex = 1; menu.dispatchEvent(new Event("change")); }
  },
  small(least) { // controls that neither they nor their labels make large enough
    const seen = (e) => {
      const r = e.getBoundingClientRect(), s = getComputedStyle(e);
      return r.width > 1 && r.height > 1 && s.visibility === "visible" && s.clipPath === "none" && !e.closest(".earup-closed");
    };
    const kinds = ["button", "select", "input", "summary", "[role=slider]"].map((kind) => `.bd-article ${kind}`);
    const small = (e) => {
      const boxes = [e, e.closest("label"), ...(e.labels ?? [])].filter(Boolean).map((part) => part.getBoundingClientRect());
      return !boxes.some((r) => r.height >= least - 0.5 && r.width >= least - 0.5);
    };
    return [...document.querySelectorAll([...kinds, ".bd-header-article button"])].filter((e) => seen(e) && small(e)).map((e) => {
      const { width, height } = e.getBoundingClientRect();
      return `${e.tagName} ${e.type ?? ""} ${e.className} ${Math.round(width)}x${Math.round(height)} ${e.textContent.slice(0, 30)}`;
    });
  },
  wide() { // how far the page scrolls sideways, and the figures that its edge cuts
    const page = document.scrollingElement;
    const cut = (e) => {
      const r = e.getBoundingClientRect();
      return r.width && r.right > page.clientWidth + 1 && !e.closest("mjx-container, pre");
    };
    const figures = [...document.querySelectorAll(".bd-article img, .bd-article canvas, .bd-article svg")].filter(cut);
    return [page.scrollWidth - page.clientWidth, figures.map((e) => `${e.tagName} ${e.className} ${e.alt ?? ""}`.slice(0, 60))];
  },
  keys() { // what tells of keys
    const told = (e) => !e.children.length && e.offsetParent && (e.tagName === "KBD" || /Keys?: |\(keys?:? |press space|Space plays/.test(e.textContent));
    return [...document.querySelectorAll(".bd-article kbd, .earup *")].filter(told).map((e) => e.textContent.slice(0, 60));
  },
};
