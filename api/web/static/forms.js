// The forms of the diary. They are made once and left in place, so that drawing the rest anew takes nothing from them.

import { ANALYTES, CONTEXTS, REMEDIES, remedy } from "./diary.js";
import { h } from "./dom.js";
import { amount, clockTime, day, field, form, input, none, note, number, options, preset, score, select, wide } from "./fields.js";
import { DOSE_UNITS, unitWords, usualUnit } from "./plain.js";
import { FELT_MUSCLES, date, dayAfter, instantAt, lastBegun, lastNight, today, wallTime } from "./words.js";

const SCHEDULES = ["daily", "at_bedtime", "before_exercise", "during_exercise", "after_exercise", "at_dialysis", "weekly", "as_needed"];
const DRINKS = { water: "water", electrolyte: "electrolyte", none: "nothing" };
const INTENSITIES = { light: "light", moderate: "moderate", hard: "hard" };
const BEDTIME = "22:00";
const EVENING = "18:00";
const EXERCISE = ["drink", "intensity", "activity"];
const DETAILS = {
  training: EXERCISE, match: EXERCISE, heat: ["temperature_cel"], dialysis: ["dialysate_magnesium_mmol_per_l", "ultrafiltration_l"],
  pregnancy_week: ["week"], illness: ["what"], travel: ["what"], medication_change: ["what"],
};
const WORDS = ["drink", "intensity", "activity", "what"];

const listed = (codes) => Object.fromEntries(codes.map((code) => [code, unitWords(code)]));
const words = (names) => Object.fromEntries(names.map((name) => [name, name.replaceAll("_", " ")]));

function feltForm(wearer, told) {
  const meant = h("p", { class: "meant quiet", role: "status" });
  const fields = [
    day("Date"),
    clockTime("time", "Time (leave out if not known)", { "data-once": true }),
    select("about", "Without a time: in the", { night: "night", day: "day" }),
    amount("uncertain", "Time give or take, minutes", { max: 720 }),
    select("side", "Leg", none({ left: "left", right: "right" })),
    select("muscle", "Muscle", none(FELT_MUSCLES)),
    amount("minutes", "Minutes it lasted", { max: 1440 }),
    score("pain", "Pain, 0 to 10"),
    score("sleep_disturbance", "Sleep disturbed, 0 to 10"),
    note(),
    meant,
  ];
  const body = (given) => ({
    ...(given.time ? { at: instantAt(given.date, given.time, wearer.zone), uncertain_s: 60 * number(given.uncertain) } : { about: `${given.about} ${given.date}` }),
    side: given.side || null,
    muscle: given.muscle || null,
    duration_s: given.minutes === "" ? null : Number(given.minutes) * 60,
    pain: number(given.pain),
    sleep_disturbance: number(given.sleep_disturbance),
    note: given.note,
  });
  const made = form("A cramp you felt", fields, { ...told, path: () => "cramps", body });
  // Three o'clock in the morning has another date than the night in which it was: the date follows, and is spelt out.
  const renew = () => {
    const time = field(made, "time").value;
    preset(made, { date: time ? lastBegun(time, wearer.zone) : field(made, "about").value === "night" ? lastNight(wearer) : today(wearer.zone) });
    const on = field(made, "date").value;
    const night = on && `the night of ${date(on)} to ${date(dayAfter(on))}`;
    meant.textContent = on ? `Means: ${time ? `${date(on)} at ${time}` : field(made, "about").value === "night" ? night : `the day of ${date(on)}`}.` : "";
  };
  made.addEventListener("input", renew);
  return { made, renew };
}

function doseForm(wearer, told) {
  const fields = [wide(select("intervention", "What", {}, { required: true })), day(), clockTime("time", "Time", { required: true })];
  const body = (given, outcome) => ({ at: instantAt(given.date, given.time, wearer.zone), outcome });
  const made = form("A dose", fields, { ...told, path: (given) => `interventions/${given.intervention}/intakes`, body, buttons: [["Taken", "taken"], ["Missed", "missed"]] });
  const schedules = new Map();
  const renew = () => {
    const now = wallTime(Date.now(), wearer.zone);
    preset(made, { time: schedules.get(field(made, "intervention").value) === "at_bedtime" ? BEDTIME : now });
    preset(made, { date: lastBegun(field(made, "time").value || now, wearer.zone) });
  };
  const offer = (interventions) => {
    for (const item of interventions) schedules.set(item.id, item.schedule);
    choose(made, interventions);
    renew();
  };
  made.addEventListener("input", renew);
  return { made, renew, offer };
}

// Offer what there is; what was chosen stays chosen.
function choose(made, interventions) {
  const choice = field(made, "intervention");
  const chosen = choice.value;
  made.hidden = !interventions.length;
  choice.replaceChildren(...options(Object.fromEntries(interventions.map((item) => [item.id, `${remedy(item)}, since ${date(item.from)}`]))));
  if (interventions.some((item) => item.id === chosen)) choice.value = chosen;
}

function remedyForm(wearer, told) {
  const fields = [
    select("code", "What", REMEDIES),
    input("name", "Product or name", { maxlength: 80, "data-once": true }),
    amount("dose", "Dose at a time"),
    select("unit", "Unit", listed(DOSE_UNITS)),
    select("schedule", "When", words(SCHEDULES)),
    amount("times", "Times a day (if daily)", { min: 1, max: 24, step: 1, inputmode: "numeric" }),
    day("From"),
    note(),
  ];
  const body = (given) => ({
    code: given.code,
    name: given.name,
    dose: given.dose === "" ? null : { value: Number(given.dose), unit: given.unit },
    schedule: given.schedule,
    times: given.schedule === "daily" ? number(given.times) : null,
    from: given.date,
    note: given.note,
  });
  const made = form("Something you begin to take or do", fields, { ...told, path: () => "interventions", body });
  const renew = () => preset(made, { unit: usualUnit(field(made, "code").value), date: today(wearer.zone) });
  made.addEventListener("input", renew);
  return { made, renew };
}

function endForm(wearer, told) {
  const fields = [wide(select("intervention", "What", {}, { required: true })), day("Last day")];
  const made = form("Something you stop taking or doing", fields, {
    ...told,
    method: "PATCH",
    path: (given) => `interventions/${given.intervention}`,
    body: (given) => ({ to: given.date }),
    buttons: [["End", "end"]],
  });
  const renew = () => preset(made, { date: today(wearer.zone) });
  return { made, renew, offer: (interventions) => choose(made, interventions.filter((item) => !item.to)) };
}

function contextForm(wearer, told) {
  const fields = [
    select("context", "What", CONTEXTS),
    day(),
    clockTime("time", "From", { required: true }),
    clockTime("until", "To (may be left out)", { "data-once": true }),
    select("drink", "Drink", none(DRINKS)),
    select("intensity", "Intensity", none(INTENSITIES)),
    input("activity", "Activity", { maxlength: 80, "data-once": true }),
    amount("temperature_cel", "Temperature, °C", { min: -50, max: 130 }),
    amount("dialysate_magnesium_mmol_per_l", "Magnesium in dialysate, mmol/L", { max: 2 }),
    amount("ultrafiltration_l", "Ultrafiltration, litres", { max: 15 }),
    amount("week", "Week of pregnancy", { min: 1, max: 45, step: 1 }),
    input("what", "Which", { maxlength: 80, "data-once": true }),
    note(),
  ];
  const made = form("What went on", fields, { ...told, path: () => "contexts", body: (given) => contextOf(given, wearer) });
  const renew = () => {
    const asked = DETAILS[field(made, "context").value];
    for (const name of new Set(Object.values(DETAILS).flat())) {
      const place = field(made, name);
      place.disabled = place.closest("label").hidden = !asked.includes(name);
    }
    preset(made, { time: EVENING });
    preset(made, { date: lastBegun(field(made, "time").value || EVENING, wearer.zone) });
  };
  made.addEventListener("input", renew);
  return { made, renew };
}

function contextOf(given, wearer) {
  const last = given.until && given.until <= given.time ? dayAfter(given.date) : given.date; // past midnight
  const told = DETAILS[given.context].filter((name) => given[name]);
  return {
    context: given.context,
    start: instantAt(given.date, given.time, wearer.zone),
    end: given.until ? instantAt(last, given.until, wearer.zone) : null,
    detail: Object.fromEntries(told.map((name) => [name, WORDS.includes(name) ? given[name] : Number(given[name])])),
    note: given.note,
  };
}

function laboratoryForm(wearer, told) {
  const named = Object.fromEntries(Object.entries(ANALYTES).map(([code, { name }]) => [code, name]));
  const fields = [wide(select("analyte", "What", named)), amount("value", "Value", { required: true }), select("unit", "Unit, as on the report", {}), day("Taken on"), note()];
  const body = (given) => ({ analyte: given.analyte, at: given.date, value: Number(given.value), unit: given.unit, note: given.note });
  const made = form("A laboratory value", fields, { ...told, path: () => "laboratory", body });
  let offered = "";
  const renew = () => {
    preset(made, { date: today(wearer.zone) });
    const analyte = field(made, "analyte").value;
    if (analyte === offered) return;
    offered = analyte;
    field(made, "unit").replaceChildren(...options(listed(ANALYTES[analyte].units)));
  };
  made.addEventListener("input", renew);
  return { made, renew };
}

// Forms for one wearer. `told` is how an entry is sent, and what is done when it was kept; `offer` takes what there is
// to be taken or done, without which no dose can be noted; `renew` lets what nobody has typed follow the clock.
export function diaryForms(wearer, told) {
  const forms = [feltForm, doseForm, remedyForm, endForm, contextForm, laboratoryForm].map((make) => make(wearer, told));
  const renew = () => forms.forEach((each) => each.renew());
  renew();
  return { nodes: forms.map((each) => each.made), offer: (interventions) => forms.forEach((each) => each.offer?.(interventions)), renew };
}
