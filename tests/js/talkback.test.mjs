// Run by test_talkback.py, which writes a module made of core.js, microphone.js and talkback.js, and sounds at 48 kHz.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const folder = process.env.EARUP_JS_TEST, SR = 48000, HOP = SR * 0.05;
const { heard, howlDetector } = await import(pathToFileURL(`${folder}/talkback.mjs`));
const sounds = Object.fromEntries(readdirSync(folder).filter((name) => name.endsWith(".f32")).map((name) => {
  const bytes = readFileSync(`${folder}/${name}`);
  return [name.slice(0, -4), new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))];
}));
const CAP = 0.1;

// What the widget would say of a microphone signal, and when [s]; it looks every 50 ms at the last 4096 samples.
function verdict(y, volume = 10 ** (-12 / 20)) {
  const detect = howlDetector();
  for (let end = 4096; end <= y.length; end += HOP) {
    const part = y.slice(end - 4096, end), peak = part.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
    const why = detect({ ...heard(part, SR), cut: peak * volume > CAP });
    if (why) return { why, at: end / SR };
  }
  return { why: "" };
}

// A microphone that hears a source and, `ms` later, its own sound: cut at the cap, coloured by a room that rings at one tone.
function room(source, { ms, gain, hz = 900 }) {
  const y = new Float32Array(source.length), sent = new Float32Array(source.length), d = Math.round((ms * SR) / 1000);
  const r = 0.995, turn = 2 * r * Math.cos((2 * Math.PI * hz) / SR), peak = 2 / ((1 - r) * 2); // gain of the resonance, about
  let a = 0, b = 0;
  for (let i = 0; i < y.length; i++) {
    const back = i >= d ? Math.max(-CAP, Math.min(CAP, sent[i - d])) : 0;
    const ring = back / peak + turn * a - r * r * b;
    [b, a] = [a, ring];
    y[i] = source[i] + (ring * 2 * Math.sin((2 * Math.PI * hz) / SR) + 0.2 * back) * gain;
    sent[i] = y[i];
  }
  return y;
}

test("level and strongest frequency are those of a tone", () => {
  const y = Float32Array.from({ length: 4096 }, (_, i) => 0.25 * Math.sin((2 * Math.PI * 1000 * i) / SR));
  const { db, hz } = heard(y, SR);
  assert.ok(Math.abs(db - 20 * Math.log10(0.25 / Math.SQRT2)) < 0.1 && Math.abs(hz - 1000) <= SR / 4096);
  assert.equal(heard(new Float32Array(4096), SR).db, -120);
});

for (const name of ["voice_a", "voice_b", "digits", "babble", "rain", "hum", "silence"]) {
  test(`${name} is no howl`, () => assert.deepEqual(verdict(sounds[name]), { why: "" }));
  test(`${name} that comes back weaker than it went is no howl`, () => {
    for (const ms of [10, 60, 200]) assert.deepEqual(verdict(room(sounds[name], { ms, gain: 0.3 })), { why: "" });
  });
}

for (const name of ["voice_a", "rain", "whisper"]) {
  for (const ms of [10, 60, 200]) {
    test(`${name} that comes back stronger after ${ms} ms is called a howl within four seconds`, () => {
      const { why, at } = verdict(room(sounds[name], { ms, gain: 2.2 }), 1);
      assert.ok(why === "howl" || why === "loud", `${why} at ${at}`); // a strong loop is at the cap before a second is over
      if (name === "whisper" && ms > 10) assert.equal(why, "howl");
      assert.ok(at < 4, `${why} at ${at}`);
    });
  }
}

test("a tone that swells is a howl, one that stays or fades is none", () => {
  const tone = (slope) => Float32Array.from({ length: 3 * SR }, (_, i) => 0.02 * 10 ** ((slope * i) / SR / 20) * Math.sin((2 * Math.PI * 700 * i) / SR));
  assert.equal(verdict(tone(6)).why, "howl");
  assert.equal(verdict(tone(0)).why, "");
  assert.equal(verdict(tone(-6)).why, "");
});

test("what is cut for a whole second is too loud, what is cut now and then is not", () => {
  const noise = (on) => Float32Array.from({ length: 3 * SR }, (_, i) => (on(i / SR) ? 0.6 * Math.sin(i * i * 0.37) : 0.001 * Math.sin(i)));
  assert.equal(verdict(noise(() => true)).why, "loud");
  assert.equal(verdict(noise((t) => t % 0.8 < 0.4)).why, "");
});
