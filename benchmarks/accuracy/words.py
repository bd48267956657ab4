"""Figures as text, and tables as Markdown."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from benchmarks.accuracy.intervals import Estimate
from benchmarks.accuracy.tally import Spread

WIDTH: Final = 118


def number(value: float, digits: int = 2) -> str:
    """A figure, or a dash for none."""
    return "–" if not np.isfinite(value) else f"{value:.{digits}f}"


def between(one: Estimate, digits: int = 2, unit: str = "") -> str:
    """A figure with its interval."""
    if not np.isfinite(one.value):
        return "–"
    return f"{one.value:.{digits}f}{unit} ({number(one.low, digits)}–{number(one.high, digits)})"


def percent(one: Estimate) -> str:
    """A share with its interval, in per cent."""
    if not np.isfinite(one.value):
        return "–"
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f}–{100 * one.high:.0f})"


def spread(one: Spread, digits: int = 1) -> str:
    """Median and quartiles."""
    if not np.isfinite(one.median):
        return "–"
    return f"{one.median:+.{digits}f} [{one.low:+.{digits}f}, {one.high:+.{digits}f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def wrap(page: str) -> str:
    """Paragraphs and list items filled to one width; tables, headings and pictures as they are."""
    blocks = []
    for block in re.split(r"\n{2,}", page.strip()):
        if block.startswith(("|", "#", "![")):
            blocks.append(block)
            continue
        items = re.split(r"\n(?=- )", block)
        blocks.append("\n".join(_fill(item, "  " if item.startswith("- ") else "") for item in items))
    return "\n\n".join(blocks) + "\n"


def _fill(text: str, indent: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
