"""The recording while it is being made: what muscles, limb and faults add to it, in the order of time.

Everything is in µV and g until `finish`, which adds rest, hum and noise and converts to counts piece by piece.
A posture lasts until the next one is set, so postures must be set in the order of time; all else may come in any.

Truth of a cramp: its own expected power P(t) on a channel is the sum of the rates of its units times their energy, with
crosstalk, without rest, movement or noise. It begins and ends where sqrt(P), averaged over 0.25 s, first and last
exceeds half the resting RMS on any channel. Ratio is sqrt(1 + P / rest²) with P averaged over 1 s; its peak and its
integral less 1 (the load) are those of the channel where it is highest, whose site is the cramp's.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import butter, oaconvolve, sosfilt

from benchmarks.accuracy.leg import Cramp
from benchmarks.accuracy.legs.spikes_person import MUSCLES, FloatArray, Person
from benchmarks.accuracy.legs.spikes_units import GRID_HZ, Pool, discharge, draw_pool, lay, voluntary_rates

_BOUT_S = 120.0  # voluntary activity is rendered in bouts of this length
CURVE_HZ = 10.0  # of the hum's envelope

CrampPart = tuple[str, Pool, FloatArray, float]  # muscle, units, rates (U, g), peak as a share of the highest


class Canvas:
    """A recording under way; `emg` (C, n) in µV, `pitch` and `roll` (m,) in radians, `push` (3, m) in g."""

    def __init__(self, person: Person, duration_s: float, rng: np.random.Generator) -> None:
        self.person, self.duration_s, self.rng = person, duration_s, rng
        self.emg: NDArray[np.float32] = np.zeros((len(person.sites), int(duration_s * person.fs_hz)), dtype=np.float32)
        moments = int(duration_s * person.acc_fs_hz)
        self.pitch, self.roll = np.zeros(moments), np.zeros(moments)
        self.push = np.zeros((3, moments))
        self.hum = np.ones((len(person.sites), int(duration_s * CURVE_HZ) + 2))
        self.stuck: list[tuple[int, slice, int | None]] = []  # channel, samples, counts (None: the last good ones)
        self.cramps: list[Cramp] = []
        self._pools: dict[str, Pool] = {}

    def contract(self, start_s: float, drives: Mapping[str, FloatArray], *, cv: float | None = None) -> None:
        """Contract muscles by drives (g,) between 0 and 1 on the grid of 100 Hz."""
        for muscle, drive in drives.items():
            if self.heard(muscle) and drive.max(initial=0) > 0:
                pool = self._pool(muscle)
                for first in range(0, len(drive), bout := int(_BOUT_S * GRID_HZ)):
                    rates = voluntary_rates(drive[first : first + bout], pool)
                    at = start_s + first / GRID_HZ
                    self.fire(at, muscle, pool, rates, cv=cv or self.person.isi_cv, doublets=0.002)

    def fire(self, start_s: float, muscle: str, pool: Pool, rates: FloatArray, *, cv: float, doublets: float) -> None:
        """Let units discharge at the rates (U, g) from a moment on."""
        times, units = discharge(rates, cv=cv, doublets=doublets, rng=self.rng)
        self.sparks(start_s, muscle, pool, times, units, seconds=rates.shape[1] / GRID_HZ)

    def sparks(
        self,
        start_s: float,
        muscle: str,
        pool: Pool,
        times_s: FloatArray,
        units: NDArray[np.int64],
        *,
        seconds: float,
    ) -> None:
        """Add the potentials of given discharges, seconds after the start, to all channels that hear the muscle."""
        begin = int((start_s - 0.1) * self.person.fs_hz)
        late = start_s - begin / self.person.fs_hz
        signal = lay(pool, times_s=times_s + late, units=units, samples=int((seconds + 0.2) * self.person.fs_hz))
        for channel, gain in enumerate(self._gains(muscle)):
            if gain > 0:
                self.add(channel, begin, np.float32(gain) * signal)

    def add(self, channel: int, begin: int, signal: NDArray[np.float32]) -> None:
        """Add a signal in µV from a sample on, cut to the recording."""
        end = min(begin + len(signal), self.emg.shape[1])
        if end > max(begin, 0):
            self.emg[channel, max(begin, 0) : end] += signal[max(-begin, 0) : end - begin]

    def cramp(self, start_s: float, parts: Iterable[CrampPart], *, peak_ratio: float) -> None:
        """Cramp in one or several muscles so that the first one peaks at a ratio to rest, and note the truth."""
        power = np.zeros(0)
        for muscle, pool, rates, share in parts:
            fitted = self.fitted(muscle, pool, rates, ratio=1 + share * (peak_ratio - 1))
            self.fire(start_s, muscle, fitted, rates, cv=0.446, doublets=0.041)
            added = (self._gains(muscle) ** 2)[:, None] * (fitted.energy @ rates)
            power = added + power if power.size else added
        self.cramps.append(self._truth(start_s, power))

    def fitted(self, muscle: str, pool: Pool, rates: FloatArray, *, ratio: float) -> Pool:
        """Scale units so that, discharging at the rates, they peak at a ratio to rest where they are heard best."""
        gains = self._gains(muscle)
        channel = int(np.argmax(gains))
        now = uniform_filter1d(pool.energy @ rates, int(GRID_HZ)).max()
        wanted = (ratio**2 - 1) * self.person.rest_uv[channel] ** 2
        return pool.scaled(float(np.sqrt(wanted / now) / gains[channel]))

    def _truth(self, start_s: float, power: FloatArray) -> Cramp:
        relative = power / self.person.rest_uv[:, None] ** 2
        brief = np.sqrt(np.maximum(uniform_filter1d(relative, int(GRID_HZ / 4), axis=1, mode="constant"), 0))
        active = np.flatnonzero((brief > 0.5).any(axis=0))
        ratio = np.sqrt(1 + np.maximum(uniform_filter1d(relative, int(GRID_HZ), axis=1, mode="constant"), 0))
        channel = int(np.argmax(ratio.max(axis=1)))
        return Cramp(
            onset_s=start_s + float(active[0]) / GRID_HZ,
            end_s=start_s + float(active[-1] + 1) / GRID_HZ,
            peak_ratio=float(ratio[channel].max()),
            load=float((ratio[channel, active[0] : active[-1] + 1] - 1).sum() / GRID_HZ),
            site=self.person.sites[channel],
        )

    def heard(self, muscle: str) -> bool:
        """Whether any electrode lies on the muscle or near it."""
        return bool((self._gains(muscle) > 0.005).any())

    def _gains(self, muscle: str) -> FloatArray:
        return np.asarray(self.person.mix[:, MUSCLES.index(muscle)], dtype=np.float64)

    def _pool(self, muscle: str) -> Pool:
        """Give the voluntary pool of a muscle: full effort has the wearer's RMS at full effort."""
        if muscle not in self._pools:
            units = int(self.rng.integers(30, 50))
            width = self.person.tissue * self.rng.uniform(0.9, 1.1)
            pool = draw_pool(self.rng, fs_hz=self.person.fs_hz, units=units, width=width, size_range=12.0)
            full = float(pool.energy @ voluntary_rates(np.ones(1), pool)[:, 0])
            self._pools[muscle] = pool.scaled(self.person.mvc_uv[muscle] / np.sqrt(full))
        return self._pools[muscle]

    def posture(self, at_s: float, *, pitch: float, roll: float, seconds: float = 2.0) -> None:
        """Take a posture, degrees from upright and around the shank's axis (0: toes up), and keep it."""
        rate = self.person.acc_fs_hz
        first = min(int(at_s * rate), len(self.pitch) - 1)
        way = np.linspace(0, 1, int(seconds * rate) + 1) if seconds > 0 else np.ones(1)
        way = way**2 * (3 - 2 * way)
        for curve, target in ((self.pitch, np.radians(pitch)), (self.roll, np.radians(roll))):
            path = curve[first] + (target - curve[first]) * way
            curve[first:] = target
            curve[first : first + len(path)] = path[: len(curve) - first]

    def swing(self, start_s: float, pitch: FloatArray) -> None:
        """Add a swing of the shank, in radians at the accelerometer's rate."""
        first = max(int(start_s * self.person.acc_fs_hz), 0)
        room = self.pitch[first : first + len(pitch)]
        room += pitch[: len(room)]

    def shove(self, start_s: float, push: FloatArray) -> None:
        """Add accelerations (3, k) in g, along, ahead of and across the shank."""
        first = max(int(start_s * self.person.acc_fs_hz), 0)
        room = self.push[:, first : first + push.shape[1]]
        room += push[:, : room.shape[1]]

    def shake(self, start_s: float, seconds: float, *, size_g: float, smooth_s: float = 0.06) -> None:
        """Add irregular movement of a given RMS in g."""
        count = max(int(seconds * self.person.acc_fs_hz), 3)
        noise = gaussian_filter1d(self.rng.normal(size=(3, count)), smooth_s * self.person.acc_fs_hz, axis=1)
        noise *= size_g * np.hanning(count + 2)[1:-1] ** 0.5 / max(float(noise.std()), 1e-9)
        self.shove(start_s, noise)

    def tug(self, start_s: float, seconds: float, *, size: float) -> None:
        """Add the motion artefact of cables and skin: slow noise that grows with movement, after the amplifier."""
        count = int(seconds * self.person.fs_hz)
        if count < 8:
            return
        band = butter(2, self.rng.uniform(4, 14), fs=self.person.fs_hz, output="sos")
        for channel, rest in enumerate(self.person.rest_uv):
            noise = sosfilt(band, self.rng.normal(size=count))
            noise *= size * self.person.skin * rest * self.rng.uniform(0.3, 1.5) / noise.std()
            noise = self.amplified(noise * np.hanning(count + 2)[1:-1] ** 0.5)
            self.add(channel, int(start_s * self.person.fs_hz), noise)

    def amplified(self, slow: FloatArray) -> NDArray[np.float32]:
        """Pass a slow disturbance through the amplifier's high-pass."""
        high = butter(1, self.person.highpass_hz, btype="high", fs=self.person.fs_hz, output="sos")
        return np.asarray(sosfilt(high, slow), dtype=np.float32)

    def knock(self, start_s: float, strikes_s: FloatArray, sizes: FloatArray) -> None:
        """Add the artefacts of heel strikes, in resting RMS: each rings at some 8 Hz and dies away."""
        rate = self.person.fs_hz
        ring = np.arange(int(0.3 * rate)) / rate
        ring = np.exp(-ring / 0.06) * np.sin(2 * np.pi * self.rng.uniform(6, 11) * ring)
        hits = np.zeros(int((strikes_s.max(initial=0) + 0.5) * rate))
        np.add.at(hits, (strikes_s * rate).astype(int), sizes)
        wave = oaconvolve(hits, ring)
        for channel, rest in enumerate(self.person.rest_uv):
            self.add(channel, int(start_s * rate), self.amplified(wave * rest * self.rng.uniform(0.4, 1.3)))

    def louder_hum(self, channel: int, start_s: float, end_s: float, factor: float) -> None:
        """Multiply the hum of a channel for a while."""
        self.hum[channel, int(start_s * CURVE_HZ) : int(end_s * CURVE_HZ)] *= factor


def seconds_grid(seconds: float) -> FloatArray:
    """Give the moments of the 100 Hz grid over some seconds."""
    return np.arange(max(int(seconds * GRID_HZ), 1)) / GRID_HZ


def wander(rng: np.random.Generator, count: int, *, smooth_s: float, rate_hz: float = GRID_HZ) -> FloatArray:
    """Give slow noise of unit SD, smoothed by a Gaussian and drawn no finer than its smoothness needs."""
    step = max(int(smooth_s * rate_hz / 6), 1)
    width = smooth_s * rate_hz / step
    reach = 4 * int(width + 1)  # ends that the filter's own would make less random
    coarse = gaussian_filter1d(rng.normal(size=count // step + 2 + 2 * reach), width)[reach:-reach]
    fine = np.interp(np.arange(count) / step, np.arange(len(coarse)), coarse)
    return np.asarray(fine * np.sqrt(2 * np.sqrt(np.pi) * max(width, 0.3)), dtype=np.float64)
