"""Where a device stands in its session, so that a live block is known that should be detected in before another one.

Rules
-----
- A session is detected in the order of `ingest.clock`: stretches without a pause or a setting of the clock by their
  start, blocks in them by seq. Live blocks come by boot and seq, which is the same unless a stretch began before one
  that was detected in already.
"""

from collections.abc import Sequence

import msgspec

from ingest.incarnations import JITTER_NS
from ingest.timeline import Placed


class Frontier(msgspec.Struct, frozen=True, array_like=True):
    """The stretch of the block that was detected in last, and the latest start of any stretch so far."""

    boot: int = -1  # across eras
    end_ns: int = 0
    start_ns: int = 0
    top_ns: int = 0

    def passed(self, boot: int, t0_ns: int, end_ns: int) -> "Frontier":
        """This after one more block."""
        if boot == self.boot and abs(t0_ns - self.end_ns) <= JITTER_NS:
            return Frontier(boot, end_ns, self.start_ns, self.top_ns)
        return Frontier(boot, end_ns, t0_ns, max(self.top_ns, t0_ns))

    @property
    def behind(self) -> bool:
        """Whether the last block belongs before others that were detected in before it."""
        return self.start_ns < self.top_ns


def frontier_of(placed: Sequence[Placed], last: int | None) -> Frontier:
    """Where a device stands after a session in canonical order, if the block that came last is at this index."""
    at, top_ns = Frontier(), 0
    here = None
    for index, item in enumerate(placed):
        at = at.passed(item.mark.boot, item.start_ns, item.end_ns)
        top_ns = max(top_ns, at.top_ns)
        here = at if index == last else here
    return msgspec.structs.replace(here or Frontier(end_ns=at.end_ns, start_ns=top_ns), top_ns=top_ns)
