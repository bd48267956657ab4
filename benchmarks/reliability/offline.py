"""Devices that come back after a week, newest night first, with repeats and reboots: as if they had been live.

Some nights come in live before; these are the control: nothing of them may be written anew. Then the devices are
away for a week and send what they kept. Once all is in, the records must equal those of the same blocks in order,
every night of that week and no other may have been touched, and no event may have been of scope live.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.kills import judge, undisturbed
from benchmarks.reliability.legs import SECOND_NS, Sent
from benchmarks.reliability.listener import Listener
from benchmarks.reliability.nights import DAY_NS, STYLES, Night, backwards, make_nights
from benchmarks.reliability.outcome import Outcome, say
from benchmarks.reliability.records import Row
from benchmarks.reliability.watch import Watch
from benchmarks.reliability.world import World

FLASH: Final = 10**9  # all of it
CUTS: Final = 2  # of each device's connection while it sends
LIMIT_S: Final = 120.0
STILL_S: Final = 3.0
END_NS: Final = 20 * SECOND_NS

Whole = dict[str, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many devices and nights, and how long."""

    devices: int
    before: int
    away: int
    seconds: int
    block_s: float


QUICK: Final = Plan(devices=3, before=1, away=2, seconds=1200, block_s=5.0)
FULL: Final = Plan(devices=20, before=2, away=7, seconds=2 * 3600, block_s=30.0)


def run(*, quick: bool, folder: Path, plan: Plan | None = None) -> Outcome:
    """In order, and then as devices do that were away."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    end_ns = time.time_ns() - DAY_NS // 2
    nights = {
        f"leg-{i}": make_nights(
            device=i, count=plan.before + plan.away, seconds=plan.seconds, block_s=plan.block_s, end_ns=end_ns
        )
        for i in range(plan.devices)
    }
    in_order = {name: [sent for night in own for sent in night.blocks] for name, own in nights.items()}
    say(f"{sum(map(len, in_order.values())):,} blocks of {plan.devices} devices in order")
    expected = undisturbed(folder / "live", in_order)
    outcome = Outcome("offline")
    with World.make(folder / "away") as world, Listener(world.broker.host, world.broker.port) as listener:
        before = {name: [sent for night in own[: plan.before] for sent in night.blocks] for name, own in nights.items()}
        fleet = Fleet(before, host=world.broker.host, port=world.broker.port, flash=FLASH)
        with Watch(world) as watch, fleet:
            control, since_ns = _live(world, fleet)
            heard = len(listener.events)
            sent = _sync(outcome, fleet, nights, plan)
            judge(outcome, world, expected, in_order)
            _judge_touched(outcome, world, nights, plan, control=control, since_ns=since_ns)
        del listener.events[:heard]
        scopes = listener.scopes()
        outcome.figures |= {"events backfill": scopes["backfill"], "events live": scopes["live"]}
        outcome.check("events were raised", bool(scopes))
        outcome.check("none of scope live", not scopes["live"])
        outcome.check("no event with two contents", not (names := listener.contradictions()), names[:5])
        late = watch.total("charley_ingest_blocks_total", "late")
        outcome.figures |= {"blocks sent in all": sent, "late": late, "peak memory (MiB)": round(watch.peak_mib)}
        outcome.check("most blocks came late", late > sum(map(len, in_order.values())) // 4, [f"{late} late"])
    outcome.took_s = time.monotonic() - begun
    return outcome


def _live(world: World, fleet: Fleet) -> tuple[Whole, int]:
    """Let the nights before come in, in order, and come to rest. What is kept of them, and when that was."""
    fleet.connect()
    fleet.allow(1.0)
    fleet.wait(lambda: fleet.finished, within_s=LIMIT_S + fleet.blocks / 200, what="nights before durable")
    fleet.leave()
    kept: Whole = {}
    still_s = time.monotonic()

    def still() -> bool:
        nonlocal kept, still_s
        found = world.read(list(fleet.devices)).whole()
        if found != kept:
            kept, still_s = found, time.monotonic()
        return bool(kept) and time.monotonic() - still_s > STILL_S

    world.wait(still, within_s=LIMIT_S, what="nights before at rest")
    return kept, time.time_ns()


def _sync(outcome: Outcome, fleet: Fleet, nights: dict[str, list[Night]], plan: Plan) -> int:
    """Let the devices come back and send the newest first. How many blocks they sent, repeats and all."""
    tapes: dict[str, list[Sent]] = {}
    for i, (name, own) in enumerate(nights.items()):
        tapes[name] = backwards(own[plan.before :], style=STYLES[i % len(STYLES)], seed=i)
    blocks = sum(len({sent.key for sent in tape}) for tape in tapes.values())
    say(f"{blocks:,} blocks newest first, {sum(map(len, tapes.values())) - blocks:,} of them twice")
    rng = Random(plan.devices)  # noqa: S311 - no secret
    had = fleet.counts.copy()
    fleet.extend(tapes)
    fleet.connect()
    cuts = sorted((rng.random(), name) for name in tapes for _ in range(CUTS))
    limit_s = LIMIT_S + blocks / 100
    begun = time.monotonic()
    for share, name in cuts:
        place = len(fleet.devices[name].sendings) - round((1 - share) * len(tapes[name]))
        fleet.devices[name].limit = max(place, fleet.devices[name].limit)
        fleet.wait(partial(fleet.reached, name, place), within_s=limit_s, what="blocks sent")
        fleet.cut([name])
    fleet.allow(1.0)
    fleet.wait(lambda: fleet.finished, within_s=limit_s, what="backlog durable")
    took_s = time.monotonic() - begun
    fleet.leave()
    counts = fleet.counts
    outcome.check("every block was named durable", counts["durable"] == fleet.blocks)
    outcome.check("no ack for what was never sent", not fleet.wrong, fleet.wrong[:5])
    outcome.check("connections were cut on the way", counts["lost connections"] >= len(cuts))
    outcome.figures |= {
        "devices": plan.devices, "nights away": plan.away, "hours a night": round(plan.seconds / 3600, 2),
        "blocks of these": blocks, "last block durable after (s)": round(took_s, 1), "connections cut": len(cuts),
    }  # fmt: skip
    return sum(counts[what] - had[what] for what in ("sent", "sent again"))


def _judge_touched(
    outcome: Outcome, world: World, nights: dict[str, list[Night]], plan: Plan, *, control: Whole, since_ns: int
) -> None:
    """Every night away was written since they are back; of the nights before nothing was."""
    whole = world.read(list(nights)).whole()
    changed = [key for key, record in control.items() if whole.get(key) != record]
    outcome.figures["records of nights before"] = len(control)
    outcome.check("there were nights before", bool(control))
    outcome.check("nothing of the nights before was written anew", not changed, changed[:5])
    stray: list[str] = []
    ends = 0  # the last seconds of a night are known once the device is heard again
    touched: set[tuple[str, int]] = set()
    for key, row in whole.items():
        if row.updated_ns >= since_ns:
            place = _place(nights[row.device], row.at_ns)
            touched.add((row.device, place))
            last = place == plan.before - 1 and row.at_ns >= nights[row.device][place].blocks[-1].t0_ns - END_NS
            ends += last
            stray += [key] if place < plan.before and not (last and key not in control) else []
    outcome.figures |= {
        "nights written": len({one for one in touched if one[1] >= plan.before}),
        "ends of nights": ends,
    }
    outcome.check("no other night was touched", not stray, stray[:5])
    wanted = plan.devices * plan.away
    outcome.check("every night away is there", len({one for one in touched if one[1] >= plan.before}) == wanted)


def _place(nights: list[Night], at_ns: int) -> int:
    """Which night an instant belongs to; -1 for none."""
    within = (i for i, night in enumerate(nights) if night.start_ns - 10 * SECOND_NS <= at_ns < night.end_ns)
    return next(within, -1)
