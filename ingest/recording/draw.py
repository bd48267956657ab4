"""Draws a recording and what was found in it: one picture a leg, as readable for ten seconds as for a night.

From the top: episodes (height is severity, strength of colour is confidence), the envelope of every channel with its
rest level (dashed), what of it could be judged, movement, posture (dashed: from where the leg moves, or is upright).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator

from detector import DEFAULT, Epochs, Params
from detector.layout import FloatArray
from detector.params import EPOCH_S
from ingest.recording.movement import Movement
from ingest.recording.run import Found
from ingest.recording.trace import POINTS, Points, Trace

INK, PALE, GRID, LEVEL = "#22313f", "#8fa8bf", "#dfe5ea", "#2a7f9e"
DASHED: Final = (0, (4, 2))
GRADES: Final = {1: "#f2b134", 2: "#e2711d", 3: "#b3001b"}
QUALITY: Final = ("#ffffff", "#b9bec3", "#7b5ea7", "#4c9f70")
QUALITY_NAMES: Final = ("not received", "not worn", "not usable", "usable")
WIDTH: Final = 13.0
TICKS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 86_400)
SLIVER: Final = 0.004  # of the width: what is shorter is drawn this wide


@dataclass(frozen=True, slots=True)
class Sheet:
    """What goes onto one picture."""

    title: str
    duration_s: float
    start_ns: int  # from which epochs are counted
    dated: bool
    episodes: Sequence[dict[str, Any]]  # as the report gives them
    notes: Sequence[str] = ()


def draw_leg(path: Path, sheet: Sheet, *, trace: Trace, found: Found, params: Params = DEFAULT) -> None:
    """One leg with EMG, as PNG."""
    leg, movement = trace.leg, trace.movement()
    channels = leg.layout.channels
    panel = 1.15 if channels <= 4 else 0.75
    heights = [0.9, *[panel] * channels, 0.1 + min(0.16 * channels, 0.6), *([0.9, 0.8] if movement is not None else [])]
    figure, axes = _sheet(sheet, heights)
    _episodes(axes[0], sheet)
    epochs = found.epochs
    for channel, ax in enumerate(axes[1 : channels + 1]):
        _envelope(ax, trace, channel, epochs)
        _shade(ax, sheet)
        unit = "µV" if leg.units[channel] == "uV" else "counts"
        _label(ax, fill(f"{leg.sites[channel].replace('_', ' ')} ({unit})", 14))
    _quality(axes[channels + 1], epochs, sheet, leg.sites)
    if movement is not None:
        _movement(axes[-2], movement, params)
        _posture(axes[-1], movement, params)
        for ax in axes[-2:]:
            _shade(ax, sheet)
    _save(figure, axes, sheet, path, drawn=True)


def draw_movements(path: Path, sheet: Sheet, movements: Sequence[Movement], *, params: Params = DEFAULT) -> None:
    """A file without EMG: movement and posture of each accelerometer, as PNG."""
    figure, axes = _sheet(sheet, [0.9] * (2 * len(movements)))
    for movement, upper, lower in zip(movements, axes[::2], axes[1::2], strict=True):
        _movement(upper, movement, params)
        _posture(lower, movement, params)
        for ax, what in ((upper, "movement (g)"), (lower, "posture (°)")):
            _label(ax, f"{movement.name}\n{what}")
    _save(figure, axes, sheet, path, drawn=False)


def _sheet(sheet: Sheet, heights: list[float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.14 * len(heights) + 1.1 + 0.16 * len(sheet.notes)), dpi=100)
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    axes: list[Axes] = list(grid[:, 0])
    for ax in axes:
        ax.set_xlim(0, max(sheet.duration_s, 1e-3))
        ax.tick_params(labelsize=8, colors=INK)
        ax.grid(visible=True, color=GRID, linewidth=0.6)
        ax.set_axisbelow(True)
        for spine in ax.spines.values():
            spine.set_color(GRID)
    return figure, axes


def _save(figure: Figure, axes: list[Axes], sheet: Sheet, path: Path, *, drawn: bool) -> None:
    clock, name = _clock(sheet.duration_s)
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: clock(x)))
    step = next((step for step in TICKS_S if sheet.duration_s / step <= 12), sheet.duration_s / 6)
    axes[-1].xaxis.set_major_locator(MultipleLocator(step))
    began = ""
    if sheet.dated:
        began = f", which began {datetime.fromtimestamp(sheet.start_ns / 1e9, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
    axes[-1].set_xlabel(f"{name} from the start of the recording{began}", fontsize=8, color=INK)
    height = figure.get_figheight()
    top = 1 - (0.42 + 0.16 * len(sheet.notes)) / height
    figure.subplots_adjust(left=0.105, right=0.985, top=top, bottom=0.55 / height, hspace=0.18)
    _legend(figure, height, drawn=drawn)
    figure.suptitle(sheet.title, x=0.105, y=1 - 0.12 / height, ha="left", va="top", fontsize=11, color=INK)
    for k, note in enumerate(sheet.notes):
        figure.text(0.105, 1 - (0.36 + 0.16 * k) / height, note, fontsize=7.5, color=INK, va="top")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _legend(figure: Figure, height: float, *, drawn: bool) -> None:
    """What colours mean; of episodes and quality only where they are drawn."""
    handles: list[Any] = [Line2D([], [], color=LEVEL, linestyle=DASHED, label="rest level, thresholds")]
    if drawn:
        handles += [Patch(facecolor=colour, label=f"grade {grade}") for grade, colour in GRADES.items()]
        handles += [Patch(facecolor=c, edgecolor=PALE, label=n) for c, n in zip(QUALITY, QUALITY_NAMES, strict=True)]
    figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.989, 1 - 0.04 / height), ncols=len(handles),
                  fontsize=7, frameon=False, handlelength=1.8, columnspacing=1.2)  # fmt: skip


def _episodes(ax: Axes, sheet: Sheet) -> None:
    """Bars as high as an episode is severe; those that were taken back are outlines."""
    ax.set_ylim(0, 13)
    ax.set_yticks([0, 5, 10])
    _label(ax, "severity\n(confidence)")
    if not sheet.episodes:
        ax.text(0.5, 0.45, "no episode", transform=ax.transAxes, ha="center", va="center", color=PALE, fontsize=9)
    taken = -1.0
    for episode in sheet.episodes:
        wide = max(episode["end_s"] - episode["onset_s"], SLIVER * sheet.duration_s)
        severity, rejected = episode["severity"], episode["status"] == "rejected"
        colour = GRADES.get(episode["grade"], INK)
        ax.bar(episode["onset_s"], severity, wide, align="edge", edgecolor=PALE if rejected else colour, linewidth=0.8,
               color="none" if rejected else (*_rgb(colour), 0.25 + 0.75 * episode["confidence"]))  # fmt: skip
        at = (episode["onset_s"] + wide / 2) / sheet.duration_s
        if at - taken > 0.045 and not rejected:
            ax.text(episode["onset_s"] + wide / 2, severity + 0.5, f"{severity:.1f} ({episode['confidence']:.2f})",
                    ha="center", va="bottom", fontsize=7.5, color=INK)  # fmt: skip
            taken = at


def _shade(ax: Axes, sheet: Sheet) -> None:
    for episode in sheet.episodes:
        if episode["status"] == "rejected":
            ax.axvspan(
                episode["onset_s"], episode["end_s"], facecolor="none", edgecolor=PALE, linestyle=":", zorder=0.6
            )
            continue
        end_s = max(episode["end_s"], episode["onset_s"] + SLIVER / 2 * sheet.duration_s)
        alpha = 0.10 + 0.25 * episode["confidence"]
        ax.axvspan(
            episode["onset_s"], end_s, color=GRADES.get(episode["grade"], INK), alpha=alpha, linewidth=0, zorder=0.6
        )


def _envelope(ax: Axes, trace: Trace, channel: int, epochs: Sequence[Epochs]) -> None:
    """RMS with its least and largest value, on a logarithmic axis: rest and cramp are both to be seen."""
    curve = trace.curve(channel)
    floor = _floor(curve.rms)
    ax.fill_between(curve.at_s, np.maximum(curve.low, floor), np.maximum(curve.high, floor), color=PALE, alpha=0.45,
                    linewidth=0)  # fmt: skip
    ax.plot(curve.at_s, np.maximum(curve.rms, floor), color=INK, linewidth=0.8)
    start_s, rest = _of_channel(epochs, channel, "rest_uv", trace.leg.start_ns)
    ax.plot(np.repeat(start_s, 2) + np.tile([0, EPOCH_S], len(start_s)), np.repeat(rest, 2), color=LEVEL,
            linewidth=1.0, linestyle=DASHED)  # fmt: skip
    ax.set_yscale("log")
    finite = curve.high[np.isfinite(curve.high)]
    top = float(finite.max()) if finite.size else 1.0
    ax.set_ylim(floor * 0.8, max(top, floor * 10) * 1.4)
    wide = max(top, floor * 10) / floor > 200
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 3.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda _y, _p: ""))


def _floor(rms: Points) -> float:
    """Below what is drawn: the lowest hundredth, for flat seconds would leave no room for the others."""
    some = rms[np.isfinite(rms) & (rms > 0)]
    return float(np.quantile(some, 0.01)) * 0.7 if some.size else 0.1


def _quality(ax: Axes, epochs: Sequence[Epochs], sheet: Sheet, sites: Sequence[str]) -> None:
    """A row a channel: of most seconds of an epoch, whether they were received, worn, usable."""
    edges = np.arange(0, sheet.duration_s + EPOCH_S, EPOCH_S)
    codes = np.zeros((len(sites), len(edges) - 1))
    for channel in range(len(sites)):
        start_s, received = _of_channel(epochs, channel, "received_s", sheet.start_ns)
        worn, usable = (_of_channel(epochs, channel, name, sheet.start_ns)[1] for name in ("worn_s", "usable_s"))
        code = np.where(received > 0, 1, 0) + (worn > received / 2) + ((usable > received / 2) & (worn > received / 2))
        at = np.floor((start_s + EPOCH_S / 2) / EPOCH_S).astype(np.intp)
        inside = (at >= 0) & (at < codes.shape[1])
        codes[channel, at[inside]] = code[inside]
    ax.pcolormesh(edges, np.arange(len(sites) + 1), codes, cmap=ListedColormap(QUALITY), vmin=-0.5, vmax=3.5)
    ax.set_ylim(len(sites), 0)
    ax.set_yticks([])
    ax.grid(visible=False)
    for row in range(1, len(sites)):
        ax.axhline(row, color="white", linewidth=0.8)
    _label(ax, "quality")


def _movement(ax: Axes, movement: Movement, params: Params) -> None:
    edges_s, mad = _thinned(movement.at_s, movement.mad_g, np.max)
    ax.stairs(np.maximum(mad, 1e-3), edges_s, baseline=1e-3, fill=True, color=PALE)
    ax.axhline(params.movement_g, color=LEVEL, linewidth=0.8, linestyle=DASHED)
    ax.set_yscale("log")
    ax.set_ylim(1e-3, max(2.0, float(np.nanmax(mad, initial=0.0)) * 1.3))
    _label(ax, "movement\n(MAD, g)")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


def _posture(ax: Axes, movement: Movement, params: Params) -> None:
    edges_s, angle = _thinned(movement.at_s, movement.angle_deg, np.median)
    ax.stairs(angle, edges_s, baseline=None, color=INK, linewidth=0.9)
    for level in (-params.upright_deg, params.upright_deg):
        ax.axhline(level, color=LEVEL, linewidth=0.8, linestyle=DASHED)
    ax.set_ylim(-95, 95)
    ax.set_yticks([-90, 0, 90])
    _label(ax, "posture\n(°, 90 upright)")


def _label(ax: Axes, text: str) -> None:
    ax.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8, color=INK)
    ax.yaxis.set_label_coords(-0.036, 0.5)


def _thinned(at_s: FloatArray, values: FloatArray, how: Callable[..., Any]) -> tuple[Points, Points]:
    """Edges and values of at most some 1400 steps: each the maximum, or the median, of its neighbours.

    Between stretches a step that is NaN is laid, so that a gap stays one.
    """
    at, y = np.asarray(at_s, np.float64), np.asarray(values, np.float64)
    if not at.size:
        return np.zeros(1), np.zeros(0)
    gaps = np.flatnonzero(np.diff(at) > 1.5)
    at, y = np.insert(at, gaps + 1, at[gaps] + 1), np.insert(y, gaps + 1, np.nan)
    k = -(-len(at) // POINTS)
    n = len(at) // k * k
    joined = y[:n].reshape(-1, k)
    return np.append(at[:n:k], at[n - 1] + 1), np.asarray(how(joined, axis=-1), np.float64)


def _of_channel(epochs: Sequence[Epochs], channel: int, name: str, start_ns: int) -> tuple[Points, Points]:
    """Start of a channel's epochs, in seconds from the start of the file, and one of their columns."""
    rows = [one.channel == channel for one in epochs]
    at = np.concatenate([(one.start_ns[row] - start_ns) / 1e9 for one, row in zip(epochs, rows, strict=True)])
    values = [getattr(one, name)[row] for one, row in zip(epochs, rows, strict=True)]
    return at, np.concatenate(values).astype(np.float64)


def _clock(duration_s: float) -> tuple[Any, str]:
    if duration_s <= 120:
        return (lambda x: f"{x:g}"), "seconds"
    if duration_s <= 2 * 3600:
        return (lambda x: f"{int(x) // 60}:{int(x) % 60:02d}"), "minutes:seconds"
    return (lambda x: f"{int(x) // 3600}:{int(x) // 60 % 60:02d}"), "hours:minutes"


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
