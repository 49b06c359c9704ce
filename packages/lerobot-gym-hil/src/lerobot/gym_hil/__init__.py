"""gym-hil: a Franka Panda over a table, and a person who may take over.

`config` registers; `making` puts an environment together; `env` is the arm, `tasks` what it is to do, `actions` what
its actions mean and `person` who intervenes.
"""
