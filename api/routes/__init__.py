"""Addresses, one file for each kind of thing."""
