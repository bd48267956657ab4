"""docs/detector.md says what the code does: parameters, flags, constants and formulas."""

import math
import re
from dataclasses import fields
from pathlib import Path

import pytest

import detector
from detector import (
    DEFAULT,
    Params,
    acc,
    agreement,
    candidates,
    confidence,
    emg,
    episodes,
    epochs,
    layout,
    learn,
    quality,
    refit,
    rest,
    rhythm,
    seconds,
    severity,
    stance,
    state,
    windows,
)
from detector.confidence import WEIGHTS
from detector.params import EPOCH_S, SUBWINDOWS, WINDOW_S

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "detector.md").read_text()


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


def test_every_sign_is_listed_with_its_weight() -> None:
    found = rows(section("Confidence"))
    assert [(row[0], row[2]) for row in found] == [(f"`{name}`", f"{weight:g}") for name, weight in WEIGHTS.items()]
    assert all(len(row) == 4 and all(row) for row in found)


def test_words_in_code_font_are_parameters_flags_signs_or_in_the_code() -> None:
    known = {field.name for field in fields(Params)} | set(quality.FLAGS) | set(WEIGHTS)
    known |= {"Params", "fs", "floor(fs)", "anchor + i / fs", "charley evaluate"}
    words = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    paths = {word for word in words if "/" in word and " " not in word}
    assert words - paths <= known
    assert all((ROOT / path).exists() for path in paths)


@pytest.mark.parametrize(
    ("where", "sentence", "holds"),
    [
        ("Place in time", "within 50 ms", windows.SLACK_NS == 50e6),
        ("Place in time", "up to 500 ms", windows.SLEW_NS == 500e6),
        ("Seconds", "whole UTC seconds", WINDOW_S == 1),
        ("Seconds", "prime factor above 13", state.ROUGH == 13),
        ("Seconds", "down to 1/800 below the rate", state.NEAR == 1 / 800),
        ("Seconds", "1258 at 1259.26 Hz", state.window_n(1259.26) == 1258),
        ("Spectrum", "20-450 Hz (to 0.45 `fs` at low rates)", emg.BAND_HZ == (20, 450)),
        ("Spectrum", "less 5 % of hum", emg.HUM_LEAK == 0.05),
        ("Spectrum", "multiples of 50 and 60 Hz", emg.MAINS_HZ == (50, 60)),
        ("Spectrum", "mean square at 3-15 Hz", emg.WANDER_HZ == (3, 15)),
        ("Spectrum", "analytic signal of 20-148 Hz", emg.ENVELOPE_HZ == (20, 148)),
        ("Spectrum", "in 32 steps", emg.STEPS == 32),
        ("Spectrum", "128 lines", emg.ENVELOPE_N == 128),
        ("Spectrum", "eight RMS values", SUBWINDOWS == 8),
        ("Spectrum", "16 bands", emg.BANDS == 16),
        ("Spectrum", "at 250 Hz only 20-112 Hz", emg.bins(250, 250.0).last == 112),
        ("Rhythm", "slow = line(1) + line(2)", slice(1, 3) == rhythm.SLOW_HZ),
        ("Rhythm", "fast = line(3) + line(4)", slice(3, 5) == rhythm.FAST_HZ),
        ("Rhythm", "k = 3..14", slice(3, 15) == rhythm.BEAT_HZ),
        ("Quality", "spans more than 256 counts", emg.QUIET_SPAN == 256),
        ("Quality", "below 0.3 of rest", quality.HOLLOW == 0.3),
        ("Quality", "RMS above twice rest", quality.LOUD == 2),
        ("Rest and custom", "30th percentile", rest.PERCENTILE == 0.3),
        ("Rest and custom", "five or more calm seconds", rest.LEAST == 5),
        ("Rest and custom", "up = 0.1 in", rest.WARM_UP == 0.1),
        ("Rest and custom", "x < 2 rest", pytest.approx(math.log(2)) == rest.FAR),
        ("Rest and custom", "70th percentile", learn.CUSTOM == 0.7),
        ("Rest and custom", "- c, -0.005, up)", learn.CUSTOM_DOWN == 0.005),
        ("Rest and custom", "up = 0.1, and 0.03", (learn.CUSTOM_UP, learn.CUSTOM_UP_OPEN) == (0.1, 0.03)),
        ("Stance", "80 % of its seconds have a MAD above 0.08 g", (stance.WALK_SHARE, stance.WALK_G) == (0.8, 0.08)),
        ("Stance", "mean resultant length above 0.85", stance.STEADY == 0.85),
        ("Stance", "a fifth of the way. From the second on", (stance.UP_STEP, stance.UP_EPOCHS) == (0.2, 2)),
        ("Stance", "within 40° of up", stance.UP_DEG == 40),
        ("Stance", "within 35° of it", stance.NEAR_DEG == 35),
        ("Stance", "up to 30 epochs", stance.HOME_MOST == 30),
        ("Stance", "takes three away", stance.HOME_LEAVE == 3),
        ("Stance", "from six epochs on", stance.HOME_EPOCHS == 6),
        ("Stance", "quiet for 45 s sits", candidates.SETTLED_S == 45),
        ("Epochs", "Every ten seconds", EPOCH_S == 10),
        ("Episodes", "at most 180 s earlier", candidates.LONGEST_RISE_S == 180),
        (
            "Episodes",
            "above 2.5 times its running mean, 5 s or more",
            (episodes.LEAP, episodes.LEAP_AFTER_S) == (2.5, 5),
        ),
        ("Confidence", "quiet for 45 s", candidates.SETTLED_S == 45),
        ("Confidence", "clip((q − 0.1) / 0.4", (confidence.ALONE, confidence.BOTH) == (0.1, 0.5)),
        ("Confidence", "first ten active seconds", candidates.EARLY_S == 10),
        ("Confidence", "third active second on", candidates.RISING_S == 2),
        ("Confidence", "over 65 active seconds", confidence.LONGEST_WILLED_S == 65),
        ("Confidence", "over e² times customary", confidence.STANDING == 2),
        ("Confidence", "at most 3600", candidates.LONGEST_QUIET_S == 3600),
        ("Confidence", "ln((slow / fast) / 1.45)", confidence.WOBBLE_WILLED == 1.45),
        ("Confidence", "clip((b − 0.1) / 0.1, 0, 3)", confidence.BEAT_NOISE == 0.1),
        ("Confidence", "at least 0.4 of the crest", candidates.MOST == 0.4),
        ("Confidence", "half of the crest", candidates.HALF == 0.5),
        ("Severity", "ln(peak ratio) / ln 40", severity.TOP_RATIO == 40),
        ("Severity", "10 at 15 minutes", severity.TOP_DURATION_S == 900),
        ("Severity", "10 at 200 reference-seconds", severity.TOP_LOAD == 200),
        (
            "Severity",
            "0.3 amplitude + 0.2 duration + 0.4 load part + 0.1 recruitment",
            list(severity.WEIGHTS.values()) == [0.3, 0.2, 0.4, 0.1],
        ),
        ("Re-fit", "beta >= 0.01 of the published weights", refit.FLOOR == 0.01),
        ("Re-fit", "standard deviation of 0.1 each", refit.WEIGHT_SD == 0.1),
        ("Re-fit", "mild 1-4, moderate 5-6, severe 7-10", refit.CUTS[1, 3] == (4.5, 6.5)),
        ("Re-fit", "shift by 2 points and whose spacing by half", (refit.LEVEL_SD, refit.SPACING_SD) == (2, 0.5)),
        ("Re-fit", "fewer than five ratings", refit.LEAST == 5),
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
    assert titles[:12] == [
        "Place in time", "Seconds", "Spectrum", "Rhythm", "Quality", "Rest and custom", "Stance", "Epochs", "Episodes",
        "Confidence", "Severity", "Re-fit",
    ]  # fmt: skip
    files = re.findall(r"\b(\w+)\.py\b", PAGE.split("```")[1])
    steps = (windows, emg, acc, rhythm, seconds, quality, rest, learn, stance, epochs, candidates, episodes)
    assert {Path(str(module.__file__)).stem for module in (*steps, confidence, severity, refit, agreement)} == set(
        files
    )
    assert all((Path(detector.__path__[0]) / f"{name}.py").exists() for name in files)


def test_every_figure_is_on_the_page() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(detector/(\w+\.png)\)", PAGE)
    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs" / "detector").glob("*.png"))
