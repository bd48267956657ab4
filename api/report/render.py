"""Puts the page of a trial together. It needs no script and nothing from elsewhere: a file that can be kept."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.report import tables, weeks, words
from api.report.cohort import draw_cohort
from api.report.flow import draw_flow
from api.report.forest import draw_forest
from api.report.posterior import draw_posterior
from api.report.slopes import draw_slopes
from api.report.svg import Figure
from api.report.timeline import draw_timeline
from api.trials.values import Analysis

FOLDER: Final = Path(__file__).parent
STYLE: Final = "report.css"
MANY: Final = 12  # results that need smaller print to stay on two pages


@dataclass(frozen=True, slots=True)
class Registered:
    """When a plan was registered, and the hash by which anybody can check that it is the same plan."""

    at: datetime
    plan_hash: str


def render(
    analysis: Analysis,
    *,
    registered: Registered,
    now: datetime,
    names: Mapping[str, str] | None = None,
    version: str = "",
) -> str:
    """The report as HTML. Wearers are numbered; `names` says who they are, given only where that is asked for."""
    numbered = enumerate(weeks.wearers_of(analysis.seen), 1)
    who = [(number, names.get(wearer, "")) for number, wearer in numbered] if names else []
    return (
        _environment()
        .get_template("report.html")
        .render(
            analysis=analysis,
            dense=len(analysis.results) > MANY,
            badge=words.badge(analysis.plan, analysis.conclusion, doubts=analysis.doubts),
            style=style(),
            figures=_figures(analysis),
            missing=missing(analysis),
            arms=tables.arms(analysis),
            results=tables.results(analysis),
            ways=tables.ways_told(analysis),
            checks=tables.checks(analysis),
            differences=tables.differences(analysis),
            plan=tables.plan(analysis.plan),
            registered=registered,
            now=now,
            who=who,
            version=version,
        )
    )


def waiting_page(*, title: str, progress: float) -> str:
    """What is shown while a trial is being analysed; it asks again by itself."""
    return _environment().get_template("waiting.html").render(title=title, share=f"{100 * progress:.0f}", style=style())


def style() -> str:
    """The style sheet that stands in the page."""
    return (FOLDER / STYLE).read_text(encoding="utf-8")


def style_hash() -> str:
    """The source that a Content-Security-Policy names to let this one style sheet in."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()}'"


def missing(analysis: Analysis) -> str:
    """How many planned nights had enough data, in a sentence."""
    planned = sum(len(seen.observed) for seen in analysis.seen)
    judged = sum(weeks.judged(item, analysis.plan) for seen in analysis.seen for item in seen.observed)
    what = words.periods(analysis.plan)
    if not planned:
        return f"No planned {what} have ended."
    if analysis.plan.counting == "felt":
        return f"{planned} {what} have ended. Felt cramps are counted in each: one without an entry is one without."
    rest = planned - judged
    said = f"Of {planned} planned {what} {judged} had enough data ({words.percent(judged, planned)})"
    if not rest:
        return f"{said}; none are missing."
    return f"{said}; {rest} {'is' if rest == 1 else 'are'} missing and not counted as zero."


def _figures(analysis: Analysis) -> dict[str, Figure | None]:
    """The drawings by name; None where there is nothing to draw."""
    one = len(weeks.wearers_of(analysis.seen)) == 1
    over_time = (draw_timeline if one else draw_cohort) if any(seen.observed for seen in analysis.seen) else None
    return {
        "time": over_time(analysis) if over_time else None,
        "forest": draw_forest(analysis),
        "slopes": draw_slopes(analysis),
        "posterior": draw_posterior(analysis),
        "flow": draw_flow(analysis),
    }


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["joined"] = words.joined
    return made
