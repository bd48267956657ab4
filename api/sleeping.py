"""Reads epochs for what they say of sleep and wear, and lays nights where the wearer slept.

Thirty hours of epochs are read for each night, so what they say is remembered. Of a device with a status only
epochs older than its newest sample are looked at, to the last whole five minutes: the service stores what a device
sends in order of time, so these do not change any more, and the answer remains a function of the records.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.coverage import Interval as Edges
from api.motion import rest_of
from api.nights import Rest, night_seen, nights_about, search_of, with_nights
from api.periods import Period, PeriodKind, Window, periods, periods_around
from api.reading import Sources, Worn, clips_of, epochs_in
from api.times import Interval
from api.zones import SECOND_NS

CONTEXT_NS: Final = 3 * 3600 * SECOND_NS  # so that stillness that began or went on outside is seen as such
STEP_NS: Final = 300 * SECOND_NS
LAG_NS: Final = 60 * SECOND_NS  # an epoch is written once it is full, a little after its last sample
AROUND: Final = timedelta(days=3)  # further than any clock is set, so that neighbours are there


@dataclass(frozen=True, slots=True)
class Lived:
    """Periods in order of time, with the stretches in which each device lay about."""

    periods: tuple[Period, ...]
    off: Mapping[str, Sequence[Edges]]


def lived(sources: Sources, worn: Worn, *, kind: PeriodKind, reach: tuple[date, date], now_ns: int) -> Lived:
    """Nights or days named by the local dates of a range, both included."""
    zones, night = worn.wearer.zones, worn.wearer.night
    among = periods(zones=zones, night=night, first=reach[0] - AROUND, last=reach[1] + AROUND)
    wanted = [at for at, period in enumerate(among) if reach[0] <= period.date <= reach[1] and period.kind == kind]
    # What lies about from the middle of a day to that of the next belongs to the night between.
    near = {
        at + shift for at in wanted for shift in ((0,) if kind == "night" else (-1, 1)) if 0 <= at + shift < len(among)
    }
    rests = _rests(sources, worn, among, near, now_ns=now_ns)
    moved = with_nights(among, _seen(among, rests, now_ns=now_ns))
    off: dict[str, list[Edges]] = {}
    for of_night in rests.values():
        for device, rest in of_night.items():
            off.setdefault(device, []).extend(rest.off)
    return Lived(tuple(moved[at] for at in wanted), off)


def lived_at(sources: Sources, worn: Worn, instants_ns: Sequence[int], *, now_ns: int) -> list[Period]:
    """Periods that between them hold every one of some instants."""
    if not instants_ns:
        return []
    zones, night = worn.wearer.zones, worn.wearer.night
    among = periods_around(zones=zones, night=night, start_ns=min(instants_ns), end_ns=max(instants_ns) + 1)
    near = nights_about(among, instants_ns)
    return with_nights(among, _seen(among, _rests(sources, worn, among, near, now_ns=now_ns), now_ns=now_ns))


def _seen(among: Sequence[Period], rests: Mapping[int, Mapping[str, Rest]], *, now_ns: int) -> dict[int, Window]:
    found = {}
    for at, of_night in rests.items():
        window = night_seen(among[at].window, list(of_night.values()), now_ns=now_ns)
        if window is not None:
            found[at] = window
    return found


def _rests(
    sources: Sources, worn: Worn, among: Sequence[Period], near: Collection[int], *, now_ns: int
) -> dict[int, dict[str, Rest]]:
    """What each device showed about each of some nights."""
    searches = {at: search for at in sorted(near) if (search := search_of(among, at)) and search[0] < now_ns}
    devices = {device for search in searches.values() for device in clips_of(worn, _about(search))}
    statuses = sources.store.statuses(sorted(devices)) if devices else []
    newest = {status.device: status.last_sample_ns for status in statuses}
    found: dict[int, dict[str, Rest]] = {}
    for at, search in searches.items():
        clock = (among[at].window.start_ns, among[at].window.end_ns)
        found[at] = {
            device: _rest(
                sources, device, clips, search=search, clock=clock, newest_ns=newest.get(device, 0), now_ns=now_ns
            )
            for device, clips in clips_of(worn, _about(search)).items()
        }  # fmt: skip
    return found


def _rest(
    sources: Sources, device: str, clips: Sequence[Edges], *, search: Edges, clock: Edges, newest_ns: int, now_ns: int
) -> Rest:
    if not newest_ns:
        return rest_of(epochs_in(sources, device, clips), search=search, night=clock)
    until_ns = (newest_ns - LAG_NS) // STEP_NS * STEP_NS
    past = tuple((low, min(high, until_ns)) for low, high in clips if low < until_ns)
    return sources.rests.get(
        (device, past, search, clock),
        lambda: rest_of(epochs_in(sources, device, past), search=search, night=clock),
        now_ns=now_ns,
    )


def _about(search: Edges) -> Interval:
    return Interval(search[0] - CONTEXT_NS, search[1] + CONTEXT_NS)
