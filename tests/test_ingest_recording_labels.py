"""What a channel's name is taken for, and how to say it where the name does not."""

from pathlib import Path

import numpy as np
import pytest
from recordings import Signal, as_csv, as_hdf5

from ingest.errors import RecordingError
from ingest.recording import open_file, parse_options
from ingest.recording.labels import meaning
from ingest.recording.units import plain, split

GM, GL, TA = "gastrocnemius_medialis", "gastrocnemius_lateralis", "tibialis_anterior"


@pytest.mark.parametrize(
    ("label", "taken"),
    [
        ("EMG gastroc_med", ("emg", GM, "", "")),
        ("EMG MG", ("emg", GM, "", "")),
        ("emg-gm", ("emg", GM, "", "")),
        ("GM", ("emg", GM, "", "")),
        ("GL", ("emg", GL, "", "")),
        ("SO", ("emg", "soleus", "", "")),
        ("TA", ("emg", TA, "", "")),
        ("L_Gastroc Med", ("emg", GM, "left", "")),
        ("Gastrocnemius medialis", ("emg", GM, "", "")),
        ("R Gastrocnemius, lateral head", ("emg", GL, "right", "")),
        ("Right_MG", ("emg", GM, "right", "")),
        ("LAT", ("emg", TA, "left", "")),
        ("RAT1-RAT2", ("emg", TA, "right", "")),
        ("EMG LAT+", ("emg", TA, "left", "")),
        ("Leg/L", ("emg", "leg", "left", "")),
        ("RLEG", ("emg", "leg", "right", "")),
        ("PLMl", ("emg", "leg", "left", "")),
        ("TIB Dx", ("emg", "tibialis", "right", "")),
        ("SX1-SX2", ("emg", "leg", "left", "")),
        ("EMG VL", ("emg", "vastus_lateralis", "", "")),
        ("EMG_uV", ("emg", "emg", "", "")),
        ("EMG1 [mV]", ("emg", "emg_1", "", "")),
        ("L GASTROC MED: EMG 3", ("emg", GM, "left", "")),
        ("Mini sensor 10: EMG 10", ("emg", "emg_10", "", "")),
        ("EMG biceps", ("emg", "biceps", "", "")),
    ],
)
def test_emg(label: str, taken: tuple[str, ...]) -> None:
    name, unit = split(label)
    found = meaning(name, unit or "uV")
    assert (found.kind, found.place, found.side, found.axis) == taken


@pytest.mark.parametrize(
    ("label", "place", "side", "axis"),
    [
        ("ACC shank x", "shank", "", "x"),
        ("acc x", "", "", "x"),
        ("ACC_X", "", "", "x"),
        ("AccX", "", "", "x"),
        ("accy", "", "", "y"),
        ("Accelerometer X", "", "", "x"),
        ("x (g)", "", "", "x"),
        ("ACC tibia_l z", "tibia", "left", "z"),
        ("Right_Shank_Ax", "shank", "right", "x"),
        ("Mini sensor 10: ACC.Z 10", "10", "", "z"),
        ("acc_wrist_y_mg", "wrist", "", "y"),
    ],
)
def test_acceleration(label: str, place: str, side: str, axis: str) -> None:
    found = meaning(split(label)[0], "g")
    assert (found.kind, found.place, found.side, found.axis) == ("acc", place, side, axis)


@pytest.mark.parametrize(
    ("label", "unit", "why"),
    [
        ("ECG II", "uV", "ecg is neither EMG nor acceleration"),
        ("Right_Shank_Gx", "deg/s", "gx is neither"),
        ("GYRO.X 10", "°/s", "gyro is neither"),
        ("EMG Chin", "uV", "chin is not of the leg"),
        ("TA", "deg", "its name says neither"),
        ("VL", "uV", "its name says neither"),
        ("x", "", "its name says neither"),
        ("accelerometer", "g", "without an axis"),
        ("", "", "its name says neither"),
    ],
)
def test_what_is_none_of_ours(label: str, unit: str, why: str) -> None:
    found = meaning(label, unit)
    assert found.kind == ""
    assert why in found.why


@pytest.mark.parametrize(
    ("label", "name", "unit"),
    [
        ("EMG (uV)", "EMG", "uV"),
        ("EMG [µV]", "EMG", "uV"),
        ("EMG in mV", "EMG in", "mV"),
        ("EMG_mV", "EMG", "mV"),
        ("acc_x_m/s2", "acc_x", "m/s2"),
        ("ACC X (m/s²)", "ACC X", "m/s2"),
        ("EMG MG", "EMG MG", ""),
        ("EMG mg", "EMG mg", ""),
        ("acc x mg", "acc x", "mg"),
        ("emg_raw", "emg_raw", ""),
        ("Leg/L", "Leg/L", ""),
        ("force (N)", "force", "N"),
    ],
)
def test_units_in_names(label: str, name: str, unit: str) -> None:
    assert split(label) == (name, unit)


@pytest.mark.parametrize(
    ("said", "unit"),
    [("µV", "uV"), ("ÂµV", "uV"), ("Î¼V", "uV"), ("microvolts", "uV"), ("MV", "mV"), ("m/s^2", "m/s2"), ("T", "T")],
)
def test_one_spelling_of_units(said: str, unit: str) -> None:
    assert plain(said) == unit


# --- what is said on the command line


def leg(tmp_path: Path, *labels: str, unit: str = "uV", fs_hz: float = 500.0) -> Path:
    rng = np.random.default_rng(1)
    return as_hdf5(tmp_path / "leg.h5", [Signal(label, unit, fs_hz, rng.normal(0, 5.0, 5000)) for label in labels])


def test_channels_and_units_as_said(tmp_path: Path) -> None:
    path = leg(tmp_path, "A1", "A2", "B7", "C", "D", "EMG TA", unit="")
    file = open_file(
        path,
        parse_options(
            channels=["A1=emg:gastrocnemius_medialis", "a2=emg:left_soleus", "B7=acc:shank:x", "C=acc:shank:y",
                      "D=acc:shank:z", "EMG TA=none"],
            units=["A1=mV", "uV", "g", "C=m/s2"],
        ),
    )  # fmt: skip
    taken = {one.label: (one.meaning.kind, one.meaning.place, one.meaning.side, one.unit) for one in file.channels}
    assert taken["A1"] == ("emg", GM, "", "mV")
    assert taken["A2"] == ("emg", "soleus", "left", "uV")
    assert taken["B7"] == ("acc", "shank", "", "g")
    assert taken["C"] == ("acc", "shank", "", "m/s2")
    assert file.channels[-1].meaning.why == "left out as asked"
    assert file.legs[0].layout.muscles == (GM, "soleus")
    assert file.legs[0].layout.acc is not None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"channels": ["EMG1"]}, "say LABEL=KIND:SITE, for instance --channel EMG1=emg:gastrocnemius_medialis"),
        ({"channels": ["EMG1=gastroc"]}, "say emg:SITE, acc:x, acc:SITE:x (y, z) or none"),
        ({"channels": ["EMG1=acc:shank:w"]}, "say emg:SITE"),
        ({"units": ["EMG1=ohm"]}, "--unit ohm: must be nV, uV, mV, V, count for EMG or g, mg, m/s2"),
        ({"rates": ["fast"]}, "--rate fast: must be samples a second"),
        ({"rates": ["-5"]}, "--rate -5: must be samples a second"),
        ({"rates": ["nan"]}, "--rate nan: must be samples a second"),
    ],
)
def test_wrong_words(said: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(RecordingError) as refusal:
        parse_options(**said)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("said", [{"channels": ["EMG9=emg:soleus"]}, {"units": ["EMG9=mV"]}, {"rates": ["EMG9=5"]}])
def test_what_is_said_of_a_channel_that_does_not_exist(said: dict[str, list[str]], tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="emg9: there is no such channel; there are EMG TA, EMG SO"):
        open_file(leg(tmp_path, "EMG TA", "EMG SO"), parse_options(**said))


def test_a_unit_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "leg.csv", [Signal("GM", "", 500.0, np.ones(2000))])
    path.write_text(path.read_text().replace("GM ()", "GM"))
    with pytest.raises(RecordingError, match=r"'GM' has no unit: it must be uV, mV or V. Say so: --unit 'GM=mV' \(or"):
        open_file(path)
    assert open_file(path, parse_options(units=["GM=count"])).legs[0].units == ("count",)
    assert open_file(path, parse_options(units=["mV"])).legs[0].units == ("uV",)


# --- which of several


def test_two_legs_are_judged_by_themselves(tmp_path: Path) -> None:
    labels = ("LAT", "RAT", "EMG chin", "ECG")
    file = open_file(leg(tmp_path, *labels))
    assert [(one.side, one.sites) for one in file.legs] == [("left", (TA,)), ("right", (TA,))]
    assert file.ignored == ("EMG chin", "ECG")
    assert file.notes == ("Two legs in one file: each is judged by itself.",)
    one = open_file(tmp_path / "leg.h5", parse_options(channels=["RAT=none"]))
    assert [(leg.side, leg.sites) for leg in one.legs] == [("left", (TA,))]


def test_an_emg_beside_an_eeg_is_of_the_chin(tmp_path: Path) -> None:
    file = open_file(leg(tmp_path, "EEG C3-A2", "EMG1-EMG2", "Leg/L"))
    assert file.legs[0].sites == ("leg",)
    assert "mostly of the chin" in file.channels[1].meaning.why
    named = open_file(tmp_path / "leg.h5", parse_options(channels=["EMG1-EMG2=emg:left_soleus"]))
    assert set(named.legs[0].sites) == {"leg", "soleus"}


def accelerometers(tmp_path: Path, *places: str) -> Path:
    rng = np.random.default_rng(2)
    emg = [Signal("EMG TA", "uV", 500.0, rng.normal(0, 5.0, 5000))]
    acc = [Signal(f"ACC {place} {axis}", "g", 50.0, np.full(500, 0.5)) for place in places for axis in "xyz"]
    return as_hdf5(tmp_path / "leg.h5", emg + acc)


@pytest.mark.parametrize(
    ("places", "taken"),
    [
        (("wrist", "shank"), "ACC shank x"),
        (("wrist",), None),
        (("box",), "ACC box x"),
        (("tibia_l", "tibia_r"), None),
        (("box", "shelf"), "ACC box x"),
    ],
)
def test_which_acceleration_is_of_the_leg(places: tuple[str, ...], taken: str | None, tmp_path: Path) -> None:
    file = open_file(accelerometers(tmp_path, *places))
    used = [one.label for one in file.channels if one.meaning.kind == "acc"]
    assert used[:1] == ([taken] if taken else [])
    assert (file.legs[0].layout.acc is not None) == (taken is not None)


def test_acceleration_of_either_side_is_not_guessed(tmp_path: Path) -> None:
    path = accelerometers(tmp_path, "tibia_l", "tibia_r")
    assert "left tibia or right tibia? None was taken" in open_file(path).notes[0]
    sided = open_file(path, parse_options(channels=["EMG TA=emg:right_tibialis_anterior"]))
    used = [one.label for one in sided.channels if one.meaning.kind == "acc"]
    assert used == [f"ACC tibia_r {axis}" for axis in "xyz"]
