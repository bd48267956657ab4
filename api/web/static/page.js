// The page: reads every few seconds, draws when something changed, and says so when it cannot.

import { h, replaceContent } from "./dom.js";
import { card, crampTable, deviceList, fills, legend, notice, periodTable } from "./parts.js";
import { readAll, readRecent, readWearer } from "./source.js";
import { city, wallTime } from "./words.js";

const TICK_MS = 5_000;
const FULL_MS = 20_000;
const cards = document.getElementById("wearers");
const detail = document.getElementById("wearer");
const pulse = document.getElementById("pulse");
const tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });

const seen = { wearers: null, devices: null, shown: new Map(), recent: new Map(), read: new Map(), trouble: null };
let drawn = "";

function selected() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  return seen.wearers?.find((wearer) => wearer.id === wanted) ?? seen.wearers?.[0] ?? null;
}

// Null as long as devices could not be read: not known is not none.
const devicesOf = (wearer) => seen.devices?.filter((device) => device.assignment?.wearer === wearer.id) ?? null;

async function refresh() {
  seen.wearers = await readAll("wearers?limit=1000");
  seen.devices = await readAll("devices?limit=1000");
  draw();
  const first = selected();
  const order = first ? [first, ...seen.wearers.filter((wearer) => wearer !== first)] : [];
  for (const wearer of order) {
    const recent = await readRecent(wearer);
    const catchingUp = devicesOf(wearer).some((device) => device.state === "catching_up");
    const old = Date.now() - (seen.read.get(wearer.id) ?? 0) > FULL_MS;
    if (!old && !catchingUp && recent === seen.recent.get(wearer.id)) continue;
    seen.shown.set(wearer.id, await readWearer(wearer));
    seen.recent.set(wearer.id, recent);
    seen.read.set(wearer.id, Date.now());
    draw();
  }
}

async function run() {
  try {
    await refresh();
    seen.trouble = null;
    pulse.textContent = `Live · updated ${wallTime(Date.now(), undefined)}`;
    pulse.className = "pulse";
  } catch (error) {
    seen.trouble = error.message;
    pulse.textContent = `Not up to date. ${error.message}`;
    pulse.className = "pulse bad";
  }
  draw();
  setTimeout(run, TICK_MS);
}

function draw() {
  const width = drawingWidth();
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const state = JSON.stringify([seen.wearers, seen.devices, [...seen.shown], seen.trouble, location.hash, width, now]);
  if (state === drawn) return;
  drawn = state;
  tip.hidden = true;
  const wearer = selected();
  if (!wearer) {
    const empty = "No wearer is registered yet. Register a wearer and a device, and assign one to the other: POST /api/v1/wearers, /devices and /assignments.";
    replaceContent(cards);
    replaceContent(detail, seen.wearers ? notice(empty, "mild") : notice(seen.trouble ?? "Reading…", seen.trouble ? "bad" : "mild"));
    return;
  }
  replaceContent(cards, ...seen.wearers.map((each) => card(each, { shown: seen.shown.get(each.id), devices: devicesOf(each), selected: each === wearer })));
  replaceContent(detail, ...wearerParts(wearer, { width, now }));
}

function wearerParts(wearer, { width, now }) {
  const heading = h("h2", {}, wearer.name, " ", h("small", {}, `${city(wearer.zone)}, nights from ${wearer.night_start} to ${wearer.night_end}`));
  const shown = seen.shown.get(wearer.id);
  if (!shown) return [heading, deviceList(devicesOf(wearer)), notice(seen.trouble ?? "Reading nights and days…", seen.trouble ? "bad" : "mild")];
  const usual = usualSeconds(wearer);
  const ids = new Set([...shown.nights.items, ...shown.days.items].map((item) => item.id));
  const episodes = shown.episodes.filter((episode) => ids.has(episode.period.id));
  return [
    heading,
    seen.trouble ? notice(`What you see is not up to date. ${seen.trouble}`) : null,
    deviceList(devicesOf(wearer)),
    legend(),
    periodTable(shown.nights, episodes, { kind: "night", width, now, usual }),
    periodTable(shown.days, episodes, { kind: "day", width, now, usual: 86_400 - usual }),
    crampTable(episodes),
  ].filter(Boolean);
}

function usualSeconds(wearer) {
  const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return (((minutes(wearer.night_end) - minutes(wearer.night_start) + 1440) % 1440) || 1440) * 60;
}

// The table's figures take what they need; the drawing gets the rest, or on a phone a line of its own.
function drawingWidth() {
  const inside = detail.clientWidth;
  return Math.max(inside < 720 ? inside - 44 : inside - 512, 240);
}

function showTip(event) {
  const mark = event.target.closest?.("[data-tip]");
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  const box = mark.getBoundingClientRect();
  const left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 8), innerWidth - tip.offsetWidth - 8);
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${box.top + scrollY - tip.offsetHeight - 6}px`;
}

document.body.append(fills(), tip);
for (const type of ["pointerover", "focusin"]) document.addEventListener(type, showTip);
document.addEventListener("focusout", () => (tip.hidden = true));
document.addEventListener("keydown", (event) => event.key === "Escape" && (tip.hidden = true));
addEventListener("hashchange", () => {
  draw();
  detail.focus({ preventScroll: true });
});
new ResizeObserver(draw).observe(detail);
run();
