"""Every published system by the name of its row: printed figures, held against our functions and against the page."""

import ast
import math
from pathlib import Path
from typing import Final

import pytest
from scipy import stats

from api.statistics.paired import sign_test
from api.statistics.proportions import fisher, mcnemar, proportion
from api.statistics.summary import (
    Group,
    from_interval,
    from_p,
    paired,
    ratio_of_means,
    relative,
    repeats_implied,
    rho_from_p,
    sd_from_interval,
    welch,
)
from api.statistics.values import Estimate
from benchmarks.trials import articles
from benchmarks.trials import published_woodfield as woodfield
from benchmarks.trials.designs import CASES
from benchmarks.trials.published import MAKERS
from benchmarks.trials.published_patterns import TESTS
from benchmarks.trials.published_row import Row

ROWS: Final = {make.__name__: make for make in MAKERS}
ELSEWHERE: Final = {name for name, make in ROWS.items() if make.__module__.endswith("published_patterns")}


def shown(row: Row, *figures: str) -> None:
    """Each figure is in the row's result as the page shows it."""
    for figure in figures:
        assert figure in row.ours, (figure, row.ours)


def span(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def test_every_row_has_a_test_of_its_name() -> None:
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(ROWS) - ELSEWHERE <= here
    for name, make in ROWS.items():
        assert make().name == name


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_rows_that_are_shown_elsewhere_are_tested_there(name: str) -> None:
    tree = ast.parse((Path(__file__).parent.parent / TESTS).read_text())
    assert f"test_{name}" in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_roffe_2002() -> None:
    """Margins 36 and 25 of 46: those who differ differ by 11; two tables fit the printed 0.03."""
    assert 36 - 25 == 11
    assert pytest.approx((0.78, 0.54), abs=0.005) == (36 / 46, 25 / 46)
    assert mcnemar(16, 5).p == pytest.approx(0.027, abs=5e-4)
    assert mcnemar(17, 6).p == pytest.approx(0.035, abs=5e-4)
    assert mcnemar(18, 7, kind="uncorrected").p == pytest.approx(0.028, abs=5e-4)
    assert fisher(36, 46, 25, 46).p == pytest.approx(0.027, abs=5e-4)
    row = ROWS["roffe_2002"]()
    shown(row, "differ by 11", "16 and 5: p = 0.027", "17 and 6: p = 0.035")
    assert row.verdict == "agrees in part"
    assert "period effect" in row.warning


def test_roguin_maor_2017() -> None:
    found = welch(Group(-3.41, 4.05, 48), Group(-3.03, 4.53, 46))
    assert found.p == pytest.approx(0.67, abs=0.005)
    assert span(found) == pytest.approx((-0.38, -2.14, 1.38), abs=0.005)
    by_hand = math.sqrt(4.05**2 / 48 + 4.53**2 / 46)
    assert 2 * stats.norm.sf(0.38 / by_hand) == pytest.approx(0.67, abs=0.01)
    assert pytest.approx(0.36, abs=0.005) == 1 - 5.48 / 8.51
    row = ROWS["roguin_maor_2017"]()
    shown(row, "−0.38 (−2.14 to 1.38), p = 0.67", "36 %")
    assert "28 to 36 %" in row.warning


def test_frusso_1999() -> None:
    """A correlation of 0.37 goes with the printed P = 0.59."""
    magnesium, placebo = Group(11.8, 7.6, 42), Group(11.1, 7.3, 42)
    assert rho_from_p(magnesium, placebo, p=0.59).value == pytest.approx(0.37, abs=0.005)
    assert paired(magnesium, placebo, rho=0.37).p == pytest.approx(0.59, abs=0.005)
    spread = math.sqrt(7.6**2 + 7.3**2 - 2 * 0.372 * 7.6 * 7.3)
    assert spread == pytest.approx(8.35, abs=0.01)
    assert 2 * stats.t.sf(0.7 / (spread / math.sqrt(42)), 41) == pytest.approx(0.59, abs=0.005)
    shown(ROWS["frusso_1999"](), "p = 0.59", "0.37")


def test_barna_2021() -> None:
    found = from_p(-0.8, 0.01, df=173)
    t = stats.t.isf(0.005, 173)
    assert found.low == pytest.approx(-0.8 - stats.t.ppf(0.975, 173) * 0.8 / t)
    row = ROWS["barna_2021"]()
    shown(row, "−0.80 (−1.41 to −0.19)")
    assert row.verdict == "cannot be reproduced"


def test_cochrane_magnesium() -> None:
    assert from_interval(0.01, -0.52, 0.55).p == pytest.approx(0.97, abs=0.005)
    assert span(relative(0.01, -0.52, 0.55, control=4.35)) == pytest.approx((1.0, 0.88, 1.13), abs=0.005)
    row = ROWS["cochrane_magnesium"]()
    shown(row, "p = 0.97", "1.00 (0.88 to 1.13)")
    assert "second-hand" in row.seen


def test_kugelmas_2000() -> None:
    improved, resolved = proportion(10, 12), proportion(7, 12)
    assert (improved.low, improved.high) == pytest.approx((0.516, 0.979), abs=5e-4)
    assert (resolved.low, resolved.high) == pytest.approx((0.277, 0.848), abs=5e-4)
    assert sign_test(10, 0).p == pytest.approx(2 / 2**10)
    assert sign_test(10, 2).p == pytest.approx(0.039, abs=5e-4)
    assert mcnemar(7, 0).p == pytest.approx(2 / 2**7)
    row = ROWS["kugelmas_2000"]()
    shown(row, "51.6 to 97.9", "27.7 to 84.8", "p = 0.002", "p = 0.039", "p = 0.016")
    assert row.warning.startswith("No control")


def test_khajehdehi_2001() -> None:
    assert pytest.approx(0.49, abs=0.006) == 0.46 / 0.93
    assert pytest.approx(0.21, abs=0.005) == (0.46 / 0.93) * (0.39 / 0.93)
    assert 2 * stats.t.sf(0.33 * math.sqrt(58 / (1 - 0.33**2)), 58) == pytest.approx(0.01, abs=5e-4)
    row = ROWS["khajehdehi_2001"]()
    shown(row, "0.49, 0.42 and 0.03", "0.21", "p = 0.010")
    assert "no interval" in row.why


def test_vitamin_e_dialysis() -> None:
    row = ROWS["vitamin_e_dialysis"]()
    shown(row, "ratio 0.32", "0.44 to 0.50")
    assert (row.seen, row.verdict) == ("second-hand", "cannot be reproduced")
    assert pytest.approx(0.50, abs=0.005) == 0.317 / 0.64


def test_chan_1998() -> None:
    assert pytest.approx(0.86, abs=0.005) == 12 / 14
    assert fisher(12, 14, 0, 14).p == pytest.approx(6e-6, rel=0.01)
    row = ROWS["chan_1998"]()
    shown(row, "85.7 % (57.2 to 98.2)", "p < 0.0001")
    assert row.seen == "unverified"


def test_tan_2024() -> None:
    """−3.19 to −2.15 from the spread between persons, against the printed −2.86 to −2.49."""
    vitamin, placebo = Group(0.96, 1.41, 103), Group(3.63, 2.20, 96)
    assert span(welch(vitamin, placebo)) == pytest.approx((-2.67, -3.19, -2.15), abs=0.005)
    error = math.sqrt(1.41**2 / 103 + 2.20**2 / 96) / math.sqrt(8)
    assert (-2.67 - 1.96 * error, -2.67 + 1.96 * error) == pytest.approx((-2.85, -2.49), abs=0.006)
    assert repeats_implied(vitamin, placebo, low=-2.86, high=-2.49).value == pytest.approx(8, abs=0.1)
    row = ROWS["tan_2024"]()
    shown(row, "−2.67 (−3.19 to −2.15)", "7.9 independent")
    assert row.verdict == "differs"
    assert "not an accusation" in row.why


def test_hallegraeff_2012() -> None:
    found = from_interval(-1.2, -1.8, -0.6, df=78)
    assert found.p == pytest.approx(0.00015, abs=5e-6)
    assert 1.2 / (0.6 / stats.t.ppf(0.975, 78)) == pytest.approx(3.98, abs=0.005)
    assert sd_from_interval(-1.8, -0.6, n_a=40, n_b=40).value == pytest.approx(1.35, abs=0.005)
    shown(ROWS["hallegraeff_2012"](), "t = −3.98 on 78", "p = 0.00015", "1.35")


def test_coppin_2005() -> None:
    stretching, stopping = from_interval(1.95, -3.01, 6.90), from_interval(3.45, -1.52, 8.41)
    assert not stretching.excludes_null
    assert not stopping.excludes_null
    assert stretching.p == pytest.approx(0.44, abs=0.005)
    assert stopping.p == pytest.approx(0.17, abs=0.005)
    shown(ROWS["coppin_2005"](), "stretching p = 0.44, stopping quinine p = 0.17")


def test_intradialytic_stretching() -> None:
    """p of 0.0007, 9e-6 and 3e-5 from the printed means; the printed t of 2.695 cannot have p < 0.001."""
    for with_it, without, p in (
        ((0.30, 0.54), (1.3, 1.44), 0.0007),
        ((1.4, 3.3), (6.9, 5.4), 9.4e-6),
        ((1.6, 2.8), (6.03, 4.7), 3.1e-5),
    ):
        assert welch(Group(*with_it, 32), Group(*without, 32)).p == pytest.approx(p, rel=0.02)
    assert 2 * stats.t.sf(2.695, 62) == pytest.approx(0.009, abs=5e-4)
    row = ROWS["intradialytic_stretching"]()
    shown(row, "t = −3.68, −4.92, −4.58", "p = 0.00070")
    assert row.verdict == "differs"


def test_cochrane_quinine() -> None:
    assert pytest.approx(0.28, abs=0.005) == 2.45 / 8.8
    assert span(relative(-2.45, -3.54, -1.36, control=8.8)) == pytest.approx((0.72, 0.60, 0.85), abs=0.006)
    row = ROWS["cochrane_quinine"]()
    shown(row, "28 % fewer", "0.72 (0.60 to 0.85)", "10 % less")
    assert "not approved" in row.warning


def test_man_son_hing_1998() -> None:
    assert pytest.approx(17, abs=0.2) == 3.60 / 0.21
    shown(ROWS["man_son_hing_1998"](), "0.79 (0.70 to 0.88)", "0.57 (0.35 to 0.79)", "control 17")
    assert "Publication bias" in ROWS["man_son_hing_1998"]().warning


def test_jansen_1997() -> None:
    found = proportion(32, 49)
    assert span(found) == pytest.approx((0.65, 0.50, 0.78), abs=0.005)
    shown(ROWS["jansen_1997"](), "65 % (50 to 78)")


def test_sidorov_1993() -> None:
    found = from_p(-0.7, 0.48, df=15)
    assert found.low < 0 < found.high
    assert from_interval(-0.7, found.low, found.high, df=15).p == pytest.approx(0.48)
    shown(ROWS["sidorov_1993"](), "−0.70 (−2.76 to 1.36)")


def test_mexiletine() -> None:
    assert sign_test(18, 2).p == pytest.approx(2 * (1 + 20 + 190) / 2**20)
    error = -math.log(0.31) / stats.norm.isf(0.047 / 2)
    assert math.exp(math.log(0.31) + 1.96 * error) == pytest.approx(0.98, abs=0.005)
    shown(ROWS["mexiletine"](), "0.31 (0.10 to 0.98)", "0.16 (0.05 to 0.51)", "p = 0.00040")


def test_taurine_2018() -> None:
    assert from_p(-7, 0.03, df=29).low == pytest.approx(-13.3, abs=0.05)
    shown(ROWS["taurine_2018"](), "−7.0 (−13.3 to −0.7)", "5.4 apart")


def test_piccles_2022() -> None:
    """p = 0.015 from the printed numbers, where 0.03 is printed."""
    for n_a, n_b in ((37, 37), (38, 36)):
        assert welch(Group(-2.25, 3.61, n_a), Group(-0.36, 2.87, n_b)).p == pytest.approx(0.015, abs=5e-4)
    row = ROWS["piccles_2022"]()
    shown(row, "p = 0.015")
    assert row.verdict == "differs"


def test_woodfield_2005() -> None:
    """The design on simulated patients: kept replays are what the code draws; where nothing helps few are helped."""
    kept = woodfield.kept()
    assert set(kept) == {str(ratio) for ratio in woodfield.RATIOS}
    assert woodfield.replay(0.5, 0) == kept["0.5"][0]
    clear = {ratio: sum(row[0] for row in rows) / (10 * len(rows)) for ratio, rows in kept.items()}
    assert all(sum(row) == 10 for rows in kept.values() for row in rows)
    assert clear["1.0"] < 0.05 < clear["0.5"]
    assert clear["1.0"] < clear["0.72"] < clear["0.5"]
    row = ROWS["woodfield_2005"]()
    assert row.verdict == "cannot be reproduced"
    assert "simulated" in row.why
    shown(row, "ratio 0.72")


def test_simulated_cohorts_that_rows_name_are_simulated() -> None:
    simulated = {shape.name for shape in articles.shapes()} | {case.title for case in CASES.values()}
    named = {name for make in ROWS.values() for name in make().simulated}
    assert named <= simulated
    assert len(named) >= 9


def test_ratios_of_the_figure_are_ratios() -> None:
    for make in ROWS.values():
        for ratio in make().ratios:
            assert 0 < ratio.estimate.value < 2
            assert ratio.estimate.low <= ratio.estimate.value <= ratio.estimate.high
            assert ratio.estimate.null == 1.0
    assert ratio_of_means(Group(0.96, 1.41, 103), Group(3.63, 2.20, 96)).value == pytest.approx(0.26, abs=0.005)
