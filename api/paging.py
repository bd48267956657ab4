"""Lists in pages: opaque cursors that only fit the question they came from, and the link to the next page."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response

from api.errors import Invalid

MAX_LIMIT: Final = 1000
USUAL_LIMIT: Final = 100
Key = tuple[int | str, ...]
_NOT_THE_QUESTION: Final = ("cursor", "limit")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the item with this key. `as_of_ns` is when the first page was read."""

    key: Key
    as_of_ns: int


def read_cursor(request: Request, cursor: str | None, *, shape: tuple[type, ...]) -> Place | None:
    """The place that a cursor stands for, if it was given out for this very question."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        question, as_of_ns, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        question, as_of_ns, key = "", 0, []
    fits = len(key) == len(shape) and all(type(part) is kind for part, kind in zip(key, shape, strict=True))
    if not fits or type(as_of_ns) is not int or question != _question(request):
        raise Invalid(
            "cursor",
            "This cursor does not belong to this question. Follow the `next` link as it was given, "
            "or leave the cursor out to begin anew.",
        )
    return Place(tuple(key), as_of_ns)


def next_page(request: Request, response: Response, place: Place | None) -> str | None:
    """The address of the next page, also put into the Link header; None on the last page."""
    if place is None:
        return None
    content = json.dumps([_question(request), place.as_of_ns, *place.key], separators=(",", ":"))
    cursor = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    address = f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"
    response.headers["Link"] = f'<{address}>; rel="next"'
    return address


def _question(request: Request) -> str:
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _NOT_THE_QUESTION)
    return hashlib.sha256(repr((request.url.path, asked)).encode()).hexdigest()[:12]
