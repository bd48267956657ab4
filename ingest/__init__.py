"""Bytes to results: wire format, order, pipeline, MQTT source, journal, service loop, store."""
