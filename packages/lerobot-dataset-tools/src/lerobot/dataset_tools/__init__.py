"""Whole datasets at once: edited, imported from other formats, checked and shown."""
