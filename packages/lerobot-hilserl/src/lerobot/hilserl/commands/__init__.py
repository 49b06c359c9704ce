"""Command line commands: light configuration modules."""
