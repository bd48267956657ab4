"""Draws `docs/trials/cohorts.png`: coverage and power of each design."""

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.trials.designs import CASES, RATIOS
from benchmarks.trials.judge import COVERAGE, FALSE_POSITIVE, Share, Verdict

FIGURE: Final = Path(__file__).parent.parent.parent / "docs" / "trials" / "cohorts.png"
LINK: Final = "![Coverage and power of each design](trials/cohorts.png)"
STYLE: Final = Path(__file__).parent.parent / "figures.mplstyle"
COLOURS: Final = {1.0: "#8A8A8A", 0.75: "#E69F00", 0.5: "#0072B2"}
GOAL: Final = "#009E73"


def draw(judged: list[tuple[str, Verdict]], path: Path = FIGURE) -> None:
    """Two panels: where intervals hold the truth, and where p is below 0.05."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for name, _ in judged))
    with mpl.rc_context(fname=STYLE):
        figure = Figure(figsize=(8.4, 0.9 + 0.52 * len(names)), dpi=110, layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for number, name in enumerate(names):
            for verdict in (one for of, one in judged if of == name):
                at = number + 0.22 * (RATIOS.index(verdict.truth) - 1)
                _point(left, verdict.coverage, at, verdict.truth)
                _point(right, verdict.rejects, at, verdict.truth)
        left.axvspan(*(100 * edge for edge in COVERAGE), color=GOAL, alpha=0.15, linewidth=0)
        right.axvspan(*(100 * edge for edge in FALSE_POSITIVE), color=GOAL, alpha=0.15, linewidth=0)
        left.set(title="Intervals that hold the truth, %", xlim=(90, 100), yticks=range(len(names)))
        left.set_yticklabels([_short(name) for name in names])
        left.invert_yaxis()
        right.set(title="p below 0.05, %: false alarm or power", xlim=(0, 101))
        for truth, colour in COLOURS.items():
            right.plot([], [], "o", color=colour, label=f"true ratio {truth:g}")
        figure.legend(loc="outside lower center", ncols=len(COLOURS))
        figure.savefig(path)


def _point(axes: Axes, share: Share, at: float, truth: float) -> None:
    low, high = share.interval
    axes.plot([100 * low, 100 * high], [at, at], color=COLOURS[truth], linewidth=1.6)
    axes.plot([100 * share.value], [at], "o", color=COLOURS[truth], markersize=5)


def _short(name: str) -> str:
    wearers = CASES[name].plan.wearers
    title = name.removesuffix("_one").replace("before_after", "before/after").replace("_", " ")
    return f"{title}\n{wearers} wearer{'s' if wearers > 1 else ''}"
