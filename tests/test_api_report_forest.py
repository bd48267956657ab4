"""The axes of the drawing of results: figures beside each other never touch."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from report_world import analysis

from api.report.forest import GAP, draw_forest
from api.report.svg import EM, ratio_ticks
from api.statistics.values import Estimate

TICK = re.compile(r'<text x="([\d.]+)" y="[\d.]+"[^>]*text-anchor="middle"[^>]*>([^<]+)</text>')


@pytest.mark.parametrize("reach", [(0.36, 1.4), (0.05, 30.0), (0.02, 50.0)])
def test_figures_of_an_axis_do_not_touch(reach: tuple[float, float]) -> None:
    made = analysis("parallel")
    rate = replace(made.results[0], estimate=Estimate("rate ratio", 0.8, *reach, 0.5, "a method", null=1))
    figure = draw_forest(replace(made, results=(rate,)))
    assert figure is not None
    ticks = sorted((float(x), said) for x, said in TICK.findall(figure.svg))
    assert "1" in [said for _, said in ticks]
    assert len(ticks) >= 4
    for (left, one), (right, other) in pairwise(ticks):
        assert right - left >= (len(one) + len(other)) / 2 * EM + GAP - 0.1
    assert len(ticks) <= len(ratio_ticks(*reach))
