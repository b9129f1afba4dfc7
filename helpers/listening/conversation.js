// A conversation: the microphone goes to Python in blocks of 100 ms, and what Python answers is played.

const SAY_DB = -6; // [dBFS] no sample of an answer leaves louder

function render({ model, el: host }) {
  const to = model.get("sr");
  let mic = null, opening = false, blocks = [], count = 0, sent = 0, voice = null, out = null, release = () => {};
  const button = el("button", { type: "button", class: "earup-main", on: { click: () => (mic ? close("The microphone is closed.") : begin()) } });
  const bar = el("span", {}), meter = el("div", { class: "earup-meter", role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0, "aria-valuenow": -60 }, bar);
  const lag = el("span", { class: "earup-clock" }), warn = el("p", { class: "earup-warn", role: "alert" }), said = live("The microphone is closed.");
  const log = el("ol"), pane = el("div", { class: "earup-log", role: "log", "aria-label": "Log", tabindex: 0 }, log), asleep = sleeper(model, "It listens once Python runs.");
  const root = el("div", { class: "earup earup-conversation", role: "group", "aria-label": "Conversation" },
    heading("Conversation"), el("div", { class: "earup-row" }, button, meter, lag), warn, said, pane, asleep.node,
    el("p", { class: "earup-quiet", text: `Headphones, or the assistant hears itself. No answer leaves above ${dbfs(SAY_DB)}. The sound goes to Python on this computer; on Colab and Binder, to that server. Escape closes the microphone.` }));
  root.__earup = { get playing() { return !!voice; }, get analyser() { return out?.analyser; } };
  host.append(root);
  const offKeys = shortcuts(root, () => ({}));

  async function begin() {
    if (opening) return;
    opening = true; warn.textContent = ""; said.textContent = "Waiting for the microphone ...";
    try {
      const got = await microphone(block, () => close("Closed, because the microphone went away."));
      if (!root.isConnected) return got.stop();
      log.replaceChildren(); blocks = []; count = sent = 0;
      model.send({ do: "start", sr: got.sr });
      release = claim(() => close("The microphone is closed.")); // players fall silent, and Escape ends this
      mic = got; said.textContent = "Listening.";
      if (mic.processed.length) warn.textContent = `This browser still processes the sound (${mic.processed.join(", ")}).`;
    } catch (error) {
      said.textContent = "The microphone is closed."; warn.textContent = refusal(error);
    } finally {
      opening = false; show();
    }
  }
  function block(y) {
    if (!mic) return;
    blocks.push(y); count += y.length;
    if (count < mic.sr / 10) return;
    const whole = new Float32Array(count), db = 20 * Math.log10(Math.max(...blocks.map((b) => b.reduce((top, v) => Math.max(top, Math.abs(v)), 1e-4))));
    blocks.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    blocks = []; count = 0; sent++;
    bar.style.width = `${Math.max(0, Math.min(100, (db + 60) / 0.6))}%`; meter.setAttribute("aria-valuenow", Math.max(-60, Math.round(db)));
    model.send({ do: "block", n: sent }, undefined, [whole.buffer]);
  }
  function receive({ kind, text, n }, buffers) {
    if (kind === "done") lag.textContent = sent - n > 3 ? `Python is ${((sent - n) / 10).toFixed(1)} s behind` : "";
    else if (kind === "log") { log.append(el("li", { text })); pane.scrollTop = pane.scrollHeight; }
    else if (kind === "say") say(floats(buffers[0]));
    else { warn.textContent = text; close("The microphone is closed."); }
  }
  function say(y) {
    hush();
    if (!y.length || !mic) return;
    const ctx = context(to), buffer = new AudioBuffer({ length: y.length, numberOfChannels: 1, sampleRate: to }), gain = new GainNode(ctx, { gain: 0 });
    buffer.copyToChannel(y, 0); out = output(ctx, SAY_DB);
    const from = new AudioBufferSourceNode(ctx, { buffer }), when = ctx.currentTime + LEAD, mine = { from, gain, ctx, ready: ramp(gain.gain, 0, 1, when) };
    from.connect(gain).connect(out.input); from.start(when);
    from.onended = () => voice === mine && (voice = null);
    voice = mine;
  }
  function hush() {
    if (!voice) return;
    voice.from.stop(ramp(voice.gain.gain, 1, 0, Math.max(voice.ctx.currentTime + LEAD, voice.ready)));
    voice = null;
  }
  function close(text) {
    hush(); mic?.stop(); mic = null; release(); bar.style.width = 0; lag.textContent = ""; said.textContent = text; show();
  }
  function show() { button.textContent = mic ? "Stop listening" : "Start listening"; }
  show();
  model.on("msg:custom", receive);
  const offLook = onLook(root, () => palette(root));
  return () => { close(""); offLook(); asleep.end(); offKeys(); model.off("msg:custom", receive); return root.remove(); };
}

export default { render };
