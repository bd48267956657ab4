"""Reads what is kept of a wearer: the store knows devices, the registry says whose they were."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from api.columns import Columns
from api.coverage import EPOCH_NS
from api.coverage import Interval as Edges
from api.damage import Damage
from api.hours import MEMORY_BYTES, Hours
from api.memo import Memo
from api.nights import Rest
from api.periods import Period
from api.recent import Signal
from api.registry import Assignment, Registry, Wearer, assignments, wearers
from api.summaries import Owned, Summary, owned_by, summarise
from api.times import Interval
from detector.refit import Refit
from ingest.store import Epoch, Store

Changes = Mapping[str, Mapping[int, int]]  # when the hours of each device were last written


def _hours() -> Memo[Columns]:
    return Memo(MEMORY_BYTES, weigh=lambda columns: columns.nbytes)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is read from, and the clock; and what is remembered of what was read."""

    registry: Registry
    store: Store
    now_ns: Callable[[], int]
    rests: Memo[Rest] = field(default_factory=Memo)
    kept: Memo[Columns] = field(default_factory=_hours)
    signals: Memo[Signal | None] = field(default_factory=lambda: Memo(20_000))  # of devices; small
    tallies: Memo[dict[str, int]] = field(default_factory=Memo)
    refits: Memo[Refit] = field(default_factory=Memo)
    damage: Damage = field(default_factory=Damage)

    @property
    def hours(self) -> Hours:
        """Epochs by the hour."""
        return Hours(self.store, self.kept)


@dataclass(frozen=True, slots=True)
class Worn:
    """A wearer with every assignment there ever was."""

    wearer: Wearer
    assignments: tuple[Assignment, ...]


def worn_by(sources: Sources, wearer_id: str) -> Worn:
    """The wearer of this id and their assignments, or `Unknown`."""
    with sources.registry.read() as db:
        return Worn(wearers.find(db, wearer_id), tuple(assignments.of_wearer(db, wearer_id)))


def changes_of(sources: Sources, worn: Worn, spans: Iterable[Edges]) -> Changes:
    """When the hours of the wearer's devices in some spans were last written."""
    wanted: dict[str, list[Edges]] = {}
    for start_ns, end_ns in spans:
        for device, clips in clips_of(worn, Interval(start_ns, end_ns)).items():
            wanted.setdefault(device, []).extend(clips)
    return {device: sources.hours.changes(device, clips) for device, clips in wanted.items()}


def summaries_of(
    sources: Sources,
    worn: Worn,
    among: Sequence[Period],
    *,
    off: Mapping[str, Sequence[Edges]],
    changes: Changes,
    now_ns: int,
) -> tuple[list[Summary], list[Owned]]:
    """A summary of each period, read period by period so that a year fits into memory; and the episodes.

    Devices lay about while `off`; `changes` knows the hours of the periods.
    """
    if not among:
        return [], []
    reach = Interval(among[0].window.start_ns, among[-1].window.end_ns)
    episodes = episodes_of(sources, worn, reach, withdrawn=True)
    found = []
    for period in among:
        window = Interval(period.window.start_ns, min(period.window.end_ns, now_ns))
        epochs = {
            device: sources.hours.between(device, clips, changes=changes[device], now_ns=now_ns)
            for device, clips in clips_of(worn, window).items()
        }
        found.append(
            summarise(
                period, assignments=worn.assignments, epochs=epochs, episodes=episodes, now_ns=now_ns, off=off
            )
        )  # fmt: skip
    return found, episodes


def episodes_of(
    sources: Sources, worn: Worn, within: Interval, *, updated_after_ns: int | None = None, withdrawn: bool = False
) -> list[Owned]:
    """Episodes of the wearer's devices whose onset lies in the interval and in an assignment, rejected ones too."""
    devices = sorted(clips_of(worn, within))
    if not devices:
        return []
    found = sources.store.episodes(
        devices,
        start_ns=within.start_ns,
        end_ns=within.end_ns,
        updated_after_ns=updated_after_ns,
        withdrawn=withdrawn,
    )
    return owned_by(worn.assignments, found)


def epochs_of(sources: Sources, worn: Worn, within: Interval) -> dict[str, list[Epoch]]:
    """Epochs by device that touch the interval while the device was assigned to the wearer."""
    return {device: _epochs_in(sources, device, clips) for device, clips in clips_of(worn, within).items()}


def _epochs_in(sources: Sources, device: str, clips: Sequence[Edges]) -> list[Epoch]:
    """Epochs of a device that touch intervals, which are in order and do not overlap."""
    found: list[Epoch] = []
    read_ns = 0
    for start_ns, end_ns in clips:
        # The epoch that an assignment begins in, unless it was read with the assignment before.
        first_ns = max(start_ns - start_ns % EPOCH_NS, read_ns)
        found.extend(sources.store.epochs(device, start_ns=first_ns, end_ns=end_ns))
        read_ns = end_ns
    return found


def clips_of(worn: Worn, within: Interval) -> dict[str, list[Edges]]:
    """By device, the parts of an interval in which it was assigned to the wearer."""
    clips: dict[str, list[Edges]] = {}
    for assignment in worn.assignments:
        clip = assignment.clip(within.start_ns, within.end_ns)
        if clip is not None:
            clips.setdefault(assignment.device, []).append(clip)
    return clips
