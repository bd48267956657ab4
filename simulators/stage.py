"""Puts simulated wearers on stage: registers them over HTTP and holds what was found against the truth.

Speaks to the service only as anyone could: over its API, with the administrator's token.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from types import TracebackType
from typing import Any, Final, Self

import httpx

from simulators.errors import SimulatorError
from simulators.truth import Truth, TruthEvent

NAMES: Final = ("Anna", "Ben", "Chitra", "Dan", "Ema")
HOUR_NS: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Match:
    """One cramp of the truth or of the service, or both: seconds are UTC, errors are found minus true."""

    device: str
    onset_ns: int
    true_s: float | None  # duration
    found_s: float | None
    onset_error_s: float | None
    severity: float | None
    again: bool = False  # a further episode within a cramp that was found already

    @property
    def outcome(self) -> str:
        """found, missed, split or false."""
        if self.true_s is None:
            return "split" if self.again else "false"
        return "missed" if self.found_s is None else "found"


@dataclass(frozen=True, slots=True)
class Found:
    """An episode as the API tells it."""

    onset_ns: int
    end_ns: int
    severity: float


class Api:
    """A client of the HTTP API."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._http.close()

    def wait_ready(self, deadline_s: float) -> None:
        """Wait until the service answers; `SimulatorError` after `deadline_s` seconds."""
        until = time.monotonic() + deadline_s
        while True:
            try:
                if self._http.get("/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    raise SimulatorError(f"no service at {self._http.base_url}: {error}") from error
            if time.monotonic() > until:
                raise SimulatorError(f"the service at {self._http.base_url} does not become ready")
            time.sleep(0.1)

    def register(self, truths: Sequence[Truth]) -> None:
        """Register a wearer for each simulated device, in its zone, from an hour before its first sample."""
        for name, truth in zip(NAMES, truths, strict=False):
            wearer = self._post("/api/v1/wearers", {"name": f"{name} (simulated)", "zone": truth.zone})
            self._post("/api/v1/devices", {"id": truth.device})
            since_ns = min(interval.start_ns for interval in truth.recorded) - HOUR_NS
            body = {
                "device": truth.device,
                "wearer": wearer["id"],
                "side": "left",
                "muscle": truth.sites[0],
                "from": _text(since_ns),
            }
            self._post("/api/v1/assignments", body)

    def sampled_until(self, device: str) -> int:
        """UTC ns of the newest sample that the service has of a device; 0 if none."""
        text = self._get(f"/api/v1/devices/{device}")["last_sample"]
        return 0 if text is None else _ns(text)

    def episodes(self, device: str, *, start_ns: int, end_ns: int) -> list[Found]:
        """Episodes of the wearer of a device."""
        assignments = self._items("/api/v1/assignments", {"device": device})
        found: list[Found] = []
        for wearer in sorted({assignment["wearer"] for assignment in assignments}):
            query = {"from": _text(start_ns), "to": _text(end_ns), "limit": "1000"}
            items = self._items(f"/api/v1/wearers/{wearer}/episodes", query)
            found += [
                Found(_ns(item["onset"]), _ns(item["end"]), item["severity"])
                for item in items
                if item["device"] == device
            ]
        return sorted(found, key=lambda episode: episode.onset_ns)

    def _items(self, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        page = self._get(path, query)
        yield from page["items"]
        while page.get("next"):
            page = self._get(page["next"])
            yield from page["items"]

    def _get(self, path: str, query: dict[str, str] | None = None) -> Any:
        return self._ask("GET", path, params=query)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        try:
            response = self._http.request(method, path, **content)
        except httpx.TransportError as error:
            raise SimulatorError(f"no service at {self._http.base_url}: {error}") from error
        if response.is_error:
            raise SimulatorError(f"{response.request.url.path}: {response.status_code}: {response.text[:300]}")
        return response.json()


def compare(truth: Truth, found: Iterable[Found]) -> list[Match]:
    """Match episodes to true cramps by any overlap, in order of time; each is used once."""
    left = list(found)
    matches = []
    for cramp in truth.cramps:
        episode = next((e for e in left if _overlap(cramp, e)), None)
        if episode is not None:
            left.remove(episode)
        matches.append(_match(truth.device, cramp, episode))
    for e in left:
        again = any(_overlap(cramp, e) for cramp in truth.cramps)
        matches.append(Match(truth.device, e.onset_ns, None, (e.end_ns - e.onset_ns) / 1e9, None, e.severity, again))
    return sorted(matches, key=lambda match: match.onset_ns)


def summary(matches: Sequence[Match]) -> str:
    """One sentence: how many of the true cramps were found, how well, and what was found besides."""
    count = {word: sum(m.outcome == word for m in matches) for word in ("found", "missed", "split", "false")}
    true = count["found"] + count["missed"]
    sentence = f"{count['found']} of {true} cramps found, {count['false']} false, {count['split']} split"
    if count["found"]:
        onset = median(abs(m.onset_error_s) for m in matches if m.onset_error_s is not None)
        length = median(abs(m.found_s - m.true_s) for m in matches if m.found_s is not None and m.true_s is not None)
        sentence += f"; median error of onset {onset:.1f} s, of duration {length:.1f} s"
    return sentence


def wait_for_samples(api: Api, truths: Sequence[Truth], *, deadline_s: float, stopped: Callable[[], bool]) -> bool:
    """Wait until the service has every sample that the devices recorded; false if it takes too long."""
    until = time.monotonic() + deadline_s
    missing = {truth.device: max(interval.end_ns for interval in truth.recorded) for truth in truths}
    while missing and time.monotonic() < until and not stopped():
        missing = {d: end_ns for d, end_ns in missing.items() if api.sampled_until(d) < end_ns - 120_000_000_000}
        if missing:
            time.sleep(0.5)
    return not missing


def _overlap(cramp: TruthEvent, episode: Found) -> bool:
    return episode.onset_ns < cramp.end_ns and cramp.onset_ns < episode.end_ns


def _match(device: str, cramp: TruthEvent, episode: Found | None) -> Match:
    true_s = (cramp.end_ns - cramp.onset_ns) / 1e9
    if episode is None:
        return Match(device, cramp.onset_ns, true_s, None, None, None)
    return Match(
        device=device,
        onset_ns=cramp.onset_ns,
        true_s=true_s,
        found_s=(episode.end_ns - episode.onset_ns) / 1e9,
        onset_error_s=(episode.onset_ns - cramp.onset_ns) / 1e9,
        severity=episode.severity,
    )


def _text(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC).isoformat().replace("+00:00", "Z")


def _ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1000
