"""The candidate: an activity that may become an episode, counted second by second from its onset.

What speaks for a willed hold by posture and movement is counted until the episode opens, for who has a cramp gets up
and stretches; what the EMG itself shows is counted to the end.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.confidence import Signs
from detector.layout import FloatArray
from detector.params import Params
from detector.shown import Second
from detector.state import NEVER

LONGEST_RISE_S: Final = 180  # build-up over 3 minutes, Howe 1978
LONGEST_QUIET_S: Final = 3600
SETTLED_S: Final = 45  # a leg that moved or worked more recently than that may stand where it has sat
EARLY_S: Final = 10  # active seconds in which a willed act works both heads; a cramp may spread later
RISING_S: Final = 2  # a rise within a second would pass for a wobble
HALF: Final = 0.5
MOST: Final = 0.4  # of the crest: a step that leads there is how it began
COUNTED: Final = (
    "active", "signed", "upright", "seated", "stirred", "paired", "coactive", "slow", "fast", "beats", "jump",
    "jumped_to", "hot_s", "load", "full", "peak", "peak_ratio", "seen_flags",
)  # fmt: skip
CANDIDATE: Final = (
    "evidence", "opened", "opened_s", "site", "onset_s", "rise_s", "last_s", "known_s", "moved_s", "moved", "cold",
    "lain", "quiet_s", "usual", "custom", "mean", "before", "strong_s", "crest", "hot", "spent", *COUNTED,
)  # fmt: skip
Candidate = dict[str, NDArray[Any]]


def forget(c: Candidate, rows: NDArray[np.bool_]) -> None:
    """Let go of the candidates at `rows`: what comes next has nothing to do with them."""
    if rows.any():
        c["evidence"][rows] = 0
        c["hot"][rows] = False
        c["rise_s"][rows] = NEVER


def begin(c: Candidate, rows: NDArray[np.bool_], *, now: Second, params: Params) -> None:
    """Begin candidates at `rows`: empty their counters."""
    if not rows.any():
        return
    for name in COUNTED:
        c[name][rows] = 0
    c["onset_s"][rows] = np.maximum(c["rise_s"], now.second - LONGEST_RISE_S)[rows]
    c["evidence"][rows] = 0
    c["before"][rows] = 1
    c["cold"][rows] = now.cold[rows]
    c["lain"][rows] = ~now.upright[rows]
    c["quiet_s"][rows] = np.clip(c["onset_s"] - np.maximum(c["moved_s"], c["last_s"]), 0, LONGEST_QUIET_S)[rows]
    c["usual"][rows] = c["custom"][rows]
    c["moved"][rows] = (c["onset_s"] - c["moved_s"] <= params.before_s)[rows]


def count(c: Candidate, rows: NDArray[np.bool_], *, hot: NDArray[np.bool_], now: Second) -> None:
    """Add an active second to the counters of `rows`."""
    on = hot & rows[:, None]
    c["last_s"] = np.where(rows, now.second, c["last_s"])
    c["active"] += rows
    signed = rows & ~c["opened"]
    seated = now.upright & now.home & (c["quiet_s"] >= SETTLED_S)
    c["signed"] += signed
    c["upright"] += signed & now.upright & ~seated
    c["seated"] += signed & seated
    c["stirred"] += signed & now.moving
    paired = rows & (c["active"] <= EARLY_S) & now.paired
    c["paired"] += paired
    c["coactive"] += np.where(paired, now.coactive, 0)
    _shape(c, rows, now=now)
    c["hot_s"] += on
    c["load"] += np.where(on, now.relative, 0)
    c["full"] += np.where(on, now.full, 0)
    c["peak"] = np.where(on, np.maximum(c["peak"], now.rms), c["peak"])
    c["peak_ratio"] = np.where(on, np.maximum(c["peak_ratio"], now.over), c["peak_ratio"])
    c["seen_flags"] |= np.where(rows, now.flags, 0)


def _shape(c: Candidate, rows: NDArray[np.bool_], *, now: Second) -> None:
    """The shape of the activity: wobble, beat, steepest rise, last second of strength."""
    steady = rows & (c["active"] > RISING_S)
    c["slow"] += np.where(steady, now.slow, 0)
    c["fast"] += np.where(steady, now.fast, 0)
    c["beats"] += np.where(steady[:, None], now.beats, 0)
    c["crest"] = np.where(rows[:, None] & now.ok, np.maximum(c["crest"], now.ratio), c["crest"])
    jump = now.most / c["before"].min(-1)
    high = MOST * c["crest"].max(-1)
    steeper = rows & (now.most >= high) & ((c["jumped_to"] < high) | (jump > c["jump"]))
    c["jump"] = np.where(steeper, jump, c["jump"])
    c["jumped_to"] = np.where(steeper, now.most, c["jumped_to"])
    since = np.stack([c["before"][:, 1], np.maximum(now.most, np.float32(0.5))], axis=-1)
    c["before"] = np.where(rows[:, None], since, c["before"])
    strong = rows & (now.most >= HALF * c["crest"].max(-1))
    c["strong_s"] = np.where(strong, now.second, c["strong_s"])


def signs(c: Candidate, acc: NDArray[np.bool_], *, ended: bool) -> Signs:
    """The signs of the candidates so far; how they ended, if they have."""
    signed = np.maximum(c["signed"], 1)
    waved = np.maximum(c["active"] - RISING_S, 1)
    seen = c["paired"] > 0.5 * np.clip(c["active"], 1, EARLY_S)
    beats = c["beats"] / waved[:, None]
    fall_s = c["last_s"] - c["strong_s"]
    return Signs(
        upright=_f(c["upright"] / signed),
        seated=_f(c["seated"] / signed),
        stirred=_f(c["stirred"] / signed),
        coactive=_f(np.where(seen, c["coactive"] / np.maximum(c["paired"], 1), np.nan)),
        moved=c["moved"],
        cold=c["cold"],
        active_s=_f(c["active"]),
        acc=acc,
        wobble=_f((c["slow"] + 1e-9) / (c["fast"] + 1e-9)),
        beat=_f(beats.max(-1) - np.median(beats, axis=-1)),
        quiet_s=_f(c["quiet_s"]),
        usual=_f(np.take_along_axis(c["usual"], c["crest"].argmax(-1)[:, None], -1)[:, 0]),
        crest=_f(c["crest"].max(-1)),
        abrupt=_f(np.where(c["jumped_to"] >= MOST * c["crest"].max(-1), c["jump"], 1)),
        fall_s=_f(fall_s if ended else np.full(len(fall_s), np.nan)),
    )


def _f(value: NDArray[Any]) -> FloatArray:
    return value.astype(np.float32)
