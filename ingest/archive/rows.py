"""Blocks to rows, a column at a time, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.archive.keys import counted, keys
from ingest.archive.schema import SCHEMA, UNITS
from ingest.archive.values import Archived, IntArray
from ingest.wire import Block, Signal


def rows(blocks: Sequence[Archived], *, dated: bool) -> Any:
    """The table of these blocks: a row for each channel of each signal."""
    signals = [signal for archived in blocks for signal in archived.block.signals]
    channels = np.array([signal.channels for signal in signals], np.int64)
    sizes = np.array([len(signal.samples) for signal in signals], np.int64) // (2 * channels)
    per_block = np.array([len(archived.block.signals) for archived in blocks], np.int64)
    of_block = np.repeat(np.arange(len(blocks)), per_block)  # of each signal
    of_signal = np.repeat(np.arange(len(signals)), channels)  # of each row
    n = sizes[of_signal]
    t0 = _of_rows([archived.block.t0 for archived in blocks], of_block[of_signal])
    values = np.frombuffer(b"".join([signal.samples for signal in signals]), "<i2")
    offsets = np.concatenate([[0], np.cumsum(n)]).astype(np.int32)
    columns = {
        "boot": _of_rows([archived.block.boot for archived in blocks], of_block[of_signal]),
        "seq": _of_rows([archived.block.seq for archived in blocks], of_block[of_signal]),
        "signal": counted(per_block)[of_signal].astype(np.int8),
        "channel": counted(channels).astype(np.int8),
        "kind": _of_rows([signal.kind for signal in signals], of_signal),
        "site": _of_rows([signal.site for signal in signals], of_signal),
        "unit": _of_rows([UNITS[signal.kind] for signal in signals], of_signal),
        "fs_hz": _of_rows([signal.fs_hz for signal in signals], of_signal),
        "scale": _of_rows([signal.scale for signal in signals], of_signal),
        "t0": _times(t0) if dated else pa.nulls(len(t0), SCHEMA.field("t0").type),
        "t0_ns": t0,
        "received": _times(_of_rows([archived.received_ns for archived in blocks], of_block[of_signal])),
        "named": _of_rows([archived.block.device is not None for archived in blocks], of_block[of_signal]),
        "n": n.astype(np.int32),
        "samples": pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=SCHEMA.field("samples").type),
    }
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _of_rows(values: Sequence[object], places: IntArray) -> Any:
    return pa.array(values).take(pa.array(places))


def _times(values: Any) -> Any:
    return values.view(SCHEMA.field("received").type)


class Blocks:
    """The blocks of a table of one device, made one at a time."""

    def __init__(self, table: Any, device: str) -> None:
        table = table.combine_chunks()
        self.keys = keys(table)
        self._device = device
        self._named = table["named"].to_numpy()[self.keys.first].tolist()
        starts = np.flatnonzero(table["channel"].to_numpy() == 0)  # of signals
        self._signals = np.searchsorted(starts, np.append(self.keys.first, table.num_rows)).tolist()
        self._channels = np.diff(starts, append=table.num_rows).tolist()
        self._kind, self._site = (_words(table[name], starts) for name in ("kind", "site"))
        self._fs_hz, self._scale = (table[name].to_numpy()[starts].tolist() for name in ("fs_hz", "scale"))
        samples = table["samples"].combine_chunks()
        bounds = 2 * samples.offsets.to_numpy().astype(np.int64)
        self._bounds = [*bounds[starts].tolist(), int(bounds[-1])]
        self._bytes = memoryview(samples.values.to_numpy().astype("<i2", copy=False)).cast("B")

    def __getitem__(self, place: int) -> Archived:
        block = Block(
            boot=int(self.keys.boot[place]),
            seq=int(self.keys.seq[place]),
            t0=int(self.keys.t0[place]),
            device=self._device if self._named[place] else None,
            signals=tuple(map(self._signal, range(*self._signals[place : place + 2]))),
        )
        return Archived(block, int(self.keys.received[place]))

    def _signal(self, place: int) -> Signal:
        start, stop = self._bounds[place : place + 2]
        return Signal(
            kind=self._kind[place],
            site=self._site[place],
            fs_hz=self._fs_hz[place],
            scale=self._scale[place],
            channels=self._channels[place],
            samples=bytes(self._bytes[start:stop]),
        )


def _words(column: Any, places: IntArray) -> list[Any]:
    """Words of these rows; few are different, so each is made once."""
    coded = column.combine_chunks().dictionary_encode()
    words = coded.dictionary.to_pylist()
    return [words[code] for code in coded.indices.to_numpy()[places].tolist()]
