"""Nights of devices with reboots in them, and the orders in which a device may send them once it is back."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from benchmarks.reliability.legs import SECOND_NS, Sent, Stretch

DAY_NS: Final = 24 * 3600 * SECOND_NS
REBOOTS: Final = (0, 2)  # within a night
OFF_S: Final = (15, 90)  # what a reboot takes
DOUBLED: Final = 0.05
PAGE: Final = 50
STYLES: Final = ("nights", "pages", "blocks")  # newest night first; within it in order, by pages, or newest block first


@dataclass(frozen=True, slots=True)
class Night:
    """One night of one device."""

    start_ns: int
    end_ns: int
    blocks: tuple[Sent, ...]


def make_nights(*, device: int, count: int, seconds: int, block_s: float, end_ns: int) -> list[Night]:
    """Nights a day apart, the last of which ended at an instant; now and then the device starts anew in the middle."""
    rng = Random(device)  # noqa: S311 - no secret
    boot, seq = 1, 0
    nights: list[Night] = []
    for n in range(count):
        end = end_ns - (count - 1 - n) * DAY_NS
        start_ns = (end - seconds * SECOND_NS) // (10 * SECOND_NS) * 10 * SECOND_NS
        blocks: list[Sent] = []
        parts = rng.randint(*REBOOTS) + 1
        if nights and rng.random() < 0.5:  # it was off by day
            boot, seq = boot + 1, 0
        at_s = 0
        for part in range(parts):
            length_s = seconds // parts // 10 * 10
            stretch = Stretch(
                seed=device * 100 + n, start_ns=start_ns + at_s * SECOND_NS, seconds=length_s, block_s=block_s
            )
            made = stretch.blocks(boot=boot, first_seq=seq)
            blocks += made
            seq += len(made)
            at_s += length_s + rng.randint(*OFF_S)
            if part < parts - 1:
                boot, seq = boot + 1, 0
        nights.append(Night(start_ns, start_ns + (at_s + OFF_S[1]) * SECOND_NS, tuple(blocks)))
    return nights


def backwards(nights: Iterable[Night], *, style: str, seed: int) -> list[Sent]:
    """The blocks newest night first, some of them twice."""
    rng = Random(seed)  # noqa: S311 - no secret
    order: list[Sent] = []
    for night in sorted(nights, key=lambda night: -night.start_ns):
        pages = [[*page] for page in _pages(night.blocks, style)]
        order += [sent for page in reversed(pages) for sent in page]
    for sent in rng.sample(order, round(DOUBLED * len(order))):
        order.insert(order.index(sent) + rng.randint(1, 2 * PAGE), sent)
    return order


def _pages(blocks: tuple[Sent, ...], style: str) -> Iterable[tuple[Sent, ...]]:
    """What is sent in order: a whole night, a page of it, or one block."""
    size = {"nights": len(blocks), "pages": PAGE, "blocks": 1}[style]
    return (blocks[i : i + size] for i in range(0, len(blocks), size))
