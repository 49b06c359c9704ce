"""Ordinary policies of checkpoints in parts."""
