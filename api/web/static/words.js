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

export const STATES = {
  working: { mark: "●", tone: "good", short: "Working" },
  catching_up: { mark: "↻", tone: "good", short: "Synchronising" },
  poor_signal: { mark: "▲", tone: "warn", short: "Poor signal" },
  not_worn: { mark: "○", tone: "warn", short: "Not worn" },
  connected_but_silent: { mark: "■", tone: "bad", short: "Silent" },
  offline: { mark: "✕", tone: "bad", short: "Offline" },
  never_seen: { mark: "–", tone: "bad", short: "Never seen" },
};

export const GRADES = { 1: "mild", 2: "moderate", 3: "severe" };

export const MUSCLES = {
  gastrocnemius_medialis: "inner calf",
  gastrocnemius_lateralis: "outer calf",
  tibialis_anterior: "shin",
  soleus: "deep calf",
};

export const muscle = (site) => MUSCLES[site] ?? site.replaceAll("_", " ");
export const clock = (text) => text.slice(11, 16);
export const date = (text) => DATE.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
export const city = (zone) => zone.split("/").at(-1).replaceAll("_", " ");
export const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : "–");

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

export function cramp(episode) {
  const still = episode.status === "preliminary" ? ", still going on" : "";
  return (
    `Cramp at ${clock(episode.onset)}, ${episode.side} leg, ${muscle(episode.site)}, ` +
    `${duration(episode.duration_s)}${still}, severity ${episode.severity.toFixed(1)} of 10, ` +
    `grade ${episode.grade} (${GRADES[episode.grade]})`
  );
}

function two(large, largeUnit, small, smallUnit) {
  return small ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}
