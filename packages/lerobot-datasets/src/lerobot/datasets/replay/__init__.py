"""`lerobot replay`: the actions of a recorded episode, sent to a robot again."""
