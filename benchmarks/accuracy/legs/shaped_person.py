"""Who wears what: the muscle tone and spectra of a person, and the converter, noise and rates of the device."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

GM, GL, SOL, TA = "gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus", "tibialis_anterior"
PER, VL, BF, RF = "peroneus_longus", "vastus_lateralis", "biceps_femoris", "rectus_femoris"
EVERY_SITE = (GM, GL, SOL, TA, PER, VL, BF, RF)
CALF = (GM, GL, SOL)

EMG_RATES_HZ = (200.0, 250.0, 500.0, 1000.0, 10000 / 9, 34000 / 27, 2000.0, 4000.0)
ACC_RATES_HZ = (20.0, 25.0, 26.0, 31.25, 50.0, 52.0, 100.0)
SPECTRA_HZ = {  # corners of f^2 / ((f^2 + low^2)(f^2 + high^2)^2), the shape of Shwedyk 1977 and Stulen & De Luca 1981
    GM: (42, 105),
    GL: (42, 110),
    SOL: (34, 90),
    TA: (45, 115),
    PER: (45, 110),
    VL: (32, 80),
    BF: (34, 90),
    RF: (34, 85),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wearer:
    """A person: everything about the muscles is in units of that person's own resting RMS."""

    rest_uv: FloatArray  # (C,) resting RMS of muscle tone and amplifier noise together
    tone: float  # part of the resting amplitude that is muscle; the remainder in quadrature is noise
    mvc: float  # RMS of the strongest voluntary contraction over the resting RMS
    corners_hz: FloatArray  # (C, 2) of the voluntary spectrum
    crosstalk: FloatArray  # (C, C) of amplitudes; the diagonal is one
    stride_hz: float  # of comfortable walking


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A wearable: sites, rates, converter and what its electronics add."""

    sites: tuple[str, ...]
    emg_fs_hz: float
    emg_scale_uv: float
    rail_counts: int  # the amplifier saturates here, at or below the converter's own limit
    highpass_hz: float
    wander_uv: float
    mains_hz: float
    hum_uv: float
    harmonics: FloatArray  # relative amplitudes of the 2nd to 5th
    acc_fs_hz: float | None
    acc_scale_g: float
    acc_noise_g: float
    acc_bias_g: FloatArray  # (3,)
    mount: FloatArray  # (3, 3) from the shank's axes (knee, front, outside) to the device's


def log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_sites(rng: Generator, *, most: int = 8, two_calf_heads: bool = False) -> tuple[str, ...]:
    """Draw the muscles under the electrodes: the medial head first, now and then the front of the shank instead."""
    count = int(rng.choice([1, 2, 3, 4, 8], p=[0.3, 0.3, 0.15, 0.15, 0.1]))
    count = min(max(count, 2 if two_calf_heads else 1), most)
    if rng.random() < 0.06 and not two_calf_heads:
        return (TA, *rng.permutation([GM, PER, GL, SOL])[: min(count, 4) - 1].tolist())
    if count == 2:
        others = [GL, SOL] if two_calf_heads else [GL, TA, SOL, PER]
        weights = [0.6, 0.4] if two_calf_heads else [0.45, 0.3, 0.15, 0.1]
        return GM, str(rng.choice(others, p=weights))
    if count == 3:
        return GM, GL, str(rng.choice([TA, SOL]))
    return EVERY_SITE[:count]


def draw_wearer(rng: Generator, sites: tuple[str, ...]) -> Wearer:
    rest_uv = log_uniform(rng, 1.5, 8.0)
    stretch = rng.uniform(0.8, 1.2)
    corners = [
        [low * rng.uniform(0.85, 1.15), high * rng.uniform(0.9, 1.1)]
        for low, high in (SPECTRA_HZ[site] for site in sites)
    ]
    return Wearer(
        rest_uv=np.clip(rest_uv * rng.uniform(0.75, 1.3, len(sites)), 1.5, 8.0).astype(np.float32),
        tone=float(rng.uniform(0.4, 0.9)),
        mvc=float(np.clip(log_uniform(rng, 150, 800) / rest_uv, 35, 200)),
        corners_hz=np.asarray(corners, np.float32) * np.float32(stretch),
        crosstalk=draw_crosstalk(rng, sites),
        stride_hz=float(rng.uniform(0.75, 1.05)),
    )


def draw_crosstalk(rng: Generator, sites: tuple[str, ...]) -> FloatArray:
    """Draw how much of each muscle is seen over the others: more between neighbours in the calf."""
    calf = np.isin(sites, CALF)
    leak = np.where(np.outer(calf, calf), rng.uniform(0.02, 0.10), rng.uniform(0.002, 0.02))
    leak = leak * rng.uniform(0.6, 1.4, leak.shape)
    np.fill_diagonal(leak, 1.0)
    return leak.astype(np.float32)


def draw_device(rng: Generator, *, sites: tuple[str, ...], rates_hz: tuple[float, ...] = EMG_RATES_HZ) -> Device:
    affordable = [rate for rate in rates_hz if rate * len(sites) <= 8000]
    emg_fs_hz = float(rng.choice(affordable))
    scale_uv = log_uniform(rng, 0.1, 0.5)
    has_acc = rng.random() > 0.2
    return Device(
        sites=sites,
        emg_fs_hz=emg_fs_hz,
        emg_scale_uv=scale_uv,
        rail_counts=int(32767 * rng.choice([1.0, rng.uniform(0.7, 1.0)])),
        highpass_hz=float(rng.choice([0.5, 1.0, 5.0, 10.0])),
        wander_uv=log_uniform(rng, 0.5, 15.0),
        mains_hz=float(rng.choice([50.0, 60.0]) * (1 + rng.normal(0, 4e-4))),
        hum_uv=log_uniform(rng, 0.1, 2.0),
        harmonics=(rng.uniform(0, 1, 4) * [0.15, 0.4, 0.1, 0.2]).astype(np.float32),
        acc_fs_hz=float(rng.choice(ACC_RATES_HZ)) if has_acc else None,
        acc_scale_g=float(rng.choice([2, 4, 8, 16])) / 32768 * float(rng.choice([1, 16])),
        acc_noise_g=log_uniform(rng, 0.0008, 0.006),
        acc_bias_g=rng.normal(0, 0.012, 3).astype(np.float32),
        mount=draw_mount(rng),
    )


def draw_mount(rng: Generator) -> FloatArray:
    """Draw the orientation: half lie anyhow, half point their x towards the knee within a few degrees."""
    if rng.random() < 0.5:
        turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        return np.asarray(turned * np.sign(np.linalg.det(turned)), np.float32)
    about, (tilt_y, tilt_z) = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.normal(0, 4, 2))
    cos, sin = np.cos(about), np.sin(about)
    rough = np.array([[1, tilt_y, tilt_z], [-tilt_y, cos, -sin], [-tilt_z, sin, cos]])
    left, _, right = np.linalg.svd(rough)  # the nearest true rotation
    return np.asarray(left @ right, np.float32)
