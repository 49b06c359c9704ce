"""xArm in simulation: an arm lifts a cube off a table.

`config` registers; `model_files` finds the public model of arm and table and checks it; `scene` is its physics, `task`
says what counts, `env` is the environment; `expert` lifts the cube.
"""
