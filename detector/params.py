"""Every tunable figure of the detector in one table, with unit, meaning and source."""

import hashlib
from dataclasses import dataclass, fields
from typing import Final

from detector.errors import DetectorError

VERSION: Final = "2.0"
WINDOW_S: Final = 1  # analysis window: one UTC second, so that 50 and 60 Hz fall on bins
EPOCH_S: Final = 10  # windows per epoch
SUBWINDOWS: Final = 8  # envelope steps within a window


@dataclass(frozen=True, slots=True)
class Params:
    """Tuning of the detector.

    | name | unit | meaning | source |
    |---|---|---|---|
    | on_ratio | x rest | sustained amplitude at which activity begins | night cramps 2-6x rest, Chaney & Sherman |
    | off_ratio | x rest | sustained amplitude below which activity ends | hysteresis, our convention |
    | hold_s | s | evidence at which an episode opens | leg movements last up to 10 s, AASM 2018 |
    | moving_step | s/s | evidence gained in an active second while moving | turning over lasts 3-45 s, Ferri 2021 |
    | quiet_step | s/s | evidence lost in a quiet second | movements with pauses must not add up, our convention |
    | end_share | 1 | share of the crest, above rest, below which it is over | EMG may stay ~2x rest, Chaney & Sherman |
    | stand_share | 1 | the same once the wearer has got up from lying | standing works the calf, our convention |
    | again_share | 1 | share of that crest at which what was left is a cramp again | our convention |
    | merge_s | s | longest pause inside a candidate | raters split events, Thomas 2014 |
    | pause_s | s | longest pause inside an episode that has opened | interrupted to stretch, our convention |
    | movement_g | g | mean absolute deviation of acceleration above which the leg moves | our convention |
    | rotation_deg | degree/s | turn of the gravity vector above which the leg moves | our convention |
    | upright_deg | degree | shank to horizontal above which the leg is upright | our convention |
    | before_s | s | movement this shortly before onset speaks for a willed act | stillness before, our convention |
    | sustained | 1 | least sustained over RMS amplitude: below it, bursts | gait, tremor: relaxation between bursts |
    | artefact_ratio | 1 | power at 3-15 Hz over that at 20-450 Hz | most artefact is < 20 Hz, De Luca 2010 |
    | hum_ratio | 1 | hum power over signal power above which hum is flagged | our convention |
    | off_hum_ratio | x rest | hum amplitude of a lifted electrode | our convention |
    | rail_share | 1 | share of samples at one extreme of a clipped window | samples at rails > 1 %, our convention |
    | rest_down | 1/epoch | fastest fall of the logarithm of the rest level | our convention |
    | rest_up | 1/epoch | fastest rise of it while activity is below twice the rest | our convention |
    | rest_up_far | 1/epoch | the same above twice the rest | a cramp must not become rest |
    | warm_epochs | epochs | taught epochs after donning, of fast learning | our convention |
    | regap_s | s | absence after which the rest level is learned anew | our convention |
    | reference_ratio | x rest | amplitude that counts as one reference in load | our convention |
    | endless_s | s | length beyond which activity is taken for a new rest level | cramps last seconds to 15 min |
    | confidence_min | 1 | least confidence at which an episode opens | our convention |
    """

    on_ratio: float = 2.0
    off_ratio: float = 1.5
    hold_s: int = 12
    moving_step: float = 1.0
    quiet_step: float = 2.0
    end_share: float = 0.07
    stand_share: float = 0.25
    again_share: float = 0.4
    merge_s: int = 8
    pause_s: int = 20
    movement_g: float = 0.03
    rotation_deg: float = 10.0
    upright_deg: float = 50.0
    before_s: int = 5
    sustained: float = 0.3
    artefact_ratio: float = 2.0
    hum_ratio: float = 1.0
    off_hum_ratio: float = 15.0
    rail_share: float = 0.01
    rest_down: float = 0.3
    rest_up: float = 0.01
    rest_up_far: float = 0.002
    warm_epochs: int = 6
    regap_s: int = 600
    reference_ratio: float = 20.0
    endless_s: int = 1800
    confidence_min: float = 0.25

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise DetectorError(f"parameter {field.name} must be positive, not {getattr(self, field.name)}")
        if self.off_ratio >= self.on_ratio:
            raise DetectorError(f"off_ratio {self.off_ratio} must be below on_ratio {self.on_ratio}")

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that change with any parameter."""
        text = ",".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
        return hashlib.sha256(text.encode()).hexdigest()[:8]


DEFAULT: Final = Params()
