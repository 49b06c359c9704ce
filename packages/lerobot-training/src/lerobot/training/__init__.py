"""Training of policies.

`command` runs `lerobot train`: `data` draws batches, `optim` makes optimizers and schedules, `loop` is the loop,
`checkpoints` saves and restores every bit of its state, `trackers` write down how it goes.
"""
