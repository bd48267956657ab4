"""Takes devices whose results are not what their blocks say through re-detection, and says what is to be kept.

Rules
-----
- A device is looked at once its late blocks have settled, or when the first of them has waited long enough.
- While a session is being detected anew the device's live blocks go on as before; in the end they are given to the
  new track as well, which then takes the place of the old one.
- Episodes that are found again as they were told are left alone; changed ones get the next revision, and ones that are
  found no more are withdrawn. Epochs that no block supports any more are overwritten by void ones.
- A device of which the archive cannot be read is put off, for twice as long each time, and others take their turns.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import msgspec

from detector import Params
from ingest.archive import Archive
from ingest.devices import UNDATED, Device, Identity, Waiting, bounded, came_beside, detected_again, went_on
from ingest.errors import ArchiveError
from ingest.events import to_message
from ingest.frontier import frontier_of
from ingest.journal import Entry, Journal
from ingest.ledger import key_of, news, withdrawals
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.outcome import failures
from ingest.pipeline import SECOND_NS, SESSION_GAP_NS, Detected, ended
from ingest.raw import Move
from ingest.redetect import Redetection, Redone, sites_of
from ingest.replan import Place, Plan, Span, identity, plan
from ingest.store import Episode, Epoch
from ingest.wire import Block

EPOCH_NS: Final = 10 * SECOND_NS
NAN: Final = math.nan
PUT_OFF_NS: Final = (5 * SECOND_NS, 600 * SECOND_NS)  # the first time, and at most


class Revised(msgspec.Struct, frozen=True):
    """What one turn of revision leaves: to be committed, and then the device as it is."""

    device: str
    entry: Entry
    now: Device


@dataclass(slots=True)
class _Hand:
    """The device that is being worked on."""

    begun: Device  # as it was when its plan was made
    work: Redetection
    done: Redone | None = None
    came: list[Block] = field(default_factory=list)  # live blocks since then
    fed: int = 0  # how many of these the session was given in which the device goes on


class Reviser:
    """One device's revision at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        archive: Archive,
        params: Params,
        settle_s: float,
        patience_s: float,
        at_once: int,
        metrics: Metrics,
        log: Log,
        wall_ns: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._archive = archive
        self._params = params
        self._settle_ns = int(settle_s * 1e9)
        self._patience_ns = int(patience_s * 1e9)
        self._at_once = at_once
        self._metrics = metrics
        self._log = log
        self._wall_ns = wall_ns
        self._dirty: dict[str, None] = {}
        self._put_off: dict[str, tuple[int, int]] = {}  # by device: for how long, since when
        self._hand: _Hand | None = None

    @property
    def waiting(self) -> int:
        """How many devices wait, or are being worked on."""
        return len(self._dirty)

    @property
    def busy(self) -> bool:
        """Whether a device is being worked on."""
        return self._hand is not None

    def note(self, devices: Mapping[str, Device]) -> None:
        """These devices have changed."""
        self._dirty.update({name: None for name, device in devices.items() if device.dirty is not None})

    def saw(self, runs: Mapping[str, Sequence[Block]]) -> None:
        """These live blocks were detected in and committed."""
        if self._hand is not None:
            self._hand.came += runs.get(self._hand.work.plan.device, ())

    def drop(self, devices: Mapping[str, Device]) -> None:
        """Forget the work in hand, after an error; it begins anew at its next turn."""
        self._hand = None
        self.note(devices)

    def step(self, devices: Mapping[str, Device], *, hurry: bool = False) -> Revised | None:
        """One turn; what is to be committed, if a session is done or nothing was to be done.

        `hurry` waits for nothing, neither for more blocks nor for an archive that cannot be read: ArchiveError.
        """
        name = self._hand.work.plan.device if self._hand else self._due(devices, hurry=hurry)
        if name is None:
            return None
        try:
            return self._turn(name, devices[name])
        except ArchiveError as error:
            self.drop(devices)
            if hurry:
                raise
            return self._unreadable(name, devices[name], error)

    def _turn(self, name: str, device: Device) -> Revised | None:
        if self._hand is None:
            found = plan(name, device, journal=self._journal, archive=self._archive)
            if not found.sessions:
                del self._dirty[name]
                return self._settled(found, device, Entry(), begun=device)
            work = Redetection(found, journal=self._journal, archive=self._archive, params=self._params)
            self._hand = _Hand(device, work)
        hand = self._hand
        hand.done = hand.done or hand.work.step(self._at_once)
        if hand.done is None:
            return None
        if hand.done.session.live and hand.fed < len(hand.came):
            some = hand.came[hand.fed : hand.fed + self._at_once]
            hand.work.feed(hand.done, some)
            hand.fed += len(some)
            if hand.fed < len(hand.came):
                return None
        redone, hand.done = hand.done, None
        return self._finish(hand, redone, device)

    def _due(self, devices: Mapping[str, Device], *, hurry: bool) -> str | None:
        now_ns = self._wall_ns()
        for name in list(self._dirty):
            dirty = devices[name].dirty
            if dirty is None:
                del self._dirty[name]
                continue
            settled = _over(dirty.last_ns, self._settle_ns, now_ns) or _over(dirty.first_ns, self._patience_ns, now_ns)
            for_ns, since_ns = self._put_off.get(name, (0, 0))
            put_off = not _over(since_ns, for_ns, now_ns)
            if hurry or (settled and not put_off):
                return name
        return None

    def _unreadable(self, name: str, device: Device, error: ArchiveError) -> Revised | None:
        """Put it off; what is to be committed the first time: that it waits for somebody."""
        first_ns, most_ns = PUT_OFF_NS
        for_ns = min(most_ns, max(first_ns, 2 * self._put_off.get(name, (0, 0))[0]))
        self._put_off[name] = for_ns, self._wall_ns()
        self._metrics.archive_errors.inc()
        self._log.error("archive_unreadable", device=name, reason=str(error), again_in_s=for_ns / 1e9)
        if device.unreadable:
            return None
        device = msgspec.structs.replace(device, unreadable=True)
        return Revised(name, Entry(devices={name: device}), device)

    def _finish(self, hand: _Hand, redone: Redone, device: Device) -> Revised:
        work, left = hand.work, _left(device, redone, hand.work.plan, params=self._params)
        if redone.session.live:  # even if it was closed: a device that comes back goes on from here
            device = self._goes_on(hand, redone, device)
        else:
            device = came_beside(device, hand.came, session=redone.session.span, now_ns=self._wall_ns())
        device = detected_again(device, *redone.session.span, live=redone.session.live)
        if not redone.session.live or device.closed:
            work.end(redone)
        entry = entry_of(redone, work, self._journal, now_ns=self._wall_ns())
        self._end(left, entry)
        if work.over:
            self._hand = None
            del self._dirty[redone.device]
            return self._settled(work.plan, device, entry, begun=hand.begun, there=work.found)
        entry.devices = {redone.device: device}
        return Revised(redone.device, entry, device)

    def _goes_on(self, hand: _Hand, redone: Redone, device: Device) -> Device:
        """With the new track in place of the old one; live blocks since were detected in at its end."""
        placed, reach_ns = redone.session.placed, redone.session.span[1]
        last = next((i for i, item in enumerate(placed) if identity(item.mark) == hand.work.plan.last), None)
        frontier = frontier_of(placed, last)
        if last is not None:
            frontier = msgspec.structs.replace(frontier, boot=hand.begun.order.current)
        device = msgspec.structs.replace(device, track=redone.track, frontier=frontier)
        return went_on(device, hand.came[: hand.fed], session_ns=reach_ns, reach_ns=reach_ns, now_ns=self._wall_ns())

    def _end(self, left: Detected, entry: Entry) -> None:
        """A session in which the device does not go on after all: what is open in it ends."""
        told = news(self._journal.ledger.of([key_of(episode) for episode in left.episodes]), left.episodes)
        entry.told = [*entry.told, *told]
        entry.records = [*left.epochs, *entry.records, *told]
        entry.events = [*entry.events, *(to_message(episode, received_ns=None) for episode in told)]

    def _settled(
        self, plan_: Plan, device: Device, entry: Entry, *, begun: Device, there: Set[tuple[int, str]] = frozenset()
    ) -> Revised:
        """The whole plan is done: what was dirty is clean, but for what has come in since."""
        dirty, was = device.dirty, begun.dirty
        if dirty == was:
            dirty = None
        elif dirty is not None and was is not None:
            forced = tuple(place for place in dirty.forced if place not in was.forced)
            dirty = msgspec.structs.replace(dirty, late=max(0, dirty.late - was.late), forced=forced)
            self._dirty[plan_.device] = None
        self._put_off.pop(plan_.device, None)
        undated = _undated(plan_, begun, device)
        known = [boot for boot in device.dated_before if boot not in plan_.dated_before]
        before = tuple([*known, *(boot for boot, so in plan_.dated_before.items() if so)][-UNDATED:])
        device = msgspec.structs.replace(device, dirty=dirty, undated=undated, unreadable=False, dated_before=before)
        entry.devices = {plan_.device: device}
        if plan_.removed:
            self._remove(plan_, entry, there)
        return Revised(plan_.device, entry, device)

    def _remove(self, plan_: Plan, entry: Entry, there: Set[tuple[int, str]]) -> None:
        """Blocks in the results that turn out to have no known time: what rests on them alone goes."""
        sites = {place[0]: sites_of(self._journal, self._archive, plan_, place) for place in plan_.removed}
        told = _told(self._journal, plan_.device, plan_.removed, None, plan_.spans)
        gone = withdrawals(told, ())
        entry.moved = [*entry.moved, *(Move(plan_.device, *place[0], None) for place in plan_.removed)]
        entry.told = [*entry.told, *gone]
        entry.records = [*entry.records, *_voids(plan_, plan_.removed, sites, there), *gone]
        entry.events = [*entry.events, *(to_message(episode, received_ns=None) for episode in gone)]


def _over(since_ns: int, for_ns: int, now_ns: int) -> bool:
    """Whether so long has passed; also where the clock was set back: nobody is to wait until it is there again."""
    return not 0 <= now_ns - since_ns < for_ns


def _undated(plan_: Plan, begun: Device, now: Device) -> tuple[Waiting, ...]:
    """Of which boots how many blocks have no time: by the plan, and those that came since it was made."""
    counts = Counter(plan_.undated)
    counts.update({boot: count for boot, count, _ in now.undated})
    counts.subtract({boot: count for boot, count, _ in begun.undated})
    latest = {boot: ns for boot, _, ns in now.undated}
    return bounded(tuple((boot, count, latest.get(boot, 0)) for boot, count in counts.items() if count > 0))


def _left(device: Device, redone: Redone, plan_: Plan, *, params: Params) -> Detected:
    """What the device's track still holds of another session than the one in which it goes on from now on.

    Nothing where that session is detected anew by the same plan, or where the track ends with a block that has moved.
    """
    track = device.track
    if not redone.session.live or track is None:
        return Detected()
    first_ns, last_ns = _reach(redone)
    moved = [*plan_.removed, *(place for session in plan_.sessions for place in session.old)]
    again = [(first_ns, last_ns + SESSION_GAP_NS), *(session.span for session in plan_.sessions)]
    if any(start_ns <= track.end_ns <= end_ns for start_ns, end_ns in again) or any(
        start_ns < track.end_ns <= end_ns for _, start_ns, end_ns in moved
    ):
        return Detected()
    return ended(redone.device, track, params=params)


def entry_of(redone: Redone, work: Redetection, journal: Journal, *, now_ns: int) -> Entry:
    """What is to be kept of a session that was detected anew."""
    name, session = redone.device, redone.session
    final = {key_of(episode): episode for episode in redone.found.episodes}  # the last of each
    found = sorted(final.values(), key=lambda episode: (episode.onset_ns, episode.site))
    others = [span for span in work.plan.spans if span != session.span]
    told = _told(journal, name, session.old, _reach(redone), others)
    fresh = [*news({key_of(e): e for e in told}, found), *withdrawals(told, found)]
    work.found.update((epoch.start_ns, epoch.site) for epoch in redone.found.epochs)
    voids = _voids(work.plan, _emptied(redone), redone.sites, work.found)
    failed = {number for failure in redone.found.failures for number in failure.keys}
    return Entry(
        released=[(name, key) for item in session.placed if (key := work.plan.keys.get(identity(item.mark)))],
        failed=[(name, key) for place, key in work.plan.keys.items() if place[:2] in failed],
        moved=[
            Move(name, *identity(item.mark), item.start_ns)
            for item in session.placed
            if identity(item.mark) in session.changed
        ],
        quarantined=failures(redone.found, now_ns),
        told=fresh,
        records=[*_from(redone.found.epochs, session.from_ns), *voids, *fresh],
        events=[to_message(episode, received_ns=None) for episode in fresh],
        now_ns=now_ns,
    )


def _reach(redone: Redone) -> Span:
    """What was detected anew: the session, and the live blocks since that were detected in at its end."""
    first_ns, last_ns = redone.session.span
    live_ns = redone.track.end_ns if redone.session.live and redone.track is not None else last_ns
    return first_ns, max(last_ns, live_ns)


def _told(
    journal: Journal, name: str, old: Iterable[Place], span: Span | None, others: Sequence[Span]
) -> list[Episode]:
    """Episodes told of this session, and of where its blocks were; not those of other sessions."""
    spans = {(start_ns, end_ns) for _, start_ns, end_ns in old} | ({span} if span else set())
    found = {}
    for start_ns, end_ns in _merged(spans):
        for episode in journal.ledger.between(name, start_ns - SECOND_NS, end_ns + SECOND_NS):
            elsewhere = any(first <= episode.onset_ns <= last for first, last in others)
            if not elsewhere or (span and span[0] <= episode.onset_ns <= span[1]):
                found[key_of(episode)] = episode
    return list(found.values())


def _merged(spans: Iterable[Span]) -> list[Span]:
    out: list[Span] = []
    for start_ns, end_ns in sorted(spans):
        if out and start_ns <= out[-1][1] + EPOCH_NS:
            out[-1] = (out[-1][0], max(end_ns, out[-1][1]))
        else:
            out.append((start_ns, end_ns))
    return out


def _from(epochs: Iterable[Epoch], from_ns: int) -> list[Epoch]:
    """Epochs that may differ from what was kept, the last of each."""
    return list({(e.start_ns, e.site): e for e in epochs if e.start_ns + EPOCH_NS > from_ns}.values())


def _emptied(redone: Redone) -> list[Place]:
    """Where there may be epochs that are found no more: where blocks were, and where they are and time went back.

    The epoch that still runs at the end of the session the device goes on in is not found yet.
    """
    session, from_ns = redone.session, redone.session.from_ns
    until_ns = 2**63 if redone.ended or redone.track is None else redone.track.end_ns - EPOCH_NS - 2 * SECOND_NS
    here = [(identity(item.mark), max(item.start_ns, from_ns), min(item.end_ns, until_ns)) for item in session.placed]
    return [*session.old, *(place for place in here if place[1] < place[2])]


def _voids(
    plan_: Plan,
    old: Iterable[Place],
    sites: Mapping[Identity, tuple[str, ...]],
    there: Set[tuple[int, str]],
) -> list[Epoch]:
    """Void epochs for where blocks were and nothing is any more, or not yet: sessions to come write theirs later."""
    again = {session.span for session in plan_.sessions}
    others = [span for span in plan_.spans if span not in again]
    gone: dict[tuple[int, str], Epoch] = {}
    for place, start_ns, end_ns in old:
        for at_ns in range(start_ns // EPOCH_NS * EPOCH_NS, end_ns, EPOCH_NS):
            missing = [site for site in sites.get(place, ()) if (at_ns, site) not in there]
            if missing and not any(first < at_ns + EPOCH_NS and at_ns < last for first, last in others):
                gone.update({(at_ns, site): void(plan_.device, site, at_ns) for site in missing})
    return list(gone.values())


def void(device: str, site: str, start_ns: int) -> Epoch:
    """An epoch that withdraws what was kept under its key."""
    return Epoch(
        device=device, site=site, start_ns=start_ns, received_s=0.0, worn_s=0.0, usable_s=0.0, rms_uv=NAN,
        rest_uv=NAN, median_hz=NAN, movement_g=NAN, angle_deg=NAN, flags=(),
    )  # fmt: skip
