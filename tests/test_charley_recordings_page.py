"""docs/recordings.md against the program: names, keys, suffixes and examples."""

import json
import re
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from recordings import Signal, as_csv, as_hdf5

from charley import main
from ingest.recording.formats import SUFFIXES
from ingest.recording.labels import meaning
from ingest.recording.options import parse_options
from ingest.recording.units import UV, G, split

PAGE: Final = (Path(__file__).parent.parent / "docs" / "recordings.md").read_text()


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def cells(row: str) -> list[str]:
    (line,) = re.findall(rf"^\| {row} \|(.*)$", PAGE, re.MULTILINE)
    return re.findall("`([^`]+)`", line)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("EMG of a muscle", "emg"),
        ("EMG of a leg in a sleep recording", "emg"),
        ("EMG of a place that is not known", "emg"),
        ("acceleration", "acc"),
    ],
)
def test_names_are_taken_as_the_page_says(row: str, kind: str) -> None:
    for label in cells(row):
        name, unit = split(label)
        found = meaning(name, unit or ("uV" if kind == "emg" else "g"))
        assert found.kind == kind, label
        assert found.named == (row in {"EMG of a muscle", "EMG of a leg in a sleep recording"}), label


def test_units_are_taken_as_the_page_says() -> None:
    assert all(split(label)[1] in UV | G for label in cells("unit"))


def test_options_are_taken_as_the_page_says() -> None:
    said = re.findall(r"`--(channel|unit|rate) ([^`]+)`", section("Channels"))
    assert len(said) >= 6
    for option, value in said:
        parse_options(**{f"{option}s": [value]})


def test_suffixes_are_those_of_the_code() -> None:
    first = section("Formats").split("\n\n")[0]
    assert set(re.findall(r"`(\.\w+)`", first)) == SUFFIXES


def test_the_example_of_a_bare_table_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (call,) = re.findall(r"^charley (detect export.csv .*)$", PAGE, re.MULTILINE)
    rng = np.random.default_rng(0)
    path = as_csv(tmp_path / "export.csv", [Signal(k, "", 1000.0, rng.normal(0, 0.01, 3000)) for k in "12"], time="n",
                  stamp=lambda t: f"{1000 * t:.0f}")  # fmt: skip
    path.write_text(path.read_text().replace(" ()", ""))
    with pytest.raises(SystemExit) as left:
        main([*call.replace("export.csv", str(path)).split(), "--json"])
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["taken_for"] for one in found["channels"]] == [None, "emg:gastrocnemius_medialis", "emg:soleus"]
    assert found["coverage"]["usable_s"] == 3.0


def test_keys_are_those_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    still = [Signal(f"ACC shank {axis}", "g", 50.0, np.ones(500)) for axis in "xyz"]
    path = as_hdf5(tmp_path / "still.h5", still)
    with pytest.raises(SystemExit):
        main(["detect", str(path), str(tmp_path / "none.edf"), "--json", "--plot", str(tmp_path)])
    printed = [set(one) for one in json.loads(capsys.readouterr().out)]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("What comes out"), re.MULTILINE)
    assert set(re.findall("`([^`]+)`", " ".join(rows))) == set.union(*printed)
