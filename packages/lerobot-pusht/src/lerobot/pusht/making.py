"""From the configuration to the environment, or to one line about what the system lacks."""

from typing import TYPE_CHECKING

from lerobot.core.errors import LeRobotError
from lerobot.pusht.config import PushTConfig

if TYPE_CHECKING:
    from lerobot.pusht.env import PushT


def make_pusht(config: PushTConfig) -> "PushT":
    """Build the environment.

    Args:
        config: see `PushTConfig`.

    Raises:
        LeRobotError: OpenCV's build with windows is installed, and libraries of the system that it needs are missing.
    """
    try:
        import cv2  # noqa: F401 - gym-pusht's first import, the one that can miss a library of the system
    except ImportError as error:
        raise LeRobotError(
            f"OpenCV cannot be loaded, so environment 'pusht' cannot draw: {error}",
            hint="Install the build without windows: uv pip install --reinstall opencv-python-headless",
        ) from error
    from lerobot.pusht.env import PushT

    return PushT(config)
