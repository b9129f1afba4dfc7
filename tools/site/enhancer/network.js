// Setting 1 in a page: STFT, the network that makes a mask, and back with the phase that came in. The same sums as in
// helpers/settings (setting1.py, masknet.py, enhancer.py), in float64. Runs in a worker that is made of text.

const N_FFT = 512, HOP = 128, BINS = 257;
const LOWEST_DB = -40, HIGHEST_DB = -10, MIDDLE_DB = -27, SILENT_DB = -120; // levels that the network knows [dBFS]
const CHUNK = 16; // frames that go through the network at once: what it needs then fits the cache

// ---- the transform ----

const WINDOW = Float64Array.from({ length: N_FFT }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / N_FFT));
const COS = Float64Array.from({ length: N_FFT / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / N_FFT));
const SIN = Float64Array.from({ length: N_FFT / 2 }, (_, k) => Math.sin((-2 * Math.PI * k) / N_FFT));
const REVERSED = Uint16Array.from({ length: N_FFT }, (_, i) => parseInt(i.toString(2).padStart(9, "0").split("").reverse().join(""), 2));

// In place, N_FFT complex values: X[k] = sum_n x[n] exp(-2 pi i k n / N).
function transform(re, im) {
  for (let i = 0; i < N_FFT; i++) {
    const j = REVERSED[i];
    if (i < j) {
      const r = re[i], m = im[i];
      re[i] = re[j]; im[i] = im[j]; re[j] = r; im[j] = m;
    }
  }
  for (let size = 2; size <= N_FFT; size *= 2) {
    const half = size / 2, step = N_FFT / size;
    for (let start = 0; start < N_FFT; start += size) {
      for (let k = 0; k < half; k++) {
        const wr = COS[k * step], wi = SIN[k * step], a = start + k, b = a + half;
        const tr = re[b] * wr - im[b] * wi, ti = re[b] * wi + im[b] * wr;
        re[b] = re[a] - tr; im[b] = im[a] - ti; re[a] += tr; im[a] += ti;
      }
    }
  }
}

// ---- layers; x holds rows of numbers, one after the other ----

// out = x W' + b, W of shape (height, width): two rows and four outputs at a time, because loads cost more than products.
function dense(x, rows, width, W, b, height, out, xAt = 0, outAt = 0, outStep = height, xStep = width) {
  for (let r = 0; r < rows; r += 2) {
    const two = r + 1 < rows, x0 = xAt + r * xStep, x1 = two ? x0 + xStep : x0, y0 = outAt + r * outStep, y1 = y0 + outStep;
    let o = 0;
    for (; o + 4 <= height; o += 4) {
      let a0 = b[o], a1 = b[o + 1], a2 = b[o + 2], a3 = b[o + 3], c0 = a0, c1 = a1, c2 = a2, c3 = a3;
      for (let k = 0, w0 = o * width, w1 = w0 + width, w2 = w1 + width, w3 = w2 + width; k < width; k++) {
        const p = x[x0 + k], q = x[x1 + k], u = W[w0 + k], v = W[w1 + k], s = W[w2 + k], t = W[w3 + k];
        a0 += p * u; a1 += p * v; a2 += p * s; a3 += p * t;
        c0 += q * u; c1 += q * v; c2 += q * s; c3 += q * t;
      }
      out[y0 + o] = a0; out[y0 + o + 1] = a1; out[y0 + o + 2] = a2; out[y0 + o + 3] = a3;
      if (two) { out[y1 + o] = c0; out[y1 + o + 1] = c1; out[y1 + o + 2] = c2; out[y1 + o + 3] = c3; }
    }
    for (; o < height; o++) {
      let a = b[o], c = a;
      for (let k = 0; k < width; k++) { a += x[x0 + k] * W[o * width + k]; c += x[x1 + k] * W[o * width + k]; }
      out[y0 + o] = a;
      if (two) out[y1 + o] = c;
    }
  }
}

function layerNorm(x, rows, n, weight, bias, out) {
  for (let r = 0, at = 0; r < rows; r++, at += n) {
    let mean = 0, power = 0;
    for (let i = 0; i < n; i++) mean += x[at + i];
    mean /= n;
    for (let i = 0; i < n; i++) power += (x[at + i] - mean) ** 2;
    const k = 1 / Math.sqrt(power / n + 1e-5);
    for (let i = 0; i < n; i++) out[at + i] = (x[at + i] - mean) * k * weight[i] + bias[i];
  }
}

const sigmoid = (v) => 1 / (1 + Math.exp(-v));
const tanh = (v) => 1 - 2 / (1 + Math.exp(2 * v));

// One step of a GRU for several rows: h becomes the next state. given: W x + b of the row's input, at givenAt + r * step.
function gruStep(h, rows, size, given, givenAt, step, after) {
  for (let r = 0; r < rows; r++) {
    const g = givenAt + r * step, a = r * 3 * size, at = r * size;
    for (let i = 0; i < size; i++) {
      const reset = sigmoid(given[g + i] + after[a + i]), keep = sigmoid(given[g + size + i] + after[a + size + i]);
      const fresh = tanh(given[g + 2 * size + i] + reset * after[a + 2 * size + i]);
      h[at + i] = fresh + keep * (h[at + i] - fresh);
    }
  }
}

// ---- the network ----

// weights: {config: {bands, size, hidden, blocks}, tensors: {name: Float32Array}}
function makeNetwork({ config, tensors }) {
  const W = Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name.replace("network.", ""), Float64Array.from(values)]));
  const { bands, size: n, hidden, blocks } = config, K = bands.length, half = n / 2, rows = CHUNK * K;
  const room = (count) => new Float64Array(count);
  const x = room(rows * n), normed = room(rows * n), paired = room(rows * n), mixed = room(rows * n), onto = room(CHUNK * BINS);
  const given = room(rows * 3 * hidden), after = room(Math.max(CHUNK * 3 * half, K * 3 * hidden)), h = room(CHUNK * half), over = room(rows * hidden);

  // Along the bands of each frame, in one direction; the rows of x are [frame][band].
  function alongBands(name, backward, frames) {
    const of = (part) => W[`${name}.${part}_l0${backward ? "_reverse" : ""}`];
    dense(normed, frames * K, n, of("weight_ih"), of("bias_ih"), 3 * half, given);
    h.fill(0);
    for (let k = 0; k < K; k++) {
      const band = backward ? K - 1 - k : k;
      dense(h, frames, half, of("weight_hh"), of("bias_hh"), 3 * half, after);
      gruStep(h, frames, half, given, band * 3 * half, K * 3 * half, after);
      for (let t = 0; t < frames; t++) paired.set(h.subarray(t * half, (t + 1) * half), (t * K + band) * n + (backward ? half : 0));
    }
  }
  function alongTime(name, state, frames) {
    const of = (part) => W[`${name}.${part}_l0`];
    dense(normed, frames * K, n, of("weight_ih"), of("bias_ih"), 3 * hidden, given);
    for (let t = 0; t < frames; t++) {
      dense(state, K, hidden, of("weight_hh"), of("bias_hh"), 3 * hidden, after);
      gruStep(state, K, hidden, given, t * K * 3 * hidden, 3 * hidden, after);
      over.set(state, t * K * hidden);
    }
  }
  const add = (y, count) => { for (let i = 0; i < count; i++) x[i] += y[i]; };

  // The mask, [frame][bin], of so many frames of log magnitudes; states: of each block, carried on.
  function mask(logs, frames, states) {
    for (let k = 0, at = 0; k < K; at += bands[k++]) dense(logs, frames, bands[k], W[`into.${k}.weight`], W[`into.${k}.bias`], n, x, at, k * n, K * n, BINS);
    for (let b = 0; b < blocks; b++) {
      const name = `blocks.${b}`, norm = (i) => layerNorm(x, frames * K, n, W[`${name}.norms.${i}.weight`], W[`${name}.norms.${i}.bias`], normed);
      norm(0);
      alongBands(`${name}.bands`, false, frames);
      alongBands(`${name}.bands`, true, frames);
      dense(paired, frames * K, n, W[`${name}.mix.weight`], W[`${name}.mix.bias`], n, mixed);
      add(mixed, frames * K * n);
      norm(1);
      alongTime(`${name}.time`, states[b], frames);
      dense(over, frames * K, hidden, W[`${name}.out.weight`], W[`${name}.out.bias`], n, mixed);
      add(mixed, frames * K * n);
    }
    layerNorm(x, frames * K, n, W["norm.weight"], W["norm.bias"], normed);
    for (let i = 0; i < frames * K * n; i++) normed[i] = tanh(normed[i]);
    for (let k = 0, at = 0; k < K; at += bands[k++]) dense(normed, frames, n, W[`onto.${k}.weight`], W[`onto.${k}.bias`], bands[k], onto, k * n, at, BINS, K * n);
    for (let i = 0; i < frames * BINS; i++) onto[i] = sigmoid(onto[i]);
    return onto;
  }
  return { mask, fresh: () => Array.from({ length: blocks }, () => new Float64Array(K * hidden)) };
}

// ---- from sound to sound ----

// What brings a sound to a level that the network was trained with, as helpers.settings does; 1 for most.
function gainFor(y) {
  const frames = Math.max(1, Math.floor(y.length / 320)), power = new Float64Array(frames);
  for (let m = 0; m < frames; m++) {
    const part = y.length < 320 ? y : y.subarray(320 * m, 320 * (m + 1));
    power[m] = part.reduce((sum, v) => sum + v * v, 0) / part.length;
  }
  const loud = Math.max(...power), active = power.filter((p) => p >= 1e-3 * loud);
  const level = 10 * Math.log10(active.reduce((sum, p) => sum + p, 0) / active.length);
  return !(level > SILENT_DB) || (level >= LOWEST_DB && level <= HIGHEST_DB) ? 1 : 10 ** ((MIDDLE_DB - level) / 20);
}

// What Setting 1 makes of a sound at 16 kHz; tell(share done) after each piece, which may wait, and may stop it by false.
async function enhance(network, y, tell = () => true) {
  const n = y.length, frames = 1 + Math.floor(n / HOP), gain = gainFor(y), states = network.fresh();
  const sum = new Float64Array(frames * HOP + N_FFT), weight = new Float64Array(sum.length), logs = new Float64Array(CHUNK * BINS);
  const re = Array.from({ length: CHUNK }, () => new Float64Array(N_FFT)), im = re.map(() => new Float64Array(N_FFT));
  for (let m = 0; m < frames; m += CHUNK) {
    const count = Math.min(CHUNK, frames - m);
    for (let t = 0; t < count; t++) {
      const start = (m + t) * HOP - N_FFT / 2;
      for (let i = 0; i < N_FFT; i++) re[t][i] = gain * (y[start + i] ?? 0) * WINDOW[i];
      im[t].fill(0);
      transform(re[t], im[t]);
      for (let k = 0; k < BINS; k++) logs[t * BINS + k] = Math.log(Math.hypot(re[t][k], im[t][k]) + 1e-5) / 4 + 1;
    }
    const mask = network.mask(logs, count, states);
    for (let t = 0; t < count; t++) {
      const D = re[t], E = im[t]; // the inverse by the same transform: of the conjugate
      for (let k = 0; k < BINS; k++) { D[k] *= mask[t * BINS + k]; E[k] *= -mask[t * BINS + k]; }
      for (let k = BINS; k < N_FFT; k++) { D[k] = D[N_FFT - k]; E[k] = -E[N_FFT - k]; }
      transform(D, E);
      for (let i = 0, at = (m + t) * HOP; i < N_FFT; i++, at++) { sum[at] += (D[i] / N_FFT) * WINDOW[i]; weight[at] += WINDOW[i] ** 2; }
    }
    if ((await tell((m + count) / frames)) === false) return null;
  }
  return Float32Array.from({ length: n }, (_, i) => sum[i + N_FFT / 2] / Math.max(weight[i + N_FFT / 2], 1e-8) / gain);
}
