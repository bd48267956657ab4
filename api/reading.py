"""Reads what is kept of a wearer: the store knows devices, the registry says whose they were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from api import liveness
from api.coverage import EPOCH_NS
from api.liveness import Liveness
from api.periods import Period, PeriodKind, periods
from api.registry import Assignment, Registry, Wearer, assignments, wearers
from api.summaries import Owned, Summary, owned_by, summarise
from api.times import Interval
from api.zones import ZoneHistory
from ingest.store import DeviceStatus, Epoch, Store


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is read from, and the clock."""

    registry: Registry
    store: Store
    now_ns: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Worn:
    """A wearer with every assignment there ever was."""

    wearer: Wearer
    assignments: tuple[Assignment, ...]


def worn_by(sources: Sources, wearer_id: str) -> Worn:
    """The wearer of this id and their assignments, or `Unknown`."""
    with sources.registry.read() as db:
        return Worn(wearers.find(db, wearer_id), tuple(assignments.of_wearer(db, wearer_id)))


def summaries_of(
    sources: Sources, worn: Worn, among: Sequence[Period], *, now_ns: int
) -> tuple[list[Summary], list[Owned]]:
    """A summary of each period, read period by period so that a year fits into memory; and the episodes."""
    if not among:
        return [], []
    reach = Interval(among[0].window.start_ns, among[-1].window.end_ns)
    episodes = episodes_of(sources, worn, reach)
    found = []
    for period in among:
        window = Interval(period.window.start_ns, min(period.window.end_ns, now_ns))
        epochs = epochs_of(sources, worn, window)
        summary = summarise(period, assignments=worn.assignments, epochs=epochs, episodes=episodes, now_ns=now_ns)
        found.append(summary)
    return found, episodes


def periods_of(wearer: Wearer, *, kind: PeriodKind, reach: tuple[date, date]) -> list[Period]:
    """Nights or days named by the local dates of a range, both included."""
    found = periods(zones=wearer.zones, night=wearer.night, first=reach[0], last=reach[1])
    return [period for period in found if period.kind == kind]


def episodes_of(sources: Sources, worn: Worn, within: Interval, *, updated_after_ns: int | None = None) -> list[Owned]:
    """Episodes of any status of the wearer's devices whose onset lies in the interval and in an assignment."""
    devices = sorted(_clips(worn, within))
    if not devices:
        return []
    found = sources.store.episodes(
        devices, start_ns=within.start_ns, end_ns=within.end_ns, updated_after_ns=updated_after_ns
    )
    return owned_by(worn.assignments, found)


def epochs_of(sources: Sources, worn: Worn, within: Interval) -> dict[str, list[Epoch]]:
    """Epochs by device that touch the interval while the device was assigned to the wearer."""
    found: dict[str, list[Epoch]] = {}
    for device, clips in _clips(worn, within).items():
        read_ns = 0
        for start_ns, end_ns in clips:
            # The epoch that an assignment begins in, unless it was read with the assignment before.
            first_ns = max(start_ns - start_ns % EPOCH_NS, read_ns)
            found.setdefault(device, []).extend(sources.store.epochs(device, start_ns=first_ns, end_ns=end_ns))
            read_ns = end_ns
    return found


def liveness_of(sources: Sources, status: DeviceStatus | None, *, zones: ZoneHistory | None, now_ns: int) -> Liveness:
    """Whether a device is working, from its status and, if it was heard lately, its last minute."""
    recent: list[Epoch] = []
    if status is not None and status.last_sample_ns:
        start_ns, end_ns = liveness.recent_range(status)
        recent = sources.store.epochs(status.device, start_ns=start_ns, end_ns=end_ns)
    return liveness.liveness(status, recent, zones=zones, now_ns=now_ns)


def _clips(worn: Worn, within: Interval) -> dict[str, list[tuple[int, int]]]:
    clips: dict[str, list[tuple[int, int]]] = {}
    for assignment in worn.assignments:
        clip = assignment.clip(within.start_ns, within.end_ns)
        if clip is not None:
            clips.setdefault(assignment.device, []).append(clip)
    return clips
