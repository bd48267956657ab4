"""Faults of a device's clock: each is mended where the blocks tell how, and whatever else there is stays as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clock import Timeline, impossible, moved, timeline
from ingest.marks import Mark

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
NOON_NS = 1_767_268_800 * SECOND_NS  # 2026-01-01T12:00:00Z
YEAR_2020_NS = 1_577_836_800 * SECOND_NS
YEAR_2100_NS = 4_102_444_800 * SECOND_NS
YEAR_2106_NS = 2**32 * SECOND_NS


def run(first: int, count: int, t0_ns: int, *, boot: int = 1, true_ns: int | None = None) -> list[Mark]:
    """Blocks of a minute from seq `first` on, that begin at `t0_ns` by the device and come as they end."""
    out = []
    for i in range(count):
        at, end = i * 60 * SECOND_NS, (i + 1) * 60 * SECOND_NS
        out.append(Mark(boot, first + i, t0_ns + at, t0_ns + end, (true_ns or t0_ns) + end))
    return out


def minutes(line: Timeline) -> list[tuple[int, float]]:
    """Seq and start of what is dated, in minutes from noon."""
    return [(block.mark.seq, (block.start_ns - NOON_NS) / (60 * SECOND_NS)) for block in line.placed]


def steady(*seqs: int) -> list[tuple[int, float]]:
    return [(seq, float(seq)) for seq in seqs]


@pytest.mark.parametrize(
    ("t0_ns", "received_ns", "out"),
    [
        (YEAR_2020_NS - 1, NOON_NS, True),
        (YEAR_2020_NS, NOON_NS, False),
        (NOON_NS + DAY_NS, NOON_NS, False),
        (NOON_NS + DAY_NS + 1, NOON_NS, True),
        (NOON_NS, NOON_NS + 1000 * DAY_NS, False),
        (YEAR_2100_NS - 1, YEAR_2100_NS, False),
        (YEAR_2100_NS, YEAR_2100_NS, True),
    ],
)
def test_a_clock_is_impossible_outside_its_century_and_a_day_ahead_of_arrival(
    t0_ns: int, received_ns: int, out: bool
) -> None:
    assert impossible(t0_ns, received_ns=received_ns) is out
    line = timeline([Mark(1, 0, t0_ns, t0_ns + SECOND_NS, received_ns)])
    assert (len(line.placed), len(line.undated)) == (not out, out)


def test_no_blocks_make_an_empty_timeline() -> None:
    assert timeline([]) == Timeline()


@pytest.mark.parametrize("unset_ns", [0, 5 * SECOND_NS, YEAR_2106_NS, NOON_NS + 30 * HOUR_NS])
def test_an_unset_clock_is_dated_from_where_it_was_set(unset_ns: int) -> None:
    line = timeline([*run(0, 10, unset_ns, true_ns=NOON_NS), *run(10, 10, NOON_NS + 600 * SECOND_NS)])
    assert minutes(line) == steady(*range(20))
    assert line.undated == ()


@pytest.mark.parametrize("unset_ns", [0, YEAR_2106_NS])
def test_a_clock_that_is_lost_is_dated_from_what_came_before(unset_ns: int) -> None:
    line = timeline([*run(0, 10, NOON_NS), *run(10, 10, unset_ns, true_ns=NOON_NS)])
    assert minutes(line) == steady(*range(20))


def test_a_missing_block_where_the_clock_was_set_leaves_what_is_before_undated() -> None:
    unset, later = run(0, 9, 0, true_ns=NOON_NS), run(10, 10, NOON_NS + 600 * SECOND_NS)
    line = timeline([*unset, *later])
    assert minutes(line) == steady(*range(10, 20))
    assert line.undated == tuple(unset)


def test_a_missing_block_elsewhere_in_an_unset_run_does_no_harm() -> None:
    unset = run(0, 10, 0, true_ns=NOON_NS)
    line = timeline([*unset[:3], *unset[5:], *run(10, 10, NOON_NS + 600 * SECOND_NS)])
    assert minutes(line) == steady(0, 1, 2, *range(5, 20))


def test_several_settings_are_followed_back() -> None:
    marks = [*run(0, 5, 0, true_ns=NOON_NS), *run(5, 5, YEAR_2106_NS, true_ns=NOON_NS)]
    marks += [*run(10, 5, NOON_NS + 3 * HOUR_NS), *run(15, 5, NOON_NS + 900 * SECOND_NS)]
    assert minutes(timeline(marks)) == steady(*range(20))


def test_an_unset_run_keeps_its_pauses() -> None:
    marks = [*run(0, 5, 0, true_ns=NOON_NS), *run(5, 5, 8 * HOUR_NS, true_ns=NOON_NS)]
    line = timeline([*marks, *run(10, 5, NOON_NS + 600 * SECOND_NS)])
    assert minutes(line) == [(seq, seq + 5 - 480.0) for seq in range(5)] + steady(*range(5, 15))


def test_a_clock_that_was_never_set_stays_undated() -> None:
    marks = run(0, 10, 0, true_ns=NOON_NS)
    assert timeline(marks[::-1]) == Timeline((), tuple(marks))


def test_a_block_that_is_proved_wrong_takes_its_run_with_it() -> None:
    live = run(0, 5, NOON_NS + 30 * HOUR_NS, true_ns=NOON_NS)
    sent_later = run(5, 5, live[-1].end_ns, true_ns=NOON_NS + 12 * HOUR_NS)
    assert len(timeline(sent_later).placed) == 5
    assert len(timeline([*live, *sent_later]).undated) == 10


def test_a_clock_set_back_by_two_hours_places_what_is_before_anew() -> None:
    line = timeline([*run(0, 10, NOON_NS + 2 * HOUR_NS), *run(10, 10, NOON_NS + 600 * SECOND_NS)])
    assert minutes(line) == steady(*range(20))


def test_a_missing_block_where_the_clock_was_set_back_leaves_both_as_sent() -> None:
    line = timeline([*run(0, 9, NOON_NS + 2 * HOUR_NS), *run(10, 10, NOON_NS + 600 * SECOND_NS)])
    assert minutes(line) == [*steady(*range(10, 20)), *((seq, seq + 120.0) for seq in range(9))]


def test_clocks_that_overlap_with_holes_in_both_stay_apart() -> None:
    ahead, right = run(0, 180, NOON_NS + 2 * HOUR_NS), run(180, 180, NOON_NS + 180 * 60 * SECOND_NS)
    kept = [mark for mark in ahead + right if mark.seq % 7 != 3]
    assert minutes(timeline(kept)) == steady(*(mark.seq for mark in kept))


def test_small_corrections_are_left_as_they_are() -> None:
    marks = [*run(0, 10, NOON_NS), *run(10, 10, NOON_NS + 570 * SECOND_NS), *run(20, 10, NOON_NS + 1200 * SECOND_NS)]
    line = timeline(marks)
    assert [block.mark for block in line.placed] == marks
    assert all(block.start_ns == block.mark.t0_ns for block in line.placed)


@pytest.mark.parametrize("ppm", [200, -200])
def test_drift_that_is_set_right_every_six_hours_moves_nothing(ppm: int) -> None:
    marks = []
    for seq in range(8 * 60):
        true_ns = seq * 60 * SECOND_NS
        since_ns = true_ns % (6 * HOUR_NS)
        t0_ns = NOON_NS + true_ns + since_ns * ppm // 1_000_000
        marks.append(Mark(1, seq, t0_ns, t0_ns + 60 * SECOND_NS, NOON_NS + true_ns + 60 * SECOND_NS))
    line = timeline(marks[::-1])
    assert [block.mark for block in line.placed] == marks
    assert all(block.start_ns == block.mark.t0_ns for block in line.placed)


def test_a_clock_set_back_moves_a_pause_of_minutes_but_not_another_session() -> None:
    before = [*run(0, 5, NOON_NS - 5 * HOUR_NS), *run(5, 5, NOON_NS), *run(10, 5, NOON_NS + 15 * 60 * SECOND_NS)]
    line = timeline([*before, *run(15, 5, NOON_NS + 15 * 60 * SECOND_NS)])
    assert minutes(line) == [
        *((seq, seq - 300.0) for seq in range(5)),
        *((seq, seq - 10.0) for seq in range(5, 10)),  # the pause of ten minutes is kept
        *((seq, float(seq)) for seq in range(10, 20)),
    ]


@pytest.mark.parametrize("hours", [5, -5])
def test_a_clock_that_strays_and_comes_back_is_moved_alone(hours: int) -> None:
    marks = [*run(0, 10, NOON_NS), *run(10, 10, NOON_NS + hours * HOUR_NS), *run(20, 10, NOON_NS + 1200 * SECOND_NS)]
    assert minutes(timeline(marks)) == steady(*range(30))


def test_a_clock_that_strays_for_longer_leaves_what_fits_alone() -> None:
    marks = [*run(0, 10, NOON_NS), *run(10, 10, NOON_NS + 5 * HOUR_NS + 610 * SECOND_NS)]  # and ten seconds more
    marks += [*run(20, 10, NOON_NS + 5 * HOUR_NS + 1800 * SECOND_NS), *run(30, 10, NOON_NS + 2400 * SECOND_NS)]
    assert minutes(timeline(marks)) == [
        *steady(*range(10)),
        *((seq, seq + 1 / 6) for seq in range(10, 20)),
        *((seq, seq + 10.0) for seq in range(20, 30)),
        *((seq, seq + 10.0) for seq in range(30, 40)),
    ]


def test_another_session_that_must_give_way_keeps_its_pause() -> None:
    marks = [*run(0, 5, NOON_NS - 180 * 60 * SECOND_NS), *run(5, 5, NOON_NS + 60 * SECOND_NS)]
    line = timeline([*marks, *run(10, 5, NOON_NS - 300 * 60 * SECOND_NS)])
    assert minutes(line) == [
        *((seq, seq - 486.0) for seq in range(5)),
        *((seq, seq - 310.0) for seq in range(5, 15)),
    ]


def test_a_lost_clock_keeps_its_pauses() -> None:
    marks = [*run(0, 5, NOON_NS), *run(5, 5, 0, true_ns=NOON_NS), *run(10, 5, 15 * 60 * SECOND_NS, true_ns=NOON_NS)]
    assert minutes(timeline(marks)) == [*steady(*range(10)), *((seq, seq + 10.0) for seq in range(10, 15))]


def test_back_over_a_missing_block_the_order_is_that_of_time() -> None:
    first, second = run(0, 10, NOON_NS), run(11, 10, NOON_NS - 300 * SECOND_NS)
    assert [block.mark for block in timeline(second + first).placed] == second + first
    apart = run(11, 10, NOON_NS - HOUR_NS)
    assert [block.mark for block in timeline(apart + first).placed] == apart + first


def test_a_boot_counter_that_starts_again_makes_a_second_incarnation() -> None:
    first, second = run(0, 10, NOON_NS), run(0, 20, NOON_NS + DAY_NS)
    line = timeline([*second, *first])
    assert [block.mark for block in line.placed] == first + second
    assert all(block.start_ns == block.mark.t0_ns for block in line.placed)


def test_many_starts_with_one_boot_number_and_losses_stay_apart() -> None:
    starts = [run(0, 40, NOON_NS + day * DAY_NS) for day in range(30)]
    kept = [mark for day, marks in enumerate(starts) for mark in marks if (mark.seq * 31 + day * 17) % 11]
    assert [block.mark for block in timeline(kept[::-1]).placed] == kept


def test_a_setting_that_two_incarnations_could_own_dates_nothing() -> None:
    unset = [*run(0, 5, 0, true_ns=NOON_NS), *run(0, 5, SECOND_NS, true_ns=NOON_NS + DAY_NS)]
    later = [*run(5, 5, NOON_NS), *run(5, 5, NOON_NS + DAY_NS)]
    line = timeline([*unset, *later])
    assert [block.mark for block in line.placed] == later
    assert line.undated == tuple(sorted(unset))


def test_of_a_repeated_block_the_first_to_come_counts() -> None:
    first = Mark(1, 0, NOON_NS, NOON_NS + SECOND_NS, NOON_NS + SECOND_NS)
    again = Mark(1, 0, NOON_NS, NOON_NS + SECOND_NS, NOON_NS + DAY_NS)
    assert [block.mark for block in timeline([again, first, again]).placed] == [first]


def test_boots_come_by_their_first_time() -> None:
    late, early, same = run(0, 3, NOON_NS, boot=1), run(0, 3, NOON_NS - DAY_NS, boot=2), run(0, 3, NOON_NS, boot=3)
    assert [block.mark for block in timeline([*same, *late, *early]).placed] == [*early, *late, *same]


@st.composite
def well_behaved(draw: st.DrawFn) -> list[Mark]:
    """Blocks of a device whose clock is right but for 30 s, with pauses, losses and other boots."""
    marks = []
    at_ns = NOON_NS
    for boot in range(draw(st.integers(1, 3))):
        for seq in range(draw(st.integers(1, 12))):
            length_ns = draw(st.sampled_from([SECOND_NS, 60 * SECOND_NS]))
            at_ns += draw(st.sampled_from([0, 0, 0, 5 * SECOND_NS, 300 * SECOND_NS, 9 * HOUR_NS, 40 * DAY_NS]))
            late_ns = draw(st.sampled_from([0, SECOND_NS, DAY_NS]))
            marks.append(Mark(boot, seq, at_ns, at_ns + length_ns, at_ns + length_ns + late_ns))
            at_ns += length_ns - draw(st.sampled_from([0, 0, SECOND_NS // 2]))
        at_ns += SECOND_NS
    return draw(st.lists(st.sampled_from(marks), min_size=1, unique=True)) if draw(st.booleans()) else marks


@given(well_behaved())
def test_a_clock_that_is_right_is_never_corrected(marks: list[Mark]) -> None:
    line = timeline(marks)
    assert [block.mark for block in line.placed] == sorted(marks)
    assert all((block.start_ns, block.end_ns) == (block.mark.t0_ns, block.mark.end_ns) for block in line.placed)
    assert line.undated == ()


@given(well_behaved(), st.data())
def test_one_more_block_of_a_right_clock_moves_no_other(marks: list[Mark], data: st.DataObject) -> None:
    added = data.draw(st.sampled_from(marks))
    before = timeline([mark for mark in marks if mark != added])
    assert moved(before, timeline(marks)) == [(added.t0_ns, added.end_ns)]


BASES_NS = [0, NOON_NS, NOON_NS + 2 * HOUR_NS, NOON_NS + 30 * HOUR_NS, NOON_NS + 50 * DAY_NS, YEAR_2106_NS]


@st.composite
def faulty(draw: st.DrawFn) -> list[Mark]:
    """Any blocks, close enough together to be taken for each other's neighbours."""
    marks = []
    for _ in range(draw(st.integers(0, 25))):
        t0_ns = draw(st.sampled_from(BASES_NS)) + draw(st.integers(0, 12)) * 20 * SECOND_NS
        length_ns = draw(st.sampled_from([20, 60])) * SECOND_NS
        received_ns = NOON_NS + draw(st.integers(0, 3)) * DAY_NS
        marks.append(Mark(draw(st.integers(0, 1)), draw(st.integers(0, 8)), t0_ns, t0_ns + length_ns, received_ns))
    return marks


def identity(mark: Mark) -> tuple[int, int, int]:
    return mark.boot, mark.seq, mark.t0_ns


@given(faulty(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_any_blocks_give_the_same(marks: list[Mark], random: object) -> None:
    shuffled = marks + marks[:3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert timeline(shuffled) == timeline(marks)


@given(faulty())
def test_every_block_is_there_once_and_as_long_as_it_was(marks: list[Mark]) -> None:
    line = timeline(marks)
    found = [identity(block.mark) for block in line.placed] + [identity(mark) for mark in line.undated]
    assert sorted(found) == sorted({identity(mark) for mark in marks})
    assert all(b.end_ns - b.start_ns == b.mark.end_ns - b.mark.t0_ns for b in line.placed)


@given(faulty())
def test_a_boot_number_is_placed_without_regard_to_others(marks: list[Mark]) -> None:
    line = timeline(marks)
    for boot in (0, 1):
        alone = timeline([mark for mark in marks if mark.boot == boot])
        assert [block for block in line.placed if block.mark.boot == boot] == list(alone.placed)
        assert [mark for mark in line.undated if mark.boot == boot] == list(alone.undated)


@st.composite
def set_right(draw: st.DrawFn) -> tuple[list[Mark], list[int]]:
    """Blocks without a pause of a clock that is ahead or unset and at last is set right; and when they truly began."""
    counts = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    ahead_h = sorted(draw(st.lists(st.integers(1, 23), min_size=len(counts), max_size=len(counts), unique=True)))
    marks, truth = [], []
    for i, count in enumerate(counts):
        left = len(counts) - 1 - i
        offset_ns = ahead_h[left] * HOUR_NS if left else 0
        unset_ns = draw(st.sampled_from([None, 5 * SECOND_NS, YEAR_2106_NS])) if left else None
        first, true_ns = len(marks), NOON_NS + len(marks) * 60 * SECOND_NS
        t0_ns = true_ns + offset_ns if unset_ns is None else unset_ns
        marks += run(first, count, t0_ns, true_ns=true_ns)
        truth += [true_ns + k * 60 * SECOND_NS for k in range(count)]
    return marks, truth


@given(set_right())
def test_a_clock_that_is_set_right_at_last_gives_the_true_times(case: tuple[list[Mark], list[int]]) -> None:
    marks, truth = case
    line = timeline(marks)
    assert [block.mark for block in line.placed] == marks
    assert [block.start_ns for block in line.placed] == truth


def test_newest_first_comes_to_the_same_and_what_is_dated_stays() -> None:
    marks = [*run(0, 10, 0, true_ns=NOON_NS), *run(10, 10, NOON_NS + 2 * HOUR_NS, true_ns=NOON_NS + 600 * SECOND_NS)]
    marks += run(20, 10, NOON_NS + 1200 * SECOND_NS)
    before, known = Timeline(), dict[int, int]()
    for count in range(1, len(marks) + 1):
        line = timeline(marks[-count:])
        now = {block.mark.seq: block.start_ns for block in line.placed}
        assert known.items() <= now.items()
        assert moved(before, line) == [(line.placed[0].start_ns, line.placed[0].end_ns)]
        before, known = line, now
    assert minutes(before) == steady(*range(30))
