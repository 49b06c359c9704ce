"""`lerobot doctor`: is everything that is installed usable, and is the hardware sound?"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config import CommandConfig, Positional
from lerobot.core.config.base import RobotConfig, TeleoperatorConfig


class DoctorConfig(CommandConfig):
    """Check the installation and every plugin, or examine a robot or teleoperator."""

    target: ClassVar[str] = "lerobot.core.inspection.command:doctor"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot doctor",
        "lerobot doctor --deep",
        "lerobot doctor --repair",
        "lerobot doctor --format=json",
        "lerobot doctor hardware --robot.type=so101_follower --robot.port=/dev/ttyACM0",
    )

    subject: Annotated[Literal["plugins", "hardware"], Positional()] = Field(
        default="plugins", description="What to check: the installation, or devices. Nothing moves."
    )
    deep: bool = Field(default=False, description="Import the implementations too, with everything they need.")
    repair: bool = Field(
        default=False,
        description="Take huggingface/lerobot out of this environment and install anew what it overwrote, then check.",
    )
    source: Path | None = Field(
        default=None,
        description="For repair: checkout of this project, or folder of its wheels, for packages that do not know "
        "where they came from.",
    )
    robot: RobotConfig | None = Field(default=None, description="Robot to examine.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="Teleoperator to examine.")
    format: Literal["text", "json"] = Field(default="text", description="How what was found is written.")

    @model_validator(mode="after")
    def _devices_belong_to_hardware(self) -> Self:
        named = self.robot is not None or self.teleop is not None
        if self.subject == "hardware" and not named:
            raise ValueError("--robot.type or --teleop.type: which device to examine")
        if self.subject == "plugins" and named:
            raise ValueError("the word 'hardware' before the device, as in: lerobot doctor hardware --robot.type=...")
        return self
