"""What the detector refuses: input whose shape, rate or scale it cannot be right about.

DetectorError
└── (no leaves yet: the sentence says which array or figure was wrong)
"""


class DetectorError(ValueError):
    """Input or parameters that the detector cannot work on."""
