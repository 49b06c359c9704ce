"""Configurations of the commands of this package."""
