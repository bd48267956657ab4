// The cards at the top: each wearer's week in short, and first of all who needs attention.

import { h } from "./dom.js";
import { leg, stateMark, UNKNOWN } from "./parts.js";
import { atLeast, city, date, duration, refuted, refutedNote, STATES, unbroken } from "./words.js";

const FINE = 3;

// Why a wearer needs attention, in few words, or null: the lower the rank, the sooner. Who wears nothing needs none.
export function attention({ devices, shown }, now = Date.now()) {
  const found = (devices ?? []).map((device) => STATES[device.state]).filter((state) => state?.call);
  const worst = found.find((state) => state.tone === "bad") ?? found[0];
  if (worst) return { rank: worst.tone === "bad" ? 0 : 1, reason: worst.call };
  const night = shown?.nights.items.filter((item) => Date.parse(item.window.end) <= now).at(-1);
  if (devices?.length && night && night.status !== "ok") return { rank: 2, reason: "too little data last night" };
  return { rank: devices?.length ? FINE : FINE + 1, reason: null };
}

// Cards in order of need, those of equal need as registered; as registered as long as nothing is known of devices.
export function cardList(all) {
  const known = all.every(({ devices }) => devices !== null);
  const judged = all.map((each) => ({ ...each, ...(known ? attention(each) : { rank: 0, reason: null }) }));
  const sorted = judged.sort((one, other) => one.rank - other.rank);
  return [known && all.length > 1 ? summary(sorted) : null, ...sorted.map(card)].filter(Boolean);
}

function summary(sorted) {
  const reasons = sorted.map(({ reason }) => reason).filter(Boolean);
  const counted = [...new Set(reasons)].map((reason) => `${reason} ${reasons.filter((each) => each === reason).length}`);
  const need = reasons.length === 1 ? "needs" : "need";
  const text = reasons.length ? `${reasons.length} of ${sorted.length} wearers ${need} attention: ${counted.join(", ")}.` : `None of ${sorted.length} wearers needs attention now.`;
  return h("p", { class: "attention" }, text);
}

function card({ wearer, shown, devices, selected, reason }) {
  const plain = (text) => [h("span", { class: "status" }, text)];
  const status = devices?.length
    ? devices.map((device) => h("span", { class: "status" }, stateMark(device), h("span", {}, `${leg(device)}: ${lower(device.sentence)}`)))
    : plain(devices ? "No device assigned." : UNKNOWN);
  return h(
    "a",
    { class: "card", href: `#${wearer.id}`, "data-key": `card-${wearer.id}`, "aria-current": selected ? "true" : null },
    h("span", { class: "name" }, wearer.name),
    h("span", { class: "quiet place" }, city(wearer.zone)),
    reason ? h("span", { class: "call" }, `Needs attention: ${reason}.`) : null,
    shown ? week(shown.nights.items, shown.episodes) : null,
    h("span", { class: "sentence" }, shown ? unbroken(`${shown.nights.total.sentence}${byDay(shown)}`) : "Reading…", shown ? nightsRefuted(shown) : null),
    status,
  );
}

// Where no night can be judged, what has arrived all the same.
function byDay({ nights, days }) {
  const { coverage, cramps } = days.total;
  if (nights.total.not_enough_data < nights.items.filter(ended).length || !coverage.received_s) return "";
  const number = `${cramps.count} cramp${cramps.count === 1 ? "" : "s"}`;
  const found = cramps.count ? `${cramps.at_least ? "at least " : ""}${number}` : "no cramps seen";
  return ` By day ${duration(coverage.received_s)} arrived: ${found}.`;
}

const ended = (item) => Date.parse(item.window.end) <= Date.now();

function nightsRefuted({ nights, episodes }) {
  const ids = new Set(nights.items.map((item) => item.id));
  const told = refutedNote(episodes.filter((episode) => ids.has(episode.period.id)));
  return told && h("span", { class: "quiet refuted-note" }, ` ${told}`);
}

// The nights of a week in a row: a count in the colour of the worst grade, hatching where nothing can be said.
function week(items, episodes) {
  const begun = items.filter((item) => Date.parse(item.window.start) < Date.now()).slice(-8);
  return h(
    "span",
    { class: "week", "aria-hidden": "true" },
    begun.map((item) => {
      const own = episodes.filter((episode) => episode.period.id === item.id);
      const worst = Math.max(0, ...own.filter((episode) => !refuted(episode)).map((episode) => episode.grade));
      const label = atLeast(item).replace(" ", "");
      const tone = label === "?" ? "unknown" : item.cramps.at_least ? `bound grade-${worst}` : `grade-${worst}`;
      const told = [item.sentence, item.complete ? null : `Not complete. ${item.pending}`, refutedNote(own)].filter(Boolean).join(" ");
      const struck = own.some(refuted) ? (own.every(refuted) ? h("s", {}, label) : `${label}*`) : label;
      return h("span", { class: `cell ${tone}`, title: `${date(item.date)}: ${told}` }, h("b", {}, struck), date(item.date).slice(0, 2));
    }),
  );
}

const lower = (sentence) => sentence.charAt(0).toLowerCase() + sentence.slice(1);
