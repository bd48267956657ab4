"""What is remembered of epochs: it equals what the store holds, and its size is bounded."""

from pathlib import Path

from api_world import EPOCH_NS, epochs
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from api.columns import Columns, columns_of
from api.hours import HOUR_NS, READ_HOURS, Hours
from api.memo import EXPIRY_NS, Memo
from ingest.store import Epoch
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore

START = 1_790_002_800_000_000_000  # a whole hour
TEN = HOUR_NS // 6
SPANS = st.tuples(st.integers(0, 40), st.integers(1, 12))


def weigh(columns: Columns) -> int:
    return columns.nbytes


def same(a: Columns, b: Columns) -> bool:
    return a.digest == b.digest and len(a.start_ns) == len(b.start_ns)


@settings(max_examples=40)
@given(st.lists(st.tuples(SPANS, st.integers(0, 10)), max_size=6), st.lists(SPANS, max_size=4), st.integers(0, 60_000))
def test_what_is_remembered_is_what_is_stored(
    writes: list[tuple[tuple[int, int], int]], asked: list[tuple[int, int]], size: int
) -> None:
    """Whatever is written in between, void epochs too, and however little is kept."""
    store = MemoryStore()
    hours = Hours(store, Memo(size, weigh=weigh))
    clips, edge = [], START + 3
    for first, length in sorted(asked):
        low = max(START + first * TEN, edge)
        clips.append((low, edge := low + length * TEN + 7))
    for number, ((first, length), seconds) in enumerate([*writes, ((0, 1), 1)]):
        span = epochs("leg", START + first * TEN, START + (first + length) * TEN, received_s=seconds, usable_s=seconds)
        store.write([replace(epoch, updated_ns=number) for epoch in span])
        found = hours.between("leg", clips, changes=hours.changes("leg", clips), now_ns=0)
        expected: list[Epoch] = []
        for low, high in clips:
            first_ns = low - low % EPOCH_NS
            part = store.epochs("leg", start_ns=first_ns, end_ns=high)
            expected += [epoch for epoch in part if not expected or epoch.start_ns > expected[-1].start_ns]
        assert same(found, columns_of(expected))


def test_two_assignments_within_an_epoch_read_it_once() -> None:
    store = MemoryStore()
    store.write(epochs("leg", START, START + HOUR_NS))
    hours = Hours(store, Memo(10**6, weigh=weigh))
    cut = START + EPOCH_NS + 5
    clips = [(START, cut), (cut, START + HOUR_NS)]
    found = hours.between("leg", clips, changes=hours.changes("leg", clips), now_ns=0)
    assert found.start_ns.tolist() == list(range(START, START + HOUR_NS, EPOCH_NS))


def test_a_long_range_is_read_in_parts(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    end_ns = START + (2 * READ_HOURS + 1) * HOUR_NS
    store.write(epochs("leg", START, end_ns))
    memo: Memo[Columns] = Memo(10**8, weigh=weigh)
    hours = Hours(store, memo)
    changes = hours.changes("leg", [(START, end_ns)])
    assert len(changes) == 2 * READ_HOURS + 1
    whole = hours.between("leg", [(START, end_ns)], changes=changes, now_ns=0)
    assert same(whole, columns_of(store.epochs("leg", start_ns=START, end_ns=end_ns)))
    store.close()
    assert same(hours.between("leg", [(START, end_ns)], changes=changes, now_ns=0), whole)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=40), st.integers(0, 30))
def test_a_memo_weighs_no_more_than_it_may(values: list[tuple[int, int]], size: int) -> None:
    memo: Memo[int] = Memo(size, weigh=lambda value: value)
    for key, value in values:
        memo.keep(key, value, now_ns=0)
        kept = [found for each in range(6) for found in memo.find(each, now_ns=0)]
        assert sum(kept) <= size
        assert memo.find(key, now_ns=0) == ((value,) if value <= size else ())


def test_a_memo_forgets_after_an_hour_and_when_the_clock_goes_back() -> None:
    memo: Memo[str] = Memo(2)
    memo.keep("a", "x", now_ns=EXPIRY_NS)
    assert memo.find("a", now_ns=2 * EXPIRY_NS - 1) == ("x",)
    assert memo.find("a", now_ns=2 * EXPIRY_NS) == ()
    assert memo.find("a", now_ns=EXPIRY_NS - 1) == ()
    assert memo.get("a", lambda: "y", now_ns=2 * EXPIRY_NS) == "y"
    assert memo.get("a", lambda: "z", now_ns=2 * EXPIRY_NS) == "y"
