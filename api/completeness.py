"""Whether all that arrived of a night or day is in its figures, and what is still to come. Pure.

Rules
-----
- A period that has not ended is not complete: it goes on.
- Nor is one while a device that was assigned in it has blocks that came late and are not in the results, or blocks
  whose time is not known: which periods they will change cannot be told before they have been looked at.
- Nor is one while blocks of such a device cannot be looked at, as a part of its archive cannot be read.
- Nor is one that a device has not come to the end of: its newest sample is older, and it may still send the rest.
- Complete does not mean covered: what never arrives is in the coverage.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from api.periods import Period
from api.registry import Assignment
from api.remedies import WAITS_FOR_ARCHIVE
from api.wording import count
from ingest.store import DeviceStatus

LAST_NS: Final = 60_000_000_000  # of a period, in which the last block may be cut short: the longest there is


def waiting(
    period: Period, *, assignments: Sequence[Assignment], statuses: Mapping[str, DeviceStatus]
) -> tuple[int, int]:
    """Blocks of the devices of a period that came late, and those whose time is not known: any may be of it."""
    window = period.window
    devices = {item.device for item in assignments if item.clip(window.start_ns, window.end_ns)}
    known = [statuses[device] for device in devices if device in statuses]
    return sum(status.late_blocks for status in known), sum(status.undated_blocks for status in known)


def pending(
    period: Period, *, assignments: Sequence[Assignment], statuses: Mapping[str, DeviceStatus], now_ns: int
) -> str | None:
    """What is still to come of a period, in a sentence; None if it is complete."""
    window = period.window
    if now_ns < window.end_ns:
        return f"This {period.kind} is not over."
    clips = [(item, clip) for item in assignments if (clip := item.clip(window.start_ns, window.end_ns))]
    known = [statuses[device] for device in sorted({item.device for item, _ in clips}) if device in statuses]
    late, undated = waiting(period, assignments=assignments, statuses=statuses)
    if any(status.archive_unreadable for status in known):
        return WAITS_FOR_ARCHIVE
    if late:
        return f"{count(late, 'block')} came late: the results are still being completed."
    if undated:
        return f"Kept until the clock of the device is known: {count(undated, 'block')}."
    newest = {status.device: status.last_sample_ns for status in known}
    behind = {item.side for item, (_, end_ns) in clips if newest.get(item.device, 0) < end_ns - LAST_NS}
    if behind:
        where = "devices on both legs" if len(behind) > 1 else f"device on the {behind.pop()} leg"
        return f"The rest has yet to come from the {where}."
    return None
