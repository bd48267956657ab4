"""A leg wearable: cuts what the leg gives into blocks, by a clock that is not quite right, over a link that fails.

What was recorded while it was offline follows, unbroken, when it is back: oldest first, or newest first if its link
says so. Any block can be rendered again from its place in time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ingest.wire import Block, Signal
from simulators.errors import ScenarioError
from simulators.leg import Leg
from simulators.link import Kept, Key, Link, Recorded, Span, Step, plan
from simulators.motor_units import FloatArray
from simulators.render import AT_ONCE_S, CountArray, Front, Renderer
from simulators.script import Happening
from simulators.truth import Interval, Truth, TruthEvent


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a simulation comes from: scenario and seed; and when it begins."""

    scenario: str
    seed: int
    start_ns: int  # UTC at the leg's time 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The device's idea of time: it drifts, is set right now and then, jumps, and reads with jitter.

    With `set_after_s` it counts from 1970 at each boot, until somebody tells it the time so much later.
    """

    drift_ppm: float = 0.0
    resync_s: float = 6 * 3600.0
    jitter_s: float = 0.0
    set_after_s: float = 0.0
    jumps: tuple[Span, ...] = ()  # at which second, by how many seconds

    def error_s(self, time_s: float) -> float:
        """How far the clock is ahead, once it is set."""
        drift_s = self.drift_ppm * 1e-6 * (time_s % self.resync_s)
        return drift_s + sum(by_s for at_s, by_s in self.jumps if time_s >= at_s)


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
    flash_bytes: int | None = None  # of its memory for blocks; none: room for all, filled only as they are sent

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
        """Blocks in the order in which they are sent, each with the time, as if flash were boundless."""
        kept: dict[Key, Block] = {}
        for step in self.steps():
            if isinstance(step, Kept):
                kept[step.block.boot, step.block.seq] = step.block
            else:
                sending = Sending(step.at_ns, kept.pop(step.key))
                yield from [sending] * step.times

    def steps(self) -> Iterator[Step]:
        """Blocks as they are kept, and as they are sent for the first time."""
        rng = np.random.default_rng((self.leg.seed, 5))
        kept = self.flash_bytes is not None
        return plan(self._recorded(), self.link, draw=lambda: rng.random(3).tolist(), flash_first=kept)

    def reads_ns(self, true_ns: int) -> int:
        """What its clock says at this instant."""
        at_s = (true_ns - self.start_ns) / 1e9
        return self._stamp(at_s, boot_s=self._booted_s(at_s), jitter_s=0.0)

    def unset(self, true_ns: int) -> bool:
        """Whether its clock has not been set yet at this instant."""
        at_s = (true_ns - self.start_ns) / 1e9
        return at_s - self._booted_s(at_s) < self.clock.set_after_s

    def _booted_s(self, at_s: float) -> float:
        began_s: dict[int, float] = {}
        for boot, (start_s, _) in self.sessions():
            if start_s <= at_s:
                began_s.setdefault(boot, start_s)
        return max(began_s.values(), default=0.0)

    def _recorded(self) -> Iterator[Recorded]:
        renderer = Renderer(self.leg, self.front)
        rng = np.random.default_rng((self.leg.seed, 6))
        seq, boot, boot_s = 0, None, 0.0
        for next_boot, (start_s, end_s) in self.sessions():
            if next_boot != boot:
                seq, boot, boot_s = 0, next_boot, start_s
            for index, signals in enumerate(self._signals(renderer, start_s, end_s)):
                at_s = start_s + index * self.block_s
                t0 = self._stamp(at_s, boot_s=boot_s, jitter_s=self.clock.jitter_s * rng.standard_normal())
                ready_s = at_s + self.block_s
                yield Recorded(
                    self._ns(ready_s),
                    self._ns(self.link.sent_s(ready_s)),
                    Block(boot=boot, seq=seq, t0=t0, signals=signals),
                )
                seq += 1

    def _stamp(self, at_s: float, *, boot_s: float, jitter_s: float) -> int:
        """The time that the device states for a sample."""
        if at_s - boot_s < self.clock.set_after_s:
            return max(round((at_s - boot_s + jitter_s) * 1e9), 0)
        return self._ns(at_s + (self.clock.error_s(at_s) + jitter_s))

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
