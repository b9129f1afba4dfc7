// A loop: a stage that moves by itself. Put after stage.js by Python, whose drawing, slider and words it uses. All its
// pictures lie in the model, so it asks no Python: it plays on a page without a kernel, and after the kernel has gone.

const REST = 1000; // [ms] on the last picture before the first comes again
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// The arrays of all pictures: {name, shape, at(k) -> Float32Array}. Each was stored as whole numbers, which are the
// differences to the picture before; the largest one stands for NaN.
async function unrolled(model) {
  const stream = new Blob([model.get("packed")]).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = await new Response(stream).arrayBuffer(), count = model.get("words").length;
  let from = 0;
  return model.get("packing").map(({ name, shape, low, step, bytes }) => {
    const size = shape.reduce((a, b) => a * b, 1), none = 2 ** (8 * bytes) - 1;
    const all = new (bytes === 1 ? Uint8Array : Uint16Array)(raw.slice(from, (from += size * count * bytes)));
    for (let i = size; i < all.length; i++) all[i] += all[i - size];
    const at = (k) => Float32Array.from(all.subarray(k * size, (k + 1) * size), (q) => (q === none ? NaN : low + q * step));
    return { name, shape, at };
  });
}

async function renderLoop({ model, el: host }) {
  const { seconds, controls: [slider] } = model.get("spec"), words = model.get("words"), last = words.length - 1;
  const arrays = await unrolled(model), period = (1000 * seconds) / words.length;
  const contents = arrays.map(({ name, shape }) => [name, shape]);
  let hear = null, frame = 0, begun = 0, shown = -1, once = false, fresh = true;

  const numberOf = (value) => Math.round((value - slider.low) / slider.step); // of the picture, from 0
  function pictured(k) { // as Python sends arrays: one after the other
    const parts = arrays.map((array) => array.at(k)), all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
    parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
    return new DataView(all.buffer);
  }
  // What the stage takes for its model: questions are answered from what is stored, and no kernel can be missed.
  const first = { contents, frame: pictured(numberOf(model.get("values")[slider.name])) };
  const stored = {
    get: (name) => first[name] ?? model.get(name), off() {},
    on(name, hearer) { if (name === "msg:custom") hear = hearer; },
    send({ n, values }) {
      const k = numberOf(values[slider.name]);
      hear({ n, contents, readout: words[k], solved: "" }, [pictured(k)]);
    },
  };
  const end = render({ model: stored, el: host }), root = host.querySelector(".earup-scene");
  root.classList.replace("earup-scene", "earup-film");
  for (const node of root.querySelectorAll(".earup-asleep, .earup-lost")) node.remove(); // it never sleeps
  const input = root.querySelector("input[type=range]"), said = root.querySelector(".earup-live");
  const button = el("button", { class: "earup-main earup-play", type: "button", text: "Play", on: { click: () => (frame ? pause() : play(false)) } });
  input.parentElement.style.flex = input.style.flex = "1 1 200px";
  input.addEventListener("input", (event) => event.isTrusted && pause()); // who scrubs has taken over
  root.querySelector(".earup-controls").prepend(button);

  function put(k) {
    shown = k; input.value = slider.low + k * slider.step;
    input.dispatchEvent(new Event("input"));
  }
  function play(oneTime) {
    const now = numberOf(input.value), from = oneTime || now >= last ? 0 : now;
    once = oneTime; fresh = false; shown = -1; begun = document.timeline.currentTime - from * period;
    said.setAttribute("aria-live", "off"); // nobody can follow words that change ten times a second
    button.textContent = "Pause"; root.toggleAttribute("data-moving", true);
    cancelAnimationFrame(frame); frame = requestAnimationFrame(tick);
  }
  function pause() {
    cancelAnimationFrame(frame); frame = 0; fresh = false;
    said.setAttribute("aria-live", "polite");
    button.textContent = "Play"; root.toggleAttribute("data-moving", false);
  }
  function tick(now) {
    const k = Math.max(0, Math.floor((now - begun) / period + 1e-6)); // where it was left, though rounded
    if (k <= last && k !== shown) put(k);
    if (k > last && shown !== last) put(last);
    if (k > last && once) return pause();
    if (now - begun > period * words.length + REST) begun = now;
    return (frame = requestAnimationFrame(tick));
  }
  const seen = new IntersectionObserver((entries) => {
    const { intersectionRatio: share } = entries.at(-1);
    if (share >= 0.6 && fresh && !calm()) play(true);
    if (share === 0 && frame) pause();
  }, { threshold: [0, 0.6] });
  seen.observe(root);
  return () => { seen.disconnect(); cancelAnimationFrame(frame); return end(); };
}

export default { render: renderLoop };
