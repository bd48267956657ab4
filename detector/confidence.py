"""How sure: what speaks for a voluntary hold rather than a cramp, and the confidence that remains.

The signs are those that separate the two in the literature: one gastrocnemius head cramps while the other stays
silent (Khan & Burne 2007), discharge in cramp is irregular (ISI CV 45 %, Minetto 2009) where voluntary contraction
is smooth, and people hold on tiptoe upright. Weights are a convention, not yet calibrated.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray
from detector.params import Params

UPRIGHT: Final = 1.0
COACTIVE: Final = 1.5
SMOOTH: Final = 1.0
SUSPECT: Final = 2.0  # points from which an activity must outlast a voluntary hold


@dataclass(frozen=True, slots=True)
class Signs:
    """What was seen of A candidates, each an array `(A,)`, shares 0-1."""

    upright: FloatArray  # share of active seconds upright
    coactive: FloatArray  # mean of second over first channel; 0 with one channel
    cv: FloatArray  # mean variation of the envelope
    moving: FloatArray  # share of active seconds with the leg moving
    active_s: FloatArray
    acc: NDArray[np.bool_]  # whether there is an accelerometer


def voluntary(signs: Signs, params: Params) -> FloatArray:
    """Points for a voluntary hold, `(A,)`, 0 to 3.5."""
    points = UPRIGHT * (signs.upright > 0.5)
    points = points + COACTIVE * (signs.coactive > params.coactive)
    total: FloatArray = (points + SMOOTH * (signs.cv < params.smooth_cv)).astype(np.float32)
    return total


def confidence(signs: Signs, params: Params) -> FloatArray:
    """Probability-like belief, `(A,)`, that the activity is a cramp: logistic in the signs."""
    outlasts = np.log(np.maximum(signs.active_s, 1) / params.hold_s)
    z = 1.5 + 0.5 * signs.acc + 0.5 * outlasts - 1.0 * voluntary(signs, params) - 2.0 * signs.moving
    belief: FloatArray = (1 / (1 + np.exp(-z))).astype(np.float32)
    return belief
