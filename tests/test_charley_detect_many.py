"""`charley detect` over files and folders: what is printed, written, drawn, and with which code it ends."""

import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from charley_run import LIMIT_S, charley, command, environment
from recordings import START_NS, Signal, as_csv, as_hdf5, as_parquet, signals_of
from rich.console import Console

from charley import main
from ingest.errors import RecordingError
from ingest.recording.batch import Job, Outcome, jobs_in, run, run_all
from ingest.recording.command import print_many, print_one
from ingest.recording.formats import recordings_in
from ingest.recording.options import Options
from ingest.recording.places import check_file, check_folder
from simulators.recording import write_edf
from simulators.scenarios import build

PNG: Final = b"\x89PNG"
STILL: Final = [
    Signal(f"ACC tibia_{side} {axis}", "g", 50.0, np.full(1000, value))
    for side in "lr"
    for axis, value in (("x", 0.0), ("y", 1.0), ("z", 0.0))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute with a cramp, in two formats; a file without EMG; one that is none; one that is damaged; a page."""
    place = tmp_path_factory.mktemp("legs")
    (device,) = build("minute", seed=7, start_ns=START_NS)
    (edf,) = write_edf(device, place / "minute.edf")
    (place / "deep").mkdir()
    as_parquet(place / "deep" / "minute.parquet", signals_of(edf))
    as_hdf5(place / "still.h5", STILL)
    as_csv(place / "cycles.csv", [Signal("touchdown", "s", 1.0, np.arange(9.0))], time="liftoff")
    (place / "broken.bdf").write_bytes(edf.read_bytes()[:3000])
    (place / "README.md").write_text("no recording")
    return place


def end(arguments: list[object], *, code: int) -> None:
    with pytest.raises(SystemExit) as left:
        main(list(map(str, arguments)))
    assert left.value.code == code


def test_a_folder_gives_an_array_and_says_what_could_not_be_read(folder: Path, tmp_path: Path) -> None:
    done = charley("detect", folder, "--json", "--plot", tmp_path / "png", "--csv", tmp_path / "all.csv", "--jobs", "2")
    assert done.returncode == 1, done.stderr
    found = {Path(one["file"]).name: one for one in json.loads(done.stdout)}
    assert sorted(found) == ["broken.bdf", "cycles.csv", "minute.edf", "minute.parquet", "still.h5"]
    assert [sorted(found[name]) for name in ("broken.bdf", "cycles.csv")] == [["error", "file"]] * 2
    assert "charley: " + found["cycles.csv"]["error"] in done.stderr
    assert "no EMG: nothing to detect; left tibia: 20 s of acceleration" in done.stderr
    assert [len(found[name]["episodes"]) for name in ("minute.edf", "minute.parquet", "still.h5")] == [1, 1, 0]
    assert found["still.h5"]["movement"][0] == {
        "accelerometer": "left tibia", "seconds": 20, "moving_share": 0.0, "mad_g": 0.0, "angle_deg": 0.0,
    }  # fmt: skip
    pictures = sorted(path.relative_to(tmp_path / "png") for path in (tmp_path / "png").rglob("*"))
    assert pictures == [Path("deep"), Path("deep/minute.png"), Path("minute.png"), Path("still.png")]
    assert all((tmp_path / "png" / name).read_bytes().startswith(PNG) for name in pictures if name.suffix)
    assert found["minute.edf"]["plots"] == [str(tmp_path / "png" / "minute.png")]
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text().splitlines()))
    assert sorted(Path(row["file"]).name for row in rows) == ["minute.edf", "minute.parquet"]
    assert {row["stream"] for row in rows} == {"gastrocnemius_medialis"}
    (episode,) = found["minute.edf"]["episodes"]
    assert episode["onset_s"] < episode["opened_s"] < episode["end_s"]


def test_channels_and_notes_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", folder / "minute.edf", "--json"], code=0)
    found = json.loads(capsys.readouterr().out)
    assert found["channels"][0] == {
        "label": "EMG gastroc_med", "taken_for": "emg:gastrocnemius_medialis", "side": None, "unit": "uV",
        "fs_hz": 1000.0,
    }  # fmt: skip
    assert found["rejected"] == []
    end(["detect", folder / "minute.edf", "--channel", "EMG gastroc_lat=none"], code=0)
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "EMG gastroc_med is emg:gastrocnemius_medialis; ACC shank x is acc:shank:x" in printed
    assert "left out: EMG gastroc_lat: left out as asked" in printed


def test_a_line_of_json_for_each_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", folder / "minute.edf", folder / "cycles.csv", "--jsonl", "--jobs", "1"], code=1)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["file"] == str(folder / "minute.edf")
    assert "error" in second


def test_tables_of_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", folder / "minute.edf", folder / "still.h5"], code=0)
    printed = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "gastrocnemius_medialis" in printed
    assert "1 episode(s) in 2 file(s). Not a medical device." in printed


def test_a_folder_is_told_on_80_characters(folder: Path, tmp_path: Path) -> None:
    """Nothing of the tables is cut, names are those in the folder, and every channel is told of."""
    sites = ["--channel", "EMG gastroc_med=emg:left_gastrocnemius_medialis", "--channel", "EMG gastroc_lat=none"]
    done = subprocess.run(
        command("detect", folder, *sites, "--plot", tmp_path / "png"), env=environment({}) | {"COLUMNS": "80"},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    out = done.stdout
    assert done.returncode == 1, done.stderr
    assert out.startswith(f"Recordings in {folder}\n")
    assert "…" not in out
    assert re.search(r"\ndeep/minute\.parquet +Parquet +60 +\d\d +4 of 5 +1 +\d\.\d\n", out)
    assert re.search(r"\nbroken\.bdf +not read +\n", out)
    assert "\nChannels of minute.edf:\n  EMG gastroc_med is left emg:gastrocnemius_medialis; ACC" in out
    assert "\n  left out: EMG gastroc_lat: left out as asked\n" in out
    assert len(re.findall(r"(?m)^ +gastrocnemius_medialis +$", out)) == 2  # below the side
    assert f"\n2 picture(s) in {tmp_path / 'png'}, named like the recordings\n" in out
    said = ("Recordings in", "  ", "2 picture")  # sentences are wrapped by the terminal
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith(said))


def test_many_files_of_the_same_channels_are_told_once() -> None:
    channels = [
        {"label": "A", "taken_for": "emg:soleus", "side": None},
        {"label": "[B]", "taken_for": None, "left_out": "its name says neither"},
    ]
    report = {
        "format": "EDF", "duration_s": 60.0, "coverage": {"usable_s": 59.0}, "channels": channels, "episodes": [],
        "rejected": [],
    }  # fmt: skip
    outcomes = [Outcome(Path(f"legs/{k}.edf"), report) for k in range(5)]
    text = io.StringIO()
    print_many(outcomes, [Path("legs")], Console(file=text, width=80))
    expected = (
        "\nChannels of 0.edf, 1.edf, 2.edf and 2 more:\n  A is emg:soleus\n  left out: [B]: its name says neither\n"
    )
    assert expected in text.getvalue().replace("legs/", "")
    print_one(report, Console(file=text, width=80))
    expected = "No episode.\nA is emg:soleus\nleft out: [B]: its name says neither\n59 s usable of 60 s. Not a medical"
    assert expected in text.getvalue()


def test_none_that_could_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", folder / "broken.bdf", folder / "cycles.csv", "--json"], code=2)
    assert all("error" in one for one in json.loads(capsys.readouterr().out))
    end(["detect", folder / "missing.edf", folder / "none"], code=2)


def test_wrong_options_are_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", folder / "minute.edf", "--channel", "EMG1=soleus"], code=2)
    assert capsys.readouterr().err.startswith("charley: --channel emg1=soleus: say emg:SITE")


@pytest.mark.parametrize(
    ("option", "place", "said"),
    [
        ("--plot", "/proc/pictures", "pictures cannot be written there ("),
        ("--plot", "/proc/picture.png", "the picture cannot be written there ("),
        ("--plot", "README.md/deep", "pictures cannot be written there (Not a directory). Name a place"),
        ("--csv", "/proc/x/all.csv", "the episodes cannot be written there ("),
        ("--csv", "deep", "is a folder. Name a file in it."),
    ],
)
def test_what_cannot_be_written_is_told_of_its_option_before_anything_is_read(
    option: str, place: str, said: str, *, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end(["detect", folder / "minute.edf", option, folder / place], code=2)
    printed = capsys.readouterr()
    assert printed.err.startswith(f"charley: {option} {folder / place}: {said}")
    assert (printed.out, printed.err.count("\n")) == ("", 1)


def test_a_picture_that_cannot_be_written_in_the_end_is_no_fault_of_the_recording(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "still.png").mkdir()
    outcome = run(Job(folder / "still.h5", Options(), tmp_path / "still.png"), lambda _: None)
    assert outcome.error.startswith(
        f"--plot {tmp_path / 'still.png'}: the picture cannot be written there (Is a direct"
    )


def test_places_are_tried_without_a_trace(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "deep", option="--plot", what="pictures")
    check_file(tmp_path / "new" / "all.csv", option="--csv", what="the episodes")
    assert list(tmp_path.iterdir()) == []


def test_a_job_for_every_file_once(folder: Path, tmp_path: Path) -> None:
    jobs = jobs_in([folder, folder / "minute.edf", folder / "deep"], Options(), plots=tmp_path)
    assert [job.path.name for job in jobs] == ["broken.bdf", "cycles.csv", "minute.parquet", "minute.edf", "still.h5"]
    assert len({job.plot for job in jobs}) == len(jobs)
    (one,) = jobs_in([folder / "minute.edf"], Options(), plots=tmp_path / "my.png")
    assert one.plot == tmp_path / "my.png"
    with pytest.raises(RecordingError, match="names one picture, and there are 5 recordings"):
        jobs_in([folder], Options(), plots=tmp_path / "my.png")
    assert recordings_in(folder / "README.md") == [folder / "README.md"]
    with pytest.raises(RecordingError, match=r"is a file\. Name a folder, or a picture that ends in \.png"):
        jobs_in([folder], Options(), plots=folder / "minute.edf")
    two = jobs_in([folder / "deep" / "minute.parquet", folder / "minute.edf"], Options(), plots=tmp_path)
    assert [job.plot for job in two] == [tmp_path / "minute.png", tmp_path / "minute-2.png"]


def test_progress_is_told_and_ends_at_one(folder: Path) -> None:
    shares: list[float] = []
    (outcome,) = run_all([Job(folder / "minute.edf", Options())], workers=1, progress=shares.append)
    assert outcome.report is not None
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


class Deadly(Options):
    """Options that end the process which unpacks them, as running out of memory would."""

    def __reduce__(self) -> Any:
        import os  # noqa: PLC0415

        return os._exit, (9,)


def test_a_process_that_dies_takes_one_file_with_it(folder: Path) -> None:
    jobs = [
        Job(folder / "minute.edf", Options()),
        Job(folder / "still.h5", Deadly()),
        Job(folder / "still.h5", Options()),
    ]
    shares: list[float] = []
    outcomes = run_all(jobs, workers=1, progress=shares.append)
    assert [outcome.report is not None for outcome in outcomes] == [True, False, True]
    assert "the process that read it ended with 9" in outcomes[1].error
    assert shares[-1] == 3.0


def test_two_legs_are_drawn_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    path = as_hdf5(
        tmp_path / "psg.h5", [Signal(label, "uV", 250.0, rng.normal(0, 5, 5000)) for label in ("LAT", "RAT")]
    )
    outcome: Outcome = run(Job(path, Options(), tmp_path / "psg.png"), lambda _: None)
    assert outcome.report is not None
    assert outcome.report["plots"] == [str(tmp_path / "psg-left.png"), str(tmp_path / "psg-right.png")]
    assert all(Path(plot).read_bytes().startswith(PNG) for plot in outcome.report["plots"])
    assert outcome.report["coverage"]["usable_s"] == 20.0
