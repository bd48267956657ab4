// The four views of a wearer: which one the address names, and reading what it needs when that has grown old.

import { h } from "./dom.js";
import { readDiary, readTrends, readTrials } from "./source.js";

export const VIEWS = { nights: "Nights and days", trend: "Is it getting better?", diary: "Diary", trials: "Trials" };
const KINDS = ["night", "day"];
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
  const turns = new Map(); // how often each wearer's diary has changed: what was read before is old
  let kind = "night";
  const readers = { trend: (wearer) => readTrends(wearer, kind), diary: readDiary, trials: readTrials };
  const name = (wearer, view) => `${wearer.id}/${view}/${view === "trend" ? kind : ""}`;

  async function refresh(wearer, view, { now = false } = {}) {
    const key = name(wearer, view);
    const turn = turns.get(wearer.id) ?? 0;
    const under = `${key}@${turn}`;
    const known = kept.get(key);
    if (!readers[view] || reading.has(under) || (!now && known && Date.now() - known.at < OLD_MS[view])) return;
    reading.add(under);
    const still = () => turn === (turns.get(wearer.id) ?? 0);
    try {
      const value = await readers[view](wearer);
      if (still()) kept.set(key, { at: Date.now(), value, trouble: null });
    } catch (error) {
      if (still()) kept.set(key, { at: 0, value: known?.value ?? null, trouble: error.message });
    } finally {
      reading.delete(under);
    }
    draw();
  }

  // The diary has changed, and with it what trends make of it: both kinds are dropped, the diary is read at once.
  function changed(wearer) {
    turns.set(wearer.id, (turns.get(wearer.id) ?? 0) + 1);
    for (const each of KINDS) kept.delete(`${wearer.id}/trend/${each}`);
    return refresh(wearer, "diary", { now: true });
  }

  const choose = (wanted, wearer) => {
    kind = wanted;
    draw();
    return refresh(wearer, "trend");
  };
  return { refresh, changed, choose, kind: () => kind, get: (wearer, view) => kept.get(name(wearer, view)) ?? { value: null, trouble: null } };
}
