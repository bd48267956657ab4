"""Drawings as trees of SVG elements: text is escaped by the tree, and nothing in them needs a script or a style."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET  # writes only; nothing is parsed

Shape = ET.Element
EM: Final = 5.3  # mean width of a letter at the size that drawings use, in units of the drawing
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_RATIOS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as text, and what is said under it."""

    svg: str
    caption: str
    name: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value lies on an axis; what lies beyond is drawn at its end."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Place of a value, within the axis."""
        low, high, inside = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, inside = math.log(low), math.log(high), math.log(inside)
        return self.start + (inside - low) / (high - low) * (self.end - self.start)


def shape(tag: str, /, *inside: Shape | str, **attributes: str | float | None) -> Shape:
    """An element; `class_` and `stroke_width` stand for class and stroke-width, None for no attribute."""
    made = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(
                name.rstrip("_").replace("_", "-"),
                value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip("."),
            )
    for child in inside:
        if isinstance(child, str):
            made.text = (made.text or "") + child
        else:
            made.append(child)
    return made


def words(x: float, y: float, said: str, *, anchor: str = "start", kind: str | None = None) -> Shape:
    """A line of text."""
    return shape("text", said, x=x, y=y, text_anchor=None if anchor == "start" else anchor, class_=kind)


def line(x1: float, y1: float, x2: float, y2: float, *, kind: str) -> Shape:
    """A straight line."""
    return shape("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def box(x: float, y: float, width: float, height: float, *, kind: str, fill: str | None = None) -> Shape:
    """A rectangle."""
    return shape("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=kind, fill=fill)


def hatching(name: str) -> Shape:
    """Hatching for what is missing, so that it needs no colour."""
    strokes = shape("path", d="M-1 6L6 -1M-1 1L1 -1M4 6L6 4", class_="hatching")
    pattern = shape("pattern", strokes, id=name, width=5.0, height=5.0, patternUnits="userSpaceOnUse")
    return shape("defs", pattern)


def drawing(*, name: str, size: tuple[float, float], title: str, described: str, shapes: Iterable[Shape]) -> str:
    """The whole drawing, with the title and description that a screen reader speaks."""
    width, height = size
    root = shape(
        "svg",
        shape("title", title, id=f"{name}-title"),
        shape("desc", described, id=f"{name}-desc"),
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )
    root.extend(shapes)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def round_ticks(high: float, *, low: float = 0.0, about: int = 4) -> list[float]:
    """Round numbers from below the lowest to above the highest."""
    reach = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(reach / about))
    step = next(nice * power for nice in _NICE if nice * power * about >= reach * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * number, 10) for number in range(first, max(last, first + 1) + 1)]


def ratio_ticks(low: float, high: float) -> list[float]:
    """Usual ratios that hold a range between the first and the last."""
    below = [ratio for ratio in _RATIOS if ratio <= low] or [_RATIOS[0]]
    above = [ratio for ratio in _RATIOS if ratio >= high] or [_RATIOS[-1]]
    return [ratio for ratio in _RATIOS if below[-1] <= ratio <= above[0]]


def shortened(said: str, width: float) -> str:
    """A text that fits a width, cut where it does not."""
    letters = max(int(width / EM), 1)
    return said if len(said) <= letters else said[: letters - 1].rstrip() + "…"


def wrapped(said: str, width: float) -> Sequence[str]:
    """Lines of a text that fit a width."""
    lines = [""]
    for word in said.split():
        joined = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(joined) * EM > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return [shortened(each, width) for each in lines]
