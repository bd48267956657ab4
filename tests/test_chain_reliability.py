"""Short versions of `benchmarks/reliability`: kills, late nights, outages, storms, a flood, a backup, any order."""

from pathlib import Path
from typing import Final

import pytest

from benchmarks.reliability import arrival, backup, flood, hostile, kills, offline, outages, reconnect
from benchmarks.reliability.outcome import Outcome

SERVERS: Final = pytest.mark.usefixtures("mosquitto", "influxdb")


def check_held(outcome: Outcome) -> None:
    """Everything that was looked at held."""
    failing = [what for what, held in outcome.checks.items() if not held]
    assert outcome.passed, "\n".join([*failing, *outcome.sentences, str(outcome.figures)])


@SERVERS
def test_twenty_kills_change_no_record(tmp_path: Path) -> None:
    outcome = kills.run(quick=True, folder=tmp_path)
    check_held(outcome)
    assert outcome.figures["kills"] == 20


@SERVERS
def test_nights_sent_newest_first_are_as_if_live(tmp_path: Path) -> None:
    plan = offline.Plan(devices=2, before=1, away=2, seconds=600, block_s=5.0)
    outcome = offline.run(quick=True, folder=tmp_path, plan=plan)
    check_held(outcome)
    assert outcome.figures["nights written"] == 4


@SERVERS
def test_outages_lose_nothing(tmp_path: Path) -> None:
    plan = outages.Plan(devices=4, speed=25, store_s=5, other_s=5, after_s=5)
    names = ("store", "disk, full", "network, corrupt (TLS)")
    outcome = outages.run(quick=True, folder=tmp_path, plan=plan, names=names)
    check_held(outcome)
    left_out = [sentence for sentence in outcome.sentences if "left out" in sentence]
    assert len(outcome.rows) == len(names) - len(left_out)


@SERVERS
def test_devices_that_reconnect_at_once_lose_nothing(tmp_path: Path) -> None:
    plan = reconnect.Plan(devices=60, rates=(60,), try_s=0, seconds=12, storms=2, bare_s=1)
    outcome = reconnect.run(quick=True, folder=tmp_path, plan=plan)
    check_held(outcome)
    assert len(outcome.rows) == 2


@SERVERS
def test_a_device_that_floods_holds_nobody_up(tmp_path: Path) -> None:
    outcome = flood.run(quick=True, folder=tmp_path, plan=flood.Plan(devices=4, before_s=3, flood_s=9))
    check_held(outcome)
    assert [row[0] for row in outcome.rows] == ["alone", "flooded"]


@SERVERS
def test_a_backup_under_load_restores_to_equal_records(tmp_path: Path) -> None:
    # Slow enough that blocks still come in when the command has started on a busy machine.
    check_held(backup.run(quick=True, folder=tmp_path, plan=backup.Plan(devices=3, speed=14, seconds=30, at_s=4)))


def test_hostile_messages_are_all_accounted_for(tmp_path: Path) -> None:
    check_held(hostile.run(quick=True, folder=tmp_path, cases=2000))


def test_histories_in_any_order_come_to_the_same(tmp_path: Path) -> None:
    outcome = arrival.run(quick=True, folder=tmp_path, histories=3)
    check_held(outcome)
    assert [row[1] for row in outcome.rows] == [3] * len(arrival.CLASSES)
    assert all(row[3] for row in outcome.rows), "something was compared"
