"""The keyboard as a teleoperator.

`config` describes the three, `source` and `desktop` are where keys come from, `teleoperator`, `end_effector` and
`rover` make actions of them, `joints` is the processor step that moves joints with them.
"""
