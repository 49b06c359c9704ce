"""Fake devices, registered by core as `fake`: every command runs without hardware, and the same way each time.

The robot and the teleoperator are plain Python; the camera alone needs numpy (`lerobot-core[cameras]`).
"""
