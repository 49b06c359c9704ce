"""Baking a plugin from one of the `templates`."""
