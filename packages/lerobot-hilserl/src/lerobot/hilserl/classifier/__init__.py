"""The reward classifier: whether pictures show the task solved."""
