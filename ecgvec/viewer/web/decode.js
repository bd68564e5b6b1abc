// What the page holds of an image: base64 in a script that no browser runs, read when the image is opened.
const SAMPLE = { gap: 0, visible: 1, hidden: 2, occluded: 3 };

function bytesOf(id) {
  const raw = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// Data stands at the end of the page: the first images can be asked for before it has been read.
function pageIsRead() {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
}

async function readLabels(index) {
  await pageIsRead();
  const packed = new Blob([bytesOf(`labels-${index}`)]).stream();
  const bytes = new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const labels = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  for (const trace of labels.traces) at = readTrace(trace, bytes, at);
  return labels;
}

function readTrace(trace, bytes, at) {
  const n = trace.samples;
  for (const [k, name] of ["t", "mv", "x", "y"].entries()) {
    trace[name] = column(bytes, at + 4 * n * k, n, trace.steps[k]);
  }
  for (let i = 0; i < n; i++) trace.t[i] += trace.t0;
  trace.state = bytes.subarray(at + 16 * n, at + 17 * n);
  return at + 17 * n;
}

// Differences of 32 bits, lowest bytes first; 0, 1, 2, 3 mean 0, -1, 1, -2.
function column(bytes, at, n, step) {
  const found = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const j = at + i;
    const z = bytes[j] | (bytes[j + n] << 8) | (bytes[j + 2 * n] << 16) | (bytes[j + 3 * n] << 24);
    sum += (z >>> 1) ^ -(z & 1);
    found[i] = sum * step;
  }
  return found;
}

async function pictureUrl(index) {
  await pageIsRead();
  const type = document.getElementById(`picture-${index}`).dataset.type;
  return URL.createObjectURL(new Blob([bytesOf(`picture-${index}`)], { type }));
}
