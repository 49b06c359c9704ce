"""The thin core every LeRobot plugin stands on.

Read in this order: `protocols` (what a device, policy or environment is), `registry` (how one is found by name),
`config` (how it is configured), `control` and `safety` (how it is driven), `cli` (how all of it is started).
"""
