"""Hostile input is ordinary input: extremes give results without a warning, and what cannot be right is refused."""

import numpy as np
from detector_world import TWO

from detector import Chunk, finish, pack, start, unpack, update


def test_an_empty_batch_goes_through() -> None:
    chunk = Chunk(
        t0_ns=np.zeros(0, np.int64),
        samples=(np.zeros((0, 2, 1000), np.int16), np.zeros((0, 3, 100), np.int16)),
        scale=(np.zeros((0, 2), np.float32), np.zeros((0, 3), np.float32)),
    )
    results, state = update(start(TWO, 0), chunk)
    assert state.streams == 0
    assert results.episodes == finish(state).episodes == ()
    assert len(results.epochs.start_ns) == 0
    assert unpack(TWO, pack(state)).streams == 0
