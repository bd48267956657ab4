"""Thousands of devices that lose their connections at once and come back within a second, again and again.

Lag is what devices hold that the service has not named durable, in seconds of load: broker, ingester, disk and the two
seconds between acks are all in it. First the rate is found that this machine bears, simulated devices and all: it has
to serve them with the processors that they leave. Beside it stands what the broker alone brings from the same devices
to a subscriber that only counts.
"""

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, overload

import numpy as np

from benchmarks.reliability import bare, raw
from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.kills import undisturbed
from benchmarks.reliability.legs import EMG_HZ, SECOND_NS, Sent, block
from benchmarks.reliability.load import Load
from benchmarks.reliability.outcome import Figure, Outcome, say
from benchmarks.reliability.records import compare
from benchmarks.reliability.watch import Watch
from benchmarks.reliability.world import World
from benchmarks.servers import Mosquitto
from detector.posture import EPOCH_NS
from ingest.wire import encode

FILES: Final = 20_000
TICK_S: Final = 0.2
LAG_S: Final = 5.0
SAMPLED: Final = 20  # devices whose records are compared one by one
SNIPPETS: Final = 97
USUAL: Final = {"archive_after_s": 3600}  # what it costs by the way to archive block by block is not asked here
CONNECT_S: Final = 5.0
LIMIT_S: Final = 180.0
CALM_S: Final = 45.0  # of a trial: a rate that leaves less room than that is not one to stay at
FLAT: Final = 1.25  # memory at the end over memory after the first storm
FLASH: Final = 10**9
RESEND_S: Final = 60.0  # as docs/wire.md has it: what waits in the broker must not be sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Devices, blocks a second of all together to be tried in turn, how long, and how often all are cut off."""

    devices: int
    rates: tuple[int, ...]
    try_s: int
    seconds: int
    storms: int
    bare_s: int


QUICK: Final = Plan(devices=300, rates=(300,), try_s=0, seconds=20, storms=2, bare_s=3)
FULL: Final = Plan(
    devices=5000, rates=(5000, 4000, 3000, 2500, 2000, 1500, 1000, 500), try_s=30, seconds=600, storms=5, bare_s=15
)


class Tape(Sequence[Sent]):
    """Blocks of one device, made when they are asked for: rest, cut from a few snippets."""

    def __init__(self, device: int, count: int, start_ns: int) -> None:
        self._device = device
        self._count = count
        self._start_ns = start_ns

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Sent: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Sent]: ...
    def __getitem__(self, place: int | slice) -> Sent | Sequence[Sent]:
        if isinstance(place, slice):
            return [self._one(i) for i in range(*place.indices(self._count))]
        return self._one(place)

    def __iter__(self) -> Iterator[Sent]:
        return map(self._one, range(self._count))

    def _one(self, seq: int) -> Sent:
        if not 0 <= seq < self._count:
            raise IndexError(seq)
        t0_ns = self._start_ns + seq * SECOND_NS
        emg = _SNIPPETS[(self._device * 31 + seq) % SNIPPETS]
        return Sent((1, seq), t0_ns, encode(block(emg, boot=1, seq=seq, t0_ns=t0_ns)))


_SNIPPETS: Final = [np.random.default_rng(i).normal(0, 30, int(EMG_HZ)).astype(np.int16) for i in range(SNIPPETS)]


def run(*, quick: bool, folder: Path, plan: Plan | None = None) -> Outcome:
    """Find the rate, then storms at that rate."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, FILES), hard))  # children inherit it
    outcome = Outcome(
        "reconnect",
        heading=("storm", "all back within (s)", "lag at most (s)", f"below {LAG_S:g} s after (s)", "memory (MiB)"),
    )
    outcome.figures["devices"] = plan.devices
    outcome.figures["bare broker (blocks/s)"] = round(_bare(folder / "bare", plan))
    rate = plan.rates[0]
    for rate in plan.rates:
        if plan.try_s == 0 or _bears(folder / f"try-{rate}", plan, rate, outcome):
            break
    outcome.figures["blocks a second"] = rate
    _storms(outcome, folder / "storms", plan, rate)
    outcome.took_s = time.monotonic() - begun
    return outcome


def _tapes(plan: Plan, blocks: int) -> dict[str, Tape]:
    return {f"leg-{i}": Tape(i, blocks, start_of(blocks)) for i in range(plan.devices)}


def start_of(blocks: int) -> int:
    """When a tape of so many blocks begins that ends now: with an epoch, else a short one may hold none whole."""
    return (time.time_ns() - blocks * SECOND_NS) // EPOCH_NS * EPOCH_NS


def _bare(folder: Path, plan: Plan) -> float:
    """Blocks a second from these devices, as fast as they can, to a subscriber that only counts."""
    folder.mkdir(parents=True)
    with Mosquitto(folder) as broker:
        child = bare.start(broker.port, plan.bare_s)
        try:
            tapes = _tapes(plan, 100_000)
            with Fleet(tapes, host=broker.host, port=broker.port, flash=FLASH, resend_s=1e9, tick_s=TICK_S) as fleet:
                fleet.connect()
                fleet.wait(lambda: fleet.online == plan.devices, within_s=LIMIT_S, what="devices connected")
                fleet.allow(1.0)
                printed, _ = child.communicate(timeout=LIMIT_S)
        finally:
            child.kill()
            child.wait()
    return float(printed.split()[-1])


def _bears(folder: Path, plan: Plan, rate: int, outcome: Outcome) -> bool:
    """Whether the lag stays small at this rate, and is small again soon after one storm: without room it never is."""
    say(f"{rate:,} blocks a second of {plan.devices:,} devices for {plan.try_s} s, and a storm")
    tapes = _tapes(plan, (plan.try_s + round(CALM_S)) * rate // plan.devices + 10)
    with (
        World.make(folder, settings=USUAL) as world,
        _fleet(world, tapes) as fleet,
        Load(fleet, speed=rate / plan.devices) as load,
    ):
        world.wait(lambda: load.now_s >= plan.try_s, within_s=LIMIT_S, what="a trial")
        lag_s = fleet.held / rate
        outcome.figures[f"lag at {rate} blocks/s (s)"] = round(lag_s, 1)
        if lag_s >= LAG_S:
            return False
        fleet.cut()
        try:
            took_s = world.wait(
                lambda: fleet.online == plan.devices and fleet.held / rate < LAG_S, within_s=CALM_S, what="to calm down"
            )
        except TimeoutError:
            outcome.figures[f"calm after a storm at {rate} blocks/s (s)"] = f"not within {CALM_S:g}"
            return False
    outcome.figures[f"calm after a storm at {rate} blocks/s (s)"] = round(took_s, 1)
    return True


def _storms(outcome: Outcome, folder: Path, plan: Plan, rate: int) -> None:
    seconds = plan.seconds
    tapes = _tapes(plan, seconds * rate // plan.devices)
    say(f"{plan.storms} storms of {plan.devices:,} devices at {rate:,} blocks a second, {seconds} s")
    with World.make(folder, settings=USUAL) as world, _fleet(world, tapes) as fleet:
        with Watch(world) as watch, Load(fleet, speed=rate / plan.devices) as load:
            for i in range(plan.storms):
                due = partial(_past, load, seconds * (i + 0.5) / plan.storms)
                world.wait(due, within_s=seconds + LIMIT_S, what="the next storm")
                outcome.rows.append((i + 1, *_storm(world, fleet, watch, plan, rate)))
            world.wait(lambda: load.exhausted, within_s=seconds + LIMIT_S, what="load to its end")
            _rest(outcome, fleet, blocks=sum(map(len, tapes.values())))
        outcome.figures |= {
            "peak memory (MiB)": round(watch.peak_mib), "longest lag in the ingester (s)": round(watch.lag(), 1),
        }  # fmt: skip
        outcome.check("no process ended by itself", not world.fallen, world.fallen[:3])
        fleet.leave()
        outcome.check("the ingester leaves with 0 when asked to", world.ingest.stop() == 0)
        _judge(outcome, world, fleet, tapes, folder)


def _past(load: Load, at_s: float) -> bool:
    return load.now_s >= at_s


@contextmanager
def _fleet(world: World, tapes: dict[str, Tape]) -> Iterator[Fleet]:
    """All devices, connected."""
    with Fleet(
        tapes, host=world.broker.host, port=world.broker.port, flash=FLASH, resend_s=RESEND_S, tick_s=TICK_S
    ) as fleet:
        fleet.connect(within_s=CONNECT_S)
        fleet.wait(lambda: fleet.online == len(tapes), within_s=LIMIT_S, what="devices connected")
        yield fleet


def _storm(world: World, fleet: Fleet, watch: Watch, plan: Plan, rate: int) -> tuple[Figure, ...]:
    """Cut everybody off, and watch them come back."""
    fleet.cut()
    begun = time.monotonic()
    worst_s, back_s = 0.0, 0.0

    def calm() -> bool:
        nonlocal worst_s, back_s
        worst_s = max(worst_s, fleet.held / rate)
        if not back_s and fleet.online == plan.devices:
            back_s = time.monotonic() - begun
        return bool(back_s) and fleet.held / rate < LAG_S

    took_s = world.wait(calm, within_s=LIMIT_S, what="to calm down after a storm")
    world.wait(lambda: bool(watch.looks), within_s=LIMIT_S, what="a first look at its memory")
    return round(back_s, 1), round(worst_s, 1), round(took_s, 1), round(watch.looks[-1].rss_mib)


def _rest(outcome: Outcome, fleet: Fleet, *, blocks: int) -> None:
    took_s = fleet.wait(lambda: fleet.finished, within_s=LIMIT_S, what="all blocks durable")
    outcome.figures |= {
        "blocks": blocks, "named durable": fleet.counts["durable"], "sent again": fleet.counts["sent again"],
        "connections": fleet.counts["connections"], "last block durable after (s)": round(took_s, 1),
    }  # fmt: skip
    outcome.check("every block was named durable", fleet.counts["durable"] == blocks)
    outcome.check("no ack for what was never sent", not fleet.wrong, fleet.wrong[:5])


def _judge(outcome: Outcome, world: World, fleet: Fleet, tapes: dict[str, Tape], folder: Path) -> None:
    storms = len(outcome.rows)
    outcome.check("every device came back after every storm", fleet.counts["connections"] >= (1 + storms) * len(tapes))
    memory = [float(row[4]) for row in outcome.rows]
    outcome.check("memory is flat", memory[-1] <= FLAT * memory[0], [f"{memory} MiB"])
    judge_kept(outcome, world, tapes, folder, compared=list(tapes)[:: max(1, len(tapes) // SAMPLED)])


def judge_kept(outcome: Outcome, world: World, tapes: dict[str, Tape], folder: Path, *, compared: list[str]) -> None:
    """Whether every block is kept, and whether the records of some devices are those of an undisturbed run."""
    kept = raw.counts(world.data)
    lost = sum(len(tape) - kept.get(name, 0) for name, tape in tapes.items())
    outcome.figures["raw blocks lost"] = lost
    outcome.check("every block is in journal or archive, once counted", lost == 0)
    found = world.read(compared)
    say(f"{len(compared)} of the devices undisturbed")
    sample = {name: list(tapes[name]) for name in compared}
    difference = compare(found, undisturbed(folder / "undisturbed", sample, episodes=False))
    outcome.figures["records compared"] = difference.compared
    outcome.check("records of a sample equal those undisturbed", difference.none, difference.sentences())
