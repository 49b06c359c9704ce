"""Policies on robots.

`command` is `lerobot rollout`, `source` makes a policy the source of a robot's commands, `episodic` plays and records
episodes of one.
"""
