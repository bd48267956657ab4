"""A registry on a server: whether something answers there. What is in it only the API knows."""

import socket
from typing import Final

from ingest.doctor.check import Check, fail, ok
from ingest.keeping import RegistryTools

PATIENCE_S: Final = 5.0
_NAME: Final = "registry.server"
_MEND: Final = (
    "start PostgreSQL, or correct CHARLEY_REGISTRY_URL: without it the API is not ready, and nobody sees results"
)


def check_server(url: str, tools: RegistryTools) -> Check:
    """Knock at the server that a URL names; its password is not told."""
    try:
        host, port = tools.server(url)
    except ValueError:
        return fail(_NAME, "CHARLEY_REGISTRY_URL cannot be read", _MEND)
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        return fail(_NAME, f"nothing answers at {host}:{port}: {error.strerror or error}", _MEND)
    return ok(_NAME, f"{host}:{port} takes connections")
