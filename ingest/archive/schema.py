"""What a row of the archive holds: one channel of one signal of one block, with units, and how it is encoded."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

VERSION: Final = 1
UNITS: Final = {"emg": "uV", "acc": "g"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Arrow type, its unit ("" where it has none), and what it means."""

    name: str
    type: Any
    unit: str
    meaning: str
    nullable: bool = False


_TIME: Final = pa.timestamp("ns", "UTC")
_SAMPLES: Final = pa.list_(pa.field("element", pa.int16(), nullable=False))

# Told by the folders; Parquet readers that know Hive's layout add them to the rows.
FOLDERS: Final = (
    Column("device", pa.string(), "", "device id"),
    Column("date", pa.string(), "", "UTC date of `t0`; `undated` where `t0` lies before 2020 or after 2099"),
)
COLUMNS: Final = (
    Column("boot", pa.int64(), "", "the device's count of starts"),
    Column("seq", pa.int64(), "", "the block's number within `boot`"),
    Column("signal", pa.int8(), "", "the signal's place in the block, from 0"),
    Column("channel", pa.int8(), "", "the channel within the signal, from 0"),
    Column("kind", pa.string(), "", "`emg` or `acc`"),
    Column("site", pa.string(), "", "muscle, or place of the accelerometer"),
    Column("unit", pa.string(), "", "what a sample times `scale` is in: `uV` (emg) or `g` (acc)"),
    Column("fs_hz", pa.float64(), "Hz", "sampling rate"),
    Column("scale", pa.float64(), "`unit` per count", "what one count is worth"),
    Column("t0", _TIME, "", "first sample, by the device's clock; null where undated", nullable=True),
    Column("t0_ns", pa.int64(), "ns", "the same since 1970, as the device sent it, also where undated"),
    Column("received", _TIME, "", "when the block came in, by the service's clock"),
    Column("named", pa.bool_(), "", "whether the block itself named its device"),
    Column("n", pa.int32(), "samples", "length of `samples`"),
    Column("samples", _SAMPLES, "counts", "the samples, without a gap"),
)
SCHEMA: Final = pa.schema(
    [
        pa.field(column.name, column.type, nullable=column.nullable, metadata={"unit": column.unit})
        for column in COLUMNS
    ],
    metadata={
        "charley.archive": str(VERSION),
        "charley.columns": json.dumps({c.name: {"unit": c.unit, "meaning": c.meaning} for c in COLUMNS}),
    },
)
# Differences between samples need half the bits of the int32 that Parquet would write for an int16: 40 % of the raw
# size less than plain pages leave under the same zstd. All of it is Parquet 2.0, which every reader has.
WRITING: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["boot", "signal", "channel", "kind", "site", "unit", "fs_hz", "scale", "n"],
    "column_encoding": dict.fromkeys(("seq", "t0", "t0_ns", "received", "samples.list.element"), "DELTA_BINARY_PACKED"),
    "write_statistics": ["kind", "site", "t0", "t0_ns", "received"],
    "write_page_checksum": True,
}
