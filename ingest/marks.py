"""A block without its samples: what order, clock and archive need to know of it."""

import msgspec


class Mark(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One block's identity (boot, seq, t0), the device's clock at its end, and when it came in."""

    boot: int
    seq: int
    t0_ns: int
    end_ns: int
    received_ns: int
