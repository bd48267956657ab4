"""docs/trials.md is what its parts make; tables of results are shown as they are kept."""

import json
from pathlib import Path

from benchmarks.trials import page, published_forest
from benchmarks.trials.published import rows


def test_the_page_is_what_its_parts_make() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text()


def test_every_row_is_on_the_page_with_its_warning() -> None:
    shown = page.PAGE.read_text(encoding="utf-8")
    for row in rows():
        assert f"#### {row.system}\n" in shown
        assert f"`test_{row.name}`" in shown
        assert row.warning in shown
        if row.seen in {"second-hand", "unverified"}:
            section = shown.split(f"#### {row.system}\n")[1].split("####")[0]
            assert f"**{row.seen}**" in section


def test_results_are_shown_as_they_are_kept(tmp_path: Path) -> None:
    made = {"title": "Coverage", "note": "Of 2,000.", "columns": ["design", "held"], "rows": [["a|b", "95.1 %"]]}
    for kept in ({"tables": [made]}, {"cohorts": {"tables": [made]}, "other": 1}):
        path = tmp_path / "results.json"
        path.write_text(json.dumps(kept))
        shown = page.text(path)
        assert "### Coverage\n\nOf 2,000.\n\n| design | held |\n| --- | --- |\n| a\\|b | 95.1 % |" in shown
    assert "Simulated cohorts" not in page.text(tmp_path / "none.json")


def test_the_figure_is_there_and_can_be_drawn(tmp_path: Path) -> None:
    assert 5_000 < page.FOREST.stat().st_size <= published_forest.LARGEST
    ratios = [ratio for row in rows() for ratio in row.ratios]
    assert len(ratios) >= 10
    assert published_forest.save(ratios, tmp_path / "forest.png") <= published_forest.LARGEST
    assert (tmp_path / "forest.png").read_bytes().startswith(b"\x89PNG")
