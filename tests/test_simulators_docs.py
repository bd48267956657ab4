"""The table of scenarios says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from simulators.device import Clock, Device
from simulators.link import Link
from simulators.scenarios import SCENARIOS, build

PAGE = (Path(__file__).parents[1] / "docs" / "simulators.md").read_text()
ROWS = {
    cells[1].strip(" `"): [cell.strip() for cell in cells[2:-1]]
    for line in PAGE.splitlines()
    if (cells := line.split("|"))[0] == "" and len(cells) == 8 and "`" in cells[1]
}
UNITS = {"s": 1, "min": 60, "h": 3600, "days": 86_400}


def test_every_scenario_has_its_row() -> None:
    assert set(ROWS) == set(SCENARIOS)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_row_is_right(name: str) -> None:
    devices, lasts, rates, block, _ = ROWS[name]
    fleet = build(name, seed=1, start_ns=1_760_000_000_000_000_000)
    assert len(fleet) == int(devices)
    sites, emg_fs_hz, acc_fs_hz = re.fullmatch(r"(\d) × (\d+) Hz / (\d+) Hz", rates).groups()  # type: ignore[union-attr]
    for device in fleet:
        assert len(device.sites) == int(sites)
        assert (device.front.emg_fs_hz, device.front.acc_fs_hz) == (float(emg_fs_hz), float(acc_fs_hz))
        assert device.block_s == float(block.removesuffix(" s"))
        number, unit = lasts.split()
        assert device.leg.duration_s == pytest.approx(float(number) * UNITS[unit], rel=0.15)


def test_members_of_clocks_and_links_are_all_described() -> None:
    section = PAGE.split("## Clocks, links and memory", 1)[1].split("\n## ", 1)[0]
    described: dict[str, set[str]] = {}
    part = ""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and "`" in cells[2]:
            part = cells[1].strip("`") or part
            described.setdefault(part, set()).update(re.findall(r"`(\w+)`", cells[2]))
    assert described["Clock"] == {field.name for field in fields(Clock)}
    assert described["Link"] == {field.name for field in fields(Link)}
    assert described["Device"] <= {field.name for field in fields(Device)}
