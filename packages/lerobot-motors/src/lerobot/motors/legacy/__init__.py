"""Positions recorded with the calibration of lerobot 0.3 and older, in the units of today.

- `calibration`: the old file and its arithmetic
- `config`, `step`: the processor step `legacy_positions_processor`, with which such a recording is replayed
"""
