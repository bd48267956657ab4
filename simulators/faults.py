"""What goes wrong between skin and converter. Each fault keeps or replaces the EMG and adds a voltage of its own."""

from typing import Final

import numpy as np

from simulators.event import FAULTS, Event
from simulators.motor_units import FloatArray

HARMONICS: Final = ((1, 1.0), (2, 0.15), (3, 0.35), (5, 0.12))
OPEN_INPUT_UV: Final = 6.0  # RMS of an open input at 1000 Hz
REPLACING: Final = ("electrode_off", "rails", "flat", "non_wear")


def is_fault(event: Event) -> bool:
    """Whether the event is a sensor fault and not something the leg does."""
    return event.kind in FAULTS


def replaces(event: Event) -> bool:
    """Whether nothing of the muscle reaches the converter."""
    return event.kind in REPLACING


def disturbance(
    event: Event, time_s: FloatArray, *, since_start_s: FloatArray, fs_hz: float, mains_hz: float, rail_uv: float
) -> FloatArray:
    """The fault's voltage in µV at `time_s` from its onset; mains runs on `since_start_s`, so that it never jumps."""
    if event.kind == "flat":
        return np.zeros(time_s.size)
    if event.kind == "rails":
        side = np.where(event.rng("rails").random(int(event.duration_s / 3.0) + 2) < 0.8, 1.0, -1.0)
        return np.asarray(2 * rail_uv * side[(time_s / 3.0).astype(np.int64)])
    if event.kind == "artefact":
        return event.level * _jolts(event, time_s)
    hum = event.level * _mains(since_start_s, fs_hz=fs_hz, mains_hz=mains_hz)
    if event.kind == "hum":
        return hum
    # An open input hisses louder than skin, drifts, far and slowly, and takes the odd knock.
    hiss = event.rng("hiss").standard_normal(time_s.size) * OPEN_INPUT_UV * np.sqrt(fs_hz / 1000.0)
    drift = _knots(event, "drift", time_s, hertz=0.3) * event.level * 1.5
    return np.asarray(hum + hiss + drift + 0.3 * event.level * _jolts(event, time_s))


def _mains(since_start_s: FloatArray, *, fs_hz: float, mains_hz: float) -> FloatArray:
    total = np.zeros(since_start_s.size)
    for order, size in HARMONICS:
        if order * mains_hz < 0.45 * fs_hz:
            total += size * np.sin(2 * np.pi * ((order * mains_hz * since_start_s) % 1.0) + order)
    return total


def _jolts(event: Event, time_s: FloatArray) -> FloatArray:
    """Steps that decay within a second, about every four seconds, over a slow rumble."""
    rng = event.rng("jolts")
    rumble = 0.3 * _knots(event, "rumble", time_s, hertz=10.0)
    total = np.array(rumble)
    for at in np.sort(rng.uniform(0.0, event.duration_s, rng.poisson(event.duration_s / 4.0) + 1)):
        first, stop = np.searchsorted(time_s, (at, at + 4.0))
        total[first:stop] += rng.normal(0.0, 2.0) * np.exp((at - time_s[first:stop]) / 0.35)
    return total


def _knots(event: Event, purpose: str, time_s: FloatArray, *, hertz: float) -> FloatArray:
    knots = event.rng(purpose).standard_normal(int(event.duration_s * hertz) + 4)
    return np.asarray(np.interp(time_s * hertz, np.arange(knots.size), knots))
