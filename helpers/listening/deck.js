// Several tracks in step, for the player and the blind test. Put after core.js by Python.

// Raised-cosine edges on a copy of the samples y[from:to], which are zero beyond the end of y.
function faded(y, from, to, fade, { head, tail }) {
  const part = new Float32Array(to - from);
  part.set(y.subarray(Math.min(from, y.length), Math.min(to, y.length)));
  const end = Math.max(0, Math.min(to, y.length) - from);
  const n = Math.min(fade, end >> 1);
  for (let i = 0; i < n; i++) {
    if (head) part[i] *= raised(i, n);
    if (tail) part[end - 1 - i] *= raised(i, n);
  }
  return part;
}

// Several tracks that run together; one is heard. tracks: [[Float32Array per channel], ...] of any lengths.
// play() must come from a gesture. onstate() is called on every change of playing, chosen, region or blocked.
function deck(tracks, { sr, ceilingDb = -1, onstate = () => {} }) {
  const lengths = tracks.map((channels) => channels[0].length);
  const total = Math.max(...lengths);
  const fade = Math.round(FADE * sr);
  let ctx, out, voice, release = () => {};
  const me = { chosen: 0, region: null, blocked: false, duration: total / sr, seek, select, setRegion, play, stop };
  Object.defineProperties(me, {
    ctx: { get: () => ctx }, analyser: { get: () => out?.analyser }, playing: { get: () => !!voice }, position: { get: position },
  });
  let rest = 0; // [s] where the head stands while nothing plays
  let leaving = 0; // [s of the context] when the last one began to fade out: the next fades in from then, never before

  function position() {
    if (!voice) return rest;
    const t = voice.from + Math.max(0, ctx.currentTime - voice.when);
    const r = voice.region;
    return r ? r.from + ((t - r.from) % (r.to - r.from)) : Math.min(t, me.duration);
  }
  function source(channels, region) {
    const [a, b] = region ? [Math.round(region.from * sr), Math.round(region.to * sr)] : [0, channels[0].length];
    const buffer = new AudioBuffer({ length: b - a, numberOfChannels: channels.length, sampleRate: sr });
    channels.forEach((y, c) => buffer.copyToChannel(faded(y, a, b, fade, { head: !!region, tail: true }), c));
    return new AudioBufferSourceNode(ctx, { buffer, loop: !!region });
  }
  function begin(from) {
    const region = me.region;
    const master = new GainNode(ctx, { gain: 0 });
    const gains = tracks.map((_, i) => new GainNode(ctx, { gain: i === me.chosen ? 1 : 0 }));
    const sources = tracks.map((channels) => source(channels, region));
    sources.forEach((s, i) => s.connect(gains[i]).connect(master).connect(out.input));
    const when = Math.max(ctx.currentTime + LEAD, leaving); // the clock is read only now: making sources takes time
    sources.forEach((s) => s.start(when, from - (region ? region.from : 0)));
    const mine = { when, from, region, master, gains, sources, ready: ramp(master.gain, 0, 1, when), switched: 0 };
    sources[lengths.indexOf(total)].onended = () => voice === mine && ((voice = null), (rest = 0), release(), onstate());
    return mine;
  }
  function end(v) {
    leaving = Math.max(ctx.currentTime + LEAD, v.ready);
    const done = ramp(v.master.gain, 1, 0, leaving);
    v.sources.forEach((s) => s.stop(done));
  }
  function within(t) {
    const { from, to } = me.region ?? { from: 0, to: me.duration };
    return t < from || t > to - 2 * FADE ? from : t;
  }
  function play() {
    ctx ??= context(sr);
    out ??= output(ctx, ceilingDb);
    ctx.resume().catch(() => {}); // a refusal shows below
    setTimeout(() => { me.blocked = !!voice && ctx.state !== "running"; return me.blocked && onstate(); }, 500);
    if (voice) return;
    release = claim(stop);
    voice = begin(within(rest));
    onstate();
  }
  function stop() {
    if (!voice) return;
    rest = position();
    end(voice);
    voice = null;
    release();
    onstate();
  }
  function seek(t) {
    rest = Math.max(0, Math.min(t, me.duration));
    if (voice) { end(voice); voice = begin(within(rest)); }
    onstate();
  }
  function select(i) {
    if (i === me.chosen || !tracks[i]) return;
    if (voice) {
      const at = Math.max(ctx.currentTime + LEAD, voice.switched);
      ramp(voice.gains[me.chosen].gain, 1, 0, at);
      voice.switched = ramp(voice.gains[i].gain, 0, 1, at);
    }
    me.chosen = i;
    onstate();
  }
  function setRegion(region) {
    me.region = region && region.to - region.from >= 4 * FADE ? region : null;
    seek(position());
  }
  return me;
}
