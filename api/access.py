"""Closed by default: one admin token, and sessions signed with it so that browsers need not keep the token.

Rules
-----
- Everything needs the token or a session but liveness, readiness, signing in and static files.
- Comparisons take constant time. The token is never logged: `/signin?token=` loses its query on arrival.
- A session is `expiry.nonce.signature`; another token, or its end, makes it worthless.
- A session counts for changes only if the browser says that the page itself asked.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.errors import Invalid

COOKIE: Final = "charley_session"
SESSION_S: Final = 30 * 86_400
MIN_TOKEN: Final = 16


def load_or_create_token(path: Path) -> str:
    """The admin token in this file; made at random, readable by its owner only, if there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = path.read_text(encoding="utf-8").strip()
        if len(token) < MIN_TOKEN:
            raise Invalid(
                "admin_token",
                f"{path} holds no token of at least {MIN_TOKEN} characters. Delete the file: a new one is made.",
            ) from None
        path.chmod(0o600)
        return token
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token


@dataclass(frozen=True, slots=True, repr=False)
class Doorkeeper:
    """Knows the admin token; tells who may come in."""

    admin_token: str

    def __post_init__(self) -> None:
        if len(self.admin_token) < MIN_TOKEN or not self.admin_token.isascii():
            raise Invalid("admin_token", f"The admin token needs {MIN_TOKEN} or more ASCII characters.")

    def knows_token(self, token: str) -> bool:
        """Whether this is the admin token."""
        return hmac.compare_digest(token.encode(), self.admin_token.encode())

    def new_session(self, *, now_s: int) -> str:
        """A session value for a cookie."""
        claim = f"{now_s + SESSION_S}.{secrets.token_hex(8)}"
        return f"{claim}.{self._signature(claim)}"

    def knows_session(self, value: str, *, now_s: int) -> bool:
        """Whether this session was given out here and has not ended."""
        claim, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(claim).encode()):
            return False
        return now_s < int(claim.partition(".")[0])

    def _signature(self, claim: str) -> str:
        key = hmac.digest(self.admin_token.encode(), b"charley session 1", hashlib.sha256)
        return hmac.digest(key, claim.encode(), hashlib.sha256).hex()
