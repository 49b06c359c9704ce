"""Arms of the ALOHA robot: ViperX 300 S followers and WidowX 250 S leaders, two servos on shoulder and elbow.

- `config`: configurations of followers and leaders, single and in pairs
- `tables`: their servos, with modes and directions
- `bus`: a line of servos some of which mirror another
- `follower`, `leader`: the robot and the teleoperator, `arm` what they share; `bimanual`: two of them as one
- `virtual`: arms without hardware
"""
