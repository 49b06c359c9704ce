"""Unitree G1 over its ZMQ bridge, and the exoskeleton that leads it."""
