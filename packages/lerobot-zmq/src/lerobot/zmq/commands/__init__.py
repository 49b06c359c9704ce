"""Configurations of the commands; each names the function that runs it."""
