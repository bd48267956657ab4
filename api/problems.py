"""Every error as RFC 9457 `application/problem+json`: a stable type, a title, and a sentence that helps."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import faults
from api.errors import (
    Absent,
    ApiError,
    Conflict,
    Invalid,
    RegistryDamaged,
    RegistryUnavailable,
    SignInRequired,
    Unknown,
)
from ingest.store import StoreDamaged, StoreError, StoreUnavailable

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:charley:problem:"
RETRY_AFTER_S: Final = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: `name` ends its type URI and never changes."""

    name: str
    status: int
    title: str


SIGN_IN: Final = Problem("sign-in-required", 401, "Sign in first")
NOT_FOUND: Final = Problem("not-found", 404, "There is no such thing")
METHOD: Final = Problem("method-not-allowed", 405, "This cannot be done here")
CONFLICT: Final = Problem("conflict", 409, "This contradicts what is registered")
INVALID: Final = Problem("invalid-request", 422, "A value cannot be accepted")
HTTP: Final = Problem("http", 400, "The request cannot be understood")
INTERNAL: Final = Problem("internal", 500, "Something is broken here")
REGISTRY: Final = Problem("registry-unavailable", 503, "The registry does not answer")
REGISTRY_DAMAGED: Final = Problem("registry-damaged", 503, "The registry is damaged")
STORE: Final = Problem("store-unavailable", 503, "The store does not answer")
STORE_DAMAGED: Final = Problem("store-damaged", 503, "The store is damaged")
STORE_REFUSED: Final = Problem("store-refused", 502, "The store refused the question")
PROBLEMS: Final = (
    SIGN_IN, NOT_FOUND, METHOD, CONFLICT, INVALID, HTTP, INTERNAL, REGISTRY, REGISTRY_DAMAGED, STORE, STORE_DAMAGED,
    STORE_REFUSED,
)  # fmt: skip
_NO_SUCH_THING: Final = (
    "There is nothing at this address, or nothing that you may see. Check the id; lists show what there is."
)
_ABSENT: Final = (
    "There is no {what} of the id in `{what}`, or none that you may see. Check it; GET /api/v1/{what}s lists all."
)
_WRONG_METHOD: Final = "The address is right, the method is not: the Allow header names those that work."
_BROKEN: Final = "The request was in order; the fault is ours and is in the log. Trying again may help."
_STORE_DOWN: Final = "Measurements cannot be read now; nothing is lost. Try again in a few seconds."
_STORE_DAMAGED: Final = (
    "Measurements cannot be read: the store is damaged, and trying again will not help. Tell who runs the service: "
    'docs/operations.md, "When a file is damaged", says what to do.'
)
_REGISTRY_DOWN: Final = "Wearers and devices cannot be read now; nothing is lost. Try again in a few seconds."
_REGISTRY_DAMAGED: Final = (
    "Wearers and devices cannot be read: the registry is damaged, and trying again will not help. Tell who runs the "
    'service: docs/operations.md, "When a file is damaged", says what to do.'
)
_STORE_REFUSED: Final = "The store cannot answer this question as it is; the log says why."
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [TYPE_PREFIX + problem.name for problem in PROBLEMS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it, in a sentence."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "detail"],
                "properties": {"where": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def response(
    problem: Problem,
    detail: str,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """One problem as an HTTP response."""
    code = status or problem.status
    title = HTTPStatus(code).phrase if problem is HTTP else problem.title
    content: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.name,
        "title": title,
        "status": code,
        "detail": detail,
    }
    if errors:
        content["errors"] = errors
    return Response(json.dumps(content), status_code=code, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def of_error(error: Exception) -> Response:
    """The response to an error of ours or of the store's."""
    sentence, headers = str(error), {"Retry-After": str(RETRY_AFTER_S)}
    match error:
        case Invalid():
            return response(INVALID, sentence, errors=[{"where": error.name, "detail": sentence}])
        case Conflict():
            return response(CONFLICT, sentence)
        case SignInRequired():
            found, headers = SIGN_IN, {"WWW-Authenticate": 'Bearer realm="charley"'}
        case Absent():
            told = _ABSENT.format(what=sentence)
            return response(NOT_FOUND, told, errors=[{"where": sentence, "detail": told}])
        case Unknown():
            found, sentence, headers = NOT_FOUND, _NO_SUCH_THING, {}
        case RegistryDamaged():
            _log.error("%s", error)
            found, sentence, headers = REGISTRY_DAMAGED, _REGISTRY_DAMAGED, {}
        case RegistryUnavailable():
            found, sentence = REGISTRY, _REGISTRY_DOWN
        case StoreDamaged():
            found, sentence, headers = STORE_DAMAGED, _STORE_DAMAGED, {}
        case StoreUnavailable():
            found, sentence = STORE, _STORE_DOWN
        case StoreError():
            _log.error("the store refused a question: %s", error)
            found, sentence, headers = STORE_REFUSED, _STORE_REFUSED, {}
        case _:
            found, sentence, headers = INTERNAL, _BROKEN, {}
    return response(found, sentence, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""
    app.add_exception_handler(ApiError, _on_known)
    app.add_exception_handler(StoreError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_known(request: Request, error: Exception) -> Response:
    if isinstance(error, StoreDamaged):
        request.app.state.sources.damage.note(error)
    return of_error(error)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    errors: list[dict[str, str]] = []
    if isinstance(error, RequestValidationError):
        errors = [faults.told(fault, body=error.body) for fault in error.errors()]
    listed = "; ".join(f"{fault['where']}: {fault['detail']}" for fault in errors)
    return response(INVALID, f"Correct these and send the request again. {listed}.", errors=errors)


async def _on_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return response(INTERNAL, _BROKEN)
    if error.status_code == NOT_FOUND.status:
        return response(NOT_FOUND, _NO_SUCH_THING)
    if error.status_code == METHOD.status:
        return response(METHOD, _WRONG_METHOD, headers=error.headers)
    detail = str(error.detail).rstrip(".") + ": check the request against the documentation of this address."
    return response(HTTP, detail, status=error.status_code, headers=error.headers)
