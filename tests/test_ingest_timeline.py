"""Sessions of a timeline and what differs between two: against slow, obviously right twins."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.marks import Mark
from ingest.timeline import Placed, Timeline, moved, sessions


def block(start: int, end: int, *, seq: int = 0, boot: int = 0) -> Placed:
    return Placed(Mark(boot, seq, start, end, end), start, end)


BLOCKS = st.builds(
    lambda start, length, seq: Placed(Mark(0, seq, seq, seq + length, 0), start, start + length),
    st.integers(0, 60),
    st.integers(1, 5),
    st.integers(0, 15),
)
LINES = st.builds(
    lambda blocks: Timeline(tuple({b.mark.seq: b for b in blocks}.values())), st.lists(BLOCKS, max_size=12)
)


def naive_sessions(placed: list[Placed], gap_ns: int) -> list[list[Placed]]:
    out: list[list[Placed]] = []
    for one in placed:
        reach = max(b.end_ns for b in out[-1]) if out else 0
        if not out or one.start_ns - reach >= gap_ns:
            out.append([])
        out[-1].append(one)
    return out


def test_a_session_ends_at_a_pause_and_not_where_time_goes_back() -> None:
    placed = [block(0, 10), block(19, 20), block(30, 40), block(35, 36), block(30, 31), block(29, 50)]
    assert sessions(placed, gap_ns=10) == [(0, 2), (2, 6)]
    assert sessions([], gap_ns=10) == []


@given(st.lists(BLOCKS, max_size=30), st.integers(1, 20))
def test_sessions_are_those_of_the_naive_twin(placed: list[Placed], gap_ns: int) -> None:
    assert [placed[i:j] for i, j in sessions(placed, gap_ns=gap_ns)] == naive_sessions(placed, gap_ns)


def naive_moved(before: Timeline, after: Timeline) -> set[int]:
    """Every nanosecond of a block that is not in both, or that stands on another side of one that is."""
    old, new = list(before.placed), list(after.placed)
    differ = [b for b in old if b not in new] + [b for b in new if b not in old]
    both = [b for b in old if b in new]
    for a in both:
        for b in both:
            if (old.index(a) < old.index(b)) != (new.index(a) < new.index(b)):
                differ += [a, b]
    return {ns for b in differ for ns in range(b.start_ns, b.end_ns)}


@given(LINES, LINES)
def test_what_moved_is_that_of_the_naive_twin(before: Timeline, after: Timeline) -> None:
    spans = moved(before, after)
    assert {ns for start, end in spans for ns in range(start, end)} == naive_moved(before, after)
    assert all(early[1] < late[0] for early, late in pairwise(spans))
    assert spans == moved(after, before)


def test_old_and_new_places_are_told_and_joined() -> None:
    a, b, c = block(0, 10, seq=0), block(10, 20, seq=1), block(20, 30, seq=2)
    elsewhere = Placed(b.mark, 30, 40)
    assert moved(Timeline((a, b, c)), Timeline((a, c, elsewhere))) == [(10, 20), (30, 40)]
    assert moved(Timeline((a, b)), Timeline((a, b, c))) == [(20, 30)]
    assert moved(Timeline((a, b, c)), Timeline((b, a, c))) == [(0, 20)]
    assert moved(Timeline((a, b), (c.mark,)), Timeline((a, b))) == []
