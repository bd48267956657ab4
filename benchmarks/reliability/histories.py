"""Random histories of a device: what it produced over days, with everything that happens to devices.

A history is the list of its blocks in the order in which it made them: boots with pauses between them, from a moment to
days, pauses within them, blocks of even or ragged lengths, a leg worn elsewhere or with another gain, and blocks that
were lost. `Trouble` adds clocks that are wrong for a while and counters of boots that begin again.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.legs import EMG_HZ, SECOND_NS, block, counts
from ingest.wire import Block

HOUR_NS: Final = 3600 * SECOND_NS
LENGTH_S: Final = 150
BURSTS: Final = (((65, 60),), ((5, 20), (90, 30)), ((0, LENGTH_S),), (), ((140, 10), (30, 8)))  # start, length; seconds
SITES: Final = ("soleus", "tibialis_anterior")
# Around what the service tells apart: jitter, the detector's patience, an epoch, a session's end, a day.
PAUSES_S: Final = (0.03, 0.3, 0.7, 5, 29, 31, 100, 3590, 3599.999, 3600, 3601, 5 * 3600, 26 * 3600)
BETWEEN_S: Final = (0.1, 5, 20, 40, 600, 3590, 3600, 3601, 5 * 3600, 20 * 3600, 30 * 3600, 100 * 3600)
JITTER_S: Final = (-0.2, -0.04, 0.04, 0.2, 0.6, -0.6, -3.0, 3.0)
ASTRAY_S: Final = (-4, 25, 45, -45, 600, -600, -4200, 2 * 3600, -3 * 3600, -20 * 3600, 40 * 3600, 80 * 365 * 86_400)
UNSET: Final = 0  # the clock begins in 1970


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong in the devices themselves."""

    clocks: bool = False
    counters: bool = False


@dataclass(slots=True)
class Wear:
    """Where a device is worn, and how it measures there."""

    site: str = SITES[0]
    fs_hz: float = EMG_HZ
    scale: float = 0.1


def make_history(rng: Random, trouble: Trouble, *, start_ns: int) -> list[Block]:
    """All blocks of one device, in the order in which it made them, without those that it lost."""
    boots = []
    boot, at_ns, wear = rng.choice([0, 1, 5]), start_ns + rng.randint(0, 20 * SECOND_NS), Wear()
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.25:
            wear = _other(rng)
        made, at_ns, wear = _boot(rng, boot, at_ns, wear)
        boots.append(made)
        at_ns += round(rng.choice(BETWEEN_S) * SECOND_NS)
        boot += rng.choice([1, 1, 1, 3])
    if trouble.clocks:
        boots = [_astray(rng, made) for made in boots]
    if trouble.counters:
        since, first = rng.randrange(len(boots)), rng.choice([boots[0][0].boot, 0])
        again = [[msgspec.structs.replace(b, boot=first + i) for b in made] for i, made in enumerate(boots[since:])]
        boots = [*boots[:since], *again]
    return [b for made in boots for b in _kept(rng, made)]


def _boot(rng: Random, boot: int, at_ns: int, wear: Wear) -> tuple[list[Block], int, Wear]:
    """The blocks of one boot, when it ends, and how the device is worn then."""
    recorded = _recording(rng.choice(BURSTS), seed=rng.randrange(5))
    usual_s, even = rng.choice([0.2, 1.0, 2.5, 5.0, 5.0, 10.0, 30.0]), rng.random() < 0.6
    total_s = rng.choice([8, 30, 60, 120, LENGTH_S])
    worn_else_at = rng.random() * total_s if rng.random() < 0.2 else total_s
    pause_at = rng.random() * total_s if rng.random() < 0.3 else total_s
    blocks: list[Block] = []
    done_s = 0.0
    while done_s < total_s - 0.1:
        length_s = usual_s if even else usual_s * rng.uniform(0.3, 1.5)
        length_s = round(max(0.2, min(length_s, total_s - done_s)), 1)
        if done_s > worn_else_at:
            wear, worn_else_at = _other(rng), total_s
        if done_s > pause_at:
            at_ns, pause_at = at_ns + round(rng.choice(PAUSES_S) * SECOND_NS), total_s
        if rng.random() < 0.05:
            at_ns += round(rng.choice(JITTER_S) * SECOND_NS)
        first, last = round(done_s * EMG_HZ), round((done_s + length_s) * EMG_HZ)
        emg = np.repeat(recorded[first:last], round(wear.fs_hz / EMG_HZ))
        t0_ns = at_ns + round(done_s * SECOND_NS)
        blocks.append(
            block(emg, boot=boot, seq=len(blocks), t0_ns=t0_ns, site=wear.site, fs_hz=wear.fs_hz, scale=wear.scale)
        )
        done_s = round(done_s + length_s, 1)
    return blocks, at_ns + round(done_s * SECOND_NS), wear


def _other(rng: Random) -> Wear:
    return Wear(rng.choice(SITES), rng.choice([EMG_HZ, EMG_HZ, 2 * EMG_HZ]), rng.choice([0.1, 0.2]))


def _recording(bursts: tuple[tuple[int, int], ...], *, seed: int) -> NDArray[np.int16]:
    """Counts (n,): rest, and ragged bursts."""
    rng = np.random.default_rng(seed)
    n = round(LENGTH_S * EMG_HZ)
    level = np.full(n, 30.0)
    for start_s, length_s in bursts:
        level[round(start_s * EMG_HZ) : round((start_s + length_s) * EMG_HZ)] = 300.0
    return counts(level, rng)


def _astray(rng: Random, made: list[Block]) -> list[Block]:
    """A boot whose clock is wrong for some of it, mostly from its start until it is set."""
    if rng.random() < 0.4:
        return made
    until = rng.randint(1, len(made))
    since = rng.choice([0, 0, 0, rng.randint(0, until)])
    by_ns = rng.choice([*ASTRAY_S, UNSET, UNSET]) * SECOND_NS or rng.randrange(10**12) - made[0].t0
    return [msgspec.structs.replace(b, t0=b.t0 + by_ns) if since <= i < until else b for i, b in enumerate(made)]


def _kept(rng: Random, made: list[Block]) -> list[Block]:
    """Without what the device lost before it could send it."""
    kept = list(made)
    for _ in range(rng.choice([1, 1, 2, 5]) if rng.random() < 0.4 else 0):
        if len(kept) > 1:
            del kept[rng.choice([0, len(kept) - 1, *[rng.randrange(len(kept)) for _ in range(5)]])]
    return kept
