"""Policies that make a horizon of actions out of noise.

`config` has the settings they share, `noise` what is added to actions and taken away again, `policy` how they learn and
act.
"""
