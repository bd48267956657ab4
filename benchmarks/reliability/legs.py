"""Blocks of made-up legs, small and quick: rest at 200 Hz with bursts as ragged as cramps, and a still shank."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.wire import Block, Signal, encode

EMG_HZ: Final = 200.0
ACC_HZ: Final = 10.0
SECOND_NS: Final = 1_000_000_000
SITE: Final = "soleus"
QUIET_S: Final = 60  # at both ends of a stretch: the wearer's rest is learnt, and what is open ends
BURST_S: Final = (25, 60)
APART_S: Final = (120, 480)  # from one to the next

Key = tuple[int, int]  # boot, seq


@dataclass(frozen=True, slots=True)
class Sent:
    """One block as a device sends it."""

    key: Key
    t0_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Signal without a pause: `seconds` from `start_ns`, in blocks of `block_s`; `seed` says which leg."""

    seed: int
    start_ns: int
    seconds: int
    block_s: float = 1.0

    def emg(self) -> NDArray[np.int16]:
        """Counts (n,): rest at 3 µV, and bursts ten times that."""
        rng = np.random.default_rng((self.seed, self.start_ns // SECOND_NS))
        n = int(self.seconds * EMG_HZ)
        level = np.full(n, 30.0)
        first_s = QUIET_S + rng.uniform(5, 25)
        while first_s < self.seconds - QUIET_S - BURST_S[1]:
            last_s = first_s + rng.uniform(*BURST_S)
            level[int(first_s * EMG_HZ) : int(last_s * EMG_HZ)] = 300.0
            first_s = last_s + rng.uniform(*APART_S)
        return counts(level, rng)

    def blocks(self, *, boot: int = 1, first_seq: int = 0) -> list[Sent]:
        """All blocks in order."""
        emg = self.emg()
        size = round(self.block_s * EMG_HZ)
        found = []
        for i in range(math.ceil(len(emg) / size)):
            t0_ns = self.start_ns + round(i * size * SECOND_NS / EMG_HZ)
            seq = first_seq + i
            payload = encode(block(emg[i * size : (i + 1) * size], boot=boot, seq=seq, t0_ns=t0_ns))
            found.append(Sent((boot, seq), t0_ns, payload))
        return found


def counts(level: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    """Noise (n,) of this size at each sample; where it is large it is as ragged as a cramp."""
    n = len(level)
    ragged = np.repeat(rng.uniform(0.4, 1.6, n // 20 + 1), 20)[:n]
    return np.asarray(rng.normal(size=n) * level * np.where(level > 100, ragged, 1), np.int16)


def block(
    emg: NDArray[np.int16],
    *,
    boot: int,
    seq: int,
    t0_ns: int,
    site: str = SITE,
    fs_hz: float = EMG_HZ,
    scale: float = 0.1,
) -> Block:
    """One block of these counts; the shank lies still."""
    still = np.repeat(np.array([[0], [0], [4096]], "<i2"), max(1, round(len(emg) * ACC_HZ / fs_hz)), axis=1)
    return Block(
        boot=boot,
        seq=seq,
        t0=t0_ns,
        signals=(
            Signal(kind="emg", site=site, fs_hz=fs_hz, scale=scale, channels=1, samples=emg.astype("<i2").tobytes()),
            Signal(kind="acc", site="shank", fs_hz=ACC_HZ, scale=1 / 4096, channels=3, samples=still.tobytes()),
        ),
    )
