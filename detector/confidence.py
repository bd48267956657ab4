"""How sure: what speaks for a willed hold rather than a cramp, and the confidence that remains.

Each sign is one that separates the two in the literature or by the mechanics of a leg: one gastrocnemius head cramps
while the other stays silent (Khan & Burne 2007); people hold on tiptoe upright, and lift their heels first; the motor
units of a cramp waver together at about 1.4 Hz (Minetto 2009); a willed hold begins and stops within a second; a cramp
outlasts it. The weights are in `WEIGHTS`.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray

WEIGHTS: Final = MappingProxyType(
    {
        "base": -3.53,
        "watched": 1.19,
        "upright": -2.8,
        "upright_unseen": -2.24,
        "upright_cold": -4.76,
        "seated": -0.84,
        "unseen": -3.99,
        "both": -7.7,
        "both_upright": -2.1,
        "alone": 2.1,
        "moved": -0.42,
        "stirred": -1.68,
        "minute": 1.68,
        "quiet": 0.56,
        "unusual": 2.59,
        "wobble": 1.89,
        "bursts": -4.48,
        "beat": -2.31,
        "gradual": 1.4,
        "fall": 0.21,
    }
)
LONGEST_WILLED_S: Final = 65.0
STANDS_AT: Final = 6.0  # times rest: up to here the calf of a standing leg may well work
NOT_STANDS_AT: Final = 18.0  # and from here it does more
STANDING: Final = 2.0  # logarithm of an amplitude over what is customary that nobody stands at for a minute
WOBBLE_WILLED: Final = 1.45  # median over real ten-second holds of 16 older people
ALONE: Final = 0.1  # synergist over first channel, above rest: crosstalk
BOTH: Final = 0.5
BEAT_NOISE: Final = 0.1  # of mere noise, and of a cramp


@dataclass(frozen=True, slots=True)
class Signs:
    """What was seen of A candidates, each an array `(A,)`."""

    upright: FloatArray  # share of active seconds upright and away from home, until it opened
    seated: FloatArray  # the same at home
    stirred: FloatArray  # share of active seconds in which the leg moved, until it opened
    coactive: FloatArray  # mean of synergist over first channel; NaN where there is none that could be used
    moved: NDArray[np.bool_]  # the leg moved shortly before onset
    cold: NDArray[np.bool_]  # the rest level was young at onset: what is taken for rest may have been standing
    active_s: FloatArray
    acc: NDArray[np.bool_]  # whether there is an accelerometer
    wobble: FloatArray  # modulation at 1-2 Hz over that at 3-4 Hz
    beat: FloatArray  # strongest line at 3-14 Hz above its neighbours
    quiet_s: FloatArray  # seconds of stillness and silence before onset
    usual: FloatArray  # logarithm of the customary sustained amplitude over rest
    crest: FloatArray  # highest sustained amplitude over rest
    abrupt: FloatArray  # factor of the steepest rise within two seconds, if it led near the crest; else 1
    fall_s: FloatArray  # seconds from half of the crest to the end; NaN before it has ended


def terms(signs: Signs) -> dict[str, FloatArray]:
    """Each sign as the number that is weighed, `(A,)`."""
    upright = signs.upright > 0.5
    unseen = np.isnan(signs.coactive)
    wobble = np.log(np.maximum(signs.wobble, 0.1) / WOBBLE_WILLED)
    both = np.where(unseen, 0, np.clip((signs.coactive - ALONE) / (BOTH - ALONE), 0, 1))
    length = np.maximum(signs.active_s, 1)
    standing = 1 - np.clip(np.log(np.maximum(signs.crest, 1) / STANDS_AT) / np.log(NOT_STANDS_AT / STANDS_AT), 0, 1)
    unusual = np.log(np.maximum(signs.crest, 1)) - signs.usual
    stands = upright | (signs.seated > 0.5)
    values = {
        "base": np.ones(len(upright)),
        "watched": signs.acc,
        "upright": upright * standing,
        "upright_unseen": upright & unseen,
        "upright_cold": upright & signs.cold,
        "seated": signs.seated > 0.5,
        "unseen": unseen,
        "both": both,
        "both_upright": both * stands,
        "alone": np.where(unseen, 0, np.clip(2 - signs.coactive / ALONE, 0, 1)) * (1 - standing),
        "moved": signs.moved,
        "stirred": signs.stirred,
        "minute": (length > LONGEST_WILLED_S) & (~stands | (unusual > STANDING)),
        "quiet": np.log1p(signs.quiet_s / 60),
        "unusual": np.clip(unusual, 0, 2),
        "wobble": np.clip(wobble, -0.5, 0.7),
        "bursts": np.clip(wobble - 1.0, 0, 1),
        "beat": np.clip((signs.beat - BEAT_NOISE) / 0.1, 0, 3),
        "gradual": 1 - np.clip(np.log(np.maximum(signs.abrupt, 1)) / np.log(4), 0, 1),
        "fall": np.where(np.isnan(signs.fall_s), 0, np.log1p(np.clip(signs.fall_s - 1, 0, 10))),
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def confidence(signs: Signs) -> FloatArray:
    """Belief, `(A,)`, 0-1, that the activity is a cramp: logistic in the signs."""
    z = np.zeros(len(signs.active_s), np.float32)
    for name, value in terms(signs).items():
        z = z + np.float32(WEIGHTS[name]) * value
    belief: FloatArray = (1 / (1 + np.exp(-z))).astype(np.float32)
    return belief
