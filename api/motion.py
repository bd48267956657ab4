"""From stored epochs of one device to what they say of sleep and wear. Pure."""

from dataclasses import replace
from typing import Final

import numpy as np

from api.columns import Columns
from api.coverage import EPOCH_NS, Interval
from api.nights import Rest
from detector.posture import Motion
from detector.sleep import sleep_window
from detector.wear import lies_about

WORN_S: Final = 5.0  # of the ten seconds


def motion_of(epochs: Columns) -> Motion:
    """Join the epochs of all sites: one accelerometer, and the EMG of all sites together."""
    start_ns, worn_s = epochs.start_ns, epochs.seconds[1]
    if start_ns.size == 0:
        return Motion(start_ns, epochs.angle_deg, epochs.movement_g, np.zeros(0, np.bool_), epochs.rms_uv)
    first = np.flatnonzero(np.diff(start_ns, prepend=start_ns[0] - 1))
    power = np.add.reduceat(np.nan_to_num(epochs.rms_uv) ** 2, first)
    heard = np.logical_or.reduceat(np.isfinite(epochs.rms_uv), first)
    return Motion(
        start_ns=start_ns[first],
        angle_deg=epochs.angle_deg[first],
        movement_g=epochs.movement_g[first],
        worn=np.maximum.reduceat(worn_s, first) >= WORN_S,
        rms_uv=np.where(heard, np.sqrt(power), np.nan),
    )


def rest_of(epochs: Columns, *, search: Interval, night: Interval) -> Rest:
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
