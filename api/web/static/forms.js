// The forms of the diary. They are made once and left in place, so that drawing the rest anew takes nothing from them.

import { CONTEXTS, REMEDIES, remedy } from "./diary.js";
import { h } from "./dom.js";
import { MUSCLES, instantAt, today } from "./words.js";

const SCHEDULES = ["daily", "at_bedtime", "before_exercise", "during_exercise", "after_exercise", "at_dialysis", "weekly", "as_needed"];
const DRINKS = { water: "water", electrolyte: "electrolyte", none: "nothing" };

const input = (name, label, attributes = {}) => h("label", {}, label, h("input", { name, autocomplete: "off", ...attributes }));
const options = (choices) => Object.entries(choices).map(([value, text]) => h("option", { value }, text));
const select = (name, label, choices, attributes = {}) => h("label", {}, label, h("select", { name, ...attributes }, options(choices)));
const score = (name, label) => input(name, label, { type: "number", min: 0, max: 10, step: 1, inputmode: "numeric" });
const note = () => input("note", "Note (short)", { maxlength: 200 });
const day = (wearer, label = "Date") => input("date", label, { type: "date", required: true, value: today(wearer.zone) });
const none = (choices) => ({ "": "–", ...choices });
const number = (text) => (text === "" ? null : Number(text));
const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// A form that says what became of it. The same entry sent twice, after a lost answer, is kept once.
function form(title, fields, { send, path, body, done, buttons = [["Add", "add"]] }) {
  const said = h("output", { class: "said", role: "status" });
  let pending = key();
  const sent = async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    for (const button of event.target.querySelectorAll("button")) button.disabled = true;
    try {
      const made = body(given, event.submitter?.value);
      await send("POST", path(given), { ...made, key: pending });
      pending = key();
      for (const field of event.target.querySelectorAll("[data-once]")) field.value = "";
      said.className = "said";
      said.textContent = "Kept.";
      done();
    } catch (error) {
      said.className = "said bad";
      said.textContent = error.message;
    } finally {
      for (const button of event.target.querySelectorAll("button")) button.disabled = false;
    }
  };
  const row = h("p", { class: "row" }, buttons.map(([text, value]) => h("button", { type: "submit", value }, text)), said);
  return h("form", { class: "entry", onsubmit: sent, "aria-label": title }, h("h3", {}, title), h("div", { class: "fields" }, fields), row);
}

function feltForm(wearer, told) {
  const fields = [
    day(wearer),
    input("time", "Time (leave out if not known)", { type: "time", "data-once": true }),
    select("about", "Without a time: in the", { night: "night", day: "day" }),
    select("side", "Leg", none({ left: "left", right: "right" })),
    select("muscle", "Muscle", none(MUSCLES)),
    input("minutes", "Minutes it lasted", { type: "number", min: 0, max: 1440, step: "any", inputmode: "decimal", "data-once": true }),
    score("pain", "Pain, 0 to 10"),
    score("sleep_disturbance", "Sleep disturbed, 0 to 10"),
    note(),
  ];
  const body = (given) => ({
    ...(given.time ? { at: instantAt(given.date, given.time, wearer.zone) } : { about: `${given.about} ${given.date}` }),
    side: given.side || null,
    muscle: given.muscle || null,
    duration_s: given.minutes === "" ? null : Number(given.minutes) * 60,
    pain: number(given.pain),
    sleep_disturbance: number(given.sleep_disturbance),
    note: given.note,
  });
  return form("A cramp you felt", fields, { ...told, path: () => "cramps", body });
}

function doseForm(wearer, told) {
  const fields = [select("intervention", "What", {}, { required: true }), day(wearer), input("time", "Time", { type: "time", required: true, value: "22:00" })];
  const body = (given, outcome) => ({ at: instantAt(given.date, given.time, wearer.zone), outcome });
  return form("A dose", fields, { ...told, path: (given) => `interventions/${given.intervention}/intakes`, body, buttons: [["Taken", "taken"], ["Missed", "missed"]] });
}

function remedyForm(wearer, told) {
  const schedules = Object.fromEntries(SCHEDULES.map((each) => [each, each.replaceAll("_", " ")]));
  const fields = [
    select("code", "What", REMEDIES),
    input("name", "Product or name", { maxlength: 80, "data-once": true }),
    input("dose", "Dose", { type: "number", min: 0, step: "any", inputmode: "decimal", "data-once": true }),
    input("unit", "Unit", { maxlength: 20, placeholder: "mg" }),
    select("schedule", "When", schedules),
    day(wearer, "From"),
  ];
  const body = (given) => ({
    code: given.code,
    name: given.name,
    dose: given.dose === "" ? null : { value: Number(given.dose), unit: given.unit || "mg" },
    schedule: given.schedule,
    from: given.date,
  });
  return form("Something you begin to take or do", fields, { ...told, path: () => "interventions", body });
}

function contextForm(wearer, told) {
  const fields = [
    select("context", "What", CONTEXTS),
    day(wearer),
    input("time", "From", { type: "time", required: true, value: "18:00" }),
    input("until", "To (may be left out)", { type: "time", "data-once": true }),
    select("drink", "Drink, of training or match", none(DRINKS)),
    input("week", "Week, of pregnancy", { type: "number", min: 1, max: 45, step: 1, "data-once": true }),
    note(),
  ];
  const body = (given) => {
    const after = given.until && given.until <= given.time ? 1 : 0; // past midnight
    const last = new Date(Date.parse(`${given.date}T00:00:00Z`) + after * 86_400_000).toISOString().slice(0, 10);
    const exercise = ["training", "match"].includes(given.context);
    const detail = { ...(exercise && given.drink && { drink: given.drink }), ...(given.context === "pregnancy_week" && given.week && { week: Number(given.week) }) };
    return {
      context: given.context,
      start: instantAt(given.date, given.time, wearer.zone),
      end: given.until ? instantAt(last, given.until, wearer.zone) : null,
      detail,
      note: given.note,
    };
  };
  return form("What went on", fields, { ...told, path: () => "contexts", body });
}

// Forms for one wearer. `told` is how an entry is sent, and what is done when it was kept; `offer` takes what there is
// to be taken or done, without which no dose can be noted.
export function diaryForms(wearer, told) {
  const dose = doseForm(wearer, told);
  const choice = dose.querySelector("select");
  const offer = (interventions) => {
    const chosen = choice.value;
    dose.hidden = !interventions.length;
    choice.replaceChildren(...options(Object.fromEntries(interventions.map((item) => [item.id, remedy(item)]))));
    if (interventions.some((item) => item.id === chosen)) choice.value = chosen;
  };
  return { nodes: [feltForm(wearer, told), dose, remedyForm(wearer, told), contextForm(wearer, told)], offer };
}
