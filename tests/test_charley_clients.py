"""Devices that share no code with Charley: what they send to a real broker is to be seen in the API."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import servers
from api_world import add_wearer, assign, post
from charley_run import ingester, web
from wire_examples import ROOT, fences, table

BLOCKS: Final = 25
SEEN_S: Final = 30.0
SECOND_NS: Final = 1_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(mosquitto: servers.Mosquitto, folder: Path) -> Iterator[httpx.Client]:
    """Ingester and API in processes of their own, over one data folder; a client that is signed in."""
    with ExitStack() as stack:
        stack.enter_context(ingester(mosquitto, {}, folder=folder))
        yield stack.enter_context(web(folder))


def claim(service: httpx.Client, device: str, *, since_s: int) -> str:
    """Register a wearer and a device, and assign one to the other; the wearer's id."""
    wearer = add_wearer(service, "A wearer")
    assign(service, wearer, device, since=text(since_s), side="right")
    return wearer


def text(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(rfc3339: str | None) -> float | None:
    return None if rfc3339 is None else datetime.fromisoformat(rfc3339).timestamp()


def publish_like_the_page(broker: servers.Mosquitto, device: str, *, start_s: int, blocks: int) -> None:
    """The command of docs/wire.md for blocks 0, 1, 2, ... of a device."""
    publish = fences("sh")[0].text
    for shown, repeated in (
        ("-h 127.0.0.1 -p 1883", f"-h {broker.host} -p {broker.port}"),
        ("/leg-7/", f"/{device}/"),
        ('"seq": 0,', """"seq": '"$seq"',"""),
        ('"$(date +%s)"', f'"$(({start_s} + seq))"'),
    ):
        assert publish.count(shown) == 1, shown
        publish = publish.replace(shown, repeated)
    script = f"for seq in $(seq 0 {blocks - 1}); do\n{publish}done\n"
    subprocess.run(["bash", "-euc", script], check=True, timeout=60)


def last_state(service: httpx.Client, device: str, *, end_s: int) -> dict[str, Any]:
    """The device as the API tells of it once its last sample is known."""
    state: dict[str, Any] = {}

    def known() -> bool:
        state.update(service.get(f"/api/v1/devices/{device}").json())
        return instant(state["last_sample"]) == end_s

    servers.wait_for(known, timeout_s=SEEN_S, what=f"the last sample of {device} in the API")
    return state


def seen_epochs(service: httpx.Client, wearer: str, *, start_s: int, end_s: int | None = None) -> list[dict[str, Any]]:
    """The wearer's epochs from the first second on, once there are as many as those blocks fill."""
    query = {"from": text(start_s), "to": text(end_s or start_s + 60), "resolution": "10"}
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        answer = service.get(f"/api/v1/wearers/{wearer}/epochs", params=query)
        assert answer.status_code == 200, answer.text
        found[:] = answer.json()["items"]
        return len(found) == BLOCKS // 10

    servers.wait_for(enough, timeout_s=SEEN_S, what="epochs in the API")
    return found


def test_a_client_in_perl_is_seen_in_the_api(mosquitto: servers.Mosquitto, service: httpx.Client) -> None:
    start_s = int(time.time()) // 10 * 10 - 120
    wearer = claim(service, "leg-perl", since_s=start_s - 3600)
    perl = shutil.which("perl")
    assert perl is not None
    done = subprocess.run(
        [perl, str(ROOT / "tests" / "clients" / "leg.pl"), "--host", mosquitto.host, "--port", str(mosquitto.port),
         "--device", "leg-perl", "--boot", "7", "--blocks", str(BLOCKS), "--t0", f"{start_s}000000000"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ack boot 7 seq {BLOCKS - 1}" in done.stdout  # the service's own word, not the broker's
    epochs = seen_epochs(service, wearer, start_s=start_s)
    assert [instant(epoch["start"]) for epoch in epochs] == [start_s, start_s + 10]
    for epoch in epochs:
        assert (epoch["device"], epoch["side"], epoch["site"]) == ("leg-perl", "right", "gastrocnemius_medialis")
        assert epoch["coverage"] == {"expected_s": 10, "received_s": 10, "worn_s": 10, "usable_s": 10}
        assert 2.0 < epoch["rms_uv"] < 4.5  # ±12 counts, all equally likely, of 0.5 µV: 3.6 µV, of which 20-450 Hz
        assert 85.0 < epoch["angle_deg"] <= 90.0
    state = last_state(service, "leg-perl", end_s=start_s + BLOCKS)
    assert state["online"] is False
    assert (state["firmware"], state["battery"], state["missing_blocks"]) == ("perl-1", 0.9, 0)
    assert state["sites"] == ["gastrocnemius_medialis", "shank"]
    assert state["assignment"]["wearer"] == wearer


def test_blocks_of_mosquitto_pub_are_seen_in_the_api(mosquitto: servers.Mosquitto, service: httpx.Client) -> None:
    """The page's own command, only repeated; its device is claimed after it has measured."""
    start_s = int(time.time()) // 10 * 10 - 120
    publish_like_the_page(mosquitto, "leg-7", start_s=start_s, blocks=BLOCKS)
    wearer = claim(service, "leg-7", since_s=start_s - 3600)
    epochs = seen_epochs(service, wearer, start_s=start_s)
    assert [instant(epoch["start"]) for epoch in epochs] == [start_s, start_s + 10]
    assert {epoch["coverage"]["received_s"] for epoch in epochs} == {10}
    state = last_state(service, "leg-7", end_s=start_s + BLOCKS)
    assert (state["sites"], state["missing_blocks"]) == (["gastrocnemius_medialis"], 0)


class Leg:
    """The Python client of docs/device in a process of its own; its flash and its output outlive it."""

    def __init__(self, broker: servers.Mosquitto, device: str, folder: Path) -> None:
        self.flash, self._log = folder / device, folder / f"{device}.log"
        self._command = [
            sys.executable, str(ROOT / "docs" / "device" / "charley_device.py"), "--host", broker.host,
            "--port", str(broker.port), "--device", device, "--folder", str(self.flash), "--pause", "5",
        ]  # fmt: skip

    def start(self, *, start_s: int, blocks: int) -> servers.Child:
        """Switch it on."""
        more = ["--t0", f"{start_s}000000000", "--blocks", str(blocks), "--every", "0.1"]
        return servers.Child([*self._command, *more], log=self._log)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def acked(self, seq: int) -> bool:
        """Whether an ack went at least so far in the boot that printed last."""
        acks = re.findall(r"^ack boot \d+ seq (\d+)$", self.said.rpartition("block(s) from before")[2], re.MULTILINE)
        return any(int(ack) >= seq for ack in acks)

    def done(self, child: servers.Child) -> None:
        """It leaves by itself, with nothing held."""
        servers.wait_for(lambda: child.exit_code is not None, timeout_s=60.0, what="the end of the device")
        assert child.exit_code == 0, self.said
        assert self.said.endswith("\n0 block(s) held\n")
        assert not list(self.flash.glob("*.block"))


def test_a_device_in_python_loses_nothing_when_its_broker_is_killed(
    mosquitto: servers.Mosquitto, service: httpx.Client, tmp_path: Path
) -> None:
    start_s = int(time.time()) // 10 * 10 - 120
    wearer = claim(service, "leg-python", since_s=start_s - 3600)
    leg = Leg(mosquitto, "leg-python", tmp_path)
    child = leg.start(start_s=start_s, blocks=BLOCKS)
    servers.wait_for(lambda: leg.acked(0), timeout_s=30.0, what="the first ack")
    mosquitto.kill()
    mosquitto.start()
    leg.done(child)
    assert leg.acked(BLOCKS - 1)
    epochs = seen_epochs(service, wearer, start_s=start_s)
    assert {epoch["coverage"]["received_s"] for epoch in epochs} == {10}
    state = last_state(service, "leg-python", end_s=start_s + BLOCKS)
    assert (state["missing_blocks"], state["firmware"]) == (0, "python-1")


def test_a_device_in_python_loses_nothing_when_it_is_killed(
    mosquitto: servers.Mosquitto, service: httpx.Client, tmp_path: Path
) -> None:
    start_s = int(time.time()) // 10 * 10 - 600
    wearer = claim(service, "leg-killed", since_s=start_s - 3600)
    leg = Leg(mosquitto, "leg-killed", tmp_path)
    child = leg.start(start_s=start_s, blocks=1000)
    kept = re.compile(r"-0*(\d+)\.block")
    seqs: list[int] = []

    def half_way() -> bool:
        seqs.extend(int(match[1]) for path in leg.flash.glob("*.block") if (match := kept.search(path.name)))
        return max(seqs, default=0) >= BLOCKS

    servers.wait_for(half_way, timeout_s=30.0, what="blocks in flash")
    child.kill()
    held = len(list(leg.flash.glob("*.block")))
    leg.done(leg.start(start_s=start_s + 300, blocks=1))
    assert f"with {held} block(s) from before" in leg.said
    epochs = seen_epochs(service, wearer, start_s=start_s, end_s=start_s + BLOCKS // 10 * 10)
    assert {epoch["coverage"]["received_s"] for epoch in epochs} == {10}
    assert last_state(service, "leg-killed", end_s=start_s + 301)["missing_blocks"] == 0


def test_rubbish_does_not_stop_the_service_and_is_told_of_the_device(
    mosquitto: servers.Mosquitto, service: httpx.Client
) -> None:
    for payload in ("{}", "rubbish", '{"boot": 1, "seq": 0, "t0": 0, "signals": []}'):
        command = [
            "mosquitto_pub", "-h", mosquitto.host, "-p", str(mosquitto.port), "-V", "mqttv5", "-q", "1",
            "-t", "charley/v1/leg-rubbish/blocks", "-m", payload,
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=20)
    start_s = int(time.time()) // 10 * 10 - 120
    publish_like_the_page(mosquitto, "leg-after", start_s=start_s, blocks=1)
    for device in ("leg-after", "leg-rubbish"):
        post(service, "/devices", {"id": device})
    last_state(service, "leg-after", end_s=start_s + 1)
    state = service.get("/api/v1/devices/leg-rubbish").json()
    assert (state["state"], state["last_received"]) == ("refused", None)
    assert "refused, the latest because it is not in the wire format." in state["sentence"]


@pytest.mark.usefixtures("service")
def test_the_data_folder_holds_what_the_page_lists(folder: Path) -> None:
    listed = {row[0].strip("`") for row in table("## Data folder", ROOT / "docs" / "running.md")}
    beside = ("-wal", "-shm", ".log")
    assert {path.name for path in folder.iterdir() if not path.name.endswith(beside)} == listed
    assert (folder / "admin-token").stat().st_mode & 0o777 == 0o600
