"""Outages under load: the store away, the broker away, no room on the disk, a bad network. Nothing may be lost.

Devices send blocks all the while. Something is taken away for a while; what is looked at is whether the service goes on
where it should and says so where it cannot, how long it takes until nothing waits any more once all is back, how much
memory it took, and whether all blocks and records are there in the end, equal to those of an undisturbed run.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.reliability import disturb, raw, tls
from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.kills import judge, undisturbed
from benchmarks.reliability.legs import Sent
from benchmarks.reliability.load import Load, live_tapes
from benchmarks.reliability.outcome import Figure, Outcome, say
from benchmarks.reliability.proxy import CORRUPT, ROUGH, Faults, Proxy
from benchmarks.reliability.records import Kept
from benchmarks.reliability.watch import Watch
from benchmarks.reliability.world import World
from benchmarks.servers import free_port

BEFORE_S: Final = 4
LIMIT_S: Final = 120.0
UNDER_WAY_S: Final = 4  # blocks of so many seconds may always be under way: acks come every two seconds
FEWER_CHUNKS: Final = 4  # pass between broker and ingester than between devices and broker
WAITING: Final = 100  # records that may always wait for the store
HEADING: Final = (
    "outage", "lasted (s)", "blocks sent meanwhile", "waiting at its end", "named durable meanwhile", "ready meanwhile",
    "caught up within (s)", "longest lag (s)", "peak memory (MiB)", "lost",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Devices and their blocks a second, how long the store and everything else is away, and the load after that.

    Blocks come `other_speed` times as fast while something else than the store is away: minutes are too short a life
    to have cramps in.
    """

    devices: int
    speed: int
    store_s: int
    other_s: int
    after_s: int
    other_speed: int = 0  # 0: as with the store


QUICK: Final = Plan(devices=10, speed=10, store_s=15, other_s=8, after_s=12)
FULL: Final = Plan(devices=100, speed=1, store_s=3600, other_s=60, after_s=120, other_speed=5)


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, and by which port devices reach its broker."""

    world: World
    port: int
    disturbed: Callable[[], AbstractContextManager[None]]
    certificates: tls.Certificates | None = None
    proxies: tuple[Proxy, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One outage: whether the ingester should go on taking blocks, or cannot; none where both may be."""

    name: str
    scene: Callable[[Path], AbstractContextManager[Scene | str]]
    goes_on: bool | None


@contextmanager
def _store(folder: Path) -> Iterator[Scene | str]:
    with World.make(folder) as world:
        yield Scene(world, world.broker.port, lambda: disturb.store_down(world))


@contextmanager
def _broker_stopped(folder: Path) -> Iterator[Scene | str]:
    with World.make(folder) as world:
        yield Scene(world, world.broker.port, lambda: disturb.broker_stopped(world))


@contextmanager
def _broker_killed(folder: Path) -> Iterator[Scene | str]:
    with World.make(folder) as world:
        yield Scene(world, world.broker.port, lambda: disturb.broker_killed(world))


@contextmanager
def _disk(
    folder: Path, filled: Callable[[World], AbstractContextManager[None]], least_mib: int
) -> Iterator[Scene | str]:
    with disturb.small_disk(folder / "disk") as disk:
        if disk is None:
            yield "left out: a file system of its own needs root"
            return
        with World.make(folder, data=disk, settings={"min_free_mb": least_mib}) as world:
            yield Scene(world, world.broker.port, lambda: filled(world))


@contextmanager
def _network(folder: Path) -> Iterator[Scene | str]:
    with ExitStack() as stack:
        port = free_port()
        proxies = [stack.enter_context(Proxy(port, seed=seed)) for seed in (1, 2)]
        world = stack.enter_context(
            World.make(folder, extra=f"listener {port} 127.0.0.1\n", broker_port=proxies[0].port)
        )
        faults = ((proxies[0], ROUGH.more(FEWER_CHUNKS)), (proxies[1], ROUGH))
        yield Scene(world, proxies[1].port, lambda: disturb.bad_network(*faults), None, tuple(proxies))


@contextmanager
def _corrupt(folder: Path, faults: Faults = CORRUPT) -> Iterator[Scene | str]:
    certificates = tls.make(folder / "certificates")
    if certificates is None:
        yield "left out: certificates need openssl"
        return
    with ExitStack() as stack:
        port = free_port()
        proxies = [stack.enter_context(Proxy(port, seed=seed)) for seed in (3, 4)]
        world = stack.enter_context(
            World.make(
                folder, extra=certificates.listener(port), broker_port=proxies[0].port,
                settings={"broker_tls_ca": certificates.authority},
            )
        )  # fmt: skip
        both = ((proxies[0], faults.more(FEWER_CHUNKS)), (proxies[1], faults))
        yield Scene(world, proxies[1].port, lambda: disturb.bad_network(*both), certificates, tuple(proxies))


CASES: Final = (
    Case("store", _store, True),
    Case("broker, stopped", _broker_stopped, False),
    Case("broker, killed", _broker_killed, False),
    Case("disk, low", lambda folder: _disk(folder, disturb.disk_low, disturb.LEAST_MIB), False),
    Case("disk, full", lambda folder: _disk(folder, disturb.disk_full, 0), False),
    Case("network, rough", _network, None),
    Case("network, corrupt (TLS)", _corrupt, None),
)


def run(*, quick: bool, folder: Path, plan: Plan | None = None, names: tuple[str, ...] = ()) -> Outcome:
    """Every outage, or those that are named."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    outcome = Outcome("outages", heading=HEADING)
    outcome.figures |= {"devices": plan.devices, "blocks a second": plan.devices * plan.speed}
    if plan.other_speed:
        outcome.figures["blocks a second, but for the store's"] = plan.devices * plan.other_speed
    references: dict[tuple[int, int], tuple[dict[str, list[Sent]], Kept]] = {}
    for case in CASES:
        if names and case.name not in names:
            continue
        store = case.name == "store"
        lasts_s, speed = (plan.store_s, plan.speed) if store else (plan.other_s, plan.other_speed or plan.speed)
        seconds = (BEFORE_S + lasts_s + plan.after_s) * speed
        try:
            if (seconds, speed) not in references:
                tapes = live_tapes(devices=plan.devices, seconds=seconds, seed=seconds, speed=speed)
                say(f"{plan.devices * seconds:,} blocks undisturbed")
                references[seconds, speed] = tapes, undisturbed(folder / f"undisturbed-{seconds}", tapes)
            say(f"{case.name} for {lasts_s} s")
            with case.scene(folder / case.name.replace(", ", "-").partition(" ")[0]) as scene:
                if isinstance(scene, str):
                    outcome.sentences.append(f"{case.name}: {scene}")
                    continue
                row = _one(outcome, case, scene, *references[seconds, speed], lasts_s=lasts_s, speed=speed)
        except (RuntimeError, TimeoutError) as error:  # a process that ended, or hangs: the other outages go on
            outcome.check(f"{case.name}: to its end", False, [str(error)])
            continue
        outcome.rows.append(row)
        say(", ".join(f"{head}: {figure}" for head, figure in zip(HEADING, row, strict=True)))
    outcome.check("something was tried", bool(outcome.rows))
    outcome.took_s = time.monotonic() - begun
    return outcome


def _one(
    outcome: Outcome, case: Case, scene: Scene, tapes: dict[str, list[Sent]], expected: Kept, *,
    lasts_s: int, speed: int,
) -> tuple[Figure, ...]:  # fmt: skip
    """One outage under load; its row."""
    world, own = scene.world, Outcome(case.name)
    context = scene.certificates.client() if scene.certificates else None
    with Fleet(tapes, host="127.0.0.1", port=scene.port, context=context) as fleet, Watch(world) as watch:
        fleet.connect()
        fleet.wait(lambda: fleet.counts["connections"] >= len(tapes), within_s=LIMIT_S, what="devices connected")
        with Load(fleet, speed=speed) as load:
            world.wait(lambda: load.now_s >= BEFORE_S and fleet.counts["durable"] > 0, within_s=LIMIT_S, what="load")
            with scene.disturbed():
                began_s = watch.now_s
                sent, durable = fleet.counts["sent"], fleet.counts["durable"]
                ready = _last(world, lasts_s)
                sent, durable = fleet.counts["sent"] - sent, fleet.counts["durable"] - durable
                under_way = fleet.held
            caught_up_s = _catch_up(own, world, fleet, most=UNDER_WAY_S * len(tapes) * speed)
            world.wait(lambda: load.exhausted, within_s=LIMIT_S + lasts_s, what="load to its end")
        _finished(own, fleet)
        fleet.leave()
        lag_s = watch.lag(since_s=began_s)
    own.check("blocks were under way", under_way > 0)
    if case.goes_on is not None:
        own.check("went on" if case.goes_on else "did not go on", (durable > sent // 2) == case.goes_on)
        own.check("says whether it is ready", ready == case.goes_on)
    if scene.proxies:
        _judge_proxies(own, outcome, scene, case)
    own.check("no process ended by itself", not world.fallen, world.fallen[:3])
    judge(own, world, expected, tapes)
    outcome.checks |= {f"{case.name}: {what}": holds for what, holds in own.checks.items()}
    outcome.sentences += [f"{case.name}: {sentence}" for sentence in own.sentences]
    said = {True: "yes", False: "no", None: "no answer"}[ready]
    lost = own.figures["raw blocks lost"]
    return (
        case.name,
        lasts_s,
        sent,
        under_way,
        durable,
        said,
        round(caught_up_s, 1),
        round(lag_s, 1),
        round(watch.peak_mib),
        lost,
    )


def _last(world: World, seconds: int) -> bool | None:
    """Let the outage last; whether the ingester said at the end that it is ready."""
    until_s = time.monotonic() + seconds
    world.wait(lambda: time.monotonic() >= until_s, within_s=seconds + LIMIT_S, what="the outage")
    try:
        return httpx.get(world.ready_url, timeout=5.0).is_success
    except httpx.TransportError:
        return None


def _catch_up(own: Outcome, world: World, fleet: Fleet, *, most: int) -> float:
    """How long it takes until no more blocks and records wait than always do."""
    try:
        return world.wait(
            lambda: fleet.held <= most and raw.outbox(world.data)[0] <= WAITING,
            within_s=LIMIT_S,
            what="to catch up",
        )
    except TimeoutError as error:
        own.check("caught up", False, [str(error)])
        return LIMIT_S


def _finished(own: Outcome, fleet: Fleet) -> None:
    try:
        fleet.wait(lambda: fleet.finished, within_s=LIMIT_S, what="all blocks durable")
    except TimeoutError as error:
        own.sentences.append(str(error))
    own.check("every block was named durable", fleet.counts["durable"] == fleet.blocks)
    own.check("no ack for what was never sent", not fleet.wrong, fleet.wrong[:3])


def _judge_proxies(own: Outcome, outcome: Outcome, scene: Scene, case: Case) -> None:
    done = [proxy.done for proxy in scene.proxies]
    kinds = ("cut", "silent", "flipped", "dropped", "delayed")
    for kind in kinds:
        if total := sum(one[kind] for one in done):
            outcome.figures[f"{case.name}: {kind}"] = total
    own.check("every proxy did harm", all(sum(one[kind] for kind in kinds[:4]) for one in done))
