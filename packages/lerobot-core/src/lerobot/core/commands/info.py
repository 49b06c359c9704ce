"""`lerobot info`: versions and the platform, as bullets for a bug report; or what a robot may be told."""

from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config import CommandConfig
from lerobot.core.config.base import RobotConfig


class InfoConfig(CommandConfig):
    """Print versions and the platform, for bug reports; or what a robot takes, and the limits that hold for it."""

    target: ClassVar[str] = "lerobot.core.inspection.command:info"
    examples: ClassVar[tuple[str, ...]] = ("lerobot info", "lerobot info --robot.type=sim_so101")

    format: Literal["text", "json"] = Field(default="text", description="How the facts are written.")
    robot: RobotConfig | None = Field(
        default=None, description="Robot to tell of: each key of its command with the limits of the safety gate."
    )
