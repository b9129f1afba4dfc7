// The tapper: a sound to tap along with. Each tap is stamped on the clock of what is heard; clicks show how far off a
// person and a keyboard are. What is to be tapped is drawn only afterwards.

const CLICKS = { count: 16, every: 0.6, skip: 4 }; // of the calibration; the first ones give the pace and do not count
const WINDOW = 0.07, WIDEST = 0.06; // [s] what counts as a hit; a scatter beyond which a calibration is worth nothing
const ROOM = { left: 52, right: 12, wave: 56, row: 24, axis: 30 }; // [px]

// When an event happened, in seconds of the context, at the loudspeaker: the browser may tell of it late.
function heardAt(ctx, event) {
  const { contextTime, performanceTime } = ctx.getOutputTimestamp?.() ?? {};
  if (contextTime > 0 && performanceTime > 0) return contextTime + (event.timeStamp - performanceTime) / 1000;
  return ctx.currentTime - (ctx.outputLatency || 0) - (performance.now() - event.timeStamp) / 1000;
}

const median = (values) => { const v = [...values].sort((a, b) => a - b), k = v.length >> 1; return v.length % 2 ? v[k] : (v[k - 1] + v[k]) / 2; };
const spread = (values) => { const m = median(values); return 1.4826 * median(values.map((v) => Math.abs(v - m))); };

// How many beats have a tap of their own within the window: both in order, so the first that fits is as good as any.
function hitsOf(beats, taps) {
  let hits = 0;
  for (let i = 0, k = 0; i < beats.length && k < taps.length;) {
    if (Math.abs(taps[k] - beats[i]) <= WINDOW) { hits++; i++; k++; } else if (taps[k] < beats[i]) k++; else i++;
  }
  return hits;
}

// {lag, scatter} of taps against clicks [s], or null where they are too few.
function calibrationOf(taps) {
  const near = taps.map((t) => Math.round(t / CLICKS.every));
  const off = taps.map((t, i) => t - near[i] * CLICKS.every).filter((_, i) => near[i] >= CLICKS.skip && near[i] < CLICKS.count);
  return off.length < CLICKS.count / 2 ? null : { lag: median(off), scatter: spread(off) };
}

function clickTrack(sr) {
  const y = new Float32Array(Math.round(CLICKS.count * CLICKS.every * sr));
  for (let k = 0; k < CLICKS.count; k++) {
    const first = Math.round(k * CLICKS.every * sr);
    for (let i = 0; i < 0.04 * sr; i++) y[first + i] = 0.25 * Math.sin((2 * Math.PI * 1000 * i) / sr) * Math.exp(-i / (0.008 * sr));
  }
  return y;
}

function render({ model, el: host }) {
  const sr = model.get("sr"), y = floats(model.get("pcm")), beats = model.get("beats"), total = y.length / sr;
  let run = null, taps = model.get("taps"), seen = taps.length > 0, words = "", frame = 0, painted = 0;
  const sound = deck([[y]], { sr, onstate: refresh }), clicks = deck([[clickTrack(sr)]], { sr, onstate: refresh });

  const button = (text, click) => el("button", { type: "button", text, on: { click } });
  const start = button("Play and tap", () => (run ? run.deck.stop() : begin(sound))), adjust = button("Calibrate with 16 clicks", () => begin(clicks));
  start.className = "earup-main";
  const pad = el("button", { type: "button", class: "earup-pad", text: "Tap here, or press Space",
    on: { pointerdown: (event) => { if (run) { event.preventDefault(); tap(event); } }, click: (event) => run && !event.detail && tap(event) } }); // a screen reader clicks without a pointer
  const canvas = el("canvas", { "aria-hidden": "true", class: "earup-taps" });
  const readout = live(), asleep = sleeper(model, "You can go on tapping; Python no longer gets it."), title = model.get("title") || "Tapper";
  const root = el("div", { class: "earup earup-tapper", role: "group", "aria-label": title }, heading(title),
    el("div", { class: "earup-row" }, start, adjust), pad, canvas, readout,
    el("p", { class: "earup-quiet earup-keys", text: "Keys: Space taps, Escape silences. What you tap stays in this page and its Python." }), asleep.node);
  root.__earup = { sound, clicks, get run() { return run; }, get taps() { return taps; }, get analyser() { return (run?.deck ?? sound).analyser; } };
  host.append(root);
  const offKeys = shortcuts(root, () => ({}));
  const onspace = (event) => {
    if (!run || event.key !== " " || !root.contains(document.activeElement) || document.activeElement === start) return;
    event.preventDefault(); event.stopPropagation();
    if (event.type === "keydown" && !event.repeat) tap(event);
  };
  for (const type of ["keydown", "keyup"]) window.addEventListener(type, onspace, true);

  // -- what a person does --
  function begin(deck) {
    if (run) run.deck.stop();
    deck.seek(0);
    run = { deck, taps: [] };
    words = deck === clicks ? "Tap with each click, after the first four." : "Tap where you feel the beat.";
    deck.play(); pad.focus();
  }
  function tap(event) {
    const { ctx, position } = run.deck;
    run.taps.push(position + heardAt(ctx, event) - ctx.currentTime);
    pad.classList.add("earup-hit");
    setTimeout(() => pad.classList.remove("earup-hit"), 90);
    paint();
  }
  function finish() {
    const { deck, taps: got } = run;
    run = null;
    if (deck === clicks) words = calibrated(calibrationOf(got));
    else if (got.length) {
      taps = got.map((t) => t - (PAGE.lag ?? 0)); seen = true; words = told();
      model.set("taps", taps); model.set("lag_ms", 1000 * (PAGE.lag ?? 0)); model.save_changes();
    } else words = "No taps.";
    if (root.contains(document.activeElement)) start.focus();
  }
  function calibrated(found) {
    if (!found) return "Too few taps to calibrate: tap with each click.";
    const ms = Math.round(1000 * Math.abs(found.lag)), scatter = Math.round(1000 * found.scatter);
    if (found.scatter > WIDEST) return `Your taps scatter by ${scatter} ms around the clicks: too much to calibrate by. Once more?`;
    PAGE.lag = found.lag;
    return `You tap ${ms} ms ${found.lag < 0 ? "before" : "after"} the click, give or take ${scatter} ms. From now on that is taken off.`;
  }
  function told() {
    const gaps = taps.slice(1).map((t, i) => t - taps[i]), n = `${taps.length} tap${taps.length > 1 ? "s" : ""}`;
    const pace = gaps.length ? `, one every ${median(gaps).toFixed(2)} s: ${Math.round(60 / median(gaps))} a minute` : "";
    const hits = hitsOf(beats, taps), score = (2 * hits) / (beats.length + taps.length);
    return `${n}${pace}.` + (beats.length ? ` ${hits} of ${beats.length} beats have a tap within 70 ms: F = ${score.toFixed(2)}.` : "");
  }

  // -- what it shows --
  function refresh() {
    if (run && !run.deck.playing) finish();
    start.textContent = run ? "Stop" : "Play and tap";
    adjust.disabled = !!run; pad.disabled = !run;
    readout.textContent = run?.deck.blocked ? "The browser has not let the sound start: press the button again." : words;
    paint();
    cancelAnimationFrame(frame);
    if (run) frame = requestAnimationFrame(tick);
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  function tick(time) {
    if (!calm.matches || time - painted > 250) { painted = time; paint(); }
    frame = requestAnimationFrame(tick);
  }
  function paint() {
    if (!root.isConnected || !canvas.clientWidth) return;
    const colours = palette(root), { g, w, dpr } = fit(canvas), mine = run ? run.taps : taps;
    const span = run ? run.deck.duration : total, X = scale({ low: 0, high: span }, ROOM.left, w - ROOM.right), foot = ROOM.wave + 2 * ROOM.row;
    const box = { x: ROOM.left, y: 2, w: w - ROOM.left - ROOM.right, h: ROOM.wave - 4 };
    g.font = "12px Arial, 'Liberation Sans', Helvetica, sans-serif"; g.textBaseline = "middle";
    const label = (text, x, top, align, colour = colours.text) => { g.fillStyle = colour; g.textAlign = align; g.fillText(text, x, top); };
    const row = (times, top, name, colour) => {
      label(name, ROOM.left - 8, top + ROOM.row / 2, "right", colour);
      for (const t of times) g.fillRect(X.at(Math.max(0, Math.min(span, t))) - 1, top + 3, 2, ROOM.row - 6);
    };
    if (seen && !run) drawWave(g, box, y, { peak: y.reduce((top, v) => Math.max(top, Math.abs(v)), 0.01), colour: colours.signal, scale: dpr });
    else label(run ? "Listen and tap" : "Drawn when you have tapped", box.x + box.w / 2, box.y + box.h / 2, "center");
    row(mine, ROOM.wave, "you", colours.ear);
    if (seen && !run && beats.length) row(beats, ROOM.wave + ROOM.row, "beats", colours.reference);
    const { values, digits } = ticks(0, span, Math.min(8, box.w / 70));
    for (const t of values) { g.fillStyle = colours.mute; g.fillRect(X.at(t), foot, 1, 4); label(t.toFixed(digits), X.at(t), foot + 12, "center"); }
    label("Time [s]", w - ROOM.right, foot + 24, "right");
    if (run) { g.fillStyle = colours.ink; g.fillRect(X.at(run.deck.position) - 1, 0, 2, foot); }
  }
  if (taps.length) words = told();
  else words = PAGE.lag === undefined ? "Calibrate once, so that the delay of your keyboard is known; then play and tap." : "Play and tap.";
  refresh();
  const unlook = onLook(root, paint);
  return () => { sound.stop(); clicks.stop(); unlook(); asleep.end(); offKeys(); cancelAnimationFrame(frame);
    for (const type of ["keydown", "keyup"]) window.removeEventListener(type, onspace, true); return root.remove(); };
}

export default { render };
