// The page: reads every few seconds, draws when something changed, and says so when it cannot.

import { cardList } from "./cards.js";
import { entryList, reviewList } from "./diary.js";
import { h, replaceContent } from "./dom.js";
import { diaryForms } from "./forms.js";
import { crampTable, deviceList, fills, legend, notice, periodTable } from "./parts.js";
import { readAll, readRecent, readWearer, send } from "./source.js";
import { trendParts } from "./trend.js";
import { trialParts } from "./trials.js";
import { makeShelf, place, viewLinks } from "./views.js";
import { city, wallTime } from "./words.js";

const TICK_MS = 5_000;
const FULL_MS = 20_000;
const cards = document.getElementById("wearers");
const detail = document.getElementById("wearer");
const forms = document.getElementById("forms");
const listed = document.getElementById("listed");
const pulse = document.getElementById("pulse");
const tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });

const seen = { wearers: null, devices: null, shown: new Map(), recent: new Map(), read: new Map(), turns: new Map(), trouble: null };
const shelf = makeShelf(() => draw());
let drawn = "";
let made = null;

function selected() {
  const wanted = place().wearer;
  return seen.wearers?.find((wearer) => wearer.id === wanted) ?? seen.wearers?.[0] ?? null;
}

// Null as long as devices could not be read: not known is not none.
const devicesOf = (wearer) => seen.devices?.filter((device) => device.assignment?.wearer === wearer.id) ?? null;

async function refresh() {
  seen.wearers = await readAll("wearers?limit=1000");
  seen.devices = await readAll("devices?limit=1000");
  draw();
  const first = selected();
  if (first) shelf.refresh(first, place().view);
  const order = first ? [first, ...seen.wearers.filter((wearer) => wearer !== first)] : [];
  for (const wearer of order) {
    const recent = await readRecent(wearer);
    const catchingUp = devicesOf(wearer).some((device) => device.state === "catching_up");
    const old = Date.now() - (seen.read.get(wearer.id) ?? 0) > FULL_MS;
    if (!old && !catchingUp && recent === seen.recent.get(wearer.id)) continue;
    await show(wearer);
    seen.recent.set(wearer.id, recent);
  }
}

// Read nights and days; what was read while the diary changed is not kept.
async function show(wearer) {
  const turn = seen.turns.get(wearer.id);
  const found = await readWearer(wearer);
  if (turn !== seen.turns.get(wearer.id)) return;
  seen.shown.set(wearer.id, found);
  seen.read.set(wearer.id, Date.now());
  draw();
}

// After a change of the diary: trends are dropped, the diary, nights and days are read again.
async function diaryChanged(wearer) {
  seen.turns.set(wearer.id, (seen.turns.get(wearer.id) ?? 0) + 1);
  seen.read.delete(wearer.id); // should reading fail now, the next turn tries again and says so
  await shelf.changed(wearer);
  await show(wearer).catch(() => null);
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
  const chosen = selected();
  const shelved = chosen && shelf.get(chosen, place().view);
  const state = JSON.stringify([seen.wearers, seen.devices, [...seen.shown], seen.trouble, location.hash, width, now, shelf.kind(), shelved]);
  if (state === drawn) return;
  drawn = state;
  tip.hidden = true;
  const wearer = chosen;
  if (!wearer) {
    const empty = "No wearer is registered yet. Register a wearer and a device, and assign one to the other: POST /api/v1/wearers, /devices and /assignments.";
    replaceContent(cards);
    replaceContent(detail, seen.wearers ? notice(empty, "mild") : notice(seen.trouble ?? "Reading…", seen.trouble ? "bad" : "mild"));
    return;
  }
  replaceContent(cards, ...cardList(seen.wearers.map((each) => ({ wearer: each, shown: seen.shown.get(each.id), devices: devicesOf(each), selected: each === wearer }))));
  const { view } = place();
  const heading = [h("h2", {}, wearer.name, " ", h("small", {}, `${city(wearer.zone)}, nights from ${wearer.night_start} to ${wearer.night_end}`)), viewLinks(wearer, view)];
  replaceContent(detail, ...heading, ...viewParts(wearer, { view, width, now }));
  drawDiary(wearer, view);
}

function viewParts(wearer, { view, width, now }) {
  const { value, trouble } = shelf.get(wearer, view);
  if (view === "trend") return trendParts(value, { kind: shelf.kind(), width: textWidth(), trouble, choose: (kind) => shelf.choose(kind, wearer) });
  if (view === "trials") return trialParts(value, trouble);
  if (view === "diary") return value ? [] : [notice(trouble ?? "Reading…", trouble ? "bad" : "mild")];
  return nightParts(wearer, { width, now });
}

// The forms stay as they are as long as the wearer stays the same.
function drawDiary(wearer, view) {
  const { value } = shelf.get(wearer, "diary");
  const shown = view === "diary" && value !== null;
  forms.hidden = !shown;
  if (!shown) return replaceContent(listed);
  const base = `wearers/${wearer.id}/diary`;
  const again = () => diaryChanged(wearer);
  const told = { send: (method, path, body) => send(method, `${base}/${path}`, body), done: again };
  if (made?.wearer !== wearer.id) {
    made = { wearer: wearer.id, offered: "", ...diaryForms(wearer, told) };
    forms.replaceChildren(...made.nodes);
  }
  const offered = JSON.stringify(value.interventions);
  if (offered !== made.offered) made.offer(value.interventions);
  made.offered = offered;
  made.renew();
  const tell = (method, path, body = null) =>
    told.send(method, path, body).then(again, (error) => {
      pulse.textContent = error.message;
      pulse.className = "pulse bad";
    });
  const forget = (path, words) => confirm(`Remove “${words}”?`) && tell("DELETE", path);
  const say = (episode, verdict) => tell("POST", "reviews", { episode, verdict });
  return replaceContent(listed, reviewList(seen.shown.get(wearer.id)?.episodes ?? [], value, { say }), entryList(value, { forget }));
}

function nightParts(wearer, { width, now }) {
  const shown = seen.shown.get(wearer.id);
  if (!shown) return [deviceList(devicesOf(wearer)), notice(seen.trouble ?? "Reading nights and days…", seen.trouble ? "bad" : "mild")];
  const usual = usualSeconds(wearer);
  const ids = new Set([...shown.nights.items, ...shown.days.items].map((item) => item.id));
  const episodes = shown.episodes.filter((episode) => ids.has(episode.period.id));
  return [
    seen.trouble ? notice(`What you see is not up to date. ${seen.trouble}`) : null,
    deviceList(devicesOf(wearer)),
    legend(),
    periodTable(shown.nights, episodes, { kind: "night", width, now, usual, starts: wearer.night_start }),
    periodTable(shown.days, episodes, { kind: "day", width, now, usual: 86_400 - usual, starts: wearer.night_end }),
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

const textWidth = () => Math.max(detail.clientWidth - (detail.clientWidth < 720 ? 26 : 42), 240);

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
  const wearer = selected();
  if (wearer) shelf.refresh(wearer, place().view);
  detail.focus({ preventScroll: true });
});
new ResizeObserver(draw).observe(detail);
run();
