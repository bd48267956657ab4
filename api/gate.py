"""What every request passes on its way in and out, from the outside: counting, headers, the door, revalidation."""

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders

from api import problems
from api.access import COOKIE, Doorkeeper
from api.errors import SignInRequired

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
API: Final = "/api/"
OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/signin"})
OPEN_FOLDER: Final = "/static/"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_TOKEN: Final = "charley.sign_in_token"  # noqa: S105 - the name of a place, not a token
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
}
_CLOSED: Final = (
    "Sign in, or send the admin token as `Authorization: Bearer <token>`. It is in the file `admin-token` of the "
    "data folder."
)
_FOREIGN: Final = "Another site asked for this change in your name. Repeat it from this service's own page."


class Headed:
    """Sets the security headers, and takes the token out of the address before anything can log it."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/signin":
            asked = parse_qs(scope["query_string"].decode("latin-1"))
            scope[SIGN_IN_TOKEN] = asked.get("token", [None])[-1]
            scope["query_string"] = b""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        return await self.app(scope, receive, headed)


class Counted:
    """Counts requests by route and status, never by person or device, and answers what nothing else caught."""

    def __init__(self, app: App, *, metrics: CollectorRegistry) -> None:
        self.app = app
        self.requests = Counter(
            "charley_api_requests", "Requests answered.", ["method", "route", "status"], registry=metrics
        )
        self.seconds = Histogram(
            "charley_api_request_seconds", "Time to answer a request.", ["route"], registry=metrics
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, counted)
        except Exception as error:
            _log.exception("a request failed")
            if status:
                raise
            await problems.of_error(error)(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in {*SAFE_METHODS, *_CHANGES} else "other"
            self.requests.labels(method, route, status).inc()
            self.seconds.labels(route).observe(time.perf_counter() - began)


_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in who has the token or a session; sends browsers to the sign-in page."""

    app: App
    doorkeeper: Doorkeeper
    now_ns: Callable[[], int]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_FOLDER):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.doorkeeper.knows_token(token.strip()):
            return await self.app(scope, receive, send)
        reason = _CLOSED
        if self.doorkeeper.knows_session(_session(headers), now_s=self.now_ns() // 10**9):
            if scope["method"] in SAFE_METHODS or _same_origin(headers):
                return await self.app(scope, receive, send)
            reason = _FOREIGN
        if "text/html" in headers.get("accept", "") and not scope["path"].startswith(API):
            scope = {**scope, "path": "/signin", "raw_path": b"/signin", "method": "GET", "query_string": b""}
            return await self.app(scope, receive, send)
        return await problems.of_error(SignInRequired(reason))(scope, receive, send)


class Revalidated:
    """Gives answers of the API a weak ETag, and says 304 to who has them already."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(API):
            return await self.app(scope, receive, send)
        start: Message = {}
        body = bytearray()

        async def held(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            content = bytes(body)
            if start["status"] == 200:
                content = _revalidate(start, content, Headers(scope=scope).get("if-none-match", ""))
            await send(start)
            await send({"type": "http.response.body", "body": content})

        return await self.app(scope, receive, held)


def _revalidate(start: Message, content: bytes, known: str) -> bytes:
    """Tag a response; where the tag is among the known ones turn it into an empty 304."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = MutableHeaders(scope=start)
    headers["ETag"] = f"W/{tag}"
    candidates = {part.strip().removeprefix("W/") for part in known.split(",")}
    if tag not in candidates and "*" not in candidates:
        return content
    start["status"] = 304
    del headers["content-length"]
    del headers["content-type"]
    return b""


def _session(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return headers.get("sec-fetch-site") == "same-origin"
