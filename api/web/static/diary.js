// What the diary holds: entries in words, and detected episodes of which the wearer may say whether they were cramps.

import { h } from "./dom.js";
import { unitWords } from "./plain.js";
import { clock, cramp, date, duration, muscle } from "./words.js";

export const REMEDIES = {
  magnesium: "magnesium", calcium: "calcium", zinc: "zinc", vitamin_e: "vitamin E", vitamin_b_complex: "vitamin B complex",
  vitamin_k2: "vitamin K2", vitamin_d: "vitamin D", potassium: "potassium", quinine: "quinine", stretching: "stretching",
  hydration: "drinking enough", electrolyte_drink: "electrolyte drink", pickle_juice: "pickle juice", heat: "warmth",
  massage: "massage", compression: "compression", other: "other",
};
export const CONTEXTS = {
  training: "training", match: "match", heat: "heat", dialysis: "dialysis session", pregnancy_week: "week of pregnancy",
  illness: "illness", travel: "travel", medication_change: "change of medication",
};
// As laboratories report them; the usual unit first.
const IONS = ["mmol/L", "mg/dL", "meq/L", "mg/L"];
export const ANALYTES = {
  magnesium: { name: "magnesium (total)", units: IONS },
  potassium: { name: "potassium", units: IONS },
  calcium: { name: "calcium (total)", units: IONS },
  sodium: { name: "sodium", units: IONS },
  vitamin_d: { name: "vitamin D (25-hydroxyvitamin D3)", units: ["nmol/L", "ng/mL", "ug/L"] },
  b12: { name: "vitamin B12", units: ["pmol/L", "pg/mL", "ng/L"] },
  ferritin: { name: "ferritin", units: ["ug/L", "ng/mL", "pmol/L"] },
};
const VERDICTS = { cramp: "a cramp", none: "no cramp", unsure: "not sure" };

export const remedy = (item) => [item.code === "other" ? item.name : REMEDIES[item.code], item.code !== "other" && item.name, item.dose && `${item.dose.value} ${unitWords(item.dose.unit)}`].filter(Boolean).join(", ");

const DETAILS = {
  temperature_cel: (value) => `${value} °C`,
  dialysate_magnesium_mmol_per_l: (value) => `magnesium in dialysate ${value} mmol/L`,
  ultrafiltration_l: (value) => `ultrafiltration ${value} litres`,
};

const when = (text) => `${date(text)}, ${clock(text)}`;

function felt(entry) {
  const parts = [
    entry.side && `${entry.side} leg`,
    entry.muscle && muscle(entry.muscle),
    entry.duration_s && duration(entry.duration_s),
    entry.pain !== null && `pain ${entry.pain} of 10`,
    entry.sleep_disturbance !== null && `sleep disturbed ${entry.sleep_disturbance} of 10`,
  ];
  return [entry.at ? when(entry.at) : `${entry.about?.split(" ")[0] ?? ""} of ${date(entry.earliest)}`, ["Cramp felt", ...parts.filter(Boolean)].join(", ")];
}

function context(entry) {
  const detail = Object.entries(entry.detail).map(([name, value]) => DETAILS[name]?.(value) ?? `${name.replaceAll("_", " ")} ${value}`);
  const until = entry.end ? ` to ${entry.start.slice(0, 10) === entry.end.slice(0, 10) ? clock(entry.end) : when(entry.end)}` : "";
  return [when(entry.start) + until, [CONTEXTS[entry.context], ...detail].join(", ")];
}

function laboratory({ analyte, value, unit, usual, remark }) {
  const same = unit === usual.unit ? "" : ` (${Number(usual.value.toPrecision(3))} ${unitWords(usual.unit)})`;
  const range = `${usual.standing} the usual ${usual.low} to ${usual.high} ${unitWords(usual.unit)}`;
  return [`${ANALYTES[analyte].name} ${value} ${unitWords(unit)}${same}, ${range}`, remark].filter(Boolean).join(". ");
}

// An entry as its time and its words.
function told(entry, names) {
  switch (entry.kind) {
    case "cramp": return felt(entry);
    case "context": return context(entry);
    case "intake": return [when(entry.at), `${names.get(entry.intervention) ?? "Dose"}: ${entry.outcome}`];
    case "intervention": return [`from ${date(entry.from)}${entry.to ? ` to ${date(entry.to)}` : ""}`, `${remedy(entry)}, ${entry.schedule.replaceAll("_", " ")}`];
    case "laboratory": return [when(entry.at), laboratory(entry)];
    case "review": return [when(entry.onset), `Detected cramp: the wearer says ${VERDICTS[entry.verdict]}`];
    default: return ["", entry.kind];
  }
}

// Where an entry is kept, below the wearer's diary.
function address(entry) {
  const folders = { cramp: "cramps", intervention: "interventions", context: "contexts", laboratory: "laboratory", review: "reviews" };
  return entry.kind === "intake" ? `interventions/${entry.intervention}/intakes/${entry.id}` : `${folders[entry.kind]}/${entry.id}`;
}

export function entryList(diary, { forget }) {
  const names = new Map(diary.interventions.map((item) => [item.id, remedy(item)]));
  const rows = [...diary.entries].reverse().map((entry) => {
    const [time, words] = told(entry, names);
    const key = `forget-${entry.id}`;
    return h(
      "li",
      {},
      h("span", { class: "quiet time" }, time),
      h("span", {}, words, entry.note ? h("small", {}, ` ${entry.note}`) : null),
      h("button", { class: "plain", type: "button", "data-key": key, "aria-label": `Remove: ${words}, ${time}`, onclick: () => forget(address(entry), words) }, "Remove"),
    );
  });
  return h(
    "section",
    { class: "periods", "aria-labelledby": "entries" },
    h("h3", { id: "entries" }, "Last four weeks"),
    rows.length ? h("ul", { class: "entries" }, rows) : h("p", { class: "sentence" }, "Nothing has been entered."),
  );
}

export function reviewList(episodes, diary, { say }) {
  const said = new Map(diary.reviews.map((review) => [review.episode, review.verdict]));
  const rows = [...episodes].reverse().map((episode) => {
    const verdict = said.get(episode.id);
    const button = (name, text) =>
      h("button", { class: "plain", type: "button", "data-key": `${name}-${episode.id}`, "aria-pressed": verdict === name ? "true" : "false", onclick: () => say(episode.id, name) }, text);
    return h(
      "li",
      {},
      h("span", { class: "quiet time" }, date(episode.onset)),
      h("span", {}, cramp({ ...episode, said: verdict })),
      h("span", { class: "choice", role: "group", "aria-label": `Was it a cramp, ${when(episode.onset)}?` }, button("cramp", "Yes"), button("none", "No"), button("unsure", "Not sure")),
    );
  });
  return h(
    "section",
    { class: "periods", "aria-labelledby": "reviews" },
    h("h3", { id: "reviews" }, "Was it a cramp?"),
    h("p", { class: "sentence" }, rows.length ? "What the device detected in the last nights and days. Those you call none do not count in trends and trials." : "The device detected nothing in the last nights and days."),
    h("ul", { class: "entries" }, rows),
  );
}
