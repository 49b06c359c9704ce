"""Checkpoints of a run: its files, and the random states among them."""
