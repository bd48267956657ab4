"""Layer 3: what goes wrong where the world is worse than the plan presumes, and what a naive analysis makes of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from typing import Final

from benchmarks.trials.designs import CASES, ONE, Case
from benchmarks.trials.judge import Share, Trial, judge
from benchmarks.trials.simulate import Done, Task, simulated
from benchmarks.trials.tables import Made, percent, ratio
from benchmarks.trials.truth import Truth

TRIALS: Final = 500
QUICK: Final = 20
STREAM: Final = 2
FALL: Final = -0.3
# What a true ratio of 0.5 is seen as, of 2.5 cramps a night-week and a sensitivity of 0.9: (0.5 h + f) / (h + f).
DILUTED: Final = {0.0: 0.50, 0.03: 0.54, 0.1: 0.62, 0.25: 0.72, 0.5: 0.80, 1.0: 0.88}
ARMS: Final = ((2.5, 2), (2.5, 4), (2.5, 12), (5.0, 4), (5.0, 8), (8.0, 4), (8.0, 12))  # cramps a week, weeks an arm
MISSING: Final = (0.0, 0.2, 0.4)
SOME: Final = 400
FALSE_ALARMS: Final = ("naive positives", "our false positives", "our verdict is an effect", "our interval holds 1")
FEW: Final = 200  # trials where only a median is looked at


@dataclass(frozen=True, slots=True)
class Stress:
    """One line: a case made worse."""

    table: str
    label: str
    case: Case
    effect: float
    trials: int = TRIALS

    @property
    def key(self) -> str:
        return f"stress {self.table} {self.label} {self.effect}"


def lines() -> Iterator[Stress]:
    """Everything that is tried."""
    for name in ("before_after_one", "before_after", "n_of_1", "crossover", "parallel"):
        case = CASES[name]
        yield Stress(
            "drift", case.title.replace(", without drift", ""), _with(case, replace(case.truth, drift=FALL)), 1.0
        )
    for alarms in DILUTED:
        truth = replace(CASES["crossover"].truth, per_week=2.5, false_alarms=alarms, missing=0.0, partly=0.0)
        rhythm = replace(truth.rhythm, inside=1.0)
        yield Stress("alarms", f"{alarms:g}", _with(CASES["crossover"], replace(truth, rhythm=rhythm)), 0.5, FEW)
    for share in MISSING:
        for name in ("n_of_1", "crossover"):
            truth = replace(CASES[name].truth, missing=share, partly=share)
            for effect in (1.0, 0.5):
                yield Stress("missing", f"{CASES[name].title}|{share:g}", _with(CASES[name], truth), effect, SOME)
    for per_week, weeks in ARMS:
        plan = replace(CASES["before_after_one"].plan, baseline_days=7 * weeks, block_days=7 * weeks)
        truth = _seen_all(per_week)
        yield Stress("spread", f"{per_week:g}|{weeks}", Case("", "", plan, truth), 1.0)
    yield from _levels()


def _levels() -> Iterator[Stress]:
    one = CASES["n_of_1"]
    yield Stress("level", "every week its own, as in the main table", one, 1.0)
    yield Stress("level", "the same, four cramps a week in place of eight", _with(one, replace(ONE, per_week=4.0)), 1.0)
    yield Stress("level", "no weekly spread (Poisson)", _with(one, replace(ONE, weekly=inf, kick=0.0)), 1.0)
    yield Stress("level", "half of all cramps bring on another", _with(one, replace(ONE, kick=0.5)), 1.0)
    yield Stress("level", "each block its own besides", _with(one, replace(ONE, wander=0.1)), 1.0)


def tasks(*, quick: bool) -> list[Task]:
    """What to simulate."""
    return [
        Task(
            line.key, line.case, line.case.effects(line.effect), 0, QUICK if quick else line.trials, naive=True,
            stream=STREAM,
        )
        for line in lines()
    ]  # fmt: skip


def tables(found: Mapping[str, Done]) -> list[Made]:
    """One table of each kind of trouble."""
    of = {
        name: [line for line in lines() if line.table == name]
        for name in ("drift", "alarms", "missing", "spread", "level")
    }
    return [
        _drift(of["drift"], found), _alarms(of["alarms"], found), _missing(of["missing"], found),
        _spread(of["spread"], found), _level(of["level"], found),
    ]  # fmt: skip


def _drift(among: list[Stress], found: Mapping[str, Done]) -> Made:
    rows = []
    for line in among:
        ours, naive = (judge(part, truth=1.0) for part in (found[line.key].ours, found[line.key].naive))
        claims = [_benefit(part) for part in (found[line.key].naive, found[line.key].ours)]
        rows.append((line.label, ratio(naive.ratio), claims[0], ratio(ours.ratio), claims[1], percent(ours.coverage)))
    return Made(
        "A placebo's fall, taken for an effect",
        "The treatment does nothing, and cramps fall by 30 % within four weeks of its begin, as placebo arms do. "
        "Naive is the exact Poisson test of all cramps on treatment against all others. Comparing with before "
        "cannot tell the fall from an effect, however it is analysed: this is why the service warns of it and "
        "prefers randomised pairs. Where it sees fewer, the report says so: "
        f"“{_warned(among[1].case)}”",
        (
            "design",
            "naive ratio",
            "naive: fewer, p < 0.05",
            "our ratio",
            "ours: fewer, p < 0.05",
            "our interval holds 1",
        ),
        tuple(rows),
    )


def _warned(case: Case) -> str:
    """What is said of the first trial that finds fewer though nothing was to be found."""
    found = (simulated(case, case.effects(1.0), seed=(STREAM, number))[0] for number in count())
    return next(analysis.verdict for analysis in found if analysis.conclusion == "fewer")


def _alarms(among: list[Stress], found: Mapping[str, Done]) -> Made:
    rows = []
    for line in among:
        verdict = judge(found[line.key].ours, truth=0.5)
        expected = DILUTED[float(line.label)]
        rows.append(
            (line.label, ratio(expected), ratio(verdict.ratio), percent(verdict.coverage), percent(verdict.rejects))
        )
    return Made(
        "False alarms dilute an effect",
        "Crossover of forty, 2.5 cramps a week, all at night, sensitivity 0.9, true ratio 0.5.",
        ("false alarms a night", "seen as, by arithmetic", "seen as, median", "interval holds 0.5", "power"),
        tuple(rows),
    )


def _missing(among: list[Stress], found: Mapping[str, Done]) -> Made:
    rows = []
    for line in among:
        verdict = judge(found[line.key].ours, truth=line.effect)
        title, share = line.label.split("|")
        name = f"{100 * float(share):.0f} % without data, as many with some"
        null = line.effect == 1.0
        positive, power = (percent(verdict.rejects), "") if null else ("", percent(verdict.rejects))
        held = percent(verdict.coverage)
        rows.append((title, name, f"{line.effect:g}", held, positive, power, ratio(verdict.ratio)))
    return Made(
        "Missed nights",
        "Nights are lost at random; those with too little data are left out, the others count by their usable hours.",
        ("design", "nights", "true ratio", "interval holds the truth", "false positives", "power", "median ratio"),
        tuple(rows),
    )


def _spread(among: list[Stress], found: Mapping[str, Done]) -> Made:
    return Made(
        "Weeks differ by more than chance",
        "One person before and after, no effect, no drift, weekly counts negative binomial with k = 3. A test that "
        "takes cramps to come one by one finds effects that are not there; a known result for it is 9 to 29 % at "
        "2.5 to 8 cramps a week. Ours reckons with the spread that the weeks show. Of two weeks, or of fewer than 20 "
        "cramps, there is none to be seen: p is too small too often, and below 30 cramps the verdict is "
        "that there is not enough data.",
        ("cramps a week", "weeks an arm", *FALSE_ALARMS),
        tuple((*line.label.split("|"), *_alarmed(found[line.key])) for line in among),
    )


def _level(among: list[Stress], found: Mapping[str, Done]) -> Made:
    return Made(
        "One person whose level wanders",
        "Four randomised pairs of two weeks, no effect. Where the level changes from block to block and stays for "
        "the block (squared coefficient of variation 0.1), weeks of one block are not independent, and intervals "
        "are too short.",
        ("cramps", *FALSE_ALARMS),
        tuple((line.label, *_alarmed(found[line.key])) for line in among),
    )


def _alarmed(done: Done) -> tuple[str, ...]:
    """Effects found where there are none."""
    ours, naive = judge(done.ours, truth=1.0), judge(done.naive, truth=1.0)
    claimed = Share(sum(trial.conclusion in ("fewer", "more") for trial in done.ours), ours.trials)
    return percent(naive.rejects), percent(ours.rejects), percent(claimed), percent(ours.coverage)


def _benefit(trials: Sequence[Trial]) -> str:
    hits = sum(trial.p < 0.05 and trial.value < 1.0 for trial in trials)
    return f"{100 * hits / len(trials):.0f} %"


def _with(case: Case, truth: Truth) -> Case:
    return replace(case, truth=truth)


def _seen_all(per_week: float) -> Truth:
    """Nothing but weekly spread: every cramp at night, every night worn, every cramp detected."""
    rhythm = replace(ONE.rhythm, inside=1.0)
    return replace(ONE, per_week=per_week, kick=0.0, missing=0.0, partly=0.0, sensitivity=1.0, rhythm=rhythm)
