"""The processor steps: forward and inverse kinematics, the pose that deltas ask for, and all of them in one."""
