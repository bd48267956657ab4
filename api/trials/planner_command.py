"""`charley plan`: how long a trial must be, or how many must take part, as a table and a sentence."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Column, Table

from api.errors import Invalid
from api.trials.planner import Ask, Planned, Step, plan
from api.trials.planner_words import notes, power_told, sentence

_HEADS: Final = {"block_weeks": "weeks a period", "cycles": "pairs of blocks", "wearers": "people"}


def run_plan(asks: Sequence[Ask], *, out: Console, err: Console) -> int:
    """Answer each question; 0 is answered, 2 that something asked is impossible."""
    try:
        answers = [plan(ask) for ask in asks]
    except Invalid as error:
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 2
    for planned in answers:
        _show(planned, out)
    return 0


def _show(planned: Planned, out: Console) -> None:
    out.print(sentence(planned), markup=False, highlight=False, soft_wrap=True)
    out.print(_table(planned))
    for note in notes(planned):
        out.print(f"- {note}", markup=False, highlight=False, soft_wrap=True)
    out.print()


def _table(planned: Planned) -> Table:
    by = planned.ask.by
    right = [Column(head, justify="right") for head in (_HEADS[by], "weeks each", "power")]
    table = Table(*right, title=f"Ratio {planned.ask.presumed.ratio:g}, seen as {planned.ask.presumed.seen_ratio:.2f}")
    rows: dict[int, Step] = {int(getattr(step.layout, by)): step for step in planned.table}
    for extra in (planned.smallest, planned.asked):
        if extra is not None:
            rows[int(getattr(extra.layout, by))] = extra
    for size, step in sorted(rows.items()):
        chosen = planned.smallest is not None and step == planned.smallest
        power = power_told(step.power, wanted=planned.ask.power)
        table.add_row(str(size), str(step.layout.total_weeks), power, style="bold" if chosen else "")
    return table
