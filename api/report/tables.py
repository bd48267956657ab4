"""Tables of a report as rows of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.report import words
from api.statistics.values import Estimate
from api.trials.values import Analysis, ArmFigures, Check, Plan, Result

_COUNTING: Final = {
    "detected": "cramps that the device detected and the wearer did not call none",
    "felt": "cramps that the wearer felt",
    "both": "cramps detected or felt, each once",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Heads and rows; the first cell of a row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def arms(analysis: Analysis) -> Table:
    """Each arm with what it rests on."""
    heads = (
        "Phase or arm",
        "Wearers",
        "Planned",
        "With data",
        "Usable hours",
        "Cramps",
        "With a cramp",
        f"{words.capital(words.unit(analysis.plan))} (95 %)",
    )
    return Table("What was seen, and how much of it could be", heads, tuple(_arm(arm) for arm in analysis.arms))


def _arm(arm: ArmFigures) -> tuple[str, ...]:
    named = f"{arm.label}: {arm.name}" if arm.label and arm.label != arm.name else arm.name
    return (
        named,
        str(arm.wearers),
        str(arm.planned),
        f"{arm.judged} ({words.percent(arm.judged, arm.planned)})",
        f"{arm.usable_h:.0f} of {arm.expected_h:.0f} ({words.percent(arm.usable_h, arm.expected_h)})",
        str(arm.cramps),
        f"{arm.cramp_periods} ({words.percent(arm.cramp_periods, arm.judged)})",
        told(arm.per_week),
    )


def told(estimate: Estimate) -> str:
    """A figure with its interval, or why there is none."""
    if not estimate.known:
        return words.NOT_KNOWN + (f": {estimate.note}" if estimate.note else "")
    return f"{words.in_words(estimate, estimate.value)} ({words.interval(estimate)})"


def methods(analysis: Analysis) -> dict[tuple[str, str], str]:
    """A letter for each way in which a result was come by: its method, and what has to be known of it."""
    ways = dict.fromkeys(way_of(result) for result in analysis.results)
    return {way: words.letter(number) for number, way in enumerate(ways)}


def ways_told(analysis: Analysis) -> Sequence[tuple[str, str]]:
    """Each letter with its method in words."""
    return [(letter, "; ".join(part.rstrip(".") for part in way if part)) for way, letter in methods(analysis).items()]


def way_of(result: Result) -> tuple[str, str]:
    """The method, and what has to be known of it."""
    return result.estimate.method, result.estimate.note if result.estimate.known else ""


def results(analysis: Analysis) -> Table:
    """Every result, the primary one first; what all compare is said once."""
    contrasts = {result.contrast for result in analysis.results}
    letters = methods(analysis)
    one = len(contrasts) == 1
    heads = ("Outcome", "Role", "Comparison", "Figure (95 % interval)", "p", "By")
    rows = [_result(result, letters[way_of(result)]) for result in analysis.results]
    if one:
        kept = [(row[:2] + row[3:]) for row in rows]
        return Table(f"Results: {contrasts.pop()}", heads[:2] + heads[3:], tuple(kept))
    return Table("Results", heads, tuple(rows))


def _result(result: Result, letter: str) -> tuple[str, ...]:
    estimate = result.estimate
    figure = f"{estimate.measure}: {told(estimate)}" if estimate.known else told(estimate)
    chances = "".join(f"; P({name}) {_is(words.chance(chance))}" for name, chance in result.probability)
    return (
        words.OUTCOMES[result.outcome],
        words.ROLES[result.role],
        result.contrast,
        figure + chances,
        words.p_value(estimate.p),
        letter,
    )


def _is(said: str) -> str:
    """`= 91 %`, `> 99 %`."""
    return said if said[0] in "<>" else f"= {said}"


def checks(analysis: Analysis) -> Table:
    """What the analysis presumes, tested."""
    return Table(
        "Checks",
        ("Check", "Figure (95 % interval)", "p", "What it says"),
        tuple(_check(each) for each in analysis.checks),
    )


def _check(check: Check) -> tuple[str, ...]:
    return (words.capital(check.name), told(check.estimate), words.p_value(check.estimate.p), check.sentence)


def differences(analysis: Analysis) -> Table:
    """Where what was done is not what was registered."""
    rows = tuple((each.what, each.registered, each.done) for each in analysis.differences)
    return Table("Differences from the plan", ("What", "Registered", "Done"), rows)


def plan(of: Plan) -> Sequence[tuple[str, str]]:
    """The plan, term by term."""
    treatments = "; ".join(_treatment(of, number) for number in range(len(of.treatments)))
    secondary = ", ".join(_lower(words.OUTCOMES[each]) for each in of.secondary) or "none"
    rows = [
        ("Design", words.DESIGNS[of.design] + (f", {of.cycles} cycles" if of.design == "n_of_1" else "")),
        ("Compared", treatments),
        ("Blinding", "by label" if of.blinded else "none: who took part knew what they took"),
        ("Days", _days(of)),
        ("Wearers planned", str(of.wearers)),
        ("Counted", f"{_COUNTING[of.counting]}; periods: {', '.join(of.kinds)}"),
        ("Primary outcome", words.OUTCOMES[of.primary]),
        ("Secondary", secondary),
        ("Worth having", f"a ratio of {words.figure(of.worthwhile_ratio)} or less"),
        ("Power", _power(of)),
    ]
    return rows if of.design == "before_after" else [*rows, ("Seed of the allocation", str(of.seed))]


def _treatment(of: Plan, number: int) -> str:
    each = of.treatments[number]
    label = f"{each.label}: " if each.label else ""
    return f"{label}{each.name}{', ' + each.dose if each.dose else ''}{' (control)' if each.control else ''}"


def _days(of: Plan) -> str:
    parts = [f"baseline {of.baseline_days}"] if of.baseline_days else []
    parts.append(f"each treatment {of.block_days}")
    parts += [f"washout {of.washout_days}"] if of.washout_days else []
    parts += (
        [f"first {of.settle_days} day{'s' if of.settle_days > 1 else ''} of each phase not counted"]
        if of.settle_days
        else []
    )
    return ", ".join(parts)


def _power(of: Plan) -> str:
    if of.power is None:
        return "not worked out beforehand"
    rate = f", {words.figure(of.expected_per_week)} cramps a week" if of.expected_per_week is not None else ""
    return f"{100 * of.power:.0f} % for a ratio of {words.figure(of.expected_ratio)}{rate}"


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]
