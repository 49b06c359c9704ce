"""Reachy 2: the robot, its cameras and its arms as a teleoperator, over gRPC.

`joints` is what there is to move, `config` how it is described. `connection` speaks to the robot's server and `body`
reads and writes its messages; both need gRPC, which nothing imports before a device connects. `virtual` is a server
to try everything on.
"""
