"""What a channel's name says: kind, muscle or place, side and axis. Generous, and never the last word.

A name is cut into words at anything that is neither letter nor digit, at a change of case and at digits. `EMG`, a
muscle, a leg or an accelerometer in it makes it one of ours; an ECG, a gyroscope or a chin makes it none of ours.
Two-letter names of muscles that are not of the shank count only beside the word EMG, for they mean many things.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from ingest.recording.units import UV, G

Kind = Literal["emg", "acc", ""]
EMG_WORDS: Final = {"emg", "semg", "electromyogram", "electromyography", "myo"}
ACC_WORDS: Final = {"acc", "accel", "accelerometer", "acceleration", "accelero", "beschleunigung"}
LEFT: Final = {"l", "left", "lt", "sx", "sin", "sinister", "links", "gauche"}
RIGHT: Final = {"r", "right", "rt", "dx", "dexter", "rechts", "droit", "droite"}
FOREIGN: Final = {
    "ecg", "ekg", "eeg", "eog", "gyro", "gyr", "gyroscope", "gx", "gy", "gz", "mag", "magnetometer", "ppg", "pleth",
    "spo", "sao", "pulse", "resp", "flow", "airflow", "thorax", "abdomen", "abdo", "snore", "temp", "temperature",
    "angle", "force", "torque", "moment", "load", "press", "pressure", "trigger", "trig", "status", "marker", "event",
    "annotation", "annotations", "battery", "seq", "nseq", "digital", "eda", "gsr", "hr", "heart", "position", "pos",
    "velocity", "light", "nasal", "gonio", "quaternion", "quat", "euler", "roll", "pitch", "yaw", "rms", "fsr",
    "counter", "sample", "index", "label", "truth",
}  # fmt: skip
ELSEWHERE: Final = {"chin", "submental", "mentalis", "mental", "masseter", "jaw", "intercostal", "diaphragm", "arm",
                    "forearm", "deltoid", "trapezius", "neck", "face"}  # fmt: skip
NOISE: Final = {"mini", "sensor", "trigno", "avanti", "delsys", "imu", "channel", "ch", "chn", "port", "raw", "signal",
                "filtered", "filt", "muscle", "m", "surface", "the", "in", "a"}  # fmt: skip
SHANK: Final = {"shank", "tibia", "calf", "leg", "lowerleg", "ankle", "tib"}
FAR: Final = {"wrist", "hand", "arm", "forearm", "chest", "trunk", "head", "hip", "waist", "foot", "toe", "toes",
              "thigh", "back", "sacrum", "pelvis", "sternum", "lumbar"}  # fmt: skip
# Whole names, as they stand or beside EMG.
SHORT: Final = {
    "gm": "gastrocnemius_medialis", "mg": "gastrocnemius_medialis", "gmed": "gastrocnemius_medialis",
    "gasm": "gastrocnemius_medialis", "mgas": "gastrocnemius_medialis", "gasmed": "gastrocnemius_medialis",
    "medgas": "gastrocnemius_medialis", "gl": "gastrocnemius_lateralis", "lg": "gastrocnemius_lateralis",
    "glat": "gastrocnemius_lateralis", "gasl": "gastrocnemius_lateralis", "lgas": "gastrocnemius_lateralis",
    "gaslat": "gastrocnemius_lateralis", "latgas": "gastrocnemius_lateralis", "so": "soleus", "sol": "soleus",
    "ta": "tibialis_anterior", "tibant": "tibialis_anterior",
}  # fmt: skip
BESIDE_EMG: Final = {
    "vl": "vastus_lateralis", "vm": "vastus_medialis", "vmo": "vastus_medialis", "rf": "rectus_femoris",
    "bf": "biceps_femoris", "st": "semitendinosus", "sm": "semimembranosus", "fl": "tensor_fasciae_latae",
    "tfl": "tensor_fasciae_latae", "ma": "gluteus_maximus", "gmax": "gluteus_maximus", "me": "gluteus_medius",
    "pl": "peroneus_longus", "per": "peroneus_longus", "pb": "peroneus_brevis", "tp": "tibialis_posterior",
    "edl": "extensor_digitorum_longus", "fhl": "flexor_hallucis_longus", "ah": "abductor_hallucis",
}  # fmt: skip
# Words in a row that name a muscle; of those in _PARTS the part is looked for elsewhere in the name.
_LONG: Final = (
    ("gast?ro|gas$|gas |gastc", "gastrocnemius"), ("soleus", "soleus"), ("tibialis|tibial|tib$|tib ", "tibialis"),
    ("peroneus|fibularis", "peroneus"), ("vastus", "vastus"), ("rectus fem", "rectus_femoris"),
    ("biceps fem", "biceps_femoris"), ("semitend", "semitendinosus"), ("semimem", "semimembranosus"),
    ("hamstring", "hamstrings"), ("quadric", "quadriceps"), ("triceps sur", "triceps_surae"),
    ("glut[a-z]* max", "gluteus_maximus"), ("glut[a-z]* med", "gluteus_medius"),
    ("tensor fasc", "tensor_fasciae_latae"), ("abductor hal", "abductor_hallucis"),
    ("flexor hal", "flexor_hallucis_longus"), ("extensor dig", "extensor_digitorum_longus"),
)  # fmt: skip
_PARTS: Final = {"gastrocnemius", "tibialis", "peroneus", "vastus"}
_BEGINS: Final = (("med|m$", "medialis"), ("lat", "lateralis"), ("ant|a$", "anterior"), ("post", "posterior"),
                  ("long", "longus"), ("brev", "brevis"))  # fmt: skip
# Polysomnography: legs are anterior tibialis muscles, L and R before or behind.
PAIRED: Final = {"lleg": "l leg", "rleg": "r leg", "legl": "l leg", "legr": "r leg",
                 "plml": "l leg", "plmr": "r leg", "tibl": "l tib", "tibr": "r tib", "plm": "leg", "plms": "leg",
                 "ltib": "l tib", "rtib": "r tib", "lta": "l ta", "rta": "r ta", "legs": "leg",
                 "lgm": "l gm", "rgm": "r gm", "lgl": "l gl", "rgl": "r gl"}  # fmt: skip
_PIECE: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_AXIS: Final = re.compile(r"(acc|accel|a)([xyz])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name was taken for; `kind` is empty where it is none of ours, and `why` then says so."""

    kind: Kind
    place: str  # of EMG the muscle or another site, of acceleration where it is worn; may be empty
    side: Literal["left", "right", ""] = ""
    axis: Literal["x", "y", "z", ""] = ""
    named: bool = False  # whether the place is a muscle or a leg that we know
    why: str = ""


def words(name: str) -> list[str]:
    """Lower-case words of a name; a side that is glued to a muscle stands by itself."""
    found: list[str] = []
    for chunk in re.findall(r"[^\W_]+", name):
        low = chunk.lower()
        if low in PAIRED:
            found += PAIRED[low].split()
        elif low in SHORT or low in BESIDE_EMG:
            found.append(low)
        elif match := _AXIS.fullmatch(low):
            found += ["acc", match[2]]
        else:
            for piece in _PIECE.findall(chunk):
                found += PAIRED.get(piece.lower(), piece.lower()).split()
    if not re.search("gas|vast", " ".join(found)):  # else `lat` is lateralis
        found = [word for one in found for word in {"lat": ["l", "at"], "rat": ["r", "at"]}.get(one, [one])]
    return found


def meaning(name: str, unit: str) -> Meaning:
    """What a channel of this name and (plain) unit is, as far as these tell."""
    said = words(name)
    every = set(said)
    if foreign := every & FOREIGN:
        return Meaning("", "", why=f"{min(foreign)} is neither EMG nor acceleration")
    axis = next((word for word in reversed(said) if word in {"x", "y", "z"}), "")
    if every & ACC_WORDS or (axis and unit in G and every <= {axis, *SHANK, *LEFT, *RIGHT}):
        if not axis:
            return Meaning("", "", why="acceleration without an axis in its name")
        return Meaning("acc", _place(said, axis), _side(said), axis)  # type: ignore[arg-type]
    if elsewhere := every & ELSEWHERE:
        return Meaning("", "", why=f"{min(elsewhere)} is not of the leg")
    return _electric(said, unit)


def _electric(said: list[str], unit: str) -> Meaning:
    """EMG by the word or by the muscle; a muscle alone must not be in a unit of something else."""
    is_emg = bool(set(said) & EMG_WORDS)
    known = muscle(said, beside_emg=is_emg)
    if known and (is_emg or unit in UV or not unit):
        return Meaning("emg", known, _side(said), named=True)
    if is_emg:
        return Meaning("emg", _rest(said), _side(said))
    return Meaning("", "", why="its name says neither EMG nor acceleration")


def muscle(said: list[str], *, beside_emg: bool) -> str:
    """The muscle that the words name, as anatomists order the words, or nothing."""
    joined = " ".join(said)
    for pattern, name in _LONG:
        if re.search(rf"\b(?:{pattern})", joined):
            return name + _part(said) if name in _PARTS else name
    short = SHORT | BESIDE_EMG if beside_emg else SHORT
    found = next((short[word] for word in said if word in short), "")
    if found or not said:
        return found
    if "at" in said and {"l", "r"} & set(said):
        return "tibialis_anterior"
    if {word for word in said if not word.isdigit()} in ({"dx"}, {"sx"}):  # CAP Sleep's legs: DX1-DX2
        return "leg"
    return next((word for word in ("calf", "leg") if word in said), "")


def _part(said: list[str]) -> str:
    """Which part of a muscle: `med`, `lateralis`, `ant`, ..., or nothing."""
    parts = {part for word in said for begins, part in _BEGINS if re.match(begins, word)}
    return f"_{parts.pop()}" if len(parts) == 1 else ""


def slug(name: str) -> str:
    """A name in small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_") or "unnamed"


def _side(said: list[str]) -> Literal["left", "right", ""]:
    left, right = bool(LEFT & set(said)), bool(RIGHT & set(said))
    return "" if left == right else "left" if left else "right"


def _place(said: list[str], axis: str) -> str:
    kept = [w for w in said if w not in ACC_WORDS | NOISE | LEFT | RIGHT | {axis}]
    return "_".join(dict.fromkeys(kept))


def _rest(said: list[str]) -> str:
    """What is left of a name that says EMG and no muscle that we know; mere numbers keep the word."""
    kept = list(dict.fromkeys(w for w in said if w not in EMG_WORDS | NOISE | LEFT | RIGHT))
    if all(word.isdigit() for word in kept):
        return "_".join(["emg", *kept])
    return "_".join(kept)
