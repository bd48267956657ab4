"""The loop, one turn at a time: take, decode, order, detect, commit, acknowledge, deliver, revise.

Rules
-----
- Nothing is acknowledged before `Journal.commit` has returned; nothing in memory changes before that either. So a
  kill at any point leaves either the state before a batch, which the broker then sends again, or the state after.
- While the disk has no room the batch in hand is kept and tried again; nothing more is taken, and nothing is lost.
- What is delivered is read from the journal, so an outage of the store neither stops nor fills this process.
"""

import time
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from detector import DEFAULT, Params
from ingest.acks import Acks
from ingest.archive import Archive
from ingest.clock import impossible
from ingest.deliver import EventDelivery
from ingest.devices import Device, irregular, went_on
from ingest.errors import JournalFull, WireError
from ingest.events import to_message
from ingest.fair import Greed, Patience
from ingest.intake import Intake, sort_in
from ingest.journal import Entry, Journal
from ingest.ledger import key_of, news
from ingest.log import Log, quiet
from ingest.metrics import Metrics
from ingest.order import ERA, HORIZON, Horizon, Key
from ingest.outcome import entry_of, report
from ingest.pipeline import Detected, Failure, detect, ended
from ingest.revise import Reviser
from ingest.room import Room
from ingest.source import Delivery, Source
from ingest.statuses import Statuses
from ingest.store import Episode, Record
from ingest.twins import Twins
from ingest.wire import Block

TIDY_S: Final = 10.0
SILENT_S: Final = 3600.0  # after which a session counts as over, as it would by device time
GONE_S: Final = 300.0  # the same for a device that has said goodbye
CLOSED_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the loop runs. `ack_s` and `status_s` are the shortest intervals per device."""

    batch: int = 1000
    wait_s: float = 0.2
    ack_s: float = 2.0
    status_s: float = 5.0
    archive_after_s: float = 3600.0
    settle_s: float = 10.0  # after the last late block, before its session is detected again
    patience_s: float = 300.0  # after the first one
    at_once: int = 500  # blocks that are detected again in a turn
    silent_s: float = SILENT_S
    gone_s: float = GONE_S
    min_free_bytes: int = 0
    horizon: Horizon = HORIZON
    params: Params = DEFAULT


class Ingester:
    """The loop, one turn at a time, and all that it knows between turns."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        archive: Archive,
        *,
        options: Options | None = None,
        metrics: Metrics | None = None,
        log: Log | None = None,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or Options()
        self.metrics = metrics or Metrics()
        self.devices = journal.devices()
        self.room = Room(journal.path.parent, least_bytes=self.options.min_free_bytes, monotonic=monotonic)
        self._source = source
        self._journal = journal
        self._log = log or quiet()
        self._wall_ns = wall_ns
        self._monotonic = monotonic
        self._acks = Acks(source, every_s=self.options.ack_s)
        self._events = EventDelivery(outbox=journal.outbox, source=source, metrics=self.metrics, monotonic=monotonic)
        self._statuses = Statuses(self.devices, every_s=self.options.status_s)
        self._reviser = Reviser(
            journal=journal,
            archive=archive,
            params=self.options.params,
            settle_s=self.options.settle_s,
            patience_s=self.options.patience_s,
            at_once=self.options.at_once,
            metrics=self.metrics,
            log=self._log,
            wall_ns=wall_ns,
        )
        self._reviser.note(self.devices)
        self._patience, self._greed = Patience(), Greed()
        self._twins = Twins(journal, archive, monotonic=monotonic)
        self._in_hand: list[Delivery] = []
        self.metrics.unacked.set_function(lambda: source.outstanding)
        self._tidy_at = monotonic()

    @property
    def revising(self) -> int:
        """How many devices wait for late blocks to be looked at."""
        return self._reviser.waiting

    def learn(self, devices: Mapping[str, Device]) -> None:
        """Devices that were committed beside the loop, before it runs."""
        self.devices.update(devices)
        self._reviser.note(devices)
        self._statuses.note(list(devices))

    def step(self) -> int:
        """One turn; how many messages it took."""
        taken, before = 0, self.room.reason
        try:
            taken = self._take()
            self._revise(hurry=False)
            self._events.step()
            tidy = self._monotonic() >= self._tidy_at
            if tidy:
                self._tidy()
                self._tidy_at = self._monotonic() + TIDY_S
            if taken or tidy:
                self.room.took()
        except JournalFull as error:
            self.room.refused(str(error))
            self._reviser.drop(self.devices)
        if bool(self.room.reason) != bool(before):
            self._log.error("no_room", reason=self.room.reason) if self.room.reason else self._log.info("room_again")
        self._acks.send(self.devices, now=self._monotonic())
        return taken

    def leave(self) -> None:
        """Before the process ends: say how the devices stand."""
        self._statuses.hurry()
        self._batch([])
        self._events.step()

    def settle(self) -> None:
        """Bring everything that has come in to its end: late blocks too, however lately they came."""
        self._batch([])
        while self._reviser.waiting:
            self._revise(hurry=True)
        self._batch([])
        self._events.step()

    def close_sessions(self) -> None:
        """End the sessions of devices that have been silent for long."""
        now_ns = self._wall_ns()
        over: dict[str, Device] = {}
        found = Detected()
        for name, device in self.devices.items():
            if len(over) < CLOSED_AT_ONCE and device.track is not None and not device.closed:
                silent_s = (now_ns - device.view.last_received_ns) / 1e9
                if silent_s >= (self.options.silent_s if device.view.online else self.options.gone_s):
                    end = ended(name, device.track, params=self.options.params)
                    found.episodes += end.episodes
                    found.epochs += end.epochs
                    over[name] = msgspec.structs.replace(device, closed=True)
        if over:
            told = self._news(found.episodes)
            events = [to_message(episode, received_ns=now_ns) for episode in told]
            records: list[Record] = [*found.epochs, *told]
            self._journal.commit(Entry(told=told, records=records, events=events, devices=over, now_ns=now_ns))
            self.devices.update(over)

    def _take(self) -> int:
        """Take a batch, or try again with the one in hand, unless there is no room."""
        wait_s = 0.0 if self._reviser.busy else self.options.wait_s
        if not self.room.enough():
            time.sleep(wait_s)
            return 0
        self._in_hand = self._in_hand or self._source.take(self.options.batch, wait_s)
        self._batch(self._in_hand)
        taken, self._in_hand = len(self._in_hand), []
        return taken

    def _batch(self, deliveries: Sequence[Delivery]) -> None:
        """Take a batch all the way to the journal, then acknowledge it."""
        now_ns = self._wall_ns()
        intake = sort_in(
            self.devices,
            deliveries,
            horizon=self.options.horizon,
            same=self._twins.same,
            now_ns=now_ns,
            patience=self._patience,
        )
        runs, undated, failures = self._runs(intake)
        tracks = {
            name: device.track
            for name in runs
            if (device := self.devices.get(name)) is not None and device.track is not None
        }
        found = detect(tracks, runs, params=self.options.params)
        found.failures += failures
        changed = self._changed(intake, found, runs, undated, now_ns=now_ns)
        self._statuses.note(changed)
        statuses = self._statuses.take(ChainMap(changed, self.devices), now=self._monotonic())
        if deliveries or statuses:
            told = self._news(found.episodes)
            self._journal.commit(
                entry_of(intake, found, told=told, undated=undated, changed=changed, statuses=statuses, now_ns=now_ns)
            )
        self.devices.update(changed)
        self._source.acknowledge(deliveries)
        self._acks.note(intake.seen)
        self._reviser.note(changed)
        self._reviser.saw(runs)
        if deliveries:
            report(intake, found, metrics=self.metrics, log=self._log, now_ns=now_ns)

    def _news(self, found: Sequence[Episode]) -> list[Episode]:
        """What of these episodes has not been told yet, or not so."""
        return news(self._journal.ledger.of([key_of(episode) for episode in found]), found) if found else []

    def _runs(self, intake: Intake) -> tuple[dict[str, list[Block]], list[tuple[str, Key]], list[Failure]]:
        """The blocks to process, those that were held read back; the ones without a time; and what is unreadable."""
        runs: dict[str, list[Block]] = {}
        undated: list[tuple[str, Key]] = []
        failures = []
        for name, keys in intake.ready.items():
            run: list[Block] = []
            for key in keys:
                item = intake.fresh.get((name, key))
                try:
                    block, received_ns = (
                        (item.block, item.delivery.received_ns) if item else self._journal.raw.block(name, key)
                    )
                except WireError as error:  # kept by a version that was less strict
                    failures.append(Failure(name, (key,), str(error)))
                    continue
                if impossible(block.t0, received_ns=received_ns):
                    undated.append((name, key))
                else:
                    # Across eras, so that what is said of it is said of this very block.
                    run.append(block if block.boot == key[0] else msgspec.structs.replace(block, boot=key[0]))
            if run:
                runs[name] = run
        return runs, undated, failures

    def _changed(
        self,
        intake: Intake,
        found: Detected,
        runs: dict[str, list[Block]],
        undated: Sequence[tuple[str, Key]],
        *,
        now_ns: int,
    ) -> dict[str, Device]:
        """The devices whose state is not what it was."""
        changed = {}
        for name, device in intake.devices.items():
            was = self.devices.get(name)
            now = device
            now = _after_waiting(now, intake, name, undated, now_ns=now_ns)
            if name in runs:
                reach_ns, session_ns = (was.order.end_ns, _reach_ns(was)) if was else (0, 0)
                now = went_on(now, runs[name], session_ns=session_ns, reach_ns=reach_ns, now_ns=now_ns)
                now = msgspec.structs.replace(now, track=found.tracks.get(name, device.track), closed=False)
            if was is not now:
                changed[name] = now
        return changed

    def _revise(self, *, hurry: bool) -> None:
        """Go on with what late blocks have touched."""
        revised = self._reviser.step(self.devices, hurry=hurry)
        if revised is None:
            return
        self._journal.commit(revised.entry)
        self.devices[revised.device] = revised.now
        self._statuses.note([revised.device])
        if revised.entry.released:
            self.metrics.revised.inc()
            self._log.info(
                "revised",
                device=revised.device,
                blocks=len(revised.entry.released),
                episodes=len(revised.entry.told),
            )

    def _mute_greedy(self) -> None:
        """Pass over for a while who has filled the queue for long: what is not kept now is not acknowledged to it."""
        now_s = self._wall_ns() / 1e9
        for name in self._greed.look(self._source.crowding(), now_s):
            if self._patience.allows(name, now_s):
                seconds = self._patience.mute(name, now_s)
                self._log.warning("muted", device=name, seconds=seconds, sentence="it sends so much that others wait")

    def _tidy(self) -> None:
        """Now and then: end silent sessions, bound what is kept as evidence, and look how much waits."""
        self.close_sessions()
        self._mute_greedy()
        self._journal.tidy()
        records, events = self._journal.outbox.waiting()
        self.metrics.outbox.set(records)
        self.metrics.event_outbox.set(events)
        self.metrics.devices.set(len(self.devices))
        self.metrics.revising.set(self._reviser.waiting)
        self.metrics.muted.set(len(self._patience.muted(self._wall_ns() / 1e9)))
        self.metrics.late.set(sum(device.dirty.late for device in self.devices.values() if device.dirty))


def _after_waiting(
    device: Device, intake: Intake, name: str, undated: Sequence[tuple[str, Key]], *, now_ns: int
) -> Device:
    """Blocks that waited in vain, or have no time: with those behind them known already, that may be another now."""
    boots = {key[0] % ERA for of, key in undated if of == name}
    if any(of == name for of, _ in intake.gaps):
        boots |= {boot % ERA for boot, _ in intake.ready.get(name, ())}
    for boot in device.order.boots:
        if boot.boot % ERA in boots and boot.end_ns:
            device = irregular(device, boot.start_ns, boot.end_ns, now_ns=now_ns)
    return device


def _reach_ns(device: Device) -> int:
    """How far the running session was detected in."""
    return device.track.end_ns if device.track else 0
