"""PushT: an agent pushes a T-shaped block onto its outline.

`config` registers; `making` loads the simulation or says what the system lacks; `env` is the environment.
"""
