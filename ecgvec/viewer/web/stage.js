// How the image lies on the screen: `view.scale` screen px an image px, `view.x`, `view.y` where its corner is.
const stage = document.getElementById("stage");
const world = document.getElementById("world");
const view = { scale: 1, x: 0, y: 0, fitted: true };
const size = { width: 1, height: 1 };
const LARGEST = 40, MARGIN = 18, NEAR_BY = 6;

function fitScale() {
  const across = (stage.clientWidth - 2 * MARGIN) / size.width, down = (stage.clientHeight - 2 * MARGIN) / size.height;
  return Math.max(0.01, Math.min(across, down, 2));
}

function fit() {
  view.scale = fitScale();
  view.x = (stage.clientWidth - size.width * view.scale) / 2;
  view.y = (stage.clientHeight - size.height * view.scale) / 2;
  view.fitted = true;
  show();
}

// Zoom about a point of the stage, in screen px; by default about its middle.
function zoom(factor, at = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 }) {
  const scale = Math.min(LARGEST, Math.max(fitScale(), view.scale * factor));
  view.x = at.x - ((at.x - view.x) * scale) / view.scale;
  view.y = at.y - ((at.y - view.y) * scale) / view.scale;
  view.scale = scale;
  view.fitted = scale <= fitScale() * 1.0001;
  if (view.fitted) fit();
  else move(0, 0);
}

// A part of the image stays in sight.
function move(dx, dy) {
  const keep = (at, length, room) => {
    const slack = Math.max(MARGIN, (room - length) / 2);
    return Math.min(slack, Math.max(room - length - slack, at));
  };
  view.x = keep(view.x + dx, size.width * view.scale, stage.clientWidth);
  view.y = keep(view.y + dy, size.height * view.scale, stage.clientHeight);
  show();
}

function bringIntoSight(x, y) {
  const at = toScreen(x, y), edge = 60;
  const off = (v, room) => (v < edge || v > room - edge ? room / 2 - v : 0);
  const dx = off(at.x, stage.clientWidth), dy = off(at.y, stage.clientHeight);
  if (!view.fitted && (dx || dy)) move(dx, dy);
}

function toScreen(x, y) {
  return { x: x * view.scale + view.x, y: y * view.scale + view.y };
}

function toImage(event) {
  const box = stage.getBoundingClientRect();
  return { x: (event.clientX - box.left - view.x) / view.scale, y: (event.clientY - box.top - view.y) / view.scale };
}

function show() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  const pixels = view.scale * devicePixelRatio >= 3;
  world.classList.toggle("near", view.scale >= NEAR_BY);
  document.getElementById("image").style.imageRendering = pixels ? "pixelated" : "auto";
  document.getElementById("scale").textContent = `${Math.round(view.scale * 100)} %`;
  sizeTags(view.scale);
  placeProbe();
}

// One pointer moves the image, two zoom it.
const pointers = new Map();

function pointerDown(event) {
  if (event.target.closest("button") || event.button > 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: false });
}

function pointerMove(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return event.target.closest(".zoom") ? hideProbe() : pointAt(event);
  const dx = event.clientX - before.x, dy = event.clientY - before.y;
  if (!before.moved && pointers.size === 1 && Math.hypot(dx, dy) < 4) return;
  stage.classList.add("moving");
  if (pointers.size === 2) pinch(event, before);
  else move(dx, dy);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: true });
}

function pinch(event, before) {
  const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  const apart = (at) => Math.max(1, Math.hypot(at.x - other.x, at.y - other.y));
  const box = stage.getBoundingClientRect();
  const now = { x: event.clientX, y: event.clientY };
  zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top });
}

function pointerUp(event) {
  const before = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  if (!pointers.size) stage.classList.remove("moving");
  if (before && !before.moved) pointAt(event);
}

function wheel(event) {
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  const lines = event.deltaMode === 1 ? 24 : 1;
  const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016));
  zoom(factor, { x: event.clientX - box.left, y: event.clientY - box.top });
  pointAt(event);
}

stage.addEventListener("pointerdown", pointerDown);
stage.addEventListener("pointermove", pointerMove);
stage.addEventListener("pointerup", pointerUp);
stage.addEventListener("pointercancel", pointerUp);
stage.addEventListener("pointerleave", () => reading.on || hideProbe());
stage.addEventListener("wheel", wheel, { passive: false });
stage.addEventListener("dblclick", (event) => {
  const box = stage.getBoundingClientRect();
  if (!event.target.closest("button")) zoom(2, { x: event.clientX - box.left, y: event.clientY - box.top });
});
new ResizeObserver(() => (view.fitted ? fit() : move(0, 0))).observe(stage);
document.getElementById("in").addEventListener("click", () => zoom(1.5));
document.getElementById("out").addEventListener("click", () => zoom(1 / 1.5));
document.getElementById("fit").addEventListener("click", fit);
