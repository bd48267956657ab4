"""Nights and days as analyses take them, without store and registry."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from api.observed import Cramp, Observed, ObservedKind
from api.zones import ZoneChange, ZoneHistory

FIRST = date(2026, 1, 5)  # a Monday
BERLIN = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))
HOUR_NS = 3600 * 10**9


def seen(
    at: date,
    cramps_h: Sequence[float] = (),
    *,
    kind: ObservedKind = "night",
    usable_h: float = 8.0,
    hours: float = 8.0,
    enough: bool = True,
    confirmed: Sequence[bool | None] = (),
    spans_h: Sequence[tuple[float, float]] | None = None,
) -> Observed:
    """A period that begins at 21:00 UTC (a day: at 09:00); cramps, and usable spans (else all), by hours since then."""
    start = datetime(at.year, at.month, at.day, 21 if kind == "night" else 9, tzinfo=UTC)
    start_ns = round(start.timestamp()) * 10**9
    said = [*confirmed, *[None] * len(cramps_h)]
    return Observed(
        wearer="w", kind=kind, date=at, part=1, start_ns=start_ns, end_ns=start_ns + round(hours * HOUR_NS),
        expected_s=hours * 3600, usable_s=usable_h * 3600, enough=enough, weekday=at.weekday(),
        cramps=tuple(
            Cramp(start_ns + round(at_h * HOUR_NS), 60.0, 5.0, episode=f"{at}-{i}", confirmed=said[i])
            for i, at_h in enumerate(cramps_h)
        ),
        usable_spans=tuple(
            (start_ns + round(low * HOUR_NS), start_ns + round(high * HOUR_NS))
            for low, high in ([(0.0, hours)] if spans_h is None else spans_h)
        ),
    )  # fmt: skip


def nights(
    counts: Sequence[int], *, first: date = FIRST, kind: ObservedKind = "night", usable_h: float = 8.0
) -> list[Observed]:
    """Nights one after another with so many cramps, spread evenly over each."""
    return [
        seen(first + timedelta(days=i), [(j + 0.5) * 8.0 / n for j in range(n)], kind=kind, usable_h=usable_h)
        for i, n in enumerate(counts)
    ]


def frail(
    rng: np.random.Generator, *, weeks: int, per_week: float, k: float | None = 3.0, ratios: Sequence[float] = ()
) -> list[int]:
    """Counts by night of a wearer whose weeks differ by a gamma frailty of size k; `ratios` by week."""
    levels = np.asarray(ratios if len(ratios) else np.ones(weeks)) * per_week / 7.0
    frailty = rng.gamma(k, 1.0 / k, weeks) if k is not None else np.ones(weeks)
    return [int(n) for n in rng.poisson(np.repeat(levels * frailty, 7))]


def last_of(among: Sequence[Observed]) -> date:
    """The date that a range of these ends with."""
    return max(item.date for item in among)
