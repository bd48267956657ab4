"""Plans: what is refused and how, the canonical text and its hash."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from trial_cases import BOTH, MAGNESIUM, PLACEBO, plan

from api.errors import Invalid
from api.trials import plans
from api.trials.values import Treatment

TEXT = (
    '{"baseline_days":14,"blinded":false,"block_days":14,"counting":"detected","cycles":2,"design":"n_of_1",'
    '"expected_per_week":null,"expected_ratio":0.5,"kinds":["night"],"power":null,"primary":"rate",'
    '"question":"Are there fewer cramps?","secondary":["cramp_periods","severity"],"seed":0,"settle_days":0,'
    '"title":"Magnesium","treatments":[{"control":false,"dose":"300 mg","label":"A","name":"magnesium"},'
    '{"control":true,"dose":"","label":"B","name":"placebo"}],"washout_days":0,"wearers":1,"worthwhile_ratio":0.75}'
)


def test_the_hash_of_a_plan_never_changes() -> None:
    """Whoever noted it down must find it again, with any release: neither the text nor the digest may change."""
    text = plans.canonical(plans.check(plan()))
    assert text == TEXT
    assert plans.digest(text) == hashlib.sha256(TEXT.encode()).hexdigest()
    assert plans.digest(text) == "62cb6c1c8a5f6bbd18931fa8000639fcab10f80c2692275f24bde71847f3e15c"


def test_a_plan_comes_back_from_its_text() -> None:
    for design in ("before_after", "n_of_1", "crossover", "parallel", "factorial"):
        checked = plans.check(plan(design))
        assert plans.read(plans.canonical(checked)) == checked


def test_a_text_without_a_later_member_is_still_read() -> None:
    """A plan may get members with later releases; what was registered before keeps its text and its hash."""
    members = json.loads(TEXT)
    del members["worthwhile_ratio"]
    assert plans.read(json.dumps(members)) == plans.check(plan())


@pytest.mark.parametrize("change", ["title", "seed", "block_days", "primary"])
def test_every_change_changes_the_hash(change: str) -> None:
    values = {"title": "Zinc", "seed": 1, "block_days": 15, "primary": "load"}
    other = replace(plan(), **{change: values[change]})  # type: ignore[arg-type]
    assert plans.digest(plans.canonical(plans.check(other))) != plans.digest(TEXT)


def test_spaces_do_not_change_the_hash() -> None:
    spaced = replace(plan(), title="  Magnesium ", question="Are  there fewer\ncramps?")
    assert plans.canonical(plans.check(spaced)) == TEXT


def test_labels_are_given_in_order_unless_blinded() -> None:
    unlabelled = tuple(replace(treatment, label="") for treatment in BOTH)
    assert [one.label for one in plans.check(plan(treatments=unlabelled)).treatments] == ["A", "B"]
    turned = (replace(PLACEBO, label="B"), replace(MAGNESIUM, label="A"))
    assert plans.check(plan(treatments=turned)).treatments == BOTH
    assert {one.label for one in plans.check(plan(treatments=BOTH, blinded=True)).treatments} == {""}


THREE = (*BOTH, Treatment("C", "zinc"))
NO_CONTROL = (MAGNESIUM, Treatment("B", "zinc"))


@pytest.mark.parametrize(
    ("design", "changes", "name", "says"),
    [
        ("n_of_1", {"treatments": THREE}, "treatments", "two treatments, not 3"),
        ("before_after", {"treatments": BOTH}, "treatments", "one treatment"),
        ("crossover", {"treatments": NO_CONTROL}, "treatments", "No control"),
        ("parallel", {"treatments": (PLACEBO, replace(PLACEBO, label="A", name="none"))}, "treatments", "or two"),
        ("factorial", {"treatments": BOTH}, "treatments", "mark none as control"),
        ("before_after", {"treatments": (replace(PLACEBO, label="A"),)}, "treatments", "The baseline is"),
        ("n_of_1", {"treatments": (MAGNESIUM, replace(MAGNESIUM, label="B", control=True))}, "treatments", "the same"),
        ("n_of_1", {"treatments": (MAGNESIUM, replace(PLACEBO, label="A"))}, "treatments", "treatments A and B"),
        ("before_after", {"blinded": True}, "blinded", "cannot be blinded"),
        ("parallel", {"washout_days": 7}, "washout_days", "nothing to wash out"),
        ("crossover", {"block_days": 4}, "block_days", "too short"),
        ("crossover", {"block_days": 10, "settle_days": 6}, "block_days", "4 are counted after settling"),
        ("n_of_1", {"block_days": 2}, "block_days", "at least 3 are needed"),
        ("before_after", {"baseline_days": 6}, "baseline_days", "at least 7 days"),
        ("parallel", {"baseline_days": 0, "secondary": ("responders_25",)}, "baseline_days", "with a baseline"),
        ("n_of_1", {"cycles": 1}, "cycles", "one pair cannot tell drift"),
        ("n_of_1", {"cycles": 20}, "block_days", "574 days for one wearer"),
        ("crossover", {"wearers": 1}, "wearers", "For one person plan n_of_1"),
        ("n_of_1", {"kinds": ()}, "kinds", "each once"),
        ("n_of_1", {"kinds": ("night", "night")}, "kinds", "each once"),
        ("n_of_1", {"secondary": ("rate",)}, "secondary", "one role"),
        ("n_of_1", {"primary": "remission", "secondary": ()}, "primary", "yes or no for each wearer"),
        ("n_of_1", {"counting": "felt", "primary": "load"}, "counting", "measured by a device"),
        ("n_of_1", {"worthwhile_ratio": 1.2}, "worthwhile_ratio", "below 1"),
        ("n_of_1", {"expected_ratio": 0.0}, "expected_ratio", "below 1"),
        ("n_of_1", {"expected_per_week": -1.0}, "expected_per_week", "above none"),
        ("n_of_1", {"power": 80.0}, "power", "between 0 and 1"),
        ("n_of_1", {"seed": 2**53}, "seed", "whole number"),
        ("n_of_1", {"settle_days": -1}, "settle_days", "whole days"),
        ("n_of_1", {"title": " "}, "title", "1 to 120"),
        ("n_of_1", {"question": "x" * 401}, "question", "1 to 400"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_work_is_refused(design: str, changes: dict[str, Any], name: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        plans.check(plan(design, **changes))
    assert refused.value.name == name
    assert str(refused.value).endswith(".")
