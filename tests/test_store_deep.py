"""Answers that are nested more deeply than anybody reads: the store says so as of any page that is not InfluxDB's."""

import pytest

from ingest.errors import StoreUnavailable
from ingest.store.influx_errors import Answer, answer_error

DEEP = 100_000


@pytest.mark.parametrize("status", [200, 400, 422, 500])
@pytest.mark.parametrize(
    "body",
    [b'{"error":"x","data":' + b"[" * DEEP + b"]" * DEEP + b"}", b'{"data":' + b'{"a":' * DEEP + b"}" * DEEP + b"}"],
)
def test_a_deep_answer_is_not_influxdbs(body: bytes, status: int) -> None:
    error = answer_error(Answer(status, body, {}, "write"), token="secret")
    assert isinstance(error, StoreUnavailable)
    assert f"InfluxDB answered {status} to a write" in str(error)
