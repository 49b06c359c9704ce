"""Configurations of this package's commands."""
