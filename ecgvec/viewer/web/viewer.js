// One image, large: opened by the address's fragment, so that a browser's own way back works.
const viewer = document.getElementById("viewer");
const grid = document.getElementById("grid");
const switches = document.getElementById("switches");
const shown = new Set(LAYERS.filter((layer) => layer.shown).map((layer) => layer.id));
let opened = -1; // the card that is open
let address = null; // of the picture that is open

function el(id) {
  return document.getElementById(id);
}

function indexInAddress() {
  const number = Number(location.hash.slice(1));
  return Number.isInteger(number) && number >= 1 && number <= cards.length ? number - 1 : -1;
}

async function openFromAddress() {
  const index = indexInAddress(), from = opened;
  opened = index;
  close();
  viewer.hidden = index < 0;
  grid.hidden = index >= 0;
  if (index < 0) return from >= 0 && cards[from].querySelector("a").focus();
  describe(index);
  el("name").focus({ preventScroll: true });
  el("wait").textContent = "Opening…";
  const [found, url] = await Promise.all([readLabels(index), pictureUrl(index)]);
  if (opened !== index) return URL.revokeObjectURL(url); // another one was asked for meanwhile
  address = url;
  open(found);
}

function open(found) {
  labels = found;
  [size.width, size.height] = [labels.width, labels.height];
  const image = el("image");
  for (const [key, to] of Object.entries({ href: address, width: labels.width, height: labels.height })) {
    image.setAttribute(key, to);
  }
  drawLayers(labels, el("layers"));
  countLayers();
  applyLayers();
  fit();
  el("wait").textContent = "";
  stage.dataset.open = opened + 1;
}

function close() {
  stopReading();
  labels = null;
  delete stage.dataset.open;
  el("image").removeAttribute("href");
  el("layers").replaceChildren();
  if (address) URL.revokeObjectURL(address);
  address = null;
}

function describe(index) {
  const card = cards[index], about = JSON.parse(card.dataset.about), among = listed();
  const facts = Object.fromEntries(about);
  el("name").textContent = card.dataset.name;
  el("recipe").textContent = [facts.Recipe, `seed ${facts.Seed}`, facts.Template].filter(Boolean).join(" · ");
  el("place").textContent = `${among.indexOf(card) + 1} of ${among.length}`;
  el("about").replaceChildren(
    ...about.flatMap(([what, text]) => [
      Object.assign(document.createElement("dt"), { textContent: what }),
      Object.assign(document.createElement("dd"), { textContent: text }),
    ]),
  );
}

function step(by) {
  const among = listed(), at = among.indexOf(cards[opened]);
  const card = among[(at + by + among.length) % among.length] ?? cards[opened];
  location.replace(`#${cards.indexOf(card) + 1}`);
}

// Layers
function makeSwitches() {
  for (const layer of LAYERS) {
    const label = document.createElement("label");
    label.className = "switch";
    const box = Object.assign(document.createElement("input"), { type: "checkbox", id: `layer-${layer.id}` });
    box.addEventListener("change", () => setLayer(layer.id, box.checked));
    const parts = ["span", "small", "kbd"].map((tag) => document.createElement(tag));
    [parts[0].textContent, parts[2].textContent] = [layer.title, layer.key];
    label.append(box, ...parts);
    switches.append(label);
  }
  el("all").addEventListener("change", () => setAll(el("all").checked));
}

function setLayer(id, on) {
  if (on) shown.add(id);
  else shown.delete(id);
  applyLayers();
}

function setAll(on) {
  for (const { id } of LAYERS) on ? shown.add(id) : shown.delete(id);
  applyLayers();
}

function applyLayers() {
  for (const group of document.querySelectorAll("#layers .layer")) {
    group.style.display = shown.has(group.dataset.layer) ? "" : "none";
  }
  for (const { id } of LAYERS) el(`layer-${id}`).checked = shown.has(id);
  el("all").checked = shown.size === LAYERS.length;
  el("all").indeterminate = shown.size > 0 && shown.size < LAYERS.length;
}

function countLayers() {
  const counts = { ...labels.counts, traces: labels.traces.length };
  for (const { id } of LAYERS) {
    const label = el(`layer-${id}`).closest("label");
    label.classList.toggle("empty", !counts[id]);
    label.querySelector("small").textContent = counts[id] || "";
  }
}

// Keys
function viewerKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (labels && reading.on && readingKey(event)) return event.preventDefault();
  const layer = LAYERS.find((one) => one.key === key);
  const stride = 80;
  const moves = { ArrowLeft: [stride, 0], ArrowRight: [-stride, 0], ArrowUp: [0, stride], ArrowDown: [0, -stride] };
  const keys = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Escape: () => (location.hash = ""),
    "+": () => zoom(1.5),
    "=": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
    0: fit,
    a: () => setAll(shown.size < LAYERS.length),
    c: startReading,
  };
  const act = event.shiftKey && moves[key] ? () => move(...moves[key]) : layer ? () => toggle(layer.id) : keys[key];
  if (!act) return;
  event.preventDefault();
  act();
}

function toggle(id) {
  setLayer(id, !shown.has(id));
}

makeSwitches();
el("previous").addEventListener("click", () => step(-1));
el("next").addEventListener("click", () => step(1));
