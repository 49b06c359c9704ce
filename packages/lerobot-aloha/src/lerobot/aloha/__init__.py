"""ALOHA in simulation: two arms over a table, seen from above.

`config` registers; `making` loads the simulation with what draws without a window, or says what the system lacks; `env`
is the environment.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(__name__, {"opengl": "lerobot.envs.opengl"})
