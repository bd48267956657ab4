"""Legs for tests of the detector: noise whose strength is written down second by second, and how it is fed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector import DEFAULT, Chunk, Episode, Epochs, Group, Layout, Params, State, finish, start, update
from detector.layout import CountArray, FloatArray

T0_NS: Final = 1_760_000_000 * 10**9  # a whole epoch
SECOND_NS: Final = 10**9
REST_UV: Final = 4.0
WOBBLE_HZ: Final = 1.4
SCALE: Final = 0.25
ACC_SCALE: Final = 1 / 4096
ONE: Final = Layout((Group("emg", 1000.0, 1),))
TWO: Final = Layout((Group("emg", 1000.0, 2), Group("acc", 100.0, 3)))
MIXED: Final = Layout((Group("emg", 500.0, 1), Group("emg", 1259.26, 1), Group("acc", 148.15, 3)))


@dataclass(frozen=True, slots=True)
class Active:
    """Activity of one channel, seconds from the start; `ratio` is to rest.

    As it stands a block of noise, which is what a willed hold looks like. A cramp wavers 1.4 times a second, and tremor
    more often, by `wobble` of its amplitude; it rises over `rise_s` and falls over `fall_s`.
    """

    start_s: float
    end_s: float
    ratio: float = 8.0
    channel: int = 0
    wobble: float = 0.0
    wobble_hz: float = WOBBLE_HZ
    rise_s: float = 0.0
    fall_s: float = 0.0

    def course(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ratio to rest at each time within it."""
        course = self.ratio * (1 + self.wobble * np.sin(2 * np.pi * self.wobble_hz * time_s))
        for since_s, ramp_s in ((time_s - self.start_s, self.rise_s), (self.end_s - time_s, self.fall_s)):
            if ramp_s:
                course = 1 + (course - 1) * np.clip(since_s / ramp_s, 0, 1)
        return course


def cramp(start_s: float, end_s: float, ratio: float = 8.0, channel: int = 0) -> Active:
    """Activity that wavers as the motor units of a cramp do, and leaves off over three seconds."""
    return Active(start_s, end_s, ratio=ratio, channel=channel, wobble=0.35, fall_s=3.0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Samples of one stream, and when they begin."""

    layout: Layout
    t0_ns: int
    samples: tuple[CountArray, ...]  # per group (C, n)
    scale: tuple[FloatArray, ...]  # per group (C,)

    @property
    def duration_s(self) -> float:
        return min(x.shape[-1] / g.fs_hz for x, g in zip(self.samples, self.layout.groups, strict=True))

    def part(self, start_s: float, end_s: float = math.inf, *, shift_ns: int = 0) -> "Recorded":
        """A stretch, by default to the end; every group is cut at the sample at or after the time."""
        first, last = (
            [
                int(np.ceil(min(at * g.fs_hz - 1e-6, x.shape[-1])))
                for g, x in zip(self.layout.groups, self.samples, strict=True)
            ]
            for at in (start_s, end_s)
        )
        return replace(
            self,
            t0_ns=self.t0_ns + shift_ns + round(first[0] / self.layout.groups[0].fs_hz * SECOND_NS),
            samples=tuple(x[:, a:b] for x, a, b in zip(self.samples, first, last, strict=True)),
        )

    def cut(self, at_s: Iterable[float]) -> list["Recorded"]:
        """Parts that together are this recording."""
        edges = sorted({0.0, *(at for at in at_s if 0 < at < self.duration_s)})
        return [self.part(a, b) for a, b in pairwise([*edges, math.inf])]

    @property
    def chunk(self) -> Chunk:
        return together([self])


def leg(
    layout: Layout = ONE,
    duration_s: float = 60.0,
    *active: Active,
    t0_ns: int = T0_NS,
    seed: int = 0,
    scale: float = SCALE,
    moving: Sequence[tuple[float, float]] = (),
    upright: Sequence[tuple[float, float]] = (),
) -> Recorded:
    """A leg at rest but for `active`; lying but for `upright`; still but for `moving`."""
    rng = np.random.default_rng(seed)
    samples: list[CountArray] = []
    scales = []
    first = 0
    for group in layout.groups:
        time_s = np.arange(round(duration_s * group.fs_hz)) / group.fs_hz
        if group.kind == "acc":
            values = _acc(rng, time_s, moving=moving, upright=upright)
            unit = ACC_SCALE
        else:
            values = np.stack([_emg(rng, time_s, active, channel) for channel in range(first, first + group.channels)])
            first += group.channels
            unit = scale
        samples.append(np.clip(np.rint(values / unit), -32768, 32767).astype(np.int16))
        scales.append(np.full(group.channels, unit, np.float32))
    return Recorded(layout, t0_ns, tuple(samples), tuple(scales))


def _emg(
    rng: np.random.Generator, time_s: NDArray[np.float64], active: Sequence[Active], channel: int
) -> NDArray[np.float64]:
    ratio = np.ones(len(time_s))
    for one in active:
        if one.channel == channel:
            during = (time_s >= one.start_s) & (time_s < one.end_s)
            ratio[during] = one.course(time_s[during])
    noise: NDArray[np.float64] = rng.normal(0.0, REST_UV, len(time_s)) * ratio
    return noise


def _acc(
    rng: np.random.Generator,
    time_s: NDArray[np.float64],
    *,
    moving: Sequence[tuple[float, float]],
    upright: Sequence[tuple[float, float]],
) -> NDArray[np.float64]:
    values = np.zeros((3, len(time_s)))
    values[2] = 1.0
    for a, b in upright:
        values[:, (time_s >= a) & (time_s < b)] = np.array([[1.0], [0.0], [0.0]])
    values += rng.normal(0.0, 0.004, values.shape)
    for a, b in moving:
        span = (time_s >= a) & (time_s < b)
        values[:, span] += rng.normal(0.0, 0.3, (3, int(span.sum())))
    return values


def together(parts: Sequence[Recorded]) -> Chunk:
    """One chunk of parts of equal shape, a stream each."""
    groups = range(len(parts[0].samples))
    return Chunk(
        t0_ns=np.array([part.t0_ns for part in parts], np.int64),
        samples=tuple(np.stack([part.samples[g] for part in parts]) for g in groups),
        scale=tuple(np.stack([part.scale[g] for part in parts]) for g in groups),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """All that came out of feeding streams, `finish` included."""

    epochs: Epochs
    episodes: tuple[Episode, ...]  # as emitted, preliminary ones too, by update
    state: State

    @property
    def final(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.status == "final"]

    @property
    def rejected(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.status == "rejected"]

    def seconds(self, t0_ns: int = T0_NS) -> list[tuple[float, float]]:
        """Onset and end of the episodes that were upheld when they ended, seconds from `t0_ns`."""
        return [((e.onset_ns - t0_ns) / SECOND_NS, (e.end_ns - t0_ns) / SECOND_NS) for e in self.final]


def feed(chunks: Iterable[Chunk], *, state: State, params: Params = DEFAULT) -> Told:
    """Run chunks of the same streams in order, then finish."""
    found = []
    for chunk in chunks:
        results, state = update(state, chunk, params=params)
        found.append(results)
    found.append(finish(state, params=params))
    epochs = Epochs(
        **{
            name: np.concatenate([getattr(results.epochs, name) for results in found])
            for name in Epochs.__dataclass_fields__
        }
    )
    return Told(epochs, tuple(episode for results in found for episode in results.episodes), state)


def run(parts: Sequence[Recorded], *, params: Params = DEFAULT) -> Told:
    """Feed the parts of one stream, one after the other."""
    return feed((part.chunk for part in parts), state=start(parts[0].layout, 1), params=params)
