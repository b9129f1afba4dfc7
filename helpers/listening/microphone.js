// The microphone, unprocessed, and what to say when there is none. Put after core.js by Python.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const REFUSED = {
  NotAllowedError: "The microphone is not allowed here. Allow it in the browser (beside the address)",
  NotFoundError: "No microphone was found. Connect one",
  SecurityError: "This page does not let notebooks use a microphone. Open the notebook in a browser of its own",
  NotReadableError: "Another program holds the microphone. Close it",
  insecure: "The browser opens a microphone only on https or localhost pages. Open this one there",
};
const refusal = (error, or = "") => `${REFUSED[error.name] ?? `The microphone did not start (${error.name}). Try again`}${or}.`;

// Open it: {ctx, from, stop(), settings, processed}; onlost() when it goes away by itself, as one that is pulled out does.
// `from` is a node of the graph of `ctx`, at the device's own rate.
async function openMicrophone(onlost) {
  const framed = document.featurePolicy?.allowsFeature("microphone") === false; // a frame without allow="microphone"
  const why = navigator.mediaDevices?.getUserMedia ? framed && "SecurityError" : "insecure";
  if (why) throw Object.assign(new Error(), { name: why });
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...RAW, channelCount: 1 } });
  const ctx = new AudioContext(); // the device's own rate: nothing is resampled
  const stop = () => { stream.getTracks().forEach((track) => track.stop()); return ctx.state === "closed" || ctx.close(); };
  try {
    await ctx.resume();
    const from = ctx.createMediaStreamSource(stream), [track] = stream.getAudioTracks(), settings = track.getSettings();
    track.onended = onlost; // stop() does not call it
    return { ctx, from, stop, settings, processed: Object.keys(RAW).filter((key) => settings[key]) };
  } catch (error) {
    stop();
    throw error;
  }
}

const TAP = `registerProcessor("earup-tap", class extends AudioWorkletProcessor {
  process([[y]]) { if (y) this.port.postMessage(y.slice()); return true; } });`;

// Send every block of the microphone to onblock(Float32Array); returns {sr, stop(), processed}.
async function microphone(onblock, onlost) {
  const { ctx, from, stop, processed } = await openMicrophone(onlost);
  try {
    const url = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    try {
      await ctx.audioWorklet.addModule(url);
      const tap = new AudioWorkletNode(ctx, "earup-tap", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      tap.port.onmessage = ({ data }) => onblock(data);
      from.connect(tap);
    } catch { // a page that forbids worklets from a blob
      const tap = ctx.createScriptProcessor(2048, 1, 1);
      tap.onaudioprocess = ({ inputBuffer }) => onblock(inputBuffer.getChannelData(0).slice());
      from.connect(tap).connect(new GainNode(ctx, { gain: 0 })).connect(ctx.destination); // it runs only when connected
    }
    URL.revokeObjectURL(url);
  } catch (error) {
    stop();
    throw error;
  }
  return { sr: ctx.sampleRate, stop, processed };
}
