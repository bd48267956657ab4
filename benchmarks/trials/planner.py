"""Is the planner's power that of the analysis itself? `python -m benchmarks.trials.planner [--trials N]`.

Nights are drawn one by one, by other code than the planner's, and go as tallies through the primary analysis of trials.
The table is kept in `results.json` under "planner".
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.statistics.power_tables import Presumed
from api.trials.case import Case
from api.trials.counts import primary
from api.trials.outcomes import Tally
from api.trials.planner import Ask, layout_of, power_of
from api.trials.planner_trials import OTHER, Layout
from api.trials.values import Phase, PhaseKind, Plan, Treatment
from benchmarks.trials.spread import over
from benchmarks.trials.tables import Made

Floats = NDArray[np.float64]
RESULTS: Final = Path(__file__).with_name("results.json")
TRIALS: Final = 4000
PART: Final = 250
GOAL: Final = 0.03
FIRST: Final = date(2026, 1, 5)
NIGHT_H: Final = 8.0
BOTH: Final = (Treatment("A", "magnesium"), Treatment("B", "placebo", control=True))
FACTORS: Final = (Treatment("A", "vitamin E"), Treatment("B", "vitamin C"))
_P: Final = Presumed(per_week=4.0)


def _ask(design: str, size: int, rate: float, ratio: float, **other: object) -> tuple[Ask, int]:
    """A question, and the size that is tried; members of `Presumed` and of `Ask` by name."""
    named = {name: value for name, value in other.items() if name in Presumed.__dataclass_fields__}
    rest = {name: value for name, value in other.items() if name not in named}
    presumed = replace(_P, per_week=rate, ratio=ratio, **named)  # type: ignore[arg-type]
    return Ask(design, presumed, **rest), size  # type: ignore[arg-type]


SETTINGS: Final = (
    _ask("before_after", 4, 2.5, 0.5),
    _ask("before_after", 8, 2.5, 0.5, false_alarms=0.03),
    _ask("before_after", 12, 8.0, 0.5),
    _ask("before_after", 24, 5.0, 0.5, usable=0.6),
    _ask("before_after", 8, 5.0, 0.3, weekly_k=math.inf),
    _ask("before_after", 28, 14.0, 0.75),
    _ask("before_after", 16, 8.0, 0.5, false_alarms=0.5, weekly_k=6.0),
    _ask("before_after", 4, 4.0, 0.5, wearers=20),
    _ask("before_after", 4, 2.5, 0.75, wearers=40, correlation=0.6),
    _ask("n_of_1", 4, 2.5, 0.5),
    _ask("n_of_1", 8, 2.5, 0.3),
    _ask("n_of_1", 4, 8.0, 0.5),
    _ask("n_of_1", 10, 8.0, 0.5),
    _ask("n_of_1", 12, 5.0, 0.5, block_weeks=1, false_alarms=0.03),
    _ask("n_of_1", 6, 14.0, 0.5, block_weeks=1, usable=0.7),
    _ask("n_of_1", 4, 4.0, 0.5, wearers=6),
    _ask("n_of_1", 3, 8.0, 0.5, wearers=10, correlation=0.3),
    _ask("crossover", 12, 2.5, 0.5),
    _ask("crossover", 24, 4.0, 0.5, correlation=0.37),
    _ask("crossover", 40, 4.0, 0.75),
    _ask("crossover", 40, 8.0, 0.75, drop_out=0.2),
    _ask("crossover", 60, 1.0, 0.5, false_alarms=0.03, block_weeks=2),
    _ask("crossover", 30, 2.5, 0.5, false_alarms=0.5),
    _ask("parallel", 40, 4.0, 0.5),
    _ask("parallel", 90, 4.0, 0.75),
    _ask("parallel", 60, 2.5, 0.5, baseline_weeks=0),
    _ask("parallel", 120, 8.0, 0.75, correlation=0.65, drop_out=0.1),
    _ask("parallel", 60, 2.5, 0.5, people_shape=1.0, usable=0.7, block_weeks=8),
    _ask("factorial", 40, 4.0, 0.5),
    _ask("factorial", 96, 4.0, 0.6, false_alarms=0.25),
    _ask("factorial", 60, 8.0, 0.5, drop_out=0.2, baseline_weeks=4),
    _ask("factorial", 120, 2.5, 0.75),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Some trials of one setting."""

    number: int
    first: int
    trials: int


def rejected(part: Part) -> int:
    """How many of the trials have p below alpha, by the analysis itself."""
    ask, size = SETTINGS[part.number]
    layout = layout_of(ask, size)
    kept = replace(layout, wearers=max(1, math.floor(layout.wearers * (1.0 - ask.drop_out) + 1e-9)))
    found = 0
    for number in range(part.first, part.first + part.trials):
        rng = np.random.default_rng([97, part.number, number])
        case = drawn(ask.presumed, kept, rng)
        p = primary(case).p
        found += p is not None and p < ask.alpha
    return found


def drawn(presumed: Presumed, layout: Layout, rng: np.random.Generator) -> Case:
    """One trial, night by night."""
    if layout.design == "n_of_1":
        orders = rng.integers(0, 2, (layout.wearers, layout.cycles))
        schedule = [_blocks(place, order.tolist(), weeks=layout.block_weeks) for place, order in enumerate(orders)]
    else:
        schedule = _schedule(layout)
    alone = layout.wearers == 1
    shape = presumed.people_shape
    level = presumed.per_week * (np.ones(1) if alone else rng.gamma(shape, 1.0 / shape, layout.wearers))
    # Of an N-of-1 trial blocks are short, and what a person is like is taken to hold throughout.
    wander = 0.0 if alone or layout.design == "n_of_1" else presumed.wander
    tallies: list[list[Tally]] = [[] for _ in schedule]
    for among in zip(*schedule, strict=True):
        ratios = np.array([_ratio(layout, phase, presumed.ratio) for phase in among])
        own = level * ratios * (rng.gamma(1.0 / wander, wander, len(level)) if wander else 1.0)
        for made, one in zip(tallies, _tallies(presumed, among, own, rng), strict=True):
            made.append(one)
    of = {made[0].phase.wearer: tuple(made) for made in tallies}
    plan = Plan("t", "q", layout.design, _treatments(layout), wearers=layout.wearers, cycles=max(2, layout.cycles))
    reference = "B" if layout.design in ("n_of_1", "crossover", "parallel") else ""
    return Case(plan, "A", reference, tuple(one for made in tallies for one in made), of)


@cache
def _schedule(layout: Layout) -> list[list[Phase]]:
    """Phases of every wearer of a design whose order is not drawn; as many in each sequence or arm as can be."""
    weeks = layout.block_weeks
    if layout.design == "crossover":
        return [_blocks(place, [place % 2], weeks=weeks) for place in range(layout.wearers)]
    arms = {"before_after": ("A",), "parallel": ("B", "A"), "factorial": ("", "A", "B", "AB")}[layout.design]
    before = weeks if layout.design == "before_after" else layout.baseline_weeks
    start = FIRST + timedelta(days=7 * before)
    found = []
    for place in range(layout.wearers):
        wearer, arm = f"w{place:03d}", arms[place % len(arms)]
        phases = [_phase(wearer, "baseline", "", first=FIRST, weeks=before, sequence=arm)] if before else []
        found.append([*phases, _phase(wearer, "treatment", arm, first=start, weeks=weeks, sequence=arm, position=1)])
    return found


def _blocks(place: int, firsts: Sequence[int], *, weeks: int) -> list[Phase]:
    """Pairs of blocks, A first where the lot says so."""
    sequence = "".join("AB" if first else "BA" for first in firsts)
    return [
        _phase(
            f"w{place:03d}", "treatment", label, first=FIRST + timedelta(days=7 * weeks * number), weeks=weeks,
            sequence=sequence, position=number + 1, cycle=number // 2 + 1,
        )
        for number, label in enumerate(sequence)
    ]  # fmt: skip


def _phase(
    wearer: str,
    kind: PhaseKind,
    label: str,
    *,
    first: date,
    weeks: int,
    sequence: str,
    position: int = 0,
    cycle: int = 0,
) -> Phase:
    return Phase(wearer, kind, label, first, first + timedelta(days=7 * weeks - 1), cycle, position, sequence)


def _ratio(layout: Layout, phase: Phase, ratio: float) -> float:
    second = OTHER if layout.design == "factorial" and "B" in phase.label else 1.0
    return second * (ratio if "A" in phase.label else 1.0)


def _tallies(presumed: Presumed, among: Sequence[Phase], per_week: Floats, rng: np.random.Generator) -> Iterator[Tally]:
    """A phase of each wearer, all of one length."""
    nights = (among[0].last - among[0].first).days + 1
    k, weeks = presumed.weekly_k, (len(among), nights // 7)
    of_week = rng.gamma(k, 1.0 / k, weeks) if math.isfinite(k) else np.ones(weeks)
    cramps = rng.poisson(np.repeat(per_week[:, None] * of_week, 7, axis=1) / 7.0)
    seen = rng.binomial(cramps, presumed.sensitivity) + rng.poisson(presumed.false_alarms, cramps.shape)
    judged = rng.random(cramps.shape) < presumed.usable
    days = among[0].first.toordinal() + np.arange(nights)
    for phase, counts, kept in zip(among, seen.astype(np.float64), judged, strict=True):
        number = int(kept.sum())
        yield Tally(
            phase=phase,
            planned=nights,
            expected_h=NIGHT_H * nights,
            days=days[kept],
            counts=counts[kept],
            hours=np.full(number, NIGHT_H),
            covered=np.ones(number),
            cramps=((),) * number,
        )


def _treatments(layout: Layout) -> tuple[Treatment, ...]:
    if layout.design == "before_after":
        return (Treatment("A", "magnesium"),)
    return FACTORS if layout.design == "factorial" else BOTH


@dataclass(frozen=True, slots=True)
class Hits:
    """How many of the trials of a setting have p below alpha."""

    hits: int
    trials: int


def table(found: Sequence[Hits], *, settings: Sequence[tuple[Ask, int]] = SETTINGS) -> tuple[Made, float]:
    """The planner beside the analysis, and the largest difference."""
    rows, worst = [], 0.0
    for (ask, size), one in zip(settings, found, strict=True):
        planner, simulated = power_of(ask, size).power, one.hits / one.trials
        difference = planner - simulated
        worst = max(worst, abs(difference))
        rows.append(
            (
                ask.design, _size(layout_of(ask, size)), f"{ask.presumed.per_week:g}",
                f"{ask.presumed.ratio:g} ({ask.presumed.seen_ratio:.2f})", _else(ask), f"{100 * planner:.1f} %",
                f"{100 * simulated:.1f} %", f"{one.trials}", f"{100 * difference:+.1f}",
            )
        )  # fmt: skip
    note = (
        f"{len(rows)} settings, at least {min(one.trials for one in found)} trials of each through the primary "
        "analysis, night by night; the planner simulates 2,000 to 10,000 of its own in its own way. Two such shares "
        "differ by chance alone, by less than 2.6 points in 19 of 20. The largest difference is "
        f"{100 * worst:.1f} points, the goal 3. Unless it says otherwise: weekly k 3, shape between people 2.5, "
        "correlation 0.5, 90 % of nights usable, sensitivity 0.9, 0.1 false alarms a night. "
        "Made by `python -m benchmarks.trials.planner`."
    )
    columns = (
        "design", "size", "cramps a week", "true ratio (seen)", "otherwise", "planner", "analysis", "trials",
        "difference, points",
    )  # fmt: skip
    return Made("The planner's power against the analysis itself", note, columns, tuple(rows)), worst


def _size(layout: Layout) -> str:
    people = f"{layout.wearers} people, " if layout.wearers > 1 else "one person, "
    match layout.design:
        case "before_after":
            return f"{people}{layout.block_weeks} + {layout.block_weeks} weeks"
        case "n_of_1":
            return f"{people}{layout.cycles} pairs of {layout.block_weeks} weeks"
        case "crossover":
            return f"{people}{layout.block_weeks} weeks each"
        case _:
            return f"{people}{layout.baseline_weeks} + {layout.block_weeks} weeks"


def _else(ask: Ask) -> str:
    names = {
        "weekly_k": "weekly k {:g}", "people_shape": "shape {:g}", "correlation": "correlation {:g}",
        "usable": "{:.0%} usable", "false_alarms": "{:g} false alarms",
    }  # fmt: skip
    said = [
        text.format(getattr(ask.presumed, name))
        for name, text in names.items()
        if getattr(ask.presumed, name) != getattr(_P, name)
    ]
    return ", ".join([*said, f"{ask.drop_out:.0%} drop out"] if ask.drop_out else said).replace("inf", "∞")


def main() -> int:
    """Run, show and keep; 1 where some difference is beyond the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials.planner", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials: int = parser.parse_args().trials
    parts = [
        Part(number, first, min(PART, trials - first))
        for number in range(len(SETTINGS))
        for first in range(0, trials, PART)
    ]
    hits = over(rejected, parts, what="trials planned", weigh=lambda part: part.trials)
    found = [
        Hits(sum(hit for part, hit in zip(parts, hits, strict=True) if part.number == number), trials)
        for number in range(len(SETTINGS))
    ]
    made, worst = table(found)
    for row in made.rows:
        print(" | ".join(row))
    print(made.note)
    if trials >= TRIALS:
        keep(made)
    return int(worst > GOAL)


def keep(made: Made) -> None:
    """Write the table beside what else `results.json` holds."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept["planner"] = {"tables": [made.as_json()]}
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
