// Run by test_node.py, which writes NumPy's answers and a module made of core.js and deck.js.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const folder = process.env.EARUP_JS_TEST;
const core = await import(pathToFileURL(`${folder}/core.mjs`));
const vectors = JSON.parse(readFileSync(`${folder}/vectors.json`, "utf-8"));

const far = (a, b) => a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i])), Math.abs(a.length - b.length));

for (const { re, im, out_re, out_im } of vectors.fft) {
  test(`fft of ${re.length} complex numbers equals numpy.fft.fft`, () => {
    const a = Float64Array.from(re), b = Float64Array.from(im);
    core.fft(a, b);
    assert.ok(far(a, out_re) < 1e-9 && far(b, out_im) < 1e-9);
  });
}

test("fft refuses a length that is no power of two", () => {
  assert.throws(() => core.fft(new Float64Array(12), new Float64Array(12)), /power of two, got 12/);
});

for (const { y, n_fft, hop, db } of vectors.stft) {
  test(`stftDb of ${y.length} samples, ${n_fft}/${hop}, equals numpy`, () => {
    const found = core.stftDb(Float32Array.from(y), n_fft, hop);
    assert.equal(found.frames, db.length);
    assert.equal(found.bins, n_fft / 2 + 1);
    assert.ok(far(found.db, db.flat()) < 0.01);
  });
}

test("a sine of amplitude 1 on a bin reads 0 dB, of 0.1 reads -20 dB", () => {
  for (const [amp, level] of [[1, 0], [0.1, -20]]) {
    const y = Float32Array.from({ length: 4096 }, (_, i) => amp * Math.sin((2 * Math.PI * 32 * i) / 512));
    const { db, bins } = core.stftDb(y, 512, 128);
    assert.ok(Math.abs(db[16 * bins + 32] - level) < 0.01);
  }
});

test("silence reads the floor, not minus infinity", () => {
  assert.ok(core.stftDb(new Float32Array(600), 256, 64).db.every((v) => v === -140));
});

test("a ramp up and a ramp down add to one at every moment, and rise like a raised cosine", () => {
  const up = core.rampCurve(0, 1), down = core.rampCurve(1, 0);
  assert.ok(up.every((v, i) => Math.abs(v + down[i] - 1) < 1e-7));
  assert.equal(up[0], 0);
  assert.equal(up.at(-1), 1);
  assert.ok(Math.abs(up[(up.length - 1) / 4] - (0.5 - Math.SQRT1_2 / 2)) < 1e-7);
  assert.ok(up.every((v, i) => i === 0 || v > up[i - 1]));
});

test("no ramp is shorter than 20 ms, whatever is asked for", () => {
  const calls = [];
  const param = { setValueCurveAtTime: (curve, at, seconds) => calls.push({ at, seconds }) };
  for (const ms of [0, 5, 20, 30]) core.ramp(param, 0, 1, 2, ms);
  assert.deepEqual(calls.map((c) => c.seconds), [0.02, 0.02, 0.02, 0.03]);
  assert.ok(core.ramp(param, 0, 1, 2, 30) >= 2.03);
});

test("a ramp that would overlap the last one waits for it to end", () => {
  const begun = [];
  const param = { setValueCurveAtTime: (curve, at) => {
    if (begun.length && at < begun.at(-1) + 0.025) throw new DOMException("overlaps", "NotSupportedError");
    begun.push(at);
  } };
  begun.push(1.012); // the browser began a ramp 12 ms after the time it was given
  assert.ok(core.ramp(param, 1, 0, 1.026) >= begun.at(-1) + 0.025);
  assert.ok(begun.length === 2 && begun[1] >= 1.037);
});

test("faded edges reach zero and leave the middle exact", () => {
  const y = new Float32Array(1000).fill(0.7);
  const both = core.faded(y, 0, 1000, 100, { head: true, tail: true });
  assert.equal(both[0], 0);
  assert.equal(both[999], 0);
  assert.deepEqual(both.slice(100, 900), y.slice(100, 900));
  const tail = core.faded(y, 0, 1000, 100, { head: false, tail: true });
  assert.deepEqual(tail.slice(0, 900), y.slice(0, 900));
  assert.ok(y.every((v) => v === y[0])); // the samples themselves are untouched
});

test("a region beyond the end of a track is silence, and the track's own end is faded", () => {
  const part = core.faded(new Float32Array(1000).fill(1), 600, 1400, 100, { head: true, tail: true });
  assert.equal(part.length, 800);
  assert.equal(part[399], 0);
  assert.equal(part[250], 1);
  assert.ok(part.slice(400).every((v) => v === 0));
});

test("floats reads little-endian float32 at an offset that is no multiple of four", () => {
  const bytes = new Uint8Array(11);
  new DataView(bytes.buffer).setFloat32(3, 0.25, true);
  new DataView(bytes.buffer).setFloat32(7, -2, true);
  assert.deepEqual([...core.floats(new DataView(bytes.buffer, 3, 8))], [0.25, -2]);
});

test("axis numbers are round and stay inside", () => {
  assert.deepEqual(core.ticks(0, 8, 4), { values: [0, 2, 4, 6, 8], digits: 0 });
  assert.deepEqual(core.ticks(0, 3.52, 7).values, [0, 1, 2, 3]);
  assert.deepEqual(core.ticks(0, 0.05, 5), { values: [0, 0.01, 0.02, 0.03, 0.04, 0.05], digits: 2 });
  assert.deepEqual(core.ticks(0, 24, 4).values, [0, 10, 20]);
});

test("the level map runs from the ground to the farthest colour, on paper and at night", () => {
  const grey = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b;
  for (const [dark, ground] of [[false, 255], [true, 17]]) {
    const map = core.levelMap(dark).map(grey);
    assert.equal(map.length, 256);
    assert.ok(Math.abs(map[0] - ground) < 0.5);
    assert.ok(map.every((v, i) => i === 0 || (dark ? v >= map[i - 1] : v <= map[i - 1])));
  }
});

test("claim stops every other source and silence() stops all", () => {
  const stopped = [];
  const [a, b] = ["a", "b"].map((name) => () => stopped.push(name));
  const release = core.claim(a);
  core.claim(a);
  assert.deepEqual(stopped, []);
  core.claim(b);
  assert.deepEqual(stopped, ["a"]);
  release();
  stopped.length = 0;
  core.silence();
  assert.deepEqual(stopped, ["b"]);
});

test("numbers for people: a true minus sign, and a word for silence", () => {
  assert.equal(core.signed(-3.04), "\u22123.0");
  assert.equal(core.dbfs(-Infinity), "silence");
});

test("rmsFrequency of a sine is its frequency, of two the root of the mean square, of silence none", () => {
  const sine = (f, a = 1) => Float64Array.from({ length: 8000 }, (_, n) => a * Math.sin((2 * Math.PI * f * n) / 8000));
  const hz = (y) => (core.rmsFrequency(y) * 8000) / (2 * Math.PI);
  assert.ok(Math.abs(hz(sine(100)) - 100) < 0.1);
  assert.ok(Math.abs(hz(sine(3000, 0.01)) - 3000) < 3);
  const both = sine(100).map((v, n) => v + sine(200)[n]);
  assert.ok(Math.abs(hz(both) - Math.sqrt((100 ** 2 + 200 ** 2) / 2)) < 0.5); // as long as sin x is about x
  assert.ok(Number.isNaN(hz(new Float64Array(100))));
});

test("minus writes a true minus sign before digits", () => {
  assert.equal(core.minus("-6 dB"), "\u22126 dB");
});
