// "Is it getting better?": the answer in a sentence, what it rests on, and what speaks against trusting it.

import { h } from "./dom.js";
import { figures, notice } from "./parts.js";
import { hourChart, weekChart } from "./trendchart.js";
import { date } from "./words.js";

const KINDS = { night: "Nights", day: "Days" };
const MARKS = { fewer: "▼", more: "▲", no_change_shown: "◆", not_enough_data: "?" };
const TONES = { fewer: "good", more: "bad", no_change_shown: "warn", not_enough_data: "warn" };

export function trendParts(trends, { kind, width, trouble, choose }) {
  return [
    h("section", { class: "periods", "aria-labelledby": "trend" }, h("h3", { id: "trend" }, "Is it getting better?"), kinds(kind, choose), ...(trends ? answer(trends, width) : [notice(trouble ?? "Reading…", trouble ? "bad" : "mild")])),
    ...(trends ? details(trends, width) : []),
  ];
}

function kinds(kind, choose) {
  const button = (name) =>
    h("button", { class: "plain", type: "button", "data-key": `kind-${name}`, "aria-pressed": name === kind ? "true" : "false", onclick: () => choose(name) }, KINDS[name]);
  return h("p", { class: "choice", role: "group", "aria-label": "Which periods" }, Object.keys(KINDS).map(button));
}

function answer(trends, width) {
  const { trend } = trends;
  const { verdict } = trend;
  const spoken = `Cramps per 8 usable hours, week by week. ${trend.sentence}`;
  return [
    h("p", { class: "answer" }, h("span", { class: `mark ${TONES[verdict]}`, "aria-hidden": "true" }, MARKS[verdict]), h("span", {}, trend.sentence)),
    verdict === "not_enough_data" && trend.needed && !trend.sentence.includes(trend.needed) ? h("p", { class: "quiet" }, trend.needed) : null,
    trends.cover.judged ? weekChart(trends, { width, label: spoken }) : notice("Not enough data: no night or day in this range could be judged.", "mild"),
    h("p", { class: "caption" }, "Each point is a week, with its 95 % interval; the line is the fitted level. Below: how much of each week could be judged, hatched where nothing could. Missing is not zero."),
    h("p", {}, `In all: ${trends.rate_sentence} ${trends.cover_sentence}`),
    weekTable(trends),
  ].filter(Boolean);
}

const figure = (value) => (value === null ? "–" : value.toFixed(value < 10 ? 2 : 1));
const told = (rate) => (rate.value === null ? "–" : `${figure(rate.value)} (${figure(rate.low)} to ${rate.high === null ? "no bound" : figure(rate.high)})`);
const WEEK_COLUMNS = ["Week", "With enough data", "Usable", "Cramps", "Per 8 usable hours (95 %)"];

// Weeks one after another in which nothing could be judged are told as one.
function spells(weeks) {
  const found = [];
  for (const week of weeks) {
    const { judged, planned, usable_h: usable, cramps } = week.cover;
    const last = found.at(-1);
    if (week.rate.value === null && !cramps && last?.bare) Object.assign(last, { last: week.last, planned: last.planned + planned, usable: last.usable + (usable ?? 0) });
    else found.push({ first: week.first, last: week.last, judged, planned, usable: usable ?? 0, cramps, rate: week.rate, bare: week.rate.value === null && !cramps });
  }
  return found;
}

function weekTable(trends) {
  const rows = spells(trends.weeks).map(({ first, last, judged, planned, usable, cramps, rate }) => {
    return { cells: [`${date(first)} to ${date(last)}`, `${judged} of ${planned}`, `${Math.round(usable)} h`, String(cramps), told(rate)] };
  });
  const bare = trends.weeks.some((week) => week.rate.value === null);
  const after = bare ? h("p", { class: "caption" }, "– means no rate: nothing then could be judged.") : null;
  return figures(rows, { key: "weeks", title: `The ${trends.weeks.length} weeks in figures`, label: "Weeks in figures", columns: WEEK_COLUMNS, after });
}

function details(trends, width) {
  const { change, night_day: pair, profiles, weekdays, clusters, false_alarms: alarms } = trends;
  return [
    part("change", "Did it change at once?", h("p", {}, change.sentence), beside(change)),
    pair ? part("pair", "Night against day", h("p", {}, pair.sentence), h("p", {}, pair.hypothesis), h("p", { class: "quiet" }, pair.warning)) : null,
    ...profiles.map((profile) => hours(profile, width)),
    part("pattern", "Days of the week, and one cramp after another", h("p", {}, weekdays.sentence), h("p", {}, clusters.sentence)),
    part("alarms", "If the device is wrong at times", h("p", {}, alarms.sentence), h("ul", {}, alarms.corrected.map((each) => h("li", {}, each.sentence)))),
    trends.caveats.length ? part("caveats", "What to bear in mind", h("ul", {}, trends.caveats.map((caveat) => h("li", {}, caveat)))) : null,
  ].filter(Boolean);
}

const part = (id, title, ...inside) => h("section", { class: "periods text", "aria-labelledby": `trend-${id}` }, h("h3", { id: `trend-${id}` }, title), inside.flat());

function beside(change) {
  if (!change.beside.length) return null;
  const lines = change.beside.map((each) => h("li", {}, `${date(each.date)}: ${each.name} ${each.what}`));
  return [h("p", {}, "In the diary beside it (which does not make it the cause):"), h("ul", {}, lines)];
}

function hours(profile, width) {
  const since = profile.by === "since_start";
  const title = since ? "Hours since it began" : "Hours of the clock";
  const known = profile.items.some((hour) => hour.rate.value !== null);
  const missing = known && profile.items.some((hour) => hour.rate.value === null);
  return part(`hours-${profile.by}`, title, h("p", {}, profile.sentence), known ? hourChart(profile, { width, label: `${title}: ${profile.sentence}` }) : null, missing ? h("p", { class: "caption" }, "Hatched: hardly seen, which is not free of cramps.") : null);
}
