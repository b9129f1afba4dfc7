// The enhancer of a page: a voice, rain by a slider, and what Setting 1 makes of both, worked out in the page. Put after
// core.js, deck.js, microphone.js and the head of recorder.js by Python (see __init__.py). What it needs is had at the first
// press: clips, then weights, as scripts of the page's shelf.

const SR = 16000, MOST = 8, LEAST = 0.5; // [Hz]; longest and shortest recording [s]
const RMS = 0.05, PEAK = 0.25; // a recorded voice is brought to these, at most: the level of the course's voices
const NAMES = ["noisy", "Setting 1", "without rain"];
const MINE = "your voice";

const power = (y) => y.reduce((sum, v) => sum + v * v, 0) / Math.max(1, y.length);
const peakOf = (y) => y.reduce((top, v) => Math.max(top, Math.abs(v)), 0);

// Rain under a voice at a signal-to-noise ratio [dB], from the mean powers, as helpers.audio.mix does.
function rained(voice, rain, snrDb) {
  const noise = voice.map((_, i) => rain[i % rain.length]), g = Math.sqrt((power(voice) / power(noise)) * 10 ** (-snrDb / 10));
  return voice.map((v, i) => v + g * noise[i]);
}

// Samples at another rate, by the browser's own resampler.
async function resampled(y, sr) {
  const ctx = new OfflineAudioContext(1, Math.ceil((y.length * SR) / sr), SR), buffer = new AudioBuffer({ length: y.length, sampleRate: sr });
  buffer.copyToChannel(y, 0);
  const source = new AudioBufferSourceNode(ctx, { buffer });
  source.connect(ctx.destination); source.start();
  return (await ctx.startRendering()).getChannelData(0);
}

// Setting 1 in a worker: ask(y, tell) resolves with the enhanced sound, or with null if something newer was asked.
function program({ need, worker, weights }) {
  let jobs = 0, ready = null, sent = false;
  const told = new Map();
  async function start() {
    const [text, { config, layout, packed }] = await Promise.all([need(worker), need(weights)]);
    const raw = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
    const all = new Float32Array(await new Response(stream).arrayBuffer()), tensors = {};
    let at = 0;
    for (const [name, count] of layout) tensors[name] = all.slice(at, (at += count));
    const made = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    made.onmessage = ({ data }) => told.get(data.job)?.(data);
    made.onerror = ({ message }) => [...told.values()].forEach((tell) => tell({ fault: message }));
    return [made, { config, tensors }];
  }
  return async function ask(y, tell) {
    const job = ++jobs;
    for (const [old, end] of told) { end({ out: null }); told.delete(old); }
    ready ??= start();
    try { await ready; } catch (error) { ready = null; throw error; }
    if (job !== jobs) return null;
    const [made, numbers] = await ready;
    return new Promise((done, failed) => {
      told.set(job, ({ share, out, fault }) => {
        if (share !== undefined) return tell(share);
        told.delete(job);
        return fault ? failed(new Error(fault)) : done(out);
      });
      made.postMessage({ job, y, weights: sent ? null : numbers });
      sent = true;
    });
  };
}

function render({ model, el: host }) {
  const { need, samples } = window.earup, clips = model.get("clips"), voices = model.get("voices");
  const ask = program({ need, worker: model.get("worker"), weights: model.get("weights") });
  let mic = null, blocks = [], count = 0, mine = null, chosen = 0, heard = null, tracks = [], release = () => {}, later = 0, asked = 0;

  const snrDb = () => -Number(rain.value);
  const button = (text, click, kind) => el("button", { type: "button", text, class: kind, on: { click } });
  const menu = el("select", { on: { change: () => change() } }, voices.map((name) => el("option", { text: name })));
  const record = button("Speak yourself", () => (mic ? finish() : begin()));
  const rain = el("input", { type: "range", min: -20, max: 5, step: 1, value: -5, on: { input: slide } }), ratio = el("output");
  const radios = NAMES.map((name, i) => el("input", { type: "radio", name: "earup-enhancer", value: i, on: { change: () => choose(i) } }));
  const labels = NAMES.map((name, i) => el("label", {}, radios[i], el("span", { class: "earup-name" }, name, el("span", { class: "earup-quiet" }))));
  const play = button("Play", () => (heard?.playing ? heard.stop() : start()), "earup-main earup-play");
  const picture = el("canvas", { class: "earup-heard", "aria-hidden": "true", hidden: true });
  const words = el("p", { class: "earup-quiet", hidden: true, text: "Time runs to the right, frequency upwards, 0 to 8 kHz." });
  const said = live(), warn = el("p", { class: "earup-warn", role: "alert" });
  const root = el("div", { class: "earup earup-enhancer", role: "group", "aria-label": model.get("title") }, heading(model.get("title")),
    el("div", { class: "earup-row" }, el("label", {}, "Voice ", menu), record), el("div", { class: "earup-row" }, el("label", { class: "earup-rain" }, "Rain", rain, ratio)),
    el("fieldset", { class: "earup-tracks" }, el("legend", { class: "earup-hidden", text: "Track" }), labels),
    el("div", { class: "earup-row" }, play), picture, words, said, warn,
    el("p", { class: "earup-quiet", text: "Your voice stays in this page: nothing is sent, and nothing is kept." }));
  root.__earup = { ask, rained, get tracks() { return tracks; }, get analyser() { return heard?.analyser; }, get playing() { return heard?.playing; } };
  host.append(root);
  radios[0].checked = true;
  show();

  function show() {
    const snr = snrDb();
    ratio.textContent = snr ? `the voice is ${Math.abs(snr)} dB ${snr > 0 ? "stronger" : "weaker"}` : "as strong as the voice";
    rain.setAttribute("aria-valuetext", ratio.textContent);
    record.textContent = mic ? "Stop" : mine ? "Speak again" : "Speak yourself";
    play.textContent = heard?.playing ? "Stop" : "Play";
    play.disabled = menu.disabled = !!mic;
    labels.forEach((label, i) => {
      label.querySelector(".earup-quiet").textContent = tracks[i] ? dbfs(10 * Math.log10(power(tracks[i]))) : "";
      radios[i].disabled = !!tracks[0] && !tracks[i];
    });
  }
  function choose(i) {
    chosen = i;
    heard?.select(i);
    draw();
  }
  function slide() {
    show();
    clearTimeout(later);
    if (tracks[0]) later = setTimeout(change, 150);
  }
  const silent = () => tracks[0].map(() => 0);
  // New tracks take the place of the old ones where those stand.
  function renew(made) {
    tracks = made;
    const old = heard, at = old?.position ?? 0, going = old?.playing;
    heard = deck(tracks.map((y) => [y ?? silent()]), { sr: SR, onstate: show });
    heard.setRegion({ from: 0, to: heard.duration });
    if (at < heard.duration) heard.seek(at);
    heard.select(chosen);
    old?.stop();
    if (going) heard.play();
    show();
    draw();
  }
  async function voice() {
    return menu.value === MINE ? mine : samples(clips[menu.value].sound, SR);
  }
  // Mix, and have Setting 1 hear it; the newest wins. Resolves as soon as something can be heard.
  async function change() {
    const turn = ++asked;
    warn.textContent = "";
    try {
      const [y, drops] = await Promise.all([voice(), samples(clips.rain.sound, SR)]);
      if (turn !== asked) return;
      const noisy = rained(y, drops, snrDb()), keeps = chosen === 1 && tracks[1]; // what is heard goes on until the new one is there
      if (!keeps) renew([noisy, null, y]);
      enhanced(noisy, y, turn);
    } catch (error) {
      fail(error);
    }
  }
  async function enhanced(noisy, y, turn) {
    said.textContent = "Setting 1 is on its way into this page (0.5 MB, once) ...";
    const begun = performance.now();
    try {
      const out = await ask(noisy, (share) => { said.textContent = `Setting 1 listens: ${Math.round(100 * share)} %`; });
      if (!out || turn !== asked) return;
      const over = Math.min(1, peakOf(noisy) / (peakOf(out) || 1)); // it never leaves louder than what came in
      renew([noisy, out.map((v) => over * v), y]);
      const seconds = (performance.now() - begun) / 1000;
      said.textContent = `Setting 1 has heard ${(y.length / SR).toFixed(1)} s in ${seconds.toFixed(1)} s, here in the page. Switch while it plays.`;
    } catch (error) {
      fail(error);
    }
  }
  function fail(error) {
    said.textContent = "";
    warn.textContent = `It did not come: ${error.message}. Press Play to try again.`;
  }
  async function start() {
    context(SR).resume().catch(() => {}); // a sound may begin only by the press itself
    if (!tracks[1]) await change();
    if (tracks[0]) heard.play();
    show();
  }
  function draw() {
    const y = tracks[chosen], look = palette(root);
    picture.hidden = words.hidden = !tracks[0];
    if (!y || !picture.clientWidth) return;
    const { g, w, h, dpr } = fit(picture);
    drawSpectrogram(g, { x: 0, y: 0, w, h }, stftDb(y, 512, Math.max(128, Math.ceil(y.length / 700))), { range: [-95, -30], dark: look.dark, scale: dpr });
  }

  // -- the visitor's own voice --
  async function begin() {
    heard?.stop();
    warn.textContent = "";
    said.textContent = "Waiting for the microphone ...";
    blocks = []; count = 0;
    try {
      mic = await microphone(block, finish);
      release = claim(finish); // Escape ends it, and players fall silent, so that they are not recorded
      said.textContent = `Say one sentence. At most ${MOST} s.`;
    } catch (error) {
      said.textContent = "";
      warn.textContent = refusal(error, ", or take a voice from the list");
    }
    show();
  }
  function block(y) {
    if (!mic) return;
    blocks.push(y); count += y.length;
    said.textContent = `${(count / mic.sr).toFixed(1)} of ${MOST} s, peak ${dbfs(20 * Math.log10(peakOf(y)))}`;
    if (count >= MOST * mic.sr) finish();
  }
  async function finish() {
    if (!mic) return;
    const { sr, stop } = mic;
    mic = null; stop(); release(); show();
    const y = new Float32Array(count);
    blocks.reduce((at, part) => (y.set(part, at), at + part.length), 0);
    if (count < LEAST * sr || peakOf(y) < 1e-3) return void (said.textContent = "That was silent or too short. Try again, closer to the microphone.");
    const raw = await resampled(y, sr), k = Math.min(PEAK / peakOf(raw), RMS / Math.sqrt(power(raw)));
    mine = raw.map((v) => k * v);
    if (![...menu.options].some((option) => option.text === MINE)) menu.append(el("option", { text: MINE }));
    menu.value = MINE;
    tracks = [];
    show();
    return change();
  }
  const unlook = onLook(root, draw);
  return () => { unlook(); heard?.stop(); return mic?.stop(); };
}

export default { render };
