"""ALOHA in simulation: two arms over a table, seen from above.

`config` registers; `making` loads the simulation with a way to draw without a window; `env` is the environment.
"""
