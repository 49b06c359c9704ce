"""Policies on robots.

`command` is `lerobot rollout`. `actor` makes a policy the source of a robot's commands: `source` one that is waited
for, `ahead` one that acts ahead of time. `strategies` are what is done beside driving, on a `stage`.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(
    __name__,
    {"episodic": "lerobot.rollout.strategies.episodic", "remote.served": "lerobot.policies.served.checkpoint"},
)
