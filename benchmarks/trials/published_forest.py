"""The forest plot of all published rows that come to a ratio."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.trials.published_row import Ratio

STYLE: Final = Path(__file__).parent.parent / "figures.mplstyle"
BLUE, GREY, RED = "#0072B2", "#8A8A8A", "#D55E00"
LARGEST: Final = 80_000  # bytes
_TICKS: Final = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)


def draw(ratios: Sequence[Ratio]) -> Figure:
    """One line a ratio: figure, interval, numbers; on a logarithmic axis."""
    figure = Figure(figsize=(8.4, 0.32 * len(ratios) + 1.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.axvspan(1 - 0.36, 1 - 0.28, color=RED, alpha=0.15, linewidth=0)
    axes.text(0.68, -0.75, "placebo against its own baseline", color=RED, fontsize=7, ha="center")
    axes.axvline(1.0, color=GREY, linewidth=0.8)
    for row, ratio in enumerate(ratios):
        found = ratio.estimate
        color = BLUE if ratio.sure else GREY
        axes.plot([max(found.low, 0.05), found.high], [row, row], color=color)
        axes.plot([found.value], [row], marker="s", color=color)
        numbers = f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
        axes.text(1.75, row, numbers, va="center", fontsize=8)
    axes.set(xscale="log", xlim=(0.05, 1.7), ylim=(len(ratios) - 0.4, -1.1))
    axes.set_yticks(range(len(ratios)), [ratio.label for ratio in ratios])
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.minorticks_off()
    axes.set(xlabel="cramps with treatment over cramps without, 95 % interval", title="Published trials, as ratios")
    axes.grid(visible=False, axis="y")
    return figure


def save(ratios: Sequence[Ratio], path: Path) -> int:
    """Draw into a PNG of few colours; its size in bytes."""
    raw = BytesIO()
    with mpl.rc_context(fname=STYLE):
        draw(ratios).savefig(raw, format="png")
    path.parent.mkdir(exist_ok=True)
    Image.open(raw).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size
