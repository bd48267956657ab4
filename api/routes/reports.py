"""`/trials/{trial}/report`: the page of a trial, to be read, printed or kept."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.reading import Sources
from api.registry import wearers
from api.report import Registered, render, style_hash, waiting_page
from api.routes.common import From
from api.routes.trials import TrialId, analyses_of
from api.trials import keeping
from api.trials.jobs import RETRY_AFTER_S
from api.trials.registered import Trial
from api.trials.values import Analysis

router = APIRouter(prefix="/trials", tags=["trials"])
Names = Annotated[bool, Query(description="Name the wearers; without it they are numbered.")]
_POLICY = "default-src 'none'; style-src {style}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


@router.get("/{trial}/report", summary="Report of a trial", response_class=HTMLResponse)
def report(trial: TrialId, request: Request, sources: From, *, names: Names = False) -> HTMLResponse:
    """One page in HTML that prints on A4, from the same analysis as `/analysis`; 202 until it is worked out."""
    with sources.registry.read() as db:
        found = keeping.find(db, trial)
    standing = analyses_of(request).ask(found)
    if standing.analysis is None:
        waiting = waiting_page(title=found.shown_plan.title, progress=standing.progress)
        return _answer(waiting, status=202, headers={"Retry-After": str(RETRY_AFTER_S)})
    named = _names(sources, standing.analysis) if names else None
    page = render(
        standing.analysis,
        registered=registered(found),
        now=datetime.fromtimestamp(sources.now_ns() / 1e9, UTC),
        names=named,
        version=request.app.version,
    )
    return _answer(page)


def registered(trial: Trial) -> Registered:
    """When the plan was first registered, and under which hash."""
    return Registered(datetime.fromtimestamp(trial.registered.at_ns / 1e9, UTC), trial.registered.digest)


def _names(sources: Sources, analysis: Analysis) -> dict[str, str]:
    with sources.registry.read() as db:
        found = wearers.among(db, {seen.phase.wearer for seen in analysis.seen})
    return {wearer.id: wearer.name for wearer in found}


def _answer(page: str, *, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    policy = {"Content-Security-Policy": _POLICY.format(style=style_hash())}
    return HTMLResponse(page, status_code=status, headers={**policy, **(headers or {})})
