// Reads the API. The browser revalidates with ETags, so an unchanged answer costs a few bytes.

const BASE = "/api/v1";

export class Trouble extends Error {}

export const read = (path) => ask(path, { cache: "no-cache", headers: { Accept: "application/json" } });

// Tell the API something. A problem becomes a Trouble that says what to give instead.
export const send = (method, path, body = null) =>
  ask(path, {
    method,
    headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, { ...options, signal: AbortSignal.timeout(60_000) });
  } catch {
    throw new Trouble("The service does not answer. This page tries again by itself.");
  }
  if (response.status === 401) {
    location.assign("/signin");
    throw new Trouble("You have been signed out.");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Trouble(body?.detail ?? `The service answered with ${response.status}.`);
  return body;
}

export async function readAll(path) {
  const items = [];
  for (let next = path; next; ) {
    const page = await read(next);
    items.push(...page.items);
    next = page.next;
  }
  return items;
}

// Everything shown of one wearer.
export async function readWearer(wearer) {
  const [nights, days] = [await read(`wearers/${wearer.id}/nights`), await read(`wearers/${wearer.id}/days`)];
  const first = nights.from < days.from ? nights.from : days.from;
  const past = new Date(Date.parse(`${nights.to}T00:00:00Z`) + 2 * 86_400_000).toISOString().slice(0, 10);
  const range = `from=${first}&to=${past}&limit=1000`;
  const reviews = await readAll(`wearers/${wearer.id}/diary/reviews?${range}`);
  const said = new Map(reviews.map((review) => [review.episode, review.verdict]));
  const episodes = await readAll(`wearers/${wearer.id}/episodes?${range}`);
  return { nights, days, episodes: episodes.map((episode) => ({ ...episode, said: said.get(episode.id) ?? null })) };
}

// Tells whether a cramp began, went on or ended since yesterday; cheap enough to ask every few seconds.
export async function readRecent(wearer) {
  const yesterday = new Date(Date.parse(`${wearer.today}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  const items = await readAll(`wearers/${wearer.id}/episodes?from=${yesterday}&to=${wearer.today}&limit=1000`);
  return items.map((episode) => `${episode.id}.${episode.updated}`).join();
}

const before = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);

// Trends of one kind of period over the usual range.
export const readTrends = (wearer, kind) => read(`wearers/${wearer.id}/trends?kind=${kind}`);

// Four weeks of the diary, everything that is taken, and what was said of each detected episode.
export async function readDiary(wearer) {
  const range = `from=${before(wearer.today, 28)}&to=${before(wearer.today, -2)}&limit=1000`;
  const base = `wearers/${wearer.id}/diary`;
  const [entries, interventions, reviews] = [
    await readAll(`${base}?${range}`),
    await readAll(`${base}/interventions?from=${before(wearer.today, 28)}&limit=1000`),
    await readAll(`${base}/reviews?${range}`),
  ];
  return { entries, interventions, reviews };
}

export const readTrials = (wearer) => readAll(`trials?wearer=${wearer.id}&limit=1000`);
