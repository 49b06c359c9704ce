"""Configurations of the commands."""
