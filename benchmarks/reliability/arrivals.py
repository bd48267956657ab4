"""How blocks arrive, and what happens to the service meanwhile: drawn at random, over a real journal and archive.

One process: a service over a folder, fed through a source in memory. A kill forgets what was not committed; it may come
between any two turns, between a commit and its acknowledgement, and between the archive's write and the journal's.
"""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from benchmarks.reliability.histories import HOUR_NS
from benchmarks.reliability.legs import SECOND_NS
from benchmarks.reliability.records import Kept, read
from ingest.archive import Archive, Archived
from ingest.devices import Dirty
from ingest.journal import Journal
from ingest.order import Horizon
from ingest.replan import identity, plan
from ingest.service import Options, Service
from ingest.source import Delivery, MemorySource
from ingest.store.memory import MemoryStore
from ingest.wire import Block, Place, Status, encode, topic

HORIZONS: Final = (Horizon(blocks=3, span_ns=20 * SECOND_NS, fewest=4), Horizon(), Horizon(blocks=1, span_ns=SECOND_NS))
ORDERS: Final = ("as made", "nearly", "shuffled", "newest first", "boots shuffled", "with live", "stragglers")
EVENTS: Final = ("turn", "turn", "turns", "drain", "kill", "kill at ack", "kill at archive", "time", "long", "close")
CALM: Final = Options(wait_s=0, ack_s=0, status_s=0, settle_s=0)
EVER_NS: Final = 2**61
TURN_NS: Final = SECOND_NS // 1000


class Killed(Exception):
    """The process ends here."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a device's blocks came to."""

    kept: Kept  # episodes and epochs
    undated: int  # blocks whose time is not known
    wrong: list[str]  # what is not as it must be once all is at rest


class FusedSource(MemorySource):
    """Lets the process end when a batch was committed and is to be acknowledged."""

    fuse = 0  # at the so manieth from now; 0 is off

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge, or end."""
        if deliveries and self.fuse:
            self.fuse -= 1
            if not self.fuse:
                raise Killed
        super().acknowledge(deliveries)


class FusedArchive(Archive):
    """Lets the process end when the archive has blocks and the journal still thinks that they are its own."""

    fuse = 0

    def add(self, device: str, blocks: Sequence[Archived]) -> None:
        """Add, and perhaps end."""
        super().add(device, blocks)
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                raise Killed


class Site:
    """A service over a folder, which can be killed and started again, with a store that outlives it."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder, self._options = folder, options
        folder.mkdir(parents=True)
        self.source, self.store = FusedSource(), MemoryStore()
        self.now_ns = time.time_ns()
        self._start()

    def _start(self) -> None:
        self._journal = Journal(self._folder / "journal.sqlite")
        self.archive = FusedArchive(self._folder / "archive")
        self.service = Service(
            self.source, self._journal, self.store, self.archive, options=self._options,
            wall_ns=lambda: self.now_ns, monotonic=lambda: self.now_ns / SECOND_NS,
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the files."""
        self.service.close()
        self._journal.close()

    def kill(self, *, check: bool = False) -> None:
        """End it, and start it again, perhaps with the look at its files that a start begins with."""
        self.close()
        self.source.fuse = 0
        self.source.reconnect()
        self._start()
        if check:
            self.service.check()

    def send(self, device: str, messages: Sequence[Block | Status]) -> None:
        """A device publishes these."""
        for message in messages:
            self.source.feed(topic(device, "blocks" if isinstance(message, Block) else "status"), encode(message))

    def turns(self) -> None:
        """Take turns until nothing comes in."""
        while self.service.step():
            self.now_ns += TURN_NS

    def drain(self) -> None:
        """Bring all that came in to its end."""
        self.turns()
        self.service.settle()

    def finish(self, made: Mapping[str, Sequence[Block]]) -> None:
        """The devices say goodbye, and everything comes to rest."""
        self.source.fuse = self.archive.fuse = 0
        self.drain()
        for device, blocks in made.items():
            self.send(device, [Status(boot=boot, online=False) for boot in sorted({b.boot for b in blocks})])
        for pause_ns in (0, 100 * SECOND_NS, 2 * HOUR_NS):
            self.now_ns += pause_ns
            self.service.ingester.close_sessions()
            self.drain()

    def result(self, device: str, made: Sequence[Block]) -> Result:
        """What the blocks of a device came to."""
        found = read(self.store, [device])
        undated = sum(count for _, count, _ in self.service.ingester.devices[device].undated)
        return Result(Kept(found.episodes, found.epochs, []), undated, list(self._wrong(device, made)))

    def _wrong(self, device: str, made: Sequence[Block]) -> Iterator[str]:
        kept = [item.mark for item in self._journal.raw.kept(device)]
        kept += [*self.archive.marks(device, start_ns=0, end_ns=2 * EVER_NS), *self.archive.undated(device)]
        have, want = {identity(mark) for mark in kept}, {(b.boot, b.seq, b.t0) for b in made}
        if have != want:
            yield f"{len(want - have)} blocks are not kept, {len(have - want)} were never made"
        known = self.service.ingester.devices[device]
        if known.dirty is not None:
            yield "it is still to be detected again"
        everything = msgspec.structs.replace(known, dirty=Dirty(0, EVER_NS, 0, 0))
        left = plan(device, everything, journal=self._journal, archive=self.archive)
        if left.sessions or left.removed:
            yield f"{len(left.sessions)} sessions do not rest on their blocks, {len(left.removed)} blocks have no place"


def in_order(folder: Path, made: Mapping[str, Sequence[Block]]) -> dict[str, Result]:
    """What comes of these blocks, each once, in the order in which they were made, in one go."""
    with closing(Site(folder, CALM)) as site:
        for device, blocks in made.items():
            site.send(device, blocks)
        site.finish(made)
        return {device: site.result(device, blocks) for device, blocks in made.items()}


def disturbed(folder: Path, made: Mapping[str, Sequence[Block]], rng: Random) -> dict[str, Result]:
    """What comes of them in any order, some several times, with all that may happen meanwhile."""
    with closing(Site(folder, _options(rng))) as site:
        _disturb(site, made, rng)
        site.finish(made)
        return {device: site.result(device, blocks) for device, blocks in made.items()}


def _disturb(site: Site, made: Mapping[str, Sequence[Block]], rng: Random) -> None:
    queues = {device: arranged(rng, blocks) for device, blocks in made.items()}
    sent: dict[str, set[int]] = {device: set() for device in made}
    unrest, statuses = rng.choice([0, 0.1, 0.3, 0.6]), rng.choice([0, 0, 0.1, 0.3])
    while any(queues.values()):
        device = rng.choice([name for name, queue in queues.items() if queue])
        count = rng.choice([1, 1, 2, 5, 20, 100])
        part, queues[device] = queues[device][:count], queues[device][count:]
        site.send(device, part)
        sent[device] |= {id(b) for b in part}
        if rng.random() < statuses:
            site.send(device, [_status(rng, made[device], sent[device])])
        while rng.random() < unrest:
            try:
                _befall(site, rng)
            except Killed:
                site.kill()


def _options(rng: Random) -> Options:
    return replace(
        CALM,
        batch=rng.choice([1, 3, 7, 50, 1000]),
        horizon=rng.choice(HORIZONS),
        archive_after_s=rng.choice([0.0, 0.0, 3600.0]),
        settle_s=rng.choice([0.05, 0.5, 10.0]),  # with no wait at all each late block would cost a session
        at_once=rng.choice([3, 20, 500]),
    )


def arranged(rng: Random, made: Sequence[Block]) -> list[Block]:
    """These blocks in one of `ORDERS`, and some of them again."""
    order, n = rng.choice(ORDERS), len(made)
    found = list(made)
    if order == "nearly":
        reach = rng.choice([2, 5, 12, 40])
        places = sorted((i + (rng.uniform(0, reach) if rng.random() < 0.4 else 0), i) for i in range(n))
        found = [made[i] for _, i in places]
    elif order == "shuffled":
        rng.shuffle(found)
    elif order == "newest first":
        found.reverse()
    elif order == "boots shuffled":
        boots = [list(group) for _, group in groupby(found, key=lambda b: b.boot)]
        rng.shuffle(boots)
        found = [b for group in boots for b in (reversed(group) if rng.random() < 0.3 else group)]
    elif order == "with live":
        since = rng.randint(0, n)
        found = _merged(rng, found[:since][:: rng.choice([1, -1])], found[since:])
    elif order == "stragglers":
        late = sorted(rng.sample(range(n), min(n - 1, rng.randint(1, 4))))
        found = [b for i, b in enumerate(made) if i not in late]
        at = rng.choice([len(found), rng.randint(0, len(found))])
        found[at:at] = [made[i] for i in late]
    for _ in range(rng.choice([0, 0, 3, 10])):
        found.insert(rng.randint(0, len(found)), rng.choice(made))
    return found + list(made) if rng.random() < 0.15 else found


def _merged(rng: Random, backlog: list[Block], live: list[Block]) -> list[Block]:
    """A few of the one, a few of the other."""
    found: list[Block] = []
    while backlog or live:
        queue = backlog if backlog and (not live or rng.random() < 0.5) else live
        count = rng.randint(1, 6)
        found += queue[:count]
        del queue[:count]
    return found


def _status(rng: Random, made: Sequence[Block], sent: Set[int]) -> Status:
    """What a device may say of itself in between; it knows what it has not sent yet."""
    unsent = sorted((b.boot, b.seq) for b in made if id(b) not in sent)
    boot = rng.choice(made).boot
    kind = rng.choice(["gone", "gone", "there", "oldest", "backlog"])
    if kind == "oldest":
        following = max(b.seq for b in made if b.boot == boot) + 1
        return Status(boot=boot, online=True, oldest=min((seq for of, seq in unsent if of == boot), default=following))
    if kind == "backlog":
        boot = max(b.boot for b in made) + rng.choice([0, 1])
        backlog = Place(boot=unsent[0][0], seq=unsent[0][1]) if unsent and unsent[0][0] < boot else None
        return Status(boot=boot, online=True, backlog=backlog)
    return Status(boot=boot, online=kind == "there")


def _befall(site: Site, rng: Random) -> None:
    """One thing that happens to the service, or some turns of its work."""
    what = rng.choice(EVENTS)
    if what == "turn":
        site.service.step()
    elif what == "turns":
        site.turns()
    elif what == "drain":
        site.drain()
    elif what == "kill":
        site.kill(check=rng.random() < 0.5)
    elif what == "kill at ack":
        site.source.fuse = rng.randint(1, 4)
    elif what == "kill at archive":
        site.archive.fuse = 1
    elif what == "time":
        site.now_ns += rng.choice([1, 11, 400]) * SECOND_NS
    elif what == "long":
        site.now_ns += 2 * HOUR_NS
    else:
        site.service.ingester.close_sessions()
