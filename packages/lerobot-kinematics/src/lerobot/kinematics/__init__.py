"""Between joint space and end-effector space.

`config` describes the processor steps, `arm` is the kinematic chain of a URDF file, `solver` finds joint angles for a
pose, `robot` does both by joint angles in degrees, `joints` and `poses` are the two spaces as robots and datasets name
them, `steps` are the processor steps.
"""
