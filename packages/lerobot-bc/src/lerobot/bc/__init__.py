"""Behaviour cloning and its offline kin: a policy is a network, a head and an objective.

`config` has the settings; `networks` remember what was seen, as an MLP, an RNN or a Transformer; `heads` make actions
of that; `objectives` say what is learned: to copy (`bc`), to copy what brought more (`rwr`, `awr`), or the best of what
could be copied (`bcq`); `policy` learns and acts.
"""
