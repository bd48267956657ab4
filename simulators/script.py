"""Writes down what happens on a leg, verb by verb: activities, cramps and what the wearer does about them, faults."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from simulators.cramp import draw_duration_s, draw_level
from simulators.errors import ScenarioError
from simulators.event import Event, EventKind
from simulators.leg import SITES, Leg, make_muscles
from simulators.movement import Posture

PIECE_S: Final = 240.0  # long activities are rendered in pieces of this length
CALVES: Final[tuple[str, ...]] = ("gastrocnemius_medialis", "gastrocnemius_lateralis")
UPRIGHT: Final = (5.0, 0.0)
SITTING: Final = (22.0, 5.0)
LYING: Final = (88.0, 0.0)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of truth: an activity as a whole, however many pieces it is rendered in."""

    kind: EventKind
    site: str | None
    onset_s: float
    end_s: float
    event: Event | None = None  # of a cramp


@dataclass(frozen=True, slots=True)
class Pose:
    """From `at_s` the shank turns to this orientation, taking `over_s`."""

    at_s: float
    incline_deg: float
    roll_deg: float
    over_s: float


class Script:
    """Collects events and poses in any order; `leg()` puts them together."""

    def __init__(self, seed: int, *, duration_s: float, sites: tuple[str, ...]) -> None:
        if duration_s <= 0:
            raise ScenarioError(f"a leg of {duration_s:g} s: there is nothing to simulate")
        if not sites or not set(sites) <= set(SITES):
            raise ScenarioError(f"sites {sites} must be one or more of {SITES}")
        self.seed = seed
        self.duration_s = duration_s
        self.sites = sites
        self.rng = np.random.default_rng((seed, 2))
        self.happenings: list[Happening] = []
        self.quiet: list[tuple[float, float]] = []  # kept free for cramps and what follows them
        self._events: list[Event] = []
        self._poses: list[Pose] = [Pose(-1.0, *LYING, 0.0)]

    def pose(self, at_s: float, pose: tuple[float, float], *, over_s: float = 2.0) -> None:
        """Turns the shank to an orientation (incline, roll) in degrees, give or take a few."""
        incline, roll = np.array(pose) + self.rng.normal(0.0, 3.0, 2)
        self._poses.append(Pose(at_s, float(incline), float(roll), over_s))

    def add(
        self, kind: EventKind, onset_s: float, end_s: float, *, level: float = 0.0, rhythm_hz: float = 0.0,
        rise_s: float = 0.0, fall_s: float = 0.0, site: str | None = None, told: bool = True,
    ) -> None:  # fmt: skip
        """An activity or a fault; beyond the leg's duration nothing happens."""
        end_s = min(end_s, self.duration_s)
        if onset_s >= end_s:
            return
        pieces = int(np.ceil((end_s - onset_s) / PIECE_S)) if kind != "cramp" else 1
        edges = np.linspace(onset_s, end_s, pieces + 1)
        for start, stop in pairwise(edges.tolist()):
            event = Event(
                kind=kind, onset_s=start, end_s=stop, seed=int(self.rng.integers(2**62)),
                site=site, level=level, rhythm_hz=rhythm_hz, rise_s=rise_s, fall_s=fall_s,
            )  # fmt: skip
            self._events.append(event)
        if told:
            last = self._events[-1] if kind == "cramp" else None
            self.happenings.append(Happening(kind, site, onset_s, end_s, last))

    def is_free(self, onset_s: float, end_s: float) -> bool:
        """Whether no cramp and nothing that follows one falls into a stretch."""
        return all(end_s < start or onset_s > stop for start, stop in self.quiet)

    def cramp(
        self, onset_s: float, *, duration_s: float | None = None, level: float | None = None,
        rise_s: float | None = None, wakes: bool | None = None, site: str | None = None, after: str = "lying",
    ) -> float:  # fmt: skip
        """A cramp and the wearer's response; returns the time when all is quiet again.

        Without a given `rise_s` the onset takes from half a second to minutes (log-normal, median 4 s).
        """
        rng = self.rng
        duration_s = draw_duration_s(rng) if duration_s is None else duration_s
        level = draw_level(rng) if level is None else level
        rise_s = float(np.clip(rng.lognormal(np.log(4.0), 1.1), 0.4, 180.0)) if rise_s is None else rise_s
        rise_s = min(rise_s, 0.5 * duration_s)
        fall_s = duration_s * rng.uniform(0.15, 0.45)
        worn = [name for name in CALVES if name in self.sites] or list(self.sites)
        site = site or (worn[0] if len(worn) == 1 or rng.random() < 0.8 else worn[1])
        end_s = onset_s + duration_s
        self.add("cramp", onset_s, end_s, level=level, rise_s=rise_s, fall_s=fall_s, site=site)
        wakes = bool(rng.random() < 0.75 and duration_s > 25.0) if wakes is None else wakes
        quiet_s = self._relief(onset_s, end_s, after=after) if wakes else end_s
        self.quiet.append((onset_s - 30.0, quiet_s + 20.0))
        return quiet_s

    def _relief(self, onset_s: float, end_s: float, *, after: str) -> float:
        """The wearer sits up, rubs, stands to stretch the calf until it is over, and goes back."""
        rng = self.rng
        up_s = onset_s + float(np.clip(rng.normal(41.0, 11.0), 12.0, 0.6 * (end_s - onset_s) + 8.0))
        self.add("getup", up_s, up_s + 3.0, level=0.05)
        self.pose(up_s + 0.5, UPRIGHT)
        down_s = end_s + rng.uniform(15.0, 60.0)
        self.add("stand", up_s + 3.0, down_s, level=0.035)
        self.add("getup", down_s, down_s + 3.0, level=0.04)
        self.pose(down_s + 0.3, SITTING if after == "sitting" else lying(rng))
        return float(down_s + 3.0)

    def leg(self, *, mains_hz: float = 50.0) -> Leg:
        """The leg as written so far."""
        return Leg(
            sites=self.sites,
            muscles=make_muscles(self.seed, self.sites),
            events=tuple(sorted(self._events, key=lambda event: (event.onset_s, event.seed))),
            posture=_track(self._poses, self.duration_s),
            seed=self.seed,
            duration_s=self.duration_s,
            mains_hz=mains_hz,
        )


def lying(rng: np.random.Generator) -> tuple[float, float]:
    """On the back or on a side."""
    return float(rng.normal(88.0, 5.0)), float(rng.choice([-75.0, 0.0, 75.0]))


def _track(poses: list[Pose], duration_s: float) -> Posture:
    """Knots of orientation: each pose is held until the next begins."""
    poses = sorted(poses, key=lambda pose: pose.at_s)
    ends = [pose.at_s for pose in poses[1:]] + [duration_s + 1.0]
    time_s, incline, roll = [-2.0], [poses[0].incline_deg], [poses[0].roll_deg]
    for pose, end_s in zip(poses, ends, strict=True):
        time_s += [pose.at_s, max(pose.at_s + 1e-3, min(pose.at_s + pose.over_s, end_s))]
        incline += [incline[-1], pose.incline_deg]
        roll += [roll[-1], pose.roll_deg]
    return Posture(np.array(time_s), np.radians(incline), np.radians(roll))
