"""The simulated legs that the figures of docs/detector.md show, and what the detector remembers second by second."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector import Chunk, Episode, Epochs, Group, Layout, State, finish, start, update
from simulators.device import Device
from simulators.event import Event
from simulators.render import Front, Renderer
from simulators.scenarios import build

T0_NS: Final = 1_760_000_000 * 10**9  # a whole epoch
SECOND_NS: Final = 10**9
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a recording; `start_s` counts from the start of the scenario."""

    layout: Layout
    start_s: int
    emg: NDArray[np.int16]  # (C, n)
    acc: NDArray[np.int16]  # (3, m)
    scale: tuple[NDArray[np.float32], NDArray[np.float32]]

    @property
    def fs_hz(self) -> float:
        return self.layout.groups[0].fs_hz

    @property
    def seconds(self) -> int:
        return int(self.emg.shape[-1] / self.fs_hz)

    @property
    def time_s(self) -> Array:
        """Of each EMG sample, from the start of the scenario."""
        return self.start_s + np.arange(self.emg.shape[-1]) / self.fs_hz

    @property
    def uv(self) -> Array:
        return np.asarray(self.emg * self.scale[0][:, None], np.float64)

    def chunk(self, first_s: float, last_s: float, *, late_ns: int = 0) -> Chunk:
        """What lies between two times from the start of the stretch; the device says it began `late_ns` later."""
        edges = [[round(at * group.fs_hz) for at in (first_s, last_s)] for group in self.layout.groups]
        return Chunk(
            t0_ns=np.array([T0_NS + round((self.start_s + first_s) * SECOND_NS) + late_ns]),
            samples=tuple(x[None, :, a:b] for x, (a, b) in zip((self.emg, self.acc), edges, strict=True)),
            scale=tuple(one[None] for one in self.scale),
        )


def device(name: str, *, seed: int = 1, fs_hz: float = 1000.0) -> Device:
    """The one device of a scenario, with an EMG rate of choice."""
    (one,) = build(name, seed=seed, start_ns=T0_NS)
    return replace(one, front=Front(emg_fs_hz=fs_hz, acc_fs_hz=50.0))


def events(one: Device, kind: str) -> list[Event]:
    return [event for event in one.leg.events if event.kind == kind]


def stretch(one: Device, first_s: float, last_s: float, *, renderer: Renderer | None = None) -> Stretch:
    """Whole seconds of a device."""
    first, last = int(first_s), int(last_s)
    front, renderer = one.front, renderer or Renderer(one.leg, one.front)
    edges = [round(at * front.emg_fs_hz) for at in (first, last)]
    layout = Layout((Group("emg", front.emg_fs_hz, len(one.sites)), Group("acc", front.acc_fs_hz, 3)), one.sites)
    return Stretch(
        layout=layout,
        start_s=first,
        emg=np.stack([renderer.emg(site, *edges) for site in one.sites]),
        acc=renderer.acc(*(round(at * front.acc_fs_hz) for at in (first, last))),
        scale=(np.full(len(one.sites), front.emg_scale, np.float32), np.full(3, front.acc_scale, np.float32)),
    )


def whole(one: Device) -> tuple[Epochs, tuple[Episode, ...]]:
    """Epochs and ended episodes of all a device records, a quarter of an hour at a time."""
    length_s, renderer = int(one.leg.duration_s), Renderer(one.leg, one.front)
    state = start(stretch(one, 0, 1, renderer=renderer).layout, 1)
    found = []
    for first_s in range(0, length_s, 900):
        part = stretch(one, first_s, min(first_s + 900, length_s), renderer=renderer)
        results, state = update(state, part.chunk(0, part.seconds))
        found.append(results)
    found.append(finish(state))
    names = Epochs.__dataclass_fields__
    epochs = Epochs(**{name: np.concatenate([getattr(one.epochs, name) for one in found]) for name in names})
    return epochs, tuple(e for one in found for e in one.episodes if e.status == "final")


@dataclass(frozen=True, slots=True)
class Watched:
    """What the detector remembers at the end of each second, `(T,)` or `(T, C)`, and what it told."""

    second: Array  # start of each, from the start of the scenario
    rms_uv: Array
    sustained_uv: Array
    rest_uv: Array  # (T, C, 2) in force during the second: of sustained amplitude, of RMS
    flags: NDArray[np.uint16]
    moved_g: Array
    evidence: Array
    states: tuple[State, ...]
    episodes: tuple[Episode, ...]

    @property
    def ratio(self) -> Array:
        return np.asarray(self.sustained_uv / self.rest_uv[..., 0])


def watch(part: Stretch) -> Watched:
    """Feed a stretch second by second, and look at the state after each."""
    rows: list[dict[str, Any]] = []
    episodes: list[Episode] = []
    states: list[State] = []
    for rest_uv, state, found in _seconds(part):
        column = (part.start_s + len(rows)) % 10  # of the running epoch
        rows.append(
            {
                "rms_uv": np.sqrt(state["grid_power"][0, :, column]),
                "sustained_uv": state["grid_low"][0, :, column].copy(),
                "rest_uv": rest_uv,
                "flags": state["grid_flags"][0, :, column].copy(),
                "moved_g": state["grid_mad"][0, column],
                "evidence": state["evidence"][0],
            }
        )
        states.append(state)
        episodes += found
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    second = part.start_s + np.arange(len(rows), dtype=np.float64)
    return Watched(second=second, states=tuple(states), episodes=tuple(episodes), **columns)


def _seconds(part: Stretch) -> Iterator[tuple[Array, State, list[Episode]]]:
    """The rest level before each second, the state after it, and episodes told by it."""
    state = start(part.layout, 1)
    for at in range(part.seconds):
        rest_uv = np.exp(state["rest"][0])
        results, state = update(state, part.chunk(at, at + 1))
        told = list(results.episodes)
        if at == part.seconds - 1:
            told += finish(state).episodes
        yield rest_uv, state, told
