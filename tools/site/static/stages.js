// Stages of a page: answers that were computed beforehand, and links to what a stage shows.

(() => {
  const { need, samples, inflated } = window.earup;
  const node = (tag, props, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };

  // ---- answers of a grid (see engine/grids.py) ----

  // The different arrays of one name, as float32.
  async function unpacked({ shapes, low, step, bytes, data }) {
    const raw = await inflated(data), n = raw.length / bytes, all = new Float32Array(n), wrap = bytes === 1 ? 255 : 65535;
    let now = 0;
    for (let i = 0; i < n; i++) { // differences; low bytes first, then high ones
      now = (now + raw[i] + (bytes === 2 ? 256 * raw[n + i] : 0)) & wrap;
      all[i] = bytes === 2 && now === wrap ? NaN : low + now * step;
    }
    let at = 0;
    return shapes.map((shape) => ({ shape, data: all.subarray(at, (at += shape.reduce((a, b) => a * b, 1))) }));
  }

  async function pages(key) {
    const pack = await need(key), text = new TextDecoder().decode(await inflated(pack.words));
    const arrays = {};
    for (const [name, entry] of Object.entries(pack.arrays)) arrays[name] = await unpacked(entry);
    return { ...pack, arrays, words: JSON.parse(text), columns: new Uint16Array((await inflated(pack.columns)).buffer) };
  }

  // The place in the grid that is nearest to some values.
  function placeOf(axes, values) {
    let at = 0;
    for (const [name, steps] of axes) {
      const far = steps.map((v) => Math.abs(Number(v) - Number(values[name])));
      at = at * steps.length + far.indexOf(Math.min(...far));
    }
    return at;
  }

  async function answer(book, request) {
    const states = book.axes.reduce((n, [, steps]) => n * steps.length, 1), at = placeOf(book.axes, request.values);
    const [readout, solved] = book.words.map((texts, k) => texts[book.columns[(book.names.length + k) * states + at]]);
    const contents = [], parts = [];
    for (const [k, name] of book.names.entries()) {
      const which = book.columns[k * states + at];
      const sound = name === "sound" ? await samples(book.sounds[which], book.sr) : null;
      const { shape, data } = sound ? { shape: [sound.length], data: sound } : book.arrays[name][which];
      contents.push([name, shape]);
      parts.push(data);
    }
    const bytes = await new Blob(parts).arrayBuffer();
    return [{ n: request.n, contents, readout, solved }, [new DataView(bytes)]];
  }

  // Have a stage answered by what was computed beforehand; it is fetched at the first move.
  function look(model, { pack, steps }, tell) {
    let book = null;
    tell(`Computed beforehand, ${steps.toLocaleString("en")} steps: no page can run what this needs.`);
    model.ask = async (request) => {
      try {
        book ??= pages(pack);
        model.tell("msg:custom", ...(await answer(await book, request)));
      } catch (error) {
        book = null;
        tell(`It did not come: ${error.message}. A move tries again.`);
      }
    };
  }

  // ---- a link to a state: #explore=title&name=value&... ----

  const packBits = (text) => {
    const bytes = Uint8Array.from({ length: Math.ceil(text.length / 8) }, (_, i) => parseInt(text.slice(8 * i, 8 * i + 8).padEnd(8, "0"), 2));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  const unpackBits = (text, n) => {
    const bytes = [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))];
    return bytes.map((c) => c.charCodeAt(0).toString(2).padStart(8, "0")).join("").slice(0, n);
  };

  function linkOf(spec, values, slug) {
    const params = new URLSearchParams({ explore: slug });
    for (const { name } of [...spec.handles, ...spec.controls]) params.set(name, String(Number(values[name])));
    if (spec.brush) params.set(spec.brush.name, packBits(values[spec.brush.name]));
    return `#${params}`;
  }

  // The values that a link asks for, or null where it asks for what this stage has not.
  function valuesOf(spec, params) {
    const values = {};
    try {
      for (const part of [...spec.handles, ...spec.controls]) {
        const text = params.get(part.name), v = Number(text);
        if (text === null || text.trim() === "" || !Number.isFinite(v)) return null;
        if (part.kind === "toggle") { if (v !== 0 && v !== 1) return null; values[part.name] = v === 1; }
        else if (part.kind === "choice") { if (!part.options[v]) return null; values[part.name] = v; }
        else if (v < part.low || v > part.high) return null;
        else values[part.name] = snapped(part, v);
      }
      if (spec.brush) {
        const { name, rows, cols } = spec.brush;
        values[name] = unpackBits(params.get(name) ?? "", rows * cols);
        if (values[name].length !== rows * cols) return null;
      }
    } catch { return null; } // no base64
    return values;
  }
  function snapped({ low, high, step, log, kind }, v) { // to the steps that the handle has; a slider counts in octaves itself
    const bends = log && kind === undefined, u = bends ? Math.log2 : (x) => x;
    const w = u(low) + Math.round((u(v) - u(low)) / step) * step;
    return Math.max(low, Math.min(high, Number((bends ? 2 ** w : w).toFixed(6))));
  }

  const asked = () => {
    const params = new URLSearchParams(location.hash.slice(1)), [slug, second] = params.getAll("explore");
    const place = slug && second === undefined && document.querySelector(`.earup-place[data-stage="${CSS.escape(slug)}"]`);
    return place ? { place, params } : null;
  };

  function linkButton(model, spec, slug) {
    const said = node("span", { className: "earup-linked", role: "status" });
    const press = async () => {
      history.replaceState(null, "", linkOf(spec, model.latest ?? model.get("values"), slug));
      try {
        await navigator.clipboard.writeText(location.href);
        said.textContent = "The link is copied.";
      } catch { said.textContent = "The address of this page is the link now."; }
    };
    return node("p", { className: "earup-link" }, node("button", { type: "button", textContent: "Link to this", onclick: press }), said);
  }

  async function arrive() {
    const there = asked();
    if (!there) return;
    if (typeof GATE !== "undefined") GATE.reveal(there.place);
    there.place.scrollIntoView({ block: "center" });
    there.place.woken = null;
    await window.earup.wake(there.place);
    there.place.scrollIntoView({ block: "center" });
  }
  document.addEventListener("DOMContentLoaded", arrive);
  addEventListener("hashchange", arrive);
  // what stands above grows while it wakes: the stage that was asked for stays in view until somebody moves
  addEventListener("load", () => {
    const there = asked();
    if (!there) return;
    const stay = new ResizeObserver(() => there.place.scrollIntoView({ block: "center" }));
    const leave = () => stay.disconnect();
    stay.observe(document.body);
    for (const what of ["wheel", "pointerdown", "keydown", "touchmove"]) addEventListener(what, leave, { once: true, passive: true });
    setTimeout(leave, 5000);
  });

  window.earup.stages = { look, linkButton, asked, valuesOf, linkOf };
})();
