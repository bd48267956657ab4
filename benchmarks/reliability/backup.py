"""A backup taken while blocks come in, restored on another site: it is whole, and devices make up the rest.

The restored site's records must be those of an undisturbed run of the very blocks that the backup holds. A store that
is a server of its own is copied after the journal, so records of blocks that came in between may be there too; these
must be the true ones. Then the devices, which here forgot nothing, send everything to the new site: the records must
be those of all blocks.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.reliability import raw
from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.kills import judge, undisturbed
from benchmarks.reliability.legs import Sent
from benchmarks.reliability.load import Load, live_tapes
from benchmarks.reliability.outcome import Outcome, say
from benchmarks.reliability.records import Kept
from benchmarks.reliability.world import World

LIMIT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Devices and their blocks a second, for how long, and when the backup is taken."""

    devices: int
    speed: int
    seconds: int
    at_s: int


QUICK: Final = Plan(devices=6, speed=40, seconds=16, at_s=6)
FULL: Final = Plan(devices=50, speed=10, seconds=300, at_s=120)


def run(*, quick: bool, folder: Path, plan: Plan | None = None) -> Outcome:
    """Back up under load, restore elsewhere, compare; send all again, compare again."""
    plan = plan or (QUICK if quick else FULL)
    begun = time.monotonic()
    tapes = live_tapes(devices=plan.devices, seconds=plan.seconds * plan.speed, seed=plan.seconds, speed=plan.speed)
    outcome = Outcome("backup")
    folder.mkdir(parents=True, exist_ok=True)
    _back_up(outcome, folder, plan, tapes)
    whole = undisturbed(folder / "all", tapes)
    with World.make(folder / "new", data=folder / "restored", restored=folder / "backup") as world:
        _judge_restored(outcome, world, tapes, folder, whole)
        with Fleet(tapes, host=world.broker.host, port=world.broker.port) as fleet:
            fleet.connect()
            fleet.allow(1.0)
            took_s = fleet.wait(
                lambda: fleet.finished, within_s=LIMIT_S + fleet.blocks / 200, what="all blocks durable"
            )
        outcome.figures["all sent again within (s)"] = round(took_s, 1)
        judge(outcome, world, whole, tapes)
        outcome.check("no process ended by itself", not world.fallen, world.fallen[:3])
    outcome.took_s = time.monotonic() - begun
    return outcome


def _back_up(outcome: Outcome, folder: Path, plan: Plan, tapes: dict[str, list[Sent]]) -> None:
    with World.make(folder / "old") as world, Fleet(tapes, host=world.broker.host, port=world.broker.port) as fleet:
        fleet.connect()
        with Load(fleet, speed=plan.speed) as load:
            world.wait(lambda: load.now_s >= plan.at_s, within_s=LIMIT_S + plan.at_s, what="load")
            before, since = fleet.counts["durable"], time.monotonic()
            say("backup under load")
            world.run("backup", str(folder / "backup"))
            outcome.figures["backup took (s)"] = round(time.monotonic() - since, 1)
            meanwhile = fleet.counts["durable"] - before
            world.wait(lambda: load.exhausted, within_s=LIMIT_S + plan.seconds, what="load to its end")
        fleet.wait(lambda: fleet.finished, within_s=LIMIT_S, what="all blocks durable")
        outcome.figures |= {"blocks": fleet.blocks, "named durable while it was taken": meanwhile}
        outcome.check("blocks came in while it was taken", meanwhile > 0)
        outcome.check("no process of the old site ended by itself", not world.fallen, world.fallen[:3])


def _judge_restored(outcome: Outcome, world: World, tapes: dict[str, list[Sent]], folder: Path, whole: Kept) -> None:
    """Hold the restored site against an undisturbed run of the blocks that it holds."""
    kept = raw.held(world.data)
    made = raw.sent(tapes)
    wrong = [str(name) for name, digest in kept.digests.items() if made.get(name) != digest]
    blocks = {name: [sent for sent in tape if (name, *sent.key) in kept.digests] for name, tape in tapes.items()}
    total = sum(map(len, tapes.values()))
    outcome.figures["blocks in the backup"] = len(kept.digests)
    outcome.check("the backup holds some blocks and not all", 0 < len(kept.digests) < total)
    outcome.check("blocks in the backup are as they were sent", not wrong, wrong[:5])
    # A backup that is taken soon, on a quick machine, may hold no whole episode.
    part = undisturbed(folder / "part", {name: tape for name, tape in blocks.items() if tape}, episodes=False)
    world.wait(lambda: raw.outbox(world.data)[0] == 0, within_s=LIMIT_S, what="what waited delivered")
    found = world.read(list(blocks)).lines()
    theirs, true = part.lines(), whole.lines()
    missing = sorted(set(theirs) - set(found))
    ahead = [key for key, line in found.items() if line != theirs.get(key)]
    wrong = [f"{key}: {found[key]}" for key in ahead if found[key] != true.get(key)]
    outcome.figures |= {"records of the backup compared": len(theirs), "of later blocks": len(ahead)}
    outcome.check("no record of its blocks is missing", not missing, missing[:5])
    outcome.check("every other record is that of its blocks, or of all blocks", not wrong, wrong[:5])
