"""What the detector benchmarks feed: legs at rest, some of which contract."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector import Chunk, Group, Layout

EMG_FS_HZ: Final = 1000
ACC_FS_HZ: Final = 50
LAYOUT: Final = Layout((Group("emg", float(EMG_FS_HZ), 1), Group("acc", float(ACC_FS_HZ), 3)))
T0_NS: Final = 1_790_000_000_000_000_000
SCALE_UV: Final = 0.25
REST_UV: Final = 4.0
ACTIVE_UV: Final = 80.0
ACTIVE_SHARE: Final = 0.05  # of the legs; more than a night has, so that episodes cost what they cost


@dataclass(frozen=True, slots=True)
class Legs:
    """Recordings of S legs: int16 `(S, 1, n)` EMG and `(S, 3, m)` acceleration."""

    emg: NDArray[np.int16]
    acc: NDArray[np.int16]

    @property
    def streams(self) -> int:
        return len(self.emg)

    @property
    def seconds(self) -> int:
        return int(self.emg.shape[-1]) // EMG_FS_HZ

    def chunks(self) -> Iterator[Chunk]:
        """The recordings second by second."""
        scale = (
            np.full((self.streams, 1), SCALE_UV, np.float32),
            np.full((self.streams, 3), 1 / 4096, np.float32),
        )
        for second in range(self.seconds):
            yield Chunk(
                t0_ns=np.full(self.streams, T0_NS + second * 1_000_000_000),
                samples=(
                    np.ascontiguousarray(self.emg[:, :, second * EMG_FS_HZ : (second + 1) * EMG_FS_HZ]),
                    np.ascontiguousarray(self.acc[:, :, second * ACC_FS_HZ : (second + 1) * ACC_FS_HZ]),
                ),
                scale=scale,
            )


def make_legs(streams: int, *, seconds: int, active_share: float = ACTIVE_SHARE, seed: int = 7) -> Legs:
    """Noise at rest level; `active_share` of the legs contract through the middle third."""
    rng = np.random.default_rng(seed)
    n = seconds * EMG_FS_HZ
    emg = rng.standard_normal((streams, n), dtype=np.float32) * np.float32(REST_UV)
    active = max(1, round(streams * active_share))
    emg[:active, n // 3 : 2 * n // 3] *= np.float32(ACTIVE_UV / REST_UV)
    acc = rng.standard_normal((streams, 3, seconds * ACC_FS_HZ), dtype=np.float32) * np.float32(8)
    acc[:, 2] += 4096
    return Legs((emg[:, None, :] / np.float32(SCALE_UV)).astype(np.int16), acc.astype(np.int16))
