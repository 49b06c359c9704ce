"""From the configuration to the environment, or to one line about what the system lacks."""

from typing import TYPE_CHECKING

from lerobot.envs.opengl import platform
from lerobot.xarm.config import XArmConfig

if TYPE_CHECKING:
    from lerobot.xarm.env import XArm


def make_xarm(config: XArmConfig) -> "XArm":
    """Build the environment.

    Args:
        config: see `XArmConfig`.

    Raises:
        LeRobotError: the machine has no OpenGL to draw with, or the model's files are not here or not the public ones.
    """
    # MuJoCo cannot even be imported with a platform that is not there, and says so in ways that nobody understands.
    platform()
    from lerobot.xarm.env import XArm

    return XArm(config)
