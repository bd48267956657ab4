"""Writes `docs/reliability.md` from `results.json`: what is promised, what was seen, what is not covered."""

import json
from pathlib import Path
from typing import Any, Final

from benchmarks.reliability.outcome import NEWER, RESULTS, ROOT, shown

MANY: Final = 24  # checks; of more only those that fail are listed
STORES: Final = ("", NEWER)
PAGE: Final = ROOT / "docs" / "reliability.md"
TITLES: Final = {
    "kills": "Kills",
    "offline": "A week offline",
    "outages": "Outages",
    "hostile": "Hostile input",
    "reconnect": "Thousands reconnecting",
    "flood": "One device that floods",
    "backup": "Backup under load",
    "arrival": "Order of arrival",
}


def write(results: Path = RESULTS, page: Path = PAGE) -> None:
    """The page anew."""
    page.write_text(render(json.loads(results.read_text()) if results.exists() else {}))


def render(results: dict[str, dict[str, Any]]) -> str:
    """The whole page."""
    chosen = {name: _seen(results[name]) for name in TITLES if name in results}
    head, tail = (Path(__file__).with_name(f"page_{part}.md").read_text() for part in ("head", "tail"))
    parts = [head, _overview(chosen), *(_section(name, seen) for name, seen in chosen.items())]
    return "\n".join([*parts, tail])


def _seen(kept: dict[str, Any]) -> dict[str, Any]:
    """The longest result on each generation of the store, by its length."""
    lengths = [
        next((f"{length}{on}" for length in ("full", "quick") if f"{length}{on}" in kept), None) for on in STORES
    ]
    return {length: kept[length] for length in lengths if length}


def _overview(chosen: dict[str, dict[str, Any]]) -> str:
    lines = [
        "## What was seen",
        "",
        "| program | length | checks that hold | took | date | version |",
        "|---|---|---|---|---|---|",
    ]
    for name, seen in chosen.items():
        for length, one in seen.items():
            holding = sum(one["checks"].values())
            verdict = f"all {holding}" if one["passed"] else f"**{holding} of {len(one['checks'])}**"
            lines.append(
                f"| [{TITLES[name]}](#{TITLES[name].lower().replace(' ', '-')}){_on(length, one)} "
                f"| {'short' if _is_short(length) else 'full'} | {verdict} "
                f"| {_time(one['took_s'])} | {one['date']} | `{one['versions']['commit']}` |"
            )
    machines = sorted({one["machine"] for seen in chosen.values() for one in seen.values()})
    lines += ["", f"On {'; '.join(machines)}.", ""]
    return "\n".join(lines)


def _section(name: str, seen: dict[str, Any]) -> str:
    lines = [f"## {TITLES[name]}", "", _about(name), ""]
    for length, one in seen.items():
        lines += [f"`{one['command']}`{_on(length, one)}{', the short version' if _is_short(length) else ''}", ""]
        lines += _found(one)
    return "\n".join(lines)


def _is_short(length: str) -> bool:
    return length.startswith("quick")


def _on(length: str, one: dict[str, Any]) -> str:
    return f", on InfluxDB {one['versions']['influxdb']}" if length.endswith(NEWER) else ""


def _found(one: dict[str, Any]) -> list[str]:
    lines = []
    if one["rows"]:
        lines += [_row(one["heading"]), _row(["---"] * len(one["heading"]))]
        lines += [_row(map(shown, row)) for row in one["rows"]]
        lines.append("")
    if one["figures"]:
        lines += ["| figure | |", "|---|---|"]
        lines += [f"| {figure} | {shown(value)} |" for figure, value in one["figures"].items()]
        lines.append("")
    failing = [what for what, holds in one["checks"].items() if not holds]
    lines += [*(f"- **Does not hold:** {what}." for what in failing), *([""] if failing else [])]
    if len(one["checks"]) <= MANY:
        lines += [f"Holds: {'; '.join(what for what, holds in one['checks'].items() if holds)}.", ""]
    return lines


def _about(module: str) -> str:
    """What a program's file says of it, as one paragraph or more."""
    return Path(__file__).with_name(f"{module}.py").read_text().split('"""')[1].strip()


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
