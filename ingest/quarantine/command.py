"""`charley quarantine`: what was set aside, why, and what to do about it."""

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from ingest.errors import IngestError
from ingest.mqtt import mqtt_settings
from ingest.quarantine.explain import advice, decoded, hex_dump, refusal
from ingest.quarantine.replaying import Outcome, replay
from ingest.quarantine.shelf import Choice, Item, Shelf
from ingest.settings import Settings
from ingest.store import Store

Action = Literal["list", "show", "replay", "drop"]
SHOWN: Final = 200  # rows of a table; JSON has all
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class QuarantineError(IngestError):
    """Asked for something that is not there, or not said clearly enough."""


def run_quarantine(
    settings: Settings,
    action: Action,
    ids: Sequence[int] = (),
    *,
    everything: bool = False,
    device: str = "",
    reason: str = "",
    since: str = "",
    as_json: bool = False,
    open_store: Callable[[Settings], Store],
    out: Console,
    err: Console,
) -> int:
    """List, show, replay or drop; the exit code is 1 when something asked for is not there or stays where it is."""
    shelf = Shelf(settings.data_dir / "journal.sqlite")
    narrowed = bool(ids or device or reason or since)
    if action == "show" and not ids:
        raise QuarantineError("name what to show: charley quarantine show ID; charley quarantine list has the ids")
    if action in ("replay", "drop") and not narrowed and not everything:
        raise QuarantineError(f"name what to {action}: ids, --device, --reason or --since, or --all")
    choice = Choice(ids=ids, device=device, reason=reason, since_ns=since_ns(since, now_ns=time.time_ns()))
    items = shelf.items(choice)
    missing = sorted(set(ids) - {item.id for item in items})
    if missing:
        err.print(f"not there (or not among those chosen): {', '.join(map(str, missing))}")
    if action == "list":
        _list(items, as_json=as_json, none=_why_none(shelf, choice) if not items else "", out=out)
    elif action == "show":
        _show(shelf, items, as_json=as_json, out=out)
    elif action == "drop":
        removed = shelf.drop([item.id for item in items])
        _say(as_json, out, {"dropped": removed}, f"{removed} dropped")
    else:
        outcomes = replay(shelf, items, mqtt_settings(settings), lambda: open_store(settings))
        _print_outcomes(outcomes, as_json=as_json, out=out)
        return int(bool(missing) or not all(outcome.done for outcome in outcomes))
    return int(bool(missing))


def since_ns(text: str, *, now_ns: int) -> int:
    """An instant out of `2h`, `3d` (so long ago) or a date, with or without time of day and offset; UTC else."""
    if not text:
        return 0
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago:
        return now_ns - int(ago[1]) * _UNITS[ago[2]] * 1_000_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QuarantineError(f"{text!r} is no time: write 2h, 3d, 2026-01-31 or 2026-01-31T22:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000


def _why_none(shelf: Shelf, choice: Choice) -> str:
    """Why nothing is listed: there is nothing at all, or nothing of what was asked for."""
    counts = shelf.reasons()
    if not counts:
        return "Nothing is set aside."
    there = f"{sum(counts.values()):,} set aside: {_counted(counts)}"
    if choice.reason and choice.reason not in counts:
        return f"Nothing is set aside for the reason {choice.reason!r}. There are {there}."
    return f"Nothing of what is set aside is what was asked for. There are {there}."


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def _list(items: Sequence[Item], *, as_json: bool, none: str, out: Console) -> None:
    counts = Counter(item.reason for item in items)
    if as_json:
        _print_json({"reasons": dict(counts.most_common()), "items": [_values(item) for item in items]})
        return
    if not items:
        out.print(escape(none), highlight=False, soft_wrap=True)
        return
    out.print(escape(_counted(dict(counts.most_common()))), highlight=False)
    table = Table(
        Column("id", justify="right"), Column("received (UTC)", no_wrap=True), Column("from", overflow="fold"),
        "reason", Column("bytes", justify="right"), Column("sentence", overflow="fold"),
    )  # fmt: skip
    for item in items[-SHOWN:]:
        origin = item.device or f"{item.topic!r:.60}"
        sentence = item.sentence if len(item.sentence) <= SHOWN else item.sentence[:SHOWN] + " ..."
        table.add_row(str(item.id), _utc(item), escape(origin), escape(item.reason), f"{item.size:,}", escape(sentence))
    out.print(table)
    if len(items) > SHOWN:
        out.print(f"The newest {SHOWN} of {len(items):,}; --json has all.")


def _show(shelf: Shelf, items: Sequence[Item], *, as_json: bool, out: Console) -> None:
    shown = []
    for item in items:
        payload = shelf.payload(item)
        values = {**_values(item), "content_type": item.content_type, "cut": item.cut, "todo": advice(item)}
        tree = decoded(item, payload)
        unsent = item.cut or item.topic.startswith("store/") or item.reason == "detector"
        again = "" if unsent else refusal(item, payload)
        if as_json:
            shown.append({**values, "again": again, "decoded": tree, "payload": base64.b64encode(payload).decode()})
            continue
        for name, value in values.items():
            out.print(f"{name:>13}  {escape(str(value))}", highlight=False, soft_wrap=True)
        if again:
            out.print(f"{'today':>13}  refused again: {escape(again)}", highlight=False, soft_wrap=True)
        text = hex_dump(payload) if tree is None else json.dumps(tree, indent=1, ensure_ascii=True)
        out.print(escape(text) + "\n", highlight=False, soft_wrap=True)
    if as_json:
        _print_json(shown)


def _print_outcomes(outcomes: Sequence[Outcome], *, as_json: bool, out: Console) -> None:
    done = sum(outcome.done for outcome in outcomes)
    values = [{"id": outcome.id, "done": outcome.done, "said": outcome.said} for outcome in outcomes]
    lines = [f"{outcome.id}: {outcome.said}" for outcome in outcomes if not outcome.done]
    lines.append(f"{done} replayed, {len(outcomes) - done} stay. What is still refused comes back under a new id.")
    _say(as_json, out, values, "\n".join(lines))


def _values(item: Item) -> dict[str, Any]:
    return {
        "id": item.id, "received": _utc(item), "topic": item.topic, "device": item.device, "reason": item.reason,
        "bytes": item.size, "sentence": item.sentence,
    }  # fmt: skip


def _utc(item: Item) -> str:
    return datetime.fromtimestamp(item.received_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _say(as_json: bool, out: Console, values: Any, text: str) -> None:
    if as_json:
        _print_json(values)
    else:
        out.print(escape(text), highlight=False, soft_wrap=True)


def _print_json(values: Any) -> None:
    print(json.dumps(values, indent=2))  # noqa: T201 - a console would wrap it
