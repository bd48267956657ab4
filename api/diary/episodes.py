"""The wearer's own episodes, by name."""

from api.errors import Invalid
from api.reading import Sources, Worn, episodes_of
from api.summaries import Owned
from api.times import Interval

_UNKNOWN = "This is no episode of the wearer. Take the `id` from the wearer's list of episodes."


def episode_named(sources: Sources, worn: Worn, episode_id: str) -> Owned:
    """The episode of this id, if the wearer wore the device at its onset. One that was withdrawn cannot be reviewed."""
    onset = episode_id.rpartition(".")[2]
    if not (onset.isascii() and onset.isdigit() and len(onset) < 20):
        raise Invalid("episode", _UNKNOWN)
    onset_ns = int(onset)
    if onset_ns >= 2**63 - 1:
        raise Invalid("episode", _UNKNOWN)
    found = episodes_of(sources, worn, Interval(onset_ns, onset_ns + 1), withdrawn=True)
    for owned in found:
        if owned.episode.id == episode_id:
            if owned.episode.withdrawn:
                raise Invalid("episode", "This episode was withdrawn after late data came: read the list again.")
            return owned
    raise Invalid("episode", _UNKNOWN)
