"""What the planner says in words: a sentence for whoever wants to try something, and what the figures presume."""

import math
from functools import partial
from typing import Final

from api.trials.planner import Ask, Planned, Step
from api.trials.planner_trials import OTHER, Layout

_PARTS: Final = {0.5: "halves them", 0.75: "takes away a quarter of them", 0.25: "takes away three quarters of them"}
NEAR: Final = 0.01
CLOSE: Final = 0.05  # half of what a tenth may hide
_FALL: Final = "cramps of placebo arms fell by 28 to 36 % within about four weeks in published trials"


def sentence(planned: Planned) -> str:
    """What is needed, or that nothing allowed is enough; and what the size that was asked about can do."""
    ask, found = planned.ask, planned.smallest
    of = partial(_of_ten, wanted=ask.power)
    begin = f"With {_cramps(ask.presumed.per_week)} a week "
    effect = f"a treatment that {_effect(ask.presumed.ratio)}"
    if found is not None:
        said = f"{begin}you need {size(ask, found.layout)}: then {of(found.power)} such trials find {effect}."
    else:
        most = planned.table[-1]
        said = (
            f"{begin}even {size(ask, most.layout)} are not enough: only {of(most.power)} such trials would find "
            f"{effect}. {_advice(ask)}"
        )
    if planned.asked is None:
        return said
    return f"{said} With {size(ask, planned.asked.layout)}, {of(planned.asked.power)} do."


def size(ask: Ask, layout: Layout) -> str:
    """A size in words."""
    blocks = f"{layout.block_weeks} week{'s' if layout.block_weeks > 1 else ''}"
    people = "" if layout.wearers == 1 else f"{layout.wearers} people with "
    match ask.design:
        case "before_after":
            return f"{people}{blocks} before and {blocks} with it"
        case "n_of_1":
            return f"{people}{layout.cycles} pairs of {layout.block_weeks}-week blocks ({layout.total_weeks} weeks)"
        case "crossover":
            return f"{layout.wearers} people who take each for {blocks}"
        case _:
            arms = "two" if ask.design == "parallel" else "four"
            before = f"{layout.baseline_weeks} weeks of baseline and " if layout.baseline_weeks else ""
            return f"{layout.wearers} people in {arms} arms, with {before}{blocks} of treatment"


def notes(planned: Planned) -> tuple[str, ...]:
    """What the figures presume and leave out, most important first."""
    ask, presumed = planned.ask, planned.ask.presumed
    said = []
    if ask.design == "before_after":
        said.append(
            f"Before and after cannot tell a treatment from what time does: {_FALL}. Blocks in a drawn order can."
        )
    else:
        said.append(f"Plan with the rate that you expect under the control: {_FALL}.")
    if abs(presumed.seen_ratio - presumed.ratio) >= 0.005:
        said.append(
            f"A true ratio of {presumed.ratio:.2f} is seen as {presumed.seen_ratio:.2f}: false alarms stay when cramps "
            "go. The power is that of what is seen."
        )
    if _is_group(planned.table[0]) and presumed.correlation > presumed.highest_correlation + 0.01:
        said.append(
            f"So few cramps correlate at {presumed.highest_correlation:.2f} at most from period to period, which is "
            "what was presumed."
        )
    if ask.drop_out:
        said.append(
            f"Of those who begin {100.0 * ask.drop_out:.0f} % are presumed to drop out, and to count for nothing."
        )
    if ask.design == "factorial":
        said.append(f"Power is that of the first factor; the second is presumed to bring a ratio of {OTHER:g}.")
    return (*said, _how(planned))


def _how(planned: Planned) -> str:
    steps = [*planned.table, *(step for step in (planned.smallest, planned.asked) if step is not None)]
    fewest, most = (choose(step.trials for step in steps) for choose in (min, max))
    trials = f"{fewest} to {most}" if fewest < most else f"{most}"
    worst = max(step.error for step in steps)
    return (
        f"Each power is the share of {trials} simulated trials whose primary analysis has p below "
        f"{planned.ask.alpha:g}; chance leaves it uncertain by {100.0 * worst:.1f} points at most."
    )


def _advice(ask: Ask) -> str:
    if ask.design == "n_of_1":
        return "More people who do the same can be analysed together, or look for a larger effect."
    if ask.design == "before_after":
        return "Ask more people to do the same, or look for a larger effect."
    return "Make the blocks longer, or look for a larger effect."


def _effect(ratio: float) -> str:
    return _PARTS.get(ratio, f"takes away {100.0 * (1.0 - ratio):.0f} % of them")


def power_told(power: float, *, wanted: float) -> str:
    """A power in per cent; near the one wanted with a decimal, and one that is below it never rounded up to it."""
    if abs(power - wanted) >= NEAR:
        return f"{power:.0%}"
    return f"{math.floor(1000.0 * power + 1e-9) / 10.0:.1f}%"


def _of_ten(power: float, *, wanted: float) -> str:
    """A share that is easily pictured; small and great ones in a hundred. One too small is not told as enough."""
    if wanted - CLOSE < power < wanted:
        return f"{math.floor(100.0 * power + 1e-9)} of 100"
    tenths = round(10.0 * power)
    if abs(10.0 * power - tenths) < 0.25 and 1 <= tenths <= 9:
        return f"{tenths} of 10"
    return f"{round(100.0 * power)} of 100"


def _is_group(step: Step) -> bool:
    return step.layout.wearers > 1


def _cramps(rate: float) -> str:
    return f"{rate:g} cramp" + ("" if rate == 1.0 else "s")
