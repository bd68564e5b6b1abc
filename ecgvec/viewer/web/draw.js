// Labels as SVG, a group a layer, in image pixels.
const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function drawLayers(labels, into) {
  const drawn = new Map(labels.layers.map((layer) => [layer.id, layer]));
  into.replaceChildren();
  for (const { id } of LAYERS) {
    const group = svg("g", { class: "layer", "data-layer": id }, into);
    if (id === "traces") labels.traces.forEach((trace) => drawTrace(trace, group));
    const layer = drawn.get(id) ?? { paths: [], tags: [] };
    for (const path of layer.paths) svg("path", path.fill === "none" ? path : { ...path, class: "plain" }, group);
    for (const tag of layer.tags) drawTag(tag, group);
  }
}

// What something hides has a colour of its own; what cannot be seen for other reasons is dashed.
// Lines are as thin on the screen at any zoom, so that ink can be seen beside them; near by, dots show the samples.
function drawTrace(trace, group) {
  const shared = { fill: "none", "stroke-linejoin": "round", "stroke-linecap": "round", "data-lead": trace.lead };
  const kinds = [
    [SAMPLE.visible, { stroke: trace.color, "stroke-width": 1.4 }],
    [SAMPLE.hidden, { stroke: trace.color, "stroke-width": 1, "stroke-dasharray": "4 3" }],
    [SAMPLE.occluded, { stroke: OCCLUDED, "stroke-width": 1, "stroke-dasharray": "4 3" }],
  ];
  for (const [state, pen] of kinds) {
    const d = line(trace, state);
    if (d) svg("path", { ...shared, ...pen, d }, group);
  }
  svg("path", { ...shared, stroke: trace.color, "stroke-width": 5, class: "dots", d: dots(trace) }, group);
}

// A line of no length on each sample, which round caps make a dot.
function dots({ x, y, state, samples }) {
  const parts = [];
  for (let i = 0; i < samples; i++) if (state[i] === SAMPLE.visible) parts.push(`M${x[i].toFixed(2)} ${y[i].toFixed(2)}h0`);
  return parts.join("");
}

// A line through the samples of one state. One that is not visible reaches to its neighbours.
function line(trace, state) {
  const { x, y, state: states, samples } = trace;
  const is = (i) => states[i] === state;
  const beside = (i) => state !== SAMPLE.visible && states[i] !== SAMPLE.gap && (is(i - 1) || is(i + 1));
  const parts = [];
  let down = false;
  for (let i = 0; i < samples; i++) {
    const on = is(i) || beside(i);
    if (on) parts.push(`${down ? "L" : "M"}${x[i].toFixed(2)} ${y[i].toFixed(2)}`);
    if (on && !down && !is(i + 1) && !beside(i + 1)) parts.push("h0");
    down = on;
  }
  return parts.join("");
}

// Tags keep their size on the screen where the image is shown small: `sizeTags` scales them about their lower left.
function drawTag(tag, group) {
  const [x0, y0, x1, y1] = tag.box;
  const place = svg("g", { class: "tag", "data-x": x0, "data-y": y1, "data-height": y1 - y0 }, group);
  const width = x1 - x0, height = y1 - y0, em = height / 1.17;
  svg("rect", { y: -height, width, height, rx: 0.15 * em, fill: "#fff", "fill-opacity": 0.82 }, place);
  const text = svg("text", { x: 0.18 * em, y: -0.23 * em, fill: tag.color, "font-size": em }, place);
  text.setAttribute("textLength", Math.max(1, width - 0.36 * em));
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  text.style.fontSize = `${em}px`;
  text.textContent = tag.text;
}

const LEAST_TAG = 11; // px of the screen, a tag's height

function sizeTags(scale) {
  for (const tag of document.querySelectorAll("#layers .tag")) {
    const { x, y, height } = tag.dataset;
    const larger = Math.max(1, LEAST_TAG / (height * scale));
    tag.setAttribute("transform", `translate(${x} ${y}) scale(${larger})`);
  }
}
