"""Blocks to archive: any valid ones, many small ones, and the archive's slow twin."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from hypothesis import strategies as st

from ingest.archive import Archived, Mark
from ingest.wire import ACC_FS_HZ, BLOCK_S, EMG_CHANNELS, EMG_FS_HZ, SCALE, T0_NS, Block, Kind, Signal

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 24 * 3600 * SECOND_NS
NOON: Final = 1_795_435_200_000_000_000  # 2026-11-23T12:00:00Z
FOR_EVER: Final = 2**62

# Dated or not, and just before or after where a day or the time that is believed begins and ends.
TIMES: Final = st.one_of(
    st.integers(0, 2**63 - 1),
    st.integers(*T0_NS),
    st.sampled_from([0, 2**63 - 1, T0_NS[0], T0_NS[1], NOON, NOON + DAY_NS // 2]).flatmap(
        lambda t0: st.integers(-2, 2).map(lambda near: min(max(t0 + near, 0), 2**63 - 1))
    ),
)


@st.composite
def signals(draw: st.DrawFn, kind: Kind, duration_s: float) -> Signal:
    """Any signal that lasts about so long."""
    fs_hz = draw(st.floats(*(EMG_FS_HZ if kind == "emg" else ACC_FS_HZ)))
    channels = 3 if kind == "acc" else draw(st.integers(1, EMG_CHANNELS))
    n = max(1, int(duration_s * fs_hz)) * channels
    return Signal(
        kind=kind,
        site=draw(st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True)),
        fs_hz=fs_hz,
        scale=draw(st.floats(*SCALE[kind])),
        channels=channels,
        samples=np.random.default_rng(draw(st.integers(0, 99))).bytes(2 * n),
    )


@st.composite
def archived(draw: st.DrawFn, device: str) -> Archived:
    """Any block of a device; few boots, numbers and times are near each other, so that some have one identity."""
    duration_s = draw(st.floats(BLOCK_S[0], 0.5))
    found = [draw(signals("emg", duration_s)) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        found.insert(draw(st.integers(0, len(found))), draw(signals("acc", duration_s)))
    block = Block(
        boot=draw(st.sampled_from([0, 1, 2**53 - 1])),
        seq=draw(st.integers(0, 3) | st.just(2**53 - 1)),
        t0=draw(TIMES),
        signals=tuple(found),
        device=draw(st.sampled_from([None, device])),
    )
    return Archived(block, draw(st.integers(0, 2**62)))


def a_block(
    seq: int, *, t0: int | None = None, boot: int = 1, received_ns: int | None = None, **form: float
) -> Archived:
    """A second of a leg, small, different from every other, `seq` seconds after noon."""
    start = NOON + seq * SECOND_NS if t0 is None else t0
    emg_n, acc_n = round(form.get("duration_s", 1) * 200), round(form.get("duration_s", 1) * 10)
    noise = np.random.default_rng([boot, seq])
    emg = noise.integers(-9, 9, emg_n, dtype=np.int16).tobytes()
    acc = noise.integers(-999, 999, 3 * acc_n, dtype=np.int16).tobytes()
    block = Block(
        boot=boot,
        seq=seq,
        t0=start,
        signals=(
            Signal(kind="emg", site="soleus", fs_hz=200.0, scale=0.5, channels=1, samples=emg),
            Signal(kind="acc", site="shank", fs_hz=10.0, scale=1 / 4096, channels=3, samples=acc),
        ),
    )
    return Archived(block, start + 5 if received_ns is None else received_ns)


def mark_of(one: Archived) -> Mark:
    block = one.block
    end_ns = min(block.t0 + round(block.duration_s * SECOND_NS), 2**63 - 1)
    return Mark(block.boot, block.seq, block.t0, end_ns, one.received_ns)


class NaiveArchive:
    """What the archive should hold: the first to come in of each identity."""

    def __init__(self, blocks: Iterable[Archived]) -> None:
        self.held: dict[tuple[int, int, int], Archived] = {}
        for one in blocks:
            identity = (one.block.t0, one.block.boot, one.block.seq)
            if identity not in self.held or one.received_ns < self.held[identity].received_ns:
                self.held[identity] = one

    def marks(self, *, start_ns: int, end_ns: int) -> list[Mark]:
        marks = [mark_of(one) for _, one in sorted(self.held.items()) if is_dated(one.block.t0)]
        return [mark for mark in marks if mark.t0_ns < end_ns and mark.end_ns > start_ns]

    def undated(self) -> list[Mark]:
        return [mark_of(one) for _, one in sorted(self.held.items()) if not is_dated(one.block.t0)]

    def blocks(self, marks: Iterable[Mark]) -> list[Archived]:
        return [self.held[mark.t0_ns, mark.boot, mark.seq] for mark in marks]


def is_dated(t0: int) -> bool:
    return T0_NS[0] <= t0 < T0_NS[1]


def parts(folder: Path) -> dict[str, int]:
    """How many parts each date has."""
    dates = sorted(folder.glob("device=*/date=*"))
    return {date.name.removeprefix("date="): len(list(date.glob("part-*.parquet"))) for date in dates}
