"""What the speed benchmarks feed and how they compare; they themselves are never timed here."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import NAMES, RESULTS, table
from benchmarks.detector_memory import state_bytes, write_edf
from benchmarks.detector_single_stream import with_activity
from benchmarks.harness import Timed, in_turn
from benchmarks.streams import layout_of, make_legs
from detector import start, update
from ingest.recording import open_recording


def test_ratios_are_taken_within_rounds() -> None:
    """The second round is slow for both, as on a machine with neighbours."""
    timed = Timed(1000, {"ours": (1.0, 10.0, 1.0), "theirs": (2.0, 20.0, 2.0)})
    assert timed.ratio("ours", "theirs") == 2.0
    assert timed.per_s("ours") == 1000.0
    assert timed.rates() == {"ours": [1000, 100, 1000], "theirs": [500, 50, 500]}


def test_rivals_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []

    def rival(name: str, seconds: float) -> float:
        calls.append(name)
        return seconds

    timed = in_turn({"a": lambda: rival("a", 1.0), "b": lambda: rival("b", 4.0)}, samples=8, rounds=2)
    assert calls == ["a", "b"] * 3
    assert timed.ratio("a", "b") == 4.0
    assert timed.seconds == {"a": (1.0, 1.0), "b": (4.0, 4.0)}


@pytest.mark.parametrize("fs_hz", [250.0, 1000.0, 1259.26])
@pytest.mark.parametrize("block_s", [1, 5])
def test_blocks_together_are_the_recording(fs_hz: float, block_s: int) -> None:
    legs = make_legs(3, seconds=10, layout=layout_of(fs_hz, 2))
    chunks = list(legs.chunks(block_s))
    assert len(chunks) == 10 // block_s
    for g in range(2):
        joined = np.concatenate([chunk.samples[g] for chunk in chunks], axis=-1)
        np.testing.assert_array_equal(joined, legs.samples[g][..., : joined.shape[-1]])
        assert joined.shape[-1] == round(10 * legs.layout.groups[g].fs_hz)
    assert len(set(legs.t0_ns % 10**10)) == 3


def test_the_share_of_legs_that_contract_gives_episodes() -> None:
    legs = make_legs(10, seconds=90, active_share=0.2)
    state, found = start(legs.layout, legs.streams), set()
    for chunk in legs.chunks(10):
        results, state = update(state, chunk)
        found |= {episode.stream for episode in results.episodes}
    assert found == {0, 1}


def test_a_single_stream_is_active_for_a_twentieth() -> None:
    rest = make_legs(1, seconds=1200, active_share=0)
    active = with_activity(rest)
    changed = (active.emg != rest.emg).reshape(1200, -1).any(-1)
    assert changed.sum() == 60


def test_recordings_of_any_length_are_written_as_edf(tmp_path: Path) -> None:
    write_edf(tmp_path / "leg.edf", hours=2)
    recording = open_recording(tmp_path / "leg.edf")
    assert recording.duration_s == 7200
    assert recording.layout.groups == layout_of().groups
    assert recording.sites == ("gastrocnemius_medialis",)


def test_a_stream_at_1_khz_is_remembered_in_4_kb() -> None:
    """A leg has two streams, EMG and acceleration; what grows with the rate is a second of unfinished samples."""
    assert state_bytes(1000.0, 1) <= 4096
    assert state_bytes(1000.0, 8) <= 9 * 4096
    assert state_bytes(2000.0, 1) - state_bytes(1000.0, 1) == 2 * 1150


def test_every_line_of_the_table_says_what_it_is() -> None:
    results = [
        {"name": "a", "ratio": 1.5, "unit": "x", "goal": 1.0, "table": [{"step": "cut", "ns": 2.0}]},
        {"name": "bcd", "ratio": 3, "unit": "y"},
    ]
    assert table(results).splitlines() == [
        "a         1.5  x (goal 1)",
        "       step cut, ns 2",
        "bcd         3  y",
    ]
    assert len(set(NAMES)) == len(NAMES)


PAGE = (Path(__file__).parent.parent / "docs" / "performance.md").read_text()
MEASURED = {result["name"]: result for result in json.loads(RESULTS.read_text())}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("detector_")])
def test_the_page_tells_what_was_measured(name: str) -> None:
    """To a fifth, for another run finds another figure."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    *_, goal, found, _ = (cell.strip().replace(",", "") for cell in row.split("|"))
    assert float(found) == pytest.approx(MEASURED[name]["ratio"], rel=0.2)
    if "goal" in MEASURED[name]:
        assert float(goal) == MEASURED[name]["goal"] <= MEASURED[name]["ratio"]
