"""From the configuration to the environment."""

from typing import TYPE_CHECKING

from lerobot.envs.assembly import require_one_task
from lerobot.libero.config import LiberoConfig

if TYPE_CHECKING:
    from lerobot.libero.env import Libero


def make_libero(config: LiberoConfig) -> "Libero":
    """Build the environment of one task.

    Args:
        config: see `LiberoConfig`; of one task.

    Raises:
        LeRobotError: it names several tasks, LIBERO's files are not here, or the machine has no OpenGL to draw with.
    """
    require_one_task(config)
    from lerobot.libero.env import Libero

    return Libero(config)
