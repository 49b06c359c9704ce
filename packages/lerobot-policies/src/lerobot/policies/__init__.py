"""What policies share.

`config` holds the fields of every policy, `features` what flows in and out, `backbones` the names of networks for
pictures, which are in `networks`; all but the last are light. `policy` is the base
class, `making` builds or loads one together with its processors, `checkpoint` and `weights` read and write its files,
`processing` has the processor steps that work on tensors, `acting` turns chunks into single actions, `preflight` checks
that a policy, a dataset, a robot and an environment fit each other before anything runs.
"""
