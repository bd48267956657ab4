"""Blocks to records: batches, cuts and company change nothing; a changed leg starts afresh; failures stay alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_feed import ACC_HZ, EMG_HZ, SECOND_NS, T0_NS, block, cut, recording

from detector import DEFAULT, VERSION, Chunk, Params, finish, start, unpack, update
from ingest.convert import to_episode, to_epochs
from ingest.legs import form_of, leg_from
from ingest.pipeline import Detected, Track, detect
from ingest.wire import Block, Signal


def feed(
    batches: Iterable[dict[str, Sequence[Block]]], *, tracks: dict[str, Track | None] | None = None
) -> tuple[list[Any], dict[str, Track | None], list[Detected]]:
    """All batches in turn: records as comparable text, the tracks in the end, and what each batch led to."""
    tracks = dict(tracks or {})
    steps = []
    for batch in batches:
        found = detect({name: track for name, track in tracks.items() if track}, batch)
        tracks.update(found.tracks)
        steps.append(found)
    records = [repr(record) for found in steps for record in (*found.episodes, *found.epochs)]
    return sorted(records), tracks, steps


def jittered(blocks: Iterable[Block], offsets_ms: Sequence[int]) -> list[Block]:
    return [
        msgspec.structs.replace(b, t0=b.t0 + offsets_ms[i % len(offsets_ms)] * 1_000_000) for i, b in enumerate(blocks)
    ]


def batched(blocks: list[Block], sizes: Sequence[int]) -> list[list[Block]]:
    found, at = [], 0
    while at < len(blocks):
        size = sizes[len(found) % len(sizes)]
        found.append(blocks[at : at + size])
        at += size
    return found


EMG = recording(150)
WHOLE = [block(EMG[: 60 * 200], seq=0), block(EMG[60 * 200 : 120 * 200], seq=1, t0=T0_NS + 60 * SECOND_NS)]


def test_what_the_pipeline_finds_is_what_the_detector_finds() -> None:
    _, tracks, (found,) = feed([{"a": list(cut(EMG, [1.0] * 150))}])
    layout = form_of(WHOLE[0]).leg.layout
    acc = np.tile(np.array([[0], [0], [4096]], np.int16), (1, 1, round(150 * ACC_HZ)))
    chunk = Chunk(
        t0_ns=np.array([T0_NS]),
        samples=(EMG[None, None], acc),
        scale=(np.full((1, 1), 0.1, np.float32), np.full((1, 3), 1 / 4096, np.float32)),
    )
    results, state = update(start(layout, 1), chunk)
    assert found.episodes == [to_episode("a", ["soleus"], episode) for episode in results.episodes]
    assert repr(found.epochs) == repr(to_epochs("a", ["soleus"], results.epochs))
    assert {episode.status for episode in found.episodes} == {"preliminary", "final"}
    track = tracks["a"]
    assert track is not None
    assert unpack(layout, np.frombuffer(track.row, np.uint8)[None])["next_s"] == state["next_s"]
    assert (track.anchor_ns, track.received[0]) == (T0_NS, len(EMG))


def test_a_signal_whose_true_rate_is_another_stays_beside_the_first() -> None:
    """A recorder that states 148.148 Hz and sends 148 samples a second, for an hour: 3.6 s short of what it states."""
    emg = recording(3600, seed=3, bursts=((1800, 60),))
    still = np.repeat(np.array([[0], [0], [4096]], "<i2"), 148, axis=1).tobytes()
    blocks = [
        Block(
            boot=1,
            seq=i,
            t0=T0_NS + i * SECOND_NS,
            signals=(
                *block(emg[i * 200 : (i + 1) * 200]).signals[:1],
                Signal(kind="acc", site="shank", fs_hz=148.148, scale=1 / 4096, channels=3, samples=still),
            ),
        )
        for i in range(3600)
    ]
    one_by_one, _, _ = feed([{"a": [b]} for b in blocks])
    at_once, _, steps = feed([{"a": blocks}])
    assert at_once == one_by_one
    epochs = [epoch for found in steps for epoch in found.epochs]
    assert sum(epoch.received_s for epoch in epochs) >= 3580
    assert all(epoch.movement_g < 1e-6 for epoch in epochs)


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from([0.1, 0.3, 1, 2.5, 10, 60]), min_size=1, max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_cutting_blocks_elsewhere_changes_no_record(lengths_s: list[float], sizes: list[int]) -> None:
    expected, _, _ = feed([{"a": list(cut(EMG, [1.0] * 150))}])
    blocks = list(cut(EMG, lengths_s * 1500))
    records, _, _ = feed({"a": batch} for batch in batched(blocks, sizes))
    assert records == expected


@settings(max_examples=12)
@given(
    st.lists(st.integers(-90, 90) | st.sampled_from([-700, 0, 0, 0, 300, 5000]), min_size=1, max_size=60),
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
)
def test_batches_change_nothing_whatever_the_clock_does(offsets_ms: list[int], sizes: list[int]) -> None:
    blocks = jittered(cut(EMG, [1.0] * 150), offsets_ms)
    one_by_one, tracks, _ = feed({"a": [b]} for b in blocks)
    together, same_tracks, _ = feed({"a": batch} for batch in batched(blocks, sizes))
    assert together == one_by_one
    assert same_tracks == tracks


def test_the_company_of_other_devices_changes_nothing() -> None:
    legs = {
        "a": list(cut(EMG, [1.0] * 150)),
        "b": list(cut(recording(150, seed=1), [2.0] * 75)),
        "c": list(cut(recording(150, seed=2, bursts=()), [1.0] * 150, site="tibialis_anterior")),
        "d": jittered(cut(recording(150, seed=3), [1.0] * 150), [0, 60, 0, 800]),
    }
    alone = sorted(record for name, blocks in legs.items() for record in feed([{name: blocks}])[0])
    together, _, _ = feed(
        {name: blocks[i * 10 : i * 10 + 10] for name, blocks in legs.items() if blocks[i * 10 :]} for i in range(15)
    )
    assert together == alone


def two_sites(second: int, *, scale: float = 0.1, swap: bool = False) -> Block:
    emg = recording(300, bursts=())
    piece = emg[second * 200 : second * 200 + 200].astype("<i2")
    signals = [
        Signal(kind="emg", site="soleus", fs_hz=EMG_HZ, scale=scale, channels=1, samples=piece.tobytes()),
        Signal(kind="emg", site="gastrocnemius_medialis", fs_hz=EMG_HZ, scale=0.2, channels=1, samples=piece.tobytes()),
        Signal(
            kind="emg", site="array", fs_hz=400.0, scale=0.1, channels=2,
            samples=np.concatenate([np.repeat(piece, 2), np.repeat(-piece, 2)]).tobytes(),
        ),
    ]  # fmt: skip
    return Block(boot=1, seq=second, t0=T0_NS + second * SECOND_NS, signals=tuple(signals[::-1] if swap else signals))


def test_signals_are_grouped_by_rate_and_sorted_by_site_whatever_their_order() -> None:
    leg = form_of(two_sites(0)).leg
    assert [(group.kind, group.fs_hz, group.channels) for group in leg.layout.groups] == [
        ("emg", 200.0, 2),
        ("emg", 400.0, 2),
    ]
    assert leg.sites == ("gastrocnemius_medialis", "soleus", "array_1", "array_2")
    same, _, _ = feed([{"a": [two_sites(s) for s in range(30)]}])
    mixed, _, _ = feed([{"a": [two_sites(s, swap=s % 3 == 0) for s in range(30)]}])
    assert mixed == same
    assert {record.split("site='")[1].split("'")[0] for record in same} == set(leg.sites)


def test_another_scale_within_a_run_is_taken_into_account() -> None:
    records, _, _ = feed([{"a": [two_sites(s, scale=0.1 if s < 20 else 0.2) for s in range(40)]}])
    one_by_one, _, _ = feed({"a": [two_sites(s, scale=0.1 if s < 20 else 0.2)]} for s in range(40))
    assert records == one_by_one


def test_another_leg_ends_what_is_open_and_starts_afresh() -> None:
    emg = recording(150, bursts=((65, 85),))  # still cramping when the leg changes
    first = list(cut(emg, [1.0] * 150))
    second = [
        msgspec.structs.replace(b, t0=b.t0 + 150 * SECOND_NS, seq=b.seq + 150)
        for b in cut(recording(60, bursts=()), [1.0] * 60, site="tibialis_anterior")
    ]
    _, tracks, (found,) = feed([{"a": [*first, *second]}])
    assert [(episode.site, episode.status) for episode in found.episodes] == [
        ("soleus", "preliminary"),
        ("soleus", "final"),
    ]
    fresh, fresh_tracks, _ = feed([{"a": second}])
    assert [repr(e) for e in found.epochs if e.site == "tibialis_anterior"] == fresh
    assert tracks == fresh_tracks


def test_another_detector_or_other_parameters_do_not_read_an_old_state() -> None:
    blocks = list(cut(recording(40), [1.0] * 40))
    _, tracks, _ = feed([{"a": blocks[:20]}])
    track = tracks["a"]
    assert track is not None
    assert track.detector == f"{VERSION}/{DEFAULT.digest}"
    old = msgspec.structs.replace(track, detector="0.1/00000000", row=b"not a state")
    records, _, _ = feed([{"a": blocks[20:]}], tracks={"a": old})
    assert records == feed([{"a": blocks[20:]}])[0]
    assert detect({"a": track}, {"a": blocks[20:]}, params=Params(on_ratio=3.0)).failures == []


def test_a_device_on_which_the_detector_fails_harms_no_other() -> None:
    good = list(cut(EMG, [1.0] * 30))
    _, tracks, _ = feed([{"bad": good[:10]}])
    track = tracks["bad"]
    assert track is not None
    broken = msgspec.structs.replace(track, row=track.row[:-1])
    found = detect({"bad": broken}, {"good": good, "bad": good[10:]})
    assert [(failure.device, failure.keys) for failure in found.failures] == [("bad", ((1, 10),))]
    assert "packed state" in found.failures[0].sentence
    assert found.tracks["bad"] is not None, "it starts afresh with the block after the one that failed"
    assert [repr(e) for e in found.epochs if e.device == "good"] == feed([{"good": good}])[0]


def test_a_block_that_is_no_leg_fails_alone() -> None:
    acc_only = msgspec.structs.replace(block(EMG[:200]), signals=block(EMG[:200]).signals[1:])
    found = detect({}, {"a": [acc_only], "b": [block(EMG[:200])]})
    assert [failure.device for failure in found.failures] == ["a"]
    assert found.tracks["b"] is not None


def test_episodes_and_epochs_become_records_of_device_and_site() -> None:
    _, _, (found,) = feed([{"a": list(cut(EMG, [1.0] * 150))}])
    preliminary, final = found.episodes
    assert (preliminary.revision, final.revision) == (0, 1)
    assert preliminary.id == final.id
    assert final.sites[0] == final.site == "soleus"
    assert (final.detector, final.params) == (VERSION, DEFAULT.digest)
    assert list(final.flags) == sorted(final.flags)
    assert all(type(getattr(final, name)) is float for name in ("severity", "peak_uv", "load", "confidence"))
    assert all(epoch.start_ns % (10 * SECOND_NS) == 0 for epoch in found.epochs)


def test_a_recording_that_ends_closes_its_episode_through_the_same_functions() -> None:
    _, tracks, (found,) = feed([{"a": list(cut(recording(110, bursts=((45, 65),)), [1.0] * 110))}])
    assert [episode.status for episode in found.episodes] == ["preliminary"]
    track = tracks["a"]
    assert track is not None
    leg = leg_from(track.signature)
    results = finish(unpack(leg.layout, np.frombuffer(track.row, np.uint8)[None]))
    (last,) = [to_episode("a", leg.sites, episode) for episode in results.episodes]
    assert last.id == found.episodes[0].id
    assert last.status == "final"


def test_nothing_comes_of_nothing() -> None:
    assert detect({}, {}) == Detected()
    with pytest.raises(ValueError, match="at least one EMG"):
        leg_from((("acc", "shank", 50.0, 3),))
