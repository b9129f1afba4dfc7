// Talk-back: what you say returns to your headphones a moment later. Starts muted, is capped, and stops when it howls.

const CAP_DB = -20, QUIET_DB = -60; // [dBFS] no sample leaves louder; below that nothing is called a howl
const LOOK_MS = 50, LOOKS = 20, LOOP = 6; // a look at the microphone; a second of them; the longest way round, 0.3 s

// What a block of the microphone, 2^k samples long, sounds like: level [dBFS] and strongest frequency [Hz].
function heard(y, sr) {
  const n = y.length, re = Float64Array.from(y, (v, i) => v * raised(2 * i, n)), im = new Float64Array(n);
  const db = 10 * Math.log10(y.reduce((sum, v) => sum + v * v, 0) / n + 1e-12);
  fft(re, im);
  const power = Array.from({ length: n / 2 }, (_, k) => (k ? re[k] ** 2 + im[k] ** 2 : 0));
  return { db, hz: (power.indexOf(Math.max(...power)) * sr) / n };
}

// Feed it one look after the other: "howl" for one tone that has swelled for a second, "loud" for what has been cut that
// long. A loop returns once in a round, so levels are compared by the highest of each 0.3 s.
function howlDetector() {
  let past = [];
  return ({ db, hz, cut }) => {
    past = [...past, { db, hz, cut }].slice(-LOOKS);
    if (past.length < LOOKS) return "";
    const highest = past.slice(LOOP - 1).map((_, i) => Math.max(...past.slice(i, i + LOOP).map((look) => look.db)));
    const swells = highest.every((v, i) => !i || v > highest[i - 1] - 0.5) && highest.at(-1) > Math.max(highest[0] + 3, QUIET_DB);
    const same = past.filter((look) => Math.abs(look.hz - hz) < 0.02 * hz + 15).length;
    return swells && same >= 0.8 * LOOKS ? "howl" : past.every((look) => look.cut) ? "loud" : "";
  };
}

const STOPPED = {
  howl: "It began to howl: one tone grew from round to round. Muted. Put on headphones, or turn them down.",
  loud: "It was above the cap for a second. Muted. Turn the volume below down, or move away from the microphone.",
};

function render({ model, el: host }) {
  let mic = null, opening = false, muted = true, nodes = null, timer = 0, detect = null, release = () => {};
  const button = (text, click, kind) => el("button", { type: "button", text, class: kind, on: { click } });
  const range = (label, props, said = el("output"), slider = el("input", { type: "range", "aria-label": label, on: { input: set }, ...props })) =>
    ({ slider, said, row: el("label", {}, label, slider, said) });
  const open = button("Open the microphone, muted", () => (mic ? close("Closed.") : begin()), "earup-main");
  const gate = button("Unmute", () => (muted ? switchTo(1, "You hear yourself.") : switchTo(0, "Muted."))), worn = el("input", { type: "checkbox", on: { change: show } });
  const late = range("Delay", { min: 10, max: 200, step: 10, value: model.get("delay_ms") });
  const loud = range("Volume", { min: -40, max: 0, step: 1, value: -12 });
  const bar = el("span", {}), meter = el("div", { class: "earup-meter", role: "meter", "aria-label": "Microphone", "aria-valuenow": -80, "aria-valuemin": -80, "aria-valuemax": 0 }, bar);
  const warn = el("p", { class: "earup-warn", role: "alert" }), said = live("The microphone is closed."), sum = el("p", { class: "earup-sum" });
  const root = el("div", { class: "earup earup-talkback", role: "group", "aria-label": "Talk-back" },
    heading("Talk-back: hear yourself late"),
    el("p", { class: "earup-warn", text: "Headphones only. From a loudspeaker the sound would enter the microphone again, and howl." }),
    el("div", { class: "earup-row" }, open, el("label", {}, worn, "I wear headphones, turned down"), gate, meter),
    el("div", { class: "earup-row" }, late.row, loud.row), sum, warn, said,
    el("p", { class: "earup-quiet", text: `No sample leaves above ${dbfs(CAP_DB)}. Keys: M mutes, Escape closes everything. Nothing is recorded or sent.` }));
  root.__earup = { get ctx() { return mic?.ctx; }, get nodes() { return nodes; }, get muted() { return muted; } };
  host.append(root);
  const offKeys = shortcuts(root, () => ({ m: () => mic && gate.click() }));
  const hidden = () => document.hidden && close("Closed, because the page went out of sight.");
  document.addEventListener("visibilitychange", hidden);

  async function begin() {
    if (opening) return;
    opening = true; warn.textContent = ""; said.textContent = "Waiting for the microphone ...";
    try {
      mic = await openMicrophone(() => close("Closed, because the microphone went away."));
      if (!root.isConnected) return close("");
      const { ctx, from } = mic, look = new AnalyserNode(ctx, { fftSize: 4096 }), volume = new GainNode(ctx);
      nodes = { look, volume, delay: new DelayNode(ctx, { maxDelayTime: 0.25 }), gate: new GainNode(ctx, { gain: 0 }), out: output(ctx, CAP_DB) };
      from.connect(look); from.connect(volume).connect(nodes.delay).connect(nodes.gate).connect(nodes.out.input);
      release = claim(() => close("Closed.")); // players fall silent, and Escape ends this
      timer = setInterval(watch, LOOK_MS); set(); said.textContent = "Open and muted. Speak, and look at the meter.";
    } catch (error) {
      said.textContent = "The microphone is closed."; warn.textContent = refusal(error);
    } finally {
      opening = false; show();
    }
  }
  function watch() {
    const y = new Float32Array(nodes.look.fftSize);
    nodes.look.getFloatTimeDomainData(y);
    const { db, hz } = heard(y, mic.ctx.sampleRate), peak = y.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
    bar.style.width = `${Math.max(0, Math.min(100, (db + 80) / 0.8))}%`; meter.setAttribute("aria-valuenow", Math.max(-80, Math.round(db)));
    const why = !muted && detect({ db, hz, cut: peak * nodes.volume.gain.value > 10 ** (CAP_DB / 20) });
    if (why) { switchTo(0, ""); warn.textContent = STOPPED[why]; }
    add();
  }
  function switchTo(to, text) {
    if (muted !== !to) nodes.ready = ramp(nodes.gate.gain, 1 - to, to, Math.max(mic.ctx.currentTime + LEAD, nodes.ready ?? 0));
    muted = !to; detect = howlDetector(); warn.textContent = ""; said.textContent = text; show();
  }
  function close(text) {
    clearInterval(timer); mic?.stop(); release(); mic = nodes = null; muted = true; bar.style.width = 0; said.textContent = text; show();
  }
  function set() {
    late.said.textContent = `${late.slider.value} ms`; loud.said.textContent = `${signed(Number(loud.slider.value), 0)} dB`;
    const glide = (param, to) => param?.setTargetAtTime(to, mic.ctx.currentTime, 0.02); // no click
    glide(nodes?.delay.delayTime, late.slider.value / 1000); glide(nodes?.volume.gain, 10 ** (loud.slider.value / 20)); add();
  }
  function add() {
    if (!mic) return (sum.textContent = "The browser's own delay is shown here once the microphone is open.");
    const own = 1000 * (mic.ctx.baseLatency + (mic.ctx.outputLatency || 0)), way = 1000 * (mic.settings.latency ?? 0);
    sum.textContent = `${late.slider.value} ms chosen + ${own.toFixed(0)} ms from the browser to the headphones, as it says itself`
      + `${way ? `, + ${way.toFixed(0)} ms of the microphone` : ""} = ${(Number(late.slider.value) + own + way).toFixed(0)} ms${way ? "" : "; what the microphone adds is not told"}.`;
  }
  function show() {
    open.textContent = mic ? "Close the microphone" : "Open the microphone, muted";
    gate.textContent = muted ? "Unmute" : "Mute"; gate.disabled = !mic || (muted && !worn.checked);
    if (!mic) add();
  }
  set(); show();
  const offLook = onLook(root, () => palette(root));
  return () => { close(""); offLook(); document.removeEventListener("visibilitychange", hidden); offKeys(); return root.remove(); };
}

export default { render };
