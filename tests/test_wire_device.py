"""The two reference clients of docs/device: their bytes are the wire's, and what they read is what was meant."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_wire_golden import BLOCK, BLOCK_HEX
from wire_examples import ROOT, a_block

from ingest import wire

sys.path.insert(0, str(ROOT / "docs" / "device"))
import charley_device as device

T0: Final = 1_767_225_600_000_000_000
COUNTS: Final = st.integers(0, 2**53 - 1)
ACK: Final = wire.encode(wire.Ack(boot=300, seq=70_000))


@pytest.fixture(scope="session")
def header(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test program over the header, built as strictly as can be."""
    program = tmp_path_factory.mktemp("header") / "block"
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow"]
    source = ROOT / "tests" / "clients" / "block.c"
    command = [compiler, *strict, f"-I{ROOT / 'docs' / 'device'}", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return program


def written(program: Path, what: str) -> bytes:
    return subprocess.run([program, what], capture_output=True, check=True, timeout=20).stdout


def test_the_header_writes_the_golden_block(header: Path) -> None:
    assert written(header, "block") == bytes.fromhex(BLOCK_HEX)


def test_the_header_writes_a_long_block_with_large_numbers(header: Path) -> None:
    block = wire.decode_block(written(header, "long"))
    assert (block.boot, block.seq, block.t0) == (2**53 - 1, 65_536, 7)
    (signal,) = block.signals
    assert (len(signal.site), signal.fs_hz, signal.scale) == (40, 1000.0, 0.25)
    ramp = (np.arange(60_000) % 65_536 - 32_768).astype(np.int16)
    np.testing.assert_array_equal(signal.counts(), ramp.reshape(2, -1))


def test_the_header_writes_a_status(header: Path) -> None:
    assert wire.decode_status(written(header, "status")) == wire.Status(
        boot=3, online=True, firmware="1.4.0", oldest=200, backlog=wire.Place(boot=2, seq=90), clock_ns=T0
    )
    assert wire.decode_status(written(header, "will")) == wire.Status(boot=3, online=False)


def read_by_header(program: Path, messages: Sequence[bytes]) -> list[str]:
    framed = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
    done = subprocess.run([program, "acks"], input=framed, capture_output=True, check=True, timeout=60)
    return done.stdout.decode().splitlines()


def pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


NO_ACKS: Final = [
    b"", b"\x80", b"\xc1", b"\x92\x03\x29", pack({"boot": 3}), pack({"seq": 3}), pack({"boot": -3, "seq": 41}),
    pack({"boot": 3.0, "seq": 41}), pack({"boot": "3", "seq": 41}), pack({"boot": 2**53, "seq": 41}), ACK + b"\0",
    b"\xdf\xff\xff\xff\xff", b"\x82\xa4boot\xdd\xff\xff\xff\xff", b"\x82\xa3the\x9f\xa3seq\x01", b"\x81" * 60_000,
    b"\x82\xa4boot\xd0\xff\xa3seq\x01",
]  # fmt: skip


def test_the_header_reads_acks_and_nothing_else(header: Path) -> None:
    later = {
        "x": {"y": [1, {"z": None}, "t" * 40, 1.5, b"b" * 300]},
        "boot": 3,
        "n" * 300: -7,
        "seq": 41,
        "c": "d" * 9000,
    }
    good = [ACK, pack(later), b"\x82\xa4boot\xd1\x01\x00\xa3seq\x05"]
    assert read_by_header(header, good) == ["300 70000", "3 41", "256 5"]
    assert read_by_header(header, NO_ACKS) == ["none"] * len(NO_ACKS)
    assert read_by_header(header, [ACK[:cut] for cut in range(len(ACK))]) == ["none"] * len(ACK)


def test_the_header_reads_of_any_bytes_what_the_service_would(header: Path) -> None:
    rng = np.random.default_rng(7)
    messages = []
    for _ in range(20_000):
        message = bytearray(pack({"boot": int(rng.integers(2**40)), "seq": int(rng.integers(300)), "x": [1, {"y": 2}]}))
        for _ in range(int(rng.integers(0, 4))):
            message[int(rng.integers(len(message)))] = int(rng.integers(256))
        messages.append(bytes(message[: int(rng.integers(1, len(message) + 8))]))
    answers = read_by_header(header, messages)
    meant = [_meant(message) for message in messages]
    assert len(answers) == len(messages)
    assert [answer for answer, known in zip(answers, meant, strict=True) if known] == [
        known for known in meant if known
    ]
    assert 1000 < sum(known is not None for known in meant) < 19_000


def _meant(message: bytes) -> str | None:
    try:
        ack = msgspec.msgpack.decode(message, type=wire.Ack)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return f"{ack.boot} {ack.seq}"


def test_python_writes_what_the_wire_says() -> None:
    signals = [
        device.signal("emg", "soleus", fs_hz=200, scale=0.5, channels=BLOCK.signals[0].counts().tolist()),
        device.signal("acc", "shank", fs_hz=10, scale=1 / 4096, channels=BLOCK.signals[1].counts().tolist()),
    ]
    assert wire.decode_block(device.pack({"boot": 3, "seq": 41, "t0": T0, "signals": signals})) == BLOCK


plain: Final = st.recursive(
    st.booleans() | st.integers(0, 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=50)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=15) | st.dictionaries(st.text(max_size=8), inner, max_size=15),
    max_leaves=20,
)  # fmt: skip


@given(plain)
def test_python_packs_messagepack(value: Any) -> None:
    assert msgspec.msgpack.decode(device.pack(value)) == value


@given(plain | st.integers(-(2**63), 0) | st.lists(st.none(), max_size=70_000 // 1000) | st.text(max_size=300))
@example("t" * 70_000)
@example([b"b" * 70_000] * 20)
@example({str(n): n for n in range(70_000)})
def test_python_unpacks_messagepack(value: Any) -> None:
    packed = pack(value)
    assert device.unpack(packed) == (value, len(packed))


@given(COUNTS, COUNTS)
def test_python_reads_acks(boot: int, seq: int) -> None:
    ack = wire.Ack(boot=boot, seq=seq)
    for content_type in (wire.CONTENT_MSGPACK, wire.CONTENT_JSON):
        assert device.read_ack(wire.encode(ack, content_type=content_type)) == (boot, seq)


@given(st.binary(max_size=60) | st.binary(max_size=8).map(lambda tail: ACK[:-4] + tail))
@example(b"\x81" * 60_000)
@example(b"{" * 10)
@example(b'{"boot": 1, "seq": []}')
@example(b'{"boot": true, "seq": 1}')
def test_python_passes_over_what_is_no_ack(message: bytes) -> None:
    ack = device.read_ack(message)
    assert ack is None or all(type(number) is int for number in ack)


def test_python_memory_outlives_a_restart_and_drops_the_oldest_first(tmp_path: Path) -> None:
    memory = device.Memory(tmp_path / "leg", 1000)
    boot = memory.next_boot()
    assert memory.next_boot() == boot + 1
    for seq in range(9):
        assert memory.keep((boot, seq), bytes(100)) == []
    assert memory.keep((boot + 1, 0), b"n" * 150) == [(boot, 0)]
    assert memory.forget(boot, 2) == [(boot, 1), (boot, 2)]
    assert (memory.oldest(), memory.oldest(boot + 1), memory.oldest(9)) == ((boot, 3), (boot + 1, 0), None)
    (tmp_path / "leg" / "1-2.block.new").write_bytes(b"half")  # power failed while it was written
    again = device.Memory(tmp_path / "leg", 1000)
    assert list(again.sizes) == [*((boot, seq) for seq in range(3, 9)), (boot + 1, 0)]
    assert again.used_bytes == 750
    assert again.path((boot + 1, 0)).read_bytes() == b"n" * 150
    assert again.next_boot() == boot + 2
    assert not list((tmp_path / "leg").glob("*.new"))


def test_what_python_measures_is_a_valid_block() -> None:
    signals = device.noise(device.random.Random(1))
    block = wire.decode_block(device.pack({**a_block(), "signals": signals}))
    assert block.duration_s == 1.0
