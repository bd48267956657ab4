"""Turns, answers in order and patience: each against its plain meaning, and bounded whatever comes."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import Archive
from ingest.fair import (
    FORGET_S,
    GREEDY_S,
    LIMITED,
    LINE_BYTES,
    MUTE_S,
    REFUSALS,
    REFUSED,
    TURN_BYTES,
    WINDOW_S,
    Greed,
    InOrder,
    Lines,
    Patience,
    device_of,
)
from ingest.ingester import Ingester, Options
from ingest.journal import Journal
from ingest.source import Delivery, MemorySource
from ingest.wire import Status, encode

MANY = 1 << 60
Sent = tuple[str, int]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3 * TURN_BYTES)), max_size=60),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4 * TURN_BYTES)), max_size=20),
)
def test_what_is_put_is_taken_once_and_in_each_senders_order(
    sent: list[tuple[str, int]], takes: list[tuple[int, int]]
) -> None:
    lines: Lines[Sent] = Lines()
    for number, (sender, size) in enumerate(sent):
        lines.put(sender, (sender, number), size)
    assert lines.size == sum(size for _, size in sent) + len(lines) * LINE_BYTES
    taken: list[Sent] = []
    for max_n, max_bytes in takes:
        batch = lines.take(max_n, max_bytes)
        assert len(batch) <= max_n
        assert sum(sent[number][1] for _, number in batch[:-1]) < max_bytes
        taken += batch
    taken += lines.take(len(sent), MANY)
    assert sorted(number for _, number in taken) == list(range(len(sent)))
    by_sender: dict[str, list[int]] = defaultdict(list)
    for sender, number in taken:
        by_sender[sender].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_sender.values())
    assert (len(lines), lines.size) == (0, 0)


@pytest.mark.parametrize("size", [100, TURN_BYTES, 40 * TURN_BYTES])
def test_a_noisy_sender_waits_for_itself_alone(size: int) -> None:
    lines: Lines[Sent] = Lines()
    for number in range(2000):
        lines.put("noisy", ("noisy", number), size)
    lines.take(100, MANY)
    for sender in "abcde":
        for number in range(3):
            lines.put(sender, (sender, number), TURN_BYTES // 3)
    batch = lines.take(1000, 6 * TURN_BYTES + size)
    assert {item for item in batch if item[0] != "noisy"} == {(sender, n) for sender in "abcde" for n in range(3)}
    assert set(lines.limited) == {"noisy"}


def test_a_backlog_of_many_is_shared_by_bytes_and_nobody_is_noisy() -> None:
    lines: Lines[Sent] = Lines()
    for sender, size in (("small", 500), ("middle", 5_000), ("large", 50_000)):
        for _ in range(1_000_000 // size):
            lines.put(sender, (sender, size), size)
    got = dict.fromkeys(("small", "middle", "large"), 0)
    for sender, size in lines.take(10**6, 1_500_000):
        got[sender] += size
    assert all(abs(part - 500_000) <= 50_000 + TURN_BYTES for part in got.values()), got
    assert not lines.limited


def test_made_up_names_are_bounded_by_their_bytes() -> None:
    lines: Lines[Sent] = Lines()
    for number in range(1000):
        lines.put(f"name-{number}", ("", number), 1)
    assert lines.size == 1000 * (LINE_BYTES + 1)
    lines.put("device", ("device", 0), 1)
    assert ("device", 0) in lines.take(1001, MANY)
    for number in range(2 * LIMITED):
        lines.put(f"noisy-{number}", ("", number), 9)
        lines.put(f"noisy-{number}", ("", number), 9)
        lines.put("device", ("device", 0), 1)
        lines.take(1, MANY)
        lines.take(1, MANY)
    assert len(lines.limited) <= LIMITED


@given(st.permutations(range(12)), st.lists(st.integers(1, 5), max_size=12))
def test_answers_go_out_in_the_order_of_arrival_as_far_as_all_before_is_done(order: list[int], cuts: list[int]) -> None:
    answers = InOrder()
    for number in range(12):
        answers.arrived(number)
    done: set[int] = set()
    answered: list[int] = []
    for cut in [*cuts, 12]:
        now, order = order[:cut], order[cut:]
        done |= set(now)
        answered += answers.done(now)
        assert answered == list(range(next((n for n in range(12) if n not in done), 12)))
    assert len(answers) == 0


def test_what_is_done_twice_does_not_answer_the_next_of_that_number() -> None:
    answers = InOrder()
    for number in (1, 2):
        answers.arrived(number)
    assert answers.done([2, 2, 7]) == []
    assert answers.done([1, 1]) == [1, 2]
    answers.arrived(2)
    assert answers.done([1, 7]) == []
    assert len(answers) == 1


def test_who_is_refused_now_and_then_is_listened_to() -> None:
    patience = Patience()
    for at in range(10_000):
        assert patience.refused("a", at * WINDOW_S / REFUSALS) == 0
    assert patience.allows("a", 1e9)


def test_who_is_refused_too_often_is_not_listened_to_for_longer_each_time() -> None:
    patience = Patience()
    now, mutes = 0.0, []
    for _ in range(12):
        while not (mute := patience.refused("bad", now)):
            now += 0.01
        mutes.append(mute)
        assert patience.muted(now) == {"bad": pytest.approx(mute)}
        assert not patience.allows("bad", now + mute - 0.1)
        assert patience.allows("good", now)
        assert patience.refused("bad", now) == 0, "it is already told"
        now += mute
        assert patience.allows("bad", now)
    first, longest = MUTE_S
    assert mutes == [min(longest, first * 2**n) for n in range(12)]
    now += FORGET_S
    assert [patience.refused("bad", now) for _ in range(REFUSALS + 1)] == [0.0] * REFUSALS + [first]


def test_a_clock_that_goes_back_silences_nobody_for_longer() -> None:
    patience = Patience()
    for _ in range(REFUSALS + 1):
        patience.refused("bad", 1e9)
    assert not patience.allows("bad", 1e9)
    assert patience.allows("bad", 1e9 - 86_400)
    assert patience.muted(1e9 - 86_400) == {}
    assert patience.refused("good", 1e9) == patience.refused("good", 1e9 - 86_400) == 0


def test_patience_remembers_no_more_than_so_many() -> None:
    patience = Patience()
    for _ in range(REFUSALS + 1):
        patience.refused("bad", 0.0)
    for number in range(REFUSED - 1):
        patience.refused(str(number), 1.0)
    assert not patience.allows("bad", 1.0)
    patience.refused("one more", 1.0)
    assert patience.allows("bad", 1.0), "the one refused longest ago is forgotten"


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("charley/v1/leg-7/blocks", "leg-7"),
        ("charley/v1/leg-7/status", "leg-7"),
        ("charley/v1/leg 7/blocks", ""),
        ("charley/v1//blocks", ""),
        ("charley/v1/" + "x" * 65 + "/blocks", ""),
        ("", ""),
    ],
)
def test_topics_that_are_none_of_ours_are_one_sender(topic: str, device: str) -> None:
    assert device_of(topic) == device


def test_a_delivery_is_as_large_as_all_that_came_with_it() -> None:
    small = Delivery("t", b"", None, 1, 1, False, 0)
    assert Delivery("t" * 50_000, b"x" * 3_000, "c" * 20_000, 1, 1, False, 0).size >= small.size + 73_000 - 100


def test_a_source_gives_each_device_its_turn_and_hears_of_the_noisy_one() -> None:
    source = MemorySource()
    for number in range(3000):
        source.feed("charley/v1/noisy/blocks", str(number).encode() * 20)
    for number in range(3):
        source.feed("charley/v1/quiet/blocks", str(number).encode())
        source.feed("no topic of ours", str(number).encode())
    batch = source.take(100, 0)
    assert [d.payload for d in batch if "quiet" in d.topic] == [b"0", b"1", b"2"]
    assert sum(d.topic == "no topic of ours" for d in batch) == 3
    assert source.limited == {"noisy": 1}
    source.acknowledge([d for d in batch if "noisy" not in d.topic])
    assert source.outstanding == 3006, "what came before is not done"
    source.reconnect()
    assert len(source.take(10_000, 0)) == 3006, "the broker has heard of none"


def test_a_source_acknowledges_in_order_of_arrival() -> None:
    source = MemorySource()
    fed = [source.feed("charley/v1/a/blocks", b"0"), source.feed("charley/v1/b/blocks", b"1")]
    source.acknowledge(fed[1:])
    assert source.outstanding == 2
    source.acknowledge(fed[:1])
    assert source.outstanding == 0


def test_who_fills_the_queue_while_others_wait_is_crowding() -> None:
    lines: Lines[int] = Lines()
    for i in range(300):
        lines.put("noisy", i, 1000)
    lines.put("quiet", 0, 1000)
    assert not lines.crowding(0), "nobody had to wait yet"
    lines.take(1, 10**9)
    assert lines.crowding(200_000) == {"noisy": 1}
    assert not lines.crowding(300_000)


def looked(greed: Greed, counts: Iterable[int], *, from_s: float, every_s: float = 10.0) -> list[bool]:
    return [bool(greed.look({"noisy": n}, from_s + i * every_s)) for i, n in enumerate(counts)]


def test_who_crowds_for_minutes_is_not_listened_to_for_a_while() -> None:
    greed = Greed()
    found = looked(greed, range(40), from_s=1000.0)
    assert found.index(True) == GREEDY_S / 10
    assert greed.look({"noisy": 99}, 1000.0 + 400 + 600), "after a silence it is known at once"
    assert not greed.look({"noisy": 100}, 1000.0 + 1000 + 1300), "and forgotten in the end"


def test_nobody_is_greedy_who_fills_the_queue_alone_or_now_and_then() -> None:
    assert not any(looked(Greed(), [7] * 100, from_s=0.0)), "nobody else had anything to say"
    greed = Greed()
    assert not any(any(looked(greed, range(20), from_s=day * 86_400.0)) for day in range(5))
    backwards = Greed()
    assert not any(looked(backwards, range(100), from_s=1e6, every_s=-10.0))


def test_a_device_that_floods_is_passed_over_and_others_are_not(tmp_path: Path) -> None:
    source = MemorySource(max_queued_bytes=10_000)
    now_s = [1_790_000_000.0]
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        archive = Archive(tmp_path / "archive")
        ingester = Ingester(
            source,
            journal,
            archive,
            options=Options(batch=20),
            wall_ns=lambda: int(now_s[0] * 1e9),
            monotonic=lambda: now_s[0],
        )
        for turn in range(40):
            for seq in range(40):
                source.feed("charley/v1/noisy/status", encode(Status(boot=turn, online=True, battery=seq / 40)))
            source.feed("charley/v1/quiet/status", encode(Status(boot=turn, online=True)))
            ingester.step()
            now_s[0] += 10.0
        while ingester.step():
            pass
        assert source.outstanding == 0, "the broker is answered all the same"
        assert ingester.devices["quiet"].view.boot == 39
        assert ingester.devices["noisy"].view.boot < 39
