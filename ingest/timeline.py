"""Blocks at their corrected times: what a timeline is, its sessions, and what differs between two of them."""

from collections.abc import Iterable, Sequence

import msgspec

from ingest.marks import Mark

Span = tuple[int, int]  # ns


class Placed(msgspec.Struct, frozen=True, array_like=True):
    """One block, and where it lies once the faults of the device's clock are taken out."""

    mark: Mark
    start_ns: int
    end_ns: int


class Timeline(msgspec.Struct, frozen=True):
    """All blocks of one device: in canonical order, and those whose time cannot be known."""

    placed: tuple[Placed, ...] = ()
    undated: tuple[Mark, ...] = ()


def sessions(placed: Sequence[Placed], *, gap_ns: int) -> list[tuple[int, int]]:
    """Index ranges [i, j) of stretches in which time does not pause for `gap_ns`; it may go back."""
    cuts: list[int] = []
    reach_ns = 0  # largest end in the session so far
    for index, block in enumerate(placed):
        if not cuts or block.start_ns - reach_ns >= gap_ns:
            cuts.append(index)
            reach_ns = block.end_ns
        elif block.end_ns > reach_ns:
            reach_ns = block.end_ns
    return list(zip(cuts, [*cuts[1:], len(placed)], strict=True)) if cuts else []


def moved(before: Timeline, after: Timeline) -> list[Span]:
    """Spans of time in which two timelines differ: blocks added, removed, moved or in another order; merged."""
    old, new = _middle(before.placed, after.placed)
    was = {_key(block): index for index, block in enumerate(old)}
    now = {_key(block): index for index, block in enumerate(new)}
    kept = [(key, now[key]) for key in was if key in now]
    turned = _turned([index for _, index in kept])
    same = {key for (key, _), out in zip(kept, turned, strict=True) if not out}
    return merged(key[-2:] for key in was.keys() | now.keys() if key not in same)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order; those that overlap or touch are one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _key(block: Placed) -> tuple[int, int, int, int, int]:
    mark = block.mark
    return mark.boot, mark.seq, mark.t0_ns, block.start_ns, block.end_ns


def _middle(old: Sequence[Placed], new: Sequence[Placed]) -> tuple[Sequence[Placed], Sequence[Placed]]:
    """What is left without the beginning and the end that both share: mostly very little."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and _key(old[head]) == _key(new[head]):
        head += 1
    tail = 0
    while tail < shorter - head and _key(old[-1 - tail]) == _key(new[-1 - tail]):
        tail += 1
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _turned(places: Sequence[int]) -> list[bool]:
    """Which of these, all different, come before a smaller or after a larger one."""
    least: list[int] = []
    low = max(places, default=0) + 1
    for place in reversed(places):
        least.append(low)
        low = min(low, place)
    out: list[bool] = []
    high = -1
    for place, below in zip(places, reversed(least), strict=True):
        out.append(place < high or place > below)
        high = max(high, place)
    return out
