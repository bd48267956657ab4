"""All kinds of entries of a range in order of time."""

from dataclasses import dataclass

import sqlalchemy as sa

from api.diary import contexts, cramps, interventions, laboratory, reviews, views
from api.diary.schemas import EntryOut
from api.registry import wearers
from api.times import Interval


@dataclass(frozen=True, slots=True)
class Placed:
    """One entry, as it is sent, and where it stands."""

    key: tuple[int, str]
    view: EntryOut


def entries_between(db: sa.Connection, wearer_id: str, within: Interval, *, now_ns: int) -> list[Placed]:
    """Entries that lie in an interval, and what was in force then."""
    wearer = wearers.find(db, wearer_id)
    zones, start_ns, end_ns = wearer.zones, within.start_ns, within.end_ns
    first, last = zones.local(start_ns).date(), zones.local(max(end_ns - 1, start_ns)).date()
    noted = interventions.intakes_of(db, wearer_id)
    found = [
        Placed((felt.at_ns, felt.id), views.cramp(felt, zones))
        for felt in cramps.between(db, wearer_id, start_ns=start_ns, end_ns=end_ns)
    ]
    for item in interventions.of(db, wearer_id, first=first, last=last):
        regular = interventions.adherence(item, noted, zones=zones, now_ns=now_ns)
        found.append(Placed((zones.midnight_ns(item.first), item.id), views.intervention(item, regular)))
    found += [
        Placed((dose.at_ns, dose.id), views.intake(dose, zones)) for dose in noted if start_ns <= dose.at_ns < end_ns
    ]
    found += [
        Placed((context.at_ns, context.id), views.context(context, zones))
        for context in contexts.between(db, wearer_id, start_ns=start_ns, end_ns=end_ns)
    ]
    found += [
        Placed((value.at_ns, value.id), views.lab_value(value, zones))
        for value in laboratory.of(db, wearer_id, start_ns=start_ns, end_ns=end_ns)
    ]
    found += [
        Placed((review.at_ns, review.id), views.review(review, zones))
        for review in reviews.between(db, wearer_id, start_ns=start_ns, end_ns=end_ns)
    ]
    return sorted(found, key=lambda item: item.key)
