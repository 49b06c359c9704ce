"""What does not run in this process: robots, cameras, teleoperators, policies and environments behind a wire.

`newest`, `receiver` and `watchdog` serve every device of a network, whatever its protocol.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(__name__, {"served": "lerobot.core.config.policies"})
