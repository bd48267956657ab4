"""The detector on a leg: what it found, and at which second it could have said so."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.accuracy.leg import Leg
from detector import DEFAULT, Chunk, Episode, Epochs, Group, Layout, Params, finish, start, update

T0_NS: Final = 1_760_000_000 * 10**9
PIECE_S: Final = 60.0
Key = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One episode, in seconds from the start of the recording."""

    onset_s: float
    end_s: float
    opened_s: float  # end of the second of signal with which it was known
    site: str
    status: str
    confidence: float
    severity: float
    load: float
    peak_ratio: float
    flags: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether it is a detection: what was taken back is not."""
        return self.status != "rejected"


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that the detector told of a recording."""

    episodes: tuple[Heard, ...]
    worn_s: float
    usable_s: float


def layout_of(leg: Leg) -> Layout:
    """What the detector is told of the device."""
    groups = [Group("emg", leg.emg_fs_hz, len(leg.sites))]
    if leg.acc is not None:
        groups.append(Group("acc", leg.acc_fs_hz, 3))
    return Layout(tuple(groups), leg.sites)


def hear(leg: Leg, *, params: Params = DEFAULT) -> Hearing:
    """Feed a leg minute by minute; how it is cut changes nothing, not even when an episode is known."""
    state = start(layout_of(leg), 1)
    told: dict[Key, Episode] = {}
    epochs: list[Epochs] = []
    for first_s in np.arange(0.0, leg.duration_s, PIECE_S):
        last_s = min(first_s + PIECE_S, leg.duration_s)
        results, state = update(state, _chunk(leg, first_s, last_s), params=params)
        told.update({_key(episode): episode for episode in results.episodes})
        epochs.append(results.epochs)
    rest = finish(state, params=params)
    told.update({_key(episode): episode for episode in rest.episodes})
    epochs.append(rest.epochs)
    return Hearing(
        episodes=tuple(_heard(leg, episode) for episode in sorted(told.values(), key=lambda e: e.onset_ns)),
        worn_s=_most(epochs, "worn_s"),
        usable_s=_most(epochs, "usable_s"),
    )


def _chunk(leg: Leg, first_s: float, last_s: float) -> Chunk:
    """A stretch of every signal; each begins with its sample at or after the time."""
    signals = [(leg.emg, leg.emg_fs_hz, leg.emg_scale_uv)]
    if leg.acc is not None:
        signals.append((leg.acc, leg.acc_fs_hz, leg.acc_scale_g))
    edges = [[int(np.ceil(at * fs_hz - 1e-6)) for at in (first_s, last_s)] for _, fs_hz, _ in signals]
    return Chunk(
        t0_ns=np.array([T0_NS + round(edges[0][0] / leg.emg_fs_hz * 1e9)]),
        samples=tuple(x[None, :, a:b] for (x, _, _), (a, b) in zip(signals, edges, strict=True)),
        scale=tuple(np.full((1, len(x)), scale, np.float32) for x, _, scale in signals),
    )


def _key(episode: Episode) -> Key:
    return episode.channel, episode.onset_ns


def _heard(leg: Leg, episode: Episode) -> Heard:
    onset_s, end_s, opened_s = ((at - T0_NS) / 1e9 for at in (episode.onset_ns, episode.end_ns, episode.opened_ns))
    return Heard(
        onset_s=onset_s, end_s=end_s, opened_s=opened_s, site=leg.sites[episode.channel], status=episode.status,
        confidence=episode.confidence, severity=episode.severity, load=episode.load, peak_ratio=episode.peak_ratio,
        flags=episode.flags,
    )  # fmt: skip


def _most(epochs: list[Epochs], name: str) -> float:
    """Seconds by the leg: one counts where any of its channels gives it."""
    starts = np.concatenate([one.start_ns for one in epochs])
    values = np.concatenate([getattr(one, name) for one in epochs])
    unique, index = np.unique(starts, return_inverse=True)
    most = np.zeros(len(unique))
    np.maximum.at(most, index, values)
    return float(most.sum())
