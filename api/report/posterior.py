"""How probable it is that there were fewer cramps, and clearly fewer, as bars from 0 to 100 %."""

from typing import Final

from api.report.svg import Figure, Scale, Shape, box, drawing, line, words
from api.report.words import chance as chance_words
from api.trials.values import Analysis, Result

WIDTH: Final = 340.0
NAMES: Final = 150.0
ROW: Final = 26.0
_SAID: Final = {"RR<1": "fewer cramps at all", "RR<0.75": "at least a quarter fewer"}


def draw_posterior(analysis: Analysis) -> Figure | None:
    """The first result with probabilities; None where there is none."""
    found = next((result for result in analysis.results if result.probability), None)
    return None if found is None else _drawn(found)


def _drawn(result: Result) -> Figure:
    scale = Scale(0, 1, NAMES, WIDTH - 40)
    bottom = 6 + ROW * len(result.probability)
    shapes: list[Shape] = []
    for tick in (0.0, 0.5, 0.95, 1.0):
        shapes += [line(scale.at(tick), 2, scale.at(tick), bottom, kind="grid")]
        said = "" if tick == 1 else f"{100 * tick:.0f} %"
        shapes += [words(scale.at(tick), bottom + 11, said, anchor="middle", kind="quiet")]
    for number, (name, chance) in enumerate(result.probability):
        top = 4 + number * ROW
        shapes.append(words(0, top + 9, _SAID.get(name, name)))
        shapes.append(words(0, top + 19, f"P({name.replace('<', ' < ')})", kind="quiet"))
        shapes.append(box(scale.start, top + 2, scale.end - scale.start, 15, kind="rail"))
        shapes.append(box(scale.start, top + 2, scale.at(chance) - scale.start, 15, kind="bar treatment"))
        shapes.append(words(WIDTH, top + 14, chance_words(chance), anchor="end", kind="strong"))
    described = "; ".join(f"{_SAID.get(name, name)}: {chance_words(chance)}" for name, chance in result.probability)
    svg = drawing(
        name="posterior",
        size=(WIDTH, bottom + 16),
        title="How probable an effect is",
        described=described,
        shapes=shapes,
    )
    return Figure(
        svg, f"How probable an effect is, {result.contrast}, given these data and the stated prior.", "posterior"
    )
