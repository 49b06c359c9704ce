"""Intel RealSense cameras: colour, and depth in millimetres.

`config` describes one, `devices` finds and opens it or its recording, `camera` reads it, `installation` is what
`lerobot doctor` says.
"""
