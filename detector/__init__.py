"""The pure core: int16 samples in, epochs and episodes out. Knows no devices, files, clocks or sockets."""

from detector.errors import DetectorError
from detector.layout import Chunk, Group, Layout
from detector.params import DEFAULT, VERSION, Params
from detector.results import Episode, Epochs, Results
from detector.state import State, pack, start, unpack
from detector.update import finish, update

__all__ = [
    "DEFAULT",
    "VERSION",
    "Chunk",
    "DetectorError",
    "Episode",
    "Epochs",
    "Group",
    "Layout",
    "Params",
    "Results",
    "State",
    "finish",
    "pack",
    "start",
    "unpack",
    "update",
]
