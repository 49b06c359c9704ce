"""OMX arms; what they share with other servo arms stands in `lerobot.motors.arms`.

- `config`: configurations of followers and leaders
- `tables`: their servos, with modes, gains and limits
- `follower`, `leader`: the robot and the teleoperator
- `virtual`: arms without hardware
"""
