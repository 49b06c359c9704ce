"""SO-100 and SO-101 arms; what they share with other servo arms stands in `lerobot.motors.arms`.

- `config`: configurations of followers and leaders, single and in pairs
- `tables`: their servos, with modes, gains and limits
- `follower`, `leader`: the robot and the teleoperator; `bimanual`: two of them as one
- `virtual`: an arm without hardware
"""
