// The shared core of the course's widgets. Python puts this file in front of each widget's own file (see __init__.py),
// because an anywidget module cannot import a sibling. Plain names, no imports, nothing here touches the page on load
// but the one page-wide state below, so that Node can test the arithmetic.

const FADE = 0.025; // [s] every onset, offset and switch: long enough not to click, short enough to compare by ear
const LEAD = 0.01; // [s] events are scheduled this far ahead, so that the audio thread hears of them in time

// ---- the page: what is shared by all widgets, each of which is a module of its own ----

const PAGE = (globalThis.__earup ??= pageState());

function pageState() {
  const page = { contexts: new Map(), stops: new Set(), channel: null };
  page.hush = (keep) => [...page.stops].forEach((stop) => stop !== keep && stop());
  if (typeof document === "undefined") return page;
  document.addEventListener("keydown", (event) => event.key === "Escape" && silence(), true);
  try {
    page.channel = new BroadcastChannel("earup"); // outputs in sibling frames (Colab) hush each other through it
    page.channel.onmessage = () => page.hush();
  } catch {} // a sandboxed frame may forbid it; the page itself still keeps to one sound
  return page;
}

// Call before sounding: everything else on the page stops. Returns release(), to be called when this source ends.
function claim(stop) {
  PAGE.hush(stop);
  PAGE.stops.add(stop);
  PAGE.channel?.postMessage("claim");
  return () => PAGE.stops.delete(stop);
}

function silence() {
  PAGE.hush();
  PAGE.channel?.postMessage("silence");
}

// ---- DOM ----

// el("button", {class: "x", text: "Play", on: {click: f}, "aria-label": "..."}, child, ...)
function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "text") node.textContent = value;
    else if (key === "on") for (const [type, f] of Object.entries(value)) node.addEventListener(type, f);
    else if (["value", "checked", "disabled", "hidden"].includes(key)) node[key] = value;
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// A read-out that screen readers speak when its textContent changes.
const live = (text = "") => el("p", { class: "earup-live", role: "status", "aria-live": "polite", text });

// Keys that work while the focus is inside root. Caught on the window, before JupyterLab's own listener on the document
// sees them: in its command mode x cuts a cell, a adds one and the arrows leave it. Native controls keep their keys: in
// the table they are null. What the table does not know reaches the notebook, unless all keys stay here.
function shortcuts(root, table, all = true) {
  const onkey = (event) => {
    if (!root.contains(document.activeElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (["Escape", "Tab", "Shift"].includes(event.key) || (event.shiftKey && event.key === "Enter")) return;
    const action = table()[event.key.toLowerCase()];
    if (all || action !== undefined) event.stopPropagation();
    if (action) { event.preventDefault(); if (!(event.repeat && event.key === " ")) action(); }
  };
  window.addEventListener("keydown", onkey, true);
  return () => window.removeEventListener("keydown", onkey, true);
}

// The line under a widget whose Python has ended: what no longer works, and the button that wakes the page, where a page
// has one (JupyterLab's extension listens for the event, and tells of kernels that died or were changed).
function sleeper(model, words) {
  const wake = el("button", { type: "button", text: "Wake this page",
    on: { click: () => node.dispatchEvent(new CustomEvent("earup-wake", { bubbles: true })) } });
  const node = el("p", { class: "earup-lost", role: "status", hidden: true, "data-lm-suppress-shortcuts": true,
    on: { "earup-asleep": () => lost() } });
  const me = { node, lost: false, end: () => model.off("comm_live_update", lost) };
  function lost() {
    if (me.lost) return;
    me.lost = true; node.hidden = false;
    const helps = document.documentElement.hasAttribute("data-earup-wakes") && !node.closest("[data-earup-asked]");
    node.replaceChildren(`Asleep: Python was restarted. ${words} `, helps ? wake : "Run this cell again.");
  }
  model.on("comm_live_update", lost); // after the first drawing it comes only when the kernel goes
  return me;
}

const paragraphs = (text, cls) => (text ? text.split("\n") : []).map((line) => el("p", { class: cls, text: line }));
const heading = (text) => el("p", { class: "earup-title", text });

// A number as the course prints it: a true minus sign, and words for silence.
const minus = (text) => text.replace(/-(?=\d)/g, "\u2212");
const signed = (x, digits = 1) => x.toFixed(digits).replace("-", "\u2212");
const dbfs = (db) => (Number.isFinite(db) ? `${signed(db)} dBFS` : "silence");

// Colours of the theme, read from style.css, and marks the root as `night` where the page writes light on dark.
function palette(root) {
  root.classList.remove("night");
  const text = getComputedStyle(root.parentElement ?? root).color; // empty while the root is not in the page
  const [r, g, b] = (text.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  const dark = 0.299 * r + 0.587 * g + 0.114 * b > 128;
  root.classList.toggle("night", dark);
  const style = getComputedStyle(root);
  const names = ["ground", "ink", "text", "mute", "grid", "data", "signal", "reference", "prediction", "error", "noise", "ear"];
  return Object.fromEntries([["dark", dark], ...names.map((n) => [n, style.getPropertyValue(`--${n}`).trim()])]);
}

// Calls redraw() now and whenever the size or the theme changes; returns a function that ends this.
function onLook(root, redraw) {
  let frame = 0;
  const later = () => { cancelAnimationFrame(frame); frame = requestAnimationFrame(redraw); };
  const size = new ResizeObserver(later);
  const theme = new MutationObserver(later);
  size.observe(root);
  for (const node of [document.documentElement, document.body]) {
    theme.observe(node, { attributes: true, attributeFilter: ["class", "theme", "data-jp-theme-name", "data-vscode-theme-kind"] });
  }
  later();
  return () => { size.disconnect(); theme.disconnect(); return cancelAnimationFrame(frame); };
}

// ---- sound ----

// One context per rate on the page, at the sound's own rate, so that the browser's good resampler does the rest.
function context(sr) {
  let ctx = PAGE.contexts.get(sr);
  if (!ctx || ctx.state === "closed") {
    try {
      ctx = new AudioContext({ sampleRate: sr, latencyHint: "balanced" });
    } catch {
      ctx = new AudioContext(); // a browser that refuses this rate: buffers are then resampled on playing
    }
    PAGE.contexts.set(sr, ctx);
  }
  return ctx;
}

// The only way to the loudspeaker: {input, analyser}. Below the ceiling the sound passes unchanged (to 1e-7 of full
// scale), above it it is cut: the shaper's curve ends at +-1, and what lies beyond takes the end's value.
function output(ctx, ceilingDb = -1) {
  const ceiling = 10 ** (Math.min(ceilingDb, 0) / 20);
  const input = new GainNode(ctx, { gain: 1 / ceiling });
  const limiter = new WaveShaperNode(ctx, { curve: new Float32Array([-1, 0, 1]), oversample: "none" });
  const analyser = new AnalyserNode(ctx, { fftSize: 8192, smoothingTimeConstant: 0 });
  input.connect(limiter).connect(new GainNode(ctx, { gain: ceiling })).connect(analyser).connect(ctx.destination);
  return { input, analyser };
}

// Raised cosine: up and down add to one at every moment, so a cross-fade of equal sounds keeps their level.
const raised = (i, n) => 0.5 - 0.5 * Math.cos((Math.PI * i) / n);
const rampCurve = (from, to, n = 64) => Float32Array.from({ length: n + 1 }, (_, i) => from + (to - from) * raised(i, n));

// Move a gain along a raised cosine; returns the time at which the next ramp of the same gain may begin.
function ramp(param, from, to, at, ms = FADE * 1000) {
  const seconds = Math.max(ms, 20) / 1000, curve = rampCurve(from, to);
  try {
    param.setValueCurveAtTime(curve, at, seconds);
  } catch { // the audio thread was ahead and began the last ramp later than it was told: wait until that has ended
    at += seconds;
    param.setValueCurveAtTime(curve, at, seconds);
  }
  return at + seconds + 0.001;
}

// ---- numbers ----

// Bytes of a trait (a DataView at any offset) as float32.
const floats = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// In-place complex FFT, radix 2: X[k] = sum_n x[n] exp(-2 pi i k n / N).
function fft(re, im) {
  const n = re.length;
  if (n & (n - 1)) throw new Error(`fft needs a power of two, got ${n}`);
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const wr = Math.cos((-2 * Math.PI * k) / size), wi = Math.sin((-2 * Math.PI * k) / size);
      for (let a = k; a < n; a += size) {
        const b = a + half;
        const tr = re[b] * wr - im[b] * wi, ti = re[b] * wi + im[b] * wr;
        re[b] = re[a] - tr; im[b] = im[a] - ti; re[a] += tr; im[a] += ti;
      }
    }
  }
}

// Spectrogram in dB, where a sine of amplitude 1 on a bin reads 0 dB. Frame m is centred on sample m * hop (Hann).
function stftDb(y, nFft, hop, floor = -140) {
  const bins = nFft / 2 + 1, frames = Math.floor((y.length - 1) / hop) + 1;
  const window = Float64Array.from({ length: nFft }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / nFft));
  const scale = 4 / nFft; // 2 / sum of the window
  const db = new Float32Array(frames * bins), re = new Float64Array(nFft), im = new Float64Array(nFft);
  for (let m = 0; m < frames; m++) {
    const start = Math.round(m * hop) - nFft / 2;
    for (let i = 0; i < nFft; i++) re[i] = (y[start + i] ?? 0) * window[i];
    im.fill(0);
    fft(re, im);
    for (let k = 0; k < bins; k++) db[m * bins + k] = Math.max(floor, 20 * Math.log10(Math.hypot(re[k], im[k]) * scale + 1e-12));
  }
  return { db, frames, bins };
}

// ---- pictures ----

const RAMPS = { // quiet is the ground, loud is far from it (the course's "level" map)
  paper: "FFFFFF D8E7F0 AFCEE1 84B4D2 5699C1 317CAC 205F8E 14436C 0A2848 050F22",
  night: "111111 14263A 173D5E 1C5682 2A71A2 468DBA 6CA9CB 95C4DA C2DEE9 F4FAFD",
};

// 256 colours [r, g, b] from the ground to the loudest.
function levelMap(dark) {
  const stops = RAMPS[dark ? "night" : "paper"].split(" ").map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const x = (i / 255) * (stops.length - 1), k = Math.min(Math.floor(x), stops.length - 2);
    return stops[k].map((c, j) => c + (x - k) * (stops[k + 1][j] - c));
  });
}

// Size a canvas for the screen's pixels; returns its 2D context in CSS pixels with its width and height.
function fit(canvas) {
  const { clientWidth: w, clientHeight: h } = canvas, dpr = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(w * dpr)); canvas.height = Math.max(1, Math.round(h * dpr));
  const g = canvas.getContext("2d");
  g.scale(dpr, dpr);
  return { g, w, h, dpr };
}

// Round numbers from lo to hi, about n of them, in steps of 1, 2 or 5 times a power of ten.
function ticks(lo, hi, n) {
  const raw = (hi - lo) / Math.max(1, n), base = 10 ** Math.floor(Math.log10(raw));
  const step = base * ([1, 2, 5].find((m) => m * base >= raw * 0.999) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const out = [];
  for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-6; v += step) out.push(Number(v.toFixed(digits)));
  return { values: out, digits };
}

// From values of an axis to pixels between a and b, and back; u is the axis made linear.
function scale(axis, a, b) {
  const u = axis.log ? Math.log2 : (v) => v, lo = u(axis.low), hi = u(axis.high);
  const at = (v) => a + ((u(v) - lo) / (hi - lo)) * (b - a);
  const back = (px) => { const w = lo + ((px - a) / (b - a)) * (hi - lo); return axis.log ? 2 ** w : w; };
  return { at, back };
}

function marksOf(axis, length) {
  if (!axis.log) return ticks(axis.low, axis.high, Math.max(2, length / 80));
  // octaves around 1000, or 1; every second or third of them where marks have no room
  const base = axis.high > 128 ? 1000 : 1, skip = Math.max(1, Math.ceil((34 * Math.log2(axis.high / axis.low)) / length));
  return { values: Array.from({ length: 41 }, (_, k) => base * 2 ** (skip * (k - 20))).filter((v) => v >= axis.low * 0.999 && v <= axis.high * 1.001), digits: 0 };
}

// Angular frequency [rad/sample] of the sine whose samples change as much from one to the next (RMS); NaN of silence.
function rmsFrequency(y) {
  let power = 0, change = 0;
  for (let i = 1; i < y.length; i++) { power += y[i] ** 2; change += (y[i] - y[i - 1]) ** 2; }
  return 2 * Math.asin(Math.min(1, Math.sqrt(change / power) / 2));
}

// Waveform as one bar from lowest to highest sample per pixel. span: samples that the box is wide; peak: half height.
// A tone with periods narrower than 6 pixels is drawn by two whole ones, or a steady tone would seem to beat.
function drawWave(g, box, y, { span = y.length, peak = 1, colour, scale = 2 }) {
  const mid = box.y + box.h / 2, k = box.h / 2 / peak, step = 1 / scale, period = (2 * Math.PI) / rmsFrequency(y);
  const reach = period < (6 * span) / box.w ? Math.ceil(period) : 0;
  g.fillStyle = colour;
  for (let x = 0; x < box.w; x += step) {
    const a = Math.floor((x / box.w) * span), b = Math.max(a + 1, Math.floor(((x + step) / box.w) * span));
    if (a >= y.length) break;
    let lo = Infinity, hi = -Infinity;
    for (let i = Math.max(0, a - reach); i < Math.min(b + 1 + reach, y.length); i++) { lo = Math.min(lo, y[i]); hi = Math.max(hi, y[i]); }
    g.fillRect(box.x + x, mid - hi * k - 0.4, step, (hi - lo) * k + 0.8);
  }
}

// Levels of rows and columns as colours, into a box; row 0 is the lowest. low, high: what is ground and what is ink.
function drawLevels(g, box, [rows, cols], level, [low, high], { dark, smooth }) {
  const lut = Uint32Array.from(levelMap(dark), ([r, gr, b]) => (255 << 24) | (Math.round(b) << 16) | (Math.round(gr) << 8) | Math.round(r));
  const picture = new ImageData(cols, rows), out = new Uint32Array(picture.data.buffer), k = 255 / (high - low);
  for (let r = 0; r < rows; r++) {
    for (let c = 0, to = (rows - 1 - r) * cols; c < cols; c++) out[to + c] = lut[Math.max(0, Math.min(255, Math.round((level(r, c) - low) * k))) || 0];
  }
  const store = new OffscreenCanvas(cols, rows);
  store.getContext("2d").putImageData(picture, 0, 0);
  g.imageSmoothingEnabled = smooth; g.drawImage(store, box.x, box.y, box.w, box.h);
}

// Spectrogram (of stftDb) into a box; each pixel row takes the strongest of its bins. at: share of the height to bin.
function drawSpectrogram(g, box, { db, frames, bins }, { range = [-100, -20], dark = false, scale = 2, at = (u) => u * bins }) {
  const rows = Math.round(box.h * scale), edges = Array.from({ length: rows + 1 }, (_, r) => Math.floor(at(r / rows)));
  const strongest = (r, m) => {
    let top = -Infinity;
    for (let k = edges[r]; k < Math.max(edges[r] + 1, edges[r + 1]); k++) top = Math.max(top, db[m * bins + k]);
    return top;
  };
  drawLevels(g, box, [rows, frames], strongest, range, { dark, smooth: true });
}
