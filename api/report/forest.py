"""Results with their intervals on common axes: ratios together, each other measure on an axis of its own."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from api.report.svg import (
    EM,
    Figure,
    Scale,
    Shape,
    box,
    drawing,
    line,
    ratio_ticks,
    round_ticks,
    shape,
    shortened,
    words,
)
from api.report.tables import methods, way_of
from api.report.words import OUTCOMES, ROLES, figure, in_words, interval, is_share
from api.report.words import tick as tick_words
from api.trials.values import Analysis, Result

WIDTH: Final = 700.0
NAMES: Final = 262.0
FIGURES: Final = 132.0
ROW: Final = 17.0
MOST: Final = 8  # of a panel; the table has them all
PANELS: Final = 3
GAP: Final = 5.0  # between two figures of an axis


def draw_forest(analysis: Analysis) -> Figure | None:
    """The results that have a figure, the primary one first; None where none has."""
    panels = _panels([result for result in analysis.results if _is_drawn(result)])[:PANELS]
    if not panels:
        return None
    known = [result for among in panels for result in among]
    shapes: list[Shape] = []
    y = 4.0
    for among in panels:
        drawn, y = _panel(among, analysis, top=y)
        shapes += drawn
    described = "; ".join(
        f"{ROLES[each.role]}, {OUTCOMES[each.outcome]}, {each.contrast}: {each.estimate.measure} {_spoken(each)}"
        for each in known
    )
    title = "Results with 95 % intervals"
    svg = drawing(name="forest", size=(WIDTH, y), title=title, described=f"{described}.", shapes=shapes)
    caption = (
        "Each result with its interval; filled: the primary one. The solid line is no effect, the dashed one the "
        "smallest effect that was said to be worth having."
    )
    return Figure(svg, caption, "forest")


def _spoken(result: Result) -> str:
    estimate = result.estimate
    return f"{figure(estimate.value)}, {figure(estimate.low)} to {figure(estimate.high)}"


def _is_drawn(result: Result) -> bool:
    """Whether there is an interval to be drawn."""
    estimate = result.estimate
    return estimate.known and estimate.low < estimate.high


def is_ratio(result: Result) -> bool:
    """Whether a result is a ratio, whose axis is logarithmic."""
    return result.estimate.null == 1


def _is_rate(result: Result) -> bool:
    """Whether a result is a ratio of cramps, where less is better; the odds of responders go the other way."""
    return is_ratio(result) and result.outcome in {"rate", "cramp_periods"}


def _panels(known: Sequence[Result]) -> list[list[Result]]:
    """Results that can share an axis."""
    panels: dict[str, list[Result]] = {}
    for result in known:
        key = "ratio" if _is_rate(result) else f"{result.estimate.measure} {result.outcome}"
        panels.setdefault(key, []).append(result)
    return [among[:MOST] for among in panels.values()]


def _panel(among: Sequence[Result], analysis: Analysis, *, top: float) -> tuple[list[Shape], float]:
    worthwhile, letters = analysis.plan.worthwhile_ratio, methods(analysis)
    scale = _scale(among, worthwhile=worthwhile)
    bottom = top + len(among) * ROW
    shapes: list[Shape] = []
    null = among[0].estimate.null
    if null is not None:
        shapes.append(line(scale.at(null), top, scale.at(null), bottom + 3, kind="null"))
    if _is_rate(among[0]) and scale.low < worthwhile < scale.high:
        shapes.append(line(scale.at(worthwhile), top, scale.at(worthwhile), bottom + 3, kind="worthwhile"))
    for number, result in enumerate(among):
        name = _name(among, number, letters=letters)
        shapes += _row(result, scale, y=top + (number + 0.5) * ROW, name=name)
    ticks = ratio_ticks(scale.low, scale.high) if scale.log else round_ticks(scale.high, low=scale.low)
    shapes.append(line(scale.start, bottom + 3, scale.end, bottom + 3, kind="axis"))
    said = {
        tick: in_words(among[0].estimate, tick) if is_share(among[0].estimate) else tick_words(tick)
        for tick in ticks
        if scale.low <= tick <= scale.high
    }
    shown = _apart(said, scale, first=null)
    for tick, text in said.items():
        shapes.append(line(scale.at(tick), bottom + 3, scale.at(tick), bottom + 6, kind="axis"))
        if tick in shown:
            shapes.append(words(scale.at(tick), bottom + 16, text, anchor="middle", kind="quiet"))
    measure = "ratio of rates: less is fewer cramps" if _is_rate(among[0]) else among[0].estimate.measure
    shapes.append(words(0, bottom + 16, shortened(measure, NAMES), kind="quiet"))
    return shapes, bottom + 24


def _apart(said: Mapping[float, str], scale: Scale, *, first: float | None) -> set[float]:
    """The ticks whose figures can be written without touching: that of no effect, both ends, then others in order."""
    ends = [tick for tick in (first, min(said, default=None), max(said, default=None)) if tick is not None]
    shown: dict[float, None] = {}
    for tick in dict.fromkeys(tick for tick in (*ends, *said) if tick in said):
        if all(abs(scale.at(tick) - scale.at(other)) >= _room(said[tick], said[other]) for other in shown):
            shown[tick] = None
    return set(shown)


def _room(one: str, other: str) -> float:
    """What two texts beside each other need from middle to middle."""
    return (len(one) + len(other)) / 2.0 * EM + GAP


def _scale(among: Sequence[Result], *, worthwhile: float) -> Scale:
    start, end = NAMES, WIDTH - FIGURES
    estimates = [result.estimate for result in among]
    if is_ratio(among[0]):
        lows = [each for item in estimates for each in (item.low, item.value) if each > 0]
        highs = [each for item in estimates for each in (item.high, item.value) if math.isfinite(each)]
        low, high = max(min([*lows, worthwhile, 0.5]), 0.02), min(max([*highs, 1.5]), 50.0)
        ticks = ratio_ticks(low, high)
        return Scale(ticks[0], ticks[-1], start, end, log=True)
    ends = [each for item in estimates for each in (item.low, item.value, item.high) if math.isfinite(each)]
    nulls = [item.null for item in estimates if item.null is not None]
    if is_share(estimates[0]):
        return Scale(min([0.0, *ends]), max([1.0, *ends]), start, end)
    ticks = round_ticks(max([*ends, *nulls]), low=min([*ends, *nulls]))
    return Scale(ticks[0], ticks[-1], start, end)


def _name(among: Sequence[Result], number: int, *, letters: Mapping[tuple[str, str], str]) -> str:
    """The outcome; of the one above again, in what this result differs from it."""
    result, above = among[number], among[number - 1] if number else None
    extra = result.estimate.measure.partition(", ")[2]
    if above is None or above.outcome != result.outcome:
        outcome = OUTCOMES[result.outcome]
        return f"{outcome}, {extra}" if extra and result.role == "sensitivity" else outcome
    if above.contrast != result.contrast:
        return f"… {result.contrast}"
    return f"… {extra or 'by method ' + letters[way_of(result)]}"


def _row(result: Result, scale: Scale, *, y: float, name: str) -> list[Shape]:
    estimate = result.estimate
    primary = result.role == "primary"
    low = scale.low if estimate.low == -math.inf else estimate.low
    left, right, at = scale.at(low), scale.at(estimate.high), scale.at(estimate.value)
    half = 4.5 if primary else 3.5
    said = f"{in_words(estimate, estimate.value)} ({interval(estimate)})"
    shapes = [words(0, y + 3.5, shortened(name, NAMES - 10), kind="strong" if primary else None)]
    shapes.append(line(left, y, right, y, kind="whisker"))
    shapes += [_end(left, y, cut=low < scale.low or estimate.low == -math.inf, towards=-1)]
    shapes += [_end(right, y, cut=estimate.high > scale.high, towards=1)]
    if math.isfinite(estimate.value):
        shapes.append(box(at - half, y - half, 2 * half, 2 * half, kind="point primary" if primary else "point"))
    shapes.append(words(WIDTH, y + 3.5, said, anchor="end", kind="strong" if primary else None))
    return shapes


def _end(x: float, y: float, *, cut: bool, towards: int) -> Shape:
    """The end of an interval: a bar, or an arrow where it goes on beyond the axis."""
    if cut:
        return shape("path", d=f"M{x - 5 * towards:.1f} {y - 4:.1f}l{5 * towards} 4l{-5 * towards} 4", class_="whisker")
    return line(x, y - 3, x, y + 3, kind="whisker")
