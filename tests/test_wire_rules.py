"""Each rule of a block, at its border: the last value that is accepted and the first that is refused."""

from typing import Any

import msgspec
import pytest
from wire_examples import T0, a_block, a_signal, an_acc

from ingest import wire
from ingest.errors import WireError


def _samples(n: int) -> bytes:
    return b"\x01\x00" * n


def _emg(fs_hz: float, n: int, **members: Any) -> dict[str, Any]:
    return a_signal(fs_hz=fs_hz, samples=_samples(n), **members)


ACCEPTED = {
    "one emg": a_block(a_signal()),
    "emg and acc": a_block(),
    "slowest emg": a_block(_emg(200, 200)),
    "fastest emg": a_block(_emg(4000, 4000)),
    "slowest acc": a_block(a_signal(), an_acc(fs_hz=10, samples=_samples(30))),
    "fastest acc": a_block(a_signal(), an_acc(fs_hz=200, samples=_samples(600))),
    "shortest": a_block(_emg(1000, 100)),
    "shortest, less one sample": a_block(_emg(1000, 99)),
    "longest": a_block(_emg(200, 12_000)),
    "longest and one sample": a_block(_emg(200, 12_001)),
    "eight sites": a_block(*(a_signal(site=f"site_{i}") for i in range(8)), an_acc()),
    "eight channels": a_block(a_signal(channels=8, samples=_samples(8000))),
    "smallest scale": a_block(a_signal(scale=1e-6), an_acc(scale=1e-9)),
    "largest scale": a_block(a_signal(scale=1000), an_acc(scale=1)),
    "integers where numbers are": a_block(a_signal(fs_hz=1000, scale=1)),
    "same site of two kinds": a_block(a_signal(site="shank"), an_acc(site="shank")),
    "acc one sample short and the cut": a_block(a_signal(), an_acc(samples=_samples(147))),
    "emg of two rates": a_block(_emg(1000, 1000), _emg(500, 500, site="tibialis_anterior")),
    "clock never set": a_block(t0=0),
    "seconds since the start for a clock": a_block(t0=7_000_000_000),
    "last instant": a_block(t0=2**63 - 1),
    "named device": a_block(device="leg-7"),
    "device null": a_block(device=None),
    "largest numbers": a_block(boot=2**53 - 1, seq=2**53 - 1),
    "unknown members": a_block(a_signal(gain=24), temperature={"skin": [33.1, None]}),
}
REFUSED = {
    "no signals": ("schema", a_block(signals=[])),
    "ten signals": ("schema", a_block(*(a_signal(site=f"site_{i}") for i in range(10)))),
    "boot missing": ("schema", {k: v for k, v in a_block().items() if k != "boot"}),
    "boot negative": ("schema", a_block(boot=-1)),
    "boot too large": ("schema", a_block(boot=2**53)),
    "boot as text": ("schema", a_block(boot="1")),
    "boot as float": ("schema", a_block(boot=1.0)),
    "boot as truth": ("schema", a_block(boot=True)),
    "boot null": ("schema", a_block(boot=None)),
    "unknown kind": ("schema", a_block(a_signal(kind="ecg"))),
    "site in capitals": ("schema", a_block(a_signal(site="Soleus"))),
    "site empty": ("schema", a_block(a_signal(site=""))),
    "site too long": ("schema", a_block(a_signal(site="s" * 41))),
    "site with a line feed behind": ("schema", a_block(a_signal(site="soleus\n"))),
    "samples as text": ("schema", a_block(a_signal(samples="AQAB" * 500))),
    "no channels": ("schema", a_block(a_signal(channels=0))),
    "nine channels": ("schema", a_block(a_signal(channels=9, samples=_samples(9000)))),
    "list for a map": ("schema", [1, 0, T0, []]),
    "before 1970": ("schema", a_block(t0=-1)),
    "beyond 63 bits": ("schema", a_block(t0=2**63)),
    "time as float": ("schema", a_block(t0=T0 + 0.5)),
    "device is none": ("schema", a_block(device="leg 7")),
    "device with a line feed behind": ("schema", a_block(device="leg-7\n")),
    "device as number": ("schema", a_block(device=7)),
    "site twice": ("signals", a_block(a_signal(), a_signal())),
    "channel name twice": (
        "signals",
        a_block(a_signal(channels=2, samples=_samples(2000)), a_signal(site="soleus_1")),
    ),
    "two acc": ("signals", a_block(a_signal(), an_acc(), an_acc(site="foot"))),
    "acc alone": ("signals", a_block(an_acc())),
    "nine emg channels": (
        "signals",
        a_block(a_signal(channels=8, samples=_samples(8000)), a_signal(site="tibialis_anterior")),
    ),
    "emg too slow": ("rate", a_block(_emg(199.9, 200))),
    "emg too fast": ("rate", a_block(_emg(4000.1, 4000))),
    "acc too slow": ("rate", a_block(a_signal(), an_acc(fs_hz=9.9, samples=_samples(30)))),
    "acc too fast": ("rate", a_block(a_signal(), an_acc(fs_hz=200.1, samples=_samples(600)))),
    "rate not a number": ("rate", a_block(a_signal(fs_hz=float("nan")))),
    "rate infinite": ("rate", a_block(a_signal(fs_hz=float("inf")))),
    "rate zero": ("rate", a_block(a_signal(fs_hz=0))),
    "scale zero": ("scale", a_block(a_signal(scale=0))),
    "scale negative": ("scale", a_block(a_signal(scale=-0.5))),
    "scale not a number": ("scale", a_block(a_signal(scale=float("nan")))),
    "scale infinite": ("scale", a_block(a_signal(scale=float("inf")))),
    "scale beyond float32": ("scale", a_block(a_signal(scale=1e300))),
    "scale denormal": ("scale", a_block(a_signal(scale=5e-324))),
    "acc scale of an emg": ("scale", a_block(a_signal(), an_acc(scale=1.1))),
    "two axes": ("channels", a_block(a_signal(), an_acc(channels=2, samples=_samples(100)))),
    "no samples": ("samples", a_block(a_signal(samples=b""))),
    "half a sample": ("samples", a_block(a_signal(samples=b"\0" * 1999))),
    "samples for two of three axes": ("samples", a_block(a_signal(), an_acc(samples=_samples(149)))),
    "too short": ("duration", a_block(_emg(1000, 98))),
    "too long": ("duration", a_block(_emg(200, 12_002))),
    "acc two samples short": ("stretch", a_block(a_signal(), an_acc(samples=_samples(141)))),
    "emg shorter than acc": ("stretch", a_block(_emg(1000, 900), an_acc())),
    "emg of one rate differ": (
        "stretch",
        a_block(_emg(1000, 1000), _emg(1000, 999, site="tibialis_anterior")),
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    block = wire.decode_block(msgspec.msgpack.encode(ACCEPTED[name]))
    assert wire.decode_block(msgspec.json.encode(ACCEPTED[name])) == block


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    reason, block = REFUSED[name]
    with pytest.raises(WireError) as refusal:
        wire.decode_block(msgspec.msgpack.encode(block))
    assert refusal.value.reason == reason
    assert 10 < len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    ("reason", "payload", "content_type"),
    [
        ("empty", b"", None),
        ("size", b"\x80" * (wire.MAX_PAYLOAD_BYTES + 1), None),
        ("content_type", b"{}", "text/plain"),
        ("content_type", b"{}", "application/json; charset=utf-8"),
        ("schema", b"{}", wire.CONTENT_MSGPACK),
        ("encoding", b"\x80", wire.CONTENT_JSON),
        ("encoding", b'{"boot": 1', None),
        ("encoding", b"\x84\xa4boot", None),
        ("encoding", msgspec.msgpack.encode(a_block()) + b"\x00", None),
        ("encoding", msgspec.json.encode(a_block()) + b"}", None),
        ("encoding", b"\x81\xa1x" + b"\x91" * 100_000, None),
        ("encoding", b'{"x": ' + b"[" * 100_000, None),
        ("encoding", b"\x81\xa1x\xdd\xff\xff\xff\xff", None),
        ("schema", b"\x81\xa7signals\xdd\xff\xff\xff\xff", None),
        ("schema", b"\xc0", None),
        ("schema", b'{"boot": ' + b"9" * 10_000 + b"}", None),
        ("schema", b'{"boot": 1, "seq": 1e3}', None),
    ],
)
def test_bytes_refused(reason: str, payload: bytes, content_type: str | None) -> None:
    with pytest.raises(WireError) as refusal:
        wire.decode_block(payload, content_type=content_type)
    assert refusal.value.reason == reason
    assert len(str(refusal.value)) < 1000


def test_sentence_does_not_repeat_a_long_text() -> None:
    with pytest.raises(WireError) as refusal:
        wire.decode_block(msgspec.msgpack.encode(a_block(a_signal(kind="k" * 1_000_000))))
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("device", ["", "leg 7", "leg/7", "leg+", "#", "bein-größe", "d" * 65, "leg\n", "leg\0"])
def test_device_refused(device: str) -> None:
    with pytest.raises(WireError) as refusal:
        wire.topic(device, "blocks")
    assert refusal.value.reason == "device"
    with pytest.raises(WireError) as refusal:
        wire.parse_topic(f"charley/v1/{device}/blocks")
    assert refusal.value.reason == "topic"


@pytest.mark.parametrize("name", ["charley/v2/leg/blocks", "charley/v1/leg/block", "charley/v1/leg/blocks/", "x"])
def test_topic_refused(name: str) -> None:
    with pytest.raises(WireError):
        wire.parse_topic(name)


@pytest.mark.parametrize(
    "members",
    [
        {"battery": 1.01}, {"battery": float("nan")}, {"firmware": "1.0\n"}, {"firmware": "v" * 65},
        {"sites": ["soleus"] * 10}, {"sites": ["Soleus"]}, {"online": 1}, {"oldest": -1}, {"boot": None},
        {"backlog": 3}, {"backlog": {"boot": 2}}, {"backlog": {"boot": 2, "seq": -1}}, {"clock_ns": -1},
        {"clock_ns": 1.5}, {"device": "leg/7"},
    ],
)  # fmt: skip
def test_status_refused(members: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        wire.decode_status(msgspec.msgpack.encode({"boot": 1, "online": True, **members}))
    assert refusal.value.reason == "schema"


def test_encode_refuses_another_content_type() -> None:
    with pytest.raises(WireError) as refusal:
        wire.encode(wire.Ack(boot=1, seq=1), content_type="text/plain")
    assert refusal.value.reason == "content_type"
