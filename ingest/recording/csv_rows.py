"""Columns of a text, read by Arrow about a megabyte at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow.csv as pacsv

BLOCK: Final = 1 << 20  # bytes that are read at once
MISSING: Final = ("", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "null", "NULL", "None", "-", "--", "#N/A",
                  "inf", "-inf")  # fmt: skip


def read_csv(
    path: Path,
    *,
    skip: int,
    columns: int,
    kinds: dict[str, Any],
    delimiter: str,
    decimal: str,
    encoding: str,
    odd: Callable[[Any], str],
) -> Iterator[Any]:
    """Record batches of the columns in `kinds`, which are named by their number."""
    with pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=BLOCK, skip_rows=skip, column_names=[str(k) for k in range(columns)],
            encoding=encoding,
        ),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=odd),
        convert_options=pacsv.ConvertOptions(
            column_types=kinds, include_columns=list(kinds), null_values=MISSING, strings_can_be_null=True,
            decimal_point=decimal,
        ),
    ) as reader:  # fmt: skip
        yield from reader
