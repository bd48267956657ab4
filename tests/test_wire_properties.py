"""Any valid message survives the way there and back; any bytes are a message or a `WireError`."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wire_examples import a_block

from ingest import wire
from ingest.errors import WireError

SITES: Final = st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True)
DEVICES: Final = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
COUNTS: Final = st.integers(0, 2**53 - 1)
DECODERS: Final[tuple[Callable[..., object], ...]] = (
    wire.decode_block,
    wire.decode_status,
    wire.decode_ack,
    wire.decode_event,
)
TYPES: Final = (wire.Block, wire.Status, wire.Ack, wire.EpisodeEvent)
CONTENT_TYPES: Final = st.sampled_from([None, "", wire.CONTENT_MSGPACK, wire.CONTENT_JSON])


@st.composite
def signals(draw: st.DrawFn, kind: wire.Kind, site: str, duration_s: float) -> wire.Signal:
    low, high = wire.EMG_FS_HZ if kind == "emg" else wire.ACC_FS_HZ
    fs_hz = float(draw(st.integers(int(low), int(high))))
    channels = 3 if kind == "acc" else draw(st.integers(1, 2))
    n = max(1, round(duration_s * fs_hz))
    seed = draw(st.integers(0, 2**32 - 1))
    low, high = wire.SCALE[kind]
    return wire.Signal(
        kind=kind,
        site=site,
        fs_hz=fs_hz,
        scale=draw(st.floats(low, high)),
        channels=channels,
        samples=np.random.default_rng(seed).bytes(2 * channels * n),
    )


@st.composite
def blocks(draw: st.DrawFn) -> wire.Block:
    duration_s = draw(st.floats(0.2, 1.5))
    sites = draw(st.lists(SITES, min_size=1, max_size=3, unique_by=lambda site: site.rstrip("_12")))
    found = [draw(signals("emg", site, duration_s)) for site in sites]
    rates = {signal.fs_hz: signal for signal in found}  # one signal a rate: lengths cannot differ
    found = list(rates.values())
    if draw(st.booleans()):
        found.insert(draw(st.integers(0, len(found))), draw(signals("acc", "shank", duration_s)))
    t0 = draw(st.integers(0, 2**63 - 1))
    device = draw(st.none() | DEVICES)
    return wire.Block(boot=draw(COUNTS), seq=draw(COUNTS), t0=t0, signals=tuple(found), device=device)


statuses = st.builds(
    wire.Status,
    boot=COUNTS,
    online=st.booleans(),
    firmware=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=64),
    sites=st.lists(SITES, max_size=9).map(tuple),
    battery=st.none() | st.floats(0, 1),
    oldest=st.none() | COUNTS,
    backlog=st.none() | st.builds(wire.Place, boot=COUNTS, seq=COUNTS),
    clock_ns=st.none() | st.integers(0, 2**63 - 1),
    device=st.none() | DEVICES,
)
acks = st.builds(wire.Ack, boot=COUNTS, seq=COUNTS)
CONTENT: Final = st.sampled_from([wire.CONTENT_MSGPACK, wire.CONTENT_JSON])


@given(blocks(), CONTENT)
def test_block_there_and_back(block: wire.Block, content_type: str) -> None:
    payload = wire.encode(block, content_type=content_type)
    assert wire.decode_block(payload) == block
    assert wire.decode_block(payload, content_type=content_type) == block


@given(blocks())
def test_samples_there_and_back(block: wire.Block) -> None:
    for signal in wire.decode_block(wire.encode(block)).signals:
        assert signal.counts().shape == (signal.channels, signal.n)
        assert signal.counts().astype("<i2").tobytes() == signal.samples


@given(statuses, CONTENT)
def test_status_there_and_back(status: wire.Status, content_type: str) -> None:
    assert wire.decode_status(wire.encode(status, content_type=content_type)) == status


@given(acks, CONTENT)
def test_ack_there_and_back(ack: wire.Ack, content_type: str) -> None:
    assert wire.decode_ack(wire.encode(ack, content_type=content_type)) == ack


@given(DEVICES, st.sampled_from(["blocks", "status", "ack", "events"]))
def test_topic_there_and_back(device: str, leaf: wire.Leaf) -> None:
    assert wire.parse_topic(wire.topic(device, leaf)) == (device, leaf)


def _check_value_or_wire_error(payload: bytes, content_type: str | None) -> None:
    """Every decoder answers these bytes with a message of its own type or with `WireError`, and nothing else."""
    for decode, kind in zip(DECODERS, TYPES, strict=True):
        answer: object
        try:
            answer = decode(payload, content_type=content_type)
        except WireError as error:
            answer = error
        if isinstance(answer, WireError):
            assert answer.reason.isidentifier()
            assert 0 < len(str(answer)) < 1000
        else:
            assert isinstance(answer, kind)


@given(st.binary(max_size=400), CONTENT_TYPES)
@example(b"\x81\xa4boot\xcf\xff\xff\xff\xff\xff\xff\xff\xff", None)
@example(b"\xdf\xff\xff\xff\xff", None)
@example(b"\x81" * 50_000, None)
@example(b'{"a":' * 50_000, None)
@example(b'{"boot": 1e999}', None)
@example(b'{"boot": "\\ud800"}', None)
@example(b"{\xff", None)
def test_any_bytes(payload: bytes, content_type: str | None) -> None:
    _check_value_or_wire_error(payload, content_type)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
MEMBERS: Final = st.sampled_from(
    ["device", "boot", "seq", "t0", "signals", "kind", "site", "fs_hz", "scale", "channels", "samples"]
)


@given(st.dictionaries(MEMBERS, json_values), CONTENT)
def test_any_structure(members: dict[str, Any], content_type: str) -> None:
    encode = msgspec.json.encode if content_type == wire.CONTENT_JSON else msgspec.msgpack.encode
    _check_value_or_wire_error(encode(members), content_type)


@given(MEMBERS, json_values)
def test_one_member_replaced(name: str, value: Any) -> None:
    block = a_block()
    place = block if name in block else block["signals"][0]
    place[name] = value
    _check_value_or_wire_error(msgspec.msgpack.encode(block), None)


@given(blocks(), st.data())
def test_truncated_block_is_refused(block: wire.Block, data: st.DataObject) -> None:
    for content_type in (wire.CONTENT_MSGPACK, wire.CONTENT_JSON):
        payload = wire.encode(block, content_type=content_type)
        cut = data.draw(st.integers(0, len(payload) - 1))
        with pytest.raises(WireError):
            wire.decode_block(payload[:cut], content_type=content_type)


@given(blocks(), st.data())
def test_flipped_bits(block: wire.Block, data: st.DataObject) -> None:
    payload = bytearray(wire.encode(block))
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of a block is samples, where a flip is another valid block: aim at what surrounds them.
        position = data.draw(st.integers(0, min(len(payload), 160) - 1))
        payload[position] ^= 1 << data.draw(st.integers(0, 7))
    _check_value_or_wire_error(bytes(payload), None)


def test_name_given_twice_counts_with_its_last_value() -> None:
    assert wire.decode_ack(b"\x83\xa4boot\x01\xa3seq\x05\xa3seq\x09") == wire.Ack(boot=1, seq=9)
    assert wire.decode_ack(b'{"boot": 1, "seq": 5, "seq": 9}') == wire.Ack(boot=1, seq=9)
