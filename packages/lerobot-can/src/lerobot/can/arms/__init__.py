"""Arms of CAN motors; what every arm has stands in `lerobot.motors.arms`.

- `arm`: calibration by a zero pose, positions, velocities and torques
- `follower`, `leader`: the robot and the teleoperator
"""
