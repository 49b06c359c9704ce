"""Meta-World: fifty tasks at a table for one arm, and an expert who solves them.

`tasks` names them; `config` registers; `env` is the environment; `expert` acts, and is a teleoperator for recordings.
"""
