// Trials that the wearer takes part in: how far each is, and where its report is.

import { h } from "./dom.js";
import { notice } from "./parts.js";
import { date } from "./words.js";

const STATES = { registered: ["○", "registered, not begun"], running: ["◐", "running"], ended: ["●", "ended"] };

export function trialParts(trials, trouble) {
  const heading = h("h3", { id: "trials" }, "Trials");
  const inside = trials ? list(trials) : [notice(trouble ?? "Reading…", trouble ? "bad" : "mild")];
  return [h("section", { class: "periods text", "aria-labelledby": "trials" }, heading, inside)];
}

function list(trials) {
  if (!trials.length) {
    return [h("p", {}, "No trial yet. A trial compares weeks with and without something, as planned beforehand. Whoever runs Charley registers one: charley trial register PLAN.")];
  }
  return [h("ul", { class: "entries" }, trials.map(row))];
}

function row(trial) {
  const [mark, words] = STATES[trial.state] ?? ["○", trial.state];
  return h(
    "li",
    {},
    h("span", { class: "quiet time" }, date(trial.registered)),
    h("span", {}, h("strong", {}, trial.plan.title), h("br"), h("span", { class: "quiet" }, trial.plan.question), h("br"), h("span", { class: "mark", "aria-hidden": "true" }, mark), ` ${words}`),
    h("a", { class: "button", href: `/api/v1/trials/${encodeURIComponent(trial.id)}/report`, "data-key": `report-${trial.id}` }, "Report"),
  );
}
