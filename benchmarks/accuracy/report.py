"""The report: one page of Markdown from scored recordings. It holds no date, so that equal figures give equal
pages."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.accuracy.findings import Findings
from benchmarks.accuracy.goals import goals
from benchmarks.accuracy.reliability import reliability
from benchmarks.accuracy.report_rest import beside_rivals, method, real_recordings, worst_cases
from benchmarks.accuracy.score import Scored, ScoredCramp
from benchmarks.accuracy.tally import Tally, cramps_where, tally
from benchmarks.accuracy.words import between, number, percent, spread, table, wrap
from detector import DEFAULT, VERSION

LIMITS: Final = """## What this does not show

- **No real cramp was ever heard.** No public recording of surface EMG during spontaneous cramps exists, so
  every cramp
  here is simulated. Sensitivity, delay, errors of onset and duration, and severity are those on simulated legs.
- **Simulated legs are as good as what is published.** Amplitudes, durations, rates and spectra follow print, but how
  often a wearer presses a foot against the bed, or how a cramp feels its way to full strength, nobody has counted.
- **False alarms per night and day are per simulated night and day.** The real recordings below hold minutes,
  not nights,
  and most end before the detector knows the wearer's rest; they can embarrass the detector, not acquit it.
- **Severity is held against load**, the part of a cramp that electrodes can see, not against pain.
- **Held out means by seed and by generator.** Whoever tuned the detector knew what scenarios exist, though not these
  recordings; `spikes` shares no code or formula with the others and was never used for tuning. `ours` was written
  by the detector's authors.
- **Confidence is calibrated to the mix of scenarios here**, in which things that look like cramps are far more common
  than in most nights.
"""


def page(found: Findings) -> str:
    """The whole page."""
    parts = [
        _head(found), _goals(found), LIMITS, _generators(found), _scenarios(found), _strata(found),
        _confidence(found), beside_rivals(found), real_recordings(found), worst_cases(found), method(found),
    ]  # fmt: skip
    return wrap("\n".join(part for part in parts if part))


def by_scenario(recordings: Sequence[Scored]) -> dict[str, Tally]:
    """Tallies by generator and scenario, in order of name."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in sorted(recordings, key=lambda one: one.case):
        groups[f"{one.case.generator}/{one.case.scenario}"].append(one)
    return {name: tally(group) for name, group in groups.items()}


def _head(found: Findings) -> str:
    hours = sum(one.duration_s for one in found.held_out) / 3600
    short = "\n**This page is of a reduced run (`--quick`): its intervals are wide.**\n" * found.quick
    return f"""# Accuracy

Written by `charley evaluate`; detector {VERSION}, parameters `{DEFAULT.digest}`. Not a medical device.
{short}
{len(found.held_out)} recordings of {hours:,.0f} hours with {sum(len(o.cramps) for o in found.held_out)} cramps
were held
out: odd seeds of the generators `ours` and `shaped`, and all of `spikes`. {len(found.development)} more, of
even seeds,
were for development and are shown beside. All of them are simulated; real recordings, without cramps, come
[further down](#real-recordings). Intervals are 95 %.
"""


def _goals(found: Findings) -> str:
    beside = goals(found.development)
    rows = [
        (
            goal.name,
            f"{'≥' if goal.side == 'least' else '≤'} {goal.limit:g}{goal.unit}",
            between(goal.figure, goal.digits, goal.unit),
            goal.verdict,
            number(other.figure.value, goal.digits) + goal.unit,
        )
        for goal, other in zip(goals(found.held_out), beside, strict=True)
    ]
    return f"""## Goals

{table(("goal", "", "held out", "", "development"), rows)}
Delay counts from when the cramp's own amplitude has stayed at twice rest, to the end of the second with which the
episode was known. “Met, within the interval” means that the figure meets the goal and its interval does not.
"""


COLUMNS: Final[Mapping[str, Callable[[Tally], str]]] = {
    "recordings": lambda t: str(t.recordings),
    "hours": lambda t: f"{t.hours:.0f}" if t.hours >= 10 else f"{t.hours:.1f}",
    "cramps": lambda t: str(t.cramps),
    "found": lambda t: str(t.found),
    "sensitivity": lambda t: percent(t.sensitivity),
    "precision": lambda t: percent(t.precision),
    "false": lambda t: str(t.false),
    "per night": lambda t: between(t.false_per_night),
    "per 24 h": lambda t: between(t.false_per_24h),
    "per short recording": lambda t: between(t.false_per_event),
    "onset error (s)": lambda t: spread(t.onset_error),
    "duration error (s)": lambda t: spread(t.duration_error),
    "its size over true": lambda t: "–" if t.found == 0 else f"{100 * t.duration_share.median:.0f} %",
    "delay from onset (s)": lambda t: number(t.delay.value, 0),
    "from 2 x rest": lambda t: number(t.audible_delay.value, 0),
    "95th": lambda t: number(t.audible_delay_p95.value, 0),
}


def _generators(found: Findings) -> str:
    rows = []
    for name in sorted({one.case.generator for one in found.recordings}):
        for word, part in (("held out", found.held_out), ("development", found.development)):
            mine = [one for one in part if one.case.generator == name]
            if mine:
                whole = tally(mine)
                splits = [percent(whole.splits), percent(whole.merges), between(whole.severity)]
                rows.append([name, word, *(show(whole) for show in COLUMNS.values()), *splits])
    head = ("generator", "", *COLUMNS, "split", "merged", "severity (Spearman)")
    return f"""## By generator

`ours` is the simulator that ships with Charley; `shaped` draws shaped noise under written envelopes; `spikes`
sums trains
of motor-unit potentials and was never used for tuning.

{table(head, rows)}"""


def _scenarios(found: Findings) -> str:
    rows = [[name, *(show(one) for show in COLUMNS.values())] for name, one in by_scenario(found.held_out).items()]
    return f"""## By scenario, held out

Errors are found minus true: median [quartiles].

{table(("scenario", *COLUMNS), rows)}
![Sensitivity and false alarms by scenario]({found.folder}/scenarios.png)
"""


Keep = Callable[[Scored, ScoredCramp], bool]
STRATA: Final[tuple[tuple[str, Keep], ...]] = (
    ("peak below 4 x rest", lambda _, c: c.peak_ratio < 4),
    ("peak 4-15 x rest", lambda _, c: 4 <= c.peak_ratio <= 15),
    ("peak above 15 x rest", lambda _, c: c.peak_ratio > 15),
    ("shorter than 20 s", lambda _, c: c.duration_s < 20),
    ("20-60 s", lambda _, c: 20 <= c.duration_s < 60),
    ("a minute or longer", lambda _, c: c.duration_s >= 60),
    ("one channel", lambda r, _: r.channels == 1),
    ("two channels", lambda r, _: r.channels == 2),
    ("three or more channels", lambda r, _: r.channels > 2),
    ("below 400 Hz", lambda r, _: r.fs_hz < 400),
    ("400-1500 Hz", lambda r, _: 400 <= r.fs_hz <= 1500),
    ("above 1500 Hz", lambda r, _: r.fs_hz > 1500),
    ("with an accelerometer", lambda r, _: r.acc),
    ("without", lambda r, _: not r.acc),
)


def _strata(found: Findings) -> str:
    rows = []
    for name, keep in STRATA:
        held, other = cramps_where(found.held_out, keep), cramps_where(found.development, keep)
        count = sum(keep(one, cramp) for one in found.held_out for cramp in one.cramps)
        rows.append((name, str(count), percent(held), percent(other)))
    return "## By kind of cramp and device\n\n" + table(("cramps", "held out", "found", "found, development"), rows)


def _confidence(found: Findings) -> str:
    curve = reliability(found.held_out)
    rows = [
        (f"{b.low:g}–{b.high:g}", str(b.episodes), number(b.mean), percent(b.real)) for b in curve.bins
    ]  # fmt: skip
    return f"""## Confidence

Of the episodes given a confidence, how many are cramps (held out; Wilson's intervals)? Brier score
{number(curve.brier, 3)}, mean miscalibration {number(curve.error, 3)}.

{table(("confidence", "episodes", "mean", "cramps"), rows)}
![Reliability curve]({found.folder}/reliability.png)
"""
