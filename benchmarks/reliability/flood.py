"""One device that sends as fast as the broker takes it, for minutes, beside others that send a block a second.

All that it sends is valid: nothing of it may be refused for what it is. The others must not have to wait for it, and
in the end its blocks are kept like theirs. Who fills the queue for minutes is not listened to for a while; its own
flash then holds what nobody has vouched for.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.load import Load
from benchmarks.reliability.outcome import Outcome, say
from benchmarks.reliability.reconnect import LAG_S, USUAL, Tape, judge_kept, start_of
from benchmarks.reliability.watch import Watch
from benchmarks.reliability.world import World

GREEDY: Final = "leg-greedy"
FLASH: Final = 20_000  # blocks that it may have under way: far more than a second of the ingester
STORED: Final = 90 * 86_400  # blocks of a second that it has: more than it can get rid of
LIMIT_S: Final = 300.0
SLOWER: Final = 2.0  # blocks of its neighbours may wait so many times as long as without it, or below LAG_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Its neighbours, for how long they are alone, and how long it floods."""

    devices: int
    before_s: int
    flood_s: int


QUICK: Final = Plan(devices=10, before_s=4, flood_s=10)
FULL: Final = Plan(devices=100, before_s=30, flood_s=420)


def run(*, quick: bool, folder: Path, plan: Plan | None = None) -> Outcome:
    """Alone, flooded, and until all is kept."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    outcome = Outcome("flood", heading=("while", "blocks of the others", "longest lag (s)", "mean lag (s)"))
    blocks = plan.before_s + plan.flood_s
    tapes = {f"leg-{i}": Tape(i, blocks, start_of(blocks)) for i in range(plan.devices)}
    with ExitStack() as stack:
        world = stack.enter_context(World.make(folder / "flooded", settings=USUAL))
        others = stack.enter_context(Fleet(tapes, host=world.broker.host, port=world.broker.port))
        others.connect()
        others.wait(lambda: others.online == plan.devices, within_s=LIMIT_S, what="devices connected")
        watch = stack.enter_context(Watch(world))
        load = stack.enter_context(Load(others))
        _measured(outcome, world, others, load, "alone", until_s=plan.before_s)
        greedy = stack.enter_context(_greedy(world))
        greedy.connect()
        greedy.allow(1.0)
        _measured(outcome, world, others, load, "flooded", until_s=blocks)
        sent = greedy.devices[GREEDY].next
        greedy.devices[GREEDY].limit = sent
        _finish(outcome, world, others, greedy, sent=sent, seconds=plan.flood_s)
        outcome.figures["peak memory (MiB)"] = round(watch.peak_mib)
        outcome.check("no process ended by itself", not world.fallen, world.fallen[:3])
        others.leave()
        greedy.leave()
        outcome.check("the ingester leaves with 0 when asked to", world.ingest.stop() == 0)
        every = tapes | {GREEDY: Tape(0, sent, start_of(sent))}
        judge_kept(outcome, world, every, folder, compared=list(tapes)[: max(1, plan.devices // 5)])
    outcome.took_s = time.monotonic() - begun
    return outcome


def _greedy(world: World) -> Fleet:
    tape = {GREEDY: Tape(0, STORED, start_of(STORED))}
    return Fleet(tape, host=world.broker.host, port=world.broker.port, flash=FLASH, tick_s=0.005)


def _measured(outcome: Outcome, world: World, others: Fleet, load: Load, name: str, *, until_s: float) -> None:
    """How long blocks of the others wait, in seconds of their load."""
    say(f"{name}, until {until_s:g} s")
    lags: list[float] = []
    before = others.counts["durable"]

    def over() -> bool:
        lags.append(others.held / len(others.devices))
        return load.now_s >= until_s

    world.wait(over, within_s=until_s + LIMIT_S, what=f"{name}, to its end")
    came = others.counts["durable"] - before
    outcome.rows.append((name, came, round(max(lags), 1), round(sum(lags) / len(lags), 2)))


def _finish(outcome: Outcome, world: World, others: Fleet, greedy: Fleet, *, sent: int, seconds: int) -> None:
    others_s = world.wait(partial(_done, others), within_s=LIMIT_S, what="blocks of the others durable")
    greedy_s = world.wait(partial(_done, greedy), within_s=LIMIT_S, what="blocks of the greedy device durable")
    outcome.figures |= {
        "blocks a second of the greedy device": round(sent / seconds),
        "its blocks": sent,
        "the others' last block durable after (s)": round(others_s, 1),
        "its last block durable after (s)": round(others_s + greedy_s, 1),
        "times it was not listened to for a while": world.ingest.log.read_text().count('"event": "muted"'),
    }
    alone, flooded = (float(row[2]) for row in outcome.rows)
    outcome.check("the others did not wait for it", flooded <= max(LAG_S, SLOWER * alone), [f"{flooded} s"])
    outcome.check("no ack for what was never sent", not (others.wrong or greedy.wrong), [*others.wrong, *greedy.wrong])


def _done(fleet: Fleet) -> bool:
    return all(device.next >= device.limit and not device.pending for device in fleet.devices.values())
