"""A leg wearable: cuts what the leg gives into blocks, by a clock that is not quite right, over a link that fails.

The device sends oldest first. What was recorded while it was offline therefore follows, unbroken, when it is back;
nothing is kept in memory, because any block can be rendered again from its place in time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ingest.wire import Block, Signal
from simulators.errors import ScenarioError
from simulators.leg import Leg
from simulators.motor_units import FloatArray
from simulators.render import AT_ONCE_S, CountArray, Front, Renderer
from simulators.script import Happening
from simulators.truth import Interval, Truth, TruthEvent

Span = tuple[float, float]  # seconds from the leg's start


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a simulation comes from: scenario and seed; and when it begins."""

    scenario: str
    seed: int
    start_ns: int  # UTC at the leg's time 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The device's idea of time: it drifts, is set right now and then, and reads with jitter."""

    drift_ppm: float = 0.0
    resync_s: float = 6 * 3600.0
    jitter_s: float = 0.0

    def error_s(self, time_s: float) -> float:
        """How far the clock is ahead."""
        return self.drift_ppm * 1e-6 * (time_s % self.resync_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What becomes of blocks on the way: shares lost, sent twice, swapped with the next; stretches without a link."""

    lost: float = 0.0
    doubled: float = 0.0
    swapped: float = 0.0
    offline: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if not all(0.0 <= share < 1.0 for share in (self.lost, self.doubled, self.swapped)):
            raise ScenarioError("shares of blocks lost, doubled and swapped lie between 0 and 1")

    def sent_s(self, ready_s: float) -> float:
        """When a block that is ready at `ready_s` can be sent."""
        return max((end for start, end in self.offline if start <= ready_s < end), default=ready_s)


@dataclass(frozen=True, slots=True)
class Sending:
    """A block, and the true time in ns at which the device sends it."""

    at_ns: int
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One leg wearable with everything that will happen to it."""

    device: str
    zone: str
    origin: Origin
    leg: Leg
    happenings: tuple[Happening, ...]
    front: Front = field(default_factory=Front)
    block_s: float = 1.0
    powered: tuple[Span, ...] = ()  # empty: all the time
    reboots_s: tuple[float, ...] = ()
    reboot_lasts_s: float = 20.0
    first_boot: int = 1
    firmware: str = "simulated-1"
    clock: Clock = field(default_factory=Clock)
    link: Link = field(default_factory=Link)
    asleep: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if not 0.1 <= self.block_s <= 60.0:
            raise ScenarioError(f"blocks of {self.block_s:g} s: the wire takes 0.1 to 60 s")

    @property
    def sites(self) -> tuple[str, ...]:
        """The muscles it wears electrodes on."""
        return self.leg.sites

    @property
    def start_ns(self) -> int:
        """UTC at the leg's time 0."""
        return self.origin.start_ns

    @property
    def boot(self) -> int:
        """The boot it starts with."""
        return self.first_boot

    @property
    def battery(self) -> float:
        """What is left of its charge, 0-1, as it reports on connecting: each was charged at another time."""
        rng = np.random.default_rng((self.origin.seed, 6, *self.device.encode()))
        return round(float(rng.uniform(0.35, 0.98)), 2)

    def sessions(self) -> tuple[tuple[int, Span], ...]:
        """Stretches of recording, each with its boot; a pause keeps the boot, a reboot raises it."""
        found = []
        for start_s, end_s in self.powered or ((0.0, self.leg.duration_s),):
            cuts = [at for at in sorted(self.reboots_s) if start_s < at < end_s]
            for begin, stop in zip([start_s, *(at + self.reboot_lasts_s for at in cuts)], [*cuts, end_s], strict=True):
                if stop - begin >= self.block_s:
                    boot = self.first_boot + sum(at < begin for at in self.reboots_s)
                    found.append((boot, (begin, min(stop, self.leg.duration_s))))
        return tuple(found)

    def count(self) -> int:
        """How many blocks it records; links that lose or double make it send other numbers."""
        return sum(int((end_s - start_s) / self.block_s + 1e-9) for _, (start_s, end_s) in self.sessions())

    def blocks(self) -> Iterator[Block]:
        """Blocks in the order in which they are sent."""
        return (sending.block for sending in self.sendings())

    def sendings(self) -> Iterator[Sending]:
        """Blocks in the order in which they are sent, each with the time."""
        rng = np.random.default_rng((self.leg.seed, 5))
        held: Sending | None = None
        for sending in self._recorded():
            lost, doubled, swapped = rng.random(3) < (self.link.lost, self.link.doubled, self.link.swapped)
            if lost:
                continue
            if held is None and swapped:
                held = sending
                continue
            yield sending
            if doubled:
                yield sending
            if held is not None:
                yield held
                held = None
        if held is not None:
            yield held

    def _recorded(self) -> Iterator[Sending]:
        renderer = Renderer(self.leg, self.front)
        rng = np.random.default_rng((self.leg.seed, 6))
        seq, boot = 0, None
        for next_boot, (start_s, end_s) in self.sessions():
            if next_boot != boot:
                seq, boot = 0, next_boot
            for index, signals in enumerate(self._signals(renderer, start_s, end_s)):
                at_s = start_s + index * self.block_s
                error_s = self.clock.error_s(at_s) + self.clock.jitter_s * rng.standard_normal()
                t0 = self.start_ns + round((at_s + error_s) * 1e9)
                block = Block(boot=boot, seq=seq, t0=t0, signals=signals)
                ready_s = self.link.sent_s(at_s + self.block_s)
                yield Sending(self.start_ns + round(ready_s * 1e9), block)
                seq += 1

    def _signals(self, renderer: Renderer, start_s: float, end_s: float) -> Iterator[tuple[Signal, ...]]:
        """The signals of each block of a session. About a minute is rendered at once: small reads are dear."""
        count = int((end_s - start_s) / self.block_s + 1e-9)
        at_once = max(1, int(AT_ONCE_S / self.block_s))
        for low in range(0, count, at_once):
            high = min(low + at_once, count)
            edges_s = np.asarray(start_s + self.block_s * np.arange(low, high + 1), np.float64)
            emg, acc = _edges(edges_s, self.front.emg_fs_hz), _edges(edges_s, self.front.acc_fs_hz)
            muscles = [(site, renderer.emg(site, emg[0], emg[-1])) for site in self.sites]
            shank = renderer.acc(acc[0], acc[-1])
            for block in range(high - low):
                part = slice(emg[block] - emg[0], emg[block + 1] - emg[0])
                signals = [self._signal(site, counts[part]) for site, counts in muscles]
                part = slice(acc[block] - acc[0], acc[block + 1] - acc[0])
                yield (*signals, self._signal("shank", shank[:, part]))

    def _signal(self, site: str, counts: CountArray) -> Signal:
        front, is_acc = self.front, counts.ndim == 2
        return Signal(
            kind="acc" if is_acc else "emg",
            site=site,
            fs_hz=front.acc_fs_hz if is_acc else front.emg_fs_hz,
            scale=front.acc_scale if is_acc else front.emg_scale,
            channels=3 if is_acc else 1,
            samples=counts.astype("<i2").tobytes(),
        )

    def truth(self) -> Truth:
        """What really happened while the device recorded."""
        recorded = tuple(span for _, span in self.sessions())
        off = [(item.onset_s, item.end_s) for item in self.happenings if item.kind == "non_wear"]
        renderer = Renderer(self.leg, self.front)
        events = [
            self._told(item, renderer)
            for item in sorted(self.happenings, key=lambda item: item.onset_s)
            if any(item.onset_s < end_s and item.end_s > start_s for start_s, end_s in recorded)
        ]
        return Truth(
            scenario=self.origin.scenario, seed=self.origin.seed, device=self.device, zone=self.zone, sites=self.sites,
            events=tuple(events), recorded=self._intervals(recorded), worn=self._intervals(_without(recorded, off)),
            asleep=self._intervals(self.asleep),
        )  # fmt: skip

    def _told(self, item: Happening, renderer: Renderer) -> TruthEvent:
        if item.event is None:
            return TruthEvent(
                kind=item.kind, device=self.device, site=item.site or "leg",
                onset_ns=self._ns(item.onset_s), end_ns=self._ns(item.end_s),
            )  # fmt: skip
        facts = renderer.facts(item.event)
        return TruthEvent(
            kind=item.kind, device=self.device, site=item.site or self.sites[0],
            onset_ns=self._ns(item.onset_s + facts.onset_s), end_ns=self._ns(item.onset_s + facts.end_s),
            peak_ratio=round(facts.peak_ratio, 3), peak_uv=round(facts.peak_uv, 3), load=round(facts.load, 3),
        )  # fmt: skip

    def _ns(self, time_s: float) -> int:
        return self.start_ns + round(time_s * 1e9)

    def _intervals(self, spans: Iterable[Span]) -> tuple[Interval, ...]:
        return tuple(Interval(start_ns=self._ns(start), end_ns=self._ns(end)) for start, end in spans)


def _edges(edges_s: FloatArray, fs_hz: float) -> list[int]:
    """Index of the first sample at or after each time."""
    return [int(edge) for edge in np.ceil(edges_s * fs_hz - 1e-6)]


def _without(spans: Iterable[Span], off: list[Span]) -> list[Span]:
    """The spans less the stretches of `off`."""
    left = list(spans)
    for start, end in off:
        left = [
            part
            for begin, stop in left
            for part in ((begin, min(stop, start)), (max(begin, end), stop))
            if part[1] > part[0]
        ]
    return left
