"""Named, seeded simulations. An id is permanent: what a name stands for never changes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from simulators import stories
from simulators.course import stretching
from simulators.demo import LIVE_S, NIGHTS, build_demo, build_live
from simulators.device import Device, Origin
from simulators.errors import ScenarioError
from simulators.fleet import Fleet

EARLIEST_NS: Final = 1_577_836_800_000_000_000  # 2020-01-01; the wire refuses earlier clocks
LATEST_NS: Final = 4_102_444_800_000_000_000
DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """A simulation by name: what it shows, and how it is made."""

    name: str
    shows: str
    make: Callable[[Origin], tuple[Device, ...]]


_ALL: Final = (
    Scenario("quiet_night", "Eight hours of sleep without a cramp: turning over, a few twitches", stories.quiet_night),
    Scenario("cramp_night", "A night with five cramps, weak to strong, abrupt to creeping", stories.cramp_night),
    Scenario("plm_night", "A night with 25 periodic leg movements an hour and no cramp", stories.plm_night),
    Scenario("walking_day", "Six waking hours: sitting, standing, walking, one cramp in a chair", stories.walking_day),
    Scenario("tiptoe", "Half an hour of voluntary contractions: tiptoe stands and holds, no cramp", stories.tiptoe),
    Scenario("running", "An hour's run with two cramps near its end", stories.running),
    Scenario("faulty_electrode", "Three hours: every sensor fault once, a cramp between", stories.faulty_electrode),
    Scenario(
        "lossy_device", "Two hours of drift, jitter, loss, doubles, swaps, reboots, an hour offline", stories.lossy
    ),
    Scenario("week_away", "A week without a link, then all of it at once, oldest first", stories.week_away),
    Scenario("minute", "One minute with a 30 s cramp, two electrodes: for tests and first steps", stories.minute),
    Scenario("stretching", "Eight weeks of nights, stretching before bed in the middle four", stretching),
    Scenario("demo", "Three wearers' last seven nights and days, from low-power devices", build_demo),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})


def build(name: str, *, seed: int, start_ns: int) -> Fleet:
    """The devices of a scenario. `demo` ends at `start_ns`; every other scenario begins there."""
    if name not in SCENARIOS:
        raise ScenarioError(f"no scenario {name!r}: there are {', '.join(SCENARIOS)}")
    _check(seed, start_ns)
    return Fleet(name, SCENARIOS[name].make(Origin(name, seed, start_ns)))


def demo(*, seed: int, start_ns: int, nights: int = NIGHTS) -> Fleet:
    """The demo's devices with so many of their last nights."""
    _check(seed, start_ns)
    if not 1 <= nights <= NIGHTS:
        raise ScenarioError(f"{nights} nights: the demo has 1 to {NIGHTS}")
    return Fleet("demo", build_demo(Origin("demo", seed, start_ns), nights=nights))


def ending(make: Callable[[int], Iterable[Device]], *, now_ns: int) -> int:
    """When devices began whose last sample is the newest that they can have by now.

    Nights that keep to a calendar end where it says: the last of them is the last that has ended.
    """

    def over(start_ns: int) -> bool:
        return all(device.start_ns + round(_last_s(device) * 1e9) <= now_ns for device in make(start_ns))

    start_ns = now_ns - round(max(device.leg.duration_s for device in make(now_ns)) * 1e9)
    while not over(start_ns):
        start_ns -= DAY_NS
    while over(start_ns + DAY_NS):
        start_ns += DAY_NS
    return start_ns


def live(*, seed: int, start_ns: int, duration_s: float = LIVE_S) -> Fleet:
    """The demo's devices from `start_ns` on: 1 kHz, blocks of a second, a new boot, a cramp every few minutes."""
    _check(seed, start_ns)
    return Fleet("live", build_live(Origin("live", seed, start_ns), duration_s=duration_s))


def _last_s(device: Device) -> float:
    return max(end_s for _, (_, end_s) in device.sessions())


def _check(seed: int, start_ns: int) -> None:
    if not 0 <= seed < 2**31:
        raise ScenarioError(f"seed {seed} is not between 0 and {2**31 - 1}")
    if not EARLIEST_NS <= start_ns < LATEST_NS:
        raise ScenarioError(f"start_ns {start_ns} is not between 2020 and 2100 in nanoseconds since 1970")
