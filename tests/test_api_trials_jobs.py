"""Analyses beside the requests: one at a time, a few in line, the latest remembered."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from api_world import World
from trial_cases import plan, wait_for_analyses

from api.errors import Conflict
from api.trials import keeping
from api.trials.jobs import KEPT, WAITING, Analyses
from api.trials.registered import Trial


@pytest.fixture
def world(world: World) -> Iterator[World]:
    yield world
    wait_for_analyses()


def trials(world: World, number: int) -> list[Trial]:
    with world.registry.write() as db:
        return [keeping.register(db, plan(title=f"Trial {one}"), now_ns=one + 1) for one in range(number)]


def patient(world: World) -> Analyses:
    """Whoever asks waits until it is there."""
    return Analyses(world.app.state.sources, patience_s=60.0)


def gated(world: World) -> tuple[Analyses, threading.Event]:
    """Work stands still, waiting for its clock, until the event is set; nobody waits for it."""
    go = threading.Event()
    sources = replace(world.app.state.sources, now_ns=lambda: 1 if go.wait(30) else 0)
    return Analyses(sources, patience_s=0.0), go


def test_a_trial_is_worked_out_once(world: World) -> None:
    (analyses, go), [trial] = gated(world), trials(world, 1)
    for _ in range(2):
        asked = analyses.ask(trial)
        assert (asked.analysis, asked.progress) == (None, 0.0)
    go.set()
    wait_for_analyses()
    made = analyses.ask(trial)
    assert made.progress == 1.0
    assert made.analysis is not None
    assert analyses.ask(trial).analysis is made.analysis


def test_at_most_one_thread_works(world: World) -> None:
    analyses, go = gated(world)
    for trial in trials(world, 6):
        analyses.ask(trial)
        assert sum(thread.name == "trial-analyses" for thread in threading.enumerate()) == 1
    go.set()
    wait_for_analyses()


def test_who_finds_the_line_full_asks_again(world: World) -> None:
    (analyses, go), among = gated(world), trials(world, WAITING + 2)
    for trial in among:
        assert analyses.ask(trial).analysis is None
    go.set()
    wait_for_analyses()
    assert all(analyses.ask(trial).analysis is not None for trial in among[:WAITING])
    for trial in among[WAITING:]:
        analyses.ask(trial)
    wait_for_analyses()
    assert all(analyses.ask(trial).analysis is not None for trial in among)


def test_the_oldest_results_are_forgotten(world: World) -> None:
    analyses, among = patient(world), trials(world, KEPT + 1)
    made = [analyses.make(trial) for trial in among]
    assert analyses.ask(among[-1]).analysis is made[-1]
    again = analyses.ask(among[0]).analysis
    assert again is not None
    assert again is not made[0]


def test_a_trial_that_changed_is_worked_out_again(world: World) -> None:
    analyses, [trial] = patient(world), trials(world, 1)
    before = analyses.make(trial)
    with world.registry.write() as db:
        changed = keeping.amend(db, trial.id, plan(primary="load"), reason="load is better", now_ns=9)
    after = analyses.ask(changed).analysis
    assert after is not None
    assert (before.plan.primary, after.plan.primary) == ("rate", "load")


def test_after_a_minute_it_is_looked_whether_anything_changed(world: World) -> None:
    analyses, [trial] = patient(world), trials(world, 1)
    made = analyses.ask(trial).analysis
    assert made is not None
    world.now = "2026-03-20T12:02:00"
    assert analyses.ask(trial).analysis is made


def test_what_goes_wrong_is_raised_once_and_then_tried_again(world: World) -> None:
    failures = [Conflict("Not now.")]

    def clock() -> int:
        if failures:
            raise failures.pop()
        return 1

    analyses = Analyses(replace(world.app.state.sources, now_ns=clock), patience_s=60.0)
    [trial] = trials(world, 1)
    with pytest.raises(Conflict, match="Not now"):
        analyses.ask(trial)
    assert analyses.ask(trial).analysis is not None
