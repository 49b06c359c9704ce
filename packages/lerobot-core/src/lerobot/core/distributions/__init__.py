"""Distributions of this environment: whose they are, where they came from, how one is added, and how damage is mended.

Nothing here runs before somebody asks for it: `lerobot plugins add`, `lerobot doctor`.
"""
