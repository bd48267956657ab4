"""Nights as the leg's movements show them. Pure: clock periods and what each device showed in, periods out.

Rules
-----
- The sleep of a night is looked for from the middle of the day before to the middle of the day after. These searches
  tile time, so nights never overlap, and who sets `night_start` to sleep by day is looked for by day.
- A night keeps the name of its clock window, whatever hour the wearer fell asleep: names are unique, and stay.
- Each device is judged by itself. Where several show sleep, the wearer slept while all of them did; if that is less
  than half of the longest, they contradict each other and the clock stands.
- A window that ends with its data, without the leg seen awake right after, does not tell when the wearer got up.
- Sleep mostly outside the clock night counts only if the device was worn in most of that: else it may be a nap.
- Until the clock night is over, and an hour after the wearer got up, the clock stands: they may go on sleeping.
- A day is what lies between its nights; both edges of its window follow them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from api.coverage import Interval
from api.periods import Period, Window
from detector.sleep import SleepWindow

AGREE: Final = 0.5
WITHIN: Final = 0.5  # of the sleep, that is in the clock night
WATCHED: Final = 0.75  # of the clock night, that was worn
SETTLED_NS: Final = 3_600_000_000_000  # shorter pauses of sleep are bridged


@dataclass(frozen=True, slots=True)
class Rest:
    """What one device showed about one night: sleep, how much of the clock night it was worn, where it lay about."""

    sleep: SleepWindow | None
    watched: float
    off: tuple[Interval, ...] = ()


def search_of(among: Sequence[Period], index: int) -> Interval | None:
    """Where to look for the sleep of a night; None where the list does not show a day on both sides of it."""
    if among[index].kind != "night" or not 0 < index < len(among) - 1:
        return None
    before, after = among[index - 1], among[index + 1]
    if before.kind == "night" or after.kind == "night":
        return None
    return _middle_ns(before), _middle_ns(after)


def nights_about(among: Sequence[Period], instants_ns: Iterable[int]) -> set[int]:
    """Places of the nights whose search holds one of the instants: they decide what the instant falls in."""
    searches = [(index, search) for index in range(len(among)) if (search := search_of(among, index))]
    wanted, at = set(), 0
    for instant_ns in sorted(instants_ns):
        while at < len(searches) and searches[at][1][1] <= instant_ns:
            at += 1
        if at < len(searches) and searches[at][1][0] <= instant_ns:
            wanted.add(searches[at][0])
    return wanted


def night_seen(clock: Window, rests: Sequence[Rest], *, now_ns: int) -> Window | None:
    """The window that the devices of a wearer agree on, or None where the clock stands."""
    sleeps = [rest.sleep for rest in rests if rest.sleep is not None and _believed(rest.sleep, rest.watched, clock)]
    if not sleeps:
        return None
    onset_ns, end_ns = max(sleep.onset_ns for sleep in sleeps), min(sleep.end_ns for sleep in sleeps)
    longest_ns = max(sleep.end_ns - sleep.onset_ns for sleep in sleeps)
    if end_ns - onset_ns < AGREE * longest_ns or now_ns < max(clock.end_ns, end_ns + SETTLED_NS):
        return None
    asleep_s = min([(end_ns - onset_ns) / 1e9, *(sleep.asleep_s for sleep in sleeps)])
    return Window(onset_ns, end_ns, "accelerometer", asleep_s)


def with_nights(among: Sequence[Period], seen: Mapping[int, Window]) -> list[Period]:
    """The same periods with the edges of some nights moved, and the days between following them."""
    moved = []
    for index, period in enumerate(among):
        window = seen.get(index)
        if window is None and period.kind == "day":
            before, after = seen.get(index - 1), seen.get(index + 1)
            if before or after:
                start_ns = before.end_ns if before else period.window.start_ns
                end_ns = after.start_ns if after else period.window.end_ns
                window = Window(start_ns, end_ns, "accelerometer")
        moved.append(period if window is None else replace(period, window=window))
    return moved


def _believed(sleep: SleepWindow, watched: float, clock: Window) -> bool:
    inside_ns = min(sleep.end_ns, clock.end_ns) - max(sleep.onset_ns, clock.start_ns)
    usual = inside_ns >= WITHIN * (sleep.end_ns - sleep.onset_ns)
    return sleep.awake_after and (usual or watched >= WATCHED)


def _middle_ns(period: Period) -> int:
    return (period.window.start_ns + period.window.end_ns) // 2
