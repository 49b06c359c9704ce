"""Cameras through OpenCV.

`config` describes one, `sources` opens it, `identity` gives it a name that survives a reboot, `camera` reads it.
"""
