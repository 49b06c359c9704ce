"""Configurations of the package's commands."""
