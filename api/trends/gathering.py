"""Reads what trends are made of: periods, stretches that the diary names, and the diary beside them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from api.diary import contexts, interventions, laboratory
from api.diary.values import Context, ContextKind
from api.observed import Observed, ObservedKind
from api.observing import Span, observe, observe_spans, reviews_of
from api.reading import Sources, Worn
from api.times import date_range
from api.trends import beside, whole
from api.trends.contexts import by_dialysis, by_drink, by_heat
from api.trends.values import Comparison, Contexts, Laboratory, Trends
from api.zones import DAY_NS

WEEKS: Final = 12
LAB_WEEKS: Final = 52
LONGEST_BETWEEN_NS: Final = 5 * DAY_NS  # longer without a session: one was not written down
EXERCISE: Final[tuple[ContextKind, ...]] = ("training", "match")
SESSIONS: Final[tuple[ContextKind, ...]] = ("dialysis",)
HEAT: Final[tuple[ContextKind, ...]] = ("heat",)
Reach = tuple[date, date]


def reach_of(worn: Worn, begin: str | None, end: str | None, *, weeks: int, now_ns: int) -> Reach:
    """Local dates, both included; by default whole weeks up to the last night that has ended."""
    zones, night_end = worn.wearer.zones, worn.wearer.night.end
    if end is None:
        running = date_range(None, None, zones=zones, night_end=night_end, now_ns=now_ns)[1]
        end = str(running - timedelta(days=1))
    if begin is None:
        last = date_range(end, end, zones=zones, night_end=night_end, now_ns=now_ns)[1]
        begin = str(last - timedelta(days=7 * weeks - 1))
    return date_range(begin, end, zones=zones, night_end=night_end, now_ns=now_ns)


def trends_of(sources: Sources, worn: Worn, *, kind: ObservedKind, reach: Reach, now_ns: int) -> Trends:
    """Everything about one kind of period."""
    among = seen_of(sources, worn, kind=kind, reach=reach, now_ns=now_ns)
    others: list[Observed] = []
    if kind in ("night", "day"):
        others = seen_of(sources, worn, kind="day" if kind == "night" else "night", reach=reach, now_ns=now_ns)
    with sources.registry.read() as db:
        done = interventions.of(db, worn.wearer.id, first=reach[0], last=reach[1])
    return whole.trends(
        whole.Material(
            worn.wearer.id, kind, reach[0], reach[1], tuple(among), tuple(others), tuple(done), worn.wearer.zones
        )
    )


def laboratory_of(sources: Sources, worn: Worn, *, kind: ObservedKind, reach: Reach, now_ns: int) -> Laboratory:
    """Laboratory values taken within the range, and the rate around each, which may reach beyond it."""
    zones = worn.wearer.zones
    start_ns, end_ns = zones.midnight_ns(reach[0]), zones.midnight_ns(reach[1] + timedelta(days=1))
    with sources.registry.read() as db:
        values = laboratory.of(db, worn.wearer.id, start_ns=start_ns, end_ns=end_ns)
    among: list[Observed] = []
    for near in _joined(beside.window(zones.local(value.at_ns).date()) for value in values):
        among += seen_of(sources, worn, kind=kind, reach=near, now_ns=now_ns)
    return beside.laboratory(worn.wearer.id, values, among=among, kind=kind, reach=reach, zones=zones)


def contexts_of(sources: Sources, worn: Worn, *, reach: Reach, now_ns: int) -> Contexts:
    """Every comparison of contexts that the diary has entries for."""
    items: list[Comparison] = []
    exercise = _entries(sources, worn, EXERCISE, reach=reach)
    if exercise:
        sessions = seen_of(sources, worn, kind="training", reach=reach, now_ns=now_ns)
        items.append(by_drink(sessions, exercise))
    if _entries(sources, worn, SESSIONS, reach=reach):
        during = seen_of(sources, worn, kind="dialysis", reach=reach, now_ns=now_ns)
        between = seen_of(sources, worn, kind="between", reach=reach, now_ns=now_ns)
        items.append(by_dialysis(during, between))
    heat = _entries(sources, worn, HEAT, reach=reach)
    if heat:
        items.append(by_heat(seen_of(sources, worn, kind="day", reach=reach, now_ns=now_ns), heat))
    return Contexts(worn.wearer.id, reach[0], reach[1], tuple(items))


def seen_of(sources: Sources, worn: Worn, *, kind: ObservedKind, reach: Reach, now_ns: int) -> list[Observed]:
    """Periods of a kind that have ended, in order of time, with what the wearer says of their episodes."""
    reviews = reviews_of(sources, worn, first=reach[0], last=reach[1])
    if kind in ("night", "day"):
        return observe(sources, worn, kind=kind, first=reach[0], last=reach[1], now_ns=now_ns, reviews=reviews)
    spans = _spans(sources, worn, kind=kind, reach=reach)
    return observe_spans(sources, worn, spans, kind=kind, now_ns=now_ns, reviews=reviews)


def _spans(sources: Sources, worn: Worn, *, kind: ObservedKind, reach: Reach) -> list[Span]:
    wanted = EXERCISE if kind == "training" else SESSIONS
    sessions = _apart(_edges(_entries(sources, worn, wanted, reach=reach, beyond=kind == "between")))
    if kind == "between":
        sessions = [
            (end_ns, start_ns)
            for (_, end_ns), (start_ns, _) in pairwise(sessions)
            if 0 < start_ns - end_ns <= LONGEST_BETWEEN_NS
        ]
    zones = worn.wearer.zones
    spans = [Span(zones.local(start_ns).date(), start_ns, end_ns) for start_ns, end_ns in sessions]
    return [span for span in spans if reach[0] <= span.date <= reach[1]]


def _entries(
    sources: Sources, worn: Worn, kinds: Collection[ContextKind], *, reach: Reach, beyond: bool = False
) -> list[Context]:
    """Contexts of some kinds that touch the range, or what is near it."""
    zones = worn.wearer.zones
    more_ns = LONGEST_BETWEEN_NS if beyond else 0
    start_ns = zones.midnight_ns(reach[0]) - more_ns
    end_ns = zones.midnight_ns(reach[1] + timedelta(days=1)) + more_ns
    with sources.registry.read() as db:
        return contexts.between(db, worn.wearer.id, start_ns=start_ns, end_ns=end_ns, kinds=kinds)


def _edges(entries: Sequence[Context]) -> list[tuple[int, int]]:
    """Of those whose end is known: a stretch without one has no exposure."""
    return [(entry.at_ns, entry.end_ns) for entry in entries if entry.end_ns is not None]


def _apart(edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order of time without those that overlap the one before: an hour, and a cramp in it, counts once."""
    kept: list[tuple[int, int]] = []
    for start_ns, end_ns in sorted(edges):
        if not kept or start_ns >= kept[-1][1]:
            kept.append((start_ns, end_ns))
    return kept


def _joined(windows: Iterable[Reach]) -> list[Reach]:
    """Ranges of dates that cover all windows, none twice."""
    joined: list[Reach] = []
    for first, last in sorted(windows):
        if joined and first <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
