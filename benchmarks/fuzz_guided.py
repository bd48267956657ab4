"""The fuzzer led by coverage: inputs that reach new code are kept and spoiled further. Needs atheris (group `bench`).

python -m benchmarks.fuzz_guided [-runs=100000] [FOLDER]     these and others are libFuzzer's arguments

It watches the Python of `ingest`; decoding itself is in C, out of its sight. Every input is taken as three messages of
one device. It ends at the first that raises or is not accounted for, and writes the input into a file.
"""

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Final

import atheris

with atheris.instrument_imports(include=["ingest"]):
    from ingest.errors import WireError
    from ingest.intake import sort_in
    from ingest.order import HORIZON
    from ingest.source import Delivery
    from ingest.wire import decode_ack, decode_event

from benchmarks.fuzz import REASONS
from benchmarks.mutate import T0_NS, make

LEAVES: Final = ("blocks", "blocks", "blocks", "status", "ack", "events", "other")
CONTENT_TYPES: Final = (None, None, None, "application/msgpack", "application/json", "text/plain")
HEAD: Final = 3  # bytes that choose leaf, content type and cut
SEEDS: Final = 400


def one(data: bytes) -> None:
    """What these bytes are as messages must be accounted for, and nothing raised."""
    if len(data) < HEAD:
        return
    leaf, kind = LEAVES[data[0] % len(LEAVES)], CONTENT_TYPES[data[1] % len(CONTENT_TYPES)]
    payload = data[HEAD:]
    cut = data[2] * len(payload) // 256
    deliveries = [
        Delivery(f"charley/v1/leg/{leaf}", part, kind, number, 1, False, T0_NS)
        for number, part in enumerate((payload[:cut], payload[cut:], payload), start=1)
    ]
    intake = sort_in({}, deliveries, horizon=HORIZON, same=lambda _name, _key, _t0_ns: True, now_ns=T0_NS)
    refused = [item.reason for item in intake.quarantined]
    accepted = intake.blocks.total() - intake.blocks["quarantined"] + intake.statuses
    if len(refused) + accepted != len(deliveries) or not REASONS.issuperset(refused):
        raise AssertionError(f"not accounted for: {refused}, {accepted} accepted")
    for decode in (decode_ack, decode_event):
        try:
            decode(payload, content_type=kind)
        except WireError as error:
            if error.reason not in REASONS:
                raise


def write_seeds(folder: Path) -> None:
    """Messages to begin with."""
    rng = Random(1)  # noqa: S311 - the same again is the point
    for number in range(SEEDS):
        case = make(rng, number)
        leaf = case.topic.rpartition("/")[2]
        head = bytes([LEAVES.index(leaf) if leaf in LEAVES else 0, 0, 0])
        (folder / f"seed-{number}").write_bytes(head + case.payload)


def main() -> None:
    """Fuzz for ever, or as long as the arguments say."""
    arguments = sys.argv
    if not any(Path(argument).is_dir() for argument in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="charley-fuzz-"))
        write_seeds(folder)
        arguments = [*arguments, str(folder)]
        print(f"inputs worth keeping go to {folder}", file=sys.stderr)
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
