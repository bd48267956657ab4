// Units and refusals in everyday words. The API speaks to programs as well: UCUM codes, names of members.

const UNIT_WORDS = {
  ug: "µg", "[IU]": "IU", "k[IU]": "thousand IU", "{tablet}": "tablets", "{capsule}": "capsules", "{drop}": "drops",
  "{sachet}": "sachets", "{portion}": "portions", "{repetition}": "times", "{set}": "sets", min: "minutes", s: "seconds",
  h: "hours", mL: "ml", cL: "cl", dL: "dl", L: "litres", "mm[Hg]": "mmHg", "ug/L": "µg/L", "ug/dL": "µg/dL",
  "ug/mL": "µg/mL",
};

export const unitWords = (unit) => UNIT_WORDS[unit] ?? unit;

// What doses are usually counted in; the rest of the units is for programs and files.
export const DOSE_UNITS = ["mg", "ug", "g", "mmol", "[IU]", "{tablet}", "{capsule}", "{sachet}", "{drop}", "{portion}", "mL", "L", "min", "s", "{repetition}", "{set}", "mm[Hg]"];

const DOSED_IN = { vitamin_d: "[IU]", vitamin_e: "[IU]", stretching: "min", heat: "min", massage: "min", hydration: "L", electrolyte_drink: "mL", pickle_juice: "mL", compression: "mm[Hg]", other: "{tablet}" };

export const usualUnit = (code) => DOSED_IN[code] ?? "mg";

const REFUSALS = [
  [/`end` lies in the future/, "The end is still to come: check the date and the time."],
  [/lies? in the future/, "This is still to come: check the date and the time."],
  [/night or day has not begun/, "That night or day has not begun yet: check the date. A night has the date of its evening."],
  [/clock had no (night|day)/, "There was no such night or day on this wearer's clock: choose the one before or after."],
  [/check the year/, "Check the year."],
  [/Unknown unit of a dose/, "This unit is not known: choose one from the list."],
  [/A dose is a number above 0/, "The dose is a number above 0."],
  [/dosed in \[IU\]/, "Only vitamins D and E are counted in IU: choose another unit, such as mg."],
  [/Say what `other` is/, "Say what it is under “Product or name”."],
  [/ends on or after the date on which it begins/, "The last day cannot be before the first day."],
  [/A context ends after it begins/, "The end cannot be before the beginning."],
  [/A cramp lasts more than 0/, "A cramp lasts longer than 0 minutes, and a day at most."],
  [/`uncertain_s` is 0 to/, "Give or take at most 12 hours (720 minutes); else leave the time out and choose the night or the day."],
  [/which week of pregnancy/, "Say which week of pregnancy it is."],
];

// What the API refused, as it is said to a wearer.
export function plainly(sentence) {
  const known = REFUSALS.find(([pattern]) => pattern.test(sentence));
  if (known) return known[1];
  const unit = /(?<=\d )(\{\w+\}|k?\[IU\]|mm\[Hg\]|ug(?:\/\w+)?|min|mL|cL|dL|L)(?=[\s,.:;)]|$)/g;
  return sentence.replaceAll("`", "").replaceAll(" (UCUM)", "").replace(unit, unitWords).replaceAll("_", " ");
}
