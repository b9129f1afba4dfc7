// Python in the page: a worker for all stages and exercises of the page, started by the first touch of one.

(() => {
  const { need, samples } = window.earup;
  const engine = { worker: null, ready: null, fetched: null, hears: new Map() };
  const MB = (count) => (count / 1e6).toFixed(1);

  // Whoever waits for Python reads how far it is.
  const waiting = new Set();
  let told = "";
  const tellAll = (text) => { told = text; for (const tell of waiting) tell(text); };

  // Hands a worker what Python is made of, one piece after the other; it starts while they come.
  async function fetchPython() {
    const { worker, pieces } = await need("engine"), all = Object.entries(pieces), whole = all.reduce((sum, [, [, size]]) => sum + size, 0);
    const own = new Worker(URL.createObjectURL(new Blob([worker], { type: "text/javascript" })));
    own.onmessage = ({ data }) => engine.hears.get(data.name ?? "start")?.(data);
    engine.worker = own;
    const started = call({ call: "start" }, "start");
    started.catch(() => {}); // whoever awaits it hears of it
    let here = 0;
    for (const [name, [key, size]] of all) {
      tellAll(`Python is on its way into this page: ${MB(here)} of ${MB(whole)} MB`);
      own.postMessage({ call: "piece", name, text: await need(key) });
      here += size;
    }
    return { started };
  }

  async function startPython() {
    engine.fetched = fetchPython();
    const { started } = await engine.fetched;
    tellAll("Python is here, and starts ...");
    await started;
  }

  // Resolves with the worker, which is started by the first who asks.
  async function python(tell) {
    waiting.add(tell);
    if (engine.ready) tell(told);
    engine.ready ??= startPython();
    try { await engine.ready; } catch (error) { engine.ready = null; throw error; } finally { waiting.delete(tell); }
    return engine.worker;
  }

  // Ends what does not end; the next question starts Python again.
  function endPython() {
    engine.worker?.terminate();
    engine.worker = engine.ready = engine.fetched = null;
  }

  // Resolves when the worker has done what it was asked.
  function call(message, name) {
    return new Promise((done, failed) => {
      engine.hears.set(name, (data) => (data.fault ? failed(new Error(data.fault)) : done(data)));
      engine.worker.postMessage(message);
    });
  }

  // A computer with a mouse, and no wish to save data, has the pieces while a stage or a box is looked at.
  const LOOKED_AT = 1500; // [ms]
  let ahead = null;
  function fetchAhead() {
    ahead ??= (async () => { for (const [key] of Object.values((await need("engine")).pieces)) await need(key); })();
    ahead.catch(() => { ahead = null; });
    return ahead;
  }
  function whenLookedAt(place, then) {
    if (navigator.connection?.saveData || !matchMedia("(hover: hover) and (pointer: fine)").matches) return;
    let clock = 0;
    const look = new IntersectionObserver(([{ isIntersecting }]) => {
      clearTimeout(clock);
      if (isIntersecting) clock = setTimeout(() => { look.disconnect(); fetchAhead().then(then, () => {}); }, LOOKED_AT);
    }, { threshold: 0.3 });
    if (document.readyState === "complete") look.observe(place);
    else addEventListener("load", () => look.observe(place));
  }

  // The samples of clips that Python reads.
  async function samplesOf(clips) {
    const own = Object.entries(clips).map(async ([clip, { sound, sr, channels }]) => [clip, { samples: await samples(sound, sr), sr, channels }]);
    return Object.fromEntries(await Promise.all(own));
  }

  // Have Python answer a stage: the first question starts it, and only the newest waits meanwhile.
  function enliven(model, { source, clips }, name, tell, place) {
    let newest = null, busy = false, home = null; // home: the worker that has made this stage
    tell("The first move starts Python in this page (8 MB, once).");
    whenLookedAt(place, () => { if (!newest) tell("The first move starts Python in this page; its 8 MB are here already."); });
    async function handed() { // after Python's own pieces, while it starts
      await engine.fetched;
      return { source: await need(source), clips: await samplesOf(clips) };
    }
    async function make() {
      const [worker, own] = await Promise.all([python(tell), handed()]);
      tell("Python is making this picture ...");
      await call({ call: "make", name, ...own }, name);
      engine.hears.set(name, ({ message, bytes: raw, fault }) => {
        if (fault) tell(fault);
        else model.tell("msg:custom", message, [new DataView(raw.buffer)]);
      });
      tell("Python runs in this page.");
      home = worker;
    }
    model.ask = async (request) => {
      newest = request;
      if (busy) return;
      busy = true;
      try {
        if (!home || home !== engine.worker) await make();
        home.postMessage({ call: "ask", name, request: newest });
      } catch (error) {
        tell(`Python did not start: ${error.message}. A move tries again.`);
      }
      busy = false;
    };
  }

  Object.assign(window.earup, { python, endPython, call, enliven, samplesOf, whenLookedAt });
})();
