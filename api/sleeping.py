"""Reads epochs for what they say of sleep and wear, and lays nights where the wearer slept.

Thirty hours of epochs are looked at for each night, so what they say is remembered, under their content: a night
whose records were revised is worked out anew, and no other. Of a device with a status only epochs older than its
newest sample are looked at, to the last whole five minutes: a live device does not change its night with every epoch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.columns import Columns
from api.coverage import Interval as Edges
from api.motion import rest_of
from api.nights import Rest, night_seen, nights_about, search_of, with_nights
from api.periods import Period, PeriodKind, Window, periods, periods_around
from api.reading import Changes, Sources, Worn, changes_of, clips_of
from api.times import Interval
from api.zones import SECOND_NS

CONTEXT_NS: Final = 3 * 3600 * SECOND_NS  # so that stillness that began or went on outside is seen as such
STEP_NS: Final = 300 * SECOND_NS
LAG_NS: Final = 60 * SECOND_NS  # an epoch is written once it is full, a little after its last sample
AROUND: Final = timedelta(days=3)  # further than any clock is set, so that neighbours are there


@dataclass(frozen=True, slots=True)
class Lived:
    """Periods in order of time, the stretches in which each device lay about, and when its hours were written."""

    periods: tuple[Period, ...]
    off: Mapping[str, Sequence[Edges]]
    changes: Changes


def lived(sources: Sources, worn: Worn, *, kind: PeriodKind, reach: tuple[date, date], now_ns: int) -> Lived:
    """Nights or days named by the local dates of a range, both included."""
    zones, night = worn.wearer.zones, worn.wearer.night
    among = periods(zones=zones, night=night, first=reach[0] - AROUND, last=reach[1] + AROUND)
    wanted = [at for at, period in enumerate(among) if reach[0] <= period.date <= reach[1] and period.kind == kind]
    # What lies about from the middle of a day to that of the next belongs to the night between.
    near = {
        at + shift for at in wanted for shift in ((0,) if kind == "night" else (-1, 1)) if 0 <= at + shift < len(among)
    }
    searches = _searches(among, near, now_ns=now_ns)
    spans = [*(_about(search) for search in searches.values()), *(_edges(among[at]) for at in wanted)]
    changes = changes_of(sources, worn, spans)
    rests = _rests(sources, worn, among, searches, changes=changes, now_ns=now_ns)
    moved = with_nights(among, _seen(among, rests, now_ns=now_ns))
    off: dict[str, list[Edges]] = {}
    for of_night in rests.values():
        for device, rest in of_night.items():
            off.setdefault(device, []).extend(rest.off)
    return Lived(tuple(moved[at] for at in wanted), off, changes)


def lived_at(sources: Sources, worn: Worn, instants_ns: Sequence[int], *, now_ns: int) -> list[Period]:
    """Periods that between them hold every one of some instants."""
    if not instants_ns:
        return []
    zones, night = worn.wearer.zones, worn.wearer.night
    among = periods_around(zones=zones, night=night, start_ns=min(instants_ns), end_ns=max(instants_ns) + 1)
    searches = _searches(among, nights_about(among, instants_ns), now_ns=now_ns)
    changes = changes_of(sources, worn, [_about(search) for search in searches.values()])
    rests = _rests(sources, worn, among, searches, changes=changes, now_ns=now_ns)
    return with_nights(among, _seen(among, rests, now_ns=now_ns))


def _seen(among: Sequence[Period], rests: Mapping[int, Mapping[str, Rest]], *, now_ns: int) -> dict[int, Window]:
    found = {}
    for at, of_night in rests.items():
        window = night_seen(among[at].window, list(of_night.values()), now_ns=now_ns)
        if window is not None:
            found[at] = window
    return found


def _searches(among: Sequence[Period], near: Collection[int], *, now_ns: int) -> dict[int, Edges]:
    """Where to look for the sleep of each of some nights that have come so far."""
    return {at: search for at in sorted(near) if (search := search_of(among, at)) and search[0] < now_ns}


def _rests(
    sources: Sources,
    worn: Worn,
    among: Sequence[Period],
    searches: Mapping[int, Edges],
    *,
    changes: Changes,
    now_ns: int,
) -> dict[int, dict[str, Rest]]:
    """What each device showed about each of some nights."""
    statuses = sources.store.statuses(sorted(changes)) if changes else []
    newest = {status.device: status.last_sample_ns for status in statuses}
    found: dict[int, dict[str, Rest]] = {}
    for at, search in searches.items():
        found[at] = {}
        for device, clips in clips_of(worn, Interval(*_about(search))).items():
            past = _past(clips, newest_ns=newest.get(device, 0))
            epochs = sources.hours.between(device, past, changes=changes[device], now_ns=now_ns)
            found[at][device] = _rest(sources, epochs, search=search, clock=_edges(among[at]), now_ns=now_ns)
    return found


def _rest(sources: Sources, epochs: Columns, *, search: Edges, clock: Edges, now_ns: int) -> Rest:
    return sources.rests.get(
        (epochs.digest, search, clock), lambda: rest_of(epochs, search=search, night=clock), now_ns=now_ns
    )


def _past(clips: Sequence[Edges], *, newest_ns: int) -> list[Edges]:
    """What of the intervals lies before the newest sample, if that is known."""
    if not newest_ns:
        return list(clips)
    until_ns = (newest_ns - LAG_NS) // STEP_NS * STEP_NS
    return [(low, min(high, until_ns)) for low, high in clips if low < until_ns]


def _edges(period: Period) -> Edges:
    return period.window.start_ns, period.window.end_ns


def _about(search: Edges) -> Edges:
    return search[0] - CONTEXT_NS, search[1] + CONTEXT_NS
