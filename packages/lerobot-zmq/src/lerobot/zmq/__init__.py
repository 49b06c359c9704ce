"""Cameras over ZeroMQ, in the messages of huggingface/lerobot, whose other end may be its.

`messages` reads and writes them, `capture_clock` makes their times this computer's, `camera` receives, `server` sends.
"""
