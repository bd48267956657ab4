"""Neither how the input is cut nor who else is in the batch changes anything, to the last bit of the state."""

import numpy as np
from detector_world import TWO, Told, leg, run

from detector import pack
from detector.results import Epochs

MS = 1_000_000


def assert_same(one: Told, other: Told) -> None:
    """Equal epochs, episodes as emitted, and states, bit by bit."""
    assert one.episodes == other.episodes
    for name in Epochs.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one.epochs, name), getattr(other.epochs, name), name, strict=True)
    np.testing.assert_array_equal(pack(one.state), pack(other.state))


def test_a_clock_set_forward_within_a_second_is_cut_like_any_other() -> None:
    whole = leg(TWO, 30.0)
    early, late = whole.part(0.0, 14.1), whole.part(14.1, 30.0, shift_ns=300 * MS)
    assert_same(run([early, late]), run([early, *late.cut(np.arange(0.1, 15.9, 0.1))]))
