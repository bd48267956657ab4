"""From stored epochs of one device to what they say of sleep and wear. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from api.coverage import EPOCH_NS, Interval
from api.nights import Rest
from detector.posture import Motion
from detector.sleep import sleep_window
from detector.wear import lies_about
from ingest.store import Epoch

WORN_S: Final = 5.0  # of the ten seconds


def motion_of(epochs: Sequence[Epoch]) -> Motion:
    """Join the epochs of all sites, ordered by start: one accelerometer, and the EMG of all sites together."""
    rows = [(e.start_ns, e.angle_deg, e.movement_g, e.worn_s, e.rms_uv) for e in epochs]
    start_ns = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    values = np.array([row[1:] for row in rows], np.float64).reshape(-1, 4).T
    if not rows:
        return Motion(start_ns, values[0], values[1], np.zeros(0, np.bool_), values[3])
    first = np.flatnonzero(np.diff(start_ns, prepend=start_ns[0] - 1))
    power = np.add.reduceat(np.nan_to_num(values[3]) ** 2, first)
    heard = np.logical_or.reduceat(np.isfinite(values[3]), first)
    return Motion(
        start_ns=start_ns[first],
        angle_deg=values[0][first],
        movement_g=values[1][first],
        worn=np.maximum.reduceat(values[2], first) >= WORN_S,
        rms_uv=np.where(heard, np.sqrt(power), np.nan),
    )


def rest_of(epochs: Sequence[Epoch], *, search: Interval, night: Interval) -> Rest:
    """What a device showed about one night; its epochs reach some hours beyond the search, to judge wear."""
    motion = motion_of(epochs)
    about = lies_about(motion)
    motion = replace(motion, worn=motion.worn & ~about)
    at = motion.start_ns
    watched_ns = EPOCH_NS * int(motion.worn[(at >= night[0]) & (at < night[1])].sum())
    inside = about & (at >= search[0]) & (at < search[1])
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return Rest(
        sleep=sleep_window(motion, start_ns=search[0], end_ns=search[1]),
        watched=watched_ns / (night[1] - night[0]),
        off=tuple(zip(at[edges[::2]].tolist(), (at[edges[1::2] - 1] + EPOCH_NS).tolist(), strict=True)),
    )
