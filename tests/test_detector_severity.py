"""Severity, confidence, parameters and the worked examples of the package."""

import dataclasses
import doctest
import importlib
import pkgutil
import re

import naive_detector as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detector
from detector import DEFAULT, DetectorError, Params
from detector.confidence import Signs, confidence
from detector.quality import FLAGS, flag_names
from detector.severity import WEIGHTS, severity

PARTS = {
    "peak_ratio": st.floats(0, 1e4),
    "duration_s": st.floats(0, 1e5),
    "load": st.floats(0, 1e4),
    "recruitment": st.floats(0, 1),
}
everything = st.fixed_dictionaries(PARTS)


@given(everything)
def test_severity_is_what_the_slow_twin_says(given_: dict[str, float]) -> None:
    score = severity(**given_)
    total, grade = naive.severity(**given_)
    assert score.total == pytest.approx(total, abs=1e-3)
    assert score.grade == grade
    parts = [getattr(score, name) for name in WEIGHTS]
    assert all(0 <= part <= 10 for part in [score.total, *parts])
    assert score.total == pytest.approx(sum(WEIGHTS[name] * getattr(score, name) for name in WEIGHTS), abs=2e-3)
    assert sum(WEIGHTS.values()) == pytest.approx(1)


@given(everything, st.sampled_from(sorted(PARTS)), st.floats(0, 1e4))
def test_no_part_of_severity_falls_when_its_cause_rises(given_: dict[str, float], name: str, by: float) -> None:
    less, more = severity(**given_), severity(**{**given_, name: given_[name] + by})
    for field in dataclasses.fields(less):
        assert getattr(more, field.name) >= getattr(less, field.name), field.name


@pytest.mark.parametrize(
    ("duration_s", "load", "grade"),
    [(29.9, 39.9, 1), (30, 4.99, 1), (30, 5, 2), (179, 39.9, 2), (180, 0, 3), (5, 40, 3)],
)
def test_grades_change_where_they_are_said_to(duration_s: float, load: float, grade: int) -> None:
    assert severity(peak_ratio=5, duration_s=duration_s, load=load, recruitment=0.5).grade == grade


def signs(upright: float, coactive: float, moved: bool, active_s: float, acc: bool, *, cold: bool = False) -> Signs:
    return Signs(
        upright=np.array([upright], np.float32),
        coactive=np.array([coactive], np.float32),
        moved=np.array([moved]),
        cold=np.array([cold]),
        active_s=np.array([active_s], np.float32),
        acc=np.array([acc]),
    )


every_sign = st.tuples(
    st.floats(0, 1), st.one_of(st.just(float("nan")), st.floats(0, 1)), st.booleans(), st.floats(0, 2000), st.booleans()
)


@given(every_sign)
def test_what_speaks_for_a_willed_act_never_raises_confidence(given_: tuple[float, float, bool, float, bool]) -> None:
    upright, coactive, _, active_s, acc = given_
    belief = float(confidence(signs(*given_), DEFAULT)[0])
    assert 0 <= belief <= 1
    assert float(confidence(signs(1.0, coactive, True, active_s, acc), DEFAULT)[0]) <= belief
    if not np.isnan(coactive):
        assert float(confidence(signs(upright, 1.0, given_[2], active_s, acc), DEFAULT)[0]) <= belief
    assert float(confidence(signs(upright, coactive, given_[2], active_s + 60, acc), DEFAULT)[0]) >= belief


def test_one_head_in_stillness_is_believed_and_both_heads_on_tiptoe_are_not() -> None:
    assert confidence(signs(0.0, 0.05, False, 12, True), DEFAULT)[0] > 0.8
    assert confidence(signs(1.0, 0.9, True, 12, True), DEFAULT)[0] < DEFAULT.confidence_min


def test_an_upright_leg_is_not_judged_before_its_rest_is_known() -> None:
    assert confidence(signs(1.0, 0.05, False, 600, True, cold=True), DEFAULT)[0] < DEFAULT.confidence_min
    assert confidence(signs(0.0, 0.05, False, 12, True, cold=True), DEFAULT)[0] > 0.8


def table(text: str) -> list[list[str]]:
    """Rows of the first Markdown table, less its head."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_parameters_lists_every_field_in_order() -> None:
    rows = table(str(Params.__doc__))
    assert [row[0] for row in rows] == [field.name for field in dataclasses.fields(Params)]
    assert all(len(row) == 4 and all(row) for row in rows)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Params)])
def test_the_digest_changes_with_each_parameter(field: str) -> None:
    other = dataclasses.replace(DEFAULT, **{field: getattr(DEFAULT, field) * 1.1})
    assert other.digest != DEFAULT.digest
    assert re.fullmatch("[0-9a-f]{8}", DEFAULT.digest)
    assert Params().digest == DEFAULT.digest


@given(st.sets(st.sampled_from(FLAGS)))
def test_flags_have_their_names(names: set[str]) -> None:
    bits = sum(1 << FLAGS.index(name) for name in names)
    assert flag_names(bits) == tuple(sorted(names))


MODULES = sorted(module.name for module in pkgutil.iter_modules(detector.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_worked_examples_work(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"detector.{name}")).failed == 0


def test_there_are_worked_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test.name for name in MODULES for test in finder.find(importlib.import_module(f"detector.{name}"))]
    assert len(found) >= 5


def test_an_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Params(hold_s=-1)
    assert issubclass(DetectorError, ValueError)
