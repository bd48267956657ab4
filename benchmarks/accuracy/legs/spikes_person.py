"""Who wears the device and what it is made of: everything about a recording that does not change during it.

Accelerometer: specific force of the shank, +1 g along whatever points up at rest. The maker's axes are one of four
conventions (`_MOUNTS`; rows are sensor x, y, z; columns are proximal, anterior, lateral of the leg), and the strap adds
up to 15° of its own. Resting RMS: tone and electrode noise together, without hum and without drift below 10 Hz.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FloatArray = NDArray[np.float64]

GM, GL, SOL, TA = "gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus", "tibialis_anterior"
PER, VL, RF, BF = "peroneus_longus", "vastus_lateralis", "rectus_femoris", "biceps_femoris"
MUSCLES = (GM, GL, SOL, TA, PER, VL, RF, BF)
TRICEPS = (GM, GL, SOL)

_NEIGHBOURS = ((GM, GL), (GM, SOL), (GL, SOL), (GL, PER), (SOL, PER), (TA, PER), (VL, RF), (VL, BF))
_MOUNTS = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),  # x up the shank, y to the front
    ((0, 0, -1), (1, 0, 0), (0, -1, 0)),  # y up the shank, z into the leg from the front
    ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),  # y down the shank, z outwards
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),  # z up the shank
)
_SITES = {
    1: ((GM,), (GM,), (GM,), (GL,), (SOL,)),
    2: ((GM, TA), (GM, GL), (GM, TA), (GM, SOL), (GL, TA)),
    4: ((GM, GL, SOL, TA), (GM, GL, TA, PER)),
    8: (MUSCLES,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A wearer, the skin under the electrodes and the device on it."""

    sites: tuple[str, ...]
    fs_hz: float
    scale_uv: float
    rail: int  # counts at which the converter ends
    offset: int  # counts
    highpass_hz: float  # of the amplifier
    rest_uv: FloatArray  # (C,)
    noise_share: FloatArray  # (C,) of the resting power that is electrode and amplifier noise
    mvc_uv: dict[str, float]  # RMS at full effort, by muscle
    mix: FloatArray  # (C, M) gain from each muscle to each channel
    tissue: float  # stretches potentials; more of it between muscle and electrode
    isi_cv: float  # of a voluntary contraction
    skin: float  # RMS of a motion artefact at moderate movement, in resting RMS
    mains_hz: float
    hum_uv: FloatArray  # (C,)
    has_acc: bool
    acc_fs_hz: float
    acc_scale_g: float
    acc_range_g: float
    acc_noise_g: float
    acc_bias_g: FloatArray  # (3,)
    mount: FloatArray  # (3, 3) leg axes to sensor axes


def draw_person(rng: np.random.Generator, *, fs_hz: tuple[float, ...] = (), channels: tuple[int, ...] = ()) -> Person:
    """Draw a wearer and a device, from the given rates and numbers of channels where any are given."""
    count = int(rng.choice(channels or (1, 2, 4, 8), p=None if channels else (0.35, 0.35, 0.2, 0.1)))
    rate = float(rng.choice(fs_hz or _rates(count)))
    sites = _SITES[count][rng.integers(len(_SITES[count]))]
    rest_uv = np.exp(rng.normal(np.log(3.0), 0.45)) * np.exp(rng.normal(0, 0.2, count))
    bits = rng.choice((12, 16), p=(0.25, 0.75))
    rail = 2047 if bits == 12 else 32767
    mvc_uv = {muscle: float(rest_uv.mean() * np.exp(rng.uniform(np.log(50), np.log(160)))) for muscle in MUSCLES}
    fine = float(rng.choice((0.05, 0.1, 0.25, 0.5)))
    acc_range, acc_bits = float(rng.choice((2, 4, 8, 16))), int(rng.choice((12, 14, 16)))
    return Person(
        sites=sites,
        fs_hz=rate,
        scale_uv=max(
            fine if bits == 16 else float(rest_uv.min() * rng.uniform(0.25, 0.6)), 6 * max(mvc_uv.values()) / rail
        ),
        rail=rail,
        offset=int(rng.integers(-60, 60)) if rng.random() < 0.3 else 0,
        highpass_hz=float(rng.choice((0.5, 5.0, 10.0, 20.0))),
        rest_uv=rest_uv,
        noise_share=rng.uniform(0.3, 0.85, count),
        mvc_uv=mvc_uv,
        mix=_mix(rng, sites),
        tissue=rng.uniform(0.85, 1.2),
        isi_cv=rng.uniform(0.10, 0.20),
        skin=float(np.exp(rng.uniform(np.log(0.5), np.log(12)))),
        mains_hz=float(rng.choice((50.0, 60.0))),
        hum_uv=rest_uv * np.exp(rng.uniform(np.log(0.02), np.log(0.6), count)),
        has_acc=bool(rng.random() > 0.2),
        acc_fs_hz=float(rng.choice((25.0, 26.0, 31.25, 50.0, 52.0, 100.0))),
        acc_scale_g=acc_range / 2 ** (acc_bits - 1),
        acc_range_g=acc_range,
        acc_noise_g=rng.uniform(0.001, 0.004),
        acc_bias_g=rng.normal(0, 0.015, 3),
        mount=_mount(rng),
    )


def _rates(count: int) -> tuple[float, ...]:
    """Rates on the market; many channels come slower."""
    common = (250.0, 500.0, 512.0, 1000.0, 1000.0)
    return common if count == 8 else (*common, 200.0, 256.0, 1024.0, 1259.0, 1926.0, 2000.0, 2048.0, 4000.0)


def _mix(rng: np.random.Generator, sites: tuple[str, ...]) -> FloatArray:
    mix = np.zeros((len(sites), len(MUSCLES)))
    for channel, site in enumerate(sites):
        for column, muscle in enumerate(MUSCLES):
            if muscle == site:
                mix[channel, column] = 1.0
            elif (muscle, site) in _NEIGHBOURS or (site, muscle) in _NEIGHBOURS:
                mix[channel, column] = rng.uniform(0.02, 0.10)
            elif {muscle, site} <= {*TRICEPS, TA}:
                mix[channel, column] = rng.uniform(0.0, 0.03)
    return mix


def _mount(rng: np.random.Generator) -> FloatArray:
    convention = np.array(_MOUNTS[rng.integers(len(_MOUNTS))], dtype=np.float64)
    axis = rng.normal(size=3)
    strap = Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.radians(rng.uniform(0, 15)))
    return np.asarray(convention @ strap.as_matrix(), dtype=np.float64)
