"""What `calibrate` and `setup-motors` have in common: they act on one device, a robot or a teleoperator."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.commands.earlier_flags import DEVICES
from lerobot.core.config.base import CommandConfig, RobotConfig, TeleoperatorConfig


class OneDeviceConfig(CommandConfig):
    """A command that acts on one robot or one teleoperator."""

    earlier_flags: ClassVar[Mapping[str, str]] = DEVICES

    robot: RobotConfig | None = Field(default=None, description="Robot to work on.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="Teleoperator to work on.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if self.robot is None and self.teleop is None:
            raise ValueError("--robot.type=NAME or --teleop.type=NAME, the device to work on")
        if self.robot is not None and self.teleop is not None:
            raise ValueError("either --robot.type or --teleop.type, not both")
        return self

    @property
    def device(self) -> Any:
        """Configuration of the one device."""
        return self.robot or self.teleop
