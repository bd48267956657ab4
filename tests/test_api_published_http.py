"""Published summary numbers over HTTP: estimates out, and faults named."""

import json
from typing import Any

import httpx
import pytest
from api_world import V1, World, check_problem

GROUPS = {"a": {"mean": -3.41, "sd": 4.05, "n": 48}, "b": {"mean": -3.03, "sd": 4.53, "n": 46}}
SENN = {"ab": {"first": 9, "none": 3, "second": 0}, "ba": {"first": 1, "none": 5, "second": 6}}


def ask(http: httpx.Client, method: str, body: dict[str, Any]) -> Any:
    response = http.post(f"{V1}/analyses/{method}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_roguin_maor_over_http(http: httpx.Client) -> None:
    (found,) = ask(http, "welch", GROUPS)["estimates"]
    assert found["p"] == pytest.approx(0.67, abs=0.005)
    assert (found["low"], found["high"]) == pytest.approx((-2.14, 1.38), abs=0.005)
    assert found["null"] == 0
    assert "one value a person" in found["note"]


CASES: dict[str, tuple[dict[str, Any], float]] = {
    "ratio": ({"a": {"mean": 2, "sd": 1, "n": 50}, "b": {"mean": 4, "sd": 2, "n": 50}}, 0.5),
    "paired": ({"a": {"mean": 11.8, "sd": 7.6, "n": 42}, "b": {"mean": 11.1, "sd": 7.3, "n": 42}, "rho": 0.37}, 0.7),
    "correlation": (
        {"a": {"mean": 11.8, "sd": 7.6, "n": 42}, "b": {"mean": 11.1, "sd": 7.3, "n": 42}, "p": 0.59},
        0.372,
    ),
    "interval": ({"difference": -1.2, "low": -1.8, "high": -0.6, "df": 78}, -1.2),
    "p-value": ({"difference": -0.8, "p": 0.01, "df": 173}, -0.8),
    "spread": ({"low": -1.8, "high": -0.6, "n_a": 40, "n_b": 40}, 1.348),
    "repeats": (
        {
            "a": {"mean": 0.96, "sd": 1.41, "n": 103},
            "b": {"mean": 3.63, "sd": 2.2, "n": 96},
            "low": -2.86,
            "high": -2.49,
        },
        7.945,
    ),
    "relative": ({"difference": -2.45, "low": -3.54, "high": -1.36, "control": 8.8}, 0.7216),
    "percent": ({"percent": -28, "low": -40, "high": -16}, 0.72),
    "proportion": ({"having": 10, "among": 12}, 0.8333),
    "proportions": ({"a": {"having": 36, "among": 46}, "b": {"having": 25, "among": 46}}, 0.2391),
    "mcnemar": ({"only_a": 12, "only_b": 2, "both": 36, "neither": 0}, 0.2),
    "signs": ({"better": 10, "worse": 2}, 0.8333),
    "differences": ({"differences": [-3, -1, 0, -4, -2, 1, -5]}, -2.0),
    "crossover": ({"ab": [[3, 1], [5, 2], [4, 4], [6, 1]], "ba": [[2, 3], [1, 4], [5, 5], [2, 6]]}, 2.25),
    "crossover-binary": (SENN, 0.5833),
    "rates": ({"count_a": 10, "exposure_a": 4, "count_b": 20, "exposure_b": 4}, 0.5),
}


@pytest.mark.parametrize("method", CASES)
def test_every_analysis_answers(http: httpx.Client, method: str) -> None:
    body, value = CASES[method]
    answer = ask(http, method, body)
    first = answer["estimates"][0]
    assert first["value"] == pytest.approx(value, rel=1e-3)
    assert all(found["method"] for found in answer["estimates"])
    assert (
        len(answer["estimates"]) == 1 or answer["advice"] or method in {"repeats", "proportions", "rates", "crossover"}
    )


def test_all_analyses_are_tried_here(http: httpx.Client) -> None:
    paths = http.get(f"{V1}/openapi.json").json()["paths"]
    offered = {path.removeprefix("/api/v1/analyses/") for path in paths if "/analyses/" in path}
    assert offered == {*CASES, "welch"}


def test_what_has_no_bound_is_null_and_said(http: httpx.Client) -> None:
    (few, *_) = ask(http, "differences", {"differences": [-1, -2, -3]})["estimates"]
    assert (few["value"], few["low"], few["high"]) == (-2, None, None)
    assert "too few" in few["note"]
    one_sided = ask(http, "mcnemar", {"only_a": 5, "only_b": 0})["estimates"][0]
    assert one_sided["value"] is None
    assert "beyond any number" in one_sided["note"]
    nothing = ask(http, "signs", {"better": 0, "worse": 0})["estimates"][0]
    assert (nothing["value"], nothing["note"]) == (None, "Nobody changed.")


def test_crossover_by_t_is_asked_for(http: httpx.Client) -> None:
    body = CASES["crossover"][0]
    by_t = ask(http, "crossover", {**body, "method": "t"})["estimates"]
    assert next(found["method"] for found in by_t).startswith("Student")
    assert len(by_t) == 3


@pytest.mark.parametrize(
    ("method", "body", "where"),
    [
        ("welch", {**GROUPS, "c": 1}, "c"),
        ("welch", {"a": GROUPS["a"]}, "b"),
        ("welch", {**GROUPS, "a": {"mean": 1, "sd": -1, "n": 5}}, "a.sd"),
        ("proportion", {"having": 5, "among": 4}, "body"),
        ("interval", {"difference": 2, "low": -1, "high": 1}, "body"),
        ("spread", {"low": 1, "high": -1, "n_a": 5, "n_b": 5}, "body"),
        ("repeats", {**GROUPS, "low": 2, "high": 1}, "body"),
        ("paired", {**GROUPS, "rho": 2}, "rho"),
        ("mcnemar", {"only_a": 10**9, "only_b": 1}, "only_a"),
        ("crossover", {"ab": [[1, 2, 3]], "ba": []}, "ab.0"),
    ],
)
def test_faults_are_named(http: httpx.Client, method: str, body: dict[str, Any], where: str) -> None:
    refused = check_problem(http.post(f"{V1}/analyses/{method}", json=body), 422, "invalid-request")
    assert any(fault["where"].startswith(where) for fault in refused["errors"]), refused["errors"]


def test_nan_is_no_number(http: httpx.Client) -> None:
    body = json.dumps({"percent": float("nan"), "low": 1, "high": 2})
    refused = http.post(f"{V1}/analyses/percent", content=body, headers={"Content-Type": "application/json"})
    check_problem(refused, 422, "invalid-request")


def test_analyses_want_a_sign_in_and_a_method_that_exists(world: World, http: httpx.Client) -> None:
    check_problem(http.post(f"{V1}/analyses/guess", json={}), 404, "not-found")
    with world.client(signed_in=False) as stranger:
        check_problem(stranger.post(f"{V1}/analyses/welch", json=GROUPS), 401, "sign-in-required")
