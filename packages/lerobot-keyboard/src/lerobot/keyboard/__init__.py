"""The keyboard as a teleoperator.

`config` describes the three, `keys` knows names and what is held, `terminal` and `desktop` are where keys come from,
`teleoperator`, `end_effector` and `rover` make actions of them.
"""
