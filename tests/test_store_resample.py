"""Coverage and resampling against slow twins that do one epoch after the other."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_records import an_epoch

from ingest.store import Epoch
from ingest.store.resample import Coverage, coverage, resample

T0_NS = 1_790_000_000_000_000_000 - 1_790_000_000_000_000_000 % 3_600_000_000_000
TEN_NS = 10_000_000_000

seconds = st.sampled_from((0.0, 0.5, 3.0, 10.0))
measured = st.sampled_from((math.nan, 0.0, 1.5, 20.0))
epochs = st.lists(
    st.builds(
        Epoch,
        device=st.sampled_from(("a", "b")),
        site=st.sampled_from(("soleus", "tibialis_anterior")),
        start_ns=st.integers(0, 12).map(lambda place: T0_NS + place * TEN_NS),
        received_s=seconds,
        worn_s=seconds,
        usable_s=seconds,
        rms_uv=measured,
        rest_uv=measured,
        median_hz=measured,
        movement_g=measured,
        angle_deg=measured.map(lambda angle: -angle),
        flags=st.lists(st.sampled_from(("hum", "clip", "off")), unique=True).map(tuple),
        updated_ns=st.integers(0, 9),
    ),
    max_size=30,
    unique_by=lambda epoch: (epoch.device, epoch.site, epoch.start_ns),
)


def slow_coverage(found: list[Epoch], edges_ns: list[int]) -> list[Coverage]:
    totals = []
    for low_ns, high_ns in itertools.pairwise(edges_ns):
        inside = [epoch for epoch in found if low_ns <= epoch.start_ns < high_ns]
        sums = [0.0, 0.0, 0.0]
        for leg in sorted({(epoch.device, epoch.start_ns) for epoch in inside}):
            sites = [epoch for epoch in inside if (epoch.device, epoch.start_ns) == leg]
            for place, name in enumerate(("received_s", "worn_s", "usable_s")):
                sums[place] += max(getattr(epoch, name) for epoch in sites)
        totals.append(Coverage(*sums))
    return totals


def slow_mean(members: list[Epoch], name: str, weight: str, *, power: int = 1) -> float:
    pairs = [(getattr(epoch, name) ** power, getattr(epoch, weight)) for epoch in members]
    pairs = [(value, by) for value, by in pairs if not math.isnan(value) and by > 0]
    total = sum(by for _, by in pairs)
    return (sum(value * by for value, by in pairs) / total) ** (1 / power) if total else math.nan


def slow_resample(found: list[Epoch], every_s: int) -> list[Epoch]:
    every_ns = every_s * 10**9
    keys = sorted({(epoch.start_ns // every_ns * every_ns, epoch.device, epoch.site) for epoch in found})
    longer = []
    for start_ns, device, site in keys:
        members = [
            epoch
            for epoch in found
            if (epoch.start_ns // every_ns * every_ns, epoch.device, epoch.site) == (start_ns, device, site)
        ]
        longer.append(
            Epoch(
                device=device,
                site=site,
                start_ns=start_ns,
                received_s=sum(epoch.received_s for epoch in members),
                worn_s=sum(epoch.worn_s for epoch in members),
                usable_s=sum(epoch.usable_s for epoch in members),
                rms_uv=slow_mean(members, "rms_uv", "usable_s", power=2),
                rest_uv=slow_mean(members, "rest_uv", "usable_s"),
                median_hz=slow_mean(members, "median_hz", "usable_s"),
                movement_g=slow_mean(members, "movement_g", "received_s"),
                angle_deg=slow_mean(members, "angle_deg", "received_s"),
                flags=tuple(sorted(set().union(*(epoch.flags for epoch in members)))),
                updated_ns=max(epoch.updated_ns for epoch in members),
            )
        )
    return longer


@given(epochs, st.lists(st.integers(-5, 140), max_size=5).map(sorted))
def test_coverage_is_the_slow_twins(found: list[Epoch], edges_s: list[int]) -> None:
    edges_ns = [T0_NS + edge_s * 10**9 for edge_s in edges_s]
    assert coverage(found, edges_ns) == slow_coverage(found, edges_ns)


@given(epochs, st.sampled_from((10, 20, 60, 3600)))
def test_resample_is_the_slow_twins(found: list[Epoch], every_s: int) -> None:
    longer, twins = resample(found, every_s), slow_resample(found, every_s)
    assert len(longer) == len(twins)
    for epoch, twin in zip(longer, twins, strict=True):
        for name in Epoch.__struct_fields__:
            value, expected = getattr(epoch, name), getattr(twin, name)
            if isinstance(expected, float):
                assert value == pytest.approx(expected, nan_ok=True), name
            else:
                assert value == expected, name


def test_two_sites_of_one_leg_count_once() -> None:
    found = [an_epoch(site="soleus", usable_s=2.0), an_epoch(site="gastrocnemius_medialis", usable_s=9.0)]
    start_ns = found[0].start_ns
    assert coverage(found, [start_ns, start_ns + 1]) == [Coverage(10.0, 10.0, 9.0)]


def test_an_edge_at_an_epochs_start_puts_it_after_the_edge() -> None:
    epoch = an_epoch()
    edges_ns = [epoch.start_ns - TEN_NS, epoch.start_ns, epoch.start_ns + TEN_NS]
    assert coverage([epoch], edges_ns) == [Coverage(0.0, 0.0, 0.0), Coverage(10.0, 10.0, 9.5)]


def test_resampling_to_the_same_length_changes_only_what_was_not_usable() -> None:
    usable, unusable = an_epoch(), an_epoch(start_ns=an_epoch().start_ns + TEN_NS, usable_s=0.0, rms_uv=math.nan)
    first, second = resample([usable, unusable], 10)
    assert first == usable
    assert math.isnan(second.rms_uv)
    assert second.movement_g == unusable.movement_g


@pytest.mark.parametrize("every_s", [0, 5, 15, -10])
def test_lengths_that_cut_epochs_are_refused(every_s: int) -> None:
    with pytest.raises(ValueError, match="multiple of 10"):
        resample([an_epoch()], every_s)


def test_edges_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in order"):
        coverage([an_epoch()], [2, 1])
