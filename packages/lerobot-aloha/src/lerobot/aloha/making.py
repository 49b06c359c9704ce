"""From the configuration to the environment, or to one line about what the system lacks."""

from typing import TYPE_CHECKING

from lerobot.aloha.config import AlohaConfig
from lerobot.envs.opengl import windowless

if TYPE_CHECKING:
    from lerobot.aloha.env import Aloha


def make_aloha(config: AlohaConfig) -> "Aloha":
    """Build the environment.

    Args:
        config: see `AlohaConfig`.

    Raises:
        LeRobotError: the machine has no OpenGL to draw with.
    """
    with windowless():
        from lerobot.aloha.env import Aloha
    return Aloha(config)
