"""Reachy 2: the robot, its cameras and its arms as a teleoperator, over gRPC."""
