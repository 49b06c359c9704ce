"""Damiao motors.

- `protocol`: their frames
- `bus`: several of them
"""
