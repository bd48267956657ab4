"""Fixtures with real servers and with the API, and a loud report of the tests left out for want of a server.

A test that uses `mosquitto`, `influxdb` (or `own_influxdb`), `chromium`, `compiler` or a registry in PostgreSQL carries
the marker of that name.
Where the program is missing the test is skipped and listed at the end; with CHARLEY_REQUIRE_SERVERS=1 it fails instead.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import servers
from hypothesis import settings

if TYPE_CHECKING:
    import httpx
    from api_world import World

    from api.registry import Registry

NEEDS: Final = {
    "mosquitto": ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_passwd"),
    "influxdb": ("influxd", "nginx"),
    "chromium": ("chromium|chromium-browser|google-chrome",),
    "compiler": ("cc|gcc|clang",),
    "postgresql": ("initdb", "postgres"),
}
INSTALL: Final = {
    "mosquitto": "apt-get install mosquitto mosquitto-clients",
    "influxdb": "apt-get install influxdb nginx-light, or, for most tests, name a server in CHARLEY_TEST_INFLUXDB_URL"
    " (_TOKEN, _ORG, _BUCKET)",
    "chromium": "apt-get install chromium",
    "compiler": "apt-get install gcc libc6-dev",
    "postgresql": "apt-get install postgresql, or name a server on which databases may be made in"
    " CHARLEY_TEST_POSTGRES_URL",
}
LEFT_OUT: Final = "real server missing: "

# The machine may be busy: how long one example takes says nothing about it being right.
settings.register_profile("charley", deadline=None, print_blob=True)
settings.load_profile("charley")


@dataclass(frozen=True, slots=True)
class NamedInfluxDB:
    """An InfluxDB that somebody else runs."""

    url: str
    token: str
    org: str
    bucket: str


def _require(name: str) -> None:
    """Skip, or fail where servers are required, when a program behind fixture `name` is not installed."""
    needed = ("influxd",) if name == "influxdb" and servers.installed_version().startswith("2.") else NEEDS[name]
    missing = [programs for programs in needed if servers.find(*programs.split("|")) is None]
    if not missing:
        return
    reason = f"{LEFT_OUT}{name} ({', '.join(missing)} not found; {INSTALL[name]})"
    if os.environ.get("CHARLEY_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Mosquitto]:
    """A real broker, new for each file, for what one retains would reach the next; who stops it starts it again."""
    _require("mosquitto")
    with servers.Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture(scope="session")
def own_influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.InfluxDB]:
    """A real InfluxDB that we started, for a test that makes databases in it."""
    _require("influxdb")
    with servers.open_influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(scope="session")
def influxdb(request: pytest.FixtureRequest) -> servers.InfluxDB | NamedInfluxDB:
    """A real InfluxDB with an empty database, or the one that CHARLEY_TEST_INFLUXDB_URL names.

    All tests share it: write under device names of your own.
    """
    url = os.environ.get("CHARLEY_TEST_INFLUXDB_URL")
    if not url:
        ours: servers.InfluxDB = request.getfixturevalue("own_influxdb")
        return ours
    return NamedInfluxDB(
        url=url,
        token=os.environ.get("CHARLEY_TEST_INFLUXDB_TOKEN", ""),
        org=os.environ.get("CHARLEY_TEST_INFLUXDB_ORG", "charley"),
        bucket=os.environ.get("CHARLEY_TEST_INFLUXDB_BUCKET", "charley"),
    )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    _require("chromium")
    return str(servers.find(*NEEDS["chromium"][0].split("|")))


@pytest.fixture(scope="session")
def compiler() -> str:
    """Path of a C compiler."""
    _require("compiler")
    return str(servers.find(*NEEDS["compiler"][0].split("|")))


@pytest.fixture
def world(tmp_path: Path) -> "Iterator[World]":
    """The API over an empty registry and an empty store in memory; a file that wants another world overrides this."""
    from api_world import World  # noqa: PLC0415 - takes seconds, and most tests need no API

    with closing(World(tmp_path)) as made:
        yield made


@pytest.fixture
def http(world: "World") -> "Iterator[httpx.Client]":
    """A client that is signed in to the API of `world`."""
    with world.client() as client:
        yield client


@pytest.fixture
def ada(http: "httpx.Client") -> str:
    """The id of a wearer, whose device is `leg`."""
    from api_world import add_wearer, assign  # noqa: PLC0415 - as above

    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    return wearer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a real PostgreSQL, or of the one that CHARLEY_TEST_POSTGRES_URL names."""
    if url := os.environ.get("CHARLEY_TEST_POSTGRES_URL"):
        yield url
        return
    _require("postgresql")
    from postgresql import PostgreSQL  # noqa: PLC0415 - few tests need it

    with closing(PostgreSQL()) as server:
        yield server.url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def registry_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database for a registry, in SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'registry.sqlite'}"
        return
    from registry_world import new_postgresql  # noqa: PLC0415 - as above

    with new_postgresql(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def registry(registry_url: str) -> "Iterator[Registry]":
    """An empty registry in each kind of database."""
    from api.registry import open_registry  # noqa: PLC0415 - as above

    with closing(open_registry(registry_url)) as opened:
        yield opened


@pytest.hookimpl(tryfirst=True)  # before -m chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in NEEDS:
            if {name, f"own_{name}"} & set(getattr(item, "fixturenames", ())):
                item.add_marker(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if LEFT_OUT in reason:
            left_out.setdefault(reason.split(LEFT_OUT, 1)[1], []).append(report.nodeid)
    if not left_out:
        return
    terminalreporter.section("TESTS AGAINST REAL SERVERS WERE LEFT OUT", sep="!", red=True, bold=True)
    for server, tests in left_out.items():
        terminalreporter.line(f"{len(tests)} test(s) for want of {server}", red=True)
        for test in tests:
            terminalreporter.line(f"    {test}")
