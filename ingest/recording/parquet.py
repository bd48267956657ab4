"""Parquet: a column is a channel; its unit is in its name or its metadata, and so may be its rate."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import RecordingError
from ingest.recording.arrow import ArrowRows, clock_of, is_number
from ingest.recording.clock import is_time
from ingest.recording.options import Options
from ingest.recording.source import Source
from ingest.recording.table import table_source
from ingest.recording.units import plain

ROWS: Final = 65_536
BUFFER: Final = 1 << 20  # bytes of a column that are read at once, where a group of rows may be the whole file
UNIT_KEYS: Final = (b"unit", b"units", b"physical_dimension")
RATE_KEYS: Final = (b"fs_hz", b"fs", b"rate_hz", b"sampling_rate", b"sampling_frequency", b"sample_rate")


def open_parquet_source(path: Path, options: Options) -> Source:
    """Open a Parquet file, or raise `RecordingError`."""
    try:
        with _open(path) as file:
            schema = file.schema_arrow
            time = next((f for f in schema if is_time(f.name) or pa.types.is_timestamp(f.type)), None)
            head = next(file.iter_batches(1000, columns=[time.name]), None) if time is not None else None
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path}: is damaged: {' '.join(str(error).split())}") from error
    columns = [f for f in schema if is_number(f.type) and (time is None or f.name != time.name)]
    clock = clock_of(time.name, head.column(0)) if time is not None and head and not options.rate else None
    stated = next((r for one in (schema, *columns) if (r := _stated(one.metadata, RATE_KEYS))), "")
    if clock is None and not options.rate and stated:
        options = replace(options, rate=_rate(path, stated))
    rows = ArrowRows(
        path=path,
        names=tuple(f.name for f in columns),
        units=tuple(plain(_stated(f.metadata, UNIT_KEYS)) for f in columns),
        clock=clock,
        read=lambda names: _read(path, names),
    )
    return table_source(path, rows, options, form="Parquet", clock=clock)


def _open(path: Path) -> Any:
    return pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)


def _read(path: Path, names: list[str]) -> Iterator[Any]:
    with _open(path) as file:
        for batch in file.iter_batches(ROWS, columns=names, use_threads=False):
            yield batch.select(names)  # it keeps the file's order


def _stated(metadata: Any, keys: tuple[bytes, ...]) -> str:
    """What metadata say under one of the keys."""
    said = {key.lower(): value for key, value in (metadata or {}).items()}
    return next((said[key].decode("utf-8", "replace") for key in keys if key in said), "")


def _rate(path: Path, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < inf:
        raise RecordingError(f"{path}: states the rate {text!r}, which is no rate. Say it: --rate 1000")
    return rate
