"""`charley demo` as a person runs it: three wearers on the page, and nothing left behind however it ends."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx
import pytest
import servers
from charley_run import charley, command, descendants, environment, processes

from charley import main
from ingest.store.sqlite import SqliteStore

EVER: Final = {"start_ns": 0, "end_ns": 2**62}
WEARERS: Final = ("sim-frequent", "sim-improving", "sim-rare")
START_S: Final = 60.0
CATCH_UP_S: Final = 120.0
END_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs: its process and where it prints."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str
    printed: Path

    def text(self) -> str:
        return self.printed.read_text(errors="replace")

    def wait_for(self, words: str, *, timeout_s: float) -> None:
        def said() -> bool:
            assert self.process.poll() is None, self.text()
            return words in self.text()

        servers.wait_for(said, timeout_s=timeout_s, what=f"{words!r} in {self.text()[-500:]!r}")

    def wait_for_live(self) -> None:
        """Until a sample from now or later has come in of every device."""
        since_s = time.time()
        token = (self.folder / "admin-token").read_text().strip()
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0) as client:

            def come() -> bool:
                assert self.process.poll() is None, self.text()
                devices = client.get("/api/v1/devices").json()["items"]
                last = [device["last_sample"] for device in devices]
                return all(at and datetime.fromisoformat(at).timestamp() >= since_s for at in last)

            servers.wait_for(come, timeout_s=START_S, what="samples of every device")

    def family(self) -> set[int]:
        """The process and all that came from it: broker, ingester, API."""
        return {self.process.pid, *descendants(self.process.pid)}

    def ports(self) -> list[int]:
        """Of the page and of the broker's two listeners."""
        return [int(self.url.rpartition(":")[2]), *map(int, re.findall(r"at (?:127\.0\.0\.1:)?(\d{5})\b", self.text()))]


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """One night of the demo, signed up and sending; whatever is left at the end of the block is killed."""
    port = servers.free_port()
    printed = folder / "printed"
    with printed.open("wb") as file:
        process = subprocess.Popen(
            command("demo", "--data-dir", folder / "demo", "--port", port, "--nights", 1, "--seed", 14),
            env=environment({}), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    running = Demo(process, folder / "demo", f"http://127.0.0.1:{port}", printed)
    known: set[int] = set()
    try:
        running.wait_for("Open http", timeout_s=START_S)
        known = running.family()
        yield running
    finally:
        for pid in processes(known | running.family()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def gone(family: set[int], ports: list[int]) -> bool:
    return not processes(family) and not any(servers.accepts(port) for port in ports)


def test_three_wearers_a_night_and_no_process_left(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        assert len(running.family()) >= 4  # itself, broker, ingester, API
        ports = running.ports()
        assert len(ports) == 3
        assert all(servers.accepts(port) for port in ports)
        running.wait_for("Now live", timeout_s=CATCH_UP_S)
        found = {device: int(found) for device, found, all_ in re.findall(COUNT, running.text()) if found == all_}
        assert set(found) == set(WEARERS), running.text()
        assert sum(found.values()) >= 2
        look_around(running)
        running.wait_for_live()
        family = running.family()
        os.killpg(running.process.pid, signal.SIGINT)  # as the terminal does
        assert running.process.wait(END_S) == 0, running.text()
        servers.wait_for(lambda: gone(family, ports), timeout_s=END_S, what=f"end of {family}")
        assert "Traceback" not in running.text()
        for role in ("ingest", "api"):
            log = (running.folder / f"{role}.log").read_text()
            assert not re.search("Traceback|Fatal Python error", log), log


COUNT: Final = r"(sim-\w+): (\d+) of (\d+) cramps found"


def look_around(running: Demo) -> None:
    """The page behind the link, the API, and the comparison as a command."""
    (link,) = re.findall(r"Open (\S+)", running.text())
    with httpx.Client(base_url=running.url, follow_redirects=True, timeout=30.0) as browser:
        assert browser.get("/api/v1/wearers").status_code == httpx.codes.UNAUTHORIZED
        assert browser.get(link).url.path == "/"
        assert "Charley" in browser.get("/").text
        wearers = browser.get("/api/v1/wearers").json()["items"]
        assert [wearer["devices"] for wearer in wearers] == [[device] for device in WEARERS]
        for wearer in wearers:
            nights = browser.get(f"/api/v1/wearers/{wearer['id']}/nights").json()["items"]
            worn = [night for night in nights if night["status"] == "ok"]
            assert worn, nights
            assert worn[-1]["coverage"]["usable_s"] > 4 * 3600
    folder = running.folder
    done = charley("compare", folder / "truth", "--url", running.url, "--token-file", folder / "admin-token")
    assert done.returncode == 0, done.stderr
    assert re.findall(COUNT, done.stdout)
    assert done.stdout.count(" found ") >= 2
    assert " missed " not in done.stdout


def test_ctrl_c_while_the_night_comes_in(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        family, ports = running.family(), running.ports()
        store = SqliteStore(running.folder / "store.sqlite")
        try:
            servers.wait_for(lambda: all(store.epochs(device, **EVER) for device in WEARERS), timeout_s=START_S)
        finally:
            store.close()
        assert "a week comes in: " not in running.text()  # not all of them
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.process.wait(END_S) == 0, running.text()
        servers.wait_for(lambda: gone(family, ports), timeout_s=END_S, what=f"end of {family}")
        assert "Traceback" not in running.text()
    with demo(tmp_path) as again:  # in the same folder, on another port
        assert again.family().isdisjoint(family)


def test_asked_twice_at_once_with_its_broker_gone_before(tmp_path: Path) -> None:
    """`timeout` sends SIGTERM to the process and to its group, in which the broker is; here while it publishes."""
    with demo(tmp_path) as running:
        family, ports = running.family(), running.ports()
        (broker,) = (pid for pid in family if b"iotcore" in Path(f"/proc/{pid}/cmdline").read_bytes())
        (ingester,) = (pid for pid in family if b"\0ingest\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
        own = f"CHARLEY_CLIENT_ID=charley-demo-{running.process.pid}-{min(ports[1:])}"
        assert own.encode() in Path(f"/proc/{ingester}/environ").read_bytes().split(b"\0")
        assert "a week comes in: " not in running.text()
        os.kill(broker, signal.SIGKILL)
        running.process.terminate()
        os.killpg(running.process.pid, signal.SIGTERM)
        assert running.process.wait(2 * END_S) == 0, running.text()
        servers.wait_for(lambda: gone(family, ports), timeout_s=END_S, what=f"end of {family}")
        assert re.search(r"a week comes in interrupted: \d+ of \d+ blocks", running.text()), running.text()
        assert "Traceback" not in running.text()


def test_children_end_by_themselves_when_the_demo_is_killed(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        family, ports = running.family(), running.ports()
        assert len(family) >= 4  # itself, broker, ingester, API
        assert len(ports) == 3
        running.process.kill()
        running.process.wait()
        servers.wait_for(lambda: gone(family, ports), timeout_s=END_S, what=f"end of {family}")


def test_a_part_that_ends_by_itself_ends_the_demo_with_a_sentence(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        family, ports = running.family(), running.ports()
        (ingester,) = (pid for pid in family if b"\0ingest\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(ingester, signal.SIGKILL)
        assert running.process.wait(END_S) == 2, running.text()
        log = running.folder / "ingest.log"
        assert f"charley: charley ingest has ended by itself (-9); see {log}" in running.text()
        servers.wait_for(lambda: gone(family, ports), timeout_s=END_S, what=f"end of {family}")


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, *, port: int) -> str:
    with pytest.raises(SystemExit) as left:
        main(["demo", "--data-dir", str(folder), "--port", str(port)])
    assert left.value.code == 2
    return capsys.readouterr().err


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter = tmp_path / "letters" / "dear.txt"
    letter.parent.mkdir()
    letter.touch()
    said = refusal(capsys, letter.parent, port=servers.free_port())
    assert said == f"charley: {letter.parent} is not empty and not a demo's. Name another: --data-dir\n"
    said = refusal(capsys, letter, port=servers.free_port())
    assert said == f"charley: {letter} is a file. Name a folder: --data-dir\n"
    assert letter.exists()


def test_a_folder_in_which_a_demo_runs_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        (tmp_path / "demo").write_text(str(other.getsockname()[1]))
        (tmp_path / "journal.sqlite").touch()
        said = refusal(capsys, tmp_path, port=servers.free_port())
    assert f"is taken. A demo seems to run in {tmp_path}." in said
    assert (tmp_path / "journal.sqlite").exists()


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(capsys, tmp_path / "demo", port=port)
    assert said == f"charley: port {port} of 127.0.0.1 is taken. Choose another: --port 8001\n"
    assert not (tmp_path / "demo").exists()
