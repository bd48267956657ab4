"""Trials: what was planned, what was seen, and what may be concluded from it."""
