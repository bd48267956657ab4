"""Figures by id as JSON, so that a later run can be held against this one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.goals import goals
from benchmarks.accuracy.real import Listened
from benchmarks.accuracy.score import Scored
from detector import DEFAULT, VERSION


def plain(one: Scored) -> dict[str, Any]:
    """What is kept of a recording."""
    return {
        "held_out": one.case.held_out,
        "kind": one.kind,
        "hours": round(one.duration_s / 3600, 3),
        "cramps": len(one.cramps),
        "found": one.found,
        "false": one.false,
        "splits": one.splits,
        "merges": one.merges,
        "onset_errors_s": [_round(c.onset_error_s) for c in one.cramps],
        "duration_errors_s": [_round(c.duration_error_s) for c in one.cramps],
        "delays_s": [_round(c.audible_delay_s) for c in one.cramps],
        "confidences": [round(e.confidence, 3) for e in one.episodes],
    }


def write(path: Path, recordings: Sequence[Scored], real: Sequence[Listened]) -> None:
    """One line a recording, in order of id."""
    ordered = sorted(recordings, key=lambda one: one.case)
    held_out = [one for one in ordered if one.case.held_out]
    head = {
        "detector": VERSION,
        "params": DEFAULT.digest,
        "goals": {goal.name: [_round(goal.figure.value, 4), goal.limit, goal.verdict] for goal in goals(held_out)},
    }
    rows = ",\n".join(f'  "{one.case.id}": {json.dumps(plain(one))}' for one in ordered)
    heard = ",\n".join(f'  "{one.source}": {json.dumps(_heard(one), ensure_ascii=False)}' for one in real)
    path.write_text(
        f'{json.dumps(head, indent=1)[:-2]},\n "recordings": {{\n{rows}\n }},\n "real": {{\n{heard}\n }}\n}}\n'
    )


def _heard(one: Listened) -> dict[str, Any]:
    return {
        "seconds": round(one.duration_s, 1),
        "usable_s": round(one.usable_s, 1),
        "judged_s": round(one.judged_s, 1),
        "episodes": [[round(value, 2) for value in episode] for episode in one.episodes],
        "why": one.why,
    }


def changes(path: Path, recordings: Sequence[Scored]) -> list[str]:
    """What differs from an earlier run, a line a recording that both hold."""
    if not path.exists():
        return []
    before: Mapping[str, Mapping[str, int]] = json.loads(path.read_text())["recordings"]
    lines = []
    for one in sorted(recordings, key=lambda one: one.case):
        old = before.get(one.case.id)
        if old is not None and (old["found"], old["false"]) != (one.found, one.false):
            found = f"found {old['found']} → {one.found} of {len(one.cramps)}"
            lines.append(f"{one.case.id}: {found}, false {old['false']} → {one.false}")
    return lines


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None or value != value else round(value, digits)  # noqa: PLR0124 - NaN is no JSON
