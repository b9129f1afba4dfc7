// Exercises in a page: write code, have the page's Python check it in the words of the notebook. What is written stays
// in this browser.

(() => {
  const base = document.currentScript.src.replace(/exercises\.js.*$/, "");
  const node = (tag, props, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  const stored = (key) => { try { return JSON.parse(localStorage.getItem(`earup exercise ${key}`)) ?? {}; } catch { return {}; } };
  const store = (key, value) => { try { localStorage.setItem(`earup exercise ${key}`, JSON.stringify(value)); } catch {} };

  let editor = null; // CodeMirror, had once by the first box that is looked at
  const had = (tag, props) => new Promise((done, failed) => document.head.append(node(tag, { ...props, onload: done, onerror: failed })));
  async function codeMirror() {
    await had("link", { rel: "stylesheet", href: `${base}codemirror.css` });
    await had("script", { src: `${base}codemirror.js` });
    await had("script", { src: `${base}python.js` });
    return window.CodeMirror;
  }

  async function open(place) {
    const { key, name, code, context, title, hints, solution, endless, seconds, clips } = await window.earup.need(place.dataset.part);
    const before = stored(key);
    const said = node("div", { className: "earup-said" });
    said.setAttribute("aria-live", "polite");
    const aside = node("div", { className: "earup-aside" });
    const button = (text, press, main) => node("button", { type: "button", textContent: text, onclick: press, className: main ? "earup-check" : "" });
    const run = button("Check", check, true), box = node("div", { className: "earup-code" });
    let shown = 0;
    const hint = button("Hint", () => {
      shown = Math.min(shown + 1, hints.length);
      aside.replaceChildren(...hints.slice(0, shown).map((html, k) => node("p", { innerHTML: `<strong>Hint ${k + 1} of ${hints.length}.</strong> ${html}` })));
      hint.disabled = shown === hints.length;
    });
    const solve = node("div", { innerHTML: solution, className: "earup-solution" });
    const again = button("Start again", () => { write.setValue(code); said.replaceChildren(); save({}); });
    place.replaceChildren(box, node("div", { className: "earup-buttons" }, run, hint, again), said, aside, solve);
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", `Exercise ${key}, ${title}`);
    editor ??= codeMirror();
    const keys = { "Shift-Enter": check, Esc: () => run.focus(), Tab: (cm) => cm.execCommand(cm.somethingSelected() ? "indentMore" : "insertSoftTab") };
    const options = { value: before.code ?? code, mode: "python", indentUnit: 4, inputStyle: "contenteditable", viewportMargin: Infinity, extraKeys: keys,
      screenReaderLabel: `Your code for ${title}. Escape leaves it.` };
    const write = (await editor)(box, options);
    window.earup.whenLookedAt(place, () => {});
    write.on("focus", () => window.earup.python(() => {}).catch(() => {})); // while somebody writes, Python comes
    write.on("change", () => save({ ...stored(key), code: write.getValue() }));
    if (before.shown) said.innerHTML = before.shown;
    const save = (value) => store(key, value);

    async function check() {
      if (run.disabled) return;
      run.disabled = true;
      const tell = (text) => said.replaceChildren(node("p", { className: "earup-engine", textContent: text }));
      let alarm = 0;
      try {
        await window.earup.python(tell);
        const { units } = await window.earup.need("engine"), unit = await window.earup.need(units[key.slice(0, 2)]);
        tell("Checking ...");
        const asked = window.earup.call({ call: "check", as: `exercise ${key}`, key, name, context, unit, clips: await window.earup.samplesOf(clips), code: write.getValue() }, `exercise ${key}`);
        const late = new Promise((done) => { alarm = setTimeout(() => done(null), 1000 * seconds); });
        const found = (await Promise.race([asked, late]))?.found;
        if (!found) window.earup.endPython();
        said.innerHTML = found?.shown ?? endless;
        save({ code: write.getValue(), shown: said.innerHTML, outcome: found?.outcome });
      } catch (error) {
        tell(`Python did not answer: ${error.message}. Press Check to try again.`);
      }
      clearTimeout(alarm);
      run.disabled = false;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const near = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); open(target); }
    }, { rootMargin: "400px" });
    for (const place of document.querySelectorAll(".earup-exercise")) near.observe(place);
  });
})();
