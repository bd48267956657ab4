"""Units, laboratory values and entries of the diary: what is taken, what is refused, and what to do instead."""

import math
import re
from datetime import date, datetime
from typing import Any

import pytest
from api_world import HOUR_NS, ns
from hypothesis import given
from hypothesis import strategies as st

from api.diary import analytes
from api.diary.analytes import ANALYTES, KNOWN, Analyte
from api.diary.clock import read_date, read_instant, wall_instant, written
from api.diary.units import CONCENTRATIONS, DOSES, LARGEST_G, check_dose, spelled
from api.diary.values import Context, FeltCramp, Intervention, LabValue
from api.errors import Invalid
from api.zones import ZoneChange, ZoneHistory

BERLIN = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))

# Conventional to SI units as printed in the AMA Manual of Style; magnesium's equivalents are half a mole each.
PUBLISHED = [
    ("magnesium", "mg/dL", "mmol/L", 0.4114),
    ("magnesium", "meq/L", "mmol/L", 0.5),
    ("calcium", "mg/dL", "mmol/L", 0.25),
    ("calcium", "meq/L", "mmol/L", 0.5),
    ("potassium", "meq/L", "mmol/L", 1.0),
    ("sodium", "meq/L", "mmol/L", 1.0),
    ("vitamin_d", "ng/mL", "nmol/L", 2.496),
    ("b12", "pg/mL", "pmol/L", 0.738),
    ("ferritin", "ng/mL", "pmol/L", 2.247),
]


@pytest.mark.parametrize(("analyte", "unit", "to", "factor"), PUBLISHED, ids=str)
def test_conversions_are_those_in_print(analyte: Analyte, unit: str, to: str, factor: float) -> None:
    value = analytes.from_own(analyte, analytes.converted(analyte, 1.0, unit), to)
    assert value == pytest.approx(factor, rel=3e-3)


@given(analyte=st.sampled_from(ANALYTES), value=st.floats(1e-3, 1e6), data=st.data())
def test_a_conversion_there_and_back_changes_nothing(analyte: Analyte, value: float, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(analytes.units_of(analyte)))
    assert analytes.from_own(analyte, analytes.converted(analyte, value, unit), unit) == pytest.approx(value)


def test_only_ions_have_equivalents() -> None:
    assert "meq/L" in analytes.units_of("magnesium")
    with pytest.raises(Invalid, match="cannot be given in this unit"):
        analytes.check("ferritin", 50, "meq/L")
    with pytest.raises(Invalid, match="mmol/L"):
        analytes.check("magnesium", 0.8, "mg")


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "names"),
    [
        ("magnesium", 8.2, "mmol/L", "0.82 mmol/L would be usual: this may be 10 times too large"),
        ("magnesium", 0.082, "mmol/L", "0.82 mmol/L would be usual: this may be 10 times too small"),
        ("calcium", 9.5, "mmol/L", "9.5 mg/dL would be usual: check the unit"),
        ("potassium", 41.0, "mmol/L", "4.1 mmol/L would be usual: this may be 10 times"),
        ("sodium", 14.1, "mmol/L", "141 mmol/L would be usual: this may be 10 times too small"),
        ("vitamin_d", 2.0, "nmol/L", "between 5 and 1000 nmol/L"),
        ("ferritin", 0.05, "ug/L", "50 ug/L would be usual: this may be 1000 times too small"),
    ],
    ids=str,
)  # fmt: skip
def test_a_slip_of_the_unit_is_refused_and_named(analyte: Analyte, value: float, unit: str, names: str) -> None:
    with pytest.raises(Invalid, match=re.escape(names)) as caught:
        LabValue(analyte, 0, value, unit)
    assert caught.value.name == "value"
    assert str(caught.value).endswith(".")


def test_a_number_that_is_usual_in_another_unit_is_remarked() -> None:
    assert analytes.remark("magnesium", 2.0, "mmol/L") == "2 mg/dL would be usual: check the unit."
    assert analytes.remark("magnesium", 0.5, "mmol/L") == ""  # low, and no other unit explains it
    assert analytes.remark("potassium", 4.2, "meq/L") == ""


@pytest.mark.parametrize("analyte", ANALYTES)
def test_usual_ranges_lie_within_the_possible_and_stand_as_they_should(analyte: Analyte) -> None:
    kind = KNOWN[analyte]
    assert kind.possible[0] < kind.usual[0] < kind.usual[1] < kind.possible[1]
    assert set(kind.reported) <= set(analytes.units_of(analyte))
    middle = sum(kind.usual) / 2
    assert analytes.standing(analyte, middle, kind.unit) == "within"
    assert analytes.standing(analyte, kind.usual[0] * 0.99, kind.unit) == "below"
    assert analytes.standing(analyte, kind.usual[1] * 1.01, kind.unit) == "above"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_value_that_is_no_amount_is_refused(value: float) -> None:
    with pytest.raises(Invalid, match="above 0"):
        analytes.check("sodium", value, "mmol/L")
    with pytest.raises(Invalid, match="above 0"):
        check_dose("other", value, "mg")


@pytest.mark.parametrize(
    ("given_as", "code"),
    [
        ("µg", "ug"), ("μg/L", "ug/L"), ("mcg", "ug"), ("IU", "[IU]"), ("IE", "[IU]"), ("mmol/l", "mmol/L"),
        ("mg/dl", "mg/dL"), ("mEq/l", "meq/L"), ("mval/l", "meq/L"), (" ml ", "mL"), ("mmHg", "mm[Hg]"),
        ("tablets", "{tablet}"), ("ng/ml", "ng/mL"),
    ],
    ids=str,
)  # fmt: skip
def test_usual_spellings_are_understood(given_as: str, code: str) -> None:
    assert spelled(given_as) == code
    assert code in DOSES | CONCENTRATIONS


@given(st.sampled_from([*DOSES, *CONCENTRATIONS]))
def test_a_code_is_its_own_spelling(code: str) -> None:
    assert spelled(code) == code


@pytest.mark.parametrize(
    ("code", "value", "unit", "why"),
    [
        ("magnesium", 300.0, None, "value and its unit"),
        ("magnesium", None, "mg", "value and its unit"),
        ("magnesium", 300.0, "mgs", "Unknown unit"),
        ("magnesium", 300.0, "[IU]", "Only vitamins D and E"),
        ("magnesium", 300.0, "g", "more than is ever taken"),
        ("vitamin_d", 25.0, "mg", "a thousand times too much"),
        ("vitamin_d", 1e6, "[IU]", "more than is ever taken"),
    ],
    ids=str,
)  # fmt: skip
def test_a_dose_that_cannot_be_is_refused(code: str, value: float | None, unit: str | None, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_dose(code, value, unit)


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("magnesium", 300, "mg"), ("magnesium", 12.3, "mmol"), ("zinc", 220, "mg"), ("vitamin_e", 400, "[IU]"),
        ("vitamin_k2", 180, "ug"), ("quinine", 200, "mg"), ("stretching", 3, "min"), ("compression", 20, "mm[Hg]"),
        ("pickle_juice", 75, "mL"), ("other", 2, "{tablet}"),
    ],
    ids=str,
)  # fmt: skip
def test_doses_of_the_trials_are_taken(code: str, value: float, unit: str) -> None:
    check_dose(code, value, unit)
    assert Intervention(code, date(2026, 1, 1), name="x", dose_value=value, dose_unit=unit).dose  # type: ignore[arg-type]


def test_every_largest_dose_is_of_a_code_that_there_is() -> None:
    for code in LARGEST_G:
        assert Intervention(code, date(2026, 1, 1)).code == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: FeltCramp(0, pain=11), "pain"),
        (lambda: FeltCramp(0, sleep_disturbance=-1), "sleep_disturbance"),
        (lambda: FeltCramp(0, duration_s=0.0), "duration_s"),
        (lambda: FeltCramp(0, duration_s=math.nan), "duration_s"),
        (lambda: FeltCramp(0, uncertain_s=math.nan), "uncertain_s"),
        (lambda: FeltCramp(0, note="x" * 201), "note"),
        (lambda: FeltCramp(0, note="two\nlines"), "note"),
        (lambda: Intervention("other", date(2026, 1, 1)), "name"),
        (lambda: Intervention("heat", date(2026, 1, 2), date(2026, 1, 1)), "to"),
        (lambda: Intervention("heat", date(2026, 1, 1), times=0), "times"),
        (lambda: Context("heat", 5, 5), "end"),
        (lambda: Context("dialysis", 0, 2 * 86_400 * 10**9), "end"),
        (lambda: Context("pregnancy_week", 0), "detail"),
        (lambda: Context("pregnancy_week", 0, detail=(("week", 60.0),)), "detail.week"),
        (lambda: Context("training", 0, detail=(("drink", "beer"),)), "detail.drink"),
        (lambda: Context("training", 0, detail=(("week", 3.0),)), "detail"),
        (lambda: Context("illness", 0, detail=(("what", 3.0),)), "detail.what"),
        (lambda: Context("heat", 0, detail=(("temperature_cel", math.nan),)), "detail.temperature_cel"),
    ],
)  # fmt: skip
def test_entries_are_valid_from_birth(make: Any, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        make()
    assert caught.value.name == name
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-20 03:10", "2026-01-20T03:10:00+01:00"),
        ("2026-07-20T03:10:30", "2026-07-20T03:10:30+02:00"),
        ("2026-01-20T03:10Z", "2026-01-20T03:10:00Z"),
        ("2026-01-20 03:10 +05:30", "2026-01-20T03:10:00+05:30"),
        ("20.1.2026 3:10", "2026-01-20T03:10:00+01:00"),
        ("20.01.2026 23:59:59", "2026-01-20T23:59:59+01:00"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, instant: str) -> None:
    assert read_instant(text, BERLIN, name="at") == ns(instant)


@pytest.mark.parametrize(
    "text", ["", "2026-01-20", "01/20/2026 03:10", "yesterday", "2026-13-01 00:00", "1999-01-01 00:00"]
)
def test_other_times_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(Invalid, match=r"Write a local time|outside") as caught:
        read_instant(text, BERLIN, name="at")
    assert caught.value.name == "at"


def test_dates_are_read_as_people_write_them() -> None:
    assert read_date("20.1.2026", name="at") == read_date(" 2026-01-20 ", name="at") == date(2026, 1, 20)
    with pytest.raises(Invalid, match="Write a date"):
        read_date("1/20/2026", name="at")


def test_a_time_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(Invalid, match="skipped"):
        read_instant("2026-03-29 02:30", BERLIN, name="at")


def test_a_time_that_the_clock_showed_twice_is_refused_with_both() -> None:
    with pytest.raises(Invalid) as caught:
        read_instant("2026-10-25 02:30", BERLIN, name="at")
    assert "2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00" in str(caught.value)
    assert read_instant("2026-10-25T02:30+01:00", BERLIN, name="at") == ns("2026-10-25T01:30:00Z")


def test_a_traveller_sees_a_time_twice_and_skips_another() -> None:
    flew = ns("2026-06-01T10:00:00Z")  # noon in Berlin; five in the morning in Chicago
    zones = ZoneHistory((ZoneChange(0, "Europe/Berlin"), ZoneChange(flew, "America/Chicago")))
    with pytest.raises(Invalid, match="2 times"):
        read_instant("2026-06-01 08:00", zones, name="at")
    back = ZoneHistory((ZoneChange(0, "America/Chicago"), ZoneChange(flew, "Europe/Berlin")))
    with pytest.raises(Invalid, match="skipped"):
        read_instant("2026-06-01 08:00", back, name="at")


@given(at_us=st.integers(1_580_000_000_000_000, 4_000_000_000_000_000))
def test_what_is_written_is_read_back_and_wall_times_that_are_taken_are_right(at_us: int) -> None:
    at_ns = at_us * 1000
    assert read_instant(written(BERLIN, at_ns), BERLIN, name="at") == at_ns
    wall: datetime = BERLIN.local(at_ns).replace(tzinfo=None)
    earlier, later = (BERLIN.local(at_ns + shift).replace(tzinfo=None) for shift in (-HOUR_NS, HOUR_NS))
    if wall in (earlier, later):  # the hour that comes twice
        with pytest.raises(Invalid, match="2 times"):
            wall_instant(wall, BERLIN, name="at")
    else:
        assert wall_instant(wall, BERLIN, name="at") == at_ns
