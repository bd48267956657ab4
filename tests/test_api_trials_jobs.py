"""Analyses beside the requests: one at a time, a few in line, the latest remembered."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_world import World
from trial_cases import plan

from api.errors import Unknown
from api.trials import keeping
from api.trials.jobs import KEPT, WAITING, Analyses
from api.trials.registered import Trial


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    finish()
    made.close()


def trials(world: World, number: int) -> list[Trial]:
    with world.registry.write() as db:
        return [keeping.register(db, plan(title=f"Trial {one}"), now_ns=one + 1) for one in range(number)]


def finish() -> None:
    for thread in threading.enumerate():
        if thread.name == "trial-analyses":
            thread.join(timeout=60)


def test_a_trial_is_worked_out_once(world: World) -> None:
    analyses, [trial] = Analyses(world.app.state.sources, patience_s=0), trials(world, 1)
    first = analyses.ask(trial)
    assert (first.analysis, first.progress) == (None, 0.0)
    finish()
    made = analyses.ask(trial)
    assert made.progress == 1.0
    assert made.analysis is not None
    assert analyses.ask(trial).analysis is made.analysis


def test_at_most_one_thread_works(world: World) -> None:
    analyses = Analyses(world.app.state.sources, patience_s=0)
    for trial in trials(world, 6):
        analyses.ask(trial)
        assert sum(thread.name == "trial-analyses" for thread in threading.enumerate()) <= 1
    finish()


def test_who_finds_the_line_full_asks_again(world: World) -> None:
    """The one at work waits for its clock, so that the line fills; then all in it are made, and who was turned away."""
    go = threading.Event()
    sources = replace(world.app.state.sources, now_ns=lambda: 1 if go.wait(30) else 0)
    analyses, among = Analyses(sources, patience_s=0), trials(world, WAITING + 2)
    for trial in among:
        assert analyses.ask(trial).analysis is None
    go.set()
    finish()
    ready = [trial for trial in among if analyses.ask(trial).analysis is not None]
    assert ready == among[:WAITING]
    finish()
    assert all(analyses.ask(trial).analysis is not None for trial in among)


def test_the_oldest_results_are_forgotten(world: World) -> None:
    analyses, among = Analyses(world.app.state.sources, patience_s=0), trials(world, KEPT + 1)
    for trial in among:
        analyses.make(trial)
    assert analyses.ask(among[-1]).analysis is not None
    assert analyses.ask(among[0]).analysis is None
    finish()


def test_a_trial_that_changed_is_worked_out_again(world: World) -> None:
    analyses, [trial] = Analyses(world.app.state.sources, patience_s=0), trials(world, 1)
    before = analyses.make(trial)
    with world.registry.write() as db:
        changed = keeping.amend(db, trial.id, plan(primary="load"), reason="load is better", now_ns=9)
    assert analyses.ask(changed).analysis is None
    finish()
    after = analyses.ask(changed).analysis
    assert after is not None
    assert (before.plan.primary, after.plan.primary) == ("rate", "load")


def test_who_waits_for_a_moment_gets_it_at_once(world: World) -> None:
    analyses, [trial] = Analyses(world.app.state.sources, patience_s=60.0), trials(world, 1)
    assert analyses.ask(trial).analysis is not None


def test_after_a_minute_it_is_looked_whether_anything_changed(world: World) -> None:
    analyses, [trial] = Analyses(world.app.state.sources, patience_s=60.0), trials(world, 1)
    made = analyses.ask(trial).analysis
    world.now = "2026-03-20T12:02:00"
    assert analyses.ask(trial).analysis is made


def test_what_goes_wrong_is_raised_once(world: World) -> None:
    analyses, [trial] = Analyses(world.app.state.sources, patience_s=60.0), trials(world, 1)
    with world.registry.write() as db:
        db.exec_driver_sql("DELETE FROM trials")
    with pytest.raises(Unknown):
        analyses.ask(trial)
    analyses.patience_s = 0.0
    assert analyses.ask(trial).analysis is None  # tried again
