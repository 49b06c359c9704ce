"""Acting ahead of time: a robot goes on with what was planned while its policy plans further.

`timeline` holds the planned actions, `worker` predicts meanwhile, `delay` remembers how long that takes in actions,
`source` puts them together as the source of a robot's commands, and `report` says how well it went.
"""
