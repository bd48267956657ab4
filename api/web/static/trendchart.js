// Rates by week and by hour as drawings: points with their intervals, the fitted level, and what was covered.

import { s } from "./dom.js";
import { date } from "./words.js";

const DAY = 86_400_000;
const [LEFT, TOP, PLOT, COVER] = [34, 24, 170, 14];
const at = (text) => Date.parse(`${text}T00:00:00Z`);

// Round numbers from none to above the highest.
export function rounds(highest) {
  const power = 10 ** Math.floor(Math.log10(highest / 3));
  const step = [1, 2, 2.5, 5, 10].map((nice) => nice * power).find((nice) => nice * 4 >= highest);
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, number) => Number((number * step).toPrecision(6)));
}

// An interval may reach far beyond what matters: the axis ends at three times the highest rate.
function ceiling(rates) {
  const known = rates.filter((rate) => rate.value !== null);
  const highest = Math.max(...known.map((rate) => rate.value), 0.1);
  return Math.max(Math.min(Math.max(...known.map((rate) => rate.high ?? Infinity), highest), 3 * highest), 0.5);
}

function rateAxis(marks, { y, width }) {
  return marks.flatMap((mark) => [
    s("line", { class: "tick", x1: LEFT, x2: width, y1: y(mark), y2: y(mark) }),
    s("text", { class: "tick-label", x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, String(mark)),
  ]);
}

const unit = () => s("text", { class: "tick-label unit", x: 0, y: 10 }, "per 8 usable hours");

function whisker(rate, { x, y, top }) {
  if (rate.value === null) return [];
  const high = Math.min(rate.high ?? Infinity, top);
  return [
    s("line", { class: "whisker", x1: x, x2: x, y1: y(rate.low ?? 0), y2: y(high) }),
    s("circle", { class: "rate", cx: x, cy: y(Math.min(rate.value, top)), r: 4 }),
  ];
}

export function weekChart(trends, { width, label }) {
  const { weeks, trend, change } = trends;
  const marks = rounds(ceiling(weeks.map((week) => week.rate)));
  const top = marks.at(-1);
  const [begin, end] = [at(trends.from), at(trends.to) + DAY];
  const x = (time) => LEFT + ((time - begin) / (end - begin)) * (width - LEFT);
  const y = (rate) => TOP + PLOT - (Math.min(rate, top) / top) * PLOT;
  const height = TOP + PLOT + COVER + 30;
  const middle = (week) => x((at(week.first) + at(week.last) + DAY) / 2);
  return s(
    "svg",
    { class: "trend", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    unit(),
    rateAxis(marks, { y, width }),
    change.verdict === "shown" ? turning(change, { x, y, top }) : [],
    band(trend.line, { x, y }),
    weeks.flatMap((week) => whisker(week.rate, { x: middle(week), y, top })),
    weeks.flatMap((week) => covered(week, { x, y: TOP + PLOT + 6 })),
    dates(weeks, { x, y: height - 4, width }),
  );
}

// The stretch in which the rate changed at once, if it did.
function turning(change, { x, y, top }) {
  const [from, to] = [x(at(change.first)), x(at(change.last) + DAY)];
  return [
    s("rect", { class: "turning", x: from, y: y(top), width: Math.max(to - from, 2), height: y(0) - y(top) }, s("title", {}, change.sentence)),
    s("line", { class: "turn", x1: x(at(change.most_likely)), x2: x(at(change.most_likely)), y1: y(top), y2: y(0) }),
  ];
}

function band(line, { x, y }) {
  const known = line.filter((point) => point.value !== null);
  if (known.length < 2) return [];
  const place = (point, value) => `${x(at(point.date)).toFixed(1)},${y(value).toFixed(1)}`;
  const upper = known.map((point) => place(point, point.high ?? Infinity));
  const lower = known.map((point) => place(point, point.low ?? 0)).reverse();
  return [
    s("polygon", { class: "level-band", points: [...upper, ...lower].join(" ") }),
    s("polyline", { class: "level", points: known.map((point) => place(point, point.value)).join(" ") }),
  ];
}

// How many of a week's periods could be judged: hatched where none was.
function covered(week, { x, y }) {
  const [from, to] = [x(at(week.first)) + 1, x(at(week.last) + DAY) - 1];
  const { judged, planned } = week.cover;
  const share = planned ? judged / planned : 0;
  const title = s("title", {}, `${date(week.first)} to ${date(week.last)}: ${judged} of ${planned} with enough data`);
  return [
    s("rect", { class: "gap", x: from, y, width: to - from, height: COVER, fill: "url(#fill-not-received)" }),
    s("rect", { class: "seen usable", x: from, y: y + COVER * (1 - share), width: to - from, height: COVER * share }, title),
  ];
}

function dates(weeks, { x, y, width }) {
  const every = Math.max(1, Math.ceil((weeks.length * 62) / (width - LEFT)));
  return weeks
    .filter((_, number) => number % every === 0)
    .map((week) => s("text", { class: "tick-label", x: x(at(week.first)), y }, date(week.first).replace(/^\w+,? /, "")));
}

export function hourChart(profile, { width, label }) {
  const marks = rounds(ceiling(profile.items.map((hour) => hour.rate)));
  const top = marks.at(-1);
  const height = 164;
  const floor = height - 20;
  const y = (rate) => floor - (Math.min(rate, top) / top) * (floor - TOP);
  const room = (width - LEFT) / profile.items.length;
  const every = Math.max(1, Math.ceil(44 / room));
  const bars = profile.items.flatMap((hour, number) => {
    const left = LEFT + number * room;
    const named = number % every === 0 ? s("text", { class: "tick-label", x: left + room / 2, y: height - 5, "text-anchor": "middle" }, hour.label) : null;
    if (hour.rate.value === null) {
      return [s("rect", { class: "gap", x: left + 1.5, y: floor - 12, width: room - 3, height: 12, fill: "url(#fill-not-received)" }, s("title", {}, `${hour.label}: not enough data`)), named];
    }
    const bar = s("rect", { class: "hour", x: left + 1.5, y: y(hour.rate.value), width: room - 3, height: floor - y(hour.rate.value) }, s("title", {}, `${hour.label}: ${hour.cramps} cramps in ${hour.usable_h.toFixed(0)} usable hours`));
    return [bar, ...whisker(hour.rate, { x: left + room / 2, y, top }).slice(0, 1), named];
  });
  return s("svg", { class: "trend", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, unit(), rateAxis(marks, { y, width }), bars);
}
