"""Many parts of a date to one, a group of rows at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ingest.archive.keys import COLUMNS, Keys, chosen, counted, joined, keys, pieces, unique
from ingest.archive.layout import part_paths
from ingest.archive.part import GROUP_SAMPLES, Draft, drafting, sync_folder
from ingest.archive.reading import Part, open_parts

AT_ONCE: Final = 64  # parts merged at once: a group of rows of each may have to be in memory


def merge(folder: Path) -> None:
    """Leave one part, sorted and without repetition, of those that are there now.

    The new part has its name before the old ones lose theirs: a kill in between leaves blocks twice, never none.
    """
    paths = part_paths(folder)
    while len(paths) > 1:
        paths = [*paths[AT_ONCE:], _merged(folder, paths[:AT_ONCE])]


def _merged(folder: Path, paths: Sequence[Path]) -> Path:
    drafts: list[Draft] = []
    with drafting(drafts):
        with open_parts(folder, only=paths) as parts:
            drafts.append(Draft(folder))
            _write(parts, drafts[0])
        drafts[0].finish()
        drafts[0].publish()
        sync_folder(folder)
        for part in parts:
            part.path.unlink(missing_ok=True)
        sync_folder(folder)
    return drafts[0].path


def _write(parts: Sequence[Part], draft: Draft) -> None:
    groups = [(part, group) for part in parts for group in range(len(part.first))]
    every = joined([keys(part.read([group], COLUMNS), number) for number, (part, group) in enumerate(groups)])
    order = chosen(every, unique(t0=every.t0, boot=every.boot, seq=every.seq, received=every.received))
    tables: dict[int, Any] = {}
    for start, stop in pieces(order.samples, GROUP_SAMPLES):
        piece = chosen(order, np.arange(start, stop))
        needed = np.unique(piece.table).tolist()
        # The parts are sorted too: what the last piece needed, this one may need the rest of, and no later one.
        tables = {k: tables[k] if k in tables else groups[k][0].read([groups[k][1]]) for k in needed}
        draft.write(_rows(tables, piece))


def _rows(tables: dict[int, Any], piece: Keys) -> Any:
    """The rows of these blocks, in their order."""
    numbers = sorted(tables)
    begins = np.cumsum([0] + [tables[k].num_rows for k in numbers])
    first = begins[np.searchsorted(numbers, piece.table)] + piece.first
    places = np.repeat(first, piece.rows) + counted(piece.rows)
    every = pa.concat_tables([tables[k] for k in numbers])
    if len(places) and (np.diff(places) == 1).all():
        return every.slice(int(places[0]), len(places))
    return every.take(pa.array(places))
