"""Cameras over ZeroMQ, in the messages of huggingface/lerobot, whose other end may be its.

`messages` reads and writes them, `camera` receives, `server` sends.
"""
