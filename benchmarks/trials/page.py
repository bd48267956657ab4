"""docs/trials.md from its parts: `page_head.md`, the published rows, the simulated cohorts, `page_tail.md`.

python -m benchmarks.trials.page
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.trials import published_forest
from benchmarks.trials.published import rows
from benchmarks.trials.published_patterns import TESTS
from benchmarks.trials.published_row import Row, Verdict

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent.parent / "docs"
PAGE: Final = DOCS / "trials.md"
FOREST: Final = DOCS / "trials" / "published.png"
RESULTS: Final = HERE / "results.json"
_SEEN: Final = {
    "abstract": "abstract",
    "second-hand": "**second-hand**",
    "unverified": "**unverified**",
    "abstract and second-hand": "abstract, some **second-hand**",
    "none": "–",
}
_SAID: Final[Mapping[Verdict, str]] = {
    "agrees": "agree",
    "agrees in part": "agree in part",
    "differs": "differ",
    "cannot be reproduced": "cannot be reproduced",
    "shown elsewhere": "have no published figures and are shown on simulated wearers",
}


def text(results: Path = RESULTS) -> str:
    """The whole page."""
    head, tail = ((HERE / f"page_{name}.md").read_text(encoding="utf-8").strip() for name in ("head", "tail"))
    return "\n\n".join([head, *_published(rows()), *_simulated(results), tail]) + "\n"


def write(results: Path = RESULTS) -> Path:
    """Write the page and its figure."""
    PAGE.write_text(text(results), encoding="utf-8")
    size = published_forest.save([ratio for row in rows() for ratio in row.ratios], FOREST)
    if size > published_forest.LARGEST:
        raise SystemExit(f"{FOREST.name} is larger than {published_forest.LARGEST} bytes")
    return PAGE


def table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    made = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in made)


def _published(found: Sequence[Row]) -> list[str]:
    verdicts = Counter(row.verdict for row in found)
    summary = ", ".join(f"{verdicts[verdict]} {said}" for verdict, said in _SAID.items() if verdicts[verdict])
    return [
        "## What was published, and what our analyses make of it",
        f"{len(found)} systems: {summary}. Each has a test of the same name that holds the published figures too.",
        "![Published trials as ratios of rates](trials/published.png)",
        "Grey: the ratio rests on a second-hand figure. Shaded: what placebo arms came to, against their own baseline.",
        table(
            ["system", "source", "figures from", "our result", "against the published"],
            [[row.system, _source(row), _SEEN[row.seen], row.ours, row.verdict] for row in found],
        ),
        "### One by one",
        *[_section(row) for row in found],
    ]


def _source(row: Row) -> str:
    return f"{row.source}, doi {row.doi}" if row.doi else row.source


def _section(row: Row) -> str:
    told = [
        ("Source", f"{_source(row)}. Figures from: {_SEEN[row.seen]}."),
        ("Design", row.design),
        ("Published", row.published),
        ("Our analysis", row.analysis),
        ("Our result", row.ours),
        ("Against the published", " ".join(filter(None, (f"**{row.verdict}**.", row.why)))),
        ("Warning", row.warning),
        ("Simulated", "; ".join(f"“{name}”" for name in row.simulated)),
        ("Test", f"`test_{row.name}`" + (f" in `{TESTS}`" if row.verdict == "shown elsewhere" else "")),
    ]
    return f"#### {row.system}\n\n" + "\n".join(f"- {name}: {what}" for name, what in told if what)


def _simulated(results: Path) -> list[str]:
    if not results.exists():
        return []
    kept: Mapping[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    cohorts: Mapping[str, Any] = kept.get("cohorts", kept)
    parts = [_made(made) for made in cohorts.get("tables", [])]
    planned = [_made(made) for made in kept.get("planner", {}).get("tables", [])]
    return [
        *(["## Simulated cohorts whose truth is known", *parts] if parts else []),
        *(["## Planning", *planned] if planned else []),
    ]


def _made(made: Mapping[str, Any]) -> str:
    return "\n\n".join(
        filter(None, (f"### {made['title']}", made.get("note", ""), table(made["columns"], made["rows"])))
    )


def main() -> int:
    """Write the page."""
    print(f"wrote {write()}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
