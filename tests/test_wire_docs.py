"""docs/wire.md against the parser: every example, the limits in its tables, the reasons."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest
import servers
from wire_examples import ROOT, WIRE_MD, Fence, fences, table

from ingest import wire
from ingest.errors import WireError

DECODERS = {
    "block": wire.decode_block,
    "status": wire.decode_status,
    "ack": wire.decode_ack,
    "event": wire.decode_event,
}
JSON = fences("json")


@pytest.mark.parametrize("fence", JSON, ids=[f"{i}-{fence.label}" for i, fence in enumerate(JSON)])
def test_json_example_is_what_the_page_says(fence: Fence) -> None:
    words = fence.label.split()
    if words[0] == "refused":
        with pytest.raises(WireError) as refusal:
            wire.decode_block(fence.text.encode())
        assert refusal.value.reason == words[1]
    else:
        message = DECODERS[words[0]](fence.text.encode())
        again = DECODERS[words[0]](wire.encode(message))
        assert again == message


def test_every_kind_of_message_has_an_example() -> None:
    assert {fence.label.split()[0] for fence in JSON} == {*DECODERS, "refused"}


def test_hex_of_the_ack_in_the_text_is_the_ack_shown() -> None:
    (dump,) = re.findall(r"`((?:[0-9a-f]{2} ){6,}[0-9a-f]{2})` is the one above", WIRE_MD.read_text())
    (shown,) = (fence for fence in JSON if fence.label == "ack")
    assert wire.decode_ack(bytes.fromhex(dump)) == wire.decode_ack(shown.text.encode())


def _raised_reasons(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "WireError":
            assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}: reason is no literal"
            yield node.args[0].value


def test_reasons_on_the_page_are_those_in_the_code() -> None:
    written = [row[0].strip("`") for row in table("## 9. What is refused")]
    raised = {reason for path in (ROOT / "ingest").rglob("*.py") for reason in _raised_reasons(path)}
    assert sorted(written) == sorted(raised)


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("### 4.2 Members of a block", wire.Block),
        ("### 4.3 Members of a signal", wire.Signal),
        ("## 7. Status", wire.Status),
        ("## 8. Events", wire.EpisodeEvent),
    ],
)
def test_members_on_the_page_are_those_of_the_struct(heading: str, struct: type[msgspec.Struct]) -> None:
    rows = table(heading)
    assert sorted(row[0].strip("`") for row in rows) == sorted(struct.__struct_fields__)


def test_members_of_ack_and_event_data_on_the_page() -> None:
    page = WIRE_MD.read_text()
    for head, struct in (("| member | type | limits | meaning |", wire.Ack),
                         ("| member of `data` | type | unit | meaning |", wire.EpisodeEventData)):  # fmt: skip
        rows = page.split(f"{head}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
        names = [row.split("|")[1].strip().strip("`") for row in rows]
        assert sorted(names) == sorted(struct.__struct_fields__)


def test_limits_on_the_page_are_those_in_the_code() -> None:
    limits = {row[0].strip("`"): row[3] for row in table("### 4.3 Members of a signal")}
    low, high = wire.EMG_FS_HZ
    acc_low, acc_high = wire.ACC_FS_HZ
    assert limits["fs_hz"] == f"`emg` {low:g} to {high:g}, `acc` {acc_low:g} to {acc_high:g}"
    scales = [float(number) for number in re.findall(r"(?<= )\d\S*", limits["scale"].replace(",", " "))]
    assert scales == [*wire.SCALE["emg"], *wire.SCALE["acc"]]
    assert limits["channels"] == f"`emg` 1 to {wire.EMG_CHANNELS}, `acc` exactly 3"
    page = WIRE_MD.read_text()
    assert f"{wire.MAX_PAYLOAD_BYTES:,}".replace(",", " ") + " bytes" in page
    assert f"each lasts {wire.BLOCK_S[0]:g} to {wire.BLOCK_S[1]:g} s" in page
    assert f"1 to {wire.SIGNALS} signals" in page


def test_topics_on_the_page_are_those_in_the_code() -> None:
    topics = [row[0].strip("`").replace("{device}", "leg-7") for row in table("## 3. Topics")]
    assert sorted(wire.parse_topic(topic)[1] for topic in topics) == ["ack", "blocks", "events", "status"]


def test_mosquitto_pub_example_is_a_valid_block(mosquitto: servers.Mosquitto) -> None:
    publish, subscribe = (fence.text for fence in fences("sh"))
    assert "-h 127.0.0.1 -p 1883" in publish
    assert shlex.split(subscribe)[-1] == wire.topic("leg-7", "ack")
    received: list[paho.MQTTMessage] = []
    subscribed: list[int] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _client, _data, message: received.append(message)
    client.on_subscribe = lambda _client, _data, mid, _reasons, _properties: subscribed.append(mid)
    client.connect(mosquitto.host, mosquitto.port)
    client.loop_start()
    try:
        client.subscribe(wire.topic("leg-7", "blocks"), qos=1)
        servers.wait_for(lambda: subscribed, what="subscription")
        script = publish.replace("-h 127.0.0.1 -p 1883", f"-h {mosquitto.host} -p {mosquitto.port}")
        subprocess.run(["bash", "-euc", script], check=True, timeout=20)
        servers.wait_for(lambda: received, what="block")
    finally:
        client.disconnect()
        client.loop_stop()
    (message,) = received
    assert message.properties is not None
    block = wire.decode_block(message.payload, content_type=message.properties.ContentType)
    assert (block.boot, block.seq, block.duration_s) == (1, 0, 1.0)
