"""Who was registered, allocated, analysed, and who was lost on the way: boxes from top to bottom (after CONSORT)."""

from collections.abc import Sequence
from typing import Final

from api.report.svg import Figure, Shape, box, drawing, line, shape, words, wrapped
from api.trials.values import Analysis, FlowStep

WIDTH: Final = 340.0
BOX: Final = 178.0
LINE: Final = 11.5
GAP: Final = 12.0


def draw_flow(analysis: Analysis) -> Figure | None:
    """A box for each step, and beside the way to it those lost before; None without steps."""
    if not analysis.flow:
        return None
    shapes: list[Shape] = []
    y = 1.0
    for number, step in enumerate(analysis.flow):
        drawn, y = _step(step, top=y, first=number == 0)
        shapes += drawn
    described = "; ".join(_spoken(step) for step in analysis.flow)
    svg = drawing(name="flow", size=(WIDTH, y + 1), title="Who took part", described=f"{described}.", shapes=shapes)
    return Figure(svg, "Who took part, and who was lost before each step.", "flow")


def _spoken(step: FlowStep) -> str:
    lost = ", ".join(f"{number} lost before: {reason}" for reason, number in step.lost)
    return f"{step.label}: {step.wearers}" + (f" ({lost})" if lost else "")


def _step(step: FlowStep, *, top: float, first: bool) -> tuple[list[Shape], float]:
    said = wrapped(f"{step.label}: n\u00a0=\u00a0{step.wearers}", BOX - 12)
    lost = [each for reason, number in step.lost for each in wrapped(f"{number}: {reason}", WIDTH - BOX - 34)]
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
