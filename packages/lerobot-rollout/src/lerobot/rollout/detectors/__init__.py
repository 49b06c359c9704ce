"""Who tells that a task is solved; the configurations are in `lerobot.rollout.detector`."""
