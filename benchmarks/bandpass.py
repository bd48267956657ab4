"""The yardstick: what any EMG program does first, one band-pass of SciPy over the same samples in double precision."""

import time
from typing import Final

import numpy as np
from scipy.signal import butter, sosfilt

from benchmarks.streams import SCALE_UV, Legs

BAND_HZ: Final = (20.0, 450.0)


def time_sosfilt(legs: Legs, *, block_s: int = 1) -> float:
    """Seconds for one Butterworth band-pass of order 4 over the EMG, block by block, its memory carried on."""
    fs_hz = legs.layout.groups[0].fs_hz
    sos = butter(4, (BAND_HZ[0], min(BAND_HZ[1], 0.45 * fs_hz)), "bandpass", fs=fs_hz, output="sos")
    memory = np.zeros((sos.shape[0], *legs.emg.shape[:2], 2))
    blocks = [np.multiply(chunk.samples[0], SCALE_UV, dtype=np.float64) for chunk in legs.chunks(block_s)]
    begun = time.process_time()
    for block in blocks:
        _, memory = sosfilt(sos, block, axis=-1, zi=memory)
    return time.process_time() - begun
