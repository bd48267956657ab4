"""How blocks and statuses arrive changes no record: histories that once did, each as small as it could be made."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ingest_feed import SECOND_NS, block, cut, feed, recording
from test_ingest_late import EMG, FIRST, HOUR_NS, NOW, World, shifted

from ingest.order import Horizon
from ingest.wire import Block, Status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, NOW)
    yield world
    world.stop()


def over(world: World, blocks: Sequence[Block]) -> list[object]:
    """All that is found once the device has gone and its sessions are closed."""
    world.drain()
    feed(world.source, "a", [Status(boot=boot, online=False) for boot in sorted({b.boot for b in blocks})])
    world.drain()
    world.now_ns += 2 * HOUR_NS
    world.service.ingester.close_sessions()
    return world.drain()


def in_order(world: World, blocks: Sequence[Block]) -> list[object]:
    """What comes of the same blocks, sent once, in the order in which they were made, in one go."""
    (world.folder / "other").mkdir()
    other = World(world.folder / "other", replace(NOW, batch=1000, horizon=Horizon()))
    other.send(blocks)
    found = over(other, blocks)
    other.stop()
    return found


def test_sites_count_as_declared_only_for_the_boot_whose_status_named_them(world: World) -> None:
    other_leg = [
        block(EMG[:1000], site="tibialis_anterior", boot=2, seq=b.seq, t0=b.t0) for b in shifted(FIRST[:6], HOUR_NS)
    ]
    feed(world.source, "a", [Status(boot=1, online=True, sites=("soleus",)), *FIRST[:6], *other_leg[:3]])
    world.drain()
    feed(world.source, "a", [Status(boot=2, online=True), *other_leg[3:]])
    assert over(world, other_leg) == in_order(world, [*FIRST[:6], *other_leg])
    feed(
        world.source,
        "a",
        [Status(boot=2, online=True, sites=("soleus",)), msgspec.structs.replace(other_leg[5], seq=6)],
    )
    world.drain()
    assert world.store.statuses(["a"])[0].refused_blocks == 1


@pytest.mark.parametrize("step", [1, 4, 100])
def test_a_start_whose_clock_is_before_the_last_one_is_detected_in_before_it(world: World, step: int) -> None:
    first = FIRST[:2]
    second = shifted(FIRST[2:12], FIRST[0].t0 - FIRST[2].t0 - SECOND_NS, boot=2)  # the clock went back by 11 s
    blocks = [*first, *second]
    expected = in_order(world, blocks[::-1])
    for at in range(0, len(blocks), step):
        world.send(blocks[at : at + step])
        world.drain()
    assert over(world, blocks) == expected


def test_live_blocks_that_lie_before_what_late_ones_added_have_their_session_detected_again(world: World) -> None:
    blocks = [*shifted(FIRST[:2], 0), *shifted(FIRST[3:10], -600 * SECOND_NS, from_seq=3)]  # the clock was set back
    world.send([*blocks[2:7], *blocks[:2]])
    world.drain()
    world.send(blocks[7:])
    assert over(world, blocks) == in_order(world, blocks)


def test_what_was_dated_by_blocks_that_went_to_the_archive_stays_where_it_is(world: World) -> None:
    unset = shifted(FIRST[:20], -FIRST[0].t0 + 1000 * SECOND_NS)
    later = shifted(FIRST[:6], 100 * HOUR_NS, boot=2)
    world.send([*unset, *FIRST[20:]])
    world.drain()
    world.now_ns += 2 * HOUR_NS
    while world.service.keeper.step():
        pass
    world.send([later[0], *later[2:]])
    world.drain()
    world.send([later[1]])  # late: what lies around it is looked at
    blocks = [*unset, *FIRST[20:], *later]
    assert over(world, blocks) == in_order(world, blocks)
    world.stop()


def test_blocks_without_a_time_are_counted_while_they_are_held(world: World) -> None:
    unset = shifted(FIRST[:2], -FIRST[0].t0 + 1000 * SECOND_NS, boot=2)
    for blocks in ([FIRST[1]], unset, [FIRST[3]]):
        world.send(blocks)
        world.drain()
    over(world, [*FIRST[:4], *unset])
    assert world.store.statuses(["a"])[0].undated_blocks == 2


def test_an_epoch_that_is_found_no_more_where_time_goes_back_is_withdrawn(world: World) -> None:
    first, second = shifted(FIRST[:1], 0), shifted(FIRST[1:2], -22 * SECOND_NS, from_seq=1)
    third = shifted(FIRST[6:10], 0, boot=2)
    blocks = [*first, *second, *third]
    for some in (third, second, first):
        world.send(some)
        world.drain()
    assert over(world, blocks) == in_order(world, blocks)


def test_epochs_of_a_wrong_place_go_though_another_session_begins_in_their_last_second(world: World) -> None:
    early = [msgspec.structs.replace(FIRST[3], t0=FIRST[3].t0 - 5 * HOUR_NS)]
    again = [block(EMG[:1000], site="tibialis_anterior", seq=b.seq, t0=b.t0 + 40_000_000) for b in FIRST[:4]]
    world.send([*early, *again[:3]])
    world.drain()
    world.send(again[3:])
    blocks = [*early, *again]
    found = over(world, blocks)
    assert found == in_order(world, [*again, *early])


def test_a_repeated_block_is_known_whatever_life_of_the_counter_it_was_taken_for(world: World) -> None:
    ahead = shifted(FIRST[1:2], 600 * SECOND_NS, boot=0, from_seq=1)  # until its clock is set
    rest = shifted(FIRST[2:4], 0, boot=0, from_seq=12)
    other = shifted(FIRST[10:20], 0, boot=2)
    blocks = [*ahead, *rest, *other]
    for some in (other, ahead, rest[::-1], ahead):
        world.send(some)
        while world.service.step():
            pass
    assert len(world.journal.blocks("a")) == len(blocks)
    assert over(world, blocks) == in_order(world, blocks)


def test_epochs_of_archived_blocks_that_lose_their_time_again_are_withdrawn(world: World) -> None:
    unset = shifted(FIRST[:4], -FIRST[0].t0 + 1000 * SECOND_NS)
    world.send([*unset, *FIRST[4:10]])
    world.drain()
    world.now_ns += 2 * HOUR_NS
    while world.service.keeper.step():
        pass
    other = shifted(FIRST[4:10], 3 * HOUR_NS, from_seq=4)  # as good a time at which the clock may have been set
    world.send(other)
    blocks = [*unset, *FIRST[4:10], *other]
    assert over(world, blocks) == in_order(world, blocks)
    assert world.store.statuses(["a"])[0].undated_blocks == 4


def test_many_blocks_out_of_time_in_one_session_do_not_hide_those_of_another(tmp_path: Path) -> None:
    world = World(tmp_path, replace(NOW, settle_s=10.0))
    nights = []
    for night, (count, boot) in enumerate([(2, 1), (80, 3)]):
        first = shifted(FIRST[:2], night * 5 * HOUR_NS, boot=boot)
        short = cut(EMG, [1.0] * count, boot=boot + 1)
        nights += [*first, *shifted(list(short), night * 5 * HOUR_NS - SECOND_NS, boot=boot + 1)]
    world.send(nights)
    while world.service.ingester.step():
        pass
    found = over(world, nights)
    world.stop()
    assert found == in_order(world, nights[::-1])


def test_a_late_block_without_a_time_is_dated_though_what_dates_it_lies_beyond_a_day(world: World) -> None:
    unset = shifted(FIRST[:3], -FIRST[0].t0 + 1000 * SECOND_NS)
    then = shifted(FIRST[3:5], -FIRST[0].t0 + 1000 * SECOND_NS + 30 * HOUR_NS, from_seq=3)
    known = shifted(FIRST[5:10], 30 * HOUR_NS, from_seq=5)
    blocks = [*unset, *then, *known]
    world.send([unset[0], unset[2], *then, *known])
    world.drain()
    world.send(unset[1:2])
    assert over(world, blocks) == in_order(world, blocks)
    assert world.store.statuses(["a"])[0].undated_blocks == 0


def test_blocks_without_a_time_are_dated_however_many_boots_have_some(world: World) -> None:
    boots = [shifted(FIRST[:2], boot * 20 * SECOND_NS, boot=boot) for boot in range(1, 71)]
    unset = [shifted(both[:1], -both[0].t0, boot=both[0].boot) for both in boots]
    world.send([first for (first,) in unset])
    world.drain()
    assert world.store.statuses(["a"])[0].undated_blocks == 70
    world.send([both[1] for both in boots])
    blocks = [b for both, (first,) in zip(boots, unset, strict=True) for b in (first, both[1])]
    assert over(world, blocks) == in_order(world, blocks)
    assert world.store.statuses(["a"])[0].undated_blocks == 0


def test_a_block_between_late_ones_of_a_counter_that_began_again_is_detected_in_between_them(world: World) -> None:
    again = shifted(FIRST[:3], 600 * SECOND_NS, boot=0, from_seq=1)
    world.send([FIRST[0], again[1], again[0], again[2]])
    blocks = [FIRST[0], *again]
    assert over(world, blocks) == in_order(world, blocks)


def test_live_blocks_of_a_session_that_is_being_detected_again_are_detected_in(tmp_path: Path) -> None:
    def made(boot: int, seq: int, at_s: float, length_s: float) -> Block:
        first = round((at_s % 100) * 200)
        return block(
            EMG[first : first + round(length_s * 200)], boot=boot, seq=seq, t0=FIRST[0].t0 + round(at_s * SECOND_NS)
        )

    late = made(1, 1, 8, 1)  # its clock was ahead
    before = [made(2, seq, -72_000 + seq, 1) for seq in (0, 1, 2, 13)]
    live, elsewhere = made(3, 0, 1, 2.2), [made(4, 0, 79_000, 1), made(4, 16, 79_003, 1)]
    world = World(tmp_path, replace(NOW, batch=1000, settle_s=10))
    world.send([elsewhere[1], *before[::-1], late])
    for _ in range(3):
        world.service.step()
    world.now_ns += 11 * SECOND_NS
    world.service.step()  # the first of two sessions is detected again
    assert world.service.ingester.devices["a"].dirty
    world.send([live, elsewhere[0]])
    blocks = [late, *before, live, *elsewhere]
    found = over(world, blocks)
    world.stop()
    assert found == in_order(world, blocks)


def test_what_live_blocks_gave_while_their_session_was_detected_again_is_withdrawn_with_it(tmp_path: Path) -> None:
    blocks = list(cut(recording(200, bursts=((90, 15), (120, 50))), [5.0] * 40))
    horizon = Horizon(blocks=1, span_ns=SECOND_NS)
    world = World(tmp_path, replace(NOW, batch=1000, at_once=3, horizon=horizon))
    world.send([*blocks[20:22], *blocks[:20]])
    world.service.step()
    assert world.service.ingester.devices["a"].dirty, "a little of it is done"
    world.send(blocks[22:])  # detected in without what lies before, they hold another episode
    found = over(world, blocks)
    world.stop()
    assert found == in_order(world, blocks)


def test_what_was_open_of_a_block_that_moves_is_not_kept_where_it_was(tmp_path: Path) -> None:
    base_ns, other_leg = FIRST[0].t0 + 9 * SECOND_NS, "tibialis_anterior"
    ahead = block(EMG[:2000], boot=6, seq=1, t0=base_ns)
    set_back = block(EMG[2000:4000], boot=6, seq=2, t0=base_ns - 40 * HOUR_NS)
    unset = block(EMG[:1000], boot=7, seq=16, t0=1000 * SECOND_NS, site=other_leg)
    then_ns = base_ns - 20 * HOUR_NS
    then = [
        block(EMG[:1000], boot=7, seq=seq, t0=then_ns + seq * 5 * SECOND_NS, site=other_leg) for seq in (17, 21, 22, 23)
    ]
    again = block(EMG[:1000], boot=0, seq=0, t0=base_ns + 80 * HOUR_NS)
    world = World(tmp_path, replace(NOW, batch=1000, settle_s=0.05))
    world.send([set_back, *then, again, ahead, unset])
    blocks = [ahead, set_back, unset, *then, again]
    found = over(world, blocks)
    world.stop()
    assert found == in_order(world, blocks)


def test_a_block_that_has_its_time_from_those_before_it_may_get_another_from_the_next(world: World) -> None:
    unset = shifted(FIRST[3:4], 1000 * SECOND_NS - FIRST[3].t0, from_seq=3)
    then = shifted(FIRST[4:5], 3590 * SECOND_NS, from_seq=4)
    blocks = [*FIRST[:3], *unset, *then]
    world.send(blocks[:4])
    world.drain()
    world.send(then)
    assert over(world, blocks) == in_order(world, blocks)
