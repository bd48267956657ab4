"""Leg wearables that do not exist: muscle, movement, device, fleet, scenarios with ground truth."""
