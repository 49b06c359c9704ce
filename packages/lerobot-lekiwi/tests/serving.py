"""`lerobot serve` for tests that look at what their own process has open; its cameras are tested for a moment only."""

import sys

from lerobot.core.cli.app import main
from lerobot.motors.arms import follower

if __name__ == "__main__":
    follower.CAMERA_TEST_S = 0.05
    sys.exit(main(["lerobot", "serve", *sys.argv[1:]]))
