// What forms are made of: fields, presets that follow the clock until someone types, and sending.

import { h } from "./dom.js";
import { plainly } from "./plain.js";

export const input = (name, label, attributes = {}) => h("label", {}, label, h("input", { name, autocomplete: "off", ...attributes }));
export const options = (choices) => Object.entries(choices).map(([value, text]) => h("option", { value }, text));
export const select = (name, label, choices, attributes = {}) => h("label", {}, label, h("select", { name, ...attributes }, options(choices)));
// A list whose choices are long gets a line of its own.
export const wide = (label) => (label.setAttribute("class", "wide"), label);
export const amount = (name, label, attributes = {}) => input(name, label, { type: "number", min: 0, step: "any", inputmode: "decimal", "data-once": true, ...attributes });
export const score = (name, label) => input(name, label, { type: "number", min: 0, max: 10, step: 1, inputmode: "numeric", "data-once": true });
export const note = () => input("note", "Note (short)", { maxlength: 200, "data-once": true });
export const day = (label = "Date", name = "date") => input(name, label, { type: "date", required: true });
export const clockTime = (name, label, attributes = {}) => input(name, label, { type: "time", ...attributes });
export const none = (choices) => ({ "": "–", ...choices });
export const number = (text) => (text === "" || text === undefined ? null : Number(text));
export const field = (made, name) => made.querySelector(`[name=${name}]`);
const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Give fields what they most likely hold, as long as nobody has typed into them.
export function preset(made, values) {
  for (const [name, value] of Object.entries(values)) {
    const place = field(made, name);
    if (!place.dataset.typed && document.activeElement !== place && place.value !== value) place.value = value;
  }
}

// A form that says what became of it. The same entry sent twice, after a lost answer, is kept once.
export function form(title, fields, { send, path, body, done, method = "POST", buttons = [["Add", "add"]] }) {
  const said = h("output", { class: "said", role: "status" });
  let pending = key();
  const tell = (words, bad) => {
    said.className = bad ? "said bad" : "said";
    said.textContent = words;
  };
  const sent = async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    for (const button of event.target.querySelectorAll("button")) button.disabled = true;
    try {
      const made = body(given, event.submitter?.value);
      const kept = await send(method, path(given), method === "POST" ? { ...made, key: pending } : made);
      pending = key();
      for (const once of event.target.querySelectorAll("[data-once]")) once.value = "";
      tell(["Kept.", kept?.remark].filter(Boolean).join(" "), false);
      done();
    } catch (error) {
      tell(plainly(error.message), true);
    } finally {
      for (const button of event.target.querySelectorAll("button")) button.disabled = false;
    }
  };
  const typed = (event) => (event.target.dataset.typed = "true");
  const row = h("p", { class: "row" }, buttons.map(([text, value]) => h("button", { type: "submit", value }, text)), said);
  return h("form", { class: "entry", onsubmit: sent, oninput: typed, "aria-label": title }, h("h3", {}, title), h("div", { class: "fields" }, fields), row);
}
