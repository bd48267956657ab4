"""Somebody who uses the API all the while: what it has confirmed must be there afterwards, once."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

PAUSE_S: Final = 0.1
TIMEOUT_S: Final = 5.0


class Visitor:
    """Registers wearers and reads their list until the block ends."""

    def __init__(self, url: str, token: Path) -> None:
        self.confirmed: list[str] = []
        self.refused = 0  # no connection, or an answer that says so
        self.answered = 0
        self.wrong: list[str] = []
        self._tried = 0
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token.read_text().strip()}"}, timeout=TIMEOUT_S
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visitor", daemon=True)
        self._thread.start()

    def missing(self) -> list[str]:
        """Confirmed and not there, or there more than once."""
        names = [wearer["name"] for wearer in self._all()]
        return [name for name in self.confirmed if names.count(name) != 1]

    def _all(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        url: str | None = "/api/v1/wearers?limit=100"
        while url:
            page = self._client.get(url).raise_for_status().json()
            found += page["items"]
            url = page.get("next")
        return found

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_S):
            self._tried += 1
            name = f"visitor-{self._tried}"
            try:
                answer = self._client.post("/api/v1/wearers", json={"name": name, "zone": "Europe/Berlin"})
                read = self._client.get("/api/v1/wearers", params={"limit": 1})
            except httpx.TransportError:
                self.refused += 1
                continue
            self.answered += 1
            if answer.status_code == httpx.codes.CREATED:
                self.confirmed.append(name)
            for one in (answer, read):
                if not one.is_success and one.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    self.wrong.append(f"{one.request.method} {one.request.url.path}: {one.status_code} {one.text:.200}")

    def stop(self) -> None:
        """Ask for no more."""
        self._ended.set()
        self._thread.join(2 * TIMEOUT_S + PAUSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._client.close()
