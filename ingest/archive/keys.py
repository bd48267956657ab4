"""What tells the blocks of a table apart, without their samples."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ingest.archive.values import IntArray

SECOND_NS: Final = 1_000_000_000
COLUMNS: Final = ("boot", "seq", "signal", "channel", "fs_hz", "t0_ns", "received", "n")


@dataclass(frozen=True, slots=True)
class Keys:
    """A place in each array for each block."""

    boot: IntArray
    seq: IntArray
    t0: IntArray
    received: IntArray
    duration: IntArray  # ns
    samples: IntArray  # of all channels
    table: IntArray  # number of the table
    first: IntArray  # row in that table
    rows: IntArray  # how many rows, one after the other


def keys(table: Any, number: int = 0) -> Keys:
    """The blocks of a table that has the `COLUMNS`."""
    first = np.flatnonzero((table["signal"].to_numpy() == 0) & (table["channel"].to_numpy() == 0))
    n = table["n"].to_numpy().astype(np.int64)
    some = len(first) > 0  # reduceat knows no empty array
    seconds = np.maximum.reduceat(n / table["fs_hz"].to_numpy(), first) if some else np.zeros(0)
    return Keys(
        boot=table["boot"].to_numpy()[first],
        seq=table["seq"].to_numpy()[first],
        t0=table["t0_ns"].to_numpy()[first],
        received=table["received"].cast(pa.int64()).to_numpy()[first],
        duration=np.rint(seconds * SECOND_NS).astype(np.int64),
        samples=np.add.reduceat(n, first) if some else n,
        table=np.full(len(first), number),
        first=first,
        rows=np.diff(first, append=len(n)),
    )


def joined(parts: Sequence[Keys]) -> Keys:
    """The blocks of several tables, in their order."""
    return Keys(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Keys)))


def chosen(every: Keys, places: IntArray) -> Keys:
    """Some blocks, in the order of their places."""
    return Keys(*(getattr(every, field.name)[places] for field in fields(Keys)))


def unique(*, t0: IntArray, boot: IntArray, seq: IntArray, received: IntArray) -> IntArray:
    """Places of the blocks in the order of time, boot and seq; of several with one identity, the first to come in.

    What came in at the same time keeps its order.
    """
    order = np.lexsort((received, seq, boot, t0))
    identity = np.stack([t0, boot, seq])[:, order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (identity[:, 1:] != identity[:, :-1]).any(axis=0)
    return order[first]


def pieces(samples: IntArray, limit: int) -> list[tuple[int, int]]:
    """Cuts blocks of these sizes into runs of `limit` samples and one more block at most."""
    total = np.cumsum(samples)
    run = (total - samples) // limit
    cuts = np.flatnonzero(np.diff(run, prepend=-1))
    return list(pairwise([*cuts.tolist(), len(samples)]))


def counted(lengths: IntArray) -> IntArray:
    """Counts from 0 for each length, one after the other: (2, 3) gives 0 1 0 1 2."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
