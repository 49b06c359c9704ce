"""Training, evaluation and rollout in the browser."""
