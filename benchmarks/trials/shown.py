"""What a device saw of a cohort, as trials take it: one `Observed` for each night, one `Seen` for each phase."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from api.observed import Cramp, Observed, ObservedKind
from api.trials.values import Phase, Seen
from benchmarks.trials.cohort import Cohort

ENOUGH_S: Final = 4 * 3600.0  # or half of a window that is shorter than twice that
LOAD: Final = 0.1  # reference seconds above rest, of each second of a simulated cramp


def seen_of(cohort: Cohort, *, kinds: Sequence[ObservedKind] = ("night",)) -> list[Seen]:
    """Every phase of the schedule, with the windows that lie in it."""
    by_phase: list[list[Observed]] = [[] for _ in cohort.schedule]
    phase = cohort.windows.phase.tolist()
    if cohort.rhythm.kind in kinds:
        for number, item in zip(phase, _windows_of(cohort), strict=True):
            by_phase[number].append(item)
    if cohort.rhythm.rest in kinds:
        for number, item in zip(phase, _rests_of(cohort), strict=True):
            by_phase[number].append(item)
    return [Seen(phase, tuple(among)) for phase, among in zip(cohort.schedule, by_phase, strict=True)]


def only(among: Sequence[Seen], phases: Sequence[Phase]) -> list[Seen]:
    """Those of some phases."""
    wanted = set(phases)
    return [item for item in among if item.phase in wanted]


def _windows_of(cohort: Cohort) -> list[Observed]:
    windows, kind = cohort.windows, cohort.rhythm.kind
    cramps = _cramps(cohort, inside=True)
    usable_s = (windows.high_s - windows.low_s).tolist()
    rows = zip(
        windows.wearer.tolist(), windows.day.tolist(), windows.start_ns.tolist(), windows.end_ns.tolist(), usable_s,
        strict=True,
    )  # fmt: skip
    dates = _dates(cohort)
    found = []
    for at, (wearer, day, start_ns, end_ns, usable) in enumerate(rows):
        expected_s = (end_ns - start_ns) / 1e9
        enough = usable >= min(ENOUGH_S, expected_s / 2)
        found.append(
            Observed(
                cohort.wearers[wearer], kind, dates[day], 1, start_ns, end_ns, expected_s, usable, enough,
                tuple(cramps.get(at, ())), dates[day].weekday(),
            )
        )  # fmt: skip
    return found


def _rests_of(cohort: Cohort) -> list[Observed]:
    """What lies between the windows; the device sees all of it."""
    windows, kind = cohort.windows, cohort.rhythm.rest
    cramps = _cramps(cohort, inside=False)
    dates = _dates(cohort)
    rows = zip(
        windows.wearer.tolist(), windows.day.tolist(), windows.end_ns.tolist(), windows.next_ns.tolist(), strict=True
    )
    return [
        Observed(
            cohort.wearers[wearer], kind, dates[day], 1, start_ns, end_ns, (end_ns - start_ns) / 1e9,
            (end_ns - start_ns) / 1e9, True, tuple(cramps.get(at, ())), dates[day].weekday(),
        )
        for at, (wearer, day, start_ns, end_ns) in enumerate(rows)
    ]  # fmt: skip


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
