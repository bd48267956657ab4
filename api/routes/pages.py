"""`/`, `/signin`, `/signout`: the page and its door."""

from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.access import COOKIE, SESSION_S, Doorkeeper
from api.errors import Invalid
from api.gate import SIGN_IN_TOKEN
from api.reading import Sources

WEB: Final = Path(__file__).parents[1] / "web"
MAX_FORM_BYTES: Final = 4096
_WRONG: Final = "That is not the token of this service."
router = APIRouter(include_in_schema=False)


def page_templates() -> Environment:
    """Templates of the pages, escaped by default."""
    return Environment(
        loader=FileSystemLoader(WEB / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
    )


@router.get("/")
def home(request: Request) -> Response:
    """The page; it reads everything else from the API."""
    return _page(request, "home.html")


@router.get("/signin")
def sign_in_page(request: Request) -> Response:
    """Sign in with the token of the address, or ask for one."""
    token = request.scope.get(SIGN_IN_TOKEN)
    if token is None:
        return _page(request, "signin.html", status=401, fault="")
    return _sign_in(request, str(token))


@router.post("/signin")
async def sign_in(request: Request) -> Response:
    """Sign in with the token of the form."""
    body = bytearray()
    async for part in request.stream():
        body.extend(part)
        if len(body) > MAX_FORM_BYTES:
            raise Invalid("token", "That is far too long for a token.")
    return _sign_in(request, parse_qs(body.decode("latin-1")).get("token", [""])[-1].strip())


@router.post("/signout")
def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    response = RedirectResponse("/signin", status_code=303)
    response.delete_cookie(COOKIE, path="/", secure=_is_https(request), httponly=True, samesite="strict")
    return response


def _sign_in(request: Request, token: str) -> Response:
    doorkeeper = cast("Doorkeeper", request.app.state.doorkeeper)
    if not doorkeeper.knows_token(token):
        return _page(request, "signin.html", status=401, fault=_WRONG)
    now_s = cast("Sources", request.app.state.sources).now_ns() // 10**9
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        doorkeeper.new_session(now_s=now_s),
        max_age=SESSION_S,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="strict",
    )
    return response


def _page(request: Request, name: str, *, status: int = 200, **values: str) -> Response:
    templates = cast("Environment", request.app.state.templates)
    html = templates.get_template(name).render(version=request.app.version, **values)
    return HTMLResponse(html, status_code=status)


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"
