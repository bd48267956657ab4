"""From a leg to the counts of a device: any stretch of samples, the same whatever stretches are asked for.

An event is rendered as a whole, from its own seed, when a stretch first touches it, and forgotten once the reader
has passed it; the noise between is read by index. So memory is bounded by the events of one moment.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators import activity, cramp, faults, movement
from simulators.errors import ScenarioError
from simulators.event import Event
from simulators.leg import LONGEST_EVENT_S, Leg, Muscle
from simulators.motor_units import FloatArray
from simulators.noise import Noise, make_noise, read
from simulators.potentials import Bank, SampleArray, make_bank, render

CountArray = NDArray[np.int16]

REACH_S: Final = 0.1  # how far the potentials of an event reach beyond it
RAIL: Final = 32767
AT_ONCE_S: Final = 60.0
KEPT_EVENTS: Final = 24
ACC_DENSITY_G: Final = 0.0004  # per root hertz: about 3 mg at 100 Hz
SHORTENINGS: Final = (0.88, 0.92, 0.97)
NEIGHBOURS: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front end of a device: rates and what a count is worth."""

    emg_fs_hz: float = 1000.0
    acc_fs_hz: float = 100.0
    emg_scale: float = 0.25  # µV per count
    acc_scale: float = 1 / 4096  # g per count

    def __post_init__(self) -> None:
        if not 200.0 <= self.emg_fs_hz <= 4000.0:
            raise ScenarioError(f"EMG at {self.emg_fs_hz:g} Hz: supported are 200 to 4000 Hz")
        if not 10.0 <= self.acc_fs_hz <= 200.0:
            raise ScenarioError(f"acceleration at {self.acc_fs_hz:g} Hz: supported are 10 to 200 Hz")
        if self.emg_scale <= 0 or self.acc_scale <= 0:
            raise ScenarioError("scales must be positive")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one event adds from sample `first` on, and whether it replaces what lies below."""

    first: int
    values: SampleArray
    replaces: bool = False


class Renderer:
    """Reads one leg through one front end."""

    def __init__(self, leg: Leg, front: Front) -> None:
        self.leg = leg
        self.front = front
        self._onsets = [event.onset_s for event in leg.events]
        self._layers: OrderedDict[tuple[int, str], Layer] = OrderedDict()
        self._banks: dict[tuple[str, float], Bank] = {}
        self._noise = {site: self._emg_noise(index, site) for index, site in enumerate(leg.sites)}
        self._axes = tuple(
            make_noise((leg.seed, 30, axis), fs_hz=front.acc_fs_hz, density=ACC_DENSITY_G, corner_hz=0.2, wander=0.001)
            for axis in range(3)
        )
        bias = np.random.default_rng((leg.seed, 40))
        self._gain = bias.normal(1.0, 0.006, (3, 1))
        self._offset = bias.normal(0.0, 0.008, (3, 1))

    def emg(self, site: str, first: int, stop: int) -> CountArray:
        """Counts `(stop - first,)` of one muscle."""
        if site not in self._noise:
            raise ScenarioError(f"no electrode on {site!r}: this leg wears {self.leg.sites}")
        step = int(AT_ONCE_S * self.front.emg_fs_hz)
        parts = [self._emg(site, at, min(at + step, stop)) for at in range(first, stop, step)]
        return np.concatenate(parts) if parts else np.empty(0, np.int16)

    def acc(self, first: int, stop: int) -> CountArray:
        """Counts `(3, stop - first)` of the accelerometer."""
        step = int(AT_ONCE_S * self.front.acc_fs_hz)
        parts = [self._acc(at, min(at + step, stop)) for at in range(first, stop, step)]
        return np.concatenate(parts, axis=1) if parts else np.empty((3, 0), np.int16)

    def facts(self, event: Event) -> cramp.Facts:
        """What a cramp amounts to at its own electrode."""
        muscle = self.leg.muscles[event.site or self.leg.sites[0]]
        plan = cramp.course(event, muscle.pool, rest_uv=muscle.rest_uv)
        bank = self._bank(event.site or self.leg.sites[0], cramp.shortening(event))
        rest_uv = muscle.rest_in_band_uv(self.front.emg_fs_hz)
        return cramp.facts(plan, muscle.pool, passed=bank.passed, rest_uv=rest_uv)

    def _emg(self, site: str, first: int, stop: int) -> CountArray:
        fs_hz = self.front.emg_fs_hz
        total = read(self._noise[site], first=first, n=stop - first, fs_hz=fs_hz)
        for index in self._touching(first / fs_hz, stop / fs_hz):
            self._lay(total, first, self._emg_layer(index, site))
        return _counts(total, self.front.emg_scale)

    def _acc(self, first: int, stop: int) -> CountArray:
        fs_hz = self.front.acc_fs_hz
        time_s = np.arange(first, stop) / fs_hz
        total = self.leg.posture.gravity(time_s)
        for index in self._touching(first / fs_hz, stop / fs_hz):
            self._lay(total, first, self._acc_layer(index))
        total = total * self._gain + self._offset
        for axis, noise in enumerate(self._axes):
            total[axis] += read(noise, first=first, n=stop - first, fs_hz=fs_hz)
        return _counts(total, self.front.acc_scale)

    def _touching(self, start_s: float, end_s: float) -> list[int]:
        low = bisect_left(self._onsets, start_s - LONGEST_EVENT_S - REACH_S)
        high = bisect_right(self._onsets, end_s + REACH_S)
        return [index for index in range(low, high) if self.leg.events[index].end_s + REACH_S > start_s]

    @staticmethod
    def _lay(total: FloatArray | SampleArray, first: int, layer: Layer) -> None:
        start = max(first, layer.first)
        stop = min(first + total.shape[-1], layer.first + layer.values.shape[-1])
        if start >= stop:
            return
        below = total[..., start - first : stop - first]
        if layer.replaces:
            below[...] = 0
        below += layer.values[..., start - layer.first : stop - layer.first]

    def _emg_layer(self, index: int, site: str) -> Layer:
        return self._kept(index, site) or self._keep(index, site, self._render_emg(self.leg.events[index], site))

    def _acc_layer(self, index: int) -> Layer:
        return self._kept(index, "acc") or self._keep(index, "acc", self._render_acc(self.leg.events[index]))

    def _kept(self, index: int, name: str) -> Layer | None:
        layer = self._layers.get((index, name))
        if layer is not None:
            self._layers.move_to_end((index, name))
        return layer

    def _keep(self, index: int, name: str, layer: Layer) -> Layer:
        self._layers[index, name] = layer
        while len(self._layers) > KEPT_EVENTS * (len(self.leg.sites) + 1):
            self._layers.popitem(last=False)
        return layer

    def _render_emg(self, event: Event, site: str) -> Layer:
        fs_hz = self.front.emg_fs_hz
        if faults.is_fault(event):
            if event.site not in (None, site):
                return Layer(0, np.empty(0, np.float32))
            first, time_s = _samples(event, fs_hz, reach_s=0.0)
            values = faults.disturbance(
                event, time_s, since_start_s=time_s + event.onset_s, fs_hz=fs_hz,
                mains_hz=self.leg.mains_hz, rail_uv=RAIL * self.front.emg_scale,
            )  # fmt: skip
            return Layer(first, values.astype(np.float32), faults.replaces(event))
        first, time_s = _samples(event, fs_hz, reach_s=REACH_S)
        emg = self._muscle(event, site, start_s=float(time_s[0]), n=time_s.size)
        inside = (time_s >= 0) & (time_s <= event.duration_s)
        emg[inside] += movement.artefact(event, site, time_s[inside]).astype(np.float32)
        return Layer(first, emg)

    def _muscle(self, event: Event, site: str, *, start_s: float, n: int) -> SampleArray:
        if event.kind == "cramp":
            return self._cramp(event, site, start_s=start_s, n=n)
        if event.site not in (None, site):
            return np.zeros(n, np.float32)
        spikes = activity.voluntary(event, site, self.leg.muscles[site].pool)
        return render(self._bank(site, 1.0), spikes, start_s=start_s, n=n)

    def _cramp(self, event: Event, site: str, *, start_s: float, n: int) -> SampleArray:
        own = event.site or self.leg.sites[0]
        seen = 1.0 if own == site else self.leg.crosstalk * (site in NEIGHBOURS)
        if not seen:
            return np.zeros(n, np.float32)
        muscle: Muscle = self.leg.muscles[own]
        plan = cramp.course(event, muscle.pool, rest_uv=muscle.rest_uv)
        bank = self._bank(own, cramp.shortening(event))
        signal = render(bank, cramp.involuntary(event, plan), start_s=start_s, n=n)
        return np.multiply(signal, np.float32(plan.gain * seen), dtype=np.float32)

    def _render_acc(self, event: Event) -> Layer:
        fs_hz = self.front.acc_fs_hz
        first, time_s = _samples(event, fs_hz, reach_s=0.0)
        if event.kind == "non_wear":
            flat = np.repeat(np.array(movement.TABLE_G)[:, None], time_s.size, axis=1)
            return Layer(first, flat.astype(np.float32), replaces=True)
        if faults.is_fault(event):
            return Layer(0, np.empty((3, 0), np.float32))
        return Layer(first, movement.shake(event, time_s, fs_hz=fs_hz).astype(np.float32))

    def _bank(self, site: str, shortening: float) -> Bank:
        # A few steps of shortening are enough: a bank is dear, and so small a difference in frequency is not seen.
        step = 1.0 if shortening >= 1.0 else min(SHORTENINGS, key=lambda value: abs(value - shortening))
        if (site, step) not in self._banks:
            pool = self.leg.muscles[site].pool
            self._banks[site, step] = make_bank(pool, fs_hz=self.front.emg_fs_hz, shortening=step)
        return self._banks[site, step]

    def _emg_noise(self, index: int, site: str) -> Noise:
        density = self.leg.muscles[site].density_uv
        seed = (self.leg.seed, 20, index)
        return make_noise(seed, fs_hz=self.front.emg_fs_hz, density=density, corner_hz=12.0, wander=6.0)


def _samples(event: Event, fs_hz: float, *, reach_s: float) -> tuple[int, FloatArray]:
    """Index of the first sample an event reaches, and the times of its samples from its onset."""
    first = max(0, int(np.ceil((event.onset_s - reach_s) * fs_hz)))
    stop = max(first + 1, int(np.ceil((event.end_s + reach_s) * fs_hz)))
    return first, np.arange(first, stop) / fs_hz - event.onset_s


def _counts(values: FloatArray | SampleArray, scale: float) -> CountArray:
    counts = np.rint(values * (1.0 / scale))
    return np.clip(counts, -RAIL, RAIL).astype(np.int16)
