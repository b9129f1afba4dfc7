// Put after network.js: the worker that the page asks. The newest question ends the one before.
let network = null, newest = 0;
onmessage = async ({ data: { job, y, weights } }) => {
  if (weights) network = makeNetwork(weights);
  newest = job;
  let told = 0;
  const out = await enhance(network, y, async (share) => {
    if (performance.now() - told < 80) return true;
    told = performance.now();
    postMessage({ job, share });
    await new Promise((done) => setTimeout(done)); // a newer question may come in
    return job === newest;
  });
  if (out) postMessage({ job, out }, [out.buffer]);
};
