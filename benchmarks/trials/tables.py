"""Tables as the page shows them, and how figures are written in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.trials.judge import Share, Trial, Verdict

ENOUGH: Final = 1000  # trials that a share is judged by


@dataclass(frozen=True, slots=True)
class Made:
    """One table."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """As `results.json` keeps it."""
        return {
            "title": self.title,
            "note": self.note,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
        }


def ratio(value: float) -> str:
    """A rate ratio, or a dash."""
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.2f}"


def percent(share: Share) -> str:
    """A share without its interval."""
    return "–" if not share.of else f"{100 * share.value:.1f} %"


def said(trials: Sequence[Trial], conclusion: str) -> str:
    """How many of them came to a conclusion."""
    return f"{100 * sum(trial.conclusion == conclusion for trial in trials) / len(trials):.0f} %"


def verdict_row(title: str, verdict: Verdict) -> tuple[str, ...]:
    """A line of the main table."""
    null = verdict.truth == 1.0
    return (
        title,
        f"{verdict.truth:g}",
        str(verdict.trials) + ("" if verdict.told == verdict.trials else f" ({verdict.told} told)"),
        str(verdict.coverage),
        str(verdict.rejects) if null else "",
        "" if null else percent(verdict.rejects),
        f"{100 * (math.exp(verdict.bias) - 1):+.1f} %",
        f"{verdict.width:.2f}",
        "too few trials to say" if verdict.trials < ENOUGH else "yes" if verdict.within_goal else "**no**",
    )


VERDICT_COLUMNS: Final = (
    "design", "true ratio", "trials", "interval holds the truth", "false positives", "power", "bias",
    "interval, high / low", "within the goal",
)  # fmt: skip
