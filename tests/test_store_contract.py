"""One contract for every store: memory, SQLite and InfluxDB answer alike, and like a list searched by hand."""

import itertools
import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import cast

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_records import DEVICES, TIMES_NS, an_episode, an_epoch, records, updates

from ingest.store import (
    DeviceStatus,
    Episode,
    Epoch,
    Record,
    ServiceStatus,
    Store,
    StoreRefused,
    StoreUnavailable,
    same_record,
)
from ingest.store.influx import InfluxStore
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore

Open = Callable[[], Store]
KEEPING = ["sqlite", pytest.param("influxdb", marks=pytest.mark.influxdb)]
FEW = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _opener(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Open:
    kind = request.param
    if kind == "memory":
        return MemoryStore
    if kind == "sqlite":
        path = tmp_path_factory.mktemp("store") / "store.sqlite"
        return lambda: SqliteStore(path)
    server = request.getfixturevalue("influxdb")
    return lambda: InfluxStore(server.url, token=server.token, org=server.org, bucket=server.bucket)


@pytest.fixture(scope="module", params=KEEPING)
def opener(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Opens, again and again, one store that outlives its being closed."""
    return _opener(request, tmp_path_factory)


@pytest.fixture(scope="module", params=["memory", *KEEPING])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open store of each kind; tests share it and use devices of their own."""
    with closing(_opener(request, tmp_path_factory)()) as opened:
        yield opened


def own(found: Sequence[Record]) -> tuple[list[Record], str]:
    """The records under device names that nobody else uses, and what these begin with."""
    prefix = uuid.uuid4().hex[:12] + "-"
    return [under(prefix, record) for record in found], prefix


def under(prefix: str, record: Record) -> Record:
    """The record as one of a device or service whose name begins so."""
    if isinstance(record, ServiceStatus):
        return msgspec.structs.replace(record, name=prefix + record.name)
    return msgspec.structs.replace(record, device=prefix + record.device)


def alike(found: Sequence[Record], expected: Sequence[Record]) -> bool:
    """The same records in the same order, written at the same time, with members of the same types."""
    return len(found) == len(expected) and all(
        same_record(a, b)
        and a.updated_ns == b.updated_ns
        and [type(value) for value in msgspec.structs.astuple(a)]
        == [type(value) for value in msgspec.structs.astuple(b)]
        for a, b in zip(found, expected, strict=True)
    )


class ByHand:
    """A store that is a list searched from end to end."""

    def __init__(self) -> None:
        self.kept: list[Record] = []

    def write(self, written: Sequence[Record]) -> None:
        for record in written:
            self.kept = [old for old in self.kept if self._key(old) != self._key(record)] + [record]

    @staticmethod
    def _key(record: Record) -> tuple[object, ...]:
        match record:
            case Episode():
                return (Episode, record.device, record.site, record.onset_ns)
            case Epoch():
                return (Epoch, record.device, record.site, record.start_ns)
            case DeviceStatus():
                return (DeviceStatus, record.device)
            case ServiceStatus():
                return (ServiceStatus, record.name)

    def episodes(
        self, devices: Sequence[str], start_ns: int, end_ns: int, after_ns: int | None, *, withdrawn: bool
    ) -> list[Record]:
        found = [
            (r.onset_ns, r.device, r.site, r)
            for r in self.kept
            if isinstance(r, Episode) and r.device in devices and start_ns <= r.onset_ns < end_ns
            if after_ns is None or r.updated_ns > after_ns
            if withdrawn or r.status != "withdrawn"
        ]
        return [row[-1] for row in sorted(found, key=lambda row: row[:-1])]

    def epochs(self, device: str, start_ns: int, end_ns: int, *, void: bool) -> list[Record]:
        found = [
            (r.start_ns, r.site, r)
            for r in self.kept
            if isinstance(r, Epoch) and r.device == device and start_ns <= r.start_ns < end_ns
            if void or r.received_s != 0
        ]
        return [row[-1] for row in sorted(found, key=lambda row: row[:-1])]

    def statuses(self, devices: Sequence[str]) -> list[Record]:
        found = [r for r in self.kept if isinstance(r, DeviceStatus) and r.device in devices]
        return sorted(found, key=lambda status: status.device)

    def services(self) -> list[Record]:
        found = [r for r in self.kept if isinstance(r, ServiceStatus)]
        return sorted(found, key=lambda status: status.name)

    def devices(self) -> list[str]:
        return sorted({r.device for r in self.kept if not isinstance(r, ServiceStatus)})


edges = st.sampled_from(TIMES_NS).flatmap(lambda time_ns: st.integers(time_ns - 1, time_ns + 1)) | st.sampled_from(
    (-(2**63), 0, 2**63 - 1)
)


@FEW
@given(
    writes=st.lists(st.lists(records, max_size=6), max_size=4),
    range_ns=st.tuples(edges, edges),
    after_ns=st.none() | updates,
    asked=st.lists(st.sampled_from((*DEVICES, "unknown")), max_size=5),
    withdrawn=st.booleans(),
)
def test_answers_like_a_list_searched_by_hand(
    store: Store,
    writes: list[list[Record]],
    range_ns: tuple[int, int],
    after_ns: int | None,
    asked: list[str],
    *,
    withdrawn: bool,
) -> None:
    by_hand, prefix = ByHand(), own([])[1]
    start_ns, end_ns = range_ns
    for write in writes:
        mine = [under(prefix, record) for record in write]
        by_hand.write(mine)
        store.write(mine)
    devices = [prefix + name for name in asked]
    found = store.episodes(devices, start_ns=start_ns, end_ns=end_ns, updated_after_ns=after_ns, withdrawn=withdrawn)
    assert alike(found, by_hand.episodes(devices, start_ns, end_ns, after_ns, withdrawn=withdrawn))
    assert alike(store.statuses(devices), by_hand.statuses(devices))
    assert alike([status for status in store.services() if status.name.startswith(prefix)], by_hand.services())
    assert [name for name in store.devices() if name.startswith(prefix)] == by_hand.devices()
    for device in devices:
        epochs = store.epochs(device, start_ns=start_ns, end_ns=end_ns, void=withdrawn)
        assert alike(epochs, by_hand.epochs(device, start_ns, end_ns, void=withdrawn))


@FEW
@given(written=st.lists(records, min_size=1, max_size=8))
def test_writing_again_changes_nothing(store: Store, written: list[Record]) -> None:
    mine, prefix = own(written)
    store.write(mine)
    before = everything(store, prefix)
    store.write(mine)
    assert alike(everything(store, prefix), before)
    assert before or all(isinstance(record, Epoch) and record.void for record in mine)


@FEW
@given(written=st.lists(records, min_size=1, max_size=8))
def test_reopening_keeps_everything(opener: Open, written: list[Record]) -> None:
    mine, prefix = own(written)
    by_hand = ByHand()
    by_hand.write(mine)
    with closing(opener()) as first:
        first.write(mine)
    with closing(opener()) as second:
        found = everything(second, prefix)
    kept = [record for record in by_hand.kept if not (isinstance(record, Epoch) and record.void)]
    assert len(found) == len(kept)
    assert all(any(same_record(a, b) for b in kept) for a in found)


def everything(store: Store, prefix: str) -> list[Record]:
    """All records under the names that begin with `prefix`."""
    devices = [prefix + name for name in DEVICES]
    epochs = [store.epochs(device, start_ns=0, end_ns=2**62) for device in devices]
    episodes = store.episodes(devices, start_ns=0, end_ns=2**62, withdrawn=True)
    services = [status for status in store.services() if status.name.startswith(prefix)]
    return [*episodes, *itertools.chain(*epochs), *store.statuses(devices), *services]


def test_a_record_is_replaced_whole(store: Store) -> None:
    device = own([])[1]
    epoch = an_epoch(device=device, flags=("hum", "motion"))
    poorer = an_epoch(device=device, rms_uv=math.nan, median_hz=math.nan, angle_deg=math.nan)
    status = DeviceStatus(device=device, boot=3, online=True, firmware="1.2", sites=("soleus",), battery=0.5)
    unknown = DeviceStatus(device=device, boot=4, online=False)
    store.write([epoch, status])
    store.write([poorer, unknown])
    assert alike(store.epochs(device, start_ns=0, end_ns=2**62), [poorer])
    assert alike(store.statuses([device]), [unknown])
    store.write([epoch, status])
    assert alike(store.epochs(device, start_ns=0, end_ns=2**62), [epoch])
    assert alike(store.statuses([device]), [status])


def test_the_last_of_one_key_in_one_write_wins(store: Store) -> None:
    device = own([])[1]
    versions = [an_episode(device=device, revision=revision, load=float(revision)) for revision in range(5)]
    store.write(versions)
    assert alike(store.episodes([device], start_ns=0, end_ns=2**62), versions[-1:])


def test_writing_nothing_is_nothing(store: Store) -> None:
    device = own([])[1]
    store.write([an_epoch(device=device)])
    store.write([])
    assert len(store.epochs(device, start_ns=0, end_ns=2**62)) == 1
    assert store.episodes([], start_ns=0, end_ns=2**62) == []
    assert store.statuses([]) == []


def test_numbers_of_numpy_become_plain_ones(store: Store) -> None:
    device = own([])[1]
    numpy_epoch = an_epoch(device=device, rms_uv=np.float32(0.1), start_ns=np.int64(10**18), usable_s=3)
    store.write([numpy_epoch])
    expected = [an_epoch(device=device, rms_uv=float(np.float32(0.1)), start_ns=10**18, usable_s=3.0)]
    assert alike(store.epochs(device, start_ns=0, end_ns=2**62), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"peak_ratio": math.inf},
        {"device": "a,b"},
        {"device": ""},
        {"device": "a\nb"},
        {"site": "soleus left"},
        {"onset_ns": -1},
        {"onset_ns": 2**62},
        {"revision": 2**63},
        {"detector": "\ud800"},
        {"load": None},
        {"load": "much"},
        {"grade": 1.5},
    ],
)
def test_what_no_store_can_keep_is_refused_by_all(store: Store, changes: dict[str, object]) -> None:
    device = own([])[1]
    good = an_episode(device=device)
    with pytest.raises(StoreRefused, match=next(iter(changes))):
        store.write([good, an_episode(**{"device": device, **changes})])
    assert store.episodes([device], start_ns=0, end_ns=2**62) == []


def test_many_records_over_many_days_come_back_in_order(store: Store) -> None:
    device = own([])[1]
    starts = [1_790_000_000_000_000_000 + day * 86_400_000_000_000 for day in range(0, 400, 9)]
    epochs = [an_epoch(device=device, start_ns=start_ns, site=site) for start_ns in starts for site in ("a", "b")]
    episodes = [an_episode(device=device, onset_ns=start_ns) for start_ns in starts]
    store.write([*reversed(epochs), *reversed(episodes)])
    assert alike(store.epochs(device, start_ns=starts[0], end_ns=starts[-1]), epochs[:-2])
    assert alike(store.epochs(device, start_ns=0, end_ns=2**63 - 1), epochs)
    assert alike(store.episodes([device], start_ns=starts[1], end_ns=2**62), episodes[1:])


def test_many_devices_at_once(store: Store) -> None:
    prefix = own([])[1]
    devices = [f"{prefix}{number:04}" for number in range(1100)]
    store.write([DeviceStatus(device=device, boot=1, online=True) for device in devices])
    store.write([an_episode(device=device) for device in devices])
    asked = [*reversed(devices), *devices[:3]]
    assert [status.device for status in store.statuses(asked)] == devices
    assert [episode.device for episode in store.episodes(asked, start_ns=0, end_ns=2**62)] == devices


def test_columns_are_the_members_of_epochs(store: Store) -> None:
    device, first_ns = own([])[1], 1_790_002_800_000_000_000
    rms_uv = (0.1, 0.2, math.nan, 0.3)
    written = [
        an_epoch(device=device, start_ns=first_ns + 10**10 * step, site=site, rms_uv=rms_uv[step])
        for step in range(4) for site in ("a", "b")
    ]  # fmt: skip
    store.write([*written, an_epoch(device=device, start_ns=first_ns + 10**10, site="c", received_s=0.0)])
    members = ["usable_s", "rms_uv", "angle_deg"]
    for end_ns in (first_ns, first_ns + 25 * 10**9, first_ns + 10**12):
        starts_ns, values = store.columns(device, start_ns=first_ns, end_ns=end_ns, members=members)
        found = store.epochs(device, start_ns=first_ns, end_ns=end_ns)
        assert starts_ns.dtype == np.int64
        assert starts_ns.tolist() == [epoch.start_ns for epoch in found]
        assert values.shape == (3, len(found))
        expected = [[getattr(epoch, name) for epoch in found] for name in members]
        assert np.array_equal(values, np.array(expected).reshape(3, -1), equal_nan=True)
    with pytest.raises((ValueError, AttributeError)):
        store.columns(device, start_ns=first_ns, end_ns=first_ns + 10**12, members=["nothing"])


def test_changes_tell_when_epochs_of_a_stretch_were_last_written(store: Store) -> None:
    device, first_ns, hour_ns = own([])[1], 1_790_002_800_000_000_000, 3_600_000_000_000
    starts = [first_ns - 10**10, first_ns, first_ns + 10**10, first_ns + 80 * hour_ns]
    store.write([an_epoch(device=device, start_ns=at, updated_ns=at + 5) for at in starts])

    def changes(**between: int) -> dict[int, int]:
        return store.changes(device, every_ns=hour_ns, **({"start_ns": starts[0], "end_ns": starts[-1] + 1} | between))

    hours = [first_ns - hour_ns, first_ns, first_ns + 80 * hour_ns]
    assert changes() == dict(zip(hours, [starts[0] + 5, starts[2] + 5, starts[3] + 5], strict=True))
    assert changes(start_ns=starts[1], end_ns=starts[2]) == {first_ns: starts[1] + 5}
    store.write([an_epoch(device=device, start_ns=starts[1], updated_ns=starts[3], received_s=0.0)])
    assert changes() == dict(zip(hours, [starts[0] + 5, starts[3], starts[3] + 5], strict=True))
    assert store.changes(f"{device}x", start_ns=0, end_ns=first_ns, every_ns=hour_ns) == {}


def test_threads_may_share_a_store(store: Store) -> None:
    prefix = own([])[1]

    def work(number: int) -> list[int]:
        counts = []
        for step in range(5):
            store.write([an_epoch(device=f"{prefix}{number}", start_ns=10**18 + step)])
            counts.append(len(store.epochs(f"{prefix}{number}", start_ns=0, end_ns=2**62)))
        return counts

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[1, 2, 3, 4, 5]] * 4


@pytest.mark.parametrize("kind", ["memory", *KEEPING])
def test_a_closed_store_says_so(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    request.param = kind
    closed = _opener(cast("pytest.FixtureRequest", request), tmp_path_factory)()
    closed.close()
    closed.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        closed.write([an_epoch()])
    with pytest.raises(StoreUnavailable, match="closed"):
        closed.statuses(["dev1"])
