"""`charley trial`: register a plan, see schedules, let wearers join and leave, and report what came out."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from api.errors import Conflict, Invalid, Unknown
from api.reading import Sources
from api.report import Registered, render, tables
from api.report.words import p_value
from api.times import parse_date
from api.trials import keeping, views
from api.trials.case import name_of
from api.trials.gathering import analyse_trial
from api.trials.registered import Trial
from api.trials.schemas import PlanIn
from api.trials.values import Analysis
from api.trials.wording import two_places

Action = Literal["register", "list", "show", "schedule", "join", "leave", "report"]
PAGE: Final = 100
IDS: Final = {  # where the ids are of what was not found
    "trial": "charley trial list has the ids",
    "member": "charley trial show TRIAL has the ids of those who take part",
    "wearer": "GET /api/v1/wearers has the ids, and on the page each wearer's address ends with theirs, after #",
}


def run_trial(
    sources: Sources,
    action: Action,
    trial: str = "",
    wearer: str = "",
    *,
    plan: Path | None = None,
    day: str = "",
    reason: str = "",
    html: Path | None = None,
    as_json: bool = False,
    version: str = "",
    out: Console,
    err: Console,
) -> int:
    """Do one action; 2 where it cannot be done. `day` is the first date of who joins, the last of who leaves."""
    actions: dict[Action, Callable[[], None]] = {
        "register": lambda: _register(sources, plan, out=out),
        "list": lambda: _list(sources, out=out),
        "show": lambda: _show(sources, _find(sources, trial), as_json=as_json, out=out),
        "schedule": lambda: _schedule(_find(sources, trial), out=out),
        "join": lambda: _join(sources, trial, wearer, day, out=out),
        "leave": lambda: _leave(sources, trial, wearer, day, reason=reason, out=out),
        "report": lambda: _report(
            sources, _find(sources, trial), html=html, as_json=as_json, version=version, out=out, err=err
        ),
    }
    try:
        actions[action]()
    except Unknown as error:
        err.print(f"There is no such {error}: {IDS.get(str(error), IDS['trial'])}.", soft_wrap=True, highlight=False)
    except (Invalid, Conflict) as error:
        err.print(escape(str(error)), soft_wrap=True, highlight=False)
    else:
        return 0
    return 2


def _register(sources: Sources, plan: Path | None, *, out: Console) -> None:
    if plan is None:
        raise Invalid("plan", "Name the file of the plan: charley trial register PLAN.json.")
    try:
        given = PlanIn.model_validate_json(plan.read_bytes())
    except OSError as error:
        raise Invalid("plan", f"The plan cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise Invalid("plan", f"Correct the plan and register it again. {faults}.") from error
    with sources.registry.write() as db:
        seeded = given.seed is not None
        kept = keeping.register(db, given.value(), now_ns=sources.now_ns(), seed_given=seeded)
    out.print(f"registered as {kept.id}", highlight=False)
    out.print(f"SHA-256 {kept.registered.digest}", soft_wrap=True, highlight=False)


def _list(sources: Sources, *, out: Console) -> None:
    table = Table(Column("trial", no_wrap=True), "registered", "state", "design", "wearers", "title")
    after: tuple[int, str] | None = None
    now_ns = sources.now_ns()
    while True:
        with sources.registry.read() as db:
            some = keeping.page(db, after=after, limit=PAGE)
        for one in some:
            state = one.state(views.today_utc(now_ns))
            wearers = f"{len(one.joined)} of {one.plan.wearers}"
            table.add_row(
                one.id, _day(one.registered.at_ns), state, one.plan.design, wearers, escape(one.plan.title)
            )  # fmt: skip
        if len(some) < PAGE:
            break
        after = (some[-1].created_ns, some[-1].id)
    out.print(table)


def _show(sources: Sources, trial: Trial, *, as_json: bool, out: Console) -> None:
    shown = views.trial(trial, now_ns=sources.now_ns())
    if as_json:
        out.print_json(shown.model_dump_json(by_alias=True))
        return
    out.print(escape(f"{trial.plan.title}: {trial.plan.question}"), soft_wrap=True, highlight=False)
    out.print(
        f"{trial.id}; {shown.state}; registered on {_day(trial.registered.at_ns)}, SHA-256 {shown.hash}", soft_wrap=True
    )
    table = Table("member", "value", show_header=False)
    for name, value in json.loads(trial.versions[-1].text).items():
        table.add_row(name.replace("_", " "), escape(_plain(value)))
    out.print(table)
    out.print(_members(trial) if trial.joined else "Nobody takes part yet.")
    for version in trial.versions[1:]:
        out.print(escape(f"amended on {_day(version.at_ns)}: {version.reason}"), soft_wrap=True, highlight=False)
    for opening in trial.openings:
        out.print(
            escape(f"key opened for {opening.purpose} on {_day(opening.at_ns)}: {opening.reason}"), soft_wrap=True
        )  # fmt: skip


def _members(trial: Trial) -> Table:
    table = Table(Column("wearer", no_wrap=True), "sequence", "from", "left", "excluded", title="members")
    for one in trial.shown_members:
        left = f"{one.left}: {one.reason}" if one.left else ""
        table.add_row(one.wearer, one.sequence or "neither", str(one.first), escape(left), escape(one.excluded))
    return table


def _schedule(trial: Trial, *, out: Console) -> None:
    table = Table("wearer", "phase", "from", "to", "left")
    left = {one.wearer: one.left for one in trial.joined}
    for phase in trial.schedule:
        named = name_of(trial.shown_plan, phase.label) if phase.label else phase.label
        what = (named or "neither") if phase.kind == "treatment" else phase.kind
        gone = left[phase.wearer]
        table.add_row(phase.wearer, escape(what), str(phase.first), str(phase.last), str(gone) if gone else "")
    out.print(table)


def _join(sources: Sources, trial: str, wearer: str, day: str, *, out: Console) -> None:
    first = _date(day, "first", "charley trial join TRIAL WEARER --day 2026-12-01")
    with sources.registry.write() as db:
        found = keeping.join(db, trial, wearer=wearer, first=first, now_ns=sources.now_ns())
    last = max(phase.last for phase in found.schedule if phase.wearer == wearer)
    out.print(f"{wearer} takes part from {first} to {last}", highlight=False)


def _leave(sources: Sources, trial: str, wearer: str, day: str, *, reason: str, out: Console) -> None:
    last = _date(day, "last", 'charley trial leave TRIAL WEARER --day 2026-12-31 --reason "moved away"')
    with sources.registry.write() as db:
        keeping.leave(db, trial, wearer=wearer, last=last, reason=reason)
    out.print(f"{wearer} left after {last}", highlight=False)


def _report(
    sources: Sources, trial: Trial, *, html: Path | None, as_json: bool, version: str, out: Console, err: Console
) -> None:
    with err.status("reading nights", spinner="line") as status:
        analysis = analyse_trial(
            sources, trial, progress=lambda share: status.update(f"reading nights: {share:.0%}")
        )  # fmt: skip
    if html is not None:
        registered = Registered(_instant(trial.registered.at_ns), trial.registered.digest)
        html.write_text(
            render(analysis, registered=registered, now=_instant(sources.now_ns()), version=version), encoding="utf-8"
        )
        err.print(f"written to {html}", soft_wrap=True, highlight=False)
    if as_json:
        out.print_json(views.analysis(analysis).model_dump_json(by_alias=True))
    elif html is None:
        _print(analysis, out=out)


def _print(analysis: Analysis, *, out: Console) -> None:
    out.print(escape(analysis.verdict), soft_wrap=True, highlight=False)
    letters = tables.methods(analysis)
    several = len({result.contrast for result in analysis.results}) > 1
    table = Table("outcome", "role", "measure", "value", "95 %", "p", "by")
    for result in analysis.results:
        found = result.estimate
        value, low, high = (two_places(one) for one in (found.value, found.low, found.high))
        interval = f"{low} to {high}" if found.known else ""
        outcome = result.outcome.replace("_", " ")
        measure = f"{found.measure}: {result.contrast}" if several else found.measure
        by = letters[tables.way_of(result)]
        table.add_row(outcome, result.role, escape(measure), value, interval, p_value(found.p), by)
    out.print(table)
    for letter, method in tables.ways_told(analysis):
        out.print(escape(f"{letter}: {method}"), soft_wrap=True, highlight=False)
    for text in (*(check.sentence for check in analysis.checks), *analysis.caveats):
        out.print(escape(f"- {text}"), soft_wrap=True, highlight=False)
    for one in analysis.differences:
        out.print(escape(f"- Not as planned: {one.what}: {one.registered}; {one.done}"), soft_wrap=True)
    out.print(escape(analysis.methods), soft_wrap=True, highlight=False)


def _date(day: str, which: str, example: str) -> date:
    if not day:
        raise Invalid("day", f"Say the {which} day with --day: {example}.")
    return parse_date(day, name="--day")


def _find(sources: Sources, trial: str) -> Trial:
    with sources.registry.read() as db:
        return keeping.find(db, trial)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        control = " (control)" if value.get("control") else ""
        return " ".join(filter(None, (str(value.get("name", "")), str(value.get("dose", ""))))) + control
    return "not given" if value is None else str(value)


def _instant(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // 10**9, UTC)


def _day(at_ns: int) -> str:
    return f"{_instant(at_ns):%Y-%m-%d}"
