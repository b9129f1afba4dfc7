// The recorder: microphone to float samples, unprocessed; trim, listen, save through Python.

const PART = 1 << 20; // [bytes] a message; servers limit what one may hold (Jupyter: 10 MB)

function render({ model, el: host }) {
  const most = model.get("seconds"), file = `${model.get("name")}.wav`;
  let mic = null, starting = false, blocks = [], count = 0, release = () => {}, clipped = 0;
  let take = null, trim = { from: 0, to: 0 }, player = null, colours, waiting = 0, held = null;

  const button = (text, click, kind) => el("button", { type: "button", text, class: kind, on: { click } });
  const record = button("Record", () => (mic ? finish() : begin()), "earup-main");
  const listen = button("Listen", () => (player?.playing ? player.stop() : hear()));
  const keep = button("Save", () => save(false), "earup-main");
  const replace = button("Replace the old one", () => save(true)), leave = button("Keep the old one", () => ask(false));
  const remove = button("", discard);
  const upload = el("input", { type: "file", accept: "audio/*,.wav,.flac,.ogg,.mp3", class: "earup-hidden", on: { change: choose } });
  const bar = el("span", {}), meter = el("div", { class: "earup-meter", role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0 }, bar);
  const level = el("span", { class: "earup-clock" });
  const canvas = el("canvas", { class: "earup-take", "aria-hidden": "true", on: { pointerdown: grab, pointermove: (e) => grip && pull(e), pointerup: () => (grip = null) } });
  const numbers = ["from", "to"].map((edge) => el("input", {
    type: "number", step: 0.05, min: 0, "aria-label": `Keep ${edge} [s]`, on: { change: ({ target }) => cut(edge, Number(target.value)) },
  }));
  const trimRow = el("div", { class: "earup-row" }, el("label", {}, "Keep from ", numbers[0], " s"), el("label", {}, "to ", numbers[1], " s"), listen, keep, replace, leave);
  const warn = el("p", { class: "earup-warn", role: "alert" }), readout = live(), state = el("p", { class: "earup-quiet" });
  const asleep = sleeper(model, "You can record and listen; saving needs Python.");
  const root = el("div", { class: "earup earup-recorder", role: "group", "aria-label": "Recorder" },
    el("div", { class: "earup-row" }, record, meter, level), canvas, trimRow, warn, readout,
    el("div", { class: "earup-row" }, state, el("label", { class: "earup-file" }, upload, el("span", { text: "Choose a sound file" })), remove),
    asleep.node, el("p", { class: "earup-asleep", text: "Saving needs a running notebook: run this cell first." }),
    el("p", { class: "earup-quiet", text: `Your recording stays on this computer, in ${file} beside the notebook; on Colab and Binder it is sent to that server.` }));
  root.__earup = { get take() { return take; }, get trim() { return trim; }, get analyser() { return player?.analyser; }, get ctx() { return player?.ctx; } };
  host.append(root);
  const offKeys = shortcuts(root, () => ({})); // keys that a control uses itself must not reach the notebook

  // -- recording --
  async function begin() {
    if (starting) return;
    starting = true; warn.textContent = ""; blocks = []; count = 0; clipped = 0;
    player?.stop();
    readout.textContent = "Waiting for the microphone ...";
    try {
      mic = await microphone(block, () => { finish(); warn.textContent = "The microphone went away; what it gave until then is kept."; });
      if (!root.isConnected) return finish();
      release = claim(finish); // players fall silent, so that they are not recorded
      readout.textContent = `Recording, at most ${most} s.`;
      if (mic.processed.length) warn.textContent = `This browser still processes the sound (${mic.processed.join(", ")}).`;
    } catch (error) {
      readout.textContent = "";
      warn.textContent = refusal(error, ", or choose a sound file");
    } finally {
      starting = false; show();
    }
  }
  function block(y) {
    if (!mic) return;
    const rest = Math.round(most * mic.sr) - count, part = y.length > rest ? y.slice(0, rest) : y;
    let peak = 0;
    part.forEach((v, i) => {
      if (Math.abs(v) >= 0.999) clipped++;
      part[i] = Math.max(-1, Math.min(1, v));
      peak = Math.max(peak, Math.abs(v));
    });
    blocks.push(part); count += part.length;
    gauge(peak);
    if (clipped) warn.textContent = "Too loud: the recording clips. Move back or speak more softly, and record again.";
    if (count >= Math.round(most * mic.sr)) finish();
  }
  let high = 0, drawn = 0;
  function gauge(peak) {
    high = Math.max(peak, high);
    if (performance.now() - drawn < 60) return;
    const db = 20 * Math.log10(Math.max(high, 1e-4));
    bar.style.width = `${Math.max(0, Math.min(100, (db + 60) / 0.6))}%`;
    meter.setAttribute("aria-valuenow", Math.max(-60, Math.round(db)));
    level.textContent = `${(count / (mic?.sr ?? 1)).toFixed(1)} of ${most} s, peak ${db > -79 ? dbfs(Math.round(db)).replace(".0", "") : "silence"}`;
    drawn = performance.now(); high = 0;
  }
  function finish() {
    if (!mic) return;
    const { sr, stop } = mic;
    mic = null; stop(); release();
    const y = new Float32Array(count);
    blocks.reduce((at, part) => { y.set(part, at); return at + part.length; }, 0);
    setTake(y, sr, y.length ? `Recorded ${(y.length / sr).toFixed(2)} s at ${sr} Hz.` : "The microphone gave no sound.");
  }
  function setTake(y, sr, text) {
    player?.stop();
    take = y.length ? { y, sr } : null;
    trim = { from: 0, to: y.length / sr };
    readout.textContent = take ? `${text} ${summary()}` : text;
    ask(false);
  }
  const kept = () => take.y.slice(Math.round(trim.from * take.sr), Math.round(trim.to * take.sr));
  function summary() {
    const y = kept(), peak = y.reduce((top, v) => Math.max(top, Math.abs(v)), 0), power = y.reduce((sum, v) => sum + v * v, 0) / y.length;
    return peak ? `Peak ${dbfs(20 * Math.log10(peak))}, RMS ${dbfs(10 * Math.log10(power))}.` : "It is silent: check that the microphone is on.";
  }

  // -- trimming and listening --
  let grip = null;
  function cut(edge, t) {
    const end = take.y.length / take.sr, least = Math.min(0.1, end), t0 = Number.isFinite(t) ? t : trim[edge];
    trim[edge] = edge === "from" ? Math.max(0, Math.min(t0, trim.to - least)) : Math.min(end, Math.max(t0, trim.from + least));
    player?.stop();
    readout.textContent = `Keeping ${(trim.to - trim.from).toFixed(2)} s. ${summary()}`;
    show();
  }
  const timeAt = (event) => ((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * (take.y.length / take.sr);
  function grab(event) {
    if (!take) return;
    const t = timeAt(event);
    grip = Math.abs(t - trim.from) < Math.abs(t - trim.to) ? "from" : "to";
    canvas.setPointerCapture(event.pointerId);
    pull(event);
  }
  const pull = (event) => cut(grip, timeAt(event));
  function hear() {
    player = deck([[kept()]], { sr: take.sr, onstate: () => (listen.textContent = player?.playing ? "Stop" : "Listen") });
    player.play();
  }

  // -- Python --
  function send(content, bytes) {
    const parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    for (let part = 0; part < parts; part++) model.send({ ...content, part, parts }, undefined, [bytes.slice(part * PART, (part + 1) * PART)]);
    clearTimeout(waiting);
    waiting = setTimeout(() => (readout.textContent = "Python has not answered yet. Is the kernel running? Run this cell again."), 8000);
  }
  function save(over) {
    readout.textContent = "Saving ...";
    send({ do: "save", sr: take.sr, replace: over }, kept().buffer);
  }
  function ask(on) {
    held = on; show();
    if (on) replace.focus();
  }
  async function choose() {
    const [chosen] = upload.files;
    upload.value = "";
    if (!chosen) return;
    if (chosen.size > 50e6) return (warn.textContent = `${chosen.name} holds ${(chosen.size / 1e6).toFixed(0)} MB; choose a file under 50 MB, of at most 60 s.`);
    warn.textContent = ""; readout.textContent = `Checking ${chosen.name} ...`;
    send({ do: "upload", filename: chosen.name }, await chosen.arrayBuffer());
  }
  function discard() {
    if (!remove.dataset.sure) {
      remove.dataset.sure = "yes"; remove.textContent = `Delete ${file} for good`;
      return (readout.textContent = "Press the button once more to delete the recording.");
    }
    send({ do: "delete" }, new ArrayBuffer(0));
  }
  function receive({ kind, text, sr }, buffers) {
    clearTimeout(waiting);
    if (kind === "take") return setTake(floats(buffers[0]), sr, text);
    readout.textContent = kind === "error" ? "" : text;
    if (kind === "error") warn.textContent = text;
    else warn.textContent = "";
    ask(kind === "ask");
  }

  // -- what it shows --
  function show() {
    const saved = model.get("saved"), there = "seconds" in saved;
    record.textContent = mic ? "Stop" : take ? "Record again" : "Record";
    record.classList.toggle("earup-main", !take || !!mic);
    meter.hidden = level.hidden = !mic;
    canvas.hidden = trimRow.hidden = !take || !!mic;
    replace.hidden = leave.hidden = !held; keep.hidden = held;
    remove.hidden = !there;
    delete remove.dataset.sure; remove.textContent = "Delete";
    state.textContent = there ? `${file} holds ${saved.seconds.toFixed(2)} s.` : `There is no ${file} yet.`;
    if (take) numbers.forEach((input, i) => { input.max = (take.y.length / take.sr).toFixed(2); input.value = trim[["from", "to"][i]].toFixed(2); });
    draw();
  }
  function draw() {
    colours = palette(root);
    if (!take || canvas.hidden || !canvas.clientWidth) return;
    const { g, w, h, dpr } = fit(canvas), end = take.y.length / take.sr;
    drawWave(g, { x: 0, y: 0, w, h }, take.y, { peak: Math.max(0.05, take.y.reduce((top, v) => Math.max(top, Math.abs(v)), 0)) * 1.1, colour: colours.signal, scale: dpr });
    const a = (trim.from / end) * w, b = (trim.to / end) * w;
    g.fillStyle = colours.ground; g.globalAlpha = 0.7;
    g.fillRect(0, 0, a, h); g.fillRect(b, 0, w - b, h);
    g.globalAlpha = 1; g.fillStyle = colours.ink;
    for (const [x, side] of [[a, 1], [b, -1]]) { g.fillRect(x - (side < 0 ? 2 : 0), 0, 2, h); g.fillRect(x - (side < 0 ? 8 : 0), 0, 8, 12); }
  }
  const unlook = onLook(root, draw);
  model.on("msg:custom", receive);
  model.on("change:saved", show);
  show();
  return () => { if (mic) { mic.stop(); mic = null; } player?.stop(); release(); unlook(); asleep.end(); offKeys(); clearTimeout(waiting);
    model.off("msg:custom", receive); model.off("change:saved", show); return root.remove(); };
}

export default { render };
