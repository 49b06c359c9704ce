"""ALOHA in simulation: two arms over a table, seen from above.

`config` registers; `opengl` chooses how pictures are made without a window, or says what the system lacks; `making`
loads the simulation with it; `env` is the environment.
"""
