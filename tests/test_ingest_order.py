"""Order by boot and seq: nothing twice, nothing out of turn, nothing forgotten, and no mark beyond a block to come."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ingest.order import (
    ERA,
    HORIZON,
    MAX_BOOTS,
    MAX_GAPS,
    Arrival,
    Horizon,
    Order,
    Outcome,
    arrive,
    era_of,
    era_of_undated,
    go_offline,
    lose,
    lose_before,
)

SECOND_NS = 1_000_000_000


def at(boot: int, seq: int, length_s: int = 1) -> Arrival:
    t0_ns = (boot * 100_000 + seq * length_s) * SECOND_NS
    return Arrival(boot, seq, t0_ns, t0_ns + length_s * SECOND_NS)


def play(*blocks: Arrival, order: Order | None = None, horizon: Horizon = HORIZON) -> tuple[Order, list[Outcome]]:
    order = order or Order()
    outcomes = []
    for block in blocks:
        order, outcome = arrive(order, block, horizon=horizon)
        outcomes.append(outcome)
    return order, outcomes


def ready(outcomes: list[Outcome]) -> list[tuple[int, int]]:
    return [key for outcome in outcomes for key in outcome.ready]


def test_blocks_in_order_are_ready_at_once() -> None:
    order, outcomes = play(*(at(1, seq) for seq in range(5)))
    assert [outcome.ready for outcome in outcomes] == [((1, seq),) for seq in range(5)]
    assert order.durable(1) == 4
    assert order.held == ()


def test_a_block_out_of_order_is_held_until_the_one_before_it_comes() -> None:
    order, outcomes = play(at(1, 0), at(1, 2), at(1, 3))
    assert [outcome.disposition for outcome in outcomes] == ["ready", "held", "held"]
    assert order.durable(1) == 0
    order, outcomes = play(at(1, 1), order=order)
    assert outcomes[0].ready == ((1, 1), (1, 2), (1, 3))
    assert order.durable(1) == 3
    assert not outcomes[0].gaps


def test_duplicates_are_told_from_blocks_processed_held_and_of_old_boots() -> None:
    _, outcomes = play(at(1, 0), at(1, 1), at(1, 0), at(1, 3), at(1, 3), at(1, 2), at(2, 0), at(1, 3))
    assert [o.disposition for o in outcomes] == [
        "ready", "ready", "duplicate", "held", "duplicate", "ready", "ready", "duplicate",
    ]  # fmt: skip


def test_too_many_held_blocks_declare_the_gap_and_the_mark_stays_before_it() -> None:
    order, outcomes = play(at(1, 0), *(at(1, seq) for seq in range(3, 10)), horizon=Horizon(blocks=6, span_ns=10**15))
    (gap,) = outcomes[-1].gaps
    assert (gap.first, gap.last, gap.cause) == (1, 2, "horizon")
    assert (gap.start_ns, gap.end_ns) == (at(1, 0).end_ns, at(1, 3).t0_ns)
    assert ready(outcomes) == [(1, 0), *((1, seq) for seq in range(3, 10))]
    assert order.durable(1) == 0
    assert order.missing == 2


def test_held_blocks_that_span_too_much_time_declare_the_gap_but_a_few_are_always_held() -> None:
    horizon = Horizon(blocks=64, span_ns=120 * SECOND_NS, fewest=4)
    _, outcomes = play(at(1, 0, 60), *(at(1, seq, 60) for seq in (2, 3, 4)), horizon=horizon)
    assert not any(outcome.gaps for outcome in outcomes)
    _, outcomes = play(at(1, 0, 60), *(at(1, seq, 60) for seq in (2, 3, 4, 5)), horizon=horizon)
    assert outcomes[-1].gaps


def test_a_late_block_fills_its_gap_once_and_moves_the_mark() -> None:
    order, _ = play(at(1, 0), *(at(1, seq) for seq in (3, 4, 5)), horizon=Horizon(blocks=2))
    order, outcomes = play(at(1, 2), at(1, 1), at(1, 1), order=order)
    assert [outcome.disposition for outcome in outcomes] == ["late", "late", "duplicate"]
    assert ready(outcomes) == []
    assert order.durable(1) == 5


def test_a_new_boot_begins_at_once_when_nothing_is_held_before_it() -> None:
    order, outcomes = play(at(1, 0), at(2, 0), at(2, 1))
    assert ready(outcomes) == [(1, 0), (2, 0), (2, 1)]
    assert (order.durable(1), order.durable(2)) == (0, 1)


def test_a_new_boot_waits_for_a_hole_in_the_boot_before_it() -> None:
    order, outcomes = play(at(1, 0), at(1, 2), at(2, 0))
    assert ready(outcomes) == [(1, 0)]
    _, outcomes = play(at(1, 1), order=order)
    assert ready(outcomes) == [(1, 1), (1, 2), (2, 0)]


def test_an_old_boot_that_turns_out_longer_is_late() -> None:
    order, _ = play(at(1, 0), at(2, 0))
    order, outcomes = play(at(1, 2), at(1, 1), order=order)
    assert [outcome.disposition for outcome in outcomes] == ["late", "late"]
    assert order.durable(1) == 2


def test_a_device_first_heard_in_the_middle_of_a_boot_is_not_acknowledged() -> None:
    order, outcomes = play(*(at(7, seq) for seq in range(500, 504)), horizon=Horizon(blocks=3))
    assert ready(outcomes) == [(7, seq) for seq in range(500, 504)]
    assert order.durable(7) is None
    order, _ = lose(order, 7, 500, horizon=HORIZON)
    assert order.durable(7) == 503


def test_what_the_device_has_lost_is_not_waited_for() -> None:
    order, _ = play(at(1, 0), at(1, 5), at(1, 6))
    order, outcome = lose(order, 1, 5, horizon=HORIZON)
    assert outcome.ready == ((1, 5), (1, 6))
    assert [gap.cause for gap in outcome.gaps] == ["lost"]
    assert order.durable(1) == 6


def test_blocks_said_to_be_lost_count_if_they_come_after_all() -> None:
    order, _ = play(at(1, 0))
    order, outcome = lose(order, 1, 3, horizon=HORIZON)
    assert outcome == Outcome()
    _, outcomes = play(at(1, 1), at(1, 2), at(1, 3), order=order)
    assert ready(outcomes) == [(1, 1), (1, 2), (1, 3)]


def test_offline_ends_the_waiting_but_not_for_an_old_boot() -> None:
    order, _ = play(at(2, 0), at(2, 2), at(2, 4))
    assert go_offline(order, 1) == (order, Outcome())
    order, outcome = go_offline(order, 2)
    assert outcome.ready == ((2, 2), (2, 4))
    assert [(gap.first, gap.last, gap.cause) for gap in outcome.gaps] == [(1, 1, "offline"), (3, 3, "offline")]
    assert order.durable(2) == 0


def test_state_stays_small_and_the_mark_low() -> None:
    every_other = [at(1, 2 * i + 1) for i in range(2 * MAX_GAPS)]
    order, _ = play(*every_other, horizon=Horizon(blocks=0))
    assert len(order.boots[0].missing) == MAX_GAPS
    assert order.durable(1) is None
    order, _ = play(*(at(boot, 0) for boot in range(2, MAX_BOOTS + 10)), order=order)
    assert len(order.boots) == MAX_BOOTS
    _, outcomes = play(at(1, 0), order=order)
    assert outcomes[0].disposition == "late"


@given(st.lists(st.integers(0, 11), max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
def test_state_survives_being_written_down(seqs: list[int], write: list[bool]) -> None:
    plain = written = Order()
    for seq, again in zip(seqs, write, strict=False):
        block = at(1 + seq // 6, seq % 6)
        plain, expected = arrive(plain, block, horizon=Horizon(blocks=3))
        if again:
            written = msgspec.msgpack.decode(msgspec.msgpack.encode(written), type=Order)
        written, outcome = arrive(written, block, horizon=Horizon(blocks=3))
        assert (written, outcome) == (plain, expected)


@given(st.data())
def test_any_order_within_the_horizon_gives_each_block_once_and_in_order(data: st.DataObject) -> None:
    keys = [(boot, seq) for boot in (1, 2) for seq in range(data.draw(st.integers(1, 12)))]
    # Within a boot any order will do; only the boots themselves follow each other.
    sent = [key for boot in (1, 2) for key in data.draw(st.permutations([k for k in keys if k[0] == boot]))]
    for duplicate in data.draw(st.lists(st.sampled_from(keys), max_size=8)):
        sent.insert(data.draw(st.integers(sent.index(duplicate), len(sent))), duplicate)
    order, outcomes = play(*(at(*key) for key in sent))
    assert ready(outcomes) == keys
    assert not any(outcome.gaps for outcome in outcomes)
    assert sum(outcome.disposition == "duplicate" for outcome in outcomes) == len(sent) - len(keys)
    assert all(order.durable(boot) == max(s for b, s in keys if b == boot) for boot in (1, 2))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("block"), st.integers(0, 3), st.integers(0, 15)),
            st.tuples(st.just("offline"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("lose"), st.integers(0, 3), st.integers(0, 15)),
        ),
        max_size=80,
    ),
    st.integers(0, 6),
)
def test_whatever_comes(events: list[tuple[str, int, int]], blocks: int) -> None:
    horizon = Horizon(blocks=blocks)
    order = Order()
    came: set[tuple[int, int]] = set()
    done: list[tuple[int, int]] = []
    late: set[tuple[int, int]] = set()
    lost: dict[int, int] = {}
    for kind, boot, seq in events:
        if kind == "block":
            order, outcome = arrive(order, at(boot, seq), horizon=horizon)
            assert (outcome.disposition == "duplicate") == ((boot, seq) in came)
            came.add((boot, seq))
            if outcome.disposition == "late":
                late.add((boot, seq))
        elif kind == "offline":
            order, outcome = go_offline(order, boot)
        else:
            order, outcome = lose(order, boot, seq, horizon=horizon)
            lost[boot] = max(lost.get(boot, 0), seq)
        done += outcome.ready
        held = {(block.boot, block.seq) for block in order.held}
        assert done == sorted(set(done))
        assert came == set(done) | held | late
        assert len(came) == len(done) + len(held) + len(late)
        for known in range(4):
            mark = order.durable(known)
            if mark is not None:
                assert all((known, s) in came for s in range(lost.get(known, 0), mark + 1))


def test_time_between_boots_is_no_gap_in_what_was_measured() -> None:
    _, outcomes = play(at(1, 0), *(at(2, seq) for seq in (3, 4)), horizon=Horizon(blocks=1))
    (gap,) = outcomes[-1].gaps
    assert (gap.boot, gap.first, gap.last, gap.end_ns - gap.start_ns) == (2, 0, 2, 0)


def eras(order: Order, block: Arrival, *, copy: bool = False) -> tuple[int, int]:
    return divmod(era_of(order, block, lambda _: copy), ERA)


def test_a_boot_counter_that_starts_again_begins_a_new_era() -> None:
    order, _ = play(*(at(7, seq) for seq in range(5)))
    later = Arrival(1, 0, at(8, 0).t0_ns, at(8, 0).end_ns)
    assert eras(order, later) == (1, 1), "a lower boot, newer than all"
    again = Arrival(7, 0, at(9, 0).t0_ns, at(9, 0).end_ns)
    assert eras(order, again) == (1, 7), "a number that is taken by another block"
    assert eras(order, at(7, 2), copy=True) == (0, 7)
    assert eras(order, at(7, 5)) == (0, 7)
    assert eras(order, at(8, 0)) == (0, 8)
    assert eras(order, at(3, 0)) == (0, 3), "a backlog of an older boot"


def test_a_number_that_is_held_is_taken_too() -> None:
    order, _ = play(at(1, 0), at(1, 2))
    other = Arrival(1, 2, at(2, 0).t0_ns, at(2, 0).end_ns)
    assert eras(order, other) == (1, 1)
    assert eras(order, at(1, 2), copy=True) == (0, 1)


def test_a_block_without_a_time_is_of_the_latest_era_in_which_its_number_is_free() -> None:
    order, _ = play(at(1, 0), at(1, 1))
    assert divmod(era_of_undated(order, (1, 2), lambda _: False), ERA) == (0, 1)
    assert divmod(era_of_undated(order, (1, 1), lambda _: True), ERA) == (0, 1)
    assert divmod(era_of_undated(order, (1, 1), lambda _: False), ERA) == (1, 1)


def test_what_was_before_the_counter_started_again_may_come_after() -> None:
    order, _ = play(at(9, 0), at(9, 1))
    older = Arrival(9, 0, at(2, 0).t0_ns, at(2, 0).end_ns)
    assert eras(order, older) == (-1, 9)
    order, outcome = arrive(order, msgspec.structs.replace(older, boot=9 - ERA), horizon=HORIZON)
    assert outcome.disposition == "late"
    assert (order.durable(9 - ERA), order.durable(9)) == (0, 1)
    assert order.newest(9)
    assert not order.newest(9 - ERA), "an ack would speak of the newer boot of that number"


def test_what_a_device_has_lost_of_earlier_boots_is_not_waited_for() -> None:
    order, _ = play(*(at(1, seq) for seq in (2, 3)), *(at(2, seq) for seq in (5, 6)), horizon=Horizon(blocks=0))
    order, outcomes = play(at(3, 0), at(3, 1), order=order, horizon=Horizon(blocks=0))
    assert (order.durable(1), order.durable(2), order.durable(3)) == (None, None, 1)
    order, _ = lose_before(order, 2, 4, horizon=HORIZON)
    assert (order.durable(1), order.durable(2), order.durable(3)) == (3, 3, 1), "block 4 of boot 2 may still come"
    order, outcomes = play(at(2, 4), at(1, 0), order=order)
    assert [outcome.disposition for outcome in outcomes] == ["late", "late"]
    assert order.durable(2) == 6
