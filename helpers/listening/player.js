// The player: tracks in step, one heard; waveform and spectrogram of that one, with a head to drag and a loop.

const MARGIN = { left: 46, right: 12, wave: 64, gap: 10, spec: 156, bottom: 36 }; // [px]
const HEIGHT = MARGIN.wave + MARGIN.gap + MARGIN.spec + MARGIN.bottom + 6;
const RANGE = [-90, -20]; // [dB] of the spectrogram's colours, the same for every track, so that pictures compare

function render({ model, el: host }) {
  const sr = model.get("sr"), index = model.get("index");
  const tracks = channelsOf(floats(model.get("pcm")), index);
  const mono = tracks.map(mixed), low = mono.every((y) => isLow(y, sr));
  const machine = deck(tracks, { sr, ceilingDb: model.get("ceiling_db"), onstate: () => refresh() });
  const total = machine.duration, digits = total < 10 ? 2 : 1;
  const seconds = (t) => `${t.toFixed(digits)} s`;
  const step = total / 50 < 0.05 ? 0.02 : total / 50 < 0.2 ? 0.1 : total / 50 < 1 ? 0.5 : 2;
  let drag = null; // {from, to, loop} while a pointer is down
  let said = {}; // what the read-out last spoke of

  const group = `earup-${(PAGE.serial = (PAGE.serial ?? 0) + 1)}`;
  const radios = index.map((track, i) => el("input", {
    type: "radio", name: group, checked: i === 0, on: { change: () => machine.select(i) },
  }));
  const list = el("fieldset", { class: "earup-tracks", "aria-label": "Track" }, index.map((track, i) =>
    el("label", {}, radios[i], el("span", { class: "earup-name" }, el("b", { text: track.name }),
      el("span", { class: "earup-quiet", text: levels(track) })), el("kbd", { text: i + 1, "aria-hidden": "true" }))));
  const base = el("canvas", { "aria-hidden": "true" }), over = el("canvas", { "aria-hidden": "true" });
  const stage = el("div", {
    class: "earup-stage", tabindex: 0, role: "slider", "aria-label": "Position", "aria-valuemin": 0, "aria-valuemax": total.toFixed(2),
    style: `height:${HEIGHT}px`, on: { pointerdown: press, pointermove: move, pointerup: lift, pointercancel: () => (drag = null) },
  }, base, over);
  const button = el("button", { type: "button", class: "earup-main earup-play", on: { click: toggle } });
  const clock = el("span", { class: "earup-clock" });
  const loop = el("input", { type: "checkbox", on: { change: () => machine.setRegion(loop.checked ? { from: 0, to: total } : null) } });
  const edges = ["from", "to"].map((edge) => el("button", {
    type: "button", text: `Loop ${edge} here`, on: { click: () => machine.setRegion(edgeAt(edge, machine.position)) },
  }));
  const readout = live(), alt = model.get("alt"), asleep = sleeper(model, "This player plays on: it needs no Python.");
  const root = el("div", { class: "earup earup-player", role: "group", "aria-label": model.get("title") || "Player" },
    model.get("title") && el("p", { class: "earup-title", text: model.get("title") }),
    list, stage, alt && el("p", { class: "earup-hidden", text: alt }),
    el("div", { class: "earup-row" }, button, clock, el("div", { class: "earup-row earup-loop" }, el("label", {}, loop, "Loop"), edges)),
    readout, el("p", { class: "earup-quiet", text: minus(model.get("notes").join(" ")) }),
    el("p", { class: "earup-quiet earup-keys", text: `Keys: Space plays, arrows move, ${index.length > 1 ? `1 ${index.length > 2 ? "to" : "and"} ${index.length} switch, ` : ""}Escape silences. `
      + "Drag the picture to move, with Shift to loop a part." }), asleep.node);
  root.__earup = machine;
  host.append(root);
  const offKeys = shortcuts(root, table, false);

  // -- what a person does --
  function toggle() { if (machine.playing) machine.stop(); else machine.play(); }
  function edgeAt(edge, t) {
    const region = { from: 0, to: total, ...machine.region, [edge]: t };
    return region.to - region.from >= 0.1 ? region : edge === "from" ? { from: t, to: total } : { from: 0, to: t };
  }
  function table() { // what the keys do; a control that has the focus keeps its own
    const { tagName, type } = document.activeElement, pressed = tagName === "BUTTON" || type === "checkbox";
    const to = (t) => () => machine.seek(t), by = (k) => () => machine.seek(machine.position + k * step);
    const [back, forth] = type === "radio" ? [null, null] : [by(-1), by(1)];
    const arrows = { arrowleft: back, arrowdown: back, arrowright: forth, arrowup: forth };
    const digits = Object.fromEntries(tracks.map((_, i) => [i + 1, () => machine.select(i)]));
    return { ...arrows, ...digits, home: to(0), end: to(total), pageup: by(5), pagedown: by(-5), ...(pressed ? { " ": null, enter: null } : { " ": toggle }) };
  }
  const timeAt = (event) => {
    const box = stage.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right))) * total;
  };
  function press(event) {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    drag = { from: timeAt(event), to: timeAt(event), loop: event.shiftKey };
    paint();
  }
  function move(event) { if (drag) { drag.to = timeAt(event); paint(); } }
  function lift() {
    if (!drag) return;
    const { from, to, loop: asLoop } = drag;
    drag = null;
    if (asLoop) machine.setRegion({ from: Math.min(from, to), to: Math.max(from, to) }); else machine.seek(to);
  }

  // -- what it shows --
  let frame = 0, colours, pictures = [], painted = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  function refresh() {
    const { playing, chosen, region, blocked } = machine;
    button.textContent = playing ? "Pause" : "Play";
    radios[chosen].checked = true;
    loop.checked = !!region;
    draw();
    say({ playing, chosen, blocked, loop: region ? `${seconds(region.from)} to ${seconds(region.to)}` : "", at: seconds(machine.position) });
    cancelAnimationFrame(frame);
    if (playing) frame = requestAnimationFrame(tick);
  }
  function say(now) {
    const track = index[now.chosen];
    if (now.blocked) readout.textContent = "The browser has not let the sound start: press Play again.";
    else if (now.chosen !== said.chosen) readout.textContent = `${track.name}: ${levels(track)}.`;
    else if (now.loop !== said.loop) readout.textContent = now.loop ? `Loop from ${now.loop}.` : "Loop off.";
    else if (now.playing !== said.playing) readout.textContent = now.playing ? `Playing ${track.name}.` : `Stopped at ${now.at}.`;
    else if (!now.playing && now.at !== said.at) readout.textContent = `At ${now.at}.`;
    said = now;
  }
  function tick(time) {
    if (!calm.matches || time - painted > 250) { painted = time; paint(); }
    frame = requestAnimationFrame(tick);
  }
  function draw() {
    if (!root.isConnected || !stage.clientWidth) return;
    const key = `${machine.chosen} ${stage.clientWidth} ${devicePixelRatio} ${root.classList.contains("night")}`;
    if (base.dataset.key !== key) {
      base.dataset.key = key;
      colours = palette(root);
      drawPicture(base, mono[machine.chosen], { sr, total, colours, peak: peakOf(index), stft: spectrum(), low });
    }
    paint();
  }
  function spectrum() {
    const width = Math.round(stage.clientWidth - MARGIN.left - MARGIN.right);
    if (pictures.width !== width) pictures = Object.assign([], { width });
    const nFft = 2 ** Math.round(Math.log2((low ? 0.186 : 0.046) * sr)); // about 46 ms: harmonics of a voice and its rhythm both show
    return (pictures[machine.chosen] ??= stftDb(mono[machine.chosen], nFft, Math.max(1, (total * sr) / width)));
  }
  function paint() {
    if (!colours) return;
    const at = drag && !drag.loop ? drag.to : machine.position;
    const region = drag?.loop ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : machine.region;
    drawHead(over, at / total, region && { from: region.from / total, to: region.to / total }, colours);
    clock.textContent = `${at.toFixed(digits)} / ${seconds(total)}`;
    stage.setAttribute("aria-valuenow", at.toFixed(2));
    stage.setAttribute("aria-valuetext", `${seconds(at)} of ${seconds(total)}`);
  }
  if (model.get("loop")) machine.setRegion({ from: 0, to: total });
  said = { playing: false, chosen: 0, loop: machine.region ? "on" : "", at: seconds(0) };
  refresh();
  readout.textContent = `${index[0].name}: ${levels(index[0])}.`;
  const unlook = onLook(root, () => { palette(root); draw(); });
  return () => { machine.stop(); unlook(); asleep.end(); offKeys(); cancelAnimationFrame(frame); return root.remove(); };
}

const levels = ({ rms_db: rms, peak_db: peak }) => (rms === null ? "silence" : `${signed(rms)} dBFS RMS, peak ${signed(peak)}`);
const peakOf = (index) => Math.max(...index.map((track) => 10 ** ((track.peak_db ?? -120) / 20)));

// [[Float32Array per channel] per track] as views into the samples.
function channelsOf(pcm, index) {
  let start = 0;
  return index.map(({ channels, samples }) => Array.from({ length: channels }, () => pcm.subarray(start, (start += samples))));
}

// Whether all that can be seen of a sound lies below about 500 Hz: of its changes, in which a voice's consonants count.
const isLow = (y, sr) => !(rmsFrequency(y.map((v, i) => v - (y[i - 1] ?? v))) * sr >= 2 * Math.PI * 500);

// The mean of the channels, for the picture only.
function mixed(channels) {
  return channels.length === 1 ? channels[0] : channels[0].map((v, i) => channels.reduce((sum, y) => sum + y[i], 0) / channels.length);
}

function drawPicture(canvas, y, { sr, total, colours, peak, stft, low }) {
  const { g, w, dpr } = fit(canvas), width = w - MARGIN.left - MARGIN.right;
  const wave = { x: MARGIN.left, y: 4, w: width, h: MARGIN.wave };
  const spec = { x: MARGIN.left, y: wave.y + wave.h + MARGIN.gap, w: width, h: MARGIN.spec };
  const unit = low ? 1 : 1000, nyquist = sr / 2 / unit, up = { low: low ? 31.25 : 0, high: nyquist, log: low };
  const V = scale(up, spec.y + spec.h, spec.y), vertical = marksOf(up, 320);
  g.font = "12px Arial, 'Liberation Sans', Helvetica, sans-serif";
  g.strokeStyle = colours.grid;
  g.strokeRect(wave.x, wave.y + wave.h / 2, width, 0);
  drawWave(g, wave, y, { span: total * sr, peak: peak * 1.05, colour: colours.signal, scale: dpr });
  drawSpectrogram(g, { ...spec, w: (width * stft.frames * Math.max(1, (total * sr) / Math.round(width))) / (total * sr) }, stft,
    { range: RANGE, dark: colours.dark, scale: dpr, at: (u) => (V.back(spec.y + spec.h * (1 - u)) / nyquist) * (stft.bins - 1) + 0.5 });
  g.strokeStyle = colours.mute;
  g.strokeRect(spec.x - 0.5, spec.y + 0.5, spec.w + 1, spec.h);
  const label = (text, x, top, align, colour = colours.text) => {
    g.fillStyle = colour; g.textAlign = align; g.textBaseline = "middle";
    g.fillText(minus(text), x, top);
  };
  label(peak >= 0.0095 ? `\u00b1${peak.toPrecision(2)}` : `\u00b1${peak.toExponential(0)}`, spec.x - 8, wave.y + wave.h / 2, "right");
  const across = ticks(0, total, Math.min(8, width / 90));
  g.fillStyle = colours.mute;
  for (const v of vertical.values) {
    const top = V.at(v);
    label(v < 1000 ? v.toFixed(vertical.digits) : `${v / 1000}k`, spec.x - 8, top, "right");
    g.fillStyle = colours.mute;
    g.fillRect(spec.x - 5, top, 4, 1);
  }
  for (const t of across.values) {
    const x = spec.x + (width * t) / total;
    label(t.toFixed(across.digits), x, spec.y + spec.h + 13, "center");
    g.fillStyle = colours.mute;
    g.fillRect(x, spec.y + spec.h + 1, 1, 4);
  }
  label("Time [s]", spec.x + width, spec.y + spec.h + 28, "right");
  const said = width > 320 ? `, colour from ${RANGE[0]} to ${RANGE[1]} dB` : ""; // on a phone there is no room for it
  label(`Frequency ${low ? "[Hz], log scale" : "[kHz]"}${said}`, spec.x, spec.y + spec.h + 28, "left");
}

function drawHead(canvas, at, region, colours) {
  const { g, w } = fit(canvas), width = w - MARGIN.left - MARGIN.right, height = HEIGHT - MARGIN.bottom - 2;
  const x = MARGIN.left + at * width;
  if (region) {
    const a = MARGIN.left + region.from * width, b = MARGIN.left + region.to * width;
    g.fillStyle = colours.ground; g.globalAlpha = 0.65; // what is outside the loop steps back
    g.fillRect(MARGIN.left, 0, a - MARGIN.left, height); g.fillRect(b, 0, MARGIN.left + width - b, height);
    g.globalAlpha = 1; g.fillStyle = colours.ink;
    g.fillRect(a - 0.5, 0, 1, height); g.fillRect(b - 0.5, 0, 1, height); g.fillRect(a, 0, b - a, 2);
  }
  g.fillStyle = colours.ground;
  g.fillRect(x - 2, 0, 4, height);
  g.fillStyle = colours.ink;
  g.fillRect(x - 1, 0, 2, height);
  g.beginPath(); g.moveTo(x - 6, 0); g.lineTo(x + 6, 0); g.lineTo(x, 8); g.fill();
}

export default { render };
