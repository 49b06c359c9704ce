"""From the configuration to the environment, with whoever may take over."""

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from lerobot.core.config.base import TeleoperatorConfig
from lerobot.core.errors import LeRobotError
from lerobot.envs.opengl import has_display, platform
from lerobot.gym_hil.config import GymHilConfig

if TYPE_CHECKING:
    from lerobot.gym_hil.env import GymHil
    from lerobot.gym_hil.person import Person

TELEOPERATORS = {"Gamepad": "gamepad", "Keyboard": "keyboard_ee"}
"""Who may take over in the tasks that say so."""

AXES = ("delta_x", "delta_y", "delta_z")
KEYBOARD_AXES = ("-delta_y", "delta_x", "delta_z")
"""Arrow up is delta_y -1 and arrow left delta_x 1 for every arm; in gym-hil they are away and left, x and y."""


def make_gym_hil(config: GymHilConfig) -> "GymHil":
    """Build the environment.

    Args:
        config: see `GymHilConfig`.

    Raises:
        LeRobotError: the machine has no OpenGL to draw what is seen with, no display for the window, or what a person
            would take over with is not installed.
    """
    if config.has_window and not has_display():
        raise LeRobotError(
            f"{config.task} opens a window, and this machine has no display",
            hint="Without a window: --env.viewer=false",
        )
    if config.obs_type == "pixels_agent_pos":
        # MuJoCo fails in unreadable ways if it is imported with a platform that is not there.
        platform()
    from lerobot.gym_hil.env import GymHil

    return GymHil(config, person=_person(config))


def _person(config: GymHilConfig) -> "Person | None":
    teleop = config.teleop
    if teleop is None and (name := TELEOPERATORS.get(config.variant)):
        teleop = TypeAdapter(TeleoperatorConfig).validate_python({"type": name})
    if teleop is None:
        return None
    from lerobot.gym_hil.person import Person

    axes = config.teleop_axes or (KEYBOARD_AXES if teleop.type == "keyboard_ee" else AXES)
    return Person(teleop.build(), axes, period=1 / config.fps, use_gripper=config.use_gripper)
