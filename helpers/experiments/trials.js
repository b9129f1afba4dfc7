// Three experiments on your own ears: which tone was louder, where the middle of an interval lies, and which noise held a
// tone, whose sound comes from Python. Put after core.js by
// Python, which chooses the trials and counts; this file plays them, never louder than allowed. Levels stand in no text.

const LOUDEST_DB = -7.5; // peak of any tone [dBFS], whatever Python asks for
const MOST_UP_DB = 6; // no track may rise by more from one of its trials to the next
const EDGE_MS = 20; // raised cosine at both ends of every tone

// The row of a fine table [[Hz, ceiling, equal loudness], ...] at or just above a frequency, levels in dBFS.
const lookUp = (table, freq) => table.find(([f]) => f >= freq) ?? table.at(-1);

// The peak level at which a tone is really played [dBFS]; silence for what is no number. last: level of each track so far.
function allowed({ freq, db, track, before }, table, last) {
  const limit = Math.min(lookUp(table, freq)[1], LOUDEST_DB, (last.get(track) ?? before ?? Infinity) + MOST_UP_DB);
  const level = Number.isFinite(db) && Number.isFinite(limit) ? Math.min(db, limit) : -Infinity;
  if (track) last.set(track, level);
  return level;
}

// Tones in a row, with silence before each: {y, starts [s]}. sounds: [{freq, level}, ...].
function sequence(sounds, sr, { tone_ms: tone, lead_ms: lead, gap_ms: gap }) {
  const n = Math.round((sr * Math.max(tone, 2 * EDGE_MS)) / 1000), edge = Math.round((sr * EDGE_MS) / 1000);
  const starts = sounds.map((_, k) => Math.round((sr * (lead + k * gap)) / 1000) + k * n);
  const y = new Float32Array(starts.at(-1) + n);
  sounds.forEach(({ freq, level }, k) => {
    const amp = 10 ** (level / 20);
    for (let i = 0; i < n; i++) y[starts[k] + i] = amp * Math.sin((2 * Math.PI * freq * i) / sr) * raised(Math.min(i, n - 1 - i, edge), edge);
  });
  return { y, starts: starts.map((s) => s / sr), tone: n / sr };
}

// Samples that Python made, as they came: silence if one of them is too loud or no number.
function given(view) {
  const y = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)), limit = 10 ** (LOUDEST_DB / 20);
  return y.every((v) => Math.abs(v) <= limit) ? y : new Float32Array(y.length);
}

function render({ model, el: host }) {
  const spec = model.get("spec"), masking = spec.kind === "masking", loudness = spec.kind === "loudness", pairs = masking || loudness, last = new Map();
  const root = el("div", { class: "earup earup-trials", role: "group", "aria-label": spec.title, tabindex: "-1" });
  const body = el("div"), say = live(), note = el("div");
  const asleep = sleeper(model, "Answers are not taken now; those given so far are saved.");
  root.append(heading(spec.title), body, say, note, asleep.node);
  host.append(root);
  let out, next, voice, shown, waiting, later, table = {}, played = [], ready = false; // ready: what is asked about was heard to its end
  root.__earup = { sequence, get played() { return played; }, get playing() { return !!voice; }, get ready() { return ready; }, get analyser() { return out?.analyser; } };
  const button = (text, click, cls) => el("button", { type: "button", class: cls, text, on: { click } });
  const row = (...nodes) => el("div", { class: "earup-row" }, ...nodes);
  const tells = (text) => () => (say.textContent = text);

  function tell(message) {
    const unheard = tells("Python does not answer: run this cell again, and wait until no other cell is running.");
    stop(); clearTimeout(waiting); waiting = setTimeout(unheard, 5000);
    try { model.send(message); } catch { unheard(); }
  }

  // ---- sound: lit(k) is called while tone k sounds, lit(null) between and after ----
  function play(tones, lit = () => {}, made = null) {
    stop();
    const ctx = context(spec.sr);
    out ??= output(ctx, LOUDEST_DB);
    ctx.resume().catch(() => {});
    played = tones.map((tone) => allowed(tone, spec.table, last));
    const { y, starts, tone, sr = ctx.sampleRate } = made ?? sequence(tones.map(({ freq }, k) => ({ freq, level: played[k] })), ctx.sampleRate, spec);
    const buffer = new AudioBuffer({ length: y.length, sampleRate: sr });
    buffer.copyToChannel(y, 0);
    const source = new AudioBufferSourceNode(ctx, { buffer }), gain = new GainNode(ctx);
    source.connect(gain).connect(out.input);
    const when = ctx.currentTime + LEAD, me = { ctx, source, gain, lit, release: claim(halt) };
    const follow = () => {
      const t = ctx.currentTime - when, k = starts.findLastIndex((s) => t >= s);
      lit(t < starts[k] + tone ? k : null); me.frame = requestAnimationFrame(follow);
    };
    source.onended = () => voice === me && ((ready = true), stop(false));
    source.start(when); voice = me; follow();
    setTimeout(() => voice === me && ctx.state !== "running" && tells("The browser has not allowed sound yet. Press r.")(), 500);
  }
  function stop(early = true) {
    clearTimeout(later);
    if (!voice) return;
    const { ctx, source, gain, lit, release, frame } = voice;
    voice = null; cancelAnimationFrame(frame); release(); lit(null);
    if (early) source.stop(ramp(gain.gain, 1, 0, ctx.currentTime + LEAD));
  }
  const halt = () => { stop(); return tells("Stopped. Press r to hear it again.")(); }; // Escape, or another sound on the page

  // ---- screens: start, trials, done ----
  function show(kind, nodes, keys, focus = root) {
    const here = root.contains(document.activeElement);
    shown = kind; table = keys; body.replaceChildren(...nodes.flat(Infinity));
    if (here) focus.focus();
  }

  function start({ go }) {
    ready = false;
    const tone = { freq: 1000, db: spec.reference_db }, pulses = () => play([tone, tone, tone, tone]);
    const begin = () => (ready ? tell({ do: "begin" }) : tells("Play the tone to its end and set the volume first.")());
    const listen = button("Play the tone (r)", pulses), skip = button("Show a simulated listener instead", () => tell({ do: "simulate" }));
    show("start", [paragraphs(spec.intro), row(listen, button(go, begin, "earup-main"), skip)], { r: pulses }, listen);
  }

  // One screen for all trials, so that what has the focus keeps it and a screen reader stays quiet while tones sound.
  function trials() {
    let trial;
    const count = el("span"), bar = el("progress", { "aria-label": "Progress" });
    const answer = (value) => (ready ? tell({ do: "answer", n: trial.n, answer: value(), played }) : tells("Listen to the end first; r plays it again.")());
    const words = masking ? ["It was in the first (1)", "It was in the second (2)"] : ["The first was louder (1)", "The second was louder (2)"];
    const choices = words.map((text, k) => button(text, () => answer(() => k + 1), "earup-choice"));
    const slider = el("input", { type: "range", min: 0, step: 1, "aria-label": "Middle tone", "aria-valuetext": "listen" });
    const octaves = () => Math.log2(trial.slider[1] / trial.slider[0]), middle = () => trial.slider[0] * 2 ** ((octaves() * slider.value) / slider.max);
    slider.addEventListener("input", () => { stop(); ready = false; later = setTimeout(hear, spec.rest_ms); });
    const enter = () => (document.activeElement.type === "button" ? document.activeElement.click() : answer(middle));
    const glow = (now) => choices.forEach((b, k) => b.classList.toggle("earup-on", k === now));
    function hear() {
      if (masking) return play([], glow, { y: given(model.get("sound")), starts: trial.starts, tone: 0.44, sr: spec.sr });
      const three = loudness ? [] : [trial.low, middle(), trial.high].map((freq) => ({ freq, db: lookUp(spec.table, freq)[2] }));
      play(loudness ? trial.tones : trial.order === "ascending" ? three : three.reverse(), glow);
    }
    next = (screen) => {
      trial = screen; ready = false; count.textContent = `${trial.n} of ${trial.of}`; bar.max = trial.of; bar.value = trial.n - 1;
      if (!pairs) { slider.max = Math.round(48 * octaves()); slider.value = Math.round((slider.max * Math.log2(trial.start / trial.slider[0])) / octaves()); }
      hear();
    };
    const own = pairs ? el("div", { class: "earup-choices" }, choices) : row(el("span", { text: "lower" }), slider, el("span", { text: "higher" }));
    const buttons = [button("Play again (r)", hear), button("I changed the volume", () => tell({ do: "volume" }))];
    if (!pairs) buttons.unshift(button("This is halfway (Enter)", () => answer(middle), "earup-main"));
    const [first, second] = choices.map((b) => () => b.click());
    const keys = pairs ? { 1: first, 2: second, arrowleft: first, arrowright: second } : { enter };
    show("trial", [row(count, bar), paragraphs(spec.question), own, row(buttons)], { ...keys, r: hear }, pairs ? root : slider);
  }

  function done({ words }) {
    const picture = el("img", { alt: words.join(" "), src: URL.createObjectURL(new Blob([model.get("picture")], { type: "image/png" })) });
    picture.onload = () => URL.revokeObjectURL(picture.src);
    show("done", [picture, words.map((text) => paragraphs(text)), row(button("Measure again", () => tell({ do: "again" })))], {});
  }

  function draw() {
    const screen = model.get("screen");
    clearTimeout(waiting); stop(); say.textContent = screen.at === "done" ? "Finished. The result stands above." : "";
    if (screen.at === "start") start(screen);
    else if (screen.at === "done") done(screen);
    else { if (shown !== "trial") trials(); next(screen); }
    note.replaceChildren(...paragraphs(screen.at === "trial" && !model.get("note").includes("could not be saved") ? "" : model.get("note"), "earup-quiet"));
  }

  model.on("change:screen", draw);
  const offKeys = shortcuts(root, () => table), offLook = onLook(root, () => palette(root));
  draw();
  return () => { clearTimeout(waiting); stop(); offKeys(); offLook(); asleep.end(); return model.off("change:screen", draw); };
}

export default { render };
