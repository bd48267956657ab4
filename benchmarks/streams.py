"""What the detector benchmarks feed: legs at rest, some of which contract, each with a clock of its own."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector import Chunk, Group, Layout, start, update
from detector.layout import CountArray, FloatArray

EMG_FS_HZ: Final = 1000
ACC_FS_HZ: Final = 50
T0_NS: Final = 1_790_000_000_000_000_000
SECOND_NS: Final = 1_000_000_000
SCALE_UV: Final = 0.25
SCALE_G: Final = 1 / 4096
REST_UV: Final = 4.0
ACTIVE_UV: Final = 80.0
ACTIVE_SHARE: Final = 0.05  # of the legs; more than a night has, so that episodes cost what they cost


def layout_of(fs_hz: float = EMG_FS_HZ, channels: int = 1) -> Layout:
    """EMG of so many channels, and acceleration."""
    return Layout((Group("emg", float(fs_hz), channels), Group("acc", float(ACC_FS_HZ), 3)))


LAYOUT: Final = layout_of()


@dataclass(frozen=True, slots=True)
class Legs:
    """Recordings of S legs of one layout: int16 `(S, C, n)` by group, and when each begins."""

    layout: Layout
    samples: tuple[CountArray, ...]
    t0_ns: NDArray[np.int64]

    @property
    def emg(self) -> CountArray:
        return self.samples[0]

    @property
    def streams(self) -> int:
        return len(self.t0_ns)

    @property
    def seconds(self) -> int:
        return int(self.emg.shape[-1] / self.layout.groups[0].fs_hz + 1e-6)

    @property
    def scale(self) -> tuple[FloatArray, ...]:
        units = [SCALE_UV if group.kind == "emg" else SCALE_G for group in self.layout.groups]
        return tuple(
            np.full((self.streams, group.channels), unit, np.float32)
            for group, unit in zip(self.layout.groups, units, strict=True)
        )

    def chunks(self, block_s: int = 1) -> Iterator[Chunk]:
        """The recordings, block by block."""
        scale, fs_hz = self.scale, [group.fs_hz for group in self.layout.groups]
        for second in range(0, self.seconds, block_s):
            edges = [(round(second * fs), round((second + block_s) * fs)) for fs in fs_hz]
            yield Chunk(
                t0_ns=self.t0_ns + round(edges[0][0] / fs_hz[0] * SECOND_NS),
                samples=tuple(
                    np.ascontiguousarray(x[:, :, a:b]) for x, (a, b) in zip(self.samples, edges, strict=True)
                ),
                scale=scale,
            )


def make_legs(
    streams: int,
    *,
    seconds: int,
    layout: Layout = LAYOUT,
    active_share: float = ACTIVE_SHARE,
    in_step: bool = False,
    seed: int = 7,
) -> Legs:
    """Noise at rest level; `active_share` of the legs contract through the middle third. Their clocks begin anywhere
    within ten seconds, unless they are `in_step`."""
    rng = np.random.default_rng(seed)
    emg, acc = layout.groups
    n, m = round(seconds * emg.fs_hz), round(seconds * acc.fs_hz)
    noise = rng.standard_normal((streams, emg.channels, n), dtype=np.float32) * np.float32(REST_UV / SCALE_UV)
    active = round(streams * active_share)
    noise[:active, :, n // 3 : 2 * n // 3] *= np.float32(ACTIVE_UV / REST_UV)
    still = rng.standard_normal((streams, 3, m), dtype=np.float32) * np.float32(8)
    still[:, 2] += 4096
    late_ns = rng.integers(0, 10 * SECOND_NS, streams)
    return Legs(
        layout=layout,
        samples=(noise.astype(np.int16), still.astype(np.int16)),
        t0_ns=T0_NS + (np.zeros_like(late_ns) if in_step else late_ns),
    )


def time_detector(legs: Legs, *, block_s: int = 1) -> float:
    """Seconds for the detector to take in the recordings, block by block."""
    chunks = list(legs.chunks(block_s))
    state = start(legs.layout, legs.streams)
    begun = time.process_time()
    for chunk in chunks:
        _, state = update(state, chunk)
    return time.process_time() - begun
