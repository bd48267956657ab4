"""What a device saw of a cohort, as trials take it: one `Observed` for each night, one `Seen` for each phase."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise, repeat
from typing import Final

import numpy as np

from api.observed import Cramp, Observed, ObservedKind
from api.trials.values import Seen
from benchmarks.trials.cohort import Cohort, Floats, Ints

ENOUGH_S: Final = 4 * 3600.0  # or half of a window that is shorter than twice that
LOAD: Final = 0.1  # reference seconds above rest, of each second of a simulated cramp


def seen_of(cohort: Cohort, *, kinds: Sequence[ObservedKind] = ("night",)) -> list[Seen]:
    """Every phase of the schedule, with the windows that lie in it."""
    among: list[list[Observed]] = [[] for _ in cohort.schedule]
    for kind, of_kind in ((cohort.rhythm.kind, _windows_of), (cohort.rhythm.rest, _rests_of)):
        if kind in kinds:
            found = of_kind(cohort)
            # Windows are in the order of the schedule.
            edges = np.searchsorted(cohort.windows.phase, np.arange(len(cohort.schedule) + 1)).tolist()
            for number, (low, high) in enumerate(pairwise(edges)):
                among[number] += found[low:high]
    return [Seen(phase, tuple(observed)) for phase, observed in zip(cohort.schedule, among, strict=True)]


def _windows_of(cohort: Cohort) -> list[Observed]:
    windows = cohort.windows
    return _observed(
        cohort, cohort.rhythm.kind, windows.start_ns, windows.end_ns, windows.high_s - windows.low_s, inside=True
    )


def _rests_of(cohort: Cohort) -> list[Observed]:
    """What lies between the windows; the device sees all of it."""
    windows = cohort.windows
    seconds = (windows.next_ns - windows.end_ns) / 1e9
    return _observed(cohort, cohort.rhythm.rest, windows.end_ns, windows.next_ns, seconds, inside=False)


def _observed(
    cohort: Cohort, kind: ObservedKind, start_ns: Ints, end_ns: Ints, usable_s: Floats, *, inside: bool
) -> list[Observed]:
    windows = cohort.windows
    expected_s = (end_ns - start_ns) / 1e9
    cramps: list[tuple[Cramp, ...]] = [()] * len(start_ns)
    for window, found in _cramps(cohort, inside=inside).items():
        cramps[window] = tuple(found)
    dates = _dates(cohort)
    # Ten thousand windows a trial and thousands of trials: columns, not a loop.
    columns = (
        [cohort.wearers[wearer] for wearer in windows.wearer.tolist()], repeat(kind),
        [dates[day] for day in windows.day.tolist()], repeat(1), start_ns.tolist(), end_ns.tolist(),
        expected_s.tolist(), usable_s.tolist(), (usable_s >= np.minimum(ENOUGH_S, expected_s / 2)).tolist(), cramps,
        ((windows.day + 6) % 7).tolist(),
    )  # fmt: skip
    return list(map(Observed, *columns))


def _dates(cohort: Cohort) -> dict[int, date]:
    return {day: date.fromordinal(day) for day in set(cohort.windows.day.tolist())}


def _cramps(cohort: Cohort, *, inside: bool) -> dict[int, list[Cramp]]:
    """By window, what was seen in it or after it."""
    happened = cohort.happened
    chosen = happened.seen & (happened.inside == inside)
    whose = cohort.windows.wearer[happened.window[chosen]].tolist()
    found: dict[int, list[Cramp]] = {}
    rows = zip(
        happened.window[chosen].tolist(), happened.onset_ns[chosen].tolist(), happened.seconds[chosen].tolist(),
        happened.severity[chosen].tolist(), whose, strict=True,
    )  # fmt: skip
    for window, onset_ns, seconds, severity, wearer in rows:
        cramp = Cramp(
            onset_ns, seconds, severity, seconds * LOAD, grade_of(seconds), f"{cohort.wearers[wearer]}.{onset_ns}"
        )
        found.setdefault(window, []).append(cramp)
    return found


def grade_of(seconds: float) -> int:
    """By duration alone, as the convention has it."""
    return 1 if seconds < 30 else 2 if seconds < 180 else 3
