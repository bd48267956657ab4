"""Plots of the report, drawn without a screen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.accuracy.envelope import rms_uv, shake_g
from benchmarks.accuracy.hear import Hearing
from benchmarks.accuracy.intervals import Estimate
from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.reliability import Reliability
from benchmarks.accuracy.tally import Tally

TRUE: Final = "#2a9d8f"
FOUND: Final = "#d1495b"
INK: Final = "#30343f"
LINES: Final = ("#30343f", "#8d6a9f", "#3d7ea6", "#b5838d", "#6b705c", "#cb997e", "#5e548e", "#457b9d")
AROUND_S: Final = 120


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without the date and version that would make every run another file."""
    FigureCanvasAgg(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def scenarios(rows: Mapping[str, Tally], path: Path) -> None:
    """Sensitivity and false alarms a recording, scenario by scenario, with their intervals."""
    found = {name: one.sensitivity for name, one in rows.items() if one.cramps}
    false = {name: _rate(one) for name, one in rows.items()}
    figure = Figure(figsize=(10, 1.2 + 0.2 * len(rows)), layout="constrained")
    left, right = figure.subplots(1, 2)
    _forest(left, found, "sensitivity", goal=0.95)
    left.set_xlim(-0.02, 1.02)
    _forest(right, false, "false alarms per recording (day: per 24 h)", goal=0.1)
    right.set_xscale("symlog", linthresh=0.1)
    right.set_xlim(0, None)
    save(figure, path)


def reliability(curve: Reliability, path: Path) -> None:
    """Share of cramps over confidence, with how many episodes stand behind each point."""
    figure = Figure(figsize=(5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for one in curve.bins:
        axes.plot([one.mean, one.mean], [one.real.low, one.real.high], color=INK, linewidth=1.2)
        axes.plot(one.mean, one.real.value, "o", color=INK)
        axes.annotate(str(one.episodes), (one.mean, one.real.value), (5, -11), textcoords="offset points", fontsize=7)
    axes.set(xlabel="confidence", ylabel="share that are cramps", xlim=(0, 1.02), ylim=(-0.02, 1.02))
    save(figure, path)


def case(leg: Leg, heard: Hearing, *, at_s: tuple[float, float], title: str, path: Path) -> None:
    """A stretch of a recording: amplitude of every channel, truth, episodes, and acceleration."""
    first = max(0, int(at_s[0]) - AROUND_S)
    last = min(int(leg.duration_s), int(at_s[1]) + AROUND_S)
    rows = 1 if leg.acc is None else 2
    figure = Figure(figsize=(9, 2.6 + 0.9 * (rows - 1)), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[3, 1][:rows])[:, 0]
    top = axes[0]
    for index, site in enumerate(leg.sites):
        values = rms_uv(leg, site, first, last)
        time_s = np.arange(first, first + len(values)) + 0.5
        top.plot(time_s, np.maximum(values, 0.05), color=LINES[index % 8], linewidth=0.9, label=site.replace("_", " "))
    top.set(yscale="log", ylabel="RMS (µV)", xlim=(first, last))
    _spans(top, [(c.onset_s, c.end_s) for c in leg.cramps], TRUE, "true cramp", low=0.0)
    _spans(top, [(e.onset_s, e.end_s) for e in heard.episodes if e.counts], FOUND, "episode", low=0.93)
    top.legend(fontsize=6, ncols=3, loc="upper left", framealpha=0.6)
    top.set_title(title, fontsize=9, loc="left")
    if leg.acc is not None:
        shaken = shake_g(leg, first, last)
        axes[1].plot(np.arange(first, first + len(shaken)) + 0.5, shaken, color=INK, linewidth=0.8)
        axes[1].set(ylabel="MAD (g)", yscale="symlog")
        axes[1].set_yscale("symlog", linthresh=0.01)
    axes[-1].set_xlabel("seconds from the start")
    save(figure, path)


def _spans(axes: Any, spans: Sequence[tuple[float, float]], colour: str, label: str, *, low: float) -> None:
    for begin, end in spans:
        high = 1.0 if low else 0.93
        axes.axvspan(begin, end, ymin=low, ymax=high, color=colour, alpha=0.9 if low else 0.18, label=label)
        label = "_"  # named once


def _forest(axes: Any, rows: Mapping[str, Estimate], label: str, *, goal: float) -> None:
    axes.axvline(goal, color=FOUND, linewidth=0.8, linestyle=":")
    for place, one in enumerate(rows.values()):
        axes.plot([one.low, one.high], [-place, -place], color=INK, linewidth=1)
        axes.plot(one.value, -place, "o", color=INK, markersize=3.5)
    axes.set_yticks([-place for place in range(len(rows))], list(rows), fontsize=7)
    axes.set_xlabel(label, fontsize=8)
    axes.tick_params(axis="x", labelsize=7)


def _rate(one: Tally) -> Estimate:
    rates = (one.false_per_night, one.false_per_day, one.false_per_event)
    return next(rate for rate in rates if np.isfinite(rate.value))
