"""Readers of other formats: each opens files of its kind as episodes."""
