"""The candidate: an activity that may become an episode, counted second by second from its onset.

What speaks for a willed hold by posture and movement is counted until the episode opens, for who has a cramp gets up
and stretches; what the EMG itself shows is counted to the end.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.confidence import Signs
from detector.layout import FloatArray, TimeArray
from detector.params import Params
from detector.quality import FlagArray
from detector.rhythm import rhythm
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
    "lain", "quiet_s", "usual", "custom", "mean", "before", "strong_s", "crest", "hot", *COUNTED,
)  # fmt: skip
Candidate = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Second:
    """What one second shows of A streams with C channels; only where `live` is it more than rubbish."""

    live: NDArray[np.bool_]  # (A,)
    second: TimeArray  # (A,)
    ok: NDArray[np.bool_]  # (A, C) usable, no artefact, rest known
    ratio: FloatArray  # (A, C) sustained amplitude over rest
    rms: FloatArray  # (A, C) µV
    rms_rest: FloatArray  # (A, C) µV
    full: FloatArray  # (A, C) sustained over RMS amplitude
    steps: FloatArray  # (A, C, 32) envelope within the second, mean squares
    flags: FlagArray  # (A, C)
    moving: NDArray[np.bool_]  # (A,)
    upright: NDArray[np.bool_]  # (A,)
    home: NDArray[np.bool_]  # (A,) in the posture of rest
    acc: NDArray[np.bool_]  # (A,)
    cold: NDArray[np.bool_]  # (A,) some channel has learned its rest level from few epochs


def forget(c: Candidate, rows: NDArray[np.bool_]) -> None:
    """Let go of the candidates at `rows`: what comes next has nothing to do with them."""
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


def count(
    c: Candidate, rows: NDArray[np.bool_], *, hot: NDArray[np.bool_], mates: NDArray[np.bool_], now: Second,
    params: Params,
) -> None:  # fmt: skip
    """Add an active second to the counters of `rows`; `mates` `(C, C)` tells which channels are synergists."""
    if not rows.any():
        return
    on = hot & rows[:, None]
    c["last_s"] = np.where(rows, now.second, c["last_s"])
    c["active"] += rows
    signed = rows & ~c["opened"]
    c["signed"] += signed
    seated = now.upright & now.home & (c["quiet_s"] >= SETTLED_S)
    c["upright"] += signed & now.upright & ~seated
    c["seated"] += signed & seated
    c["stirred"] += signed & now.moving
    above_uv = np.where(now.ok, np.sqrt(np.maximum(now.rms**2 - now.rms_rest**2, 0)), 0).astype(np.float32)
    first = above_uv.argmax(-1)
    _pair(c, rows & (c["active"] <= EARLY_S), above_uv=above_uv, first=first, mates=mates, now=now, params=params)
    _beat(c, rows, first=first, now=now)
    c["hot_s"] += on
    relative = above_uv / now.rms_rest / (params.reference_ratio - 1)
    c["load"] += np.where(on, relative, 0).astype(np.float32)
    c["full"] += np.where(on, now.full, 0).astype(np.float32)
    c["peak"] = np.where(on, np.maximum(c["peak"], now.rms), c["peak"])
    c["peak_ratio"] = np.where(on, np.maximum(c["peak_ratio"], now.rms / now.rms_rest), c["peak_ratio"])
    c["seen_flags"] |= np.where(rows, np.bitwise_or.reduce(now.flags, axis=-1), 0).astype(np.uint16)


def _pair(
    c: Candidate, rows: NDArray[np.bool_], *, above_uv: FloatArray, first: NDArray[np.intp],
    mates: NDArray[np.bool_], now: Second, params: Params,
) -> None:  # fmt: skip
    """How hard the strongest synergist works, beside the first channel; it does not work below `off_ratio`."""
    of_first = mates[first] & now.ok
    paired = rows & of_first.any(-1)
    second = np.where(of_first & (now.ratio >= params.off_ratio), above_uv, 0).max(-1)
    most = np.take_along_axis(above_uv, first[:, None], -1)[:, 0]
    c["paired"] += paired
    c["coactive"] += np.where(paired, second / np.maximum(most, 1e-3), 0).astype(np.float32)


def _beat(c: Candidate, rows: NDArray[np.bool_], *, first: NDArray[np.intp], now: Second) -> None:
    """The shape of the first channel's activity: wobble, beat, steepest rise, last second of strength."""
    steps = np.take_along_axis(now.steps, first[:, None, None], 1)[:, 0]
    slow, fast, beats = rhythm(steps)
    steady = rows & (c["active"] > RISING_S)
    c["slow"] += np.where(steady, slow, 0)
    c["fast"] += np.where(steady, fast, 0)
    c["beats"] += np.where(steady[:, None], beats, 0)
    c["crest"] = np.where(rows[:, None], np.maximum(c["crest"], np.where(now.ok, now.ratio, 0)), c["crest"])
    most = np.where(now.ok, now.ratio, 0).max(-1)
    jump = most / c["before"].min(-1)
    steeper = rows & (jump > c["jump"])
    c["jump"] = np.where(steeper, jump, c["jump"])
    c["jumped_to"] = np.where(steeper, most, c["jumped_to"])
    since = np.stack([c["before"][:, 1], np.maximum(most, 0.5)], axis=-1)
    c["before"] = np.where(rows[:, None], since, c["before"]).astype(np.float32)
    strong = rows & (most >= HALF * c["crest"].max(-1))
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
