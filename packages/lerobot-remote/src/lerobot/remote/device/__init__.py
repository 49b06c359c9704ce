"""The end that uses a robot, a camera, a teleoperator or an environment as if it were here."""
