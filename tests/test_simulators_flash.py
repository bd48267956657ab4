"""A simulated device's memory, what it sends again, and what it does in which order."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.away import at_home, away
from simulators.device import Clock, Device
from simulators.errors import FlashError, ScenarioError
from simulators.flash import PIECES, Flash
from simulators.link import Kept, Link, Sent
from simulators.repeats import AT_A_TIME, LONGEST_S, Repeats
from simulators.scenarios import build

START_NS = 1_760_000_000_000_000_000


def device(**change: object) -> Device:
    """One minute in blocks of 2 s."""
    (one,) = build("minute", seed=1, start_ns=START_NS)
    return replace(one, block_s=2.0, **change)  # type: ignore[arg-type]


def held(flash: Flash) -> list[bytes | None]:
    return [flash.payload(place) for place in flash.places()]


def test_a_block_is_held_until_it_is_durable() -> None:
    flash = Flash()
    for seq in range(5):
        assert flash.keep((3, seq), bytes([seq])) == []
    assert flash.keep((2, 7), b"other boot") == []
    assert len(flash.forget(3, 2)) == 3
    assert held(flash) == [b"\x03", b"\x04", b"other boot"]
    assert (len(flash), flash.used_bytes, flash.dropped) == (3, 12, 0)
    assert flash.oldest() == (3, 3)
    assert flash.oldest(2) == (2, 7)
    assert flash.oldest(9) is None
    assert flash.newest() == {2: 7, 3: 4}
    assert flash.payload(1) is None
    assert flash.place((3, 1)) is None
    flash.close()


def test_a_block_that_is_held_stays_as_it_is() -> None:
    flash = Flash()
    flash.keep((1, 0), b"first")
    assert flash.keep((1, 0), b"again") == []
    assert held(flash) == [b"first"]
    flash.close()


def test_what_was_kept_is_there_after_a_reboot(tmp_path: Path) -> None:
    before = Flash(tmp_path / "leg.flash")
    for seq in range(4):
        before.keep((1, seq), b"x" * seq)
    before.forget(1, 1)
    after = Flash(tmp_path / "leg.flash")  # the first was never closed: the device was killed
    assert [len(payload or b"") for payload in held(after)] == [2, 3]
    assert (len(after), after.used_bytes) == (2, 5)
    after.close()
    before.close()


@given(sizes=st.lists(st.integers(0, 100), min_size=1, max_size=60), capacity=st.integers(100, 1000))
def test_only_the_oldest_go_and_only_for_want_of_room(sizes: list[int], capacity: int) -> None:
    flash = Flash(capacity_bytes=capacity)
    gone = [place for seq, size in enumerate(sizes) for place in flash.keep((1, seq), bytes(size))]
    left = flash.places()
    assert gone + left == list(range(1, len(sizes) + 1))
    assert flash.used_bytes == sum(sizes[place - 1] for place in left) <= capacity
    assert (flash.dropped, len(flash)) == (len(gone), len(left))
    if gone:  # room was made for one block and a piece more, and not for another
        assert sum(sizes[gone[-1] - 1 :]) > capacity - max(sizes) - capacity // PIECES
    flash.close()


def test_a_memory_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="does not fit"):
        Flash(capacity_bytes=3).keep((1, 0), b"four")
    with pytest.raises(FlashError, match="cannot be opened"):
        Flash(tmp_path / "missing" / "leg.flash")
    (tmp_path / "no.flash").write_text("this is no flash " * 100)
    with pytest.raises(FlashError, match="cannot be used"):
        Flash(tmp_path / "no.flash")


def taken(repeats: Repeats) -> list[int]:
    """Everything that is to be sent again now."""
    found = []
    while (place := repeats.take()) is not None:
        found.append(place)
    return found


def test_everything_sent_is_due_after_a_connect_and_only_that() -> None:
    repeats = Repeats([4, 2], now_s=0.0)
    repeats.connected(now_s=0.0)
    assert taken(repeats) == [2, 4]
    repeats.sent(9, now_s=1.0)
    repeats.vouched([2], now_s=2.0)
    repeats.gone([4])
    assert taken(repeats) == []
    repeats.connected(now_s=3.0)
    assert taken(repeats) == [9]
    assert len(repeats) == 1


def test_silence_is_answered_with_growing_pauses() -> None:
    repeats = Repeats([], now_s=0.0, pause_s=60.0)
    assert not repeats.overdue(now_s=1e9)  # nothing was sent
    repeats.sent(1, now_s=0.0)
    tries = []
    for second in range(20_000):
        if repeats.overdue(now_s=float(second)):
            assert taken(repeats) == [1]
            tries.append(second)
    assert tries == [60, 180, 420, 900, 1860, 3780, 7380, 10_980, 14_580, 18_180]
    assert tries[-1] - tries[-2] == LONGEST_S
    repeats.sent(2, now_s=20_000.0)
    repeats.vouched([1], now_s=20_000.0)
    assert not repeats.overdue(now_s=20_059.0)
    assert repeats.overdue(now_s=20_060.0)


def test_a_device_that_is_busy_with_new_blocks_does_not_wait() -> None:
    repeats = Repeats([1], now_s=0.0, pause_s=10.0)
    repeats.busy(now_s=9.0)
    assert not repeats.overdue(now_s=18.0)
    assert repeats.overdue(now_s=19.0)


def test_only_so_many_are_repeated_until_the_service_answers() -> None:
    repeats = Repeats(range(3 * AT_A_TIME), now_s=0.0, pause_s=60.0)
    repeats.connected(now_s=0.0)
    first = taken(repeats)
    assert first == list(range(AT_A_TIME))
    half = AT_A_TIME // 2
    assert repeats.overdue(now_s=60.0)
    # The oldest once more, for they may have been lost again, and others: one that is refused bars nobody.
    assert taken(repeats) == [*range(half), *range(AT_A_TIME, AT_A_TIME + half)]
    assert repeats.overdue(now_s=180.0)
    assert taken(repeats) == [*range(half), *range(AT_A_TIME + half, 2 * AT_A_TIME)]
    repeats.vouched(range(2 * AT_A_TIME + 5), now_s=181.0)
    assert taken(repeats) == list(range(2 * AT_A_TIME + 5, 3 * AT_A_TIME))
    assert not repeats.waiting


def test_the_oldest_follow_the_rest_when_everything_was_sent_again() -> None:
    repeats = Repeats(range(AT_A_TIME + 10), now_s=0.0, pause_s=60.0)
    repeats.connected(now_s=0.0)
    taken(repeats)
    assert repeats.overdue(now_s=60.0)
    assert sorted(taken(repeats)) == [*range(AT_A_TIME // 2), *range(AT_A_TIME, AT_A_TIME + 10)]
    assert repeats.overdue(now_s=180.0)
    assert taken(repeats) == list(range(AT_A_TIME))


def test_a_new_connection_begins_with_short_pauses() -> None:
    repeats = Repeats([1], now_s=0.0, pause_s=60.0)
    assert repeats.overdue(now_s=60.0)
    repeats.connected(now_s=100.0)
    assert repeats.overdue(now_s=160.0)


def keys(steps: list[object], kind: type[Kept] | type[Sent]) -> list[tuple[int, int]]:
    return [
        (step.block.boot, step.block.seq) if isinstance(step, Kept) else step.key
        for step in steps
        if isinstance(step, kind) and isinstance(step, Kept | Sent)
    ]


def test_newest_first_sends_the_same_blocks_in_reverse() -> None:
    away = {"reboots_s": (13.0, 31.0), "reboot_lasts_s": 3.0}
    link = Link(offline=((0.0, 61.0),), doubled=0.2)
    oldest = list(device(link=link, **away).steps())
    newest = list(device(link=replace(link, order="newest"), **away).steps())
    assert keys(newest, Sent) == keys(oldest, Sent)[::-1]
    assert keys(newest, Kept) == keys(oldest, Kept) == sorted(keys(oldest, Kept))
    assert {key[0] for key in keys(newest, Kept)} == {1, 2, 3}
    times = {step.key: step.times for step in oldest if isinstance(step, Sent)}
    assert {step.key: step.times for step in newest if isinstance(step, Sent)} == times
    assert set(times.values()) == {1, 2}
    at_ns = [step.at_ns for step in newest]
    assert at_ns == sorted(at_ns)
    assert {step.at_ns for step in newest if isinstance(step, Sent)} == {START_NS + 61 * 10**9}


def test_a_device_with_a_memory_of_its_own_keeps_before_it_can_send() -> None:
    steps = list(device(link=Link(offline=((10.0, 30.0),)), flash_bytes=10**6).steps())
    kept = [(step.at_ns - START_NS) // 10**9 for step in steps if isinstance(step, Kept)]
    sent = [(step.at_ns - START_NS) // 10**9 for step in steps if isinstance(step, Sent)]
    assert kept == list(range(2, 62, 2))
    assert sent == [2, 4, 6, 8, *[30] * 10, *range(30, 62, 2)]


def test_swapped_and_lost_blocks_are_kept_in_the_order_of_their_numbers() -> None:
    steps = list(device(link=Link(lost=0.2, swapped=0.3)).steps())
    kept = keys(steps, Kept)
    assert kept == sorted(kept)
    assert len(kept) < 30
    assert keys(steps, Sent) != kept
    assert sorted(keys(steps, Sent)) == kept


def test_a_clock_counts_from_1970_until_it_is_set_and_jumps() -> None:
    clock = Clock(set_after_s=6.0, jumps=((0.0, 100.0), (40.0, -99.0)))
    leg = device(clock=clock, reboots_s=(20.0,), reboot_lasts_s=4.0)
    stamps = [((step.block.boot, step.block.seq), step.block.t0) for step in leg.steps() if isinstance(step, Kept)]
    assert [t0 for _, t0 in stamps[:3]] == [0, 2 * 10**9, 4 * 10**9]
    assert stamps[3] == ((1, 3), START_NS + 106 * 10**9)
    assert stamps[10] == ((2, 0), 0)
    assert stamps[13] == ((2, 3), START_NS + 130 * 10**9)
    assert stamps[18] == ((2, 8), START_NS + 41 * 10**9)
    for (boot, seq), t0 in stamps:
        true_ns = START_NS + ((seq * 2) if boot == 1 else 24 + seq * 2) * 10**9
        assert leg.reads_ns(true_ns) == t0
        assert leg.unset(true_ns) == (seq < 3)


def test_devices_come_back_newest_first_with_what_they_would_have_sent_at_home() -> None:
    fleet = away(3, seed=5, start_ns=START_NS, nights=2, hours=0.2, block_s=10.0)
    assert len({one.device for one in fleet}) == 3
    for back, home in zip(fleet, at_home(fleet), strict=True):
        late, live = list(back.steps()), list(home.steps())
        blocks = [step.block for step in live if isinstance(step, Kept)]
        assert [step.block for step in late if isinstance(step, Kept)] == blocks
        assert keys(late, Sent) == keys(live, Sent)[::-1]
        nights_ns = [(span.start_ns, span.end_ns) for span in back.truth().recorded]
        assert min(step.at_ns for step in late if isinstance(step, Sent)) > nights_ns[-1][1]
        assert any(step.times == 2 for step in late if isinstance(step, Sent))
        assert len(back.truth().cramps) >= 2
        assert sum(end_ns - start_ns for start_ns, end_ns in nights_ns) <= 2 * 720 * 10**9
    boots = [len({boot for boot, _ in one.sessions()}) for one in away(20, seed=1, start_ns=START_NS, hours=0.2)]
    assert 2.5 < sum(boots) / len(boots) - 1 < 4.5  # seven nights, half a reboot in each
    with pytest.raises(ScenarioError, match="0 devices"):
        away(0, seed=1, start_ns=START_NS)
