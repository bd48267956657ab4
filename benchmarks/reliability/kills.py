"""Random kills across ingester, broker, store and API while blocks are on their way: not a record may differ.

A chapter of blocks is let go before each kill, so that blocks are under way at every one of them. Most kills wait until
the chain has worked again since the last one; the others hit it while it recovers. A killed process is started again
within half a second, as a supervisor would.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.reliability import raw
from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.legs import SECOND_NS, Sent, Stretch
from benchmarks.reliability.outcome import Outcome, say
from benchmarks.reliability.records import Kept, compare
from benchmarks.reliability.visitor import Visitor
from benchmarks.reliability.watch import Watch
from benchmarks.reliability.world import ROLES, World

EVERYTHING: Final = "all four"
SHARES: Final = {"ingest": 0.35, "broker": 0.2, "store": 0.2, "api": 0.15, EVERYTHING: 0.1}
AFTER_S: Final = 0.4  # a kill comes at random within so long after its chapter of blocks
DOWN_S: Final = 0.5
SETTLE_S: Final = 60.0
LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much: one-second blocks of all devices, and kills among them."""

    kills: int
    devices: int
    seconds: int
    working: float  # of the kills wait until the chain works again
    seed: int = 4


# Few devices with long tapes: a chapter is more of each than the ingester holds back, so that blocks come too late.
QUICK: Final = Plan(kills=20, devices=2, seconds=2100, working=0.3)
FULL: Final = Plan(kills=200, devices=5, seconds=20_000, working=0.7)


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: whom it hit, blocks under way then, and whether the chain had worked since the last one."""

    role: str
    in_flight: int
    working: bool


def run(*, quick: bool, folder: Path, plan: Plan | None = None) -> Outcome:
    """Send the same blocks undisturbed and with kills."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    tapes = make_tapes(plan)
    say(f"{plan.devices * plan.seconds:,} blocks of {plan.devices} devices undisturbed")
    expected = undisturbed(folder / "undisturbed", tapes)
    outcome = Outcome("kills")
    with (
        World.make(folder / "killed") as world,
        _fleet(world, tapes) as fleet,
        Visitor(world.api_url, world.data / "admin-token") as visitor,
        Watch(world) as watch,
    ):
        fleet.connect()
        kills = _kill(world, fleet, plan)
        _report_kills(outcome, kills)
        _finish(outcome, world, fleet, expected, tapes)
        outcome.figures |= {
            "blocks that came late": watch.total("charley_ingest_blocks_total", "late"),
            "sessions detected again": watch.total("charley_revised_sessions_total"),
            "peak memory (MiB)": round(watch.peak_mib),
        }
        world.mend()
        world.wait(world.up, within_s=LIMIT_S, what="all processes up again")
        _report_visitor(outcome, visitor)
    outcome.took_s = time.monotonic() - begun
    return outcome


def make_tapes(plan: Plan, *, end_ns: int | None = None) -> dict[str, list[Sent]]:
    """One tape a device, which ends now."""
    end_ns = end_ns or time.time_ns()
    start_ns = end_ns - plan.seconds * SECOND_NS
    return {
        f"leg-{i}": Stretch(seed=plan.seed * 1000 + i, start_ns=start_ns, seconds=plan.seconds).blocks()
        for i in range(plan.devices)
    }


def undisturbed(folder: Path, tapes: dict[str, list[Sent]], *, episodes: bool = True) -> Kept:
    """What the store holds after these blocks came in one by one, in order."""
    with World.make(folder) as world:
        with _fleet(world, tapes) as fleet:
            fleet.connect()
            fleet.allow(1.0)
            fleet.wait(lambda: fleet.finished, within_s=_limit(fleet), what="blocks durable, undisturbed")
            if fleet.wrong:
                raise RuntimeError(f"undisturbed, and yet: {fleet.wrong}")
        for name in ("charley_missing_blocks_total", "charley_ingest_quarantined_total"):
            if world.metric(name):
                raise RuntimeError(f"undisturbed, and yet {name} is {world.metric(name):g}")
        code = world.ingest.stop()
        if code != 0 or raw.outbox(world.data)[0]:
            raise RuntimeError(f"the ingester left with {code} and {raw.outbox(world.data)} to deliver")
        found = world.read(list(tapes))
    if not found.epochs or (episodes and not found.episodes):
        raise RuntimeError("undisturbed, and yet no episode or no epoch: nothing to compare")
    return found


def _fleet(world: World, tapes: dict[str, list[Sent]]) -> Fleet:
    return Fleet(tapes, host=world.broker.host, port=world.broker.port)


def _limit(fleet: Fleet) -> float:
    return LIMIT_S + fleet.blocks / 200


def _kill(world: World, fleet: Fleet, plan: Plan) -> list[Kill]:
    rng = Random(plan.seed)  # noqa: S311 - no secret
    roles = [role for role, share in SHARES.items() for _ in range(round(share * plan.kills))]
    rng.shuffle(roles)
    kills: list[Kill] = []
    durable = 0
    for i, role in enumerate(roles):
        if rng.random() < plan.working:
            world.wait(
                lambda: fleet.counts["durable"] > durable or not fleet.held,  # noqa: B023
                within_s=LIMIT_S,
                what="recovery from a kill",
            )
        working = fleet.counts["durable"] > durable
        fleet.allow((i + 1) / (len(roles) + 1))
        time.sleep(rng.uniform(0, AFTER_S))
        durable = fleet.counts["durable"]
        kills.append(Kill(role, fleet.in_flight, working))
        for one in ROLES if role == EVERYTHING else (role,):
            world.kill(one)
        time.sleep(rng.uniform(0, DOWN_S))
        world.mend()
        if (i + 1) % 20 == 0:
            say(f"{i + 1} kills, {fleet.counts['durable']:,} blocks durable")
    fleet.allow(1.0)
    return kills


def _report_kills(outcome: Outcome, kills: list[Kill]) -> None:
    outcome.heading = ("killed", "times", "with blocks under way", "median of them", "while it recovered")
    for role in SHARES:
        own = [kill for kill in kills if kill.role == role]
        under_way = [kill.in_flight for kill in own if kill.in_flight]
        recovering = sum(not kill.working for kill in own)
        outcome.rows.append((role, len(own), len(under_way), statistics.median([0, *under_way]), recovering))
    outcome.figures["kills"] = len(kills)
    missed = [str(kill) for kill in kills if not kill.in_flight]
    outcome.check("nine in ten kills came while blocks were under way", len(missed) <= len(kills) // 10, missed)
    outcome.check("every process was killed", all(row[1] for row in outcome.rows))


def _finish(outcome: Outcome, world: World, fleet: Fleet, expected: Kept, tapes: dict[str, list[Sent]]) -> None:
    """Let it come to rest, and hold what is there against what should be."""
    try:
        fleet.wait(lambda: fleet.finished, within_s=_limit(fleet), what="all blocks durable")
    except TimeoutError as error:
        outcome.sentences.append(str(error))
    fleet.leave()
    judge(outcome, world, expected, tapes)
    counts = fleet.counts
    outcome.figures |= {
        "blocks": fleet.blocks, "named durable": counts["durable"], "sent again": counts["sent again"],
        "connections": counts["connections"], "episodes": len(expected.present), "epochs": len(expected.epochs),
    }  # fmt: skip
    outcome.check("every block was named durable", counts["durable"] == fleet.blocks)
    outcome.check("no ack for what was never sent", not fleet.wrong, fleet.wrong[:5])
    outcome.check("no process ended by itself", not world.fallen, world.fallen[:3])


def judge(outcome: Outcome, world: World, expected: Kept, tapes: dict[str, list[Sent]]) -> None:
    """Wait until the records equal those expected, or for so long; then stop the ingester and look at everything."""
    names = list(tapes)
    limit_s = SETTLE_S + sum(map(len, tapes.values())) / 100
    settle_s = time.monotonic()
    try:
        world.wait(lambda: compare(world.read(names), expected).none, within_s=limit_s, what="equal records")
    except (TimeoutError, RuntimeError) as error:
        outcome.sentences.append(str(error).splitlines()[0])
    outcome.figures["settled within (s)"] = round(time.monotonic() - settle_s, 1)
    outcome.check("the ingester leaves with 0 when asked to", world.ingest.stop() == 0)
    difference = compare(world.read(names), expected)
    outcome.figures |= {
        "records compared": difference.compared, "missing": len(difference.missing), "extra": len(difference.extra),
        "different": len(difference.other), "split": difference.split, "doubled": difference.doubled,
    }  # fmt: skip
    outcome.check("records equal those of the undisturbed run", difference.none, difference.sentences())
    left = raw.outbox(world.data)[0]
    outcome.check("nothing is left to deliver", left == 0, [f"{left} records"])
    judge_raw(outcome, world.data, tapes)


def judge_raw(outcome: Outcome, data: Path, tapes: dict[str, list[Sent]]) -> None:
    """Every block is in journal or archive, as it was sent, and none that never was."""
    kept, made = raw.held(data), raw.sent(tapes)
    wrong = [str(name) for name, digest in made.items() if kept.digests.get(name, digest) != digest]
    lost = [str(name) for name in made if name not in kept.digests]
    foreign = [str(name) for name in kept.digests if name not in made]
    outcome.figures |= {"raw blocks kept": len(kept.digests), "raw blocks lost": len(lost)}
    outcome.figures |= {f"copies in the {place}": count for place, count in kept.places.items()}
    outcome.check("every block is in journal or archive", not lost, lost[:5])
    outcome.check("as it was sent", not wrong and not kept.contradictions, wrong[:5])
    outcome.check("and no other", not foreign, foreign[:5])


def _report_visitor(outcome: Outcome, visitor: Visitor) -> None:
    visitor.stop()
    outcome.figures |= {"API writes confirmed": len(visitor.confirmed), "API requests cut": visitor.refused}
    outcome.check("the API was used", bool(visitor.confirmed))
    outcome.check("what the API confirmed is there, once", not (missing := visitor.missing()), missing[:5])
    outcome.check("the API answered, or said that it cannot now", not visitor.wrong, visitor.wrong[:5])
