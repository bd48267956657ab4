"""Whatever bytes arrive on whatever topic: no crash, each accounted for by a documented reason, others untouched.

A few thousand cases here; `python -m benchmarks.fuzz` runs a million of the same kind.
"""

import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_examples import table

from benchmarks.fuzz import REASONS, Tally, World, Wrong, fuzz, plain, witness_blocks
from benchmarks.mutate import Case, make
from ingest.wire import CONTENT_JSON, CONTENT_MSGPACK

few = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
content_types = st.sampled_from([None, "", CONTENT_MSGPACK, CONTENT_JSON]) | st.text(max_size=20)
topics = st.sampled_from(["charley/v1/any/blocks", "charley/v1/any/status", "charley/v1/any/ack"]) | st.text(
    max_size=60
)


def check_fuzz(cases: list[Case]) -> Tally:
    """Every case is accounted for and harms nobody, or `fuzz` raises `Wrong`; returns what became of them."""
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(cases, Path(folder) / "fuzz")
    assert tally.total == len(cases)
    return tally


def test_reasons_are_those_of_the_page() -> None:
    assert {row[0].strip("`") for row in table("## 9. What is refused")} | {"detector", "flood"} == REASONS


def test_thousands_of_spoiled_messages_are_accounted_for_and_touch_nobody() -> None:
    rng = Random("fixed")
    tally = check_fuzz([make(rng, number) for number in range(4000)])
    assert tally.accepted.total() > 100
    assert len(tally.refused) > len(REASONS) / 2  # spoiled in many ways


@few
@given(st.integers(0, 2**63), st.integers(0, 2000))
def test_spoiled_messages(seed: int, first: int) -> None:
    rng = Random(seed)
    check_fuzz([make(rng, first + number) for number in range(20)])


@few
@given(st.lists(st.builds(Case, topics, st.binary(max_size=400), content_types), min_size=1, max_size=20))
def test_any_bytes_on_any_topic(cases: list[Case]) -> None:
    check_fuzz(cases)


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 5 << 20])
@pytest.mark.parametrize(
    "piece", [b"[", b"\x91", b'{"boot":', b"\x81\xa4boot", b"\xdd\xff\xff\xff\xff", b"\x00", b"\xff"]
)
def test_large_and_deep_messages(piece: bytes, size: int) -> None:
    payload = piece * (size // len(piece))
    tally = check_fuzz(
        [Case("charley/v1/any/blocks", payload, None), Case("charley/v1/any/status", payload, CONTENT_JSON)]
    )
    assert tally.refused.total() == 2


def test_the_watch_sees_what_is_lost_and_what_is_changed(tmp_path: Path) -> None:
    """That a run which goes wrong is told: otherwise none of the tests here could fail."""
    blocks = witness_blocks(40)
    with closing(World(tmp_path)) as world:
        world.feed([Case("charley/v1/any/blocks", b"", None)], blocks[:20] + blocks[25:])
        assert world.tally().refused == {"empty": 1}
        assert world.tally().total == 36
        (tmp_path / "whole").mkdir()
        with closing(World(tmp_path / "whole")) as whole:
            whole.feed([], blocks)
            assert plain(whole.records("witness")) != plain(world.records("witness"))
    with pytest.raises(Wrong, match=r"a crash: TypeError.*\n'charley/v1/any/blocks', None, 'text'"):
        check_fuzz([Case("charley/v1/any/blocks", "text", None)])  # no bytes at all
