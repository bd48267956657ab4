"""Rendered legs on disk: rendering may be slower than detection. Off unless a folder is named."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.accuracy.leg import Cramp, Leg
from benchmarks.accuracy.suite import Case


def load(case: Case, folder: Path | None) -> Leg:
    """The leg of a case, from the folder if it is there, else rendered and kept. Empty it when a generator changes."""
    if folder is None:
        return case.make()
    path = folder / f"{case.id.replace('/', '-')}.npz"
    if path.exists():
        return _read(path)
    leg = case.make()
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, leg)
    return leg


def _write(path: Path, leg: Leg) -> None:
    plain = {
        "kind": leg.kind, "sites": leg.sites, "emg_fs_hz": leg.emg_fs_hz, "emg_scale_uv": leg.emg_scale_uv,
        "acc_fs_hz": leg.acc_fs_hz, "acc_scale_g": leg.acc_scale_g, "cramps": [asdict(cramp) for cramp in leg.cramps],
    }  # fmt: skip
    acc = np.empty((3, 0), np.int16) if leg.acc is None else leg.acc
    part = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, emg=leg.emg, acc=acc, plain=np.array(json.dumps(plain)))
    part.rename(path)  # a reader in another process sees all of it or nothing


def _read(path: Path) -> Leg:
    with np.load(path) as held:
        plain = json.loads(str(held["plain"]))
        emg, acc = held["emg"], held["acc"]
    cramps = tuple(Cramp(**cramp) for cramp in plain.pop("cramps"))
    sites = tuple(plain.pop("sites"))
    return Leg(emg=emg, acc=acc if acc.shape[-1] else None, cramps=cramps, sites=sites, **plain)
