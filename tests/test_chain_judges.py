"""The programs of `benchmarks/reliability` can fail: their judges see what is missing, doubled, changed or foreign."""

import dataclasses
import json
import math
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ingest_feed import ingest
from msgspec.structs import replace
from servers import wait_for

from benchmarks.reliability import packets, page, raw
from benchmarks.reliability.arrivals import CALM, Site
from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.histories import Trouble, make_history
from benchmarks.reliability.kills import judge_raw
from benchmarks.reliability.legs import Sent, Stretch
from benchmarks.reliability.nights import STYLES, backwards, make_nights
from benchmarks.reliability.outcome import NEWER, RESULTS, Outcome, keep
from benchmarks.reliability.proxy import Faults, Proxy
from benchmarks.reliability.records import Difference, Kept, compare
from ingest.store import Episode, Epoch
from ingest.wire import decode_block

T0_NS = 1_790_000_000_000_000_000


def episode(**change: Any) -> Episode:
    """A cramp of a minute."""
    whole = Episode(
        device="leg", site="soleus", onset_ns=T0_NS, end_ns=T0_NS + 60 * 10**9, status="final", revision=1,
        severity=5.0, severity_amplitude=5.0, severity_duration=5.0, severity_load=5.0, severity_recruitment=5.0,
        grade=2, peak_uv=30.0, peak_ratio=10.0, load=20.0, confidence=0.5, flags=(), sites=("soleus",),
        detector="2", params="p",
    )  # fmt: skip
    return replace(whole, **change)


def epoch(**change: Any) -> Epoch:
    """Ten seconds."""
    whole = Epoch(
        device="leg", site="soleus", start_ns=T0_NS, received_s=10.0, worn_s=10.0, usable_s=10.0, rms_uv=3.0,
        rest_uv=3.0, median_hz=60.0, movement_g=0.0, angle_deg=0.0, flags=(),
    )  # fmt: skip
    return replace(whole, **change)


def kept(**change: Any) -> Kept:
    """One episode and one epoch."""
    return Kept([episode(**change)], [epoch(rms_uv=math.nan)], [])


def test_equal_is_without_when_it_was_written_and_how_often() -> None:
    assert compare(kept(updated_ns=1, revision=3), kept(updated_ns=2, revision=1)).none


def test_what_was_withdrawn_does_not_count() -> None:
    gone = replace(episode(), onset_ns=episode().onset_ns - 10**10, status="withdrawn", superseded_by="x")
    assert compare(Kept([episode(), gone], [epoch()], []), Kept([episode()], [epoch()], [])).none


@pytest.mark.parametrize("name", ["severity", "end_ns", "confidence"])
def test_a_changed_member_is_seen(name: str) -> None:
    found = compare(kept(**{name: getattr(episode(), name) + 1}), kept())
    assert len(found.other) == 1
    assert name in found.other[0]
    assert not found.none


def test_missing_extra_split_and_doubled_are_seen() -> None:
    whole = episode()
    half = replace(whole, end_ns=(whole.onset_ns + whole.end_ns) // 2)
    rest = replace(whole, onset_ns=half.end_ns)
    split = compare(Kept([half, rest], [], []), Kept([whole], [epoch()], []))
    assert (split.split, split.doubled, len(split.extra), len(split.missing)) == (1, 0, 1, 1)
    doubled = compare(Kept([whole, replace(whole, onset_ns=whole.onset_ns + 1)], [], []), Kept([whole], [], []))
    assert (doubled.doubled, len(doubled.extra)) == (1, 1)


def test_an_outcome_without_checks_has_not_passed() -> None:
    outcome = Outcome("nothing")
    assert not outcome.passed
    outcome.check("something", True)
    assert outcome.passed
    outcome.check("something else", False, ["because"])
    assert not outcome.passed
    assert outcome.sentences == ["something else: because"]
    assert Difference(compared=1, split=1).none is False


def journal_with(folder: Path, sendings: Sequence[Sent]) -> Path:
    """A data folder whose journal was given these blocks of one device."""
    ingest(folder, [("leg", decode_block(sent.payload)) for sent in sendings])
    return folder


def test_lost_changed_and_foreign_blocks_are_seen(tmp_path: Path) -> None:
    sent = Stretch(seed=1, start_ns=T0_NS, seconds=30).blocks()
    other = Stretch(seed=2, start_ns=T0_NS, seconds=30).blocks()
    folder = journal_with(tmp_path, [*sent[:20], other[20], *sent[21:29]])
    outcome = Outcome("judged")
    judge_raw(outcome, folder, {"leg": sent[1:]})
    assert outcome.checks == {
        "every block is in journal or archive": False, "as it was sent": False, "and no other": False,
    }  # fmt: skip
    whole = Outcome("judged")
    judge_raw(whole, folder, {"leg": [*sent[:20], other[20], *sent[21:29]]})
    assert whole.passed
    assert raw.counts(folder) == {"leg": 29}


def test_nights_sent_backwards_hold_every_block_and_some_twice() -> None:
    nights = make_nights(device=3, count=3, seconds=300, block_s=5.0, end_ns=T0_NS)
    blocks = [sent for night in nights for sent in night.blocks]
    assert len({sent.key for sent in blocks}) == len(blocks)
    assert [sent.t0_ns for sent in blocks] == sorted(sent.t0_ns for sent in blocks)
    for style in STYLES:
        order = backwards(nights, style=style, seed=1)
        assert {sent.key for sent in order} == {sent.key for sent in blocks}
        assert len(order) == round(1.05 * len(blocks))
        assert order[-1].t0_ns < order[0].t0_ns
    assert all(decode_block(sent.payload).seq == sent.key[1] for sent in blocks)


def test_packets_come_whole_however_they_are_cut() -> None:
    stream = packets.publish(7, b"a/b", b"x" * 300) + packets.puback(9) + packets.PING
    for size in (1, 2, 5, len(stream)):
        buffer, found = bytearray(), []
        for at in range(0, len(stream), size):
            buffer += stream[at : at + size]
            found += list(packets.split(buffer))
        assert [kind for kind, _, _ in found] == [packets.PUBLISH, packets.PUBACK, 12]
        assert packets.received(found[0][1], found[0][2]) == ("a/b", 7, b"x" * 300)
        assert packets.number(found[1][2]) == 9
        assert not buffer


def test_a_fleet_says_what_should_not_have_been_acknowledged() -> None:
    sent = Stretch(seed=1, start_ns=T0_NS, seconds=10).blocks()
    with Fleet({"leg": sent}, host="127.0.0.1", port=1) as fleet:
        fleet.devices["leg"]._acked(b"\x82\xa4boot\x01\xa3seq\x03")
        assert fleet.wrong == ["leg: ack 1/3, but blocks before that were never sent"]
        assert not fleet.finished


@pytest.mark.parametrize(
    ("faults", "kind"), [(Faults(flip=1.0), "flipped"), (Faults(drop=1.0), "dropped"), (Faults(cut=1.0), "cut")]
)
def test_a_proxy_does_the_harm_that_it_counts(faults: Faults, kind: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Proxy(server.getsockname()[1], seed=1) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client,
        server.accept()[0] as far,
    ):
        client.sendall(b"whole")
        assert far.recv(5, socket.MSG_WAITALL) == b"whole"
        proxy.faults = faults
        client.sendall(b"whole")
        wait_for(lambda: proxy.done[kind], what=kind)
        if kind == "flipped":
            got = far.recv(5, socket.MSG_WAITALL)
            assert sum((a ^ b).bit_count() for a, b in zip(got, b"whole", strict=True)) == 1


def test_results_of_both_lengths_are_kept(tmp_path: Path) -> None:
    outcome = Outcome("kills", figures={"kills": 3}, heading=("a",), rows=[(1,)], took_s=1.0)
    outcome.check("it holds", True)
    outcome.check("it does not", False)
    results = tmp_path / "results.json"
    for quick in (True, False):
        keep(outcome, quick=quick, path=results)
    found = json.loads(results.read_text())
    assert len(found["kills"]) == 2
    text = page.render(found)
    assert "**Does not hold:** it does not." in text
    assert "**1 of 2**" in text


def test_the_page_tells_generations_of_the_store_apart(tmp_path: Path) -> None:
    outcome, results = Outcome("kills", figures={"kills": 3}), tmp_path / "results.json"
    outcome.check("it holds", True)
    keep(outcome, quick=False, path=results)
    ((length, found),) = json.loads(results.read_text())["kills"].items()
    length = length.removesuffix(NEWER)
    newer = {**found, "versions": {**found["versions"], "influxdb": "2.99.1"}, "figures": {"kills": 4}}
    text = page.render({"kills": {length: found, f"{length}{NEWER}": newer}})
    for row in ("](#kills) | full | all 1 |", "](#kills), on InfluxDB 2.99.1 | full | all 1 |"):
        assert row in text
    assert text.index("| kills | 3 |") < text.index("kills`, on InfluxDB 2.99.1") < text.index("| kills | 4 |")


def test_the_page_is_made_from_the_results() -> None:
    assert page.PAGE.read_text() == page.render(json.loads(RESULTS.read_text()))


def test_a_history_of_which_something_is_missing_or_left_is_seen(tmp_path: Path) -> None:
    made = make_history(Random(7), Trouble(), start_ns=T0_NS)
    with closing(Site(tmp_path / "site", dataclasses.replace(CALM, settle_s=10.0))) as site:
        site.send("a", [*made[:10], *made[11:]])
        site.finish({"a": made})
        short = site.result("a", made)
        assert short.wrong == ["1 blocks are not kept, 0 were never made"]
        site.send("a", made[10:11])
        site.service.step()
        assert "it is still to be detected again" in site.result("a", made).wrong
        site.finish({"a": made})
        whole = site.result("a", made)
    assert whole.wrong == []
    assert not compare(short.kept, whole.kept).none
