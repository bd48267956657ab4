"""The way from a device to its broker: when blocks can be sent, in which order, and what becomes of them.

A device keeps each block in its flash when it is recorded, and sends it when there is a link. `plan` says both as
one sequence of steps; what is sent again later, because nobody vouched for it, is for the uplink to decide.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ingest.wire import Block
from simulators.errors import ScenarioError

Span = tuple[float, float]  # seconds from the leg's start
Key = tuple[int, int]  # boot and seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What becomes of blocks on the way: shares lost, sent twice, swapped with the next; stretches without a link.

    A lost block is lost within the device, before its flash. `order` is that of sending after a time without a link.
    """

    lost: float = 0.0
    doubled: float = 0.0
    swapped: float = 0.0
    offline: tuple[Span, ...] = ()
    order: Literal["oldest", "newest"] = "oldest"

    def __post_init__(self) -> None:
        if not all(0.0 <= share < 1.0 for share in (self.lost, self.doubled, self.swapped)):
            raise ScenarioError("shares of blocks lost, doubled and swapped lie between 0 and 1")

    def sent_s(self, ready_s: float) -> float:
        """When a block that is ready at `ready_s` can be sent."""
        return max((end for start, end in self.offline if start <= ready_s < end), default=ready_s)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A block as the device makes it: the true times in ns at which it is ready, and at which there is a link."""

    ready_ns: int
    link_ns: int
    block: Block


@dataclass(frozen=True, slots=True)
class Kept:
    """The device puts a block into its flash."""

    at_ns: int
    block: Block


@dataclass(frozen=True, slots=True)
class Sent:
    """The device sends a block for the first time, `times` over."""

    at_ns: int
    key: Key
    times: int


Step = Kept | Sent


def plan(
    recorded: Iterable[Recorded], link: Link, *, draw: Callable[[], Iterable[float]], flash_first: bool
) -> Iterator[Step]:
    """What the device does, in order of time; `draw` gives three numbers between 0 and 1 for each block.

    Without `flash_first` a block is made only when its turn to be sent comes: a week in flash is a week in memory.
    """
    flash_first = flash_first or link.order == "newest"
    waiting: list[Sent] = []
    swapped: Sent | None = None
    for item in recorded:
        if waiting and item.ready_ns >= waiting[-1].at_ns:
            yield from _in_order(waiting, link)
            waiting = []
        shares = (link.lost, link.doubled, link.swapped)
        lost, doubled, swap = (drawn < share for drawn, share in zip(draw(), shares, strict=True))
        if lost:
            continue
        late = flash_first and item.link_ns > item.ready_ns
        yield Kept(item.ready_ns if late else item.link_ns, item.block)
        sent = Sent(item.link_ns, (item.block.boot, item.block.seq), 2 if doubled else 1)
        if swapped is None and swap:
            swapped = Sent(sent.at_ns, sent.key, 1)
            continue
        ready = [sent] if swapped is None else [sent, swapped]
        swapped = None
        if late:
            waiting += ready
        else:
            yield from ready
    yield from _in_order(waiting, link)
    if swapped is not None:
        yield swapped


def _in_order(waiting: list[Sent], link: Link) -> list[Sent]:
    return waiting[::-1] if link.order == "newest" else waiting
