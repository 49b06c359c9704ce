"""From the configuration to the environment, or to one line about what the system lacks."""

from typing import TYPE_CHECKING

from lerobot.aloha.config import AlohaConfig
from lerobot.core.errors import LeRobotError
from lerobot.envs.opengl import importing_with, install, platform

if TYPE_CHECKING:
    from lerobot.aloha.env import Aloha


def make_aloha(config: AlohaConfig) -> "Aloha":
    """Build the environment.

    Args:
        config: see `AlohaConfig`.

    Raises:
        LeRobotError: the machine has no OpenGL to draw with.
    """
    chosen = platform()
    # dm_control opens the display when it is imported, so the import has to wait for the choice.
    with importing_with(chosen):
        try:
            from lerobot.aloha.env import Aloha
        except ImportError as error:
            if "display" not in str(error).lower():
                raise
            raise LeRobotError(f"ALOHA's pictures need OpenGL: {error}", hint=install("egl")) from error
    return Aloha(config)
