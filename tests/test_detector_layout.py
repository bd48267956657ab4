"""Which channels a willed act works together: synergists, unknown muscles, several electrodes on one."""

from itertools import permutations

import naive_detector as naive
import numpy as np
import pytest
from detector_world import TWO, leg, run
from detector_world import cramp as cramping
from hypothesis import given
from hypothesis import strategies as st

from detector import DetectorError, Group, Layout
from detector.layout import SYNERGISTS

GM, GL, SOL, TA = "gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus", "tibialis_anterior"
names = st.sampled_from([GM, GL, SOL, TA, "vastus_medialis", "", "emg", f"{GM}_1", f"{GM}_2", "left_soleus"])


def mates(*muscles: str) -> list[list[bool]]:
    found: list[list[bool]] = Layout((Group("emg", 1000.0, len(muscles)),), muscles).mates().tolist()
    return found


@given(st.lists(names, min_size=1, max_size=6))
def test_mates_are_what_the_slow_twin_says(muscles: list[str]) -> None:
    assert mates(*muscles) == naive.mates(muscles, SYNERGISTS)


@given(st.lists(names, min_size=1, max_size=6))
def test_mates_are_mutual_and_nobody_is_their_own(muscles: list[str]) -> None:
    found = np.array(mates(*muscles))
    assert (found == found.T).all()
    assert not found.diagonal().any()


@pytest.mark.parametrize(("one", "other"), list(permutations([GM, GL, SOL], 2)))
def test_the_heads_of_the_calf_are_mates(one: str, other: str) -> None:
    assert mates(one, other) == [[False, True], [True, False]]


@pytest.mark.parametrize(
    ("one", "other"),
    [(GM, TA), (SOL, TA), (GM, "vastus_lateralis"), (GM, GM), (f"{GM}_1", f"{GM}_2"), (GM, f"{GM}_2")],
)
def test_opponents_and_electrodes_of_one_muscle_are_no_mates(one: str, other: str) -> None:
    assert mates(one, other) == [[False, False], [False, False]]


@pytest.mark.parametrize("unknown", ["", "emg", "channel_3", "flexor_carpi"])
def test_what_is_on_no_known_muscle_may_be_any(unknown: str) -> None:
    assert mates(unknown, GM) == mates(unknown, TA) == mates(unknown, unknown) == [[False, True], [True, False]]


def test_without_names_every_other_channel_is_a_mate() -> None:
    found = Layout((Group("emg", 1000.0, 2), Group("emg", 500.0, 1))).mates()
    np.testing.assert_array_equal(found, ~np.eye(3, dtype=np.bool_))


def test_names_are_as_many_as_channels() -> None:
    with pytest.raises(DetectorError, match="3 muscles are named for 2 EMG channels"):
        Layout(TWO.groups, (GM, GL, SOL))


@pytest.mark.parametrize(
    ("muscles", "found"),
    [((f"{GM}_1", f"{GM}_2"), 1), ((GM, TA), 1), ((GM, GL), 0), ((), 0)],
    ids=["one muscle twice", "its opponent", "both heads", "unnamed"],
)
def test_what_works_along_counts_only_on_a_mate(muscles: tuple[str, ...], found: int) -> None:
    """Two channels as active as each other from the same second, in a leg that lies still."""
    both = [cramping(60, 100, channel=c) for c in (0, 1)]
    told = run([leg(Layout(TWO.groups, muscles), 140.0, *both)])
    assert len(told.final) == found
    assert len(told.rejected) == 0
