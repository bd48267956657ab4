// The four views of a wearer: which one the address names, and reading what it needs when that has grown old.

import { h } from "./dom.js";
import { readDiary, readTrends, readTrials } from "./source.js";

export const VIEWS = { nights: "Nights and days", trend: "Is it getting better?", diary: "Diary", trials: "Trials" };
const OLD_MS = { trend: 300_000, diary: 20_000, trials: 30_000 };

// `#wearer` or `#wearer/view`.
export function place() {
  const [wearer = "", view = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return { wearer, view: view in VIEWS ? view : "nights" };
}

export const address = (wearer, view) => `#${encodeURIComponent(wearer.id)}${view === "nights" ? "" : `/${view}`}`;

export function viewLinks(wearer, view) {
  const link = (name) => h("a", { href: address(wearer, name), "data-key": `view-${name}`, "aria-current": name === view ? "page" : null }, VIEWS[name]);
  return h("nav", { class: "views", "aria-label": "Views of this wearer" }, Object.keys(VIEWS).map(link));
}

// What the views show beside nights and days, by wearer; `draw` is called when something new is there.
export function makeShelf(draw) {
  const kept = new Map();
  const reading = new Set();
  let kind = "night";
  const readers = { trend: (wearer) => readTrends(wearer, kind), diary: readDiary, trials: readTrials };
  const name = (wearer, view) => `${wearer.id}/${view}/${view === "trend" ? kind : ""}`;

  async function refresh(wearer, view, { now = false } = {}) {
    const key = name(wearer, view);
    const known = kept.get(key);
    if (!readers[view] || reading.has(key) || (!now && known && Date.now() - known.at < OLD_MS[view])) return;
    reading.add(key);
    try {
      kept.set(key, { at: Date.now(), value: await readers[view](wearer), trouble: null });
    } catch (error) {
      kept.set(key, { at: 0, value: known?.value ?? null, trouble: error.message });
    } finally {
      reading.delete(key);
    }
    draw();
  }

  const choose = (wanted, wearer) => {
    kind = wanted;
    draw();
    return refresh(wearer, "trend");
  };
  return { refresh, choose, kind: () => kind, get: (wearer, view) => kept.get(name(wearer, view)) ?? { value: null, trouble: null } };
}
