"""Arbitrary records for tests of stores, from few keys, so that they meet."""

from hypothesis import strategies as st

from ingest.store import DeviceStatus, Episode, Epoch, Record, ServiceStatus

# Neighbouring instants at the ends of what the wire lets through, and in between.
TIMES_NS = tuple(
    base + step
    for base in (1_577_836_800_000_000_000, 1_790_000_000_000_000_000, 4_102_444_799_999_999_990)
    for step in (0, 1, 2, 9)
)
DEVICES = ("a", "b", "B-2_x")
SERVICES = ("ingest", "api")
SITES = ("gastrocnemius_medialis", "soleus", "s")

times = st.sampled_from(TIMES_NS)
numbers = st.floats(allow_nan=True, allow_infinity=False).map(lambda number: number + 0.0)
texts = st.one_of(st.text(max_size=12), st.text(alphabet=' ,\\"=\n\r\t\0ab', max_size=8))
names = st.one_of(
    st.lists(st.sampled_from(("hum", "clip", "motion", "off")), unique=True, max_size=4).map(tuple),
    st.lists(texts, max_size=3).map(tuple),
)
integers = st.integers(-(2**63), 2**63 - 1)
updates = st.one_of(st.integers(0, 3), integers)

episodes = st.builds(
    Episode,
    device=st.sampled_from(DEVICES),
    site=st.sampled_from(SITES),
    onset_ns=times,
    end_ns=times,
    status=st.sampled_from(("preliminary", "final", "rejected", "withdrawn")),
    revision=integers,
    severity=numbers,
    severity_amplitude=numbers,
    severity_duration=numbers,
    severity_load=numbers,
    severity_recruitment=numbers,
    grade=st.integers(1, 3),
    peak_uv=numbers,
    peak_ratio=numbers,
    load=numbers,
    confidence=numbers,
    flags=names,
    sites=names,
    detector=texts,
    params=texts,
    superseded_by=texts,
    updated_ns=updates,
)
epochs = st.builds(
    Epoch,
    device=st.sampled_from(DEVICES),
    site=st.sampled_from(SITES),
    start_ns=times,
    received_s=st.just(0.0) | numbers,
    worn_s=numbers,
    usable_s=numbers,
    rms_uv=numbers,
    rest_uv=numbers,
    median_hz=numbers,
    movement_g=numbers,
    angle_deg=numbers,
    flags=names,
    updated_ns=updates,
)
statuses = st.builds(
    DeviceStatus,
    device=st.sampled_from(DEVICES),
    boot=integers,
    online=st.booleans(),
    firmware=texts,
    sites=names,
    battery=st.none() | st.floats(0, 1),
    last_received_ns=integers,
    last_sample_ns=integers,
    missing_blocks=integers,
    clock_offset_s=numbers,
    clock_drift_ppm=numbers,
    late_blocks=integers,
    undated_blocks=integers,
    refused_blocks=integers,
    refused_reason=texts,
    undated_ns=integers,
    refused_ns=integers,
    updated_ns=updates,
)
services = st.builds(
    ServiceStatus,
    name=st.sampled_from(SERVICES),
    started_ns=integers,
    beat_ns=integers,
    version=texts,
    accepting=st.booleans(),
    reason=texts,
    connected=st.booleans(),
    unacked=integers,
    outbox=integers,
    event_outbox=integers,
    oldest_outbox_ns=integers,
    revising=integers,
    journal_bytes=integers,
    free_bytes=integers,
    lag_s=numbers,
    updated_ns=updates,
)
records: st.SearchStrategy[Record] = st.one_of(episodes, epochs, statuses, services)


def an_episode(**changes: object) -> Episode:
    """A plausible final episode, but for `changes`."""
    plain: dict[str, object] = {
        "device": "dev1", "site": "soleus", "onset_ns": 1_790_000_000_123_456_789,
        "end_ns": 1_790_000_042_000_000_001, "status": "final", "revision": 1, "severity": 6.25,
        "severity_amplitude": 7.0, "severity_duration": 5.0, "severity_load": 6.0, "severity_recruitment": 2.5,
        "grade": 2, "peak_uv": 312.5, "peak_ratio": 61.0, "load": 33.3, "confidence": 0.9, "flags": ("hum",),
        "sites": ("soleus", "gastrocnemius_medialis"), "detector": "0.1.0", "params": "0f3a", "updated_ns": 7,
    }  # fmt: skip
    return Episode(**{**plain, **changes})  # type: ignore[arg-type]


def an_epoch(**changes: object) -> Epoch:
    """A plausible epoch, but for `changes`."""
    plain: dict[str, object] = {
        "device": "dev1", "site": "soleus", "start_ns": 1_790_000_000_000_000_000, "received_s": 10.0,
        "worn_s": 10.0, "usable_s": 9.5, "rms_uv": 4.5, "rest_uv": 3.25, "median_hz": 81.5, "movement_g": 0.01,
        "angle_deg": 12.0, "flags": (), "updated_ns": 7,
    }  # fmt: skip
    return Epoch(**{**plain, **changes})  # type: ignore[arg-type]
