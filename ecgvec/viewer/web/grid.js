// The cards: filter, and arrows from one to the next.
const cards = [...document.querySelectorAll("#cards > .card")];
const filter = document.getElementById("filter");
const countText = document.getElementById("count").textContent;

function listed() {
  return cards.filter((card) => !card.hidden);
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of cards) card.hidden = !words.every((word) => card.dataset.search.includes(word));
  const left = listed().length;
  document.getElementById("none").hidden = left > 0;
  document.getElementById("count").textContent = words.length ? `${left} of ${cards.length} images` : countText;
}

// How many cards stand side by side.
function perRow(among) {
  const top = among[0].offsetTop;
  const below = among.findIndex((card) => card.offsetTop > top);
  return below < 0 ? among.length : below;
}

function gridKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = document.activeElement === filter;
  if (typing && event.key === "Escape") leaveFilter();
  else if (!typing && event.key === "/") filter.select();
  else if (typing && event.key !== "ArrowDown") return;
  else if (!moveFocus(event.key)) return;
  event.preventDefault();
}

// What is typed goes first, then the focus.
function leaveFilter() {
  if (!filter.value) filter.blur();
  filter.value = "";
  applyFilter();
}

// To another card; the first where none has the focus. Whether the key does that.
function moveFocus(key) {
  const among = listed(), last = among.length - 1;
  if (!among.length) return false;
  const at = among.indexOf(document.activeElement.closest(".card"));
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow(among), ArrowUp: -perRow(among) }[key];
  const to = by ? (at < 0 ? 0 : at + by) : { Home: 0, End: last }[key];
  if (to === undefined) return false;
  among[Math.min(last, Math.max(0, to))].querySelector("a").focus();
  return true;
}

filter.addEventListener("input", applyFilter);
addEventListener("keydown", (event) => (opened < 0 ? gridKey(event) : viewerKey(event)));
addEventListener("hashchange", openFromAddress);
applyFilter(); // a browser may have kept what was typed
openFromAddress();
