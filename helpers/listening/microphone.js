// The microphone, unprocessed, and what to say when there is none. Put after core.js by Python.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const REFUSED = {
  NotAllowedError: "The microphone is not allowed here. Allow it in the browser (beside the address)",
  NotFoundError: "No microphone was found. Connect one",
  NotReadableError: "Another program holds the microphone. Close it",
  insecure: "The browser opens a microphone only on https or localhost pages. Open this one there",
};
const refusal = (error, or = "") => `${REFUSED[error.name] ?? `The microphone did not start (${error.name}). Try again`}${or}.`;

// Open it: {ctx, from, stop(), settings, processed}. `from` is a node of the graph of `ctx`, at the device's own rate.
async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(), { name: "insecure" });
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...RAW, channelCount: 1 } });
  const ctx = new AudioContext(); // the device's own rate: nothing is resampled
  const stop = () => { stream.getTracks().forEach((track) => track.stop()); return ctx.state === "closed" || ctx.close(); };
  try {
    await ctx.resume();
    const from = ctx.createMediaStreamSource(stream), settings = stream.getAudioTracks()[0].getSettings();
    return { ctx, from, stop, settings, processed: Object.keys(RAW).filter((key) => settings[key]) };
  } catch (error) {
    stop();
    throw error;
  }
}
