"""One figure for each step of docs/detector.md, drawn from simulated legs: `python -m benchmarks.figures`."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from scipy.signal import welch

from benchmarks.figure_legs import SECOND_NS, T0_NS, Array, Stretch, Watched, device, events, stretch, watch, whole
from detector import DEFAULT, start, update
from detector.candidates import CANDIDATE, signs
from detector.confidence import WEIGHTS as SIGN_WEIGHTS
from detector.confidence import confidence, terms
from detector.emg import BAND_HZ, WANDER_HZ
from detector.quality import FLAGS
from detector.severity import WEIGHTS as PART_WEIGHTS

FOLDER: Final = Path(__file__).parent.parent / "docs" / "detector"
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A8A8A",
)  # fmt: skip
STYLE: Final = Path(__file__).with_suffix(".mplstyle")
Where = Literal["upper right", "upper left", "lower left"]
LARGEST: Final = 80_000  # bytes


def _figure(
    rows: int = 1, columns: int = 1, *, height: float = 3.4, ratios: Sequence[float] = ()
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8.4, height), dpi=110, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=rows > 1, squeeze=False, height_ratios=ratios or None)
    return figure, list(grid.ravel())


def _legend(axes: Axes, *, columns: int = 1, where: Where = "upper right") -> None:
    axes.legend(loc=where, ncols=columns, handlelength=1.4, columnspacing=1.2)


def windows() -> Figure:
    """Blocks as they arrive, one of them lost, and the UTC seconds that are analysed."""
    part = stretch(device("cramp_night"), 8200, 8210)
    lengths = [(0.0, 1.35), (1.35, 2.7), (2.7, 4.05), (5.75, 7.4), (7.4, 8.75)]
    state = start(part.layout, 1)
    for first_s, last_s in lengths:
        _, state = update(state, part.chunk(first_s, last_s))
    seen = np.flatnonzero(state["grid_have"][0]).tolist()
    figure, (top, axes) = _figure(2, height=3.2, ratios=(1, 3.4))
    for first_s, last_s in lengths:
        top.barh(0, last_s - first_s, left=first_s, height=0.7, color=SKY, edgecolor="white", linewidth=2)
        inside = (part.time_s - part.start_s >= first_s) & (part.time_s - part.start_s < last_s)
        axes.plot(part.time_s[inside] - part.start_s, part.uv[0, inside], color=BLUE, linewidth=0.4)
    top.barh(0, 1.7, left=4.05, height=0.7, facecolor="none", edgecolor=GREY, linestyle=":")
    top.text(4.9, 0, "lost", ha="center", va="center", color=GREY)
    top.set(yticks=[0], yticklabels=["blocks"], title="Windows are whole UTC seconds, however the signal arrives")
    top.grid(visible=False)
    top.spines["left"].set_visible(False)
    for n, second in enumerate(seen):
        axes.axvspan(
            second,
            second + 1,
            color=GREEN,
            alpha=0.1 + 0.08 * (n % 2),
            linewidth=0,
            label="analysed" if n == 1 else None,
        )
    for at_s, text in ((5.87, "part of a\nsecond:\ndropped"), (8.4, "waits for\nthe rest")):
        axes.text(at_s, -44, text, ha="center", va="bottom", fontsize=7.5, color="#555555")
    axes.set(xlabel="UTC second of the epoch", ylabel="EMG (µV)", xlim=(0, 8.8), ylim=(-46, 46), xticks=range(9))
    _legend(axes, where="upper left")
    return figure


def spectrum() -> Figure:
    """Power spectra of rest, cramp, hum and artefact, with the bands they are told apart by."""
    night, faults = device("cramp_night"), device("faulty_electrode")
    parts = (
        ("rest", BLUE, stretch(night, 8100, 8130)),
        ("cramp", RED, stretch(night, 8230, 8260)),
        ("hum of 50 Hz", PURPLE, stretch(faults, 1000, 1030)),
        ("motion artefact", ORANGE, stretch(faults, 4850, 4880)),
    )
    figure, (axes,) = _figure(height=3.6)
    for name, colour, part in parts:
        hz, density = welch(part.uv[0], part.fs_hz, nperseg=round(part.fs_hz), detrend="linear")
        axes.loglog(hz[2:], density[2:], color=colour, label=name)
    axes.set(xlim=(2, 500), ylim=(1e-4, 1e5), xlabel="frequency (Hz)", ylabel="power density (µV²/Hz)")
    for (low, high), text in ((BAND_HZ, "muscle: power, RMS"), (WANDER_HZ, "wander")):
        axes.axvspan(low, high, color=GREY, alpha=0.13, linewidth=0)
        axes.text(np.sqrt(low * high), 2.5e4, text, ha="center", color="#555555")
    axes.set_xticks([2, 5, 10, 20, 50, 100, 200, 450], [f"{hz}" for hz in (2, 5, 10, 20, 50, 100, 200, 450)])
    axes.set_title("One transform a second tells muscle, hum and artefact apart")
    _legend(axes, where="lower left")
    return figure


def _steps(axes: Axes, seconds: Array, values: Array, *, colour: str, label: str) -> None:
    axes.stairs(
        values, np.append(seconds, seconds[-1] + 1), baseline=None, color=colour, label=label, linewidth=1.8, zorder=3
    )


def sustained() -> Figure:
    """Sustained amplitude and RMS, second by second, of walking and of a cramp."""
    shown = (("walking", "walking_day", 150.0), ("a cramp", "cramp_night", 8226.0))
    figure, panels = _figure(1, 2, height=3.4)
    for axes, (name, scenario, at_s) in zip(panels, shown, strict=True):
        part = stretch(device(scenario), at_s, at_s + 10)
        seen = watch(part)
        at = seen.second - at_s
        axes.plot(part.time_s - at_s, np.abs(part.uv[0]), color="#C4C4C4", linewidth=0.4, label="size of the EMG")
        _steps(axes, at, seen.rms_uv[:, 0], colour=BLUE, label="RMS")
        _steps(axes, at, seen.sustained_uv[:, 0], colour=RED, label="sustained amplitude")
        share = float(np.median(seen.sustained_uv[:, 0] / seen.rms_uv[:, 0]))
        axes.set(
            xlim=(0, 10), ylim=(0, 3.2 * float(seen.rms_uv[:, 0].max())), xlabel="time (s)", ylabel="amplitude (µV)"
        )
        axes.set_title(f"{name.capitalize()}: sustained is {share:.2f} of RMS")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def quality() -> Figure:
    """Flags of one electrode over three hours in which everything goes wrong once."""
    one = device("faulty_electrode", fs_hz=500.0)
    epochs, _ = whole(one)
    mine = epochs.channel == 0
    minute = (epochs.start_ns[mine] - T0_NS) / SECOND_NS / 60
    figure, (top, axes) = _figure(2, height=4.0, ratios=(1.2, 2))
    top.semilogy(minute, epochs.rms_uv[mine], color=BLUE, linewidth=0.9, label="RMS, where usable")
    top.semilogy(minute, epochs.rest_uv[mine], color=ORANGE, label="rest")
    top.annotate("cramp", (90.5, 45), (94, 38), fontsize=8, color=RED)
    top.set(
        ylabel="µV",
        ylim=(1, 200),
        title="What a second cannot tell is flagged, and counted neither for nor against a cramp",
    )
    _legend(top, columns=2)
    shown = [name for name in FLAGS if ((epochs.flags[mine] >> FLAGS.index(name)) & 1).any()]
    rows = [("worn", epochs.worn_s[mine] >= 5, GREEN), ("usable", epochs.usable_s[mine] >= 5, GREEN)]
    rows += [(name, (epochs.flags[mine] >> FLAGS.index(name)) & 1 > 0, RED) for name in shown]
    for row, (_, set_, colour) in enumerate(rows):
        axes.broken_barh(
            [(m, 1 / 6 + 0.02) for m in minute[set_].tolist()], (row - 0.35, 0.7), color=colour, linewidth=0
        )
    axes.set(yticks=range(len(rows)), yticklabels=[name for name, _, _ in rows], xlabel="time (min)", xlim=(0, 180))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return figure


def rest() -> Figure:
    """Amplitude of every epoch of a night, and the rest level that follows it."""
    one = device("cramp_night", fs_hz=500.0)
    epochs, episodes = whole(one)
    mine = epochs.channel == 0
    hour = (epochs.start_ns[mine] - T0_NS) / SECOND_NS / 3600
    figure, (axes,) = _figure(height=3.2)
    for n, episode in enumerate(episodes):
        span = [(at - T0_NS) / SECOND_NS / 3600 for at in (episode.onset_ns, episode.end_ns)]
        axes.axvspan(
            span[0], max(span[1], span[0] + 0.02), color=RED, alpha=0.25, linewidth=0, label="" if n else "episode"
        )
    axes.semilogy(hour, epochs.rms_uv[mine], ".", markersize=2, color=BLUE, label="RMS of an epoch")
    axes.semilogy(hour, epochs.rest_uv[mine], color=ORANGE, linewidth=2, label="rest level")
    axes.set(
        xlim=(0, 8),
        ylim=(2, 400),
        xlabel="time (h)",
        ylabel="RMS (µV)",
        title="The rest level follows quiet, and no cramp becomes rest",
    )
    _legend(axes, columns=3)
    return figure


def _cramp() -> tuple[Stretch, tuple[float, float]]:
    """The first cramp of the night, with what goes before, and its true onset and end."""
    one = device("cramp_night")
    event = events(one, "cramp")[0]
    return stretch(one, event.onset_s - 240, event.end_s + 70), (event.onset_s, event.end_s)


def evidence() -> Figure:
    """Ratio to rest with both thresholds, evidence, and when the episode opens and ends."""
    part, (onset_s, end_s) = _cramp()
    seen = watch(part)
    at = seen.second - onset_s
    figure, (top, axes) = _figure(2, height=4.2, ratios=(1.5, 1))
    _steps(top, at, seen.ratio[:, 0], colour=RED, label="medial head")
    _steps(top, at, seen.ratio[:, 1], colour=BLUE, label="lateral head")
    top.axhline(DEFAULT.on_ratio, color="black", linestyle="--", linewidth=0.8)
    top.axhline(DEFAULT.off_ratio, color="black", linestyle=":", linewidth=0.8)
    beside = top.get_yaxis_transform()
    top.text(1.005, DEFAULT.on_ratio, "on_ratio", fontsize=8, va="bottom", transform=beside)
    top.text(1.005, DEFAULT.off_ratio, "off_ratio", fontsize=8, va="top", transform=beside)
    top.set(
        yscale="log",
        ylim=(0.5, 80),
        ylabel="sustained amplitude (x rest)",
        title="Evidence gathers while a channel is hot and the leg is still",
    )
    top.plot([0, end_s - onset_s], [0.62, 0.62], color="black", linewidth=4, solid_capstyle="butt", label="true cramp")
    axes.stairs(seen.evidence, np.append(at, at[-1] + 1), fill=True, color=GREEN, alpha=0.4)
    axes.axhline(DEFAULT.hold_s, color="black", linestyle="--", linewidth=0.8)
    axes.text(1.005, DEFAULT.hold_s, "hold_s", fontsize=8, va="center", transform=axes.get_yaxis_transform())
    axes.set(
        ylabel="evidence (s)",
        xlabel="time from the true onset (s)",
        xlim=(-30, end_s - onset_s + 30),
        ylim=(0, DEFAULT.hold_s * 1.25),
    )
    for time_s, name, colour in _marks(seen, onset_s):
        for each in (top, axes):
            each.axvline(time_s, color=colour, linewidth=1.4)
        axes.text(time_s + 0.4, DEFAULT.hold_s * 1.06, name, color=colour, fontsize=8)
    top.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    top.minorticks_off()
    _legend(top, columns=3)
    return figure


def _marks(seen: Watched, zero_s: float) -> list[tuple[float, str, str]]:
    """Onset, opening and end of the episodes told, seconds from `zero_s`."""
    marks = []
    for episode in seen.episodes:
        if episode.status == "final":
            times = (
                ("onset", episode.onset_ns, GREEN),
                ("opens", episode.opened_ns, ORANGE),
                ("end", episode.end_ns, PURPLE),
            )
            marks += [((ns - T0_NS) / SECOND_NS - zero_s, name, colour) for name, ns, colour in times]
    return marks


def _contributions(part: Stretch, until_s: float) -> tuple[dict[str, float], float]:
    """What each sign adds in log-odds at a time, and the confidence that follows."""
    seen = watch(part)
    state = seen.states[int(until_s - part.start_s)]
    acc = np.array([part.layout.acc is not None])
    found = signs({name: state[name] for name in CANDIDATE}, acc, ended=False)
    values = {name: SIGN_WEIGHTS[name] * float(value[0]) for name, value in terms(found).items()}
    return values, float(confidence(found)[0])


def signs_of_two() -> Figure:
    """The weighed signs of a cramp and of a stand on tiptoe, 25 s after each began."""
    part, (onset_s, _) = _cramp()
    tiptoe = device("tiptoe")
    act = next(event for event in events(tiptoe, "tiptoe") if event.duration_s > 30)
    both = (
        ("a cramp in bed", *_contributions(part, onset_s + 25)),
        ("on tiptoe", *_contributions(stretch(tiptoe, max(act.onset_s - 240, 0), act.end_s), act.onset_s + 25)),
    )
    names = [name for name in SIGN_WEIGHTS if any(abs(values[name]) > 0.01 for _, values, _ in both)]
    shown = [values[name] for name in names for _, values, _ in both]
    limits = min(shown) - 0.4, max(shown) + 0.4
    figure, panels = _figure(1, 2, height=3.6)
    for axes, (title, values, belief) in zip(panels, both, strict=True):
        weights = [values[name] for name in names]
        axes.barh(
            [name.replace("_", " ") for name in names],
            weights,
            color=[RED if weight > 0 else BLUE for weight in weights],
        )
        axes.axvline(0, color="black", linewidth=0.8)
        axes.invert_yaxis()
        axes.set(xlim=limits, xlabel="log-odds for a cramp", title=f"{title.capitalize()}: confidence {belief:.2f}")
    panels[1].set_yticklabels([])
    return figure


def severity() -> Figure:
    """The weighted parts of the severity of a night's cramps."""
    _, episodes = whole(device("cramp_night", fs_hz=500.0))
    lengths = [(e.end_ns - e.onset_ns) // SECOND_NS for e in episodes]
    labels = [
        f"{length} s, peak {e.peak_ratio:.0f} x rest\nload {e.load:.0f}, grade {e.grade}"
        for length, e in zip(lengths, episodes, strict=True)
    ]
    figure, (axes,) = _figure(height=3.2)
    left = np.zeros(len(episodes))
    for (name, weight), colour in zip(PART_WEIGHTS.items(), (RED, ORANGE, BLUE, GREEN), strict=True):
        values = weight * np.array([getattr(episode, f"severity_{name}") for episode in episodes])
        axes.barh(labels, values, left=left, color=colour, height=0.62, label=f"{weight:g} x {name}")
        left += values
    for row, total in enumerate(left.tolist()):
        axes.text(total + 0.1, row, f"{total:.1f}", va="center", fontweight="bold")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 10), xlabel="severity (0-10)", title="Severity is the sum of four published parts")
    figure.legend(loc="outside lower center", ncols=4, handlelength=1.2)
    return figure


FIGURES: Final = MappingProxyType(
    {
        "1_windows": windows,
        "2_spectrum": spectrum,
        "3_sustained": sustained,
        "4_quality": quality,
        "5_rest": rest,
        "6_evidence": evidence,
        "7_confidence": signs_of_two,
        "8_severity": severity,
    }
)


def save(name: str, draw: Callable[[], Figure], folder: Path) -> int:
    """Draw a figure into a PNG of few colours; its size in bytes."""
    raw = BytesIO()
    with mpl.rc_context(fname=STYLE):
        figure = draw()
        figure.text(0.995, 0.005, "simulated leg", ha="right", va="bottom", fontsize=7, color=GREY)
        figure.savefig(raw, format="png")
    path = folder / f"{name}.png"
    Image.open(raw).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        size = save(name, draw, FOLDER)
        print(f"{name}.png  {size / 1000:.0f} kB", flush=True)
        if size > LARGEST:
            raise SystemExit(f"{name}.png is larger than {LARGEST / 1000:.0f} kB")


if __name__ == "__main__":
    main()
