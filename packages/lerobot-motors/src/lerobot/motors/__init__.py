"""Motor buses, calibration and virtual servos."""
