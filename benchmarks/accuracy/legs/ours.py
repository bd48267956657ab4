"""The scenarios of our own `simulators`, which the detector's authors also wrote: told apart in every table."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks.accuracy.leg import Cramp, Kind, Leg, Scenarios
from simulators.render import Renderer
from simulators.scenarios import build
from simulators.truth import TruthEvent

START_NS: Final = 1_760_000_000 * 10**9
KINDS: Final[MappingProxyType[str, Kind]] = MappingProxyType(
    {
        "quiet_night": "night",
        "cramp_night": "night",
        "plm_night": "night",
        "walking_day": "day",
        "tiptoe": "event",
        "running": "event",
        "faulty_electrode": "event",
    }
)


def make(name: str, seed: int) -> Leg:
    """The one device of a scenario, as if its memory card had been read."""
    (device,) = build(name, seed=seed, start_ns=START_NS)
    renderer, front = Renderer(device.leg, device.front), device.front
    samples = int(device.leg.duration_s * front.emg_fs_hz)
    return Leg(
        kind=KINDS[name],
        sites=device.sites,
        emg=np.stack([renderer.emg(site, 0, samples) for site in device.sites]),
        emg_fs_hz=front.emg_fs_hz,
        emg_scale_uv=front.emg_scale,
        acc=renderer.acc(0, int(device.leg.duration_s * front.acc_fs_hz)),
        acc_fs_hz=front.acc_fs_hz,
        acc_scale_g=front.acc_scale,
        cramps=tuple(_cramp(event) for event in device.truth().cramps),
    )


def _cramp(event: TruthEvent) -> Cramp:
    return Cramp(
        onset_s=(event.onset_ns - START_NS) / 1e9,
        end_s=(event.end_ns - START_NS) / 1e9,
        peak_ratio=event.peak_ratio or 0.0,
        load=event.load or 0.0,
        site=event.site,
    )


def _maker(name: str) -> Callable[[int], Leg]:
    return partial(make, name)


SCENARIOS: Final[Scenarios] = MappingProxyType({name: _maker(name) for name in KINDS})
