"""A registry in PostgreSQL whose server is slow, silent or gone."""

import gc
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgresql import PostgreSQL
from registry_world import add, new_postgresql

from api.errors import Invalid, RegistryUnavailable
from api.registry import open_registry, wearers
from api.registry.copy import restore_registry, snapshot_registry

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(postgresql: str) -> Iterator[str]:
    with new_postgresql(postgresql) as made:
        yield made


def test_a_late_answer_is_not_taken_for_the_next(url: str) -> None:
    with closing(open_registry(url, busy_s=1)) as registry:
        for taking in (registry.read, registry.write):
            with pytest.raises(RegistryUnavailable, match="does not answer"), taking() as db:
                db.execute(sa.text("SELECT 1 FROM pg_sleep(1.5)"))
            for number in range(2, 5):
                with registry.read() as db:
                    assert db.execute(sa.text(f"SELECT {number}")).scalar() == number


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://charley@127.0.0.1:{silent.getsockname()[1]}/charley"
        with pytest.raises(RegistryUnavailable, match="does not answer"):
            open_registry(url, busy_s=0.2)


@pytest.mark.usefixtures("postgresql")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the driver's, of a connection cut off
def test_a_server_that_was_gone_is_used_again(caplog: pytest.LogCaptureFixture) -> None:
    with closing(PostgreSQL()) as server, closing(open_registry(server.url, busy_s=5)) as registry:
        wearer = add(registry)
        server.kill()
        with pytest.raises(RegistryUnavailable, match="does not answer"):
            registry.check()
        server.start()
        with registry.read() as db:
            assert wearers.find(db, wearer.id) == wearer
    gc.collect()
    assert not caplog.records, "a traceback for each connection that was cut off"


def test_a_copy_goes_from_postgresql_to_sqlite_and_back(url: str, postgresql: str, tmp_path: Path) -> None:
    with closing(open_registry(url)) as registry:
        wearer = add(registry, "Zoë")
    file = f"sqlite:///{tmp_path / 'registry.sqlite'}"
    with new_postgresql(postgresql) as other:
        for source, target, name in ((url, file, "first"), (file, other, "second")):
            snapshot_registry(source, tmp_path / name)
            assert restore_registry(target, tmp_path / name)["wearers"] == 1
            with closing(open_registry(target)) as registry, registry.read() as db:
                assert wearers.find(db, wearer.id) == wearer
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("url", ["postgresql", "postgresql://charley:hunter2@db:no/charley"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(Invalid, match="The registry's URL cannot be read") as told:
        open_registry(url)
    assert "hunter2" not in str(told.value)
