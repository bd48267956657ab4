"""Golden bytes: what was valid version 1 once stays valid version 1, byte for byte."""

from typing import Final

import msgspec
import numpy as np
import pytest
from wire_examples import WIRE_MD, fences, hex_dump

from ingest import wire

BLOCK_HEX = """
84a4626f6f7403a373657129a27430cf18867251edfa0000a77369676e616c739286a46b696e64a3656d67a473697465a6736f6c657573
a566735f687acb4069000000000000a57363616c65cb3fe0000000000000a86368616e6e656c7301a773616d706c6573c42800000100ff
ff64009cff2c01d4feff7f00800000fa0006ff780088ff3c00c4ff1e00e2ff0a00f6ff86a46b696e64a3616363a473697465a57368616e
6ba566735f687acb4024000000000000a57363616c65cb3f30000000000000a86368616e6e656c7303a773616d706c6573c406000000ff
0010
"""
EMG = [0, 1, -1, 100, -100, 300, -300, 32767, -32768, 0, 250, -250, 120, -120, 60, -60, 30, -30, 10, -10]
BLOCK = wire.Block(
    boot=3,
    seq=41,
    t0=1_767_225_600_000_000_000,
    signals=(
        wire.Signal(
            kind="emg", site="soleus", fs_hz=200.0, scale=0.5, channels=1,
            samples=np.array(EMG, "<i2").tobytes(),
        ),
        wire.Signal(
            kind="acc", site="shank", fs_hz=10.0, scale=1 / 4096, channels=3,
            samples=np.array([0, -256, 4096], "<i2").tobytes(),
        ),
    ),
)  # fmt: skip
STATUS = wire.Status(boot=3, online=True, firmware="1.4.0", sites=("soleus", "shank"), battery=0.75, oldest=0)
STATUS_HEX = """
86a4626f6f7403a66f6e6c696e65c3a86669726d77617265a5312e342e30a5736974657392a6736f6c657573a57368616e6ba7626174
74657279cb3fe8000000000000a66f6c6465737400
"""


LATER: Final = wire.Status(
    boot=3, online=True, backlog=wire.Place(boot=2, seq=90), clock_ns=1_767_225_600_000_000_000, device="leg-7"
)
LATER_HEX: Final = """
85a4626f6f7403a66f6e6c696e65c3a76261636b6c6f6782a4626f6f7402a37365715aa8636c6f636b5f6e73cf18867251edfa0000a664
6576696365a56c65672d37
"""


def test_golden_members_that_came_later() -> None:
    assert wire.encode(LATER) == bytes.fromhex(LATER_HEX)
    assert wire.decode_status(bytes.fromhex(LATER_HEX)) == LATER
    assert wire.encode(wire.Status(boot=3, online=False)) == bytes.fromhex("82a4626f6f7403a66f6e6c696e65c2")
    named = msgspec.structs.replace(BLOCK, device="leg-7")
    assert wire.encode(named)[1:] == bytes.fromhex(BLOCK_HEX)[1:] + bytes.fromhex("a6646576696365a56c65672d37")
    assert wire.decode_block(wire.encode(named)) == named


def test_golden_block() -> None:
    golden = bytes.fromhex(BLOCK_HEX)
    assert wire.decode_block(golden) == BLOCK
    assert wire.encode(BLOCK) == golden


def test_golden_samples() -> None:
    emg, acc = wire.decode_block(bytes.fromhex(BLOCK_HEX)).signals
    assert emg.counts().tolist() == [EMG]
    assert acc.counts().tolist() == [[0], [-256], [4096]]


def test_golden_block_as_json() -> None:
    as_json = (
        b'{"boot":3,"seq":41,"t0":1767225600000000000,"signals":[{"kind":"emg","site":"soleus","fs_hz":200.0,'
        b'"scale":0.5,"channels":1,"samples":"AAABAP//ZACc/ywB1P7/fwCAAAD6AAb/eACI/zwAxP8eAOL/CgD2/w=="},'
        b'{"kind":"acc","site":"shank","fs_hz":10.0,"scale":0.000244140625,"channels":3,"samples":"AAAA/wAQ"}]}'
    )
    assert wire.encode(BLOCK, content_type=wire.CONTENT_JSON) == as_json
    assert wire.decode_block(as_json) == BLOCK


def test_golden_status_and_ack() -> None:
    assert wire.encode(STATUS) == bytes.fromhex(STATUS_HEX)
    assert wire.decode_status(bytes.fromhex(STATUS_HEX)) == STATUS
    ack = bytes.fromhex("82a4626f6f7403a373657129")
    assert wire.encode(wire.Ack(boot=3, seq=41)) == ack
    assert wire.decode_ack(ack) == wire.Ack(boot=3, seq=41)


@pytest.mark.parametrize("leaf", ["blocks", "status", "ack", "events"])
def test_golden_topics(leaf: wire.Leaf) -> None:
    assert wire.topic("leg-7", leaf) == f"charley/v1/leg-7/{leaf}"
    assert wire.parse_topic(f"charley/v1/leg-7/{leaf}") == ("leg-7", leaf)


def test_page_dumps_the_golden_block() -> None:
    (dump,) = fences("hex")
    assert hex_dump(dump.text) == bytes.fromhex(BLOCK_HEX)
    assert f" {len(bytes.fromhex(BLOCK_HEX))} bytes:" in WIRE_MD.read_text()
