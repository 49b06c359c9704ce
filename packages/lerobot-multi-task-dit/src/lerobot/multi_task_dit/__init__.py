"""Multi-Task DiT, a diffusion transformer for tasks told in words.

`sizes` has those of the CLIP encoders there are, `config` its settings, `observation` what describes cameras, joints
and the task, `transformer` the network that tells actions and noise apart, `processors` what stands before and behind
it, `policy` how it learns and acts.
"""
