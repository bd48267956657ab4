"""Everything that can go wrong in a simulation.

SimulatorError
├── ScenarioError   an unknown scenario, or options that make no leg
├── RecordingError  a recording or truth file cannot be written or read
├── FlashError      a device's memory cannot be opened, or used so
└── PublishError    the broker cannot be reached, refuses, or stops answering
"""


class SimulatorError(Exception):
    """Base of every error raised by `simulators`."""


class ScenarioError(SimulatorError):
    """An unknown scenario, or options that make no sense together."""


class RecordingError(SimulatorError):
    """A recording or truth file that cannot be written or read."""


class FlashError(SimulatorError):
    """A device's memory that cannot be opened, or is asked to hold what it cannot."""


class PublishError(SimulatorError):
    """The broker cannot be reached, refuses the device, or has stopped answering."""
