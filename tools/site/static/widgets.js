// The host of the widgets of a page without a kernel. A picture stands in the place of each; when it comes near the
// window, its parts are had by their names (from the page itself, or as scripts beside this one, the only thing that a
// page from a file may load) and the widget takes the picture's place.

window.earup = (() => {
  const base = document.currentScript?.src.replace(/widgets\.js.*$/, "widgets/");
  const kept = new Map(), waiting = new Map(), modules = new Map(), styles = new Set(), decoded = new Map();

  // ---- what widgets are made of ----

  function put(key, value) {
    kept.set(key, value);
    waiting.get(key)?.done(value);
  }

  function need(key) {
    if (kept.has(key)) return Promise.resolve(kept.get(key));
    const inside = document.getElementById(`earup-${key}`);
    if (inside) {
      kept.set(key, JSON.parse(inside.textContent));
      return Promise.resolve(kept.get(key));
    }
    if (!waiting.has(key)) {
      const entry = {};
      entry.promise = new Promise((done, failed) => Object.assign(entry, { done, failed }));
      waiting.set(key, entry);
      const script = document.createElement("script");
      script.src = `${base}${key}.js`;
      script.onerror = () => { waiting.delete(key); script.remove(); entry.failed(new Error(`${key}.js did not come`)); };
      document.head.append(script);
    }
    return waiting.get(key).promise;
  }

  const unpacked = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  async function inflated(base64) {
    const stream = new Blob([unpacked(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // The samples of a sound, channel after channel, as they were written: at their own rate nothing is resampled.
  function samples(key, sr) {
    if (!decoded.has(key)) {
      decoded.set(key, (async () => {
        const flac = unpacked(await need(key));
        const buffer = await new OfflineAudioContext(1, 1, sr).decodeAudioData(flac.buffer);
        const y = new Float32Array(buffer.numberOfChannels * buffer.length);
        for (let c = 0; c < buffer.numberOfChannels; c++) y.set(buffer.getChannelData(c), c * buffer.length);
        return y;
      })());
    }
    return decoded.get(key);
  }

  async function bytes(entry) {
    if (entry.deflated) return new DataView((await inflated(entry.deflated)).buffer);
    const tracks = await Promise.all(entry.sounds.map((key) => samples(key, entry.sr)));
    const all = new Float32Array(tracks.reduce((n, y) => n + y.length, 0));
    tracks.reduce((at, y) => (all.set(y, at), at + y.length), 0);
    return new DataView(all.buffer);
  }

  // ---- models and views ----

  // Answers stay in this browser, under the name of what was asked: another question is another name.
  const PREFIX = "earup ";
  const remembered = (name) => { try { return JSON.parse(localStorage.getItem(PREFIX + name)) ?? {}; } catch { return {}; } };
  const remember = (name, answers) => { try { localStorage.setItem(PREFIX + name, JSON.stringify(answers)); } catch {} offerToForget(); };
  const names = () => { try { return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)); } catch { return []; } };

  function offerToForget() {
    if (!names().length || document.querySelector(".earup-forget")) return;
    const forget = () => { names().forEach((name) => localStorage.removeItem(name)); location.reload(); };
    const button = node("button", { type: "button", textContent: "Forget them", onclick: forget });
    const line = node("p", { className: "earup-forget" }, "Your answers on these pages are kept in this browser, and nowhere else. ", button);
    (document.querySelector("article") ?? document.querySelector("main") ?? document.body).append(line);
  }

  // What a widget may ask of its model. No kernel hears of it; what the widget saves is kept under its name.
  class Model {
    constructor(state, name) {
      Object.assign(this, { state, name, hearers: new Map(), answers: remembered(name) });
      Object.assign(state, this.answers);
    }
    get(name) { return this.state[name]; }
    set(name, value) {
      const changes = typeof name === "object" ? name : { [name]: value };
      for (const [key, now] of Object.entries(changes)) {
        if (this.state[key] === now) continue;
        this.state[key] = this.answers[key] = now;
        this.tell(`change:${key}`, this, now);
      }
      this.tell("change", this);
    }
    on(names, hearer) { for (const name of names.split(" ")) this.hearers.set(name, [...(this.hearers.get(name) ?? []), hearer]); }
    off(names, hearer) { for (const name of names.split(" ")) this.hearers.set(name, (this.hearers.get(name) ?? []).filter((f) => hearer && f !== hearer)); }
    tell(name, ...rest) { for (const hearer of this.hearers.get(name) ?? []) hearer(...rest); }
    save_changes() {
      if (this.state.spec?.questions) queueMicrotask(offerToForget); // a quiz keeps its answers itself
      else remember(this.name, this.answers);
    }
    send(request) { this.latest = request.values; this.ask?.(request); } // where Python is in the page (see below), it answers
  }

  async function anywidget({ code, style, state, bytes: entries, live, grid }, root, name) {
    if (!styles.has(style)) {
      styles.add(style);
      const text = await need(style);
      document.head.append(Object.assign(document.createElement("style"), { textContent: text }));
    }
    if (!modules.has(code)) {
      const url = URL.createObjectURL(new Blob([await need(code)], { type: "text/javascript" }));
      modules.set(code, import(url));
    }
    const own = structuredClone(state);
    for (const entry of entries) {
      const last = entry.path.at(-1), holder = entry.path.slice(0, -1).reduce((at, key) => at[key], own);
      holder[last] = await bytes(entry);
    }
    const module = (await modules.get(code)).default, model = new Model(own, name);
    await module.initialize?.({ model });
    if (live || grid) return stage(model, module, root, { live, grid, name });
    return () => module.render({ model, el: root });
  }

  // A stage that answers here: as a link asks for it, if one does, and with a link to what it shows.
  function stage(model, module, root, { live, grid, name }) {
    const line = node("p", { className: "earup-engine", role: "status" }), tell = (text) => { line.textContent = text; };
    const { stages } = window.earup, spec = model.get("spec"), there = stages.asked();
    const wanted = there && there.place === root.place && stages.valuesOf(spec, there.params);
    root.classList.remove("jupyter-widgets-disconnected");
    if (live) window.earup.enliven(model, live, name, tell, root.place);
    else stages.look(model, grid, tell);
    if (wanted) model.state.values = wanted;
    return async () => {
      await module.render({ model, el: root });
      root.append(line, stages.linkButton(model, spec, root.place.dataset.stage));
      if (wanted) model.send({ n: -1, values: wanted });
    };
  }

  const node = (tag, props, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };

  // What is no widget of the course: it is seen, and it is off.
  function plain({ kind, label, value, png }) {
    if (kind === "image") return node("img", { className: "widget-image", src: `data:image/png;base64,${png}`, alt: "" });
    if (kind === "button") return node("button", { type: "button", disabled: true, textContent: label });
    if (kind === "progress") return node("progress", { value, max: 1, ariaLabel: "Progress" });
    const now = node("select", { disabled: true, ariaLabel: label }, node("option", { textContent: value }));
    return node("label", {}, `${label} `, now);
  }

  // Returns what puts the widget into its element, once that lies in the page.
  async function build(part, number, root, name) {
    const made = part[number];
    root.classList.add(...(made.classes ?? []));
    if (made.kind === "anywidget") return anywidget(made, root, `${name} ${number}`);
    if (made.kind !== "box") { root.append(plain(made)); return () => {}; }
    root.classList.add(made.row ? "earup-row-box" : "earup-box");
    const boxes = made.children.map(() => document.createElement("div"));
    root.append(...boxes);
    const shows = await Promise.all(made.children.map((child, k) => build(part, child, boxes[k], name)));
    return () => Promise.all(shows.map((show) => show()));
  }

  function wake(place) {
    return (place.woken ??= (async () => {
      const root = node("div", { className: "jupyter-widgets-disconnected", place });
      try {
        const { part } = place.dataset, show = await build(await need(part), 0, root, part);
        place.replaceChildren(root);
        await show();
        place.dataset.awake = "";
      } catch (error) {
        place.woken = null; // the picture stays, and a press tries again
        console.error(error);
      }
    })());
  }

  const places = () => [...document.querySelectorAll(".earup-place")];
  const wakeAll = () => Promise.all(places().map(wake));

  document.addEventListener("DOMContentLoaded", () => {
    offerToForget();
    const near = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); wake(target); }
    }, { rootMargin: "400px" });
    for (const place of places()) {
      place.addEventListener("pointerdown", () => wake(place));
      near.observe(place);
    }
  });

  return { put, need, samples, inflated, wake, wakeAll };
})();
