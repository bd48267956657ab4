"""The report's second half: rivals, real recordings, the worst cases, and how it was scored."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from benchmarks.accuracy.findings import Findings
from benchmarks.accuracy.intervals import rate
from benchmarks.accuracy.real import Listened
from benchmarks.accuracy.score import AFTER_S, BEFORE_S
from benchmarks.accuracy.tally import Tally, tally
from benchmarks.accuracy.words import between, number, percent, spread, table

MANY: Final = 8


def beside_rivals(found: Findings) -> str:
    head = "## What a researcher would use today\n\n"
    if found.rivals_missing:
        return head + "Not measured in this run: NeuroKit2 and BioSPPy are not installed. `make evaluate` has them.\n"
    if not found.rivals:
        return ""
    told = {
        rival: [one for one in found.rivals if one.rival == rival]
        for rival in dict.fromkeys(r.rival for r in found.rivals)
    }
    ids = {one.case.id for one in found.rivals}
    ours = tally([one for one in found.recordings if one.case.id in ids])
    rows = [_versus("**Charley**", ours, "")]
    for rival, those in told.items():
        scored = [one.scored for one in those if one.scored is not None]
        rows.append(_versus(rival.name, tally(scored), str(len(those) - len(scored) or "")))
    columns = ("detector", "found", "sensitivity", "precision", "false", "per short recording",
               "onset error (s)", "duration error (s)", "refused")  # fmt: skip
    return f"""{head}Onset detectors of NeuroKit2 and BioSPPy, each channel by itself, then a rule on duration:
activity of 12 s. Made for
other ends, they get what they could ask for: they see the whole recording, are told ten quiet seconds of it to
learn rest
from, and have the threshold and the rule that gave the highest F1 on development seeds: either gaps of up to 8
s are closed,
or 80 % of 12 s must be active. `emg_activation` of NeuroKit2 gets its own amplitude at 20 Hz, because it takes
an hour
for an hour of 1 kHz. Measured on {len(ids)} held-out recordings of up to an hour; nights and days are too slow
for them.

{table(columns, rows)}"""


def _versus(name: str, one: Tally, refused: str) -> list[str]:
    return [
        name, f"{one.found} of {one.cramps}", percent(one.sensitivity), percent(one.precision), str(one.false),
        between(one.false_per_event), spread(one.onset_error), spread(one.duration_error), refused,
    ]  # fmt: skip


def real_recordings(found: Findings) -> str:
    if not found.real:
        return "## Real recordings\n\nNone were given: `charley evaluate --real FOLDER` takes them as they come.\n"
    hours = sum(one.judged_s for one in found.real) / 3600
    false = sum(len(one.episodes) for one in found.real)
    groups: dict[tuple[str, str], list[Listened]] = defaultdict(list)
    for one in found.real:
        groups[one.source.rpartition("/")[0], one.why].append(one)
    rows = [
        (
            folder or ".",
            _names([one.source.rpartition("/")[2] for one in group]),
            f"{sum(one.usable_s for one in group):.0f} of {sum(one.duration_s for one in group):.0f}",
            f"{sum(one.judged_s for one in group):.0f}",
            str(sum(len(one.episodes) for one in group)),
            why,
        )
        for (folder, why), group in groups.items()
    ]
    return f"""## Real recordings

Every file of {found.real_name}, none of which holds a cramp: whatever is found is a false alarm. *Judged* is
signal that
is usable once the wearer's rest is known; only there can anything be found. Together {number(hours)} h judged,
{false}
false alarms: {between(rate(false, hours / 24))} per 24 h, which from so little signal says next to nothing.

{table(("folder", "files", "usable s", "judged s", "found", "why it is, or is not, a false alarm"), rows)}"""


def _names(files: Sequence[str]) -> str:
    """Files, the many by the first and the last: the JSON names all."""
    if len(files) > MANY:
        return f"`{files[0]}` … `{files[-1]}`, {len(files)} files"
    return ", ".join(f"`{name}`" for name in files)


def worst_cases(found: Findings) -> str:
    if not found.pictures:
        return ""
    shown = "\n".join(f"{caption}\n\n![{caption}]({found.folder}/{name})\n" for name, caption in found.pictures)
    return f"""## Worst cases

The largest misses and the most confident false alarms among held-out recordings, one a scenario: amplitude of every
channel, the true cramp shaded, episodes as a bar on top, movement below.

{shown}"""


def method(found: Findings) -> str:
    seeds = defaultdict(set)
    for one in found.recordings:
        seeds[f"{one.case.generator}/{one.case.scenario}"].add(one.case.seed)
    rows = [(f"`{name}`", f"{min(those)}–{max(those)}") for name, those in sorted(seeds.items())]
    return f"""## How it was scored

By events, in the manner of SzCORE (Dan 2024, [10.1111/epi.18113](https://doi.org/10.1111/epi.18113)) and its package
`timescoring`, which the tests hold our counts against. A cramp is found if an episode overlaps it, from
{BEFORE_S:g} s before its
onset to {AFTER_S:g} s after its end, however little; an episode that overlaps none is a false alarm; an episode
that was
rejected is neither. Precision is found / (found + false). Unlike SzCORE, close events are not merged, so that
two false
alarms in a row are two, and long ones are not split, because a cramp is one event however long; what that hides is
counted as splits (a cramp with several episodes) and merges (an episode with several cramps), and shows in the
error of
duration. Of several episodes in a cramp the first to open gives the delay, the one with the largest overlap all else.

Intervals: Clopper-Pearson for shares of cramps, Garwood for rates of false alarms, Wilson for bins of
confidence, and for
medians, percentiles and rank correlations percentiles of a bootstrap of 1,000 draws over recordings, because
cramps of one
recording are alike. Figures of every recording are in [accuracy.json](accuracy.json).

Recordings by id, which never change their meaning: odd seeds, and all of `spikes`, are held out.

{table(("id", "seeds"), rows)}"""
