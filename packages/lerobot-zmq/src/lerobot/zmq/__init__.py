"""Cameras over ZeroMQ: reads the streams of another computer and serves them."""
