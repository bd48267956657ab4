// One night or day as a strip: what was seen of it below, cramps above, on its own clock.

import { s } from "./dom.js";
import { SEEN, clock, cramp, duration, refuted, wallTime } from "./words.js";

const BAND = 9;
const GAP = 3;
const LANE = 24;
const QUARTER = 15 * 60_000;
const LABELLED = 3 * 3_600_000;
const DAY = 86_400_000;

const FILLS = {
  usable: null,
  not_usable: "url(#fill-not-usable)",
  not_worn: "url(#fill-not-worn)",
  not_received: "url(#fill-not-received)",
};

export const radius = (severity) => 7.5 + Math.min(Math.max(severity, 0), 10) * 0.45;

// Full and third hours of the wall clock that fall into a period, whatever the clock did meanwhile.
function ticks(item) {
  const start = Date.parse(item.window.start);
  const end = Date.parse(item.window.end);
  const found = [];
  for (let at = Math.ceil(start / QUARTER) * QUARTER; at <= end; at += QUARTER) {
    const entry = item.clock.filter((change) => Date.parse(change.start) <= at).at(-1) ?? item.clock[0];
    const wall = wallTime(at, entry.zone);
    if (wall.endsWith(":00") && Number(wall.slice(0, 2)) % 3 === 0) found.push({ at: at - start, wall });
  }
  return found;
}

const span = (item) => Date.parse(item.window.end) - Date.parse(item.window.start);
const sinceMidnight = (text) => Date.parse(`1970-01-01T${text.slice(-8)}Z`);

// One clock for all rows: from the earliest beginning to the latest end, as the walls show it. `starts` is when periods
// usually begin; one that begins before or after it is placed by how much.
export function frame(items, starts) {
  const usual = sinceMidnight(`${starts}:00`);
  const moved = (item) => ((sinceMidnight(item.window.start.slice(0, 19)) - usual + 1.5 * DAY) % DAY) - DAY / 2;
  const first = Math.min(...items.map(moved));
  const lead = (item) => moved(item) - first;
  const longest = Math.max(...items.map((item) => lead(item) + span(item)));
  const hours = [];
  for (let at = Math.ceil((usual + first) / LABELLED) * LABELLED; at <= usual + first + longest; at += LABELLED) {
    hours.push({ at: at - usual - first, wall: new Date(at + DAY).toISOString().slice(11, 16) });
  }
  return { lead, longest, hours };
}

// The hours that a row shows: those of all rows, or its own where its clock was changed on the way.
function hoursOf(item, { lead, hours }) {
  const own = ticks(item).map(({ at, wall }) => ({ at: at + lead(item), wall }));
  const known = own.every(({ at, wall }) => hours.some((hour) => Math.abs(hour.at - at) < 1000 && hour.wall === wall));
  return { shown: known ? hours : own, labelled: !known };
}

export function axis({ longest, hours }, width) {
  const x = (offset) => (offset / longest) * width;
  const labels = hours.map(({ at, wall }) => s("text", { x: x(at), y: 12, "text-anchor": anchor(x(at), width) }, wall));
  return s("svg", { class: "axis", width, height: 16, viewBox: `0 0 ${width} 16`, "aria-hidden": "true" }, labels);
}

export function strip(item, episodes, { width, clocks, now, several }) {
  const start = Date.parse(item.window.start);
  const along = (offset) => (offset / clocks.longest) * width;
  const x = (instant) => along(instant - start + clocks.lead(item));
  const { shown, labelled } = hoursOf(item, clocks);
  const marks = placed(episodes, { x, width });
  const lanes = Math.max(1, ...marks.map((mark) => mark.lane + 1));
  const floor = lanes * LANE + 2;
  const rows = Math.max(1, item.devices.length);
  const bottom = floor + rows * (BAND + GAP);
  const height = bottom + (labelled ? 14 : 0);
  const bed = { x: x(start), y: floor, width: along(span(item)), height: rows * (BAND + GAP) - GAP, rx: 2 };
  const parts = [
    shown.map(({ at }) => s("line", { class: "tick", x1: along(at), x2: along(at), y1: 0, y2: bottom })),
    s("rect", { class: "bed", ...bed }),
    item.devices.map((share, row) => band(share, { x, y: floor + row * (BAND + GAP), named: item.devices.length > 1 })),
    nowLine(item, { x, now, bottom }),
    marks.map((mark, index) => drawn(mark, { floor, devices: item.devices, first: index === 0 })),
  ];
  if (labelled) parts.push(shown.map((tick) => tickLabel(tick, { x: along(tick.at), y: height - 2, width })));
  return s(
    "svg",
    { class: "strip", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": several ? `${item.kind}s of which nothing arrived` : spoken(item, episodes) },
    parts.flat(2),
  );
}

function tickLabel({ wall }, { x, y, width }) {
  return s("text", { class: "tick-label", x, y, "text-anchor": anchor(x, width) }, wall);
}

function band(share, { x, y, named }) {
  const side = s("text", { class: "side", x: -5, y: y + 8, "text-anchor": "end" }, share.side === "left" ? "L" : "R");
  const stretches = share.timeline
    .filter((stretch) => stretch.seen !== "not_expected")
    .map((stretch) => {
      const [from, to] = [x(Date.parse(stretch.start)), x(Date.parse(stretch.end))];
      const title = `${share.side} leg, ${clock(stretch.start)}–${clock(stretch.end)}: ${SEEN[stretch.seen]}`;
      const width = Math.max(to - from, 0.75);
      const shape = { class: `seen ${stretch.seen}`, x: from, y, width, height: BAND, fill: FILLS[stretch.seen] };
      return s("rect", shape, s("title", {}, title));
    });
  return named ? [side, ...stretches] : stretches;
}

function nowLine(item, { x, now, bottom }) {
  if (now < Date.parse(item.window.start) || now >= Date.parse(item.window.end)) return [];
  return [s("line", { class: "now", x1: x(now), x2: x(now), y1: 0, y2: bottom }, s("title", {}, "Now"))];
}

// Marks that would touch go up a lane, and past the second lane to the right, tied to their onset by the stem.
function placed(episodes, { x, width }) {
  const lanes = [];
  return episodes.map((episode) => {
    const r = radius(episode.severity);
    const wanted = Math.min(Math.max(x(Date.parse(episode.onset)), r + 1), width - r - 1);
    const free = (lane) => Math.max(wanted, (lanes[lane] ?? -r) + 2 + r);
    let lane = [0, 1].find((each) => free(each) === wanted) ?? (free(0) <= free(1) ? 0 : 1);
    if (free(lane) > width - r - 1) lane = lanes.length;
    const at = free(lane);
    lanes[lane] = at + r;
    return { episode, r, at, onset: x(Date.parse(episode.onset)), lane };
  });
}

function drawn({ episode, r, at, onset, lane }, { floor, devices, first }) {
  const y = floor - 12 - lane * LANE;
  const row = Math.max(devices.findIndex((share) => share.device === episode.device), 0);
  const foot = floor + row * (BAND + GAP) + BAND;
  const ongoing = (episode.status === "preliminary" ? " ongoing" : "") + (refuted(episode) ? " refuted" : "");
  return s(
    "g",
    { class: `cramp grade-${episode.grade}${ongoing}`, role: "img", tabindex: first ? 0 : -1, "aria-label": cramp(episode), "data-key": episode.id, "data-tip": tip(episode), onkeydown: walk },
    s("polyline", { class: "stem", points: `${at},${y} ${onset},${floor - 3} ${onset},${foot}` }),
    s("circle", { class: "ring", cx: at, cy: y, r: r + 3 }),
    s("circle", { class: "dot", cx: at, cy: y, r }),
    s("text", { x: at, y: y + 3.6, "text-anchor": "middle", "aria-hidden": "true" }, String(Math.round(episode.severity))),
    refuted(episode) ? s("line", { class: "strike", x1: at - r - 3, x2: at + r + 3, y1: y + r + 1, y2: y - r - 1 }) : null,
  );
}

const tip = (episode) => cramp(episode).replace("Cramp at ", "");

// Arrow keys go from cramp to cramp of a strip, so that each strip is one stop of the Tab key.
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...event.currentTarget.closest("svg").querySelectorAll(".cramp")];
  const next = all[all.indexOf(event.currentTarget) + step];
  if (!next) return;
  event.preventDefault();
  for (const mark of all) mark.setAttribute("tabindex", mark === next ? 0 : -1);
  next.focus();
}

function spoken(item, episodes) {
  const name = `${item.kind} of ${item.date}`;
  return `${name}: ${item.sentence} ${episodes.length ? "Arrow keys go through its cramps." : ""}`.trim();
}

function anchor(x, width) {
  if (x < 16) return "start";
  return x > width - 16 ? "end" : "middle";
}

// How a night is known; of one by the clock only what is unusual.
export function windowNote(item, usual) {
  if (item.window.source === "accelerometer") return item.kind === "night" ? item.window.sentence : null;
  const seconds = item.window.duration_s;
  return Math.abs(seconds - usual) < 60 ? null : `${duration(seconds)}: the clock was changed`;
}
