"""Unitree G1 over its ZMQ bridge, and the exoskeleton that leads it.

`joints` is what there is to move, `config` how it is described, `messages` what goes over the bridge, `robot` drives.
`ellipse` turns a pair of Hall sensors into an angle, `exoskeleton` is an arm of them, `teleoperator` both arms.
`virtual` is a robot behind its bridge, to try everything on.
"""
