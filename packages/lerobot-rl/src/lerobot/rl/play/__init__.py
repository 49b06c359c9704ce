"""Episodes on a robot, or in an environment as one: who acts, what came of it, and the rows that are learned from."""
