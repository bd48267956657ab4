"""Rates by what the diary says was going on: with which drink, at dialysis or between, in heat or not. Pure.

Nobody drew lots for these: who takes an electrolyte drink may do so on hot days and in hard matches. The comparison
tells what went together. Each stretch counts once; stretches that differ by more than chance widen the interval.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from api.diary.values import Context
from api.observed import Observed
from api.statistics.proportions import proportion
from api.trends.alarms import alarm_rate
from api.trends.correcting import corrected_ratio
from api.trends.dispersion import per_8_h
from api.trends.ratios import Compared, Side, compare, dispersion
from api.trends.values import Comparison, ContextGroup, ContextRatio, Corrected
from api.trends.weeks import cover, judged
from api.trends.wording import counted, percent, rate, times

DRINKS: Final[dict[str, str]] = {
    "electrolyte": "training and matches with an electrolyte drink",
    "water": "training and matches with water",
    "none": "training and matches without a drink",
}
NOT_ALLOCATED: Final = "Nobody drew lots for these: they may differ in more than this. A trial can tell what it does."
NOT_SAID: Final = "{count} in which the diary does not say what was drunk left out."


def by_drink(sessions: Sequence[Observed], contexts: Sequence[Context]) -> Comparison:
    """Training sessions and matches by what was drunk."""
    said = {(item.at_ns, item.end_ns): item.member("drink") for item in contexts}
    groups = {key: [one for one in sessions if said.get((one.start_ns, one.end_ns)) == key] for key in DRINKS}
    left = len(sessions) - sum(len(group) for group in groups.values())
    caveats = (NOT_SAID.format(count=counted(left, "session")),) if left else ()
    pairs = (("electrolyte", "water"), ("electrolyte", "none"), ("water", "none"))
    question = "Are there fewer cramps in exercise with an electrolyte drink?"
    return Comparison(
        "drink", question, _groups(groups, DRINKS), _ratios(groups, DRINKS, pairs), (*caveats, NOT_ALLOCATED)
    )


def by_dialysis(sessions: Sequence[Observed], between: Sequence[Observed]) -> Comparison:
    """Dialysis sessions against the stretches between them."""
    groups = {"during": sessions, "between": between}
    names = {"during": "dialysis sessions", "between": "stretches between sessions"}
    question = "Are there more cramps during dialysis than between sessions?"
    return Comparison("dialysis", question, _groups(groups, names), _ratios(groups, names, (("during", "between"),)))


def by_heat(days: Sequence[Observed], heat: Sequence[Context]) -> Comparison:
    """Days that a stretch of heat touches against the others."""
    hot = [item for item in days if any(_touches(item, context) for context in heat)]
    groups = {"heat": hot, "no_heat": [item for item in days if item not in hot]}
    names = {"heat": "days with heat", "no_heat": "days without heat"}
    question = "Are there more cramps on days with heat?"
    ratios = _ratios(groups, names, (("heat", "no_heat"),))
    caveat = "Days of which the diary says nothing count as days without heat."
    return Comparison("heat", question, _groups(groups, names), ratios, (caveat, NOT_ALLOCATED))


def _touches(item: Observed, context: Context) -> bool:
    end_ns = context.end_ns if context.end_ns is not None else context.at_ns + 1
    return context.at_ns < item.end_ns and end_ns > item.start_ns


def _side(among: Sequence[Observed]) -> Side:
    good = judged(among)
    return Side(tuple(item.count for item in good), tuple(item.usable_h for item in good))


def _groups(groups: Mapping[str, Sequence[Observed]], names: Mapping[str, str]) -> tuple[ContextGroup, ...]:
    spread = dispersion([_side(group) for group in groups.values()])
    return tuple(_group(key, names[key], groups[key], spread=spread) for key in groups)


def _group(key: str, name: str, among: Sequence[Observed], *, spread: float) -> ContextGroup:
    good, covered = judged(among), cover(among)
    having = sum(item.count > 0 for item in good)
    estimate = per_8_h(covered.cramps, covered.judged_h, dispersion=spread, df=len(good) - 1)
    share = proportion(having, len(good), measure="share with a cramp")
    sentence = f"No {name} could be judged."
    if good:
        sentence = f"{len(good)} of {len(among)} {name} judged: {rate(estimate)}; a cramp in {percent(share.value)}."
    return ContextGroup(key, name, covered, estimate, share, sentence)


def _ratios(
    groups: Mapping[str, Sequence[Observed]], names: Mapping[str, str], pairs: Sequence[tuple[str, str]]
) -> tuple[ContextRatio, ...]:
    return tuple(
        _ratio((key, against), (groups[key], groups[against]), names=names)
        for key, against in pairs
        if judged(groups[key]) and judged(groups[against])
    )


def _ratio(
    keys: tuple[str, str], groups: tuple[Sequence[Observed], Sequence[Observed]], *, names: Mapping[str, str]
) -> ContextRatio:
    one, other = (names[key] for key in keys)
    compared = compare(_side(groups[0]), _side(groups[1]))
    ratio = times(compared.dispersed, f"in {one}", f"in {other}")
    sentence = {
        "fewer": f"Fewer: {ratio}.",
        "more": f"More: {ratio}.",
        "no_change_shown": f"No difference is shown: {ratio}; 1 would be as many.",
        "not_enough_data": f"Not enough data to compare {one} with {other}: even half as many would "
        f"have been shown with a chance of {percent(compared.power)} only.",
    }[compared.verdict]
    corrected = _corrected(compared, groups, names=(one, other)) if compared.dispersed.known else None
    if corrected is not None and compared.verdict in ("fewer", "more") and corrected.hangs_on_it:
        sentence += " It hangs on how many of the cramps are false alarms."
    return ContextRatio(keys[0], keys[1], compared.exact, compared.dispersed, compared.verdict, corrected, sentence)


def _corrected(
    compared: Compared, groups: tuple[Sequence[Observed], Sequence[Observed]], *, names: tuple[str, str]
) -> Corrected:
    covered = cover(groups[1])
    return corrected_ratio(
        "ratio",
        compared.dispersed,
        base=per_8_h(covered.cramps, covered.judged_h).value,
        alarms=alarm_rate(groups[0], kind="day"),
        alarms_base=alarm_rate(groups[1], kind="day"),
        what=f"in {names[0]}, compared with {names[1]}",
        about=f"{names[0]} against {names[1]}",
    )
