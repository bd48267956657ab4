"""Where a device stands, from its blocks alone: as arrival left it."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from ingest_feed import SECOND_NS, T0_NS

from ingest.marks import Mark
from ingest.order import HORIZON, Arrival, Horizon, Order, arrive
from ingest.recall import order_from, without


def mark(boot: int, seq: int, at_s: float, received: int) -> Mark:
    start_ns = T0_NS + round(at_s * SECOND_NS)
    return Mark(boot, seq, start_ns, start_ns + SECOND_NS, T0_NS + 10**9 * 10**5 + received)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 25)), unique=True, max_size=60),
    st.randoms(use_true_random=False),
)
def test_the_order_is_that_of_arrival_in_sequence(keys: list[tuple[int, int]], rng: random.Random) -> None:
    sequence = [mark(boot, seq, boot * 10_000 + seq, i) for i, (boot, seq) in enumerate(sorted(keys))]
    order = Order()
    for item in sequence:
        arrival = Arrival(item.boot, item.seq, item.t0_ns, item.end_ns)
        order, _ = arrive(order, arrival, horizon=Horizon(blocks=0))
    assert order_from(sequence) == order
    shuffled = list(sequence)
    rng.shuffle(shuffled)
    assert order_from(shuffled) == order, "they are told apart by receipt"
    anyhow = [msgspec.structs.replace(item, received_ns=item.received_ns + rng.randrange(50)) for item in sequence]
    found = order_from(anyhow)
    assert {boot.boot: (boot.next_seq, boot.missing) for boot in found.boots} == {
        boot.boot: (boot.next_seq, boot.missing) for boot in order.boots
    }
    for item in sequence:
        _, outcome = arrive(found, Arrival(item.boot, item.seq, item.t0_ns, item.end_ns), horizon=HORIZON)
        assert outcome.disposition == "duplicate"


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_what_is_nowhere_is_missing_again(there: set[int], gone: set[int]) -> None:
    sequence = [mark(1, seq, seq, seq) for seq in sorted(there)]
    left = [item for item in sequence if item.seq not in gone]
    order, lost = without(order_from(sequence), left, {})
    first = left[0].seq if left else 0
    assert lost == len([item for item in sequence if item.seq in gone and item.seq > first]) or not left
    for item in sequence:
        if item.seq > first and left:
            _, outcome = arrive(order, Arrival(1, item.seq, item.t0_ns, item.end_ns), horizon=HORIZON)
            assert outcome.disposition == ("late" if item.seq in gone else "duplicate")
