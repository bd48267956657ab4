"""How well the detector does: scenarios of several unrelated generators, scored by events."""
