"""OpenArm arms, and OpenArm mini; what they share with others stands in `lerobot.can.arms` and `lerobot.motors.arms`.

- `config`: configurations of followers and leaders, single and in pairs
- `joints`: motors, gains and limits
- `follower`, `leader`: the robot and the teleoperator; `mini`: a small leader of servos; `bimanual`: two of each as one
- `virtual`: arms without hardware
"""
