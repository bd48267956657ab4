"""The rules of episodes: what opens, what ends, and what a gap or a dead electrode does to a candidate."""

from dataclasses import replace

import numpy as np
from detector_world import SECOND_NS, TWO, Active, leg, run

from detector import Params

HOUR_NS = 3600 * SECOND_NS


def test_a_candidate_does_not_wait_out_a_gap() -> None:
    whole = leg(TWO, 400.0, Active(60, 70), Active(300, 305))
    told = run([whole.part(0, 70), whole.part(300, 400, shift_ns=HOUR_NS)])
    assert told.episodes == ()


def test_an_onset_does_not_reach_back_over_a_gap() -> None:
    whole = leg(TWO, 400.0, Active(60, 66), Active(300, 330))
    told = run([whole.part(0, 66), whole.part(300, 400, shift_ns=60 * SECOND_NS)])
    assert told.seconds() == [(360.0, 390.0)]


def test_a_channel_is_not_still_hot_when_its_electrode_is_back() -> None:
    """Strong enough to stay hot, too weak to become so; told from chunks that are cut just where it begins."""
    whole = leg(TWO, 200.0, Active(60, 65, ratio=12.0), Active(125, 150, ratio=2.5))
    emg = whole.samples[0].copy()
    emg[0, 65_000:120_000] = 0
    whole = replace(whole, samples=(emg, whole.samples[1]))
    for cuts in ([], [95.0], [125.0], np.arange(200.0)):
        assert run(whole.cut(cuts), params=Params(on_ratio=4.0)).episodes == ()
