"""Places found by time, held against looking at every one of them, and sessions that are many."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from ingest_feed import SECOND_NS

from ingest.devices import Device, Dirty
from ingest.marks import Mark
from ingest.order import Boot, Order
from ingest.pipeline import SESSION_GAP_NS
from ingest.replan import LONGEST_NS, Place, _Places, compare, identity

START_NS: Final = 1_790_000_000 * SECOND_NS
NEAR = st.integers(-3 * LONGEST_NS, 3 * LONGEST_NS) | st.sampled_from([0, -LONGEST_NS, LONGEST_NS])


@given(st.lists(st.tuples(NEAR, st.integers(0, LONGEST_NS)), max_size=30), NEAR, NEAR)
def test_places_between_two_instants(stretches: list[tuple[int, int]], start_ns: int, end_ns: int) -> None:
    places: list[Place] = [((1, seq, 0), at, at + length) for seq, (at, length) in enumerate(stretches)]
    found = _Places(places).between(start_ns, end_ns)
    assert sorted(found) == [place for place in places if place[2] > start_ns and place[1] < end_ns]


def test_each_of_many_sessions_begins_to_differ_where_its_first_late_block_is() -> None:
    sessions, blocks, late = 300, 40, 30
    length_ns = 10 * SECOND_NS
    marks = [
        Mark(1, session * blocks + seq, at_ns, at_ns + length_ns, at_ns + length_ns)
        for session in range(sessions)
        for seq in range(blocks)
        if (at_ns := START_NS + session * 4 * SESSION_GAP_NS + seq * length_ns)
    ]
    was = {identity(mark): mark.t0_ns for mark in marks if mark.seq % blocks != late}
    order = Order((Boot(1, len(marks), (), 0, START_NS, marks[-1].end_ns),), 1, (), marks[-1].end_ns)
    device = Device(order, dirty=Dirty(START_NS, marks[-1].end_ns, 0, 0, sessions))
    plan = compare("leg", marks, was, {identity(mark): (1, mark.seq) for mark in marks}, device=device)
    assert len(plan.sessions) == sessions
    for session in plan.sessions:
        (changed,) = session.changed
        assert session.from_ns == changed[2] - 60 * SECOND_NS
    assert [session.live for session in plan.sessions] == [False] * (sessions - 1) + [True]
