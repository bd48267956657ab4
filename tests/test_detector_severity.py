"""Severity, confidence, parameters and the worked examples of the package."""

import dataclasses
import doctest
import hashlib
import importlib
import math
import pkgutil
import re
from typing import Final

import naive_detector as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detector
from detector import DEFAULT, VERSION, DetectorError, Params
from detector.confidence import WEIGHTS as WEIGHTS_OF_SIGNS
from detector.confidence import Signs, confidence, terms
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


# One head of a sleeping leg begins to cramp: what each sign then is.
CRAMP: Final = {
    "upright": 0.0, "seated": 0.0, "stirred": 0.0, "coactive": 0.05, "moved": False, "cold": False, "active_s": 12.0,
    "acc": True, "wobble": 1.6, "beat": 0.08, "quiet_s": 600.0, "usual": 0.1, "crest": 8.0, "abrupt": 1.8,
    "fall_s": math.nan,
}  # fmt: skip
TIPTOE: Final = {
    "upright": 1.0, "coactive": 0.9, "moved": True, "wobble": 1.3, "quiet_s": 2.0, "usual": 1.2, "abrupt": 12.0,
}  # fmt: skip
WALK: Final = {
    "upright": 1.0, "stirred": 0.9, "moved": True, "wobble": 9.0, "quiet_s": 0.0, "usual": 1.9, "coactive": 0.6,
}  # fmt: skip
TREMOR: Final = {"beat": 0.6, "wobble": 0.8, "coactive": 0.5, "usual": 1.0, "abrupt": 4.0}


def belief(**signs: float) -> float:
    """Confidence in a cramp whose signs differ in these from `CRAMP`."""
    of_one = {
        name: np.array([value], np.bool_ if isinstance(CRAMP[name], bool) else np.float32)
        for name, value in {**CRAMP, **signs}.items()
    }
    return float(confidence(Signs(**of_one))[0])


any_signs = st.fixed_dictionaries(
    {
        "upright": st.floats(0, 1),
        "seated": st.sampled_from([0.0, 1.0]),
        "stirred": st.floats(0, 1),
        "coactive": st.one_of(st.just(math.nan), st.floats(0, 1.2)),
        "moved": st.booleans(),
        "cold": st.booleans(),
        "active_s": st.integers(0, 2000).map(float),
        "acc": st.booleans(),
        "wobble": st.floats(0, 30),
        "beat": st.floats(0, 2),
        "quiet_s": st.floats(0, 3600),
        "usual": st.floats(0, 3),
        "crest": st.floats(1, 200),
        "abrupt": st.floats(1, 100),
        "fall_s": st.one_of(st.just(math.nan), st.floats(0, 60)),
    }
)


@given(any_signs)
def test_confidence_is_what_the_slow_twin_says(given_: dict[str, float]) -> None:
    told = naive.confidence(given_, weights=WEIGHTS_OF_SIGNS)
    assert belief(**given_) == pytest.approx(told, abs=1e-4)


@pytest.mark.parametrize(
    ("sign", "cramp", "willed"),
    [
        ("upright", 0.0, 1.0),
        ("seated", 0.0, 1.0),
        ("stirred", 0.0, 0.7),
        ("coactive", 0.05, 0.8),
        ("coactive", 0.05, math.nan),  # who cannot see the other head knows less
        ("coactive", math.nan, 1.0),
        ("moved", False, True),
        ("acc", True, False),
        ("wobble", 2.5, 1.0),
        ("wobble", 3.0, 12.0),  # bursts waver far more than any cramp
        ("beat", 0.1, 0.5),
        ("quiet_s", 900.0, 0.0),
        ("usual", 0.0, 1.5),
        ("crest", 20.0, 4.0),
        ("abrupt", 1.2, 8.0),
        ("fall_s", 9.0, 1.0),
        ("active_s", 90.0, 20.0),
    ],
)
@given(given_=any_signs)
def test_what_speaks_for_a_willed_act_never_raises_confidence(
    sign: str, cramp: float, willed: float, given_: dict[str, float]
) -> None:
    assert belief(**{**given_, sign: willed}) <= belief(**{**given_, sign: cramp}) + 1e-6
    assert belief(**{sign: willed}) < belief(**{sign: cramp})


def test_cold_rest_is_doubted_in_an_upright_leg_only() -> None:
    assert belief(cold=True) == belief()
    assert belief(upright=1.0, cold=True) < belief(upright=1.0)


def test_weights_and_signs_belong_together_and_point_one_way() -> None:
    raises = {"watched", "alone", "minute", "quiet", "unusual", "wobble", "gradual", "fall"}
    one = Signs(**{name: np.array([value]) for name, value in CRAMP.items()})
    assert list(terms(one)) == list(WEIGHTS_OF_SIGNS)
    assert {name for name, weight in WEIGHTS_OF_SIGNS.items() if weight > 0 and name != "base"} == raises


def test_one_head_in_stillness_is_believed() -> None:
    assert belief() > 0.7
    assert belief(active_s=60.0, fall_s=6.0) > belief()
    assert belief(acc=False) < belief()


@pytest.mark.parametrize("act", [TIPTOE, WALK, TREMOR], ids=["tiptoe", "walking", "tremor"])
@pytest.mark.parametrize("seconds", [12.0, 60.0])
def test_what_is_plainly_willed_or_rhythmic_is_not_believed(act: dict[str, float], seconds: float) -> None:
    assert belief(**act, active_s=seconds) < DEFAULT.confidence_min
    assert belief(**act, active_s=seconds, fall_s=0.0) < DEFAULT.confidence_min


def test_an_upright_leg_is_not_judged_before_its_rest_is_known() -> None:
    """Within a minute of donning it cannot have been quiet for long."""
    assert belief(upright=1.0, cold=True, quiet_s=30.0, active_s=60.0, crest=6.0) < DEFAULT.confidence_min
    assert belief(cold=True, quiet_s=30.0) > 0.7


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


def test_weights_do_not_change_without_a_new_version() -> None:
    """The digest of parameters does not cover the weights: whoever changes them raises VERSION, and mends this."""
    text = ",".join(f"{name}={weight!r}" for name, weight in WEIGHTS_OF_SIGNS.items())
    assert (VERSION, hashlib.sha256(text.encode()).hexdigest()[:8]) == ("2.0", "df3fc037")
