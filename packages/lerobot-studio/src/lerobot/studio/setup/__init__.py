"""Devices in the browser: what is attached, motors, calibration, camera positions, and what is wrong."""
