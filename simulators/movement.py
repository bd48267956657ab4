"""How the shank moves: gravity by posture, plus what each activity shakes, in g at the sensor.

Axes: x along the shank towards the foot, y to the side, z to the front. `incline` is the angle of the shank from
vertical (0 upright, 90 lying), `roll` turns it about its own axis.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.activity import stride_phase
from simulators.event import Event
from simulators.motor_units import FloatArray

KNOTS_HZ: Final = 12.0
TABLE_G: Final = (0.02, -0.03, 0.998)  # a device lying on a bedside table

# Spread of the shaking in g, and of the voltage in µV that the moving electrode adds below 15 Hz.
SHAKE_G: Final = {"turn": 0.16, "getup": 0.25, "fidget": 0.04, "plm": 0.05, "stand": 0.006, "hold": 0.006,
                  "tiptoe": 0.015, "foot_tremor": 0.02, "cramp": 0.002}  # fmt: skip
ARTEFACT_UV: Final = {"turn": 35.0, "getup": 50.0, "fidget": 6.0, "plm": 5.0, "walk": 12.0, "run": 35.0,
                      "foot_tremor": 4.0, "tiptoe": 2.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Posture:
    """Orientation of the shank as knots in time, straight lines between."""

    time_s: FloatArray
    incline_rad: FloatArray
    roll_rad: FloatArray

    def gravity(self, time_s: FloatArray) -> FloatArray:
        """Gravity `(3, n)` in g."""
        incline = np.interp(time_s, self.time_s, self.incline_rad)
        roll = np.interp(time_s, self.time_s, self.roll_rad)
        lying = np.sin(incline)
        return np.stack((np.cos(incline), lying * np.sin(roll), lying * np.cos(roll)))


def shake(event: Event, time_s: FloatArray, *, fs_hz: float) -> FloatArray:
    """Acceleration `(3, n)` in g that an event adds, at `time_s` from its onset."""
    if event.kind in ("walk", "run"):
        return _stride(event, time_s, fs_hz)
    spread = SHAKE_G.get(event.kind, 0.0)
    if not spread:
        return np.zeros((3, time_s.size))
    edge = _edge(event, time_s)
    rough = np.stack([_noise(event, f"shake {axis}", time_s, hertz=_pace_hz(event)) for axis in "xyz"])
    if event.kind == "plm":  # a kick at the beginning and at the end, still between
        edge = np.exp(-time_s / 0.25) + 0.6 * np.exp(-np.abs(event.duration_s - time_s) / 0.25)
        spread *= 0.5 + 4.0 * event.level
    if event.kind == "foot_tremor":
        rough = np.sin(2 * np.pi * stride_phase(event, time_s)) * np.array([[0.5], [0.4], [1.0]])
    return np.asarray(spread * edge * rough)


def artefact(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """Voltage in µV that movement adds at an electrode, at `time_s` from the event's onset."""
    spread = ARTEFACT_UV.get(event.kind, 0.0)
    if not spread:
        return np.zeros(time_s.size)
    rough = _noise(event, f"artefact {site}", time_s, hertz=KNOTS_HZ)
    if event.kind in ("walk", "run"):
        phase = (stride_phase(event, time_s) + 0.5) % 1.0 - 0.5
        return np.asarray(spread * (np.exp(-0.5 * (phase / 0.04) ** 2) * (1.0 + 0.3 * rough) + 0.15 * rough))
    return np.asarray(spread * _edge(event, time_s) * rough)


def _stride(event: Event, time_s: FloatArray, fs_hz: float) -> FloatArray:
    stride = stride_phase(event, time_s)
    angle = 2 * np.pi * stride
    away = (stride - 0.02 + 0.5) % 1.0 - 0.5
    width = max(0.025, 0.7 / fs_hz) * event.rhythm_hz  # no sharper than the sensor's own filter
    strike = np.exp(-0.5 * (away / width) ** 2)
    force = 2.6 if event.kind == "run" else 1.0
    shape = np.stack((
        0.75 * strike - 0.10 + 0.18 * np.cos(2 * angle + 0.4),
        0.10 * np.sin(angle + 0.5) + 0.15 * strike,
        0.38 * np.sin(angle) + 0.16 * np.sin(2 * angle + 1.0) - 0.3 * strike,
    ))  # fmt: skip
    rough = np.stack([_noise(event, f"shake {axis}", time_s, hertz=KNOTS_HZ) for axis in "xyz"])
    return np.asarray(force * (shape + 0.04 * rough) * _edge(event, time_s))


def _pace_hz(event: Event) -> float:
    return 1.5 if event.kind in ("stand", "hold") else 6.0


def _edge(event: Event, time_s: FloatArray) -> FloatArray:
    """Fades in and out within 0.3 s."""
    return np.asarray(np.clip(np.minimum(time_s, event.duration_s - time_s) / 0.3, 0.0, 1.0))


def _noise(event: Event, purpose: str, time_s: FloatArray, *, hertz: float) -> FloatArray:
    knots: NDArray[np.float64] = event.rng(purpose).standard_normal(int(event.duration_s * hertz) + 4)
    return np.asarray(np.interp(time_s * hertz, np.arange(knots.size), knots))
