"""`/livez`, `/readyz`, `/metrics`: for those who run the service."""

from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api import health
from api.routes.common import From
from api.schemas import Alive, PartOut, Readiness

router = APIRouter(tags=["running it"])


@router.get("/livez", summary="Is the process alive?")
def livez() -> Alive:
    """The process answers; says nothing of the parts it needs."""
    return Alive()


@router.get("/readyz", summary="Can it do its work?", responses={503: {"model": Readiness}})
def readyz(request: Request, response: Response, sources: From) -> Readiness:
    """Registry, store, disk, ingester and results, each with a sentence; 503 while one is unavailable."""
    parts = health.parts(sources, data_dir=cast("Path", request.app.state.data_dir))
    state = health.overall(parts)
    response.status_code = 503 if state == "unavailable" else 200
    found = {name: PartOut(state=part.state, sentence=part.sentence) for name, part in parts.items()}
    return Readiness(ready=state != "unavailable", state=state, parts=found)


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Prometheus text format."""
    figures = generate_latest(cast("CollectorRegistry", request.app.state.metrics))
    return Response(figures, headers={"Content-Type": CONTENT_TYPE_LATEST})
