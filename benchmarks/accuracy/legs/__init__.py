"""Generators of legs. Each module has `SCENARIOS`, a mapping of permanent names to functions of a seed."""
