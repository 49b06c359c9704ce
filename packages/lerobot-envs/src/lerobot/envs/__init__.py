"""Simulated environments, and evaluation in them and on robots.

`assembly` builds an environment from its configuration, `episode` and `rows` play episodes side by side, `actor` lets a
policy play, `evaluation` counts, `benchmark` goes through the tasks, `trials` evaluates on a robot, `journal` keeps
what ended, `report` says it in figures. `sweep` plays several policies from several seeds, `shards` plays them on an
engine, `comparison` sets them beside each other. `suites` reads names of tasks; `opengl` finds what draws without a
window, `offscreen` draws MuJoCo's models with it; `old_gym` adapts environments of earlier interfaces.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(__name__, {"acting": "lerobot.envs.actor", "making": "lerobot.envs.assembly"})
