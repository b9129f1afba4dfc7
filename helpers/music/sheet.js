// A lead sheet that plays: parts in step, each of which can be muted; a cursor in the bar that sounds.
(() => {
  const { bars, names, seconds } = JSON.parse(document.getElementById("sheet").textContent);
  const one = (id) => document.getElementById(id), boxes = [...document.querySelectorAll("button.bar")];
  const mutes = [...document.querySelectorAll("[data-part]")], RAMP = 0.025; // [s] of every change of level
  let context, buffers, master, gains = {}, sources = [], began = 0, from = 0, playing = false, shown = -1, starts = 0;

  const bytes = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0)).buffer;
  const place = () => (playing ? Math.min(seconds, Math.max(from, from + context.currentTime - began)) : from);
  const clock = (t) => `${t.toFixed(1)} of ${seconds.toFixed(1)} s`;

  async function ready() {
    context ??= new AudioContext();
    buffers ??= Promise.all(names.map((name) => context.decodeAudioData(bytes(one(`audio-${name}`).src))));
    await context.resume();
    return buffers;
  }

  function ramp(gain, to) { // from where it is, so that nothing clicks
    const now = context.currentTime;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(to, now + RAMP);
  }

  function silence() {
    if (!sources.length) return;
    ramp(master.gain, 0);
    for (const source of sources) source.stop(context.currentTime + RAMP + 0.01);
    sources = [];
  }

  // what no mix of the parts passes, whatever a decoder does: -1 dBFS
  function limited() {
    const ceiling = 10 ** (-1 / 20);
    const louder = new GainNode(context, { gain: 1 / ceiling });
    const limiter = new WaveShaperNode(context, { curve: new Float32Array([-1, 0, 1]), oversample: "none" });
    louder.connect(limiter).connect(new GainNode(context, { gain: ceiling })).connect(context.destination);
    return louder;
  }

  async function play(at) {
    const mine = ++starts;
    one("said").textContent = "Decoding.";
    const sounds = await ready();
    if (mine !== starts) return; // stopped, or begun elsewhere, while it decoded
    silence();
    for (const element of document.querySelectorAll("audio")) element.pause();
    from = at >= seconds - 0.05 ? 0 : at;
    began = context.currentTime + 0.05;
    master = context.createGain();
    master.gain.setValueAtTime(0, began);
    master.gain.linearRampToValueAtTime(1, began + RAMP);
    master.connect(limited());
    sources = names.map((name, k) => {
      gains[name] = context.createGain();
      gains[name].gain.value = heard(name) ? 1 : 0;
      const source = context.createBufferSource();
      source.buffer = sounds[k];
      source.connect(gains[name]).connect(master);
      source.start(began, from);
      return source;
    });
    playing = true;
    one("play").textContent = "Stop";
    one("said").textContent = "Playing.";
    requestAnimationFrame(tick);
  }

  function stop() {
    starts++;
    const at = place();
    if (context) silence();
    from = at;
    if (playing) one("said").textContent = `Stopped at ${clock(at)}.`;
    playing = false;
    one("play").textContent = "Play";
    draw();
  }

  const heard = (name) => mutes.find((button) => button.dataset.part === name).getAttribute("aria-pressed") === "true";

  function tick() {
    if (!playing) return;
    draw();
    if (place() < seconds) return requestAnimationFrame(tick);
    stop();
    from = 0;
    draw();
  }

  function draw() {
    const t = place(), k = bars.findIndex(([start, end]) => t >= start && t < end);
    one("at").value = t;
    one("at").setAttribute("aria-valuetext", clock(t));
    one("clock").textContent = clock(t);
    if (k !== shown) {
      boxes.forEach((box, i) => { box.classList.toggle("now", i === k); box.toggleAttribute("aria-current", i === k); });
      shown = k;
      if (k >= 0 && playing) boxes[k].scrollIntoView({ block: "nearest" });
    }
    if (k >= 0) boxes[k].style.setProperty("--at", `${(100 * (t - bars[k][0])) / (bars[k][1] - bars[k][0])}%`);
  }

  function seek(t) { if (playing) play(t); else { from = t; draw(); } }

  one("play").addEventListener("click", () => (playing ? stop() : play(from)));
  one("at").addEventListener("input", (event) => seek(Number(event.target.value)));
  boxes.forEach((box, k) => {
    box.addEventListener("click", () => play(bars[k][0]));
    box.addEventListener("keydown", (event) => { // one stop for Tab, arrows from bar to bar
      const to = { ArrowRight: k + 1, ArrowDown: k + 1, ArrowLeft: k - 1, ArrowUp: k - 1, Home: 0, End: boxes.length - 1 }[event.key];
      if (to === undefined || !boxes[to]) return;
      event.preventDefault();
      box.tabIndex = -1;
      boxes[to].tabIndex = 0;
      boxes[to].focus();
    });
  });
  for (const button of mutes) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!heard(button.dataset.part)));
      if (playing) ramp(gains[button.dataset.part].gain, heard(button.dataset.part) ? 1 : 0);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      stop();
      for (const element of document.querySelectorAll("audio")) element.pause();
    } else if (event.key === " " && !event.target.closest("button, summary, audio")) {
      event.preventDefault();
      one("play").click();
    }
  });
  for (const element of document.querySelectorAll("audio")) element.addEventListener("play", () => playing && stop());
  draw();
  window.sheetState = () => ({ playing, at: place(), level: context && playing ? master.gain.value : 0 }); // for tests
})();
