"""From activity to episodes: one step a second, over all streams in which anything goes on.

Rules
-----
- A channel is hot from ``on_ratio`` times its rest until it falls below ``off_ratio``. Amplitude here is the
  sustained one, so bursts (steps, jerks, fasciculation) do not make a channel hot. A window that is not usable
  says nothing, and leaves a channel as it was.
- Evidence grows by one in a second in which a channel is hot and the leg is still; it shrinks slowly while the
  leg moves, fast when nothing is hot, and a candidate lasts while it is above zero.
- An episode opens once evidence has reached ``hold_s`` and confidence ``confidence_min``. What speaks for a
  voluntary hold is counted until then, for who has a cramp gets up and stretches. Its onset is when amplitude
  last rose above ``off_ratio`` before the candidate began.
- It ends at the last hot second, once nothing has been hot for ``merge_s``.
- Where no channel could be judged for longer than that, by a gap or an artefact, a candidate is forgotten too.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.confidence import Signs, confidence
from detector.layout import FloatArray, TimeArray
from detector.params import Params
from detector.quality import TRUNCATED, FlagArray, flag_names
from detector.results import Episode, EpisodeState
from detector.severity import severity
from detector.state import NEVER

SECOND_NS: Final = 1_000_000_000
LONGEST_RISE_S: Final = 180  # build-up over 3 minutes, Howe 1978
INVOLVED: Final = 0.2  # share of active seconds in which a further channel must be hot to have taken part
CANDIDATE: Final = (
    "evidence", "opened", "site", "onset_s", "rise_s", "last_s", "active", "known_s", "moved_s", "moved", "cold",
    "signed", "upright", "paired", "coactive", "hot", "hot_s", "load", "full", "peak", "peak_ratio", "seen_flags",
)  # fmt: skip
COUNTED: Final = (
    "active", "signed", "upright", "paired", "coactive", "hot_s", "load", "full", "peak", "peak_ratio", "seen_flags",
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
    flags: FlagArray  # (A, C)
    moving: NDArray[np.bool_]  # (A,)
    upright: NDArray[np.bool_]  # (A,)
    acc: NDArray[np.bool_]  # (A,)
    cold: NDArray[np.bool_]  # (A,) some channel has learned its rest level from few epochs


def step(c: Candidate, now: Second, *, streams: NDArray[np.intp], params: Params) -> list[Episode]:
    """Advance the candidates `c` by one second, in place; episodes that opened or closed in it."""
    pause = now.second - c["last_s"] - 1
    ends = now.live & c["opened"] & (pause > params.merge_s)
    found = close(c, ends, streams=streams, gone=pause > params.merge_s + 1, acc=now.acc, params=params)
    known = now.live & now.ok.any(-1)
    _forget(c, known & (now.second - c["known_s"] - 1 > params.merge_s))
    c["known_s"] = np.where(known, now.second, c["known_s"])
    above = now.ok & (now.ratio >= params.off_ratio)
    begins = np.where(c["rise_s"] == NEVER, now.second, c["rise_s"])
    quiet = now.ok.any(-1) & ~above.any(-1)
    risen = np.where(above.any(-1), begins, np.where(quiet, NEVER, c["rise_s"]))
    c["rise_s"] = np.where(now.live, risen, c["rise_s"])
    hot = above & ((now.ratio >= params.on_ratio) | c["hot"])
    c["hot"] = np.where(now.live[:, None], np.where(now.ok, hot, c["hot"]), c["hot"])
    active = now.live & hot.any(-1)
    _reset(c, active & (c["evidence"] <= 0) & ~c["opened"], now=now, params=params)
    _count(c, active, hot=hot, now=now, params=params)
    change = np.where(active, np.where(now.moving, -params.moving_step, 1.0), -params.quiet_step)
    change = np.where(known, change, 0)  # an artefact or a lifted electrode is no evidence either way
    c["evidence"] = np.clip(c["evidence"] + change, 0, params.hold_s).astype(np.float32)
    c["moved_s"] = np.where(now.live & now.moving, now.second, c["moved_s"])
    opens = active & ~c["opened"] & (c["evidence"] >= params.hold_s)
    if opens.any():
        opens &= confidence(_signs(c, now.acc), params) >= params.confidence_min
    if opens.any():
        c["site"] = np.where(opens, c["load"].argmax(-1), c["site"]).astype(np.int32)
        c["opened"] |= opens
        found += _emit(c, opens, streams=streams, status="preliminary", acc=now.acc, params=params)
    return found


def close(
    c: Candidate,
    ends: NDArray[np.bool_],
    *,
    streams: NDArray[np.intp],
    gone: NDArray[np.bool_],
    acc: NDArray[np.bool_],
    params: Params,
) -> list[Episode]:
    """End the episodes at `ends`, in place; `gone` marks those whose signal broke off."""
    if not ends.any():
        return []
    c["seen_flags"] |= np.where(ends & gone, TRUNCATED, 0).astype(np.uint16)
    found = _emit(c, ends, streams=streams, status="final", acc=acc, params=params)
    c["opened"] &= ~ends
    _forget(c, ends)
    return found


def _forget(c: Candidate, rows: NDArray[np.bool_]) -> None:
    """Let go of the candidates at `rows`: what comes next has nothing to do with them."""
    c["evidence"][rows] = 0
    c["hot"][rows] = False
    c["rise_s"][rows] = NEVER


def _reset(c: Candidate, rows: NDArray[np.bool_], *, now: Second, params: Params) -> None:
    """Begin candidates at `rows`: empty their counters."""
    if not rows.any():
        return
    for name in COUNTED:
        c[name][rows] = 0
    c["onset_s"][rows] = np.maximum(c["rise_s"], now.second - LONGEST_RISE_S)[rows]
    c["cold"][rows] = now.cold[rows]
    c["moved"][rows] = (c["onset_s"] - c["moved_s"] <= params.before_s)[rows]


def _count(c: Candidate, rows: NDArray[np.bool_], *, hot: NDArray[np.bool_], now: Second, params: Params) -> None:
    """Add an active second to the counters of `rows`."""
    if not rows.any():
        return
    on = hot & rows[:, None]
    c["last_s"] = np.where(rows, now.second, c["last_s"])
    c["active"] += rows
    signed = rows & ~c["opened"]
    c["signed"] += signed
    c["upright"] += signed & now.upright
    above_uv = np.sqrt(np.maximum(now.rms**2 - now.rms_rest**2, 0))
    above = above_uv / now.rms_rest / (params.reference_ratio - 1)
    if hot.shape[1] > 1:
        paired = signed & (now.ok.sum(-1) > 1)
        second, first = np.moveaxis(np.sort(np.where(now.ok, above_uv, 0), axis=-1)[:, -2:], -1, 0)
        c["paired"] += paired
        c["coactive"] += np.where(paired, second / np.maximum(first, 1e-3), 0).astype(np.float32)
    c["hot_s"] += on
    c["load"] += np.where(on, above, 0).astype(np.float32)
    c["full"] += np.where(on, now.full, 0).astype(np.float32)
    c["peak"] = np.where(on, np.maximum(c["peak"], now.rms), c["peak"])
    c["peak_ratio"] = np.where(on, np.maximum(c["peak_ratio"], now.rms / now.rms_rest), c["peak_ratio"])
    c["seen_flags"] |= np.where(rows, np.bitwise_or.reduce(now.flags, axis=-1), 0).astype(np.uint16)


def _signs(c: Candidate, acc: NDArray[np.bool_]) -> Signs:
    """The signs of the candidates so far."""
    signed = np.maximum(c["signed"], 1)
    seen = c["paired"] > 0.5 * signed
    return Signs(
        upright=(c["upright"] / signed).astype(np.float32),
        coactive=np.where(seen, c["coactive"] / np.maximum(c["paired"], 1), np.nan).astype(np.float32),
        moved=c["moved"],
        cold=c["cold"],
        active_s=c["active"].astype(np.float32),
        acc=acc,
    )


def _emit(
    c: Candidate,
    rows: NDArray[np.bool_],
    *,
    streams: NDArray[np.intp],
    status: EpisodeState,
    acc: NDArray[np.bool_],
    params: Params,
) -> list[Episode]:
    belief = confidence(_signs(c, acc), params)
    return [
        _episode(c, int(a), stream=int(streams[a]), status=status, belief=float(belief[a]))
        for a in np.flatnonzero(rows)
    ]


def _episode(c: Candidate, a: int, *, stream: int, status: EpisodeState, belief: float) -> Episode:
    load, hot_s = c["load"][a], c["hot_s"][a]
    order = np.argsort(-load, kind="stable")
    took_part = tuple(int(i) for i in order if hot_s[i] >= max(INVOLVED * c["active"][a], 1))
    first = int(order[0])
    onset_s, end_s = int(c["onset_s"][a]), int(c["last_s"][a]) + 1
    score = severity(
        peak_ratio=float(c["peak_ratio"][a, first]),
        duration_s=end_s - onset_s,
        load=float(load[first]),
        recruitment=float(c["full"][a, first] / max(hot_s[first], 1)),
    )
    return Episode(
        stream=stream,
        channel=int(c["site"][a]),
        onset_ns=onset_s * SECOND_NS,
        end_ns=end_s * SECOND_NS,
        status=status,
        severity=score.total,
        severity_amplitude=score.amplitude,
        severity_duration=score.duration,
        severity_load=score.load,
        severity_recruitment=score.recruitment,
        grade=score.grade,
        peak_uv=round(float(c["peak"][a, first]), 3),
        peak_ratio=round(float(c["peak_ratio"][a, first]), 3),
        load=round(float(load[first]), 3),
        confidence=round(belief, 3),
        flags=flag_names(int(c["seen_flags"][a])),
        channels=took_part or (first,),
    )
