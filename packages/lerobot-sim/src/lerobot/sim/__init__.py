"""The virtual SO-101: everything a real arm does, on any machine.

`config` registers; `robot`, `camera`, `scripted`, `leader` and `env` are the devices; `world` is the physics they share
(`scene` builds it, `joints` and `so101.xml` are the arm, `tasks` what there is to do); `rendering` makes the pictures;
`kinematics` and `expert` solve the tasks.
"""
