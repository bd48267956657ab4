"""docs/detector.md says what the code does: parameters, flags, constants and formulas."""

import math
import re
from dataclasses import fields
from pathlib import Path

import pytest

import detector
from detector import DEFAULT, Params, acc, confidence, emg, episodes, layout, quality, rest, severity, windows
from detector.params import EPOCH_S, SUBWINDOWS, WINDOW_S

PAGE = (Path(__file__).parent.parent / "docs" / "detector.md").read_text()


def section(title: str) -> str:
    (found,) = re.findall(rf"^## \d+\. {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """Cells of a Markdown table, less its head."""
    lines = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def test_every_parameter_is_listed_as_the_code_has_it() -> None:
    told = rows(str(Params.__doc__))
    expected = [[f"`{name}`", f"{getattr(DEFAULT, name):g}", *rest_] for name, *rest_ in told]
    assert rows(section("Parameters")) == expected
    assert [row[0] for row in expected] == [f"`{field.name}`" for field in fields(Params)]


def test_every_flag_is_explained() -> None:
    assert [row[0] for row in rows(section("Quality"))] == [f"`{name}`" for name in quality.FLAGS]


def test_words_in_code_font_are_parameters_flags_or_in_the_code() -> None:
    known = {field.name for field in fields(Params)} | set(quality.FLAGS)
    known |= {"detector/", "tests/test_detector_chunking.py", "detector/params.py", "Params", "fs", "floor(fs)"}
    known |= {"anchor + i / fs"}
    assert set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))) <= known


@pytest.mark.parametrize(
    ("where", "sentence", "holds"),
    [
        ("Place in time", "within 50 ms", windows.SLACK_NS == 50e6),
        ("Place in time", "up to 500 ms", windows.SLEW_NS == 500e6),
        ("Seconds", "whole UTC seconds", WINDOW_S == 1),
        ("Spectrum", "20-450 Hz (to 0.45 `fs` at low rates)", emg.BAND_HZ == (20, 450)),
        ("Spectrum", "less 5 % of hum", emg.HUM_LEAK == 0.05),
        ("Spectrum", "multiples of 50 and 60 Hz", emg.MAINS_HZ == (50, 60)),
        ("Spectrum", "mean square at 3-15 Hz", emg.WANDER_HZ == (3, 15)),
        ("Spectrum", "envelope of 20-148 Hz", emg.ENVELOPE_HZ == (20, 148)),
        ("Spectrum", "eight RMS values", SUBWINDOWS == 8),
        ("Spectrum", "16 bands", emg.BANDS == 16),
        ("Spectrum", "at 250 Hz only 20-112 Hz", emg.bins(250, 250.0).last == 112),
        ("Quality", "spans more than 256 counts", emg.QUIET_SPAN == 256),
        ("Quality", "RMS above twice rest", quality.LOUD == 2),
        ("Rest", "30th percentile", rest.PERCENTILE == 0.3),
        ("Rest", "five or more calm seconds", rest.LEAST == 5),
        ("Rest", "up = 0.1", rest.WARM_UP == 0.1),
        ("Rest", "x < 2 rest", pytest.approx(math.log(2)) == rest.FAR),
        ("Epochs", "Every ten seconds", EPOCH_S == 10),
        ("Episodes", "at most 180 s earlier", episodes.LONGEST_RISE_S == 180),
        ("Confidence", "z = 1.5 +", confidence.BASE == 1.5),
        ("Confidence", "+ 0.5 [there is an accelerometer]", confidence.WATCHED == 0.5),
        ("Confidence", "+ 0.5 ln(active seconds", confidence.LASTING == 0.5),
        ("Confidence", "1.5 [upright] + 1.5 [moved", (confidence.UPRIGHT, confidence.MOVED) == (1.5, 1.5)),
        ("Confidence", "other = 2.25", confidence.COACTIVE == 2.25),
        ("Confidence", "-1.5 where it does not", confidence.ALONE == -1.5),
        ("Confidence", "and 1.5 [upright] where there is no second", confidence.UNSEEN == 1.5),
        ("Severity", "ln(peak ratio) / ln 40", severity.TOP_RATIO == 40),
        ("Severity", "10 at 15 minutes", severity.TOP_DURATION_S == 900),
        ("Severity", "10 at 200 reference-seconds", severity.TOP_LOAD == 200),
        (
            "Severity",
            "0.3 amplitude + 0.2 duration + 0.4 load part + 0.1 recruitment",
            list(severity.WEIGHTS.values()) == [0.3, 0.2, 0.4, 0.1],
        ),
    ],
)
def test_figures_on_the_page_are_those_of_the_code(where: str, sentence: str, holds: bool) -> None:
    assert sentence in " ".join(section(where).split())
    assert holds


def test_rates_are_those_that_a_layout_takes() -> None:
    assert "EMG channels at 200-4000 Hz" in PAGE
    assert "accelerometer at 10-200 Hz" in PAGE
    for kind, channels, rates in (("emg", 1, (200.0, 4000.0)), ("acc", 3, (10.0, 200.0))):
        for fs_hz in rates:
            layout.Group(kind, fs_hz, channels)


def test_the_page_follows_the_order_of_the_code() -> None:
    titles = re.findall(r"^## \d+\. (.+)$", PAGE, re.MULTILINE)
    assert titles[:9] == [
        "Place in time", "Seconds", "Spectrum", "Quality", "Rest", "Epochs", "Episodes", "Confidence", "Severity",
    ]  # fmt: skip
    files = re.findall(r"\b(\w+)\.py\b", PAGE.split("```")[1])
    assert {Path(str(module.__file__)).stem for module in (windows, emg, acc, quality, rest, severity)} <= set(files)
    assert all((Path(detector.__path__[0]) / f"{name}.py").exists() for name in files)
