// Figures and times in words. Times come from the API on the wearer's own clock; nothing is converted here.

const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const CLOCKS = new Map();

export const SEEN = {
  usable: "usable",
  not_usable: "worn, signal not usable",
  not_worn: "not worn",
  not_received: "nothing arrived",
  not_expected: "no device assigned",
};

// A mark of its own shape for each state, beside its sentence: colour is never all there is.
export const STATES = {
  receiving: { mark: "●", tone: "good" },
  catching_up: { mark: "↻", tone: "warn" },
  losing_data: { mark: "◐", tone: "warn" },
  not_worn: { mark: "○", tone: "warn" },
  receiving_but_unusable: { mark: "▲", tone: "warn" },
  clock_wrong: { mark: "◷", tone: "bad" },
  refused: { mark: "⊘", tone: "bad" },
  connected_but_silent: { mark: "■", tone: "bad" },
  offline: { mark: "✕", tone: "bad" },
  never_heard: { mark: "–", tone: "bad" },
};

// Why a state needs attention, in few words; those that pass by themselves need none.
const CALLS = {
  losing_data: "losing data", not_worn: "not worn", receiving_but_unusable: "signal not usable", clock_wrong: "clock wrong",
  refused: "data refused", connected_but_silent: "connected but silent", offline: "offline", never_heard: "never heard",
};
for (const [name, call] of Object.entries(CALLS)) STATES[name].call = call;

// How many cramps a night or day had: a bound where more may come, a question mark where nothing can be said.
export function atLeast({ cramps, status }) {
  if (!cramps.at_least) return String(cramps.count);
  return status !== "ok" && !cramps.count ? "?" : `≥ ${cramps.count}`;
}

// What a reader has to know beside the figures of a night or day: that they may still change, or have.
export function provisos(item, { running, said }) {
  const revised = item.revised === 1 ? "1 cramp" : `${item.revised} cramps`;
  return [
    item.complete || running ? null : { mark: "↻", text: said ? "Not complete." : `Not complete. ${item.pending}` },
    item.revised ? { mark: "✎", text: `Revised: ${revised} changed when data came late.` } : null,
  ].filter(Boolean);
}

// The one reason for which several of them are not complete, to be said once.
export function sharedReason(items) {
  const reasons = new Set(items.filter((item) => !item.complete).map((item) => item.pending));
  return reasons.size === 1 && items.filter((item) => !item.complete).length > 1 ? [...reasons][0] : null;
}

// What is noted of a cramp's signal, by the detector's flags.
export const NOTES = {
  flat: "the electrodes gave nothing for a while",
  rail: "the signal was at times stronger than the device can measure",
  electrode_off: "an electrode was off for a while",
  hum: "hum of the mains lay over the signal for a while",
  artefact: "seconds in which something else than the muscle was measured, such as a pull on skin or cable; they do not count",
  no_acc: "movement was not measured for a while",
  moving: "the leg moved",
  upright: "the shank was upright, as in standing or sitting",
  truncated: "the signal broke off before the cramp had ended",
};

export const GRADES = { 1: "mild", 2: "moderate", 3: "severe" };

export const MUSCLES = {
  gastrocnemius_medialis: "inner calf",
  gastrocnemius_lateralis: "outer calf",
  tibialis_anterior: "shin",
  soleus: "deep calf",
};

// What a wearer can tell apart without an atlas, and what devices are worn on.
export const FELT_MUSCLES = {
  calf: "calf", gastrocnemius_medialis: "inner calf", gastrocnemius_lateralis: "outer calf", soleus: "deep calf",
  shin: "shin", foot: "foot", thigh: "thigh", other: "other",
};

export const muscle = (site) => MUSCLES[site] ?? site.replaceAll("_", " ");
export const clock = (text) => text.slice(11, 16);
export const date = (text) => DATE.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
export const city = (zone) => zone.split("/").at(-1).replaceAll("_", " ");
export const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : "–");

// A number and its sign stay in one line.
export const unbroken = (text) => text.replaceAll(" %", "\u00a0%");

export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  return two(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
}

// The wall time of an instant in a zone, as HH:MM.
export function wallTime(milliseconds, zone) {
  if (!CLOCKS.has(zone)) {
    const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
    CLOCKS.set(zone, new Intl.DateTimeFormat("en-GB", format));
  }
  return CLOCKS.get(zone).format(milliseconds);
}

// What the wearer called none. The figures of nights and days count what was detected, so it is marked, not left out.
export const refuted = (episode) => episode.said === "none";
export const REFUTED = "Not a cramp, you said";

export function refutedNote(episodes) {
  const count = episodes.filter(refuted).length;
  if (!count) return null;
  const said = episodes.length === 1 ? "It was not a cramp" : count === 1 ? "1 of them was not a cramp" : `${count} of them were not cramps`;
  return `${said}, you said. The count here is as detected.`;
}

export function cramp(episode) {
  const still = episode.status === "preliminary" ? ", still going on" : "";
  return (
    `Cramp at ${clock(episode.onset)}, ${episode.side} leg, ${muscle(episode.site)}, ` +
    `${duration(episode.duration_s)}${still}, severity ${episode.severity.toFixed(1)} of 10, ` +
    `grade ${episode.grade} (${GRADES[episode.grade]})${refuted(episode) ? `. ${REFUTED}` : ""}`
  );
}

function two(large, largeUnit, small, smallUnit) {
  return small ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}

// The date of this moment in a zone, as YYYY-MM-DD.
export function today(zone) {
  return new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone }).format(Date.now());
}

export const dayAfter = (day, days = 1) => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

// The last date on which the clock of a zone has shown a time.
export function lastBegun(time, zone) {
  const day = today(zone);
  return time <= wallTime(Date.now(), zone) ? day : dayAfter(day, -1);
}

// The date of the last night that has begun by the wearer's clock: a night has the date of its evening.
export const lastNight = (wearer) => lastBegun(wearer.night_start, wearer.zone);

// The instant at which the clock of a zone shows a date and time; of two, one; of a time that was jumped over, one near.
export function instantAt(day, time, zone) {
  const wanted = Date.parse(`${day}T${time}:00Z`);
  let at = wanted;
  for (let turn = 0; turn < 2; turn += 1) at += wanted - shown(at, zone);
  return new Date(at).toISOString();
}

function shown(at, zone) {
  const format = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone });
  return Date.parse(`${format.format(at)}T${wallTime(at, zone)}:00Z`) + (at % 60_000);
}
