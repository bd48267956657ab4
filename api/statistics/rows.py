"""Columns of numbers that an analysis takes, checked in one place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.errors import Invalid

DoubleArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Numbers = Sequence[int] | Sequence[float] | Sequence[bool] | NDArray[np.float64] | NDArray[np.int64] | BoolArray


def column(name: str, numbers: Numbers, *, length: int | None = None) -> DoubleArray:
    """One column as floats; every number finite, and as many of them as the other columns have."""
    values = np.asarray(numbers, dtype=np.float64)
    if values.ndim != 1 or (length is not None and len(values) != length):
        raise Invalid(name, f"{name} must be one row of {length if length is not None else 'some'} numbers.")
    if not np.isfinite(values).all():
        raise Invalid(name, f"{name} must be finite numbers; leave out what is missing.")
    return values


def counted(counts: Numbers, exposures: Numbers) -> tuple[DoubleArray, DoubleArray]:
    """Counts and the exposures that they were counted in. Where there was no exposure nothing can have been counted."""
    number = column("counts", counts)
    exposure = column("exposures", exposures, length=len(number))
    if (number < 0).any() or (exposure < 0).any():
        raise Invalid("counts", "Counts and exposures must not be negative.")
    if (number[exposure == 0] > 0).any():
        raise Invalid("exposures", "A count above zero needs an exposure above zero.")
    return number, exposure


def flags(name: str, numbers: Numbers, *, length: int) -> DoubleArray:
    """A column of 0 and 1."""
    values = column(name, numbers, length=length)
    if not np.isin(values, (0.0, 1.0)).all():
        raise Invalid(name, f"{name} must be 0 or 1 in every row.")
    return values
