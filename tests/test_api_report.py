"""The report of a trial: its numbers are the analysis's, it says what is missing, and it lets nothing in or out."""

import math
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_world import DESIGNS, NOW, REGISTERED, analysed, analysis, plan_of, seen_of

from api.observed import counted, exposure_h
from api.report import render, style_hash
from api.report.forest import draw_forest
from api.report.frame import DRIFT, baseline_rate
from api.report.slopes import panels_of
from api.report.weeks import per_week, weeks_of
from api.report.words import chance, figure, interval, p_value
from api.routes.pages import WEB
from api.statistics.values import Estimate, unknown
from api.trials.values import Analysis, Design

HOSTILE = '"><script src="https://evil.test/x.js"></script><img src=x onerror=alert(1)>&amp;{{ 7*7 }}'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: elements with their attributes, text, and the cells of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.cells: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)
        if self._open and self._open[-1] in {"td", "th"}:
            self.cells[-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(made: Analysis, **more: object) -> Page:
    return Page(render(made, registered=REGISTERED, now=NOW, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("design", DESIGNS)
def test_the_numbers_are_those_of_the_analysis(design: Design) -> None:
    made = analysis(design)
    page = page_of(made)
    for result in made.results:
        estimate = result.estimate
        told = (
            f"{figure(estimate.value)} ({interval(estimate)})" if estimate.known else f"not estimated: {estimate.note}"
        )
        assert any(told in cell for cell in page.cells)
        assert estimate.method in page.text
        for name, probability in result.probability:
            told = chance(probability)
            assert f"P({name}) {told if told.startswith('>') else '= ' + told}" in page.text
        assert p_value(estimate.p) in page.cells
    for arm in made.arms:
        for said in (
            f"{arm.judged} (",
            f"{arm.usable_h:.0f} of {arm.expected_h:.0f}",
            f"{figure(arm.per_week.value)} (",
        ):
            assert any(cell.startswith(said) for cell in page.cells), said
    for check in made.checks:
        assert check.sentence in page.cells
    for said in (made.verdict, made.methods, *made.caveats, made.plan.title, made.plan.question, REGISTERED.plan_hash):
        assert said in page.text
    for step in made.flow:
        assert f"n\u00a0=\u00a0{step.wearers}" in page.text.replace(" ", "\u00a0")
    assert "Not a medical device" in page.text
    assert "Made 1 Jun 2026" in page.text


def test_what_no_number_stands_for_is_said() -> None:
    assert figure(math.nan) == "–"
    assert figure(math.inf) == "∞"
    assert [figure(each) for each in (0.541, 12.34, 345.6, -0.42, 0.0123, 0.0)] == [
        "0.54",
        "12.3",
        "346",
        "−0.42",
        "0.012",
        "0",
    ]
    assert [p_value(each) for each in (None, 0.0004, 0.0081, 0.07, 0.67)] == ["–", "< 0.001", "0.008", "0.070", "0.67"]
    assert [chance(each) for each in (0.9999, 0.913, 0.0001)] == ["> 99 %", "91 %", "< 1 %"]
    nothing = unknown("rate ratio", method="quasi-Poisson", note="no cramps on either side", null=1)
    made = analysis("n_of_1", conclusion="not_enough_data", verdict="There is not enough data to say.")
    made = replace(made, results=(replace(made.results[0], estimate=nothing),))
    page = page_of(made)
    assert "not estimated: no cramps on either side" in page.cells
    assert "Not enough data" in page.text
    assert "nan" not in page.text.lower()


def test_what_goes_the_other_way_has_an_axis_of_its_own() -> None:
    """Fewer cramps is a ratio below 1, more responders one above: they must not meet on one axis."""
    made = analysis("parallel")
    odds = Estimate("odds ratio of responders", 3.2, 1.1, math.inf, 0.03, "Fisher", null=1)
    certain = Estimate("odds ratio of remission", math.inf, 0.9, math.inf, 0.06, "Fisher", null=1)
    flat = Estimate("difference of load", 0.0, 0.0, 0.0, 1.0, "Hodges-Lehmann", null=0)
    rate = made.results[0]
    others = [
        replace(rate, role="secondary", outcome=outcome, estimate=each)
        for outcome, each in (("responders_50", odds), ("remission", certain), ("load", flat))
    ]
    figure = draw_forest(replace(made, results=(rate, *others)))
    assert figure is not None
    drawn = Page(figure.svg)
    assert len([each for each in drawn.named("line") if each["class"] == "null"]) == 3
    assert len([each for each in drawn.named("line") if each["class"] == "worthwhile"]) == 1
    assert [each["class"] for each in drawn.named("rect")] == ["point primary", "point"], "none at infinity"
    assert "∞" in drawn.text
    assert draw_forest(replace(made, results=(replace(rate, estimate=flat),))) is None


def test_missing_nights_are_drawn_as_missing_and_never_as_zero() -> None:
    made = analysis("before_after")
    nights = [item for seen in made.seen for item in seen.observed]
    missing = sum(not item.enough for item in nights)
    assert 0 < missing < len(nights)
    page = page_of(made)
    cells = [attributes["class"] for attributes in page.named("rect") if attributes.get("class", "").startswith("cell")]
    assert len(cells) == len(nights)
    assert cells.count("cell missing") == missing
    assert cells.count("cell none") == sum(item.enough and item.count == 0 for item in nights)
    assert f"{missing} are missing and not counted as zero" in page.text


def test_the_drawn_rate_of_a_week_is_cramps_per_usable_hour() -> None:
    """Worked out night by night, beside the pooled function."""
    plan = plan_of("crossover")
    seen = seen_of(plan)
    for each in seen[:6]:
        for number, week in enumerate(weeks_of([each], plan)):
            hours, cramps, judged = 0.0, 0, 0
            for item in each.observed:
                day = (item.date - each.phase.first).days
                if item.enough and plan.settle_days <= day and day // 7 == number:
                    hours, cramps, judged = hours + item.usable_s / 3600, cramps + item.count, judged + 1
            assert week.judged == judged
            assert week.per_week == pytest.approx(7 * 8 * cramps / hours)
    none = [replace(item, enough=False) for item in seen[0].observed]
    assert math.isnan(per_week(none, plan))


@pytest.mark.parametrize("design", DESIGNS)
def test_each_wearers_two_rates_are_their_own(design: Design) -> None:
    made = analysis(design)
    drawn = {pair.name: pair for panel in panels_of(made) for pair in panel.pairs}
    first = made.seen[0].phase.wearer
    for sort in ("left", "right"):
        rate = getattr(drawn["cycle 1" if design == "n_of_1" else "wearer 1"], sort)
        if design in {"n_of_1", "crossover"}:
            wanted = {"left": "B", "right": "A"}[sort]
            mine = [seen for seen in made.seen if seen.phase.label == wanted and seen.phase.cycle <= 1]
        else:
            mine = [seen for seen in made.seen if seen.phase.kind == {"left": "baseline", "right": "treatment"}[sort]]
        after = timedelta(days=made.plan.settle_days)
        nights = [
            item
            for seen in mine
            if seen.phase.wearer == first
            for item in seen.observed
            if item.enough and item.date >= seen.phase.first + after
        ]
        assert rate == pytest.approx(counted(nights) / exposure_h(nights) * 56)


def test_the_drift_of_placebo_is_drawn_only_where_there_is_no_control() -> None:
    for design in DESIGNS:
        drifts = [each for each in page_of(analysis(design)).named("rect") if each.get("class") == "drift"]
        assert len(drifts) == (2 if design == "before_after" else 0), "the band and its key"
    made = analysis("before_after")
    band = next(each for each in page_of(made).named("rect") if each.get("class") == "drift")
    before = next(each for each in page_of(made).named("line") if each.get("class") == "before")
    zero = 136.0
    shares = [
        (zero - y) / (zero - float(before["y1"])) for y in (float(band["y"]) + float(band["height"]), float(band["y"]))
    ]
    assert shares == pytest.approx(DRIFT, abs=0.02)
    assert baseline_rate(made.seen, made.plan) > 0


@pytest.mark.parametrize("design", DESIGNS)
def test_hostile_text_stays_text_and_nothing_comes_from_elsewhere(design: Design) -> None:
    made = analysis(design, verdict=HOSTILE, methods=HOSTILE, caveats=(HOSTILE,))
    treatments = tuple(replace(each, name=HOSTILE) for each in made.plan.treatments)
    made = replace(made, plan=replace(made.plan, title=HOSTILE, question=HOSTILE, treatments=treatments))
    made = replace(made, flow=tuple(replace(step, label=HOSTILE, lost=((HOSTILE, 1),)) for step in made.flow))
    page = page_of(made)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "form", "foreignobject", "use", "a"}
    assert page.text.count(" ".join(HOSTILE.split())) >= 5
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"src", "href", "xlink:href", "style", "action", "http-equiv"}
            assert "evil" not in value
    html = render(analysis(design), registered=REGISTERED, now=NOW)
    assert not re.search(r"https?:|//[a-z]|@import", html)
    assert all(each.startswith("#hatch") for each in re.findall(r"url\((.*?)\)", html))


@pytest.mark.parametrize("design", DESIGNS)
def test_it_can_be_heard_and_read_without_colour(design: Design) -> None:
    page = page_of(analysis(design))
    ids = {attributes["id"]: tag for tag, attributes in page.elements if "id" in attributes}
    assert len(ids) == sum("id" in attributes for _, attributes in page.elements)
    drawings = page.named("svg")
    assert len(drawings) >= 4
    for each in drawings:
        assert each["role"] == "img"
        assert ids[each["aria-labelledby"]] == "title"
        assert ids[each["aria-describedby"]] == "desc"
    assert len(page.named("caption")) == len(page.named("table")) == 4
    assert all(each["scope"] in {"col", "row"} for each in page.named("th"))
    assert [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)][:2] == ["h1", "h2"]
    lines = {each["class"] for each in page.named("line") if each.get("class", "").startswith("curve")}
    assert len(lines) == {"n_of_1": 0, "before_after": 0, "crossover": 2, "parallel": 2, "factorial": 4}[design]


def test_nobody_is_named_unless_asked() -> None:
    made = analysis("crossover")
    html = render(made, registered=REGISTERED, now=NOW)
    assert "w-00" not in html
    assert "Who took part</h2>" not in html
    named = page_of(made, names={"w-000": "Ada <Co>"})
    assert "Ada <Co>" in named.text
    assert named.text.count("not named") == made.plan.wearers - 1
    assert "wearer 1" in named.text


def test_a_trial_without_any_night_has_a_report() -> None:
    made = analysis("crossover")
    bare = replace(made, seen=(), arms=(), results=(), checks=(), flow=(), differences=(), caveats=())
    page = page_of(bare)
    assert "No planned nights have ended." in page.text
    assert "Nothing that was done differs from it." in page.text
    assert page.named("svg") == []
    unseen = page_of(replace(made, seen=tuple(replace(seen, observed=()) for seen in made.seen)))
    assert "No planned nights have ended." in unseen.text


def test_as_long_as_a_trial_is_blinded_its_report_is_blind() -> None:
    made = analysis("crossover")
    blind = tuple(replace(each, label="", name=each.name) for each in made.plan.treatments)
    made = replace(made, plan=replace(made.plan, treatments=blind), arms=(), flow=())
    page = page_of(made)
    drawn = [title for title in page.words if title.startswith(("A", "B"))]
    assert any(each.startswith("A first") for each in drawn)
    assert not any("magnesium citrate first" in each or "placebo first" in each for each in page.words)


def test_the_style_is_the_one_that_the_policy_lets_in() -> None:
    html = render(analysis("parallel"), registered=REGISTERED, now=NOW)
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", style_hash())
    assert html.count("<style>") == 1
    assert not any("style" in attributes for _, attributes in Page(html).elements)
    assert (WEB / "static").is_dir()


@pytest.mark.parametrize("design", DESIGNS)
def test_it_prints_on_two_pages_at_most(chromium: str, tmp_path: Path, design: Design) -> None:
    path, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    path.write_text(render(analysed(design), registered=REGISTERED, now=NOW, version="0.1.0"), encoding="utf-8")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--no-pdf-header-footer", f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={printed}", path.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    pages = re.findall(rb"/Type\s*/Page\b", printed.read_bytes())
    assert 1 <= len(pages) <= 2
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed.read_bytes())
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}, "A4"


def test_sessions_are_not_given_a_rate_by_the_week() -> None:
    made = analysis("before_after")
    page = page_of(replace(made, plan=replace(made.plan, kinds=("dialysis",))))
    assert "cramps in 56 usable hours" in page.text
    assert "Cramps in 56 usable hours (95 %)" in page.cells
    assert "planned sessions" in page.text
    assert "cramps a week" not in page.text
