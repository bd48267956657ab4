"""Whatever a device produced and however it comes: the records of blocks that came in order, once, undisturbed.

Each history is drawn from a seed of its own: `python -m benchmarks.reliability arrival` prints the seeds that differ.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Final

from benchmarks.reliability.arrivals import disturbed, in_order
from benchmarks.reliability.histories import Trouble, make_history
from benchmarks.reliability.legs import SECOND_NS
from benchmarks.reliability.outcome import Outcome, say
from benchmarks.reliability.records import compare

START_NS: Final = 1_790_000_000 * SECOND_NS
CLASSES: Final = {
    "sound clocks": Trouble(),
    "clocks at fault": Trouble(clocks=True),
    "counters that begin again": Trouble(counters=True),
    "both": Trouble(clocks=True, counters=True),
}
# Two blocks of one number whose times are seconds apart may be one block of a clock that was set, or two.
AMBIGUOUS: Final = 0.01  # of the histories of a class with such counters
HISTORIES: Final = (6, 300)  # quick, full; of each class
SAY_EVERY: Final = 50


@dataclass(slots=True)
class Tally:
    """What the histories of one class came to."""

    histories: int = 0
    blocks: int = 0
    records: int = 0
    differing: int = 0


def run(*, quick: bool, folder: Path, histories: int = 0, first: int = 0) -> Outcome:
    """So many histories of each class, each in order and disturbed."""
    histories = histories or HISTORIES[0 if quick else 1]
    begun = time.monotonic()
    outcome = Outcome("arrival", heading=("devices with", "histories", "blocks", "records compared", "differ"))
    for name, trouble in CLASSES.items():
        tally, sentences = Tally(), list[str]()
        for seed in range(first, first + histories):
            found = judge(name, trouble, seed=seed, folder=folder / str(seed), tally=tally)
            sentences += [f"seed {seed}: {sentence}" for sentence in found]
            if tally.histories % SAY_EVERY == 0 or seed == first + histories - 1:
                say(f"{name}: {tally.differing} of {tally.histories} histories differ")
        outcome.rows.append((name, tally.histories, tally.blocks, tally.records, tally.differing))
        allowed = int(AMBIGUOUS * histories) if trouble.counters else 0
        limit = f"no more than {allowed} of {histories} histories differ" if allowed else "no history differs"
        outcome.check(f"{name}: {limit}", tally.differing <= allowed, sentences)
    outcome.took_s = time.monotonic() - begun
    return outcome


def judge(name: str, trouble: Trouble, *, seed: int, folder: Path, tally: Tally) -> list[str]:
    """One history in order and disturbed; what differs."""
    rng = Random(f"{name} {seed}")  # noqa: S311 - no secret
    devices = "abc"[: rng.choice([1, 1, 1, 2, 3])]
    made = {device: make_history(rng, trouble, start_ns=START_NS) for device in devices}
    expected = in_order(folder / "in order", made)
    found = disturbed(folder / "disturbed", made, rng)
    rmtree(folder)
    sentences = []
    for device, ours in found.items():
        theirs = expected[device]
        difference = compare(ours.kept, theirs.kept)
        tally.blocks += len(made[device])
        tally.records += difference.compared
        sentences += [f"{device}: {sentence}" for sentence in (*difference.sentences(), *theirs.wrong, *ours.wrong)]
        if ours.undated != theirs.undated:
            sentences.append(f"{device}: {ours.undated} blocks without a time are not {theirs.undated}")
    tally.histories += 1
    tally.differing += bool(sentences)
    return sentences
