"""One thing that happens on a leg: what, when, how strong, and the seed all its randomness comes from."""

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

Activity = Literal[
    "cramp", "walk", "run", "stand", "hold", "tiptoe", "plm", "turn", "fidget", "fasciculation",
    "foot_tremor", "getup",
]  # fmt: skip
Fault = Literal["electrode_off", "rails", "flat", "hum", "artefact", "non_wear"]
EventKind = Activity | Fault
FAULTS: tuple[Fault, ...] = ("electrode_off", "rails", "flat", "hum", "artefact", "non_wear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Times are seconds from the leg's start. `site` names the muscle it happens in, or None for the entire leg."""

    kind: EventKind
    onset_s: float
    end_s: float
    seed: int
    site: str | None = None
    level: float = 0.0  # share of maximal drive; for a cramp EMG over rest; for a fault µV
    rhythm_hz: float = 0.0
    rise_s: float = 0.0
    fall_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return self.end_s - self.onset_s

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator of its own for each purpose, so that rates, sites and order of rendering change nothing."""
        return np.random.default_rng((self.seed, zlib.crc32(purpose.encode())))
