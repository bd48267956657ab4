"""Reads what was seen of a wearer, period by period or in spans that the diary names, as analyses take it.

Only periods that have ended are given. An episode that the wearer's diary calls none stays in the list and is not
counted; the one that an episode belongs to is the period that holds its onset, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from api.coverage import Interval as Edges
from api.diary.carrying import carried
from api.diary.reviews import between as reviewed
from api.diary.reviews import verdicts
from api.observed import Cramp, Observed, ObservedKind
from api.periods import Period, PeriodKind, Window
from api.reading import Sources, Worn, changes_of, summaries_of
from api.sleeping import lived
from api.summaries import Owned, Summary, members
from api.zones import DAY_NS

Reviews = Mapping[str, bool | None]  # by episode: the wearer says it was a cramp, was none, or does not know
NONE_YET: Final[Reviews] = MappingProxyType({})
_FIRST: Final = date(1970, 1, 1)
AT_ONCE: Final = 14  # periods, so that a year never stands in memory and a caller can show how far it has come


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that the diary names, such as a training session; `date` is the local date on which it began."""

    date: date
    start_ns: int
    end_ns: int


def reviews_of(sources: Sources, worn: Worn, *, first: date, last: date) -> Reviews:
    """What the wearer's diary says of episodes near the local dates of a range."""
    start_ns, end_ns = (((day - _FIRST).days + shift) * DAY_NS for day, shift in ((first, -2), (last, 3)))
    with sources.registry.read() as db:
        found = reviewed(db, worn.wearer.id, start_ns=start_ns, end_ns=end_ns)
        return verdicts(db, worn.wearer.id, [review.episode for review in found])


def observe(
    sources: Sources,
    worn: Worn,
    *,
    kind: PeriodKind,
    first: date,
    last: date,
    now_ns: int,
    reviews: Reviews = NONE_YET,
) -> list[Observed]:
    """Nights or days named by the local dates of a range, both included, as far as they have ended."""
    found: list[Observed] = []
    begin = first
    while begin <= last:
        end = min(last, begin + timedelta(days=AT_ONCE - 1))
        among = lived(sources, worn, kind=kind, reach=(begin, end), now_ns=now_ns)
        ended = [period for period in among.periods if period.window.end_ns <= now_ns]
        summaries, episodes = summaries_of(
            sources, worn, ended, off=among.off, changes=among.changes, now_ns=now_ns
        )  # fmt: skip
        said = carried(reviews, [owned.episode for owned in episodes])
        found += [_observed(worn, item, episodes, kind=kind, reviews=said) for item in summaries]
        begin = end + timedelta(days=1)
    return found


def observe_spans(
    sources: Sources,
    worn: Worn,
    spans: Sequence[Span],
    *,
    kind: ObservedKind,
    now_ns: int,
    reviews: Reviews = NONE_YET,
) -> list[Observed]:
    """What was seen in stretches that have ended, in order of time."""
    found: list[Observed] = []
    for span in sorted(spans, key=lambda span: span.start_ns):
        if span.end_ns > now_ns:
            continue
        period = Period("day", span.date, 1, Window(span.start_ns, span.end_ns))
        off = _off(sources, worn, span, now_ns=now_ns)
        changes = changes_of(sources, worn, [(span.start_ns, span.end_ns)])
        summaries, episodes = summaries_of(sources, worn, [period], off=off, changes=changes, now_ns=now_ns)
        said = carried(reviews, [owned.episode for owned in episodes])
        found += [_observed(worn, item, episodes, kind=kind, reviews=said) for item in summaries]
    return found


def _off(sources: Sources, worn: Worn, span: Span, *, now_ns: int) -> Mapping[str, Sequence[Edges]]:
    """Where each device lay about in and near a stretch: nights tell, the one before and the one after."""
    zones = worn.wearer.zones
    reach = (zones.local(span.start_ns).date(), zones.local(span.end_ns).date())
    return lived(sources, worn, kind="day", reach=reach, now_ns=now_ns).off


def _observed(
    worn: Worn, summary: Summary, episodes: Sequence[Owned], *, kind: ObservedKind, reviews: Reviews
) -> Observed:
    period = summary.period
    return Observed(
        wearer=worn.wearer.id,
        kind=kind,
        date=period.date,
        part=period.part,
        start_ns=period.window.start_ns,
        end_ns=period.window.end_ns,
        expected_s=summary.coverage.expected_s,
        usable_s=summary.coverage.usable_s,
        enough=summary.status == "ok",
        cramps=tuple(_cramp(item, reviews) for item in members(period, episodes)),
        weekday=period.date.weekday(),
        usable_spans=_usable(summary),
    )


def _usable(summary: Summary) -> tuple[Edges, ...]:
    """Where any of the devices saw enough, in order of time and apart."""
    spans: list[Edges] = []
    seen = (stretch for share in summary.devices for stretch in share.timeline if stretch.seen == "usable")
    for start_ns, end_ns in sorted((stretch.start_ns, stretch.end_ns) for stretch in seen):
        if spans and start_ns <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end_ns, spans[-1][1]))
        else:
            spans.append((start_ns, end_ns))
    return tuple(spans)


def _cramp(owned: Owned, reviews: Reviews) -> Cramp:
    episode = owned.episode
    return Cramp(
        onset_ns=episode.onset_ns,
        duration_s=episode.duration_s,
        severity=episode.severity,
        load=episode.load,
        grade=episode.grade,
        episode=episode.id,
        confirmed=reviews.get(episode.id),
    )
