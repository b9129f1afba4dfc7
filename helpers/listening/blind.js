// Blind tests: ABX, ranking, MUSHRA. Put after core.js and deck.js by Python (see __init__.py).
//
// The trials run in the page, so that a test also works where no kernel does. What hides behind X or behind a letter is
// drawn here, when the trial begins, by the browser's own random numbers, and lives in a closure until the answer is
// given: it is in no text, no attribute and no trait. Whoever opens the browser's developer tools can still find out.

const LETTERS = "ABCDEFGHI";
const SCALE = ["bad", "poor", "fair", "good", "excellent"];
const pick = (n) => crypto.getRandomValues(new Uint32Array(1))[0] % n;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const grade = (value) => `${value}, ${SCALE[Math.min(4, Math.floor(value / 20))]}`;

function shuffled(n) {
  const list = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = pick(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

// Milliseconds by which the sound clock fell behind the wall clock. samples: [[wall in ms, sound in s], ...]. Medians of
// the first and last quarter, because the sound clock moves on in jumps as large as the sound card's buffer.
function lag(samples) {
  const behind = samples.map(([wall, sound]) => wall - 1000 * sound);
  const quarter = Math.ceil(behind.length / 4);
  const median = (part) => part.sort((a, b) => a - b)[part.length >> 1];
  return median(behind.slice(-quarter)) - median(behind.slice(0, quarter));
}

// What to say about playback: null where all is well.
function playbackWarning({ state, lost, delay }) {
  if (state !== "running") return "The browser has not started the sound yet. Press a letter and listen before you go on.";
  if (lost > 20) return `Playback check: the sound lost ${Math.round(lost)} ms in one second. Close other programs and tabs: drop-outs can give X away.`;
  if (delay > 150) return `Playback check: what you press is heard ${Math.round(delay)} ms later (wireless headphones?). Wait for each switch before you judge.`;
  return null;
}

async function checkPlayback(ctx) {
  await Promise.race([ctx.resume(), pause(500)]);
  const samples = [];
  for (let i = 0; i < 25; i++) {
    await pause(50);
    if (i >= 5) samples.push([performance.now(), ctx.currentTime]); // the first quarter second only wakes the sound card
  }
  return { state: ctx.state, lost: lag(samples), delay: 1000 * ((ctx.baseLatency || 0) + (ctx.outputLatency || 0)) };
}

function render({ model, el: host }) {
  const kind = model.get("kind"), sounds = model.get("sounds"), sr = model.get("sr");
  const perScreen = kind === "abx" ? 1 : sounds[0].tracks.length; // rows of answers that one screen adds
  const screens = kind === "abx" ? model.get("n_trials") : kind === "rank" ? 1 : sounds.length;
  const title = model.get("title");
  const root = el("div", { class: "earup earup-blind", role: "group", "aria-label": title, tabindex: "-1" });
  const body = el("div"), say = live(), warning = el("p", { class: "earup-warn", role: "alert", hidden: true });
  const foot = el("div", { class: "earup-foot" });
  const asleep = sleeper(model, "The test goes on, but answers are not saved now.");
  root.append(heading(title), body, warning, say, foot, asleep.node);
  host.append(root);
  let started = false, playing = null, table = {}, players = [];

  // ---- sound ----
  function load(item) {
    playing?.stop();
    const tracks = sounds[item].tracks.map(({ channels }) => channels.map(floats));
    const made = deck(tracks, { sr, ceilingDb: model.get("ceiling_db"), onstate: () => made === playing && paint() });
    playing = made;
    players = [];
    made.setRegion({ from: 0, to: made.duration }); // goes round until stopped, so that you can switch as long as you like
    root.__earup = { deck: made, lag, playbackWarning, get analyser() { return made.analyser; }, get ctx() { return made.ctx; } };
  }
  let current = null; // label of the button that is heard
  function paint() {
    for (const { label, button } of players) button.setAttribute("aria-pressed", String(playing.playing && label === current));
    if (playing.blocked) say.textContent = "The browser has not allowed sound yet. Press the letter again.";
  }
  function player(label, track, name = `Play ${label}`) {
    const me = { label, heard: false, button: el("button", { type: "button", class: "earup-letter", text: label, "aria-label": name, "aria-pressed": "false" }) };
    me.hear = () => {
      me.heard = true;
      me.button.classList.add("heard");
      current = label;
      playing.select(track);
      playing.play();
      paint();
      say.textContent = `Playing ${label}.`;
    };
    me.button.addEventListener("click", me.hear);
    players.push(me);
    return me;
  }
  const stopButton = () => el("button", { type: "button", text: "Stop", on: { click: () => { playing.stop(); say.textContent = "Stopped."; } } });
  const unheard = () => players.find((p) => !p.heard)?.label;

  // ---- screens ----
  function show(nodes, keys = {}, focus = null) {
    const here = root.contains(document.activeElement);
    table = keys;
    body.replaceChildren(...nodes.flat(Infinity));
    if (here) (focus ?? root).focus();
    notes();
  }
  function notes() {
    const given = model.get("answers").length, behind = given - model.get("saved"), done = given >= screens * perScreen;
    const saved = behind <= 0 ? `Saved in ${model.get("file")}.` : model.get("fault") || "Not saved: no running kernel has answered. The test works all the same.";
    const tell = given && model.get("file") && (done || behind <= 0 || behind > perScreen || model.get("fault")); // the last answer may be on its way
    foot.replaceChildren(...paragraphs(started ? "" : model.get("note"), "earup-quiet"), ...paragraphs(tell ? saved : "", "earup-quiet"));
  }
  function progress(at) {
    const what = kind === "abx" ? "Trial" : "Item", words = `${what} ${at + 1} of ${screens}`;
    say.textContent = `${words}.`;
    return screens < 2 ? [] : el("div", { class: "earup-row" }, el("span", { text: words }), el("progress", { value: at, max: screens, "aria-label": words }));
  }
  // A form, so that Enter in any of its controls confirms; rows() gives the answers, or a string that says what is missing.
  function form(rows, ...children) {
    const confirm = el("button", { type: "submit", class: "earup-main", text: kind === "rank" ? "Confirm" : "Confirm (Enter)" });
    const submit = (event) => {
      event.preventDefault();
      const given = rows();
      if (typeof given === "string") return void (say.textContent = given);
      playing.stop();
      model.set("answers", [...model.get("answers"), ...given]);
      model.save_changes();
    };
    return { confirm, node: el("form", { on: { submit } }, ...children, el("div", { class: "earup-row" }, confirm, stopButton())) };
  }

  function abx(trial) {
    load(0);
    const x = pick(2);
    const [a, b, hidden] = [player("A", 0), player("B", 1), player("X", x)];
    let answer = null;
    const radios = ["A", "B"].map((letter) => el("input", { type: "radio", name: "x", value: letter, on: { change: () => (answer = letter) } }));
    const rows = () => {
      if (!hidden.heard) return "Listen to X first (key x).";
      return answer ? [{ trial: trial + 1, x: "AB"[x], answer }] : "Choose: X is A (key 1) or X is B (key 2).";
    };
    const labels = radios.map((radio, i) => el("label", {}, radio, `X is ${"AB"[i]} (key ${i + 1})`));
    const { node, confirm } = form(rows, el("div", { class: "earup-row" }, players.map((p) => p.button)),
      el("fieldset", { class: "earup-row" }, el("legend", { text: "Which one is X?" }), labels));
    const choose = (i) => () => { radios[i].click(); confirm.focus(); say.textContent = `X is ${"AB"[i]}. Enter confirms.`; };
    show([progress(trial), node], { a: a.hear, b: b.hear, x: hidden.hear, 1: choose(0), 2: choose(1) }, a.button);
  }

  function rank() {
    load(0);
    const order = shuffled(perScreen); // position -> track at the start, under letters A, B, ...
    const list = el("ol", { class: "earup-ranks" });
    const items = order.map((track, i) => {
      const p = player(LETTERS[i], track);
      const move = (step) => {
        const at = items.indexOf(me), to = at + step;
        if (to < 0 || to >= items.length) return;
        items.splice(to, 0, ...items.splice(at, 1));
        const focus = document.activeElement;
        list.replaceChildren(...items.map((item) => item.node)); // moving a node drops its focus: give it back
        focus.focus();
        say.textContent = `${p.label} is now number ${to + 1} of ${items.length}.`;
      };
      const button = (text, step) => el("button", { type: "button", text, "aria-label": `Move ${p.label} ${text}`, on: { click: () => move(step) } });
      const me = { track, p, move, node: el("li", {}, p.button, button("up", -1), button("down", 1)) };
      return me;
    });
    list.append(...items.map((item) => item.node));
    const rows = () => unheard() ? `Listen to ${unheard()} first.`
      : items.map(({ track, p }, i) => ({ rank: i + 1, track: sounds[0].tracks[track].name, letter: p.label }));
    const { node } = form(rows, list);
    const held = (step) => () => items.find((item) => item.node.contains(document.activeElement))?.move(step);
    const keys = { arrowup: held(-1), arrowdown: held(1) };
    items.forEach((_, i) => (keys[i + 1] = () => { items[i].p.button.focus(); return items[i].p.hear(); }));
    show([node], keys, items[0].p.button);
    say.textContent = "Keys 1 to 9 play a row, arrow up and down move it.";
  }

  function mushra(item) {
    load(item);
    const { tracks } = sounds[item];
    const reference = player("Reference", 0, "Play the reference");
    reference.heard = true; // open to you at any time, but not asked for
    const conditions = shuffled(perScreen).map((track, i) => {
      const p = player(LETTERS[i], track), out = el("output", { text: "not rated" });
      const me = { track, p, rated: false };
      const slide = () => {
        me.rated = true;
        out.textContent = grade(me.slider.value);
        me.slider.setAttribute("aria-valuetext", out.textContent);
      };
      me.slider = el("input", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": `Rating of ${p.label}`, "aria-valuetext": "not rated", on: { input: slide } });
      me.nodes = [p.button, me.slider, out];
      return me;
    });
    const rows = () => {
      const missing = conditions.find((c) => !c.p.heard || !c.rated);
      if (missing) return `${missing.p.heard ? "Rate" : "Listen to"} ${missing.p.label} first.`;
      return conditions.map(({ track, p, slider }) => ({ item: sounds[item].item, condition: tracks[track].name, letter: p.label, rating: Number(slider.value) }));
    };
    const scale = el("div", { class: "earup-scale", "aria-hidden": "true" }, SCALE.map((word) => el("span", { text: word })));
    const { node } = form(rows, el("div", { class: "earup-row" }, reference.button, el("span", { class: "earup-quiet", text: "One of the letters is the reference itself: give it 100." })),
      el("div", { class: "earup-rate" }, el("span"), scale, el("span"), conditions.flatMap((c) => c.nodes)));
    const keys = { 0: reference.hear, r: reference.hear };
    conditions.forEach((c, i) => (keys[i + 1] = () => { c.slider.focus(); return c.p.hear(); }));
    keys.enter = () => (document.activeElement.type === "button" ? document.activeElement.click() : node.requestSubmit());
    show([progress(item), node], keys, reference.button);
  }

  const HOW = {
    abx: "X is A or B, drawn anew in every trial. Switch between them (keys a, b, x) as long as you like, answer (1 or 2), confirm (Enter). Guess when you must. The score comes after the last trial, not before.",
    rank: "Listen to every letter (keys 1 to 9) and put them in order, best first (arrow up and down). The names come after you confirm.",
    mushra: "Rate every letter against the reference, 0 to 100 (keys: 0 reference, 1 to 9 a letter, arrows its slider, Enter confirms). The names come after the last item.",
  };
  let checking = false; // the button stays enabled, because a disabled one would drop the focus
  async function start() {
    if (checking) return;
    checking = true;
    say.textContent = "Checking playback for a second ...";
    const found = playbackWarning(await checkPlayback(context(sr)));
    warning.hidden = !found;
    warning.textContent = found ?? "";
    checking = false;
    started = true;
    next();
  }
  function intro(at) {
    const button = el("button", { type: "button", class: "earup-main", text: at ? `Go on at ${at + 1} of ${screens}` : "Start", on: { click: start } });
    const volume = at ? "Headphones on, at the volume you had before: another volume is another test."
      : "Headphones on. Set the volume in the first trial so that it is comfortable, then leave it alone until the end.";
    const [a, b] = sounds[0].tracks;
    const names = kind === "abx" && a.name !== "A" ? `A: ${a.name}. B: ${b.name}.` : "";
    show([paragraphs(model.get("question")), paragraphs(names), paragraphs(HOW[kind]), paragraphs(volume), el("div", { class: "earup-row" }, button)], {}, button);
  }

  function result() {
    const answers = model.get("answers"), { tracks } = sounds[0];
    const again = el("button", { type: "button", text: "Take it again", on: { click: () => { model.set("answers", []); return model.save_changes(); } } });
    const row = (tag, cells) => el("tr", {}, cells.map((text) => el(tag, { text })));
    const ratings = (name) => answers.filter((a) => a.condition === name).map((a) => a.rating);
    const summary = (r) => [(r.reduce((s, v) => s + v, 0) / r.length).toFixed(1), Math.min(...r), Math.max(...r)];
    const nodes = {
      abx: () => [paragraphs(model.get("verdicts")[answers.filter((a) => a.x === a.answer).length])],
      rank: () => [heading("Your order, best first"), el("ol", {}, answers.map((a) => el("li", { text: `${a.track} (you heard it as ${a.letter})` })))],
      mushra: () => [el("table", {}, row("th", ["condition", "mean", "lowest", "highest"]), tracks.map(({ name }) => row("td", [name, ...summary(ratings(name))]))) ],
    }[kind]();
    const counts = "A second go is a test of its own: decide beforehand which one counts.";
    const report = model.get("report") || (kind === "mushra" ? "Intervals and p values come from Python: they need a running kernel." : "");
    show([nodes, paragraphs(report), el("div", { class: "earup-row" }, again, el("span", { class: "earup-quiet", text: counts }))], {}, again);
    say.textContent = "The test is complete.";
  }

  function next() {
    const at = Math.floor(model.get("answers").length / perScreen);
    if (at >= screens) { playing?.stop(); started = false; warning.hidden = true; result(); }
    else if (!started) intro(at);
    else ({ abx, rank, mushra })[kind](at);
  }

  const onreport = () => model.get("answers").length >= screens * perScreen && result();
  model.on("change:answers", next);
  model.on("change:saved change:note change:fault", notes);
  model.on("change:report", onreport);
  const offKeys = shortcuts(root, () => table), offLook = onLook(root, () => palette(root));
  next();
  return () => {
    playing?.stop();
    offKeys(); offLook(); asleep.end();
    model.off("change:answers", next); model.off("change:saved change:note change:fault", notes); model.off("change:report", onreport);
  };
}

export default { render };
