"""This machine's clock, set ahead for a while: what came meanwhile does not wait until it is that late again."""

import time
from contextlib import closing
from pathlib import Path

from ingest_feed import SECOND_NS, contents, cut, feed, ingest, recording, service

from ingest.devices import Device, heard_block
from ingest.journal import Journal
from ingest.marks import Mark, end_of
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore

TAPE = list(cut(recording(300), [10] * 30))
MISSING = TAPE[10:12]
AHEAD_S = 20 * 3600  # more, and blocks would count as received before they were made


def test_late_blocks_of_a_time_that_was_wrong_are_detected_in(tmp_path: Path) -> None:
    source, store, now_s, start_ns = MemorySource(), MemoryStore(), [60.0], time.time_ns()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, store, options=Options(wait_s=0),
            wall_ns=lambda: start_ns + int(now_s[0] * SECOND_NS),
        )  # fmt: skip

        def turns(count: int) -> None:
            for _ in range(count):
                of.step()
                now_s[0] += 1

        feed(source, "leg", (block for block in TAPE if block not in MISSING))
        turns(40)
        now_s[0] += AHEAD_S
        feed(source, "leg", MISSING)
        turns(3)
        now_s[0] -= AHEAD_S
        assert of.ingester.revising == 1
        turns(5)
        assert of.ingester.revising == 0
        of.settle()
        of.close()
    (tmp_path / "in order").mkdir()
    expected = ingest(tmp_path / "in order", (("leg", block) for block in TAPE))
    assert contents(store, ["leg"]) == contents(expected, ["leg"])


def test_a_device_was_last_heard_when_it_was_by_the_clock_as_it_is_now() -> None:
    """Before, one that fell silent counted as heard until the time came that had been wrong."""
    device, right_ns = Device(), TAPE[0].t0 + 60 * SECOND_NS
    for block, received_ns, heard_ns in (
        (TAPE[0], right_ns, right_ns),
        (TAPE[1], right_ns + AHEAD_S * SECOND_NS, right_ns + AHEAD_S * SECOND_NS),
        (TAPE[2], right_ns + 20 * SECOND_NS, right_ns + 20 * SECOND_NS),
        (TAPE[3], right_ns + 19 * SECOND_NS, right_ns + 20 * SECOND_NS),  # set back a little: as it was
    ):
        mark = Mark(block.boot, block.seq, block.t0, end_of(block), received_ns)
        device = heard_block(device, block, boot=1, mark=mark, dated=True, now_ns=received_ns)
        assert device.view.last_received_ns == heard_ns
