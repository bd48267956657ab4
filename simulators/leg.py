"""A leg: its muscles, what happens on it, and how it lies in space."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulators.errors import ScenarioError
from simulators.event import Event
from simulators.motor_units import Pool, make_pool
from simulators.movement import Posture

SITES: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus", "tibialis_anterior")
REST_BAND_HZ: Final = (20.0, 450.0)
LONGEST_EVENT_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Muscle:
    """One muscle under one electrode."""

    pool: Pool
    rest_uv: float  # RMS of the resting noise between 20 and 450 Hz

    @property
    def density_uv(self) -> float:
        """Resting noise in µV per root hertz."""
        return self.rest_uv / float(np.sqrt(REST_BAND_HZ[1] - REST_BAND_HZ[0]))

    def rest_in_band_uv(self, fs_hz: float) -> float:
        """RMS of the resting noise from 20 Hz to where the rate, or 450 Hz, ends it."""
        top_hz = min(REST_BAND_HZ[1], 0.45 * fs_hz)
        return self.density_uv * float(np.sqrt(top_hz - REST_BAND_HZ[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Everything a device on this leg could measure; events in order of onset, times in seconds from the start."""

    sites: tuple[str, ...]
    muscles: Mapping[str, Muscle]
    events: tuple[Event, ...]
    posture: Posture
    seed: int
    duration_s: float
    mains_hz: float = 50.0
    crosstalk: float = field(default=0.05)  # share of a cramp that the neighbouring electrode sees

    def __post_init__(self) -> None:
        unknown = set(self.sites) - set(SITES)
        if unknown or not self.sites or len(set(self.sites)) != len(self.sites):
            raise ScenarioError(f"sites {self.sites} must be one or more different ones of {SITES}")
        long = [event for event in self.events if not 0 < event.duration_s <= LONGEST_EVENT_S]
        if long:
            raise ScenarioError(f"{long[0].kind} of {long[0].duration_s:g} s: events last up to {LONGEST_EVENT_S:g} s")


def make_muscles(seed: int, sites: tuple[str, ...]) -> dict[str, Muscle]:
    """Muscles of one person; resting noise of 2-5 µV and maximal contractions of 300-900 µV."""
    rng = np.random.default_rng((seed, 1))
    rest_uv = rng.uniform(2.2, 4.5)
    muscles = {}
    for site in SITES:  # all of them are drawn, so that wearing fewer electrodes changes no muscle
        pool = make_pool(rng, mvc_uv=float(rng.uniform(300.0, 900.0)))
        muscles[site] = Muscle(pool, float(rest_uv * rng.uniform(0.9, 1.1)))
    return {site: muscles[site] for site in sites if site in muscles}
