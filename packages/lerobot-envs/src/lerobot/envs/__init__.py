"""Simulated environments and evaluation in them.

`making` builds an environment from its configuration, `episode` and `rows` play episodes side by side, `observations`
names what is seen as datasets name it, `acting` lets a policy play, `evaluation` counts, `report` says it in figures.
"""
