"""Files that are cut off, empty, patched or misnamed: a sentence that begins with the file's name, and nothing else."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import Signal, as_bdf, as_csv, as_hdf5, as_opensignals, as_parquet, as_trigno

from ingest.errors import RecordingError
from ingest.recording import detect, open_file, report
from ingest.recording.movement import movements

RNG: Final = np.random.default_rng(11)
LEG: Final = [
    Signal("EMG gastroc_med", "uV", 250.0, RNG.normal(0, 5.0, 2500)),
    *(Signal(f"ACC shank {axis}", "g", 50.0, RNG.normal(0.5, 0.01, 500)) for axis in "xyz"),
]
MAGIC: Final = [b"", b"0       ", b"\xffBIOSEMI", b"PAR1", b"\x89HDF\r\n\x1a\n"]
WRITERS: Final[list[Callable[..., Path]]] = [as_bdf, as_csv, as_parquet, as_hdf5, as_opensignals, as_trigno]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each format."""
    folder = tmp_path_factory.mktemp("whole")
    for write in WRITERS:
        write(folder / write.__name__, LEG)
    return folder


def check_read_or_refused(path: Path) -> str:
    """What comes of a file: a report, or the sentence that refuses it. Anything else is a fault."""
    try:
        file = open_file(path)
        found = [detect(leg) for leg in file.legs]
        report(file, found, moved=[] if file.legs else list(movements(file)))
    except RecordingError as refusal:
        said = str(refusal)
    else:
        return ""
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


names = pytest.mark.parametrize("name", [write.__name__ for write in WRITERS])


@names
def test_the_name_does_not_matter(name: str, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "leg.edf"
    path.write_bytes((whole / name).read_bytes())
    assert check_read_or_refused(path) == ""


@names
@given(share=st.floats(0.0, 0.999))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_off_anywhere(name: str, share: float, whole: Path, tmp_path: Path) -> None:
    path, content = tmp_path / "cut", (whole / name).read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    check_read_or_refused(path)


@names
@given(patches=st.lists(st.tuples(st.floats(0.0, 0.999), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_patched_anywhere(name: str, patches: list[tuple[float, bytes]], whole: Path, *, tmp_path: Path) -> None:
    """Mostly in the first tenth, where headers are."""
    content = bytearray((whole / name).read_bytes())
    for share, patch in patches:
        at = int(share * share * len(content))
        content[at : at + len(patch)] = patch
    path = tmp_path / "patched"
    path.write_bytes(content)
    check_read_or_refused(path)


@given(
    content=st.binary(max_size=400),
    head=st.sampled_from([b"", b"0       ", b"\xffBIOSEMI", b"PAR1", b"\x89HDF\r\n\x1a\n"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish(content: bytes, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(head + content)
    assert check_read_or_refused(path)


@given(text=st.text(alphabet='0123456789.,;\t\n"eE+- NaTimeEMGuV()', max_size=300))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts(text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.csv"
    path.write_text(text)
    check_read_or_refused(path)


@pytest.mark.parametrize(
    "values",
    [
        np.full(2500, np.nan),
        np.full(2500, np.inf),
        np.zeros(2500),
        np.full(2500, 1e30),
        np.where(np.arange(2500) == 7, 1e30, 3.0),
        RNG.normal(0, 1e-12, 2500),
        np.where(np.arange(2500) % 2 == 0, np.nan, RNG.normal(0, 5, 2500)),
    ],
    ids=["nan", "inf", "zero", "huge", "spike", "tiny", "every other"],
)
@pytest.mark.parametrize("write", [as_csv, as_parquet, as_hdf5])
def test_columns_of_strange_numbers(values: np.ndarray, write: Callable[..., Path], tmp_path: Path) -> None:  # type: ignore[type-arg]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the writing
        path = write(tmp_path / "leg", [Signal("EMG TA", "uV", 250.0, values), *LEG])
    check_read_or_refused(path)


@pytest.mark.parametrize("rate", ["nan", "inf", "0", "-1", "fast"])
def test_rates_that_are_none(rate: str, tmp_path: Path) -> None:
    path = as_trigno(tmp_path / "leg", [Signal("EMG TA", "uV", 250.0, np.zeros(500))])
    path.write_text(path.read_text().replace("2.500000e+02", rate))
    with pytest.raises(RecordingError, match=f"EMG TA has the rate '{rate}'"):
        open_file(path)


@pytest.mark.parametrize("rate", [np.nan, np.inf, 0.0, -1.0])
def test_rates_of_datasets_that_are_none(rate: float, tmp_path: Path) -> None:
    path = as_hdf5(tmp_path / "leg", [Signal("EMG TA", "uV", rate, np.zeros(500))])
    with pytest.raises(RecordingError, match=r"states no rate\. Say it: --rate 1000"):
        open_file(path)


def test_a_date_that_is_none_is_no_date(tmp_path: Path) -> None:
    path = as_hdf5(tmp_path / "leg", [Signal("EMG TA", "uV", 250.0, np.zeros(500))])
    with h5py.File(path, "a") as file:
        file.create_group("device").attrs.update({"date": "2019-13-40", "time": "25:00:00"})
    assert open_file(path).start_ns == 0


def test_acceleration_without_values_is_left_out(tmp_path: Path) -> None:
    empty = [Signal(f"ACC {axis}", "g", 250.0, np.full(2500, np.nan)) for axis in "xyz"]
    file = open_file(as_csv(tmp_path / "leg", [Signal("EMG TA", "uV", 250.0, RNG.normal(0, 5, 2500)), *empty]))
    assert file.legs[0].layout.acc is None
    assert [one.meaning.why for one in file.channels if not one.meaning.kind] == ["acceleration without values"] * 3
