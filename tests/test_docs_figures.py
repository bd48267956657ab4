"""The figures of docs/detector.md: all are there and small, and the script that draws them still does."""

from pathlib import Path

import pytest

from benchmarks.figures import FIGURES, FOLDER, LARGEST, save

QUICK = ("1_windows", "3_sustained", "6_evidence", "7_confidence")  # the others need a whole night


def test_there_is_a_figure_of_each_step_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(FIGURES)
    assert all(path.stat().st_size <= LARGEST for path in FOLDER.glob("*.png"))


@pytest.mark.parametrize("name", QUICK)
def test_figures_can_be_drawn(name: str, tmp_path: Path) -> None:
    assert 5_000 < save(name, FIGURES[name], tmp_path) <= LARGEST
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
