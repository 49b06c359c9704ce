"""What `calibrate` and `setup-motors` have in common: they act on one device, a robot or a teleoperator."""

from typing import Any, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig, RobotConfig, TeleoperatorConfig


class OneDeviceConfig(CommandConfig):
    """A command that acts on one robot or one teleoperator."""

    robot: RobotConfig | None = Field(default=None, description="Robot to work on.")
    teleop: TeleoperatorConfig | None = Field(default=None, description="Teleoperator to work on.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.robot is None) == (self.teleop is None):
            raise ValueError("either --robot.type or --teleop.type, not both")
        return self

    @property
    def device(self) -> Any:
        """Configuration of the one device."""
        return self.robot or self.teleop
