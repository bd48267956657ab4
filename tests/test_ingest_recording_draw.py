"""Pictures: what is drawn is what was measured, for ten seconds as for hours."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from matplotlib.image import imread
from recordings import START_NS, Signal, as_hdf5

from ingest.recording import detect, open_file, open_recording
from ingest.recording.batch import Job, run
from ingest.recording.draw import Sheet, draw_leg
from ingest.recording.movement import Swing, movements
from ingest.recording.options import Options
from ingest.recording.report import episodes_csv
from ingest.recording.trace import Trace
from simulators.recording import write_edf
from simulators.scenarios import build

RNG: Final = np.random.default_rng(8)


def drawn(path: Path, to: Path) -> tuple[dict[str, Any], np.ndarray]:  # type: ignore[type-arg]
    outcome = run(Job(path, Options(), to), lambda _: None)
    assert outcome.report is not None, outcome.error
    return outcome.report, np.asarray(imread(to))


def has(picture: np.ndarray, colour: str) -> bool:  # type: ignore[type-arg]
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return bool((np.abs(picture[..., :3] - wanted) < 0.02).all(-1).any())


def test_an_episode_is_drawn_in_the_colour_of_its_grade(tmp_path: Path) -> None:
    (device,) = build("minute", seed=7, start_ns=START_NS)
    (path,) = write_edf(device, tmp_path / "minute.edf")
    report, picture = drawn(path, tmp_path / "minute.png")
    (episode,) = report["episodes"]
    assert picture.shape[1] == 1300
    quiet, usable = "#22313f", "#4c9f70"
    assert has(picture, quiet)
    assert has(picture, usable)
    rows = episodes_csv([report]).splitlines()
    assert len(rows) == 2
    assert rows[1].startswith(f"{path},,{episode['stream']},{episode['onset_s']}")


def test_grades_and_what_was_taken_back(tmp_path: Path) -> None:
    leg = open_recording(as_hdf5(tmp_path / "leg.h5", [Signal("EMG TA", "uV", 250.0, RNG.normal(0, 5, 7500))]))
    trace = Trace(leg)
    found = detect(leg, watch=trace.watch)
    base = {"severity": 5.0, "confidence": 1.0, "status": "final"}
    episodes = [{**base, "onset_s": 10.0 * k, "end_s": 10.0 * k + 5, "grade": k + 1} for k in range(3)]
    for status in ("final", "rejected"):
        given = [{**episode, "status": status} for episode in episodes]
        sheet = Sheet("title", leg.duration_s, leg.start_ns, dated=False, episodes=given, notes=("a note",))
        draw_leg(tmp_path / "leg.png", sheet, trace=trace, found=found)
        picture = np.asarray(imread(tmp_path / "leg.png"))[60:]  # below the legend
        assert [has(picture, colour) for colour in ("#f2b134", "#e2711d", "#b3001b")] == [status == "final"] * 3


@pytest.mark.parametrize("seconds", [2, 10, 4000])
def test_the_envelope_is_the_rms(seconds: int, tmp_path: Path) -> None:
    level = np.where(np.arange(seconds * 250) < seconds * 125, 4.0, 40.0)
    path = as_hdf5(tmp_path / "leg.h5", [Signal("EMG TA", "uV", 250.0, RNG.normal(0, level) + 900.0)])
    leg = open_recording(path)
    trace = Trace(leg)
    for chunk in leg.pieces():
        trace.watch(chunk)
    curve = trace.curve(0)
    assert len(curve.at_s) <= 1401
    early, late = curve.at_s < 0.45 * seconds, (curve.at_s > 0.55 * seconds) & np.isfinite(curve.rms)
    assert np.sqrt(np.nanmean(curve.rms[early] ** 2)) == pytest.approx(4.0, rel=0.15)
    assert np.sqrt(np.nanmean(curve.rms[late] ** 2)) == pytest.approx(40.0, rel=0.15)
    assert (curve.low[early] <= curve.rms[early]).all()
    assert (curve.high[early] >= curve.rms[early]).all()


def test_acceleration_alone_is_told_and_drawn(tmp_path: Path) -> None:
    wave = np.sin(2 * np.pi * 2 * np.arange(1000) / 50) * (np.arange(1000) >= 500)
    axes = [Signal(f"ACC tibia_r {axis}", "g", 50.0, value) for axis, value in
            (("x", 1.0 + 0.5 * wave), ("y", 0 * wave), ("z", 0 * wave))]  # fmt: skip
    path = as_hdf5(tmp_path / "walk.h5", axes)
    (movement,) = movements(open_file(path))
    assert movement.name == "right tibia"
    assert movement.mad_g[:10] == pytest.approx(0.0, abs=1e-3)
    assert movement.mad_g[10:] == pytest.approx(0.5 * 2 / np.pi, rel=0.02)
    assert movement.angle_deg == pytest.approx(90.0, abs=0.1)
    report, picture = drawn(path, tmp_path / "walk.png")
    assert report["movement"][0]["moving_share"] == 0.5
    assert "right tibia: 20 s of acceleration, moving 50 % of them" in report["notes"][0]
    assert has(picture, "#8fa8bf")


def test_seconds_do_not_reach_over_a_gap() -> None:
    swing = Swing(fs_hz=50.0, scale=np.ones(3, np.float32))
    still = np.ones((3, 70), np.int16)
    swing.add(0.0, still)
    swing.add(1.4, still)
    swing.add(100.0, still)
    np.testing.assert_allclose(swing.movement("leg").at_s, [0.0, 1.0, 100.0])


def test_nothing_to_draw_is_drawn(tmp_path: Path) -> None:
    """Less than a second, and nothing but a flat line."""
    short = as_hdf5(tmp_path / "short.h5", [Signal("EMG TA", "uV", 250.0, RNG.normal(0, 5, 100))])
    flat = as_hdf5(tmp_path / "flat.h5", [Signal("EMG TA", "uV", 250.0, np.zeros(5000))])
    brief = as_hdf5(tmp_path / "brief.h5", [Signal(f"ACC leg {axis}", "g", 50.0, np.ones(20)) for axis in "xyz"])
    for path in (short, flat, brief):
        report, _ = drawn(path, path.with_suffix(".png"))
        assert report["coverage"]["usable_s"] == 0.0
    assert "leg: less than a second of acceleration" in report["notes"][0]
