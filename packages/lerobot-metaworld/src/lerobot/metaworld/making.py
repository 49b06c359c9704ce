"""From the configuration to the environment, or to one line about what the system lacks."""

from typing import TYPE_CHECKING

from lerobot.envs.opengl import platform
from lerobot.metaworld.config import MetaworldConfig

if TYPE_CHECKING:
    from lerobot.metaworld.env import Metaworld


def make_metaworld(config: MetaworldConfig) -> "Metaworld":
    """Build the environment.

    Args:
        config: see `MetaworldConfig`; of one task.

    Raises:
        LeRobotError: the machine has no OpenGL to draw with.
    """
    # MuJoCo cannot even be imported with a platform that is not there, and says so in ways that nobody understands.
    platform()
    from lerobot.metaworld.env import Metaworld

    return Metaworld(config)
