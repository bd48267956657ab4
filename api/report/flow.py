"""Who was registered, allocated, analysed, and who was lost on the way: boxes from top to bottom (after CONSORT)."""

from collections.abc import Sequence
from typing import Final

from api.report.svg import Figure, Shape, box, drawing, line, shape, words, wrapped
from api.report.words import capital
from api.trials.values import Analysis, FlowStep

WIDTH: Final = 340.0
BOX: Final = 178.0
LINE: Final = 11.5
GAP: Final = 12.0
ARM: Final = "allocated to"


def draw_flow(analysis: Analysis) -> Figure | None:
    """A box for each step, and beside the way to it those lost before; None without steps."""
    if not analysis.flow:
        return None
    shapes: list[Shape] = []
    y = 1.0
    for number, steps in enumerate(beside(analysis.flow)):
        drawn, y = _box(steps, top=y, first=number == 0)
        shapes += drawn
    described = "; ".join(_spoken(step) for step in analysis.flow)
    svg = drawing(name="flow", size=(WIDTH, y + 1), title="Who took part", described=f"{described}.", shapes=shapes)
    return Figure(svg, "Who took part, and who was lost before each step.", "flow")


def beside(flow: Sequence[FlowStep]) -> list[list[FlowStep]]:
    """Steps one after the other; arms, which follow the same step, together."""
    found: list[list[FlowStep]] = []
    for step in flow:
        together = found and step.label.startswith(ARM) and found[-1][0].label.startswith(ARM)
        if together:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _spoken(step: FlowStep) -> str:
    lost = ", ".join(f"{number} lost before: {reason}" for reason, number in step.lost)
    return f"{step.label}: {step.wearers}" + (f" ({lost})" if lost else "")


def _box(steps: Sequence[FlowStep], *, top: float, first: bool) -> tuple[list[Shape], float]:
    counted = [f"{capital(step.label)}: n\u00a0=\u00a0{step.wearers}" for step in steps]
    said = [each for one in counted for each in wrapped(one, BOX - 12)]
    losses = [f"{number}: {reason}" for step in steps for reason, number in step.lost]
    lost = [each for one in losses for each in wrapped(one, WIDTH - BOX - 34)]
    above = 0.0 if first else max(GAP, len(lost) * LINE + 10)
    shapes: list[Shape] = []
    at = top + above
    if not first:
        shapes += [
            line(BOX / 2, top, BOX / 2, at - 4, kind="arrow"),
            shape("path", d=f"M{BOX / 2 - 3.5} {at - 5}l3.5 5 3.5-5z", class_="tip"),
        ]
    if lost:
        shapes += _lost(lost, y=top + 4, joined=not first)
    height = len(said) * LINE + 8
    shapes.append(box(0.5, at, BOX, height, kind="step"))
    shapes += [words(BOX / 2, at + 12 + LINE * number, each, anchor="middle") for number, each in enumerate(said)]
    return shapes, at + height


def _lost(lost: Sequence[str], *, y: float, joined: bool) -> list[Shape]:
    height = len(lost) * LINE + 4
    middle = y + height / 2
    shapes = [line(BOX / 2 if joined else BOX, middle, BOX + 20, middle, kind="arrow")]
    shapes.append(box(BOX + 20, y, WIDTH - BOX - 21, height, kind="lost"))
    return shapes + [words(BOX + 26, y + 10.5 + LINE * number, each, kind="quiet") for number, each in enumerate(lost)]
