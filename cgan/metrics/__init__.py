"""Metrics: arrays in, a dict out; no torch. The registry names them."""
