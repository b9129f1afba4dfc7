// A brush for one panel of a stage: cells that are kept or removed, by pointer or by keys. Put before stage.js by Python.

const cellsOf = (text) => Uint8Array.from(text, (c) => +c);

// Where a brush of some size around a cell begins; it never leaves the grid.
const corner = (at, size, n) => Math.max(0, Math.min(n - size, at - Math.floor((size - 1) / 2)));

// Set the cells of a rectangle around [row, col]; returns whether any changed.
function stamp(cells, { rows, cols }, [row, col], [high, wide], value) {
  let changed = false;
  const r0 = corner(row, high, rows), c0 = corner(col, wide, cols);
  for (let r = r0; r < r0 + high; r++) {
    for (let c = c0; c < c0 + wide; c++) {
      changed ||= cells[r * cols + c] !== value; cells[r * cols + c] = value;
    }
  }
  return changed;
}

// Cells on the way from one to the other, so that a fast stroke leaves no gaps.
function between([r0, c0], [r1, c1]) {
  const n = Math.max(1, Math.abs(r1 - r0), Math.abs(c1 - c0));
  return Array.from({ length: n }, (_, i) => [r0 + Math.round(((r1 - r0) * (i + 1)) / n), c0 + Math.round(((c1 - c0) * (i + 1)) / n)]);
}

// spec: {label, rows, cols, start, high, wide}; onchange(text) after every change, redraw() when only the cursor moved.
function makeBrush(spec, axes, onchange, redraw) {
  const { rows, cols } = spec, past = [];
  let cells = cellsOf(spec.start), at = [Math.floor(rows / 2), Math.floor(cols / 2)], value = 0, box = null, stroke = null;
  const said = el("p", { class: "earup-hidden", role: "status", "aria-live": "polite" });
  const node = el("div", { class: "earup-brush", tabindex: 0, role: "application", "aria-label":
    `${spec.label}. Arrows move the brush, Space paints, with Shift the arrows paint; K keeps, R removes, U undoes.`,
    on: { keydown, focus: redraw, blur: redraw, pointerdown, pointermove, pointerup: () => (stroke = null), pointercancel: () => (stroke = null) } });
  const modes = ["Remove", "Keep"].map((text, i) => el("button", { type: "button", text, "aria-pressed": String(i === 0), on: { click: () => mode(i) } }));
  const sizes = [["high", "High", rows, axes.y], ["wide", "Wide", cols, axes.x]].map(([name, label, most, axis]) => {
    const input = el("input", { type: "range", min: 1, max: most, step: 1, value: spec[name], on: { input: () => { output.textContent = inUnits(); return redraw(); } } });
    const inUnits = () => `${number(((axis.high - axis.low) / most) * input.value, 2)} ${axis.unit}`;
    const output = el("output", { text: inUnits() });
    return { input, node: el("label", {}, label, input, output) };
  });
  const undo = el("button", { type: "button", text: "Undo", disabled: true, on: { click: takeBack } });
  const fresh = el("button", { type: "button", text: "Start over", on: { click: () => { remember(); cells = cellsOf(spec.start); return changed(); } } });
  const row = el("div", { class: "earup-row earup-controls" }, modes, sizes.map((s) => s.node), undo, fresh, said);

  const size = () => sizes.map((s) => +s.input.value);
  function mode(i) { value = i; modes.forEach((m, j) => m.setAttribute("aria-pressed", String(i === j))); redraw(); }
  function remember() { past.push(cells.slice()); if (past.length > 50) past.shift(); undo.disabled = false; }
  function takeBack() { if (past.length) { cells = past.pop(); undo.disabled = !past.length; changed(); } }
  function changed() { redraw(); onchange(cells.join("")); }
  function paint(places) {
    if (places.map((place) => stamp(cells, spec, place, size(), value)).some(Boolean)) changed();
    else redraw();
  }
  function tell() {
    const [y, x] = [[axes.y, rows], [axes.x, cols]].map(([a, n], i) => `${number(a.low + ((at[i] + 0.5) * (a.high - a.low)) / n, 2)} ${a.unit}`);
    said.textContent = `${x}, ${y}, ${cells[at[0] * cols + at[1]] ? "kept" : "removed"}`;
  }
  function keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageUp: [size()[0], 0],
      PageDown: [-size()[0], 0], Home: [0, -cols], End: [0, cols] }[event.key];
    const deed = { " ": () => { remember(); return paint([at]); }, k: () => mode(1), r: () => mode(0), u: takeBack }[event.key.toLowerCase()];
    if (!way && !deed) return;
    event.preventDefault(); event.stopPropagation();
    if (way) {
      const to = [[rows, 0], [cols, 1]].map(([n, i]) => Math.max(0, Math.min(n - 1, at[i] + way[i])));
      const path = between(at, to);
      at = to; if (event.shiftKey) { if (!event.repeat) remember(); paint(path); } else redraw();
    } else deed();
    tell();
  }
  const cellAt = (event) => {
    const r = node.getBoundingClientRect(), inside = (v, n) => Math.max(0, Math.min(n - 1, Math.floor(v * n)));
    return [inside(1 - (event.clientY - r.y) / r.height, rows), inside((event.clientX - r.x) / r.width, cols)];
  };
  function pointerdown(event) {
    if (event.button !== 0) return;
    event.preventDefault(); event.stopPropagation(); node.focus(); node.setPointerCapture(event.pointerId);
    at = stroke = cellAt(event); remember(); paint([at]);
  }
  function pointermove(event) {
    const to = cellAt(event), path = stroke && between(stroke, to);
    at = to; if (stroke) { stroke = to; paint(path); } else redraw();
  }
  // Veil and hatch what is removed, and show where the brush is.
  function draw({ g, box: b }, look) {
    Object.assign(node.style, { left: `${b.x}px`, top: `${b.y}px`, width: `${b.w}px`, height: `${b.h}px` });
    const veil = new OffscreenCanvas(cols, rows), v = veil.getContext("2d"), dpr = devicePixelRatio;
    v.fillStyle = look.ground;
    for (let i = 0; i < cells.length; i++) if (!cells[i]) v.fillRect(i % cols, rows - 1 - Math.floor(i / cols), 1, 1);
    g.save(); g.imageSmoothingEnabled = false; g.globalAlpha = 0.82; g.drawImage(veil, b.x, b.y, b.w, b.h); g.globalAlpha = 1;
    const hatch = new OffscreenCanvas(b.w * dpr, b.h * dpr), h2 = hatch.getContext("2d"); // so that nothing that is gone looks like silence
    h2.imageSmoothingEnabled = false; h2.drawImage(veil, 0, 0, hatch.width, hatch.height);
    h2.globalCompositeOperation = "source-in"; h2.strokeStyle = look.error; h2.lineWidth = dpr; h2.beginPath();
    for (let x = -hatch.height; x < hatch.width; x += 7 * dpr) { h2.moveTo(x, hatch.height); h2.lineTo(x + hatch.height, 0); }
    h2.stroke(); g.globalAlpha = 0.5; g.drawImage(hatch, b.x, b.y, b.w, b.h); g.globalAlpha = 1;
    const [high, wide] = size(), w = b.w / cols, h = b.h / rows;
    g.beginPath(); g.rect(b.x, b.y, b.w, b.h); g.clip();
    g.strokeStyle = value ? look.ear : look.error; g.lineWidth = 2;
    g.strokeRect(b.x + corner(at[1], wide, cols) * w, b.y + b.h - (corner(at[0], high, rows) + high) * h, wide * w, high * h);
    g.restore();
  }
  return { node, row, draw };
}
