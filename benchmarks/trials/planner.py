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
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from api.statistics.power_tables import Presumed
from api.trials.case import Case
from api.trials.counts import primary
from api.trials.outcomes import Tally
from api.trials.planner import Ask, layout_of, power_of
from api.trials.planner_trials import OTHER, Layout
from api.trials.values import Phase, PhaseKind, Plan, Treatment
from benchmarks.trials.spread import over
from benchmarks.trials.tables import Made

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
    _ask("factorial", 180, 2.5, 0.75),
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
    tallies = []
    for place in range(layout.wearers):
        alone = layout.wearers == 1
        level = presumed.per_week * (1.0 if alone else rng.gamma(presumed.people_shape) / presumed.people_shape)
        # Of an N-of-1 trial blocks are short, and what a person is like is taken to hold throughout.
        wander = 0.0 if alone or layout.design == "n_of_1" else presumed.wander
        at = FIRST
        for phase, weeks, ratio in _phases(presumed, layout, place, rng):
            own = level * ratio * (rng.gamma(1.0 / wander) * wander if wander else 1.0)
            dated = replace(phase, first=at, last=at + timedelta(days=7 * weeks - 1))
            tallies.append(_tally(presumed, dated, own, rng))
            at += timedelta(days=7 * weeks)
    plan = Plan("t", "q", layout.design, _treatments(layout), wearers=layout.wearers, cycles=max(2, layout.cycles))
    reference = "B" if layout.design in ("n_of_1", "crossover", "parallel") else ""
    of = {wearer: tuple(among) for wearer, among in groupby(tallies, key=lambda one: one.phase.wearer)}
    return Case(plan, "A", reference, tuple(tallies), of)


def _phases(
    presumed: Presumed, layout: Layout, place: int, rng: np.random.Generator
) -> Iterator[tuple[Phase, int, float]]:
    """Phases of one wearer with their weeks and true ratios."""
    weeks, r, wearer = layout.block_weeks, presumed.ratio, f"w{place:03d}"

    def phase(kind: PhaseKind, label: str, *, cycle: int = 0, position: int = 0, sequence: str = "") -> Phase:
        return Phase(wearer, kind, label, FIRST, FIRST, cycle, position, sequence)

    if layout.design == "before_after":
        yield phase("baseline", ""), weeks, 1.0
        yield phase("treatment", "A", position=1, sequence="A"), weeks, r
    elif layout.design in ("n_of_1", "crossover"):
        firsts = rng.integers(0, 2, layout.cycles) if layout.design == "n_of_1" else [place % 2]
        sequence = "".join("AB" if first else "BA" for first in firsts)
        for position, label in enumerate(sequence, 1):
            cycle = (position + 1) // 2 if layout.design == "n_of_1" else 0
            made = phase("treatment", label, cycle=cycle, position=position, sequence=sequence)
            yield made, weeks, r if label == "A" else 1.0
    else:
        arms = ("", "A", "B", "AB") if layout.design == "factorial" else ("B", "A")
        arm = arms[place % len(arms)]
        if layout.baseline_weeks:
            yield phase("baseline", "", sequence=arm), layout.baseline_weeks, 1.0
        second = OTHER if layout.design == "factorial" and "B" in arm else 1.0
        yield phase("treatment", arm, position=1, sequence=arm), weeks, (r if "A" in arm else 1.0) * second


def _tally(presumed: Presumed, phase: Phase, per_week: float, rng: np.random.Generator) -> Tally:
    nights = (phase.last - phase.first).days + 1
    k = presumed.weekly_k
    of_week = rng.gamma(k, 1.0 / k, nights // 7) if math.isfinite(k) else np.ones(nights // 7)
    cramps = rng.poisson(per_week / 7.0 * np.repeat(of_week, 7))
    seen = rng.binomial(cramps, presumed.sensitivity) + rng.poisson(presumed.false_alarms, nights)
    judged = rng.random(nights) < presumed.usable
    days = phase.first.toordinal() + np.arange(nights)
    number = int(judged.sum())
    return Tally(
        phase=phase,
        planned=nights,
        expected_h=NIGHT_H * nights,
        days=days[judged],
        counts=seen[judged].astype(np.float64),
        hours=np.full(number, NIGHT_H),
        covered=np.ones(number),
        cramps=((),) * number,
    )


def _treatments(layout: Layout) -> tuple[Treatment, ...]:
    if layout.design == "before_after":
        return (Treatment("A", "magnesium"),)
    return FACTORS if layout.design == "factorial" else BOTH


def table(found: Sequence[int], *, trials: int, settings: Sequence[tuple[Ask, int]] = SETTINGS) -> tuple[Made, float]:
    """The planner beside the analysis, and the largest difference."""
    rows, worst = [], 0.0
    for (ask, size), hits in zip(settings, found, strict=True):
        planner, simulated = power_of(ask, size).power, hits / trials
        difference = planner - simulated
        worst = max(worst, abs(difference))
        rows.append(
            (
                ask.design, _size(layout_of(ask, size)), f"{ask.presumed.per_week:g}",
                f"{ask.presumed.ratio:g} ({ask.presumed.seen_ratio:.2f})", _else(ask),
                f"{100 * planner:.1f} %", f"{100 * simulated:.1f} %", f"{100 * difference:+.1f}",
            )
        )  # fmt: skip
    note = (
        f"{len(rows)} settings, {trials} trials of each through the primary analysis, night by night; the planner "
        "simulates 2,000 to 10,000 of its own in its own way. Two such shares differ by chance alone, by less than 2.4 "
        f"points nearly always. The largest difference is {100 * worst:.1f} points, the goal 3. Unless it says "
        "otherwise: weekly k 3, shape between people 2.5, correlation 0.5, 90 % of nights usable, sensitivity 0.9, 0.1 "
        "false alarms a night. Made by `python -m benchmarks.trials.planner`."
    )
    columns = (
        "design", "size", "cramps a week", "true ratio (seen)", "otherwise", "planner", "analysis",
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
        sum(hit for part, hit in zip(parts, hits, strict=True) if part.number == number)
        for number in range(len(SETTINGS))
    ]
    made, worst = table(found, trials=trials)
    for row in made.rows:
        print(" | ".join(row))
    print(made.note)
    if trials >= TRIALS:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        kept["planner"] = {"tables": [made.as_json()]}
        RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return int(worst > GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
