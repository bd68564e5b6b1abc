// What lies under the pointer, or under the cursor that keys move: a sample of a trace, or something with words.
const value = document.getElementById("value");
const pointer = document.getElementById("pointer");
const reading = { on: false, trace: 0, sample: 0 };
const NEAR = 14, ON_IT = 5; // px of the screen from a sample
let labels = null; // of the image that is open
let probe = null; // what is shown: { x, y } in image px, and a trace's sample or a saying

function nearestSample(at) {
  let best = null, least = (NEAR / view.scale) ** 2;
  for (const trace of labels.traces) {
    for (let i = 0; i < trace.samples; i++) {
      const away = (trace.x[i] - at.x) ** 2 + (trace.y[i] - at.y) ** 2;
      if (away < least && trace.state[i] !== SAMPLE.gap) [least, best] = [away, { trace, i }];
    }
  }
  return best && { ...best, away: Math.sqrt(least) * view.scale };
}

function inside(ring, at) {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[x0, y0], [x1, y1]] = [ring[i], ring[j]];
    if (y0 > at.y !== y1 > at.y && at.x < ((x1 - x0) * (at.y - y0)) / (y1 - y0) + x0) odd = !odd;
  }
  return odd;
}

function area(ring) {
  return Math.abs(ring.reduce((sum, [x, y], i) => sum + x * ring.at(i - 1)[1] - y * ring.at(i - 1)[0], 0));
}

// Where several things lie over one another, the smallest is meant.
function sayingAt(at) {
  const found = labels.sayings.filter((saying) => inside(saying.ring, at));
  return found.sort((one, other) => area(one.ring) - area(other.ring))[0];
}

function pointAt(event) {
  if (!labels) return;
  const at = toImage(event), near = nearestSample(at), saying = sayingAt(at);
  if (near && (near.away <= ON_IT || !saying)) {
    if (reading.on) [reading.trace, reading.sample] = [labels.traces.indexOf(near.trace), near.i];
    showSample(near.trace, near.i);
  } else if (saying) showSaying(saying, at);
  else if (!reading.on) hideProbe();
}

function showSample(trace, i) {
  const state = { [SAMPLE.hidden]: "not visible", [SAMPLE.occluded]: "not visible: occluded" }[trace.state[i]];
  const facts = [`${trace.t[i].toFixed(3)} s`, `${signed(trace.mv[i])} mV`];
  const notes = [trace.inverted && "drawn upside down, value as recorded", state].filter(Boolean);
  fillProbe({ x: trace.x[i], y: trace.y[i], color: trace.color }, trace.lead, facts, notes);
  Object.assign(value.dataset, { lead: trace.lead, t: trace.t[i], mv: trace.mv[i], sample: i });
}

function signed(number) {
  const text = number.toFixed(3);
  return text === "-0.000" ? "0.000" : text.replace("-", "−");
}

function showSaying(saying, at) {
  fillProbe(at, saying.what, saying.text ? [saying.text] : [], saying.state ? [saying.state] : []);
}

function fillProbe(place, title, facts, notes) {
  probe = place;
  for (const name of Object.keys(value.dataset)) delete value.dataset[name];
  const add = (tag, text, kind = "") => Object.assign(document.createElement(tag), { textContent: text, className: kind });
  value.replaceChildren(add("b", title, place.color ? "lead" : ""), ...facts.map((fact) => add("span", fact)));
  value.append(...notes.map((note) => add("i", note)));
  if (place.color) value.style.setProperty("--lead", place.color);
  value.hidden = false;
  placeProbe();
}

function placeProbe() {
  pointer.replaceChildren();
  if (!probe) return;
  const at = toScreen(probe.x, probe.y), room = 16;
  if (probe.color) {
    svg("circle", { cx: at.x, cy: at.y, r: 6.5, stroke: probe.color }, pointer);
    svg("circle", { cx: at.x, cy: at.y, r: 8.2 }, pointer);
  }
  const right = at.x + room + value.offsetWidth < stage.clientWidth, below = at.y < value.offsetHeight + 2 * room;
  const x = right ? at.x + room : Math.max(4, at.x - room - value.offsetWidth);
  const y = below ? at.y + room : at.y - room - value.offsetHeight;
  value.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

function hideProbe() {
  probe = null;
  value.hidden = true;
  pointer.replaceChildren();
}

// The cursor that keys move along a trace.
function startReading() {
  if (!labels?.traces.length) return;
  reading.on = true;
  stage.classList.add("reading");
  stage.focus({ preventScroll: true });
  reading.trace = Math.min(reading.trace, labels.traces.length - 1);
  value.setAttribute("aria-live", "polite");
  readAt(reading.sample, 1);
}

function stopReading() {
  reading.on = false;
  value.removeAttribute("aria-live");
  stage.classList.remove("reading");
  hideProbe();
}

// The sample nearest to `wanted` that is no gap, sought first in the direction `step`.
function readAt(wanted, step) {
  const trace = labels.traces[reading.trace];
  const start = Math.min(trace.samples - 1, Math.max(0, wanted));
  const from = (way) => {
    let i = start;
    while (i >= 0 && i < trace.samples && trace.state[i] === SAMPLE.gap) i += way;
    return i >= 0 && i < trace.samples ? i : -1;
  };
  const found = from(step) >= 0 ? from(step) : from(-step);
  if (found < 0) return fillProbe({ x: 0, y: 0 }, trace.lead, ["no samples"], []);
  reading.sample = found;
  showSample(trace, found);
  bringIntoSight(trace.x[found], trace.y[found]);
}

// Another trace, at the sample that is nearest across the page.
function readTraceBeside(step) {
  const here = labels.traces[reading.trace], x = here.x[reading.sample];
  reading.trace = (reading.trace + step + labels.traces.length) % labels.traces.length;
  const there = labels.traces[reading.trace];
  let best = 0;
  for (let i = 1; i < there.samples; i++) if (Math.abs(there.x[i] - x) < Math.abs(there.x[best] - x)) best = i;
  readAt(best, 1);
}

function readingKey(event) {
  const stride = event.shiftKey ? 25 : 1;
  const last = labels.traces[reading.trace].samples - 1;
  const keys = {
    ArrowRight: () => readAt(reading.sample + stride, 1),
    ArrowLeft: () => readAt(reading.sample - stride, -1),
    ArrowDown: () => readTraceBeside(1),
    ArrowUp: () => readTraceBeside(-1),
    Home: () => readAt(0, 1),
    End: () => readAt(last, -1),
    Escape: stopReading,
    c: stopReading,
  };
  if (!keys[event.key]) return false;
  keys[event.key]();
  return true;
}
