"""How sure: what speaks for a voluntary hold rather than a cramp, and the confidence that remains.

The signs are those that separate the two in the literature: one gastrocnemius head cramps while the other stays
silent (Khan & Burne 2007), people hold on tiptoe upright, and a willed act begins with a movement where a cramp
comes out of stillness. Weights are a convention, not yet calibrated.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray
from detector.params import Params

UPRIGHT: Final = 1.5
COACTIVE: Final = 2.25
ALONE: Final = -1.5
UNSEEN: Final = 1.5  # upright, and no usable second channel to show whether the other head works too
MOVED: Final = 1.5
COLD: Final = 4.0
BASE: Final = 1.5
WATCHED: Final = 0.5  # an accelerometer would have shown a willed movement
LASTING: Final = 0.5  # per natural logarithm of active seconds over hold_s, up to five times


@dataclass(frozen=True, slots=True)
class Signs:
    """What was seen of A candidates until they opened, each an array `(A,)`."""

    upright: FloatArray  # share of active seconds upright
    coactive: FloatArray  # mean of second over first channel; NaN where no second one could be used
    moved: NDArray[np.bool_]  # the leg moved shortly before onset
    cold: NDArray[np.bool_]  # the rest level was young at onset: what is taken for rest may have been standing
    active_s: FloatArray
    acc: NDArray[np.bool_]  # whether there is an accelerometer


def voluntary(signs: Signs, params: Params) -> FloatArray:
    """What speaks for a voluntary hold, `(A,)`, in log-odds: posture, both heads, movement just before."""
    upright = signs.upright > 0.5
    points = UPRIGHT * upright + MOVED * signs.moved + COLD * (upright & signs.cold)
    other = np.where(signs.coactive > params.coactive, COACTIVE, ALONE)
    points = points + np.where(np.isnan(signs.coactive), UNSEEN * upright, other)
    total: FloatArray = np.maximum(points, 0).astype(np.float32)
    return total


def confidence(signs: Signs, params: Params) -> FloatArray:
    """Belief, `(A,)`, 0-1, that the activity is a cramp: logistic in the signs."""
    outlasts = np.clip(np.log(np.maximum(signs.active_s, 1) / params.hold_s), 0, np.log(5))
    z = BASE + WATCHED * signs.acc + LASTING * outlasts - voluntary(signs, params)
    belief: FloatArray = (1 / (1 + np.exp(-z))).astype(np.float32)
    return belief
