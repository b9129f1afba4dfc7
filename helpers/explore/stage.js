// A stage: panels drawn on canvas, and handles that the learner drags on them. Put after core.js by Python.
// Python computes, this draws: every move of a handle asks for new arrays, one request at a time, the newest value next.

const STROKES = { // role: [width, dash]
  signal: [1.8, []], reference: [1.2, []], prediction: [1.8, [8, 3]], error: [1.8, [9, 2.5, 2, 2.5]],
  noise: [2, [2, 2.4]], ear: [2.2, [16, 4]],
};
const ROOM = { left: 58, right: 16, top: 12, bottom: 40 };
const SCREEN = 612; // [px] a stage is lowered to this height where there is room beside it or below it for words
const PATIENCE = 5000; // [ms] after this the learner is told that no answer came

// One buffer holds all arrays one after the other: contents = [[name, shape], ...] -> {name: {data, shape}}
function unpack(contents, view) {
  const all = floats(view), arrays = {};
  let at = 0;
  for (const [name, shape] of contents) {
    const n = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { data: all.subarray(at, (at += n)), shape };
  }
  return arrays;
}

const number = (v, digits) => (v >= 1 || v <= 0 ? signed(v, digits) : String(Number(v.toPrecision(3))));
const named = (axis) => axis.label + (axis.unit ? ` [${axis.unit}]` : "") + (axis.log ? ", log scale" : "");

// ---- drawing ----

function frameOf(canvas, panel) {
  const { g, w, h } = fit(canvas);
  const box = { x: ROOM.left, y: ROOM.top, w: w - ROOM.left - ROOM.right, h: h - ROOM.top - ROOM.bottom };
  if (panel.equal) { // one unit is equally long on both axes
    const wide = panel.x.high - panel.x.low, tall = panel.y.high - panel.y.low;
    const unit = Math.min(box.w / wide, box.h / tall);
    box.w = unit * wide; box.h = unit * tall;
  }
  return { g, box, X: scale(panel.x, box.x, box.x + box.w), Y: scale(panel.y, box.y + box.h, box.y) };
}

function drawAxes({ g, box, X, Y }, panel, look) {
  g.font = "12px Arial, 'Liberation Sans', Helvetica, sans-serif";
  g.strokeStyle = look.grid; g.fillStyle = look.text; g.lineWidth = 1;
  const under = box.y + box.h, image = panel.items.some((item) => item.kind === "image");
  const line = (x0, y0, x1, y1) => { g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); return g.stroke(); };
  const ys = marksOf(panel.y, box.h * 1.8), xs = panel.equal ? marksOf(panel.x, box.h * 1.8) : marksOf(panel.x, box.w);
  g.textAlign = "center"; g.textBaseline = "top";
  for (const v of xs.values) {
    if (!image) line(X.at(v), box.y, X.at(v), under);
    g.fillText(number(v, xs.digits), X.at(v), under + 11);
  }
  g.fillText(named(panel.x), box.x + Math.min(box.w / 2, box.w + 8 - g.measureText(named(panel.x)).width / 2), under + 26);
  g.textAlign = "right"; g.textBaseline = "middle";
  for (const v of panel.y.label ? ys.values : []) { // an axis without a name measures nothing
    if (!image) line(box.x, Y.at(v), box.x + box.w, Y.at(v));
    g.fillText(number(v, ys.digits), box.x - 7, Y.at(v));
  }
  g.save(); g.translate(14, box.y + box.h / 2); g.rotate(-Math.PI / 2); g.textAlign = "center";
  g.fillText(named(panel.y), 0, 0); g.restore();
  g.strokeStyle = look.mute;
  line(box.x, box.y, box.x, under); line(box.x, under, box.x + box.w, under);
}

// Points of an item in pixels; without x the values are spread evenly over the axis, ends included.
function points({ X, Y }, item, panel, arrays) {
  const y = arrays[item.name].data, x = item.x && arrays[item.x].data, n = y.length;
  const { low, high } = panel.x;
  return Array.from(y, (v, i) => [X.at(x ? x[i] : low + ((high - low) * i) / Math.max(1, n - 1)), Y.at(v)]);
}

function trace(g, path) {
  let pen = false; // NaN lifts the pen
  g.beginPath();
  for (const [x, y] of path) { if (Number.isFinite(y)) { if (pen) g.lineTo(x, y); else g.moveTo(x, y); pen = true; } else pen = false; }
}

const DRAW = {
  line({ g }, path) { trace(g, path); g.stroke(); },
  stems({ g, box, Y }, path, item) {
    const base = Math.min(box.y + box.h, Y.at(item.base));
    g.setLineDash([]); g.beginPath();
    for (const [x, y] of path) { g.moveTo(x, base); g.lineTo(x, y); }
    g.stroke(); DRAW.dots({ g }, path, item);
  },
  dots({ g }, path, item) { for (const [x, y] of path) { g.beginPath(); g.arc(x, y, item.width ?? 4, 0, 2 * Math.PI); g.fill(); } },
};

// Lines across the panel at the places in an array, with a name at the top; `row` keeps names apart.
function drawMarks({ g, box, X }, item, arrays, look) {
  for (const v of arrays[item.name].data) {
    const x = X.at(v);
    if (!(x >= box.x - 0.5 && x <= box.x + box.w + 0.5)) continue;
    g.beginPath(); g.moveTo(x, box.y + 4 + 16 * item.row); g.lineTo(x, box.y + box.h); g.stroke();
    if (!item.label) continue;
    const name = item.label.replace("{}", minus(String(Number(v.toPrecision(5))))), wide = g.measureText(name).width, flip = x + wide + 8 > box.x + box.w;
    g.textAlign = flip ? "right" : "left"; g.textBaseline = "middle"; g.setLineDash([]);
    g.save(); g.strokeStyle = look.ground; g.lineWidth = 4; g.lineJoin = "round";
    const at = [name, x + (flip ? -5 : 5), box.y + 8 + 16 * item.row];
    g.strokeText(...at); g.restore(); g.fillText(...at);
    g.setLineDash(STROKES[item.role][1]);
  }
}

// An axis with the ends that Python sent for it, if it follows what is shown.
function fitted(axis, arrays) {
  if (!axis.ends) return axis;
  const [low, high] = arrays[axis.ends].data;
  return { ...axis, low, high };
}

function drawPanel(canvas, spec, arrays, look) {
  const panel = { ...spec, x: fitted(spec.x, arrays), y: fitted(spec.y, arrays) };
  const frame = frameOf(canvas, panel), { g, box } = frame;
  const images = panel.items.filter((item) => item.kind === "image");
  for (const { name, low, high } of images) {
    const { data, shape } = arrays[name], cols = shape[1];
    drawLevels(g, box, shape, (r, c) => data[r * cols + c], [low, high], { dark: look.dark, smooth: false });
  }
  drawAxes(frame, panel, look);
  for (const item of panel.items) {
    if (item.kind === "image") continue;
    const [width, dash] = STROKES[item.role];
    g.save(); g.beginPath();
    if (item.kind === "line") { g.rect(box.x, box.y - 2, box.w, box.h + 4); g.clip(); }
    g.strokeStyle = g.fillStyle = look[item.role]; g.lineWidth = item.width ?? width; g.setLineDash(item.solid ? [] : dash);
    if (item.kind === "mark") drawMarks(frame, item, arrays, look);
    else DRAW[item.kind](frame, points(frame, item, panel, arrays), item);
    g.restore();
  }
  return frame;
}

// ---- sound: a seamless loop that changes by an equal-gain cross-fade ----

function loop(sr, ceilingDb, onstate) {
  const me = { playing: false, ctx: null, analyser: null, change, play, stop };
  let y, sides = 1, out, voice, waiting = 0, ready = 0, release = () => {};
  function begin(at) {
    const n = y.length / sides, buffer = new AudioBuffer({ length: n, numberOfChannels: sides, sampleRate: sr });
    for (let side = 0; side < sides; side++) buffer.copyToChannel(y.subarray(side * n, (side + 1) * n), side);
    const source = new AudioBufferSourceNode(me.ctx, { buffer, loop: true }), gain = new GainNode(me.ctx, { gain: 0 });
    const from = voice?.n === n ? (voice.from + at - voice.at) % (n / sr) : 0; // equally long: same place
    source.connect(gain).connect(out.input);
    source.start(at, from); ramp(gain.gain, 0, 1, at);
    return { source, gain, at, from, n };
  }
  function end({ source, gain }, at) { source.stop(ramp(gain.gain, 1, 0, at)); }
  function swap(next) { // while one fade runs, the newest sound waits
    clearTimeout(waiting);
    const at = me.ctx.currentTime + LEAD;
    if (at < ready) return void (waiting = setTimeout(() => swap(next), (ready - at) * 1000 + 5));
    if (voice) end(voice, at);
    voice = next() ? begin(at) : null; ready = at + FADE + 0.005;
  }
  function change({ data, shape }) { // (n,) or (2, n), left and right
    const same = y && data.length === y.length && data.every((v, i) => v === y[i]);
    y = data; sides = shape.length;
    if (me.playing && !same) swap(() => me.playing);
  }
  function play() {
    me.ctx ??= context(sr); out ??= output(me.ctx, ceilingDb); me.analyser = out.analyser;
    me.ctx.resume();
    release = claim(stop); me.playing = true; swap(() => me.playing); onstate();
  }
  function stop() {
    if (!me.playing) return;
    me.playing = false; swap(() => me.playing); release(); onstate();
  }
  return me;
}

// ---- the widget ----

function render({ model, el: host }) {
  const spec = model.get("spec"), values = { ...model.get("values") };
  let arrays = unpack(model.get("contents"), model.get("frame")), look, frames = [];
  const asleep = sleeper(model, "Moving this needs it: what you see is the last answer.");
  const said = live(model.get("readout")), fault = el("pre", { class: "earup-fault", hidden: true });
  const won = el("p", { class: "earup-won", role: "status", "aria-live": "polite", text: model.get("solved") });
  const canvases = spec.panels.map((panel) => el("canvas", { class: "earup-canvas", "aria-hidden": "true" }));
  const handles = spec.handles.map(makeHandle), painted = spec.brush && spec.panels[spec.brush.panel];
  const brush = spec.brush && makeBrush(spec.brush, painted, (text) => { values[spec.brush.name] = text; return ask(); }, () => frames.length && draw());
  const room = ({ width, equal }) => (width ? `flex: 1 1 ${0.6 * width}px; ${equal ? `max-width: ${width}px` : ""}` : "flex: 1 1 100%");
  const panels = spec.panels.map((panel, i) => el("div", { class: "earup-panel", style: room(panel) }, head(panel),
    el("div", { class: "earup-plot", on: { pointerdown: (event) => grab(event, i) } }, canvases[i],
      brush && spec.brush.panel === i ? brush.node : null, handles.filter((h) => h.spec.panel === i).map((h) => h.node))));
  // in JupyterLab's command mode arrows and letters on a menu would move through the notebook instead
  const keepKey = (e) => /^(Arrow|Page|Home$|End$|.$)/.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey && e.stopPropagation();
  const controls = el("div", { class: "earup-means" },
    spec.controls.length ? el("div", { class: "earup-row earup-controls", on: { keydown: keepKey } }, spec.controls.map(makeControl)) : null, brush && brush.row);
  const words = el("div", { class: "earup-words" }, said, asleep.node,
    el("p", { class: "earup-asleep", text: "Moving this needs a running notebook: Python computes what you see. After a restart, run this cell again." }),
    spec.challenge && el("p", { class: "earup-challenge", text: `Try this: ${spec.challenge}` }), won, fault);
  const root = el("div", { class: "earup earup-scene", role: "group", "aria-label": spec.title, "data-lm-suppress-shortcuts": true },
    heading(spec.title), el("p", { class: "earup-hidden", text: spec.alt }),
    el("div", { class: "earup-body" }, controls, el("div", { class: "earup-panels" }, panels), words));
  const sound = spec.sr ? soundRow() : null;

  function head(panel) {
    const keys = panel.items.filter((item) => item.label && item.kind !== "mark");
    return el("div", { class: "earup-head" }, panel.title && el("b", { text: panel.title }), keys.map(({ kind, role, solid, label }) =>
      el("span", { class: `earup-key ${kind}`, style: `color:var(--${role})`, "data-role": role, "data-solid": solid, text: label })));
  }
  function soundRow() {
    const button = el("button", { class: "earup-main", type: "button", on: { click: () => (player.playing ? player.stop() : player.play()) } });
    const level = el("span", { class: "earup-quiet" });
    const player = loop(spec.sr, spec.ceiling_db, show);
    function show() {
      button.textContent = player.playing ? "Stop" : "Listen";
      button.setAttribute("aria-pressed", player.playing);
      const y = arrays.sound.data, rms = Math.sqrt(y.reduce((sum, v) => sum + v * v, 0) / y.length);
      level.textContent = `${dbfs(20 * Math.log10(rms))} RMS, sampled at ${spec.sr} Hz. Esc stops.`;
      root.__earup = player;
    }
    words.prepend(el("div", { class: "earup-row" }, button, level));
    player.change(arrays.sound); show();
    return { update: () => { player.change(arrays.sound); return show(); }, stop: player.stop };
  }

  // Menus, boxes and sliders of the browser; a menu sends the index of its option.
  function makeControl(c) {
    const say = () => el("output", { text: `${number(c.log ? 2 ** values[c.name] : values[c.name], c.digits)} ${c.unit}`.trim() });
    const send = (value) => { values[c.name] = value; return ask(); };
    if (c.kind === "choice") {
      const menu = el("select", { on: { change: () => send(menu.selectedIndex) } }, c.options.map((text) => el("option", { text: minus(text) })));
      menu.selectedIndex = values[c.name];
      return el("label", {}, c.label, menu);
    }
    const slides = c.kind === "slider";
    const input = el("input", { type: slides ? "range" : "checkbox", min: c.low, max: c.high, step: c.step,
      on: { input: () => { send(slides ? Number(input.value) : input.checked); return slides && input.nextSibling.replaceWith(say()); } } });
    if (slides) input.value = values[c.name]; else input.checked = values[c.name];
    return slides ? el("label", {}, c.label, input, say()) : el("label", {}, input, c.label);
  }

  // One handle: a point to drag that is also a slider for keys and screen readers. Partners are two sliders in one place.
  function makeHandle(h) {
    const mate = () => handles.find((other) => other.spec.name === h.partner);
    const node = el("div", { class: `earup-handle ${h.partner ? "free" : h.along}`, role: "slider", tabindex: 0, "aria-label": h.label,
      "aria-orientation": h.along === "x" ? "horizontal" : "vertical", "aria-valuemin": h.low, "aria-valuemax": h.high,
      on: { keydown, animationend: () => node.classList.remove("earup-nudge"), pointermove: (event) => node.hasPointerCapture(event.pointerId) && follow(event) } });
    const u = (v) => (h.log ? Math.log2(v) : v), back = (w) => (h.log ? 2 ** w : w);
    const digits = Math.max(0, Math.ceil(-Math.log10(h.step) - 1e-9));
    function put(value) { // to the nearest step, inside the range
      const steps = Math.round((u(value) - u(h.low)) / h.step);
      const next = Math.max(h.low, Math.min(h.high, Number(back(u(h.low) + steps * h.step).toFixed(h.log ? 6 : digits))));
      if (next === values[h.name]) return;
      values[h.name] = next; place(); mate()?.place(); ask();
    }
    function keydown(event) {
      const axis = { ArrowRight: "x", ArrowLeft: "x", ArrowUp: "y", ArrowDown: "y" }[event.key];
      if (h.partner && axis && axis !== h.along) return void mate().keydown(event);
      const leap = h.page ?? 10 * h.step, now = u(values[h.name]);
      const to = { ArrowRight: now + h.step, ArrowUp: now + h.step, ArrowLeft: now - h.step, ArrowDown: now - h.step,
        PageUp: now + leap, PageDown: now - leap, Home: u(h.low), End: u(h.high) }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault(); event.stopPropagation(); put(back(to));
    }
    function follow(event) { lead(event); mate()?.lead(event); }
    function lead(event) {
      const box = canvases[h.panel].getBoundingClientRect(), { X, Y } = frames[h.panel];
      put(h.along === "x" ? X.back(event.clientX - box.left) : Y.back(event.clientY - box.top));
    }
    function place() {
      const { X, Y, box } = frames[h.panel], v = values[h.name];
      const across = h.along === "x", other = h.partner && values[h.partner];
      node.style.left = `${across ? X.at(v) : h.partner ? X.at(other) : box.x}px`;
      node.style.top = `${!across ? Y.at(v) : h.partner ? Y.at(other) : box.y + box.h}px`;
      node.setAttribute("aria-valuenow", v);
      node.setAttribute("aria-valuetext", minus(`${Number(v.toFixed(h.log ? 1 : digits))} ${h.unit}`.trim()));
    }
    return { node, spec: h, place, follow, lead, keydown };
  }
  function grab(event, panel) { // the nearest handle of this panel comes to the pointer, by touch only the handle itself
    const mine = handles.filter((h) => h.spec.panel === panel);
    const on = mine.find((h) => h.node.contains(event.target));
    if (event.button !== 0 || !mine.length || (!on && event.pointerType === "touch")) return;
    const far = (h) => {
      const r = h.node.getBoundingClientRect(), dx = event.clientX - r.x - r.width / 2, dy = event.clientY - r.y - r.height / 2;
      return h.spec.partner ? Math.hypot(dx, dy) : Math.abs(h.spec.along === "x" ? dx : dy);
    };
    const h = on ?? mine.reduce((a, b) => (far(b) < far(a) ? b : a));
    event.preventDefault(); h.node.focus(); h.node.setPointerCapture(event.pointerId);
    if (!on) h.follow(event);
  }

  let flying = 0, count = 0, pending = false, timer = 0, sent = {}, answeredWith = { ...values };
  function ask() { // at most one request under way; the newest values go when the answer is here
    if (asleep.lost) return back();
    if (flying) return void (pending = true);
    flying = ++count; pending = false;
    timer = setTimeout(late, PATIENCE);
    sent = { ...values };
    model.send({ n: flying, values: sent });
  }
  function late() {
    if (asleep.lost) return back();
    tell("Python has not answered yet: it may be busy with another cell."); return answered();
  }
  function back() { // to where the picture is: nobody will draw another one
    Object.assign(values, answeredWith);
    clearTimeout(timer); flying = 0; pending = false;
    for (const control of root.querySelectorAll(".earup-controls select, .earup-controls input")) control.disabled = true;
    return frames.length && handles.forEach((h) => h.place());
  }
  function tell(text) { fault.textContent = text; fault.hidden = !text; }
  function answered() { clearTimeout(timer); flying = 0; if (pending) ask(); }
  function receive(message, buffers) {
    tell(message.fault ?? "");
    if (!message.fault) {
      if (message.n === flying) answeredWith = sent;
      arrays = { ...arrays, ...unpack(message.contents, buffers[0]) };
      said.textContent = message.readout; won.textContent = message.solved;
      draw(); sound?.update();
    }
    if (message.n === flying) answered();
  }
  // Words beside the picture where both have room; else the panels are lowered, but not while a handle moves.
  let settled = 0;
  function settle() {
    const width = root.clientWidth, to = (k) => canvases.forEach((c, i) => (c.style.height = `${Math.round(k * spec.panels[i].height)}px`));
    if (width === settled) return;
    settled = width; root.classList.toggle("wide", width >= 700); to(1);
    const rows = Object.values(Object.groupBy(panels, (p) => p.offsetTop)).map((row) => Math.max(...row.map((p) => p.querySelector("canvas").clientHeight)));
    const over = width >= 560 ? root.offsetHeight - SCREEN : 0;
    if (over > 0) to(Math.max(width >= 700 ? 0.5 : 0.7, 1 - over / rows.reduce((a, b) => a + b)));
  }
  const nudge = new IntersectionObserver((seen) => { // once: this can be moved
    if (!seen.some((one) => one.isIntersecting)) return;
    nudge.disconnect(); handles.forEach((h) => h.node.classList.add("earup-nudge"));
  }, { threshold: 1 });
  handles.forEach((h) => nudge.observe(h.node));
  function draw() {
    look ??= palette(root); settle();
    frames = spec.panels.map((panel, i) => drawPanel(canvases[i], panel, arrays, look));
    handles.forEach((h) => h.place()); if (brush) brush.draw(frames[spec.brush.panel], look);
    root.dispatchEvent(new CustomEvent("earup-drawn", { bubbles: true }));
  }
  model.on("msg:custom", receive);
  host.append(root);
  const unlook = onLook(root, () => { look = palette(root); return draw(); });
  return () => { unlook(); nudge.disconnect(); asleep.end(); clearTimeout(timer); sound?.stop(); return model.off("msg:custom", receive); };
}

export default { render };
