"""Arms that follow and arms that lead, single and in pairs; a plugin adds its table of motors.

- `config`: fields their configurations share
- `arm`: an arm on any bus: connection, calibration file, positions
- `follower`, `leader`: the robot and the teleoperator
- `table`, `servo_arm`: an arm of servos: registers, calibration by a sweep, setting up, diagnosis
- `pair`: two arms as one
"""
