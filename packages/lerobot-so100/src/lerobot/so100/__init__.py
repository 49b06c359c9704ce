"""SO-100 and SO-101 arms.

- `config`: configurations of followers and leaders, single and in pairs
- `arm`: what a follower and a leader share: six servos and their calibration
- `follower`, `leader`: the robot and the teleoperator
- `bimanual`: two of them as one
"""
