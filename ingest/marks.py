"""A block without its samples: what order, clock and archive need to know of it."""

from typing import Final

import msgspec

from ingest.wire import Block

SECOND_NS: Final = 1_000_000_000
LAST_NS: Final = 2**63 - 1  # the last instant that 64 bits can say


class Mark(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One block's identity (boot, seq, t0), the device's clock at its end, and when it came in."""

    boot: int
    seq: int
    t0_ns: int
    end_ns: int
    received_ns: int


def end_of(block: Block) -> int:
    """When a block ends by the device's clock; what the wire lets through stays within 64 bits."""
    return min(block.t0 + round(block.duration_s * SECOND_NS), LAST_NS)
