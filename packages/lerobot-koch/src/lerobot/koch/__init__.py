"""Koch v1.1 arms; what they share with other servo arms stands in `lerobot.motors.arms`.

- `config`: configurations of followers and leaders, single and in pairs
- `tables`: their servos, with modes and gains
- `follower`, `leader`: the robot and the teleoperator; `bimanual`: two of them as one
- `virtual`: arms without hardware
"""
