"""Configurations of commands; nothing heavy is imported here."""
