"""Detects again what late blocks touch, so that the results are what they would be had every block come in time.

Rules
-----
- A session that rests on other blocks than it should (`ingest/replan.py`) is detected anew, from its first block, by
  the same pipeline as live blocks.
- It is done in slices, a few blocks a turn, so that live blocks need not wait; nothing is kept before the end.
- A session is committed whole. A kill leaves the device marked as before, and the work begins anew.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from detector import DetectorError, Params
from ingest.archive import Archive
from ingest.clock import Placed
from ingest.devices import Identity
from ingest.errors import JournalLacks, WireError
from ingest.journal import Journal
from ingest.legs import form_of
from ingest.marks import Mark
from ingest.pipeline import Detected, Failure, Track, detect, ended
from ingest.replan import Place, Plan, Session, identity
from ingest.wire import Block


@dataclass(slots=True)
class Redone:
    """A session as detected anew, up to the blocks that were known when it was planned."""

    device: str
    session: Session
    found: Detected = field(default_factory=Detected)
    track: Track | None = None
    sites: dict[Identity, tuple[str, ...]] = field(default_factory=dict)  # of blocks that are or were where it differs
    ended: bool = False
    at: int = 0  # how many of its blocks are done

    @property
    def done(self) -> bool:
        """Whether every block has been given to the detector."""
        return self.at == len(self.session.placed)


class Redetection:
    """The sessions of one device that are to be detected anew, one after the other."""

    def __init__(self, plan: Plan, *, journal: Journal, archive: Archive, params: Params) -> None:
        self.plan = plan
        self._journal = journal
        self._archive = archive
        self._params = params
        self._left = [Redone(plan.device, session) for session in plan.sessions]
        self.found: set[tuple[int, str]] = set()  # start and site of the epochs of the sessions that are done

    @property
    def over(self) -> bool:
        """Whether no session is left."""
        return not self._left

    def step(self, limit: int) -> Redone | None:
        """Go on by up to `limit` blocks; the session, when it is done."""
        redone = self._left[0]
        placed = redone.session.placed[redone.at : redone.at + limit]
        blocks = []
        for item, block in self._read(placed):
            if isinstance(block, Failure):
                redone.found.failures.append(block)
                continue
            if item.end_ns > redone.session.from_ns or identity(item.mark) in redone.session.changed:
                redone.sites[identity(item.mark)] = form_of(block).leg.sites
            blocks.append(block)
        self.feed(redone, blocks)
        redone.at += len(placed)
        if not redone.done:
            return None
        return self._left.pop(0)

    def feed(self, redone: Redone, blocks: Sequence[Block]) -> None:
        """Give a session's next blocks to the detector."""
        if not blocks:
            return
        tracks = {} if redone.track is None else {redone.device: redone.track}
        found = detect(tracks, {redone.device: blocks}, params=self._params)
        redone.track = found.tracks[redone.device]
        redone.found.episodes += found.episodes
        redone.found.epochs += found.epochs
        redone.found.failures += found.failures

    def end(self, redone: Redone) -> None:
        """Nothing more comes in this session."""
        redone.ended = True
        if redone.track is not None:
            over = ended(redone.device, redone.track, params=self._params)
            redone.found.episodes += over.episodes
            redone.found.epochs += over.epochs

    def _read(self, placed: Sequence[Placed]) -> Iterator[tuple[Placed, Block | Failure]]:
        """These blocks with their samples, at their places in time, in order."""
        found: dict[Identity, Block | Failure] = {}
        elsewhere = []
        for item in placed:
            key = self.plan.keys.get(identity(item.mark))
            try:
                if key is None:
                    elsewhere.append(item.mark)
                else:
                    found[identity(item.mark)], _ = self._journal.raw.block(self.plan.device, key)
            except JournalLacks:
                elsewhere.append(item.mark)  # it has gone to the archive meanwhile
            except WireError as error:
                keys = ((item.mark.boot, item.mark.seq),)
                found[identity(item.mark)] = Failure(self.plan.device, keys, str(error))
        if elsewhere:
            for archived in self._archive.blocks(self.plan.device, sorted(elsewhere)):
                block = archived.block
                found[block.boot, block.seq, block.t0] = block
        for item in placed:
            got = found.get(identity(item.mark))
            if isinstance(got, Failure):
                yield item, got
            elif got is not None:
                yield item, got if got.t0 == item.start_ns else msgspec.structs.replace(got, t0=item.start_ns)


def sites_of(journal: Journal, archive: Archive, plan: Plan, place: Place) -> tuple[str, ...]:
    """The EMG sites of a block in journal or archive; none if it cannot be read."""
    (boot, seq, t0_ns), start_ns, end_ns = place
    key = plan.keys.get(place[0])
    try:
        if key is not None:
            with suppress(JournalLacks):  # it has gone to the archive meanwhile
                return form_of(journal.raw.block(plan.device, key)[0]).leg.sites
        (archived,) = archive.blocks(plan.device, [Mark(boot, seq, t0_ns, t0_ns + end_ns - start_ns, 0)])
        return form_of(archived.block).leg.sites
    except (WireError, DetectorError):
        return ()
