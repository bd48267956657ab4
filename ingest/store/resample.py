"""Epochs put together: seconds of coverage between instants, and longer epochs for charts. Pure functions."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.store.records import Epoch

SECOND_NS: Final = 1_000_000_000
EPOCH_S: Final = 10

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Coverage(NamedTuple):
    """Seconds of a device's signal, whichever of its sites they come from."""

    received_s: float
    worn_s: float
    usable_s: float


def coverage(epochs: Sequence[Epoch], edges_ns: Sequence[int]) -> list[Coverage]:
    """Coverage of each interval between neighbouring edges, which must not fall.

    An epoch counts in the interval that holds its start. Sites of one device at one start are one leg: the best of
    them counts, once. Several devices add up.
    """
    if len(edges_ns) < 2:
        return []
    edges = np.asarray(edges_ns, dtype=np.int64)
    if np.any(np.diff(edges) < 0):
        raise ValueError("the edges of intervals must be in order")
    totals = np.zeros((len(edges) - 1, 3))
    if epochs:
        starts = _starts(epochs)
        order, firsts = _groups(_codes(epoch.device for epoch in epochs), starts)
        seconds = np.array([(epoch.received_s, epoch.worn_s, epoch.usable_s) for epoch in epochs])
        best = np.maximum.reduceat(seconds[order], firsts, axis=0)
        place = np.searchsorted(edges, starts[order][firsts], side="right") - 1
        inside = (place >= 0) & (place < len(totals))
        np.add.at(totals, place[inside], best[inside])
    return [Coverage(*row) for row in totals.tolist()]


def resample(epochs: Sequence[Epoch], every_s: int) -> list[Epoch]:
    """Epochs of `every_s` seconds from multiples of `every_s` in UTC on, by start then device and site.

    Seconds add up and flags unite. What EMG gives is averaged by usable seconds (`rms_uv` as the root of the mean
    square, as it is one), what acceleration gives by received seconds; what was not measured does not count.
    """
    if every_s < EPOCH_S or every_s % EPOCH_S:
        raise ValueError(f"every_s must be a multiple of {EPOCH_S}, not {every_s}")
    if not epochs:
        return []
    starts = _starts(epochs) // (every_s * SECOND_NS) * (every_s * SECOND_NS)
    order, firsts = _groups(starts, _codes(f"{epoch.device} {epoch.site}" for epoch in epochs))
    ordered = [epochs[place] for place in order.tolist()]
    received = np.array([epoch.received_s for epoch in ordered])
    usable = np.array([epoch.usable_s for epoch in ordered])
    squares = np.array([epoch.rms_uv for epoch in ordered]) ** 2
    columns = {
        "received_s": np.add.reduceat(received, firsts),
        "worn_s": np.add.reduceat(np.array([epoch.worn_s for epoch in ordered]), firsts),
        "usable_s": np.add.reduceat(usable, firsts),
        "rms_uv": np.sqrt(_mean(squares, usable, firsts)),
        "rest_uv": _mean(np.array([epoch.rest_uv for epoch in ordered]), usable, firsts),
        "median_hz": _mean(np.array([epoch.median_hz for epoch in ordered]), usable, firsts),
        "movement_g": _mean(np.array([epoch.movement_g for epoch in ordered]), received, firsts),
        "angle_deg": _mean(np.array([epoch.angle_deg for epoch in ordered]), received, firsts),
    }
    plain = zip(*(column.tolist() for column in columns.values()), strict=True)
    lasts = [*firsts[1:].tolist(), len(ordered)]
    return [
        _united(ordered[first:last], int(starts[order[first]]), dict(zip(columns, values, strict=True)))
        for first, last, values in zip(firsts.tolist(), lasts, plain, strict=True)
    ]


def _united(members: list[Epoch], start_ns: int, numbers: dict[str, float]) -> Epoch:
    flags = {flag for epoch in members for flag in epoch.flags}
    return Epoch(
        device=members[0].device,
        site=members[0].site,
        start_ns=start_ns,
        flags=tuple(sorted(flags)),
        updated_ns=max(epoch.updated_ns for epoch in members),
        **numbers,
    )


def _starts(epochs: Sequence[Epoch]) -> IntArray:
    return np.array([epoch.start_ns for epoch in epochs], dtype=np.int64)


def _codes(words: Iterator[str]) -> IntArray:
    """A number for each word, in the words' order."""
    return np.unique(np.array(list(words)), return_inverse=True)[1].astype(np.int64)


def _groups(first_key: IntArray, second_key: IntArray) -> tuple[IntArray, IntArray]:
    """The order that sorts by both keys, and where in it each group of equal keys begins."""
    order = np.lexsort((second_key, first_key))
    a, b = first_key[order], second_key[order]
    new = np.concatenate(([True], (a[1:] != a[:-1]) | (b[1:] != b[:-1])))
    return order.astype(np.int64), np.flatnonzero(new).astype(np.int64)


def _mean(values: FloatArray, weights: FloatArray, firsts: IntArray) -> FloatArray:
    """Weighted mean of each group over what was measured; NaN where that has no weight."""
    known = np.where(np.isnan(values), 0.0, weights)
    total = np.add.reduceat(known, firsts)
    summed = np.add.reduceat(known * np.nan_to_num(values, nan=0.0), firsts)
    mean = np.full(len(firsts), np.nan)
    np.divide(summed, total, out=mean, where=total > 0)
    return mean
