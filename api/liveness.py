"""One state for each device, with its reason and what to do. Pure: what was last written of it in, a state out.

Rules, the first that holds
---------------------------
- `never_heard`: nothing was ever written of it.
- `refused`: nothing was accepted for `SILENT_S`, and something was refused within it. When its record was written says
  nothing: an ingester that starts writes all of them.
- `clock_wrong`: its clock is ahead by more than `CLOCK_OFF_S`; or blocks came in whose time is not known, and none that
  is dated and new.
- `offline`, `connected_but_silent`: nothing was accepted for `SILENT_S`; the broker says which. Who is heard is not
  offline, whatever the broker says: a last will may come late. A clock that was ahead is in their sentences: first
  the device has to come back.
- `clock_wrong` too: its clock is behind by as much, and what it sends comes at the pace of time. What was stored and
  is sent now looks alike, but for its pace.
- `catching_up`: the newest sample is more than `BEHIND_S` older than the newest receipt, so nothing is known of now;
  or what it sent lately has no results yet.
- `losing_data`, `not_worn`, `receiving_but_unusable`: less than `SHARE` of the last two minutes arrived, and of that
  was worn, and usable. Where nothing had come for once in five minutes, the time since counts: it was off, or away.
  Electrodes without contact on a device that moves are unusable: it is on somebody.
- `catching_up` again: the signal is good, and late blocks wait for their results.
- `receiving`: all else. It is the only good state; data missing now never lead to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from api import remedies
from api.coverage import EPOCH_NS
from api.recent import LOOK_BACK_NS, Signal, signal_of
from api.wording import count, duration
from api.zones import SECOND_NS, ZoneHistory
from ingest.store import DeviceStatus, Epoch

StateCode = Literal[
    "receiving",
    "catching_up",
    "losing_data",
    "receiving_but_unusable",
    "not_worn",
    "clock_wrong",
    "refused",
    "connected_but_silent",
    "offline",
    "never_heard",
]
SILENT_S: Final = 120.0  # two of the longest blocks
BEHIND_S: Final = 300.0
CLOCK_OFF_S: Final = 300.0
SHARE: Final = 0.5
PACE: Final = 2.0  # device time per time
GOOD: Final[StateCode] = "receiving"


@dataclass(frozen=True, slots=True)
class State:
    """The state of a device now; `since_ns` is when it began, None where that is not known."""

    code: StateCode
    since_ns: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, and when, and on whose clock the sentence tells times."""

    status: DeviceStatus
    now_ns: int
    zones: ZoneHistory | None

    @property
    def heard(self) -> bool:
        return self.status.last_received_ns > 0 and self._passed(self.status.last_received_ns) <= SILENT_S

    @property
    def behind(self) -> bool:
        return (self.status.last_received_ns - self.status.last_sample_ns) / 1e9 > BEHIND_S

    def instead(self, came_ns: int) -> bool:
        """Whether this came in lately though nothing was accepted."""
        return not self.heard and came_ns > self.status.last_received_ns and self._passed(came_ns) <= SILENT_S

    @property
    def since(self) -> str:
        heard_ns = self.status.last_received_ns
        return f" since {self.clock(heard_ns)} ({duration(max(self._passed(heard_ns), 0))} ago)" if heard_ns else ""

    def clock(self, instant_ns: int) -> str:
        utc = datetime.fromtimestamp(instant_ns // SECOND_NS, UTC)
        return f"{self.zones.local(instant_ns) if self.zones else utc:%a %d %b, %H:%M}" + ("" if self.zones else " UTC")

    def _passed(self, instant_ns: int) -> float:
        return (self.now_ns - instant_ns) / 1e9


def signal_range(status: DeviceStatus, *, now_ns: int) -> tuple[int, int] | None:
    """The stretch of device time whose epochs `device_state` needs; None where none matter."""
    if not _Case(status, now_ns, None).heard:
        return None
    return status.last_sample_ns - LOOK_BACK_NS - EPOCH_NS, status.last_sample_ns + 1


def device_state(
    status: DeviceStatus | None, epochs: Sequence[Epoch], *, now_ns: int, zones: ZoneHistory | None = None
) -> State:
    """The state of a device; `epochs` covers its `signal_range`, in order of start."""
    signal = signal_of(epochs, newest_ns=status.last_sample_ns) if status else None
    return state_of(status, signal, now_ns=now_ns, zones=zones)


def state_of(
    status: DeviceStatus | None, signal: Signal | None, *, now_ns: int, zones: ZoneHistory | None = None
) -> State:
    """The state of a device whose signal lately was so; None where there is no epoch of it."""
    if status is None:
        return State("never_heard", None, "Never heard: nothing has arrived from this device. Switch it on.")
    case = _Case(status, now_ns, zones)
    return _refused(case) or _wrong_clock(case) or _gone(case) or _behind(case, signal) or _of_signal(case, signal)


def _refused(case: _Case) -> State | None:
    status = case.status
    if not (status.refused_reason and case.instead(status.refused_ns)):
        return None
    refused = count(status.refused_blocks, "message")
    why = remedies.of_refusal(status.refused_reason)
    sentence = f"Nothing accepted{case.since}: {refused} refused, the latest because {why}."
    return State("refused", status.last_received_ns or None, sentence)


def _wrong_clock(case: _Case) -> State | None:
    status = case.status
    ahead_s = max(status.clock_offset_s, (status.last_sample_ns - case.now_ns) / 1e9)
    if case.heard and ahead_s > CLOCK_OFF_S:
        sentence = f"Its clock is {duration(ahead_s)} ahead, and so is all that it measures. Set its clock."
        return State("clock_wrong", None, sentence)
    if status.undated_blocks and (case.instead(status.undated_ns) or (case.heard and case.behind)):
        kept = f"kept until it is right: {count(status.undated_blocks, 'block')}"
        return State("clock_wrong", None, f"Its clock is not set, or far off; {kept}. Set its clock.")
    return None


def _gone(case: _Case) -> State | None:
    if case.heard:
        return None
    status = case.status
    heard_ns = status.last_received_ns or None
    never = "" if heard_ns else ", and no measurement has ever arrived"
    after = remedies.of_battery(status, gone=True)
    rest = remedies.of_refused(status) + remedies.of_clock(status, over_s=CLOCK_OFF_S) + remedies.of_waiting(status)
    if status.online:
        what = f"Connected but silent{case.since}{never}. {after or 'Restart it.'}"
        return State("connected_but_silent", heard_ns, what + rest)
    what = f"Offline{case.since}{never}. {after or 'Switch it on, or bring it into reach.'}"
    return State("offline", heard_ns, what + rest)


def _behind(case: _Case, signal: Signal | None) -> State | None:
    if not case.behind:
        return None
    behind_s = -case.status.clock_offset_s
    if signal is not None and signal.pace <= PACE and behind_s > CLOCK_OFF_S:
        sentence = f"Its clock is {duration(behind_s)} behind, or all that it sends is late by that. Check its clock."
        return State("clock_wrong", None, sentence)
    until = case.clock(case.status.last_sample_ns)
    if case.status.online:
        return State("catching_up", None, f"Catching up: it has come to {until}. Leave it connected.")
    gone = "The connection has just ended: bring it back into reach, and leave it connected."
    return State("catching_up", None, f"Catching up: it has come to {until}. {gone}")


def _of_signal(case: _Case, signal: Signal | None) -> State:
    if signal is None:
        return State("catching_up", None, "Its measurements arrive; their results are not there yet.")
    code, since_ns = _judged(signal, late=case.status.late_blocks > 0)
    since = f" since {case.clock(since_ns)}" if since_ns else ""
    sentence = {
        "losing_data": f"Losing data{since}: much of it does not arrive. Bring it closer to what it sends to.",
        "not_worn": f"Not worn{since}. Put it on.",
        "receiving_but_unusable": f"Receiving, but not usable{since}: {remedies.of_flags(signal.flags)}",
        "catching_up": "Receiving, and catching up with what came late.",
        "receiving": _receiving(case, signal) + remedies.of_sites(signal),
    }[code]
    after = remedies.of_battery(case.status, gone=False)
    return State(code, since_ns, sentence + (after and f" {after}") + remedies.of_waiting(case.status))


def _receiving(case: _Case, signal: Signal) -> str:
    return "Receiving." if signal.again_ns is None else f"Receiving again since {case.clock(signal.again_ns)}."


def _judged(signal: Signal, *, late: bool) -> tuple[StateCode, int | None]:
    if signal.received < SHARE:
        return "losing_data", None
    if signal.worn < SHARE and not signal.moves:
        return "not_worn", signal.unworn_ns
    if signal.usable < SHARE:
        return "receiving_but_unusable", signal.unusable_ns
    return ("catching_up" if late else "receiving"), None
