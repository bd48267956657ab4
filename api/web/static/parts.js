// Cards, tables and notices.

import { axis, frame, strip, windowNote } from "./chart.js";
import { h, s } from "./dom.js";
import { GRADES, NOTES, STATES, atLeast, clock, date, duration, muscle, percent, provisos, REFUTED, refuted, refutedNote, sharedReason } from "./words.js";

export const UNKNOWN = "Devices: not known yet.";

export function notice(text, tone = "bad") {
  return h("p", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : "status" }, text);
}

export function stateMark(device) {
  const state = STATES[device.state] ?? STATES.never_heard;
  return h("span", { class: `mark ${state.tone}`, "aria-hidden": "true" }, state.mark);
}

export function leg(device) {
  const sits = device.assignment;
  return sits ? `${sits.side === "left" ? "Left" : "Right"} leg, ${muscle(sits.muscle)}` : device.label;
}

export function deviceList(devices) {
  if (!devices) return notice(UNKNOWN, "mild");
  if (!devices.length) return notice("No device is assigned now. Assign one, and what it measured since then appears.", "mild");
  return h(
    "ul",
    { class: "devices" },
    devices.map((device) =>
      h(
        "li",
        {},
        stateMark(device),
        h("strong", {}, leg(device)),
        h("span", {}, device.sentence),
        h("span", { class: "quiet" }, facts(device)),
      ),
    ),
  );
}

function facts(device) {
  const battery = device.battery === null ? null : `battery ${Math.round(device.battery <= 1 ? device.battery * 100 : device.battery)} %`;
  const missing = device.missing_blocks ? `${device.missing_blocks} blocks lost on the way` : null;
  const refused = device.refused_blocks ? `${device.refused_blocks} blocks refused` : null;
  return [device.id, battery, device.firmware && `firmware ${device.firmware}`, missing, refused].filter(Boolean).join(" · ");
}

export function periodTable(list, episodes, { kind, width, now, usual, starts }) {
  const title = kind === "night" ? "Nights" : "Days";
  const begun = list.items.filter((item) => Date.parse(item.window.start) <= now).reverse();
  const heading = h("h3", { id: `${kind}s` }, title);
  const sentence = h("p", { class: "sentence" }, list.total.sentence);
  if (!begun.length) return h("section", { class: "periods" }, heading, notice(`No ${kind} has begun in this range.`, "mild"));
  const clocks = frame(begun, starts);
  const ended = begun.filter((item) => Date.parse(item.window.end) <= now);
  const waiting = ended.filter((item) => !item.complete).length;
  const reason = sharedReason(ended);
  // Roles are spelt out because on a phone the style takes the table apart, and its meaning with it.
  const column = { scope: "col", role: "columnheader" };
  const head = h(
    "tr",
    { role: "row" },
    h("th", column, title.slice(0, -1)),
    h("th", { ...column, class: "drawn" }, h("span", { class: "hidden" }, "Cramps and coverage over time"), axis(clocks, width)),
    ["Cramps", "Worst", "In all", "Per 8 h", "Covered"].map((name) => h("th", { ...column, class: "figure" }, name)),
  );
  const rows = grouped(begun, now).map((group) => {
    const [item] = group;
    const own = episodes.filter((episode) => episode.period.id === item.id);
    const told = { note: windowNote(item, usual), not: refutedNote(own), now, said: reason !== null };
    return row(group, strip(item, own, { width, clocks, now, several: group.length > 1 }), told);
  });
  return h(
    "section",
    { class: "periods", "aria-labelledby": `${kind}s` },
    heading,
    sentence,
    reason ? h("p", { class: "sentence" }, mark("↻"), ` ${waiting} ${kind}s are not complete. ${reason}`) : null,
    h("table", { role: "table", "aria-labelledby": `${kind}s` }, h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, rows)),
  );
}

// Periods one after another of which nothing arrived, for one reason, are told once.
function grouped(items, now) {
  const empty = (item) => item.status !== "ok" && !item.coverage.received_s && !item.cramps.count && !item.revised && Date.parse(item.window.end) <= now;
  const alike = (one, other) => empty(one) && empty(other) && one.reason === other.reason && one.pending === other.pending;
  const groups = [];
  for (const item of items) {
    if (groups.length && alike(groups.at(-1).at(-1), item)) groups.at(-1).push(item);
    else groups.push([item]);
  }
  return groups;
}

function rowName(group, running) {
  const [item] = group;
  if (group.length > 1) return [date(group.at(-1).date), h("small", {}, `to ${date(item.date)}`), h("small", {}, `${group.length} ${item.kind}s`)];
  return [date(item.date), item.part > 1 ? ` (${item.part})` : null, running ? h("small", {}, "so far") : null];
}

function row(group, drawing, { note, not, now, said }) {
  const [item] = group;
  const { cramps, coverage } = item;
  const poor = item.status !== "ok";
  const running = Date.parse(item.window.end) > now;
  const bound = poor ? "not enough data" : `this ${item.kind} is not complete`;
  const worst = cramps.worst_severity === null ? "–" : cramps.worst_severity.toFixed(1);
  const rate = cramps.per_8_usable_h === null ? "–" : cramps.per_8_usable_h.toFixed(1);
  const seen = `Usable ${duration(coverage.usable_s)}, worn ${duration(coverage.worn_s)}, received ${duration(coverage.received_s)} of ${duration(coverage.expected_s)} expected`;
  const figure = (name, text, title = null) => h("td", { class: "figure", role: "cell", "data-name": name, title }, text);
  return h(
    "tr",
    { role: "row", class: poor ? "poor" : null },
    h("th", { scope: "row", role: "rowheader" }, rowName(group, running)),
    h("td", { class: "drawn", role: "cell" }, drawing, poor ? h("small", { class: "reason" }, `Not enough data. ${item.reason}`) : null, note ? h("small", {}, note) : null, not ? h("small", { class: "refuted-note" }, not) : null, provisos(item, { running, said }).map(proviso)),
    figure("Cramps", atLeast(item), cramps.at_least ? `At least this many: ${bound}` : null),
    figure("Worst", worst),
    figure("In all", cramps.count ? duration(cramps.total_s) : "–"),
    figure("Per 8 h", rate, "Cramps per eight usable hours"),
    figure("Covered", percent(coverage.usable_s, coverage.expected_s), seen),
  );
}

const mark = (sign) => h("span", { class: "mark", "aria-hidden": "true" }, sign);
const proviso = ({ mark: sign, text }) => h("small", { class: "proviso" }, mark(sign), ` ${text}`);

const CRAMP_COLUMNS = ["Began", "Lasted", "Leg", "Muscle", "Severity", "Grade", "Confidence", "Notes"];

export function crampTable(episodes) {
  if (!episodes.length) return null;
  const rows = [...episodes].reverse().map((episode) => {
    const going = episode.status === "preliminary" ? "still going on" : "";
    const again = episode.revision > 1 ? `revised, version ${episode.revision}` : "";
    const notes = [refuted(episode) ? REFUTED : "", going, again, ...episode.flags.map(flagName)].filter(Boolean).join(", ");
    const cells = [
      `${date(episode.onset)}, ${clock(episode.onset)}`,
      duration(episode.duration_s),
      episode.side,
      muscle(episode.site),
      `${episode.severity.toFixed(1)} of 10`,
      `${episode.grade} (${GRADES[episode.grade]})`,
      `${Math.round(100 * episode.confidence)} %`,
      notes || "–",
    ];
    return { cells, class: refuted(episode) ? "refuted" : null };
  });
  return figures(rows, { key: "cramps", title: `All ${episodes.length} cramps in figures`, label: "Cramps in figures", columns: CRAMP_COLUMNS, after: noteWords(episodes) });
}

const flagName = (flag) => flag.replaceAll("_", " ");

// What the notes mean, each that comes once.
function noteWords(episodes) {
  const seen = new Set(episodes.flatMap((episode) => episode.flags));
  const known = Object.keys(NOTES).filter((flag) => seen.has(flag));
  if (!known.length) return null;
  const meant = known.map((flag) => [h("dt", {}, flagName(flag)), h("dd", {}, NOTES[flag])]);
  return [h("p", { class: "caption" }, "The notes are about the signal during a cramp:"), h("dl", { class: "caption meaning" }, meant.flat())];
}

// A table to unfold. On a phone each row is a block with the names of its cells, so that none lies beyond the edge.
export function figures(rows, { key, title, label, columns, after = null }) {
  const head = h("tr", { role: "row" }, columns.map((name) => h("th", { scope: "col", role: "columnheader" }, name)));
  const cell = (text, index) => (index ? h("td", { role: "cell", "data-name": columns[index] }, text) : h("th", { scope: "row", role: "rowheader" }, text));
  const body = rows.map((each) => h("tr", { role: "row", class: each.class }, each.cells.map(cell)));
  const table = h("table", { role: "table", "aria-label": label }, h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, body));
  return h(
    "details",
    { class: "list", "data-key": key },
    h("summary", { "data-key": `${key}-summary` }, title),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table),
    ...[after].flat(),
  );
}

export function legend() {
  const grade = (number, text) => {
    const dot = s("circle", { class: "dot", cx: 11, cy: 11, r: 8 });
    return h("li", {}, s("svg", { width: 22, height: 22, viewBox: "0 0 22 22", "aria-hidden": "true" }, s("g", { class: `cramp grade-${number}` }, dot)), text);
  };
  const swatch = (seen, fill, text) =>
    h("li", {}, s("svg", { width: 26, height: 9, "aria-hidden": "true" }, s("rect", { class: `seen ${seen}`, width: 26, height: 9, fill })), text);
  return h(
    "ul",
    { class: "legend", "aria-label": "Legend" },
    h("li", {}, "Colour of a cramp: its grade, by length and load (a convention):"),
    grade(1, "mild"),
    grade(2, "moderate"),
    grade(3, "severe"),
    h("li", {}, "Number in it: severity, 0 to 10. The two can differ."),
    h("li", {}, "A night's tile above: how many, in the colour of the worst; ≥ says that more may come."),
    swatch("usable", null, "usable signal"),
    swatch("not_usable", "url(#fill-not-usable)", "signal not usable"),
    swatch("not_worn", "url(#fill-not-worn)", "not worn"),
    swatch("not_received", "url(#fill-not-received)", "nothing arrived"),
  );
}

export function fills() {
  const lines = (id, d, size) =>
    s("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse" }, s("rect", { class: "paper", width: size, height: size }), s("path", { d, class: "hatching" }));
  return s(
    "svg",
    { class: "fills", width: 0, height: 0, "aria-hidden": "true" },
    s("defs", {}, lines("fill-not-usable", "M0 2.5H5", 5), lines("fill-not-worn", "M2.5 2.5h.01", 5), lines("fill-not-received", "M-1 6L6 -1M-1 1L1 -1M4 6L6 4", 5)),
  );
}
