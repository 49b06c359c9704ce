"""The end that has the robot, the camera, the teleoperator, the policy or the environment."""
