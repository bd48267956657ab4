"""Clocks that read the last instant that 64 bits can say, which is what some never set ones do."""

import time
from contextlib import closing
from pathlib import Path

import msgspec
from ingest_feed import SECOND_NS, contents, cut, feed, ingest, recording, service

from ingest.archive import Archive, Archived
from ingest.clock import FIRST_NS, timeline
from ingest.clock import LAST_NS as CLOCK_LAST_NS
from ingest.journal import Journal
from ingest.marks import Mark
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore

LAST_NS = 2**63 - 1
TAPE = list(cut(recording(300), [10] * 30))


def test_marks_of_what_was_archived_are_the_journals(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add("leg", [Archived(msgspec.structs.replace(TAPE[0], t0=LAST_NS - 5), 7)])
    (mark,) = archive.undated("leg")
    assert (mark.t0_ns, mark.end_ns) == (LAST_NS - 5, LAST_NS)
    assert timeline([mark]).undated == (mark,)


def test_a_device_with_such_a_block_is_detected_again(tmp_path: Path) -> None:
    """Before, the ingester fell over it, again after each start."""
    begun_ns, now_s = time.time_ns() - 3600 * SECOND_NS, [60.0]
    blocks = [msgspec.structs.replace(block, t0=begun_ns + i * 10 * SECOND_NS) for i, block in enumerate(TAPE)]
    blocks[0] = msgspec.structs.replace(blocks[0], t0=LAST_NS - 5 * SECOND_NS)
    source, store, start_ns = MemorySource(), MemoryStore(), time.time_ns()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, store, options=Options(wait_s=0, archive_after_s=0, settle_s=0),
            wall_ns=lambda: start_ns + int(now_s[0] * SECOND_NS),
        )  # fmt: skip

        def turns() -> None:
            for _ in range(30):
                of.step()
                now_s[0] += 1

        feed(source, "leg", (block for block in blocks if block not in blocks[10:12]))
        turns()
        assert not journal.blocks("leg"), "all are in the archive"
        feed(source, "leg", blocks[10:12])
        turns()
        assert of.ingester.devices["leg"].dirty is None
        of.settle()
        of.close()
    (tmp_path / "in order").mkdir()
    expected = ingest(tmp_path / "in order", (("leg", block) for block in blocks))
    assert contents(store, ["leg"]) == contents(expected, ["leg"])


def test_a_clock_that_is_set_back_for_years_again_and_again_moves_nothing_out_of_the_believed_years() -> None:
    """Before, what had to be moved added up to more than 64 bits hold, and ended the ingester."""
    step_ns, steps, cycles = 29 * 24 * 3600 * SECOND_NS, 80, 60  # pauses that are kept, then years back
    times = [FIRST_NS + step * step_ns for _ in range(cycles) for step in range(steps)]
    received_ns = times[-1] + step_ns
    marks = [Mark(1, seq, t0_ns, t0_ns + 10 * SECOND_NS, received_ns) for seq, t0_ns in enumerate(times)]
    found = timeline(marks)
    assert len(found.placed) == len(marks)
    assert all(FIRST_NS <= block.start_ns < CLOCK_LAST_NS for block in found.placed)
